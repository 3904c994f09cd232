-- What PostgreSQL's own catalogue says of tables, for `astra-outputs check` and for the look at a table before
-- the first row is sent. The search path is the tables' schema while these run, so that its names are bare.

-- name: tables
-- The tables that there are, and their comments.
-- $1: the schema, $2: an array of names.
select
    tables.relname,
    obj_description(tables.oid, 'pg_class') as comment
from pg_class as tables
inner join pg_namespace as schemas on schemas.oid = tables.relnamespace
where schemas.nspname = $1 and tables.relname = any($2::text []) and tables.relkind in ('r', 'p', 'f');

-- name: types
-- The types of a table's columns.
-- $1: the schema, $2: the table.
select
    columns.attname,
    format_type(columns.atttypid, columns.atttypmod) as type
from pg_class as tables
inner join pg_namespace as schemas on schemas.oid = tables.relnamespace
inner join pg_attribute as columns
    on columns.attrelid = tables.oid and columns.attnum > 0 and not columns.attisdropped
where schemas.nspname = $1 and tables.relname = $2;

-- name: columns
-- Their columns: types, defaults, comments.
-- $1: the schema, $2: an array of names of tables.
select
    tables.relname,
    columns.attname,
    format_type(columns.atttypid, columns.atttypmod) as type,
    not columns.attnotnull as nullable,
    columns.attidentity::text as identity,
    columns.attgenerated::text as generated,
    pg_get_expr(defaults.adbin, defaults.adrelid) as expression,
    col_description(tables.oid, columns.attnum) as comment
from pg_class as tables
inner join pg_namespace as schemas on schemas.oid = tables.relnamespace
inner join pg_attribute as columns
    on columns.attrelid = tables.oid and columns.attnum > 0 and not columns.attisdropped
left join pg_attrdef as defaults on defaults.adrelid = tables.oid and defaults.adnum = columns.attnum
where schemas.nspname = $1 and tables.relname = any($2::text []) and tables.relkind in ('r', 'p', 'f')
order by tables.relname, columns.attnum;

-- name: indexes
-- Their indexes. One with a condition or on an expression keeps nothing unique that an upsert could rely on.
-- $1: the schema, $2: an array of names of tables.
select
    tables.relname,
    indexes.indisprimary,
    indexes.indisunique,
    indexes.indnullsnotdistinct,
    not indexes.indimmediate as is_deferrable,
    keys.names,
    keys.nullable
from pg_index as indexes
inner join pg_class as tables on tables.oid = indexes.indrelid
inner join pg_namespace as schemas on schemas.oid = tables.relnamespace
cross join lateral (
    select
        array_agg(columns.attname::text) as names,
        not bool_and(columns.attnotnull) as nullable
    from unnest((indexes.indkey::int2[])[0:indexes.indnkeyatts - 1]) as numbers (attnum)
    inner join pg_attribute as columns
        on columns.attrelid = indexes.indrelid and columns.attnum = numbers.attnum
) as keys
where
    schemas.nspname = $1 and tables.relname = any($2::text [])
    and indexes.indisvalid and indexes.indpred is null and indexes.indexprs is null;

-- name: constraints
-- Their checks and foreign keys.
-- $1: the schema, $2: an array of names of tables.
select
    tables.relname,
    rules.conname,
    rules.contype::text as kind,
    pg_get_expr(rules.conbin, rules.conrelid) as expression,
    case when targets.relnamespace = tables.relnamespace then '' else targets.relnamespace::regnamespace || '.' end
    || targets.relname as "references",
    rules.confdeltype::text as on_delete,
    rules.confupdtype::text as on_update,
    array(
        select columns.attname::text
        from unnest(rules.conkey) with ordinality as numbers (attnum, place)
        inner join pg_attribute as columns
            on columns.attrelid = rules.conrelid and columns.attnum = numbers.attnum
        order by numbers.place
    ) as here,
    array(
        select columns.attname::text
        from unnest(rules.confkey) with ordinality as numbers (attnum, place)
        inner join pg_attribute as columns
            on columns.attrelid = rules.confrelid and columns.attnum = numbers.attnum
        order by numbers.place
    ) as there
from pg_constraint as rules
inner join pg_class as tables on tables.oid = rules.conrelid
inner join pg_namespace as schemas on schemas.oid = tables.relnamespace
left join pg_class as targets on targets.oid = rules.confrelid
where schemas.nspname = $1 and tables.relname = any($2::text []) and rules.contype in ('c', 'f');

-- name: flags
-- The named bits of their flags columns.
-- $1: an array of names of tables.
select
    table_name,
    column_name,
    bit,
    name,
    meaning
from flag_definition
where table_name = any($1)
order by bit;
