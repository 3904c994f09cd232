-- name: row_by_key
-- One row by its key.
-- A parameter for each column of the key.
select /*= columns */ task_pk, teff /*=*/
from /*= table */ astra.the_cannon /*=*/
where /*= key */ task_pk = $1 /*=*/;

-- name: newest_by_key
-- Of the rows under a key the one of the newest version.
-- A parameter for each column of the key.
select /*= columns */ task_pk, teff /*=*/
from /*= table */ astra.the_cannon /*=*/
where /*= key */ spectrum_pk = $1 /*=*/
order by v_astra desc
limit 1;

-- name: rows_by_keys
-- Whole rows under many keys at once.
-- One array for each column of the key.
select /*= columns */ stored.pk, stored.sdss_id /*=*/
from /*= table */ astra.source /*=*/ as stored
inner join unnest(/*= arrays */ $1::bigint[] /*=*/) as wanted (/*= key */ sdss_id /*=*/)
    on /*= matches */ stored.sdss_id = wanted.sdss_id /*=*/;
