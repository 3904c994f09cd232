-- What `astra-outputs check --nan` asks: other writers may have stored NaN where NULL is meant.

-- name: numbers_that_may_be_nan
-- The numbers of a table that no check keeps free of NaN.
-- $1: the schema, $2: the table.
select columns.attname
from pg_attribute as columns
inner join pg_class as tables on tables.oid = columns.attrelid
inner join pg_namespace as schemas on schemas.oid = tables.relnamespace
where
    schemas.nspname = $1 and tables.relname = $2
    and columns.attnum > 0 and not columns.attisdropped
    and columns.atttypid in ('real'::regtype, 'double precision'::regtype)
    and not exists (
        select from pg_constraint as checks
        where
            checks.conrelid = tables.oid and checks.convalidated
            and checks.conname = tables.relname || '_no_nan_check' and columns.attnum = any(checks.conkey)
    )
order by columns.attnum;

-- name: rows_with_nan
-- How many rows hold NaN in each of these numbers; reads the table once.
select /*= counts */ count(*) filter (where teff = 'NaN') /*=*/
from /*= table */ astra.the_cannon /*=*/;
