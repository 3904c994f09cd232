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
