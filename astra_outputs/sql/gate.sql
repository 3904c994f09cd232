-- What the gate asks of a table before the first row is written to it.

-- name: traits
-- What decides how rows are stored: whether the table is partitioned, whether it may be distributed over several
-- servers, whether triggers of its own run before each row, which may leave rows out, whether the schema's
-- table `spectrum`, if it has one, says of which source a spectrum is, and which file the table has.
select
    relkind = 'p' as partitioned,
    pg_catalog.pg_relation_filenode(oid) as file,
    exists(select from pg_catalog.pg_extension where extname = 'citus') as citus,
    exists(
        select from pg_catalog.pg_trigger
        where tgrelid = pg_class.oid and not tgisinternal and tgtype & 3 = 3
    ) as row_triggers,
    exists(
        select from pg_catalog.pg_attribute
        where attrelid = to_regclass($2::text) and attname = 'source_pk' and not attisdropped
    ) as sources
from pg_catalog.pg_class
where oid = to_regclass($1::text);

-- name: distributed
-- How Citus keeps two tables, the one that is written to and the schema's table `spectrum`: in shards (h), whole on every
-- server (n), or not at all; and whether the function is there that finds the source of a spectrum.
select
    (select partmethod::text from pg_dist_partition where logicalrelid = to_regclass($1::text)) as this,
    (select partmethod::text from pg_dist_partition where logicalrelid = to_regclass($2::text)) as spectra,
    to_regprocedure($3::text) is not null as finds_sources;
