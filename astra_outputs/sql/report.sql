-- The report page: results by version, time and flag; then what a DBA looks at.

-- name: written_by_version
-- Between which times the results of each version were written, and how long they took on average.
select
    results.v_astra_major_minor,
    min(results.modified) as first_write,
    max(results.modified) as last_write,
    avg(results.t_elapsed) as t_elapsed
from /*= results */ astra.the_cannon /*=*/ as results
group by results.v_astra_major_minor
order by results.v_astra_major_minor desc;

-- name: written_over_time
-- How many results of each version were last written in each step of time.
-- $1: the length of a step, $2: when one begins.
select
    results.v_astra_major_minor,
    date_bin($1::interval, results.modified, $2::timestamptz) as begins,
    count(*) as written
from /*= results */ astra.the_cannon /*=*/ as results
group by results.v_astra_major_minor, begins
order by results.v_astra_major_minor, begins;

-- name: flags_by_version
-- How many results of some versions have each flag set.
-- $1: major.minor of the versions.
select
    results.v_astra_major_minor,
    count(*) as found,
    /*= measures */ count(*) filter (where results.result_flags & 1 <> 0) /*=*/
from /*= results */ astra.the_cannon /*=*/ as results
where results.v_astra_major_minor = any($1::integer [])
group by results.v_astra_major_minor;

-- name: server
-- Which database this is, of which version of PostgreSQL, and how large it is.
select
    current_database() as name,
    current_setting('server_version') as version,
    pg_database_size(current_database()) as bytes,
    statement_timestamp() as asked;

-- name: tables
-- Sizes of the tables of a schema, their rows (estimates of the last analysis), dead rows, and when they were vacuumed
-- and analysed; and what their rows would need, packed as the fill factor says, by the widths that the analysis found.
-- $1: the schema.
select
    class.relname as name,
    pg_table_size(class.oid) as bytes,
    pg_indexes_size(class.oid) as index_bytes,
    pg_relation_size(class.oid) as row_bytes,
    greatest(class.reltuples, 0)::bigint as estimated_rows,
    counts.n_dead_tup as dead_rows,
    counts.n_tup_upd as updated,
    counts.n_tup_hot_upd as updated_in_page,
    greatest(counts.last_vacuum, counts.last_autovacuum) as vacuumed,
    greatest(counts.last_analyze, counts.last_autoanalyze) as analysed,
    (
        select class.reltuples * (28 + sum((1 - stats.null_frac) * stats.avg_width)) / (
            coalesce(
                (
                    select options.option_value::double precision
                    from pg_options_to_table(class.reloptions) as options
                    where options.option_name = 'fillfactor'
                ), 100
            ) / 100
        )
        from pg_stats as stats
        where stats.schemaname = spaces.nspname and stats.tablename = class.relname
    ) as needed_bytes
from pg_class as class
inner join pg_namespace as spaces on class.relnamespace = spaces.oid
left join pg_stat_all_tables as counts on class.oid = counts.relid
where spaces.nspname = $1 and class.relkind in ('r', 'm')
order by pg_total_relation_size(class.oid) desc, class.relname;

-- name: indexes
-- Sizes of the indexes of a schema, and how often each was used.
-- $1: the schema.
select
    counts.indexrelname as name,
    counts.relname as of_table,
    pg_relation_size(counts.indexrelid) as bytes,
    counts.idx_scan as scans,
    indexes.indisunique as keeps_unique,
    indexes.indisvalid as is_valid
from pg_stat_all_indexes as counts
inner join pg_index as indexes on counts.indexrelid = indexes.indexrelid
where counts.schemaname = $1
order by pg_relation_size(counts.indexrelid) desc, counts.indexrelname;

-- name: schema_of_statements
-- In which schema the extension that keeps statistics of statements is, if it is installed.
select spaces.nspname
from pg_extension as extensions
inner join pg_namespace as spaces on extensions.extnamespace = spaces.oid
where extensions.extname = 'pg_stat_statements';

-- name: slowest_statements
-- The statements on which this database has spent most time; times in milliseconds.
-- $1: how many.
select
    statements.query,
    statements.calls,
    statements.total_exec_time,
    statements.mean_exec_time,
    statements.max_exec_time,
    statements.rows
from /*= statements */ pg_stat_statements /*=*/ as statements
inner join pg_database as databases on statements.dbid = databases.oid
where databases.datname = current_database()
order by statements.total_exec_time desc
limit $1;
