-- What upgrades (schema/upgrades/) a schema has had: its version is the greatest number here.
--
-- A new schema begins with all that there are, since the table files have them already; one that is older than this
-- table, of the first release, has version 0.

create table if not exists schema_version (
    version integer not null,
    upgrade text not null,
    applied timestamptz not null default statement_timestamp(),
    applied_by text not null default session_user,

    constraint schema_version_pkey primary key (version),
    constraint schema_version_version_check check (version >= 0)
);

comment on table schema_version is 'Upgrades that this schema has had';
comment on column schema_version.version is 'Number of the upgrade';
comment on column schema_version.upgrade is 'Its file, or how the schema began';
comment on column schema_version.applied is 'Time when it was applied';
comment on column schema_version.applied_by is 'User who applied it';

insert into schema_version (version, upgrade)
select
    case when to_regclass('source') is null then 6 else 0 end as version,
    case when to_regclass('source') is null then 'install.sql' else 'the first release' end as upgrade
where not exists (select from schema_version);
