-- What is left to do. A spectrum is pending where no result of this major.minor was stored since the spectrum
-- was last modified. The key is compared with the last one of the page before on both sides, since PostgreSQL
-- does not carry an inequality over an equality: each page would read the results from their beginning.
-- Where more is asked, `counts` says which results count as made, and `among` which spectra are meant; their
-- parameters are the last ones.

-- name: pending_page
-- The next pending spectra in the order of their keys.
-- $1: major.minor, $2: the last key of the page before, $3: most rows.
select /*= columns */ spectra.spectrum_pk, spectra.source_pk /*=*/
from /*= spectra */ astra.apogee_coadded_spectrum_in_ap_star /*=*/ as spectra
left join /*= results */ astra.the_cannon /*=*/ as results
    on
        results.spectrum_pk = spectra.spectrum_pk
        and results.spectrum_pk > $2
        and results.v_astra_major_minor = $1
        and results.modified >= spectra.modified
        and /*= counts */ true /*=*/
where
    spectra.spectrum_pk > $2
    and /*= among */ true /*=*/
    and results.spectrum_pk is null
order by spectra.spectrum_pk
limit $3;

-- name: pending_page_of_share
-- The next pending spectra of one worker's share, in the order of their keys.
-- $1: major.minor, $2: the share, counted from 0, $3: of how many, $4: the last key of the page before,
-- $5: most rows. The key times the golden ratio spreads neighbours evenly; no step exceeds a bigint.
select /*= columns */ spectra.spectrum_pk, spectra.source_pk /*=*/
from /*= spectra */ astra.apogee_coadded_spectrum_in_ap_star /*=*/ as spectra
left join /*= results */ astra.the_cannon /*=*/ as results
    on
        results.spectrum_pk = spectra.spectrum_pk
        and results.spectrum_pk > $4
        and results.v_astra_major_minor = $1
        and results.modified >= spectra.modified
        and /*= counts */ true /*=*/
where
    spectra.spectrum_pk > $4
    and ((((spectra.spectrum_pk & 2147483647) * 2654435769) & 4294967295) * $3) >> 32 = $2
    and /*= among */ true /*=*/
    and results.spectrum_pk is null
order by spectra.spectrum_pk
limit $5;

-- name: pending_count
-- How many spectra are pending.
-- $1: major.minor.
select count(*)
from /*= spectra */ astra.apogee_coadded_spectrum_in_ap_star /*=*/ as spectra
left join /*= results */ astra.the_cannon /*=*/ as results
    on
        results.spectrum_pk = spectra.spectrum_pk
        and results.v_astra_major_minor = $1
        and results.modified >= spectra.modified
        and /*= counts */ true /*=*/
where
    /*= among */ true /*=*/
    and results.spectrum_pk is null;

-- name: pending_count_of_share
-- How many spectra are pending in one worker's share.
-- $1: major.minor, $2: the share, counted from 0, $3: of how many.
select count(*)
from /*= spectra */ astra.apogee_coadded_spectrum_in_ap_star /*=*/ as spectra
left join /*= results */ astra.the_cannon /*=*/ as results
    on
        results.spectrum_pk = spectra.spectrum_pk
        and results.v_astra_major_minor = $1
        and results.modified >= spectra.modified
        and /*= counts */ true /*=*/
where
    ((((spectra.spectrum_pk & 2147483647) * 2654435769) & 4294967295) * $3) >> 32 = $2
    and /*= among */ true /*=*/
    and results.spectrum_pk is null;
