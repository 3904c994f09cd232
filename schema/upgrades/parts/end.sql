-- What each upgrade ends with.

insert into schema_version (version, upgrade) values (:number, :'upgrade');

commit;
