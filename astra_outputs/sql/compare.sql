-- The results of the same spectra side by side: two versions of a pipeline, or two pipelines. Both sides are
-- sets with one row a spectrum, so that the key of results serves the join.

-- name: changed_values
-- How many spectra have both. Of each column, how many values are on both sides, and how many of them differ; how many were gained and lost;
-- the least and the greatest difference. Of each flag, how many spectra gained and lost it.
-- The parameters of the old side first, then those of the new one.
select
    /*= measures */
    count(*),
    count(*) filter (where old.teff is not null and new.teff is not null),
    count(*) filter (where old.teff <> new.teff),
    count(*) filter (where old.teff is null and new.teff is not null),
    count(*) filter (where old.teff is not null and new.teff is null),
    min(new.teff::double precision - old.teff::double precision),
    max(new.teff::double precision - old.teff::double precision),
    count(*) filter (where old.result_flags & 1 = 0 and new.result_flags & 1 <> 0)
    /*=*/
from (
    /*= old */
    select result.spectrum_pk, result.teff, result.result_flags
    from astra.the_cannon as result where result.v_astra_major_minor = 7
    /*=*/
) as old
inner join (
    /*= new */
    select result.spectrum_pk, result.teff, result.result_flags
    from astra.the_cannon as result where result.v_astra_major_minor = 8
    /*=*/
) as new on new.spectrum_pk = old.spectrum_pk;

-- name: median_differences
-- The median of what a column differs by, for columns of which at least half of the values differ.
-- The parameters of the old side first, then those of the new one.
select
    /*= measures */
    percentile_cont(0.5) within group (order by new.teff::double precision - old.teff::double precision)
    /*=*/
from (
    /*= old */
    select result.spectrum_pk, result.teff
    from astra.the_cannon as result where result.v_astra_major_minor = 7
    /*=*/
) as old
inner join (
    /*= new */
    select result.spectrum_pk, result.teff
    from astra.the_cannon as result where result.v_astra_major_minor = 8
    /*=*/
) as new on new.spectrum_pk = old.spectrum_pk;

-- name: deviations_and_extremes
-- The median distance of differences from their median, and the first spectrum with the greatest difference; of columns
-- that are drawn, between what most differences lie.
-- The parameters of the old side first, then those of the new one; then medians and greatest differences.
select
    /*= measures */
    percentile_cont(0.5) within group (
        order by abs(new.teff::double precision - old.teff::double precision - $1::double precision)
    ),
    min(new.spectrum_pk) filter (
        where new.teff::double precision - old.teff::double precision = $2::double precision
    ),
    percentile_cont(array[0.05, 0.95]) within group (
        order by nullif(new.teff::double precision - old.teff::double precision, 0)
    )
    /*=*/
from (
    /*= old */
    select result.spectrum_pk, result.teff
    from astra.the_cannon as result where result.v_astra_major_minor = 7
    /*=*/
) as old
inner join (
    /*= new */
    select result.spectrum_pk, result.teff
    from astra.the_cannon as result where result.v_astra_major_minor = 8
    /*=*/
) as new on new.spectrum_pk = old.spectrum_pk;

-- name: differences_in_bins
-- How many spectra differ by how much: for each column that is drawn the bins of its differences, without those that
-- are zero. A column is told by its place; bin 0 is what lies below the first bin, and the last one what lies above.
-- The parameters of the old side first, then those of the new one; then where the bins of each column begin and end.
select
    bins.place,
    bins.bin,
    count(*) as spectra
from (
    /*= old */
    select result.spectrum_pk, result.teff
    from astra.the_cannon as result where result.v_astra_major_minor = 7
    /*=*/
) as old
inner join (
    /*= new */
    select result.spectrum_pk, result.teff
    from astra.the_cannon as result where result.v_astra_major_minor = 8
    /*=*/
) as new on new.spectrum_pk = old.spectrum_pk
cross join lateral (
    /*= measures */
    values (
        0,
        width_bucket(
            nullif(new.teff::double precision - old.teff::double precision, 0),
            $1::double precision, $2::double precision, 40
        )
    )
    /*=*/
) as bins (place, bin)
where bins.bin is not null
group by bins.place, bins.bin;
