-- name: rows_under_a_condition
-- Rows under a condition, with their spectra and sources where the question names or wants them.
-- The parameters of the condition first, then those of what else was asked.
select /*= columns */ result.task_pk, result.teff /*=*/
from /*= table */ astra.the_cannon as result /*=*/
/*= joins */ left join astra.source as source on source.pk = result.source_pk /*=*/
where /*= condition */ result.teff > 5000 and source.g_mag < 15 /*=*/
/*= order */ order by result.teff asc nulls last /*=*/
/*= limit */ limit 100 /*=*/;

-- name: count_under_a_condition
-- How many rows there are under a condition.
-- The parameters of the condition first, then those of what else was asked.
select count(*)
from /*= table */ astra.the_cannon as result /*=*/
/*= joins */ left join astra.source as source on source.pk = result.source_pk /*=*/
where /*= condition */ result.teff > 5000 and source.g_mag < 15 /*=*/;

-- name: measured_rows
-- How many rows there are under a condition, and what a file has to know of them before the first is written.
-- The parameters of the condition first, then those of what else was asked.
select /*= measures */ count(*), max(octet_length(answer.tag)) /*=*/
from (
    /*= rows */ select result.tag from astra.the_cannon as result where result.teff > 5000 /*=*/
) as answer;

-- name: share_snapshot
-- The name of this transaction's snapshot, under which others see the same rows.
select pg_export_snapshot();

-- name: pages
-- How many pages a table has, or its largest partition, for shares of them: a range of pages means those of each
-- partition. 0 where the rows are on other servers.
select
    case
        when exists (select from pg_extension where extname = 'citus') then 0
        else greatest(
            pg_relation_size(/*= table */ 'astra.the_cannon' /*=*/::regclass),
            (
                select max(pg_relation_size(parts.relid))
                from pg_partition_tree(/*= table */ 'astra.the_cannon' /*=*/::regclass) as parts
                where parts.isleaf
            )
        ) / current_setting('block_size')::bigint
    end;

-- name: literals
-- The values of parameters as SQL writes them, each with its type: COPY takes no parameters.
select /*= values */ coalesce(quote_literal($1::real::text), 'null') || '::real' /*=*/;

-- name: all_digits
-- Texts of floats have all digits until the transaction ends, whatever the database has set.
select set_config('extra_float_digits', '1', true);

-- name: keep_memory
-- To write a row the server takes a kilobyte for each number. Its C library may give that back to the system after each
-- row and fetch it anew for the next, which takes a row of 200 columns three times as long. The library (glibc) keeps,
-- from then on, up to twice the largest piece that was ever given back: 2 MiB here.
select length(repeat(' ', 2097152));

-- name: is_partitioned
-- Whether a table is spread over partitions.
select exists (select from pg_class where oid = to_regclass($1::text) and relkind = 'p');

-- name: join_partitions
-- Until the transaction ends, the newest results of a partitioned table are found partition by partition, whose sets
-- are smaller to hash.
set local enable_partitionwise_join = on;

-- name: tables_there
-- Which of these tables a schema has.
select relation.relname
from pg_class as relation
join pg_namespace as namespace on namespace.oid = relation.relnamespace
where namespace.nspname = $1
    and relation.relname = any($2::text[])
    and relation.relkind in ('r', 'p', 'v', 'm', 'f');

-- name: sky_index
-- Which extension the positions of sources have an index of, and the schema of its functions; q3c first.
select
    extension.extname,
    namespace.nspname
from pg_index as index
join pg_depend as uses on uses.classid = 'pg_class'::regclass and uses.objid = index.indexrelid
join pg_depend as owned
    on owned.classid = uses.refclassid and owned.objid = uses.refobjid and owned.deptype = 'e'
join pg_extension as extension on extension.oid = owned.refobjid
join pg_namespace as namespace on namespace.oid = extension.extnamespace
where index.indrelid = /*= table */ 'astra.source' /*=*/::regclass
    and uses.refclassid = 'pg_proc'::regclass
    and index.indisvalid
    and extension.extname in ('q3c', 'pg_sphere')
order by extension.extname desc
limit 1;
