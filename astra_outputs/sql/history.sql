-- name: history
-- A result as it is and, before that, each row that it replaced, the newest first. One statement sees all of
-- them as at one moment.
-- $1: the name of the table, $2: task_pk.
select
    null::bigint as pk,
    null::text as event,
    null::timestamptz as replaced,
    null::text as replaced_by,
    /*= columns */ stored.task_pk, stored.teff /*=*/
from /*= table */ astra.the_cannon /*=*/ as stored
where stored.task_pk = $2
union all
select
    kept.pk,
    kept.event,
    kept.replaced,
    kept.replaced_by,
    /*= old_columns */ old.task_pk, old.teff /*=*/
from /*= kept */ astra.result_history /*=*/ as kept
cross join lateral json_populate_record(null::/*= row */ astra.the_cannon /*=*/, kept.old_row) as old
where kept.table_name = $1 and kept.task_pk = $2
order by 1 desc nulls first;
