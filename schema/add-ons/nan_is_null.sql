-- An add-on for the time in which others write who know no NULL: where they store NaN, the row gets NULL.
--
--     psql -v schema=astra -f schema/add-ons/nan_is_null.sql
--
-- The models of upstream Astra give NaN to each number of The Cannon that was not measured, and pipelines give it to
-- others; tables with a check against NaN refuse such a row. Here a trigger of each table that has the check makes NULL
-- of NaN before. Its condition is evaluated for each row, as the check's is, and its function for rows with NaN alone; a
-- re-run of many rows by this package is an upsert instead of an update while the trigger is there, which takes longer.
--
-- Runs on PostgreSQL 15 to 18, as often as you like, and again when a table or a column was added; run it as the owner of
-- the tables. Locks: share row exclusive on each table, for milliseconds. On Citus there are no such triggers. A column
-- that must have a value refuses NaN as before.
--
-- Undo: drop function astra.nan_is_null() cascade;

\set ON_ERROR_STOP on

\if :{?schema}
\else
do $$
begin
    raise exception 'no schema given'
        using hint = 'Name the schema: psql -v schema=astra -f schema/add-ons/nan_is_null.sql';
end
$$;
\endif

begin;

set local client_min_messages = warning;
set local lock_timeout = '10s';
set local search_path to :"schema";

create or replace function nan_is_null() returns trigger
language plpgsql
as $$
begin
    return jsonb_populate_record(new, (
        select jsonb_object_agg(number, null)
        from unnest(tg_argv) as number
        where to_jsonb(new) ->> number = 'NaN'
    ));
end
$$;

comment on function nan_is_null() is 'Make NULL of NaN in the numbers of a row';

do $$
declare
    one record;
begin
    for one in
        select
            c.oid::regclass as name,
            string_agg(format('new.%I', a.attname), ', ' order by a.atttypid, a.attnum) as numbers,
            string_agg(quote_literal(a.attname), ', ' order by a.attnum) as names
        from pg_class as c
        join pg_constraint as checks on checks.conrelid = c.oid and checks.conname = c.relname || '_no_nan_check'
        join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            and a.atttypid in ('real'::regtype, 'float8'::regtype)
        where c.relnamespace = (select oid from pg_namespace where nspname = current_schema())
        group by c.oid
    loop
        execute format(
            'create or replace trigger nan_is_null before insert or update on %s for each row '
            'when (greatest(%s) = ''NaN'') execute function nan_is_null(%s)',
            one.name, one.numbers, one.names
        );
    end loop;
end
$$;

commit;
