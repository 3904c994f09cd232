-- How far the pipelines are.

-- name: results_by_version
-- How many results of each version there are, when the last one was written, and how many within the last hour.
select
    results.v_astra_major_minor,
    count(*) as done,
    max(results.modified) as last_write,
    count(*) filter (where results.modified > statement_timestamp() - interval '1 hour') as last_hour
from /*= results */ astra.the_cannon /*=*/ as results
group by results.v_astra_major_minor
order by results.v_astra_major_minor desc;

-- name: is_worked_on
-- Whether a pipeline has a result for a spectrum of one kind.
select exists (
    select 1 as found -- a distributed table cannot be asked for no column
    from /*= spectra */ astra.apogee_coadded_spectrum_in_ap_star /*=*/ as spectra
    inner join /*= results */ astra.the_cannon /*=*/ as results
        on results.spectrum_pk = spectra.spectrum_pk
);

-- name: count_spectra
-- How many spectra of one kind there are.
select count(*) from /*= spectra */ astra.apogee_coadded_spectrum_in_ap_star /*=*/ as spectra;

-- name: without_result
-- How many of some spectra have no result of a version.
-- $1: major.minor, $2: keys of spectra.
select count(*)
from unnest($2::bigint []) as failed (spectrum_pk)
left join /*= results */ astra.the_cannon /*=*/ as results
    on results.spectrum_pk = failed.spectrum_pk and results.v_astra_major_minor = $1
where results.spectrum_pk is null;
