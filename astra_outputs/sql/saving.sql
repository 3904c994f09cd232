-- Statements that store rows. What stands between the marks is an example, and is filled in from a record
-- class; `astra-outputs statements the_cannon` prints them as they are sent.

-- name: create_stage
-- The temporary table through which a batch goes, of the types of the record class.
create temporary table if not exists /*= stage */ stage_the_cannon /*=*/ (
    /*= columns */ source_pk bigint, spectrum_pk bigint, v_astra integer, teff real /*=*/
) on commit delete rows;

-- name: add_short_texts
-- Texts that fit into a page, added later: a table that has a text when it is made gets another table beside
-- it for long ones, which takes each commit 0.25 ms to empty, used or not (benchmarks/small.py).
alter table /*= stage */ pg_temp.stage_the_cannon /*=*/
/*= columns */ add column if not exists tag text, alter column tag set storage plain /*=*/;

-- name: empty_stage
-- Empties the temporary table, which otherwise happens when a transaction ends.
truncate /*= stage */ pg_temp.stage_the_cannon /*=*/;

-- name: create_row_type
-- The temporary type of one row of a small batch.
create type /*= row_type */ pg_temp.row_the_cannon /*=*/ as (
    /*= columns */ source_pk bigint, spectrum_pk bigint, v_astra integer, teff real /*=*/
);

-- name: from_parameters
-- One row: one parameter a column. As in the next two, none where the table is not the one any more that was compared
-- with the record class: a column that gets another type gives it another file, and so does making it anew.
select /*= values */ $1::bigint, $2::bigint, $3::integer, $4::real /*=*/
/*= known */ where pg_relation_filenode('astra.the_cannon'::regclass) = 16385 /*=*/;

-- name: from_stage
-- The rows of a batch, as COPY brought them: in the order of their keys, in which every writer locks rows.
select /*= values */ sent.source_pk, sent.spectrum_pk, sent.v_astra, sent.teff /*=*/
from /*= stage */ pg_temp.stage_the_cannon /*=*/ as sent
/*= known */ where pg_relation_filenode('astra.the_cannon'::regclass) = 16385 /*=*/;

-- name: from_array
-- The rows of a small batch: one parameter, an array of rows.
select /*= values */ sent.source_pk, sent.spectrum_pk, sent.v_astra, sent.teff /*=*/
from unnest($1::/*= row_type */ pg_temp.row_the_cannon /*=*/[]) as sent
/*= known */ where pg_relation_filenode('astra.the_cannon'::regclass) = 16385 /*=*/;

-- name: without_triggers
-- Added to that where several rows go without a transaction: none goes once there is a trigger that may leave rows out.
select not exists(
    select 1 from pg_catalog.pg_trigger
    where tgrelid = /*= relation */ 'astra.the_cannon' /*=*/::regclass and not tgisinternal and tgtype & 3 = 3
);

-- name: upsert
-- Stores rows: a new key is inserted, the row of a key that is there is replaced as a whole. It keeps its
-- number and the time when it was first stored, and its time of change never goes back.
insert into /*= table */ astra.the_cannon /*=*/ (/*= columns */ source_pk, spectrum_pk, v_astra, teff /*=*/)
/*= rows */ values ($1, $2, $3, $4) /*=*/
on conflict (/*= key */ spectrum_pk, v_astra_major_minor /*=*/) do update set
    /*= replaced */ source_pk = excluded.source_pk, v_astra = excluded.v_astra, teff = excluded.teff /*=*/
/*= guard */ where the_cannon.v_astra <= excluded.v_astra /*=*/
returning /*= returned */ spectrum_pk, v_astra_major_minor, task_pk, xmax = 0 as inserted /*=*/;

-- name: source_of_spectrum
-- The source of a result is its spectrum's. One that is missing is filled in; another one ends the statement, with
-- SQLSTATE 22P02, since such a text is no number. Where nobody said whose the spectrum is, what is given is taken.
select
    case
        when owner.source_pk <> /*= given */ $1::bigint /*=*/
            then ('spectrum ' || owner.pk || ' is of source ' || owner.source_pk)::bigint
        else coalesce(owner.source_pk, /*= given */ $1::bigint /*=*/)
    end
from /*= table */ astra.spectrum /*=*/ as owner
where owner.pk = /*= spectrum */ $2::bigint /*=*/;

-- name: other_sources
-- Which of the spectra given, each with a source, are of another one.
select owner.pk, owner.source_pk
from unnest($1::bigint[], $2::bigint[]) as wanted (spectrum_pk, source_pk)
join /*= table */ astra.spectrum /*=*/ as owner on owner.pk = wanted.spectrum_pk
where owner.source_pk <> wanted.source_pk;

-- name: update_stored
-- Replaces rows that are expected to be there, out of the temporary table of a batch. It takes the server
-- three quarters of the time of an upsert; where fewer rows come back than were sent it is undone, and the
-- upsert takes all. Triggers on inserting would not see these rows: with one, none comes back.
update /*= table */ astra.the_cannon /*=*/ as kept set
    /*= replaced */ source_pk = sent.source_pk, v_astra = sent.v_astra, teff = sent.teff /*=*/
from /*= stage */ pg_temp.stage_the_cannon /*=*/ as sent
where
    kept.spectrum_pk = sent.spectrum_pk
    and kept.v_astra_major_minor = sent.v_astra / 1000
    and not exists (
        select 1 from pg_catalog.pg_trigger
        where tgrelid = /*= relation */ 'astra.the_cannon' /*=*/::regclass and not tgisinternal and tgtype & 4 = 4
    )/*= known */ and pg_relation_filenode('astra.the_cannon'::regclass) = 16385 /*=*/
returning /*= returned */ kept.spectrum_pk, kept.v_astra_major_minor, kept.task_pk, false as inserted /*=*/;

-- name: with_spectrum
-- Stores spectra, and in the same statement the row of `spectrum` for each new one: foreign keys are checked
-- at its end. A number that another spectrum has is refused: the results of the two would be one. The row of
-- `spectrum` says of which source it is, which results are held to.
with saved as (
    /*= upsert */ select 1 as spectrum_pk, 2::bigint as source_pk, true as inserted /*=*/
), parent as (
    insert into /*= spectrum */ astra.spectrum /*=*/ (pk, source_pk)
    select spectrum_pk, source_pk from saved where inserted
), moved as (
    update /*= spectrum */ astra.spectrum /*=*/ as owner set source_pk = saved.source_pk
    from saved
    where
        owner.pk = saved.spectrum_pk
        and not saved.inserted
        and owner.source_pk is distinct from saved.source_pk
)
select /*= returned */ spectrum_pk, inserted /*=*/ from saved;

-- name: gathered
-- Returns what became of a batch as one row, with an array for each column.
with saved as (
    /*= storing */ select 1 as task_pk /*=*/
)
select /*= returned */ array_agg(task_pk) as task_pk /*=*/ from saved;

-- name: stored_rows
-- What is stored under given keys: one array for each column of the key.
select /*= returned */ stored.spectrum_pk, stored.v_astra_major_minor, stored.task_pk, stored.v_astra /*=*/
from /*= table */ astra.the_cannon /*=*/ as stored
join unnest(/*= arrays */ $1::bigint[], $2::integer[] /*=*/)
    as wanted (/*= key */ spectrum_pk, v_astra_major_minor /*=*/)
    on /*= same */ stored.spectrum_pk = wanted.spectrum_pk /*=*/
/*= known */ where pg_relation_filenode('astra.the_cannon'::regclass) = 16385 /*=*/;

-- name: missing_references
-- Which of the keys given as an array are not in the table that a column refers to.
select wanted.key
from unnest($1::/*= type */ bigint /*=*/[]) as wanted (key)
left join /*= table */ astra.source /*=*/ as parent on parent./*= column */ pk /*=*/ = wanted.key
where parent./*= column */ pk /*=*/ is null;
