-- What is left to do. A spectrum is pending where no result of this major.minor was stored since the spectrum
-- was last modified. The key is compared with the last one of the page before on both sides, since PostgreSQL
-- does not carry an inequality over an equality: each page would read the results from their beginning.
-- Where more is asked, `counts` says which results count as made, and `among` which spectra are meant: those of
-- one worker's share, or of some stars. Their parameters are the last ones.

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

-- name: pending_page_of_partitions
-- The next pending spectra in the order of their keys, where the results are spread over partitions. Times are
-- compared after the join: joined by the key alone, results are merged without a copy of each, and `offset 0` keeps
-- the comparison where it is. The inner query has them in order, so that nothing is sorted.
-- $1: major.minor, $2: the last key of the page before, $3: most rows.
select /*= columns */ spectra.spectrum_pk, spectra.source_pk /*=*/
from /*= spectra */ astra.apogee_coadded_spectrum_in_ap_star /*=*/ as spectra
where
    spectra.spectrum_pk = any(array(
        select both_times.spectrum_pk
        from (
            select
                spectra.spectrum_pk,
                spectra.modified,
                results.modified as stored
            from /*= spectra */ astra.apogee_coadded_spectrum_in_ap_star /*=*/ as spectra
            left join /*= results */ astra.the_cannon /*=*/ as results
                on
                    results.spectrum_pk = spectra.spectrum_pk
                    and results.spectrum_pk > $2
                    and results.v_astra_major_minor = $1
                    and /*= counts */ true /*=*/
            where
                spectra.spectrum_pk > $2
                and /*= among */ true /*=*/
            order by spectra.spectrum_pk
            offset 0
        ) as both_times
        where both_times.stored is null or both_times.stored < both_times.modified
        order by both_times.spectrum_pk
        limit $3
    ))
order by spectra.spectrum_pk;

-- name: pending_count
-- How many spectra are pending. Times are compared after the join: by the key alone a spectrum has one result at
-- most, which the server knows, and looks for no second one.
-- $1: major.minor.
select count(*)
from /*= spectra */ astra.apogee_coadded_spectrum_in_ap_star /*=*/ as spectra
left join /*= results */ astra.the_cannon /*=*/ as results
    on
        results.spectrum_pk = spectra.spectrum_pk
        and results.v_astra_major_minor = $1
        and /*= counts */ true /*=*/
where
    /*= among */ true /*=*/
    and (results.modified is null or results.modified < spectra.modified);
