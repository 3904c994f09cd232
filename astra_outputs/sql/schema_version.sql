-- What is asked of a schema when a connection is opened.

-- name: what_a_schema_has
-- Whether the schema is there, has tables of this package, has their version, and lets this user read it.
-- $1: the schema.
select
    schemas.oid is not null as is_there,
    exists(
        select from pg_class as tables
        where tables.relnamespace = schemas.oid and tables.relname = 'flag_definition'
    ) as has_tables,
    versions.oid is not null as has_version,
    coalesce(
        has_schema_privilege(schemas.oid, 'usage') and has_table_privilege(versions.oid, 'select'), false
    ) as may_read
from (select to_regnamespace(quote_ident($1)) as oid) as schemas
left join pg_class as versions
    on versions.relnamespace = schemas.oid and versions.relname = 'schema_version';

-- name: version_of_a_schema
-- The number of the last upgrade that it has had.
select max(version) from /*= table */ astra.schema_version /*=*/;
