-- Adoption: the rows of a schema of upstream Astra's are copied into tables of ours, compared, and copied again where they
-- differ.

-- name: read_theirs
-- The next rows of a table, in the order of its numbers; times without a zone are read in the one that is given.
-- $1: the number behind which they begin, $2: how many.
select /*= columns */ task_pk, spectrum_pk, v_astra, teff /*=*/
from /*= table */ astra.the_cannon /*=*/
where /*= number */ task_pk /*=*/ > $1::bigint
order by /*= number */ task_pk /*=*/
limit $2;

-- name: read_ours
-- The rows that are stored under given keys; one array a column of the key is the parameter.
select /*= columns */ stored.task_pk, stored.spectrum_pk, stored.v_astra, stored.teff /*=*/
from /*= table */ astra.the_cannon /*=*/ as stored
inner join unnest(/*= arrays */ $1::bigint [], $2::integer [] /*=*/)
as wanted (/*= key */ spectrum_pk, v_astra_major_minor /*=*/)
on /*= same */ stored.spectrum_pk = wanted.spectrum_pk
and stored.v_astra_major_minor = wanted.v_astra_major_minor /*=*/;

-- name: make_stage
-- The temporary table through which a batch is copied.
create temporary table if not exists /*= stage */ adopted_the_cannon /*=*/
(/*= columns */ task_pk bigint, spectrum_pk bigint, v_astra integer, teff real /*=*/) on commit delete rows;

-- name: take_over
-- Store the rows of the temporary table with their numbers and times; a row that was stored here later stays.
insert into /*= table */ astra.the_cannon /*=*/ (/*= columns */ task_pk, spectrum_pk, v_astra, teff /*=*/)
overriding system value
select /*= columns */ task_pk, spectrum_pk, v_astra, teff /*=*/
from /*= stage */ pg_temp.adopted_the_cannon /*=*/
order by /*= number */ task_pk /*=*/
on conflict (/*= key */ spectrum_pk, v_astra_major_minor /*=*/) do update set /*= replaced */ teff = excluded.teff /*=*/
where /*= guard */ the_cannon.modified <= excluded.modified /*=*/;

-- name: rights_that_lack
-- The rights on tables that this user has not.
-- $1: the schema, $2: an array of names of tables, $3: an array of rights.
select
    tables.relname,
    array_agg(rights.name) as rights
from pg_class as tables
inner join pg_namespace as schemas on schemas.oid = tables.relnamespace
cross join unnest($3::text []) as rights (name)
where
    schemas.nspname = $1 and tables.relname = any($2)
    and not (has_schema_privilege(schemas.oid, 'usage') and has_table_privilege(tables.oid, rights.name))
group by tables.relname
order by tables.relname;

-- name: go_on_behind
-- Let the numbers of new rows begin behind those that 32 bits can hold: what others go on writing there never meets them.
-- $1: the sequence, as regclass prints it, $2: the least number.
select setval($1::text::regclass, $2::bigint)
where coalesce(pg_sequence_last_value($1::text::regclass), 0) < $2;

-- name: sequence_of
-- The sequence that numbers a column.
-- $1: the table with its schema, quoted, $2: the column.
select pg_get_serial_sequence($1, $2);

-- name: how_many
-- About how many rows a table has, without reading it; -1 where nobody has counted yet.
-- $1: the schema, $2: the table.
select tables.reltuples::bigint
from pg_class as tables
inner join pg_namespace as schemas on schemas.oid = tables.relnamespace
where schemas.nspname = $1 and tables.relname = $2;

-- name: has_rows_of_its_own
-- Whether there are sources or spectra that no adoption has brought: numbers are drawn as if none had begun.
-- $1: the sequence of spectra, $2: where numbers begin once one has.
select
    coalesce(pg_sequence_last_value($1::text::regclass), 0) < $2::bigint
    and (
        exists(select from /*= sources */ astra.source /*=*/)
        or exists(select from /*= spectra */ astra.spectrum /*=*/)
    );
