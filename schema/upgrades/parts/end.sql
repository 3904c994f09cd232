-- What each upgrade ends with.

\set ON_ERROR_STOP on

insert into schema_version (version, upgrade) values (:number, :'upgrade');

commit;
