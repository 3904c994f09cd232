-- What `astra-outputs check --times` and `adopt` ask: whether a worker's clock, or its time zone, is another.

-- name: times_out_of_order
-- Rows that were created before the row that was numbered before them, modified before they were created, or at a time
-- that has not come; ten minutes are forgiven. Reads the table once, in the order of its keys.
select
    count(*) filter (where created < previous - interval '10 minutes') as back,
    max(previous - created) filter (where created < previous - interval '10 minutes') as back_by,
    count(*) filter (where modified < created - interval '10 minutes') as before,
    max(created - modified) filter (where modified < created - interval '10 minutes') as before_by,
    count(*) filter (where greatest(created, modified) > current_timestamp + interval '10 minutes') as ahead,
    max(greatest(created, modified) - current_timestamp) as ahead_by
from (
    select
        times.created,
        times.modified,
        lag(times.created) over (order by times.number) as previous
    from (
        select
            /*= key */ task_pk /*=*/ as number,
            /*= created */ created at time zone 'UTC' /*=*/ as created,
            /*= modified */ modified at time zone 'UTC' /*=*/ as modified
        from /*= table */ astra.the_cannon /*=*/
    ) as times
) as numbered;
