-- An add-on: keeps every row of a pipeline's table as it was before it was replaced or deleted, who did that,
-- and when. Without it a patch release leaves no trace of what it replaced.
--
--     psql -v schema=astra -f schema/add-ons/history.sql
--
-- Runs on PostgreSQL 15 to 18, as often as you like, and again whenever a pipeline's table was added: these
-- tables are recognised by the ten columns that they share. Run it as the owner of the tables or a superuser,
-- and schema/add-ons/roles.sql afterwards where that is used. It waits for statements that write to these tables, at
-- most ten seconds for each, and they wait for it. What it costs stands in docs/history.md.
--
-- Rows are only ever added: by the triggers, which run with the rights of the schema's owner. Nobody else may
-- write to the table, and what is there can be neither changed nor deleted.
--
-- Undo; the triggers go with their functions, the rows that were kept with their table:
--
--     drop function astra.keep_replaced() cascade;
--     drop table astra.result_history;
--     drop function astra.refuse_history_change() cascade;
--
-- Make room; rows older than three years, for example:
--
--     begin;
--     alter table astra.result_history disable trigger user;
--     delete from astra.result_history where replaced < now() - interval '3 years';
--     alter table astra.result_history enable trigger user;
--     commit;

\set ON_ERROR_STOP on

\if :{?schema}
\else
do $$
begin
    raise exception 'no schema given'
        using hint = 'Name the schema whose history is to be kept: psql -v schema=astra -f schema/add-ons/history.sql';
end
$$;
\endif

begin;

set local client_min_messages = warning;
set local lock_timeout = '10s';
-- The functions made below keep this path. Nobody but the owner can put anything into the schema, and what
-- a user puts into pg_temp comes last.
set local search_path to :"schema", pg_temp;
select pg_advisory_xact_lock(5317209464110857) as locked \gset

-- Rows would be kept on the server that has them, where nobody finds them.
do $$
declare
    distributed bigint := 0;
begin
    if exists (select from pg_extension where extname = 'citus') then
        execute 'select count(*) from pg_dist_partition join pg_class on pg_class.oid = logicalrelid '
            'where relnamespace = quote_ident(current_schema())::regnamespace' into distributed;
    end if;
    if distributed > 0 then
        raise exception 'Citus distributes the tables of schema %: no history is kept of them', current_schema()
            using hint = 'What to do instead stands in docs/scale.md.';
    end if;
end
$$;

create table if not exists result_history (
    pk bigint generated always as identity,
    table_name text not null,
    task_pk bigint not null,
    event text not null,
    replaced timestamptz not null default statement_timestamp(),
    replaced_by text not null,
    -- As json and not jsonb, which takes longer to write.
    old_row json not null,

    constraint result_history_pkey primary key (pk),
    constraint result_history_event_check check (event in ('replaced', 'deleted'))
);

create index if not exists result_history_result_idx on result_history (table_name, task_pk);

comment on table result_history is 'Results as they were before they were replaced or deleted';
comment on column result_history.pk is 'Key; later rows have greater ones';
comment on column result_history.table_name is 'Table of the result';
comment on column result_history.task_pk is 'Key of the result';
comment on column result_history.event is 'What happened: replaced or deleted';
comment on column result_history.replaced is 'Time when that happened';
comment on column result_history.replaced_by is 'User who did it';
comment on column result_history.old_row is 'The row as it was before, by column name';

create or replace function keep_replaced()
returns trigger
language plpgsql
security definer
set search_path from current
as $$
begin
    insert into result_history (table_name, task_pk, event, replaced_by, old_row)
    select
        tg_table_name, old_rows.task_pk, case tg_op when 'UPDATE' then 'replaced' else 'deleted' end,
        session_user, to_json(old_rows)
    from old_rows;
    return null;
end
$$;

comment on function keep_replaced() is 'Keep the rows that a statement replaced or deleted';

-- Whoever may make a trigger of it could add rows from a table of their own.
revoke execute on function keep_replaced() from public;

create or replace function refuse_history_change()
returns trigger
language plpgsql
as $$
begin
    raise exception '% of % is refused: its history is kept', lower(tg_op), tg_table_name
        using errcode = 'integrity_constraint_violation',
        hint = case tg_table_name when 'result_history' then 'Rows are only ever added; to make room, '
            'see schema/add-ons/history.sql.' else 'Delete the rows instead, or see schema/add-ons/history.sql.' end;
end
$$;

comment on function refuse_history_change() is 'Raise an error: nothing is lost where history is kept';

create or replace trigger result_history_stays
before update or delete or truncate on result_history
for each statement execute function refuse_history_change();

do $$
declare
    ours constant oid := quote_ident(current_schema())::regnamespace;
    owner_name constant text := (select nspowner::regrole::text from pg_namespace where oid = ours);
    shared constant name[] := array[
        'task_pk', 'source_pk', 'spectrum_pk', 'v_astra', 'v_astra_major_minor', 'created', 'modified',
        't_elapsed', 't_overhead', 'tag'
    ];
    one record;
begin
    -- The functions run with the rights of their owner, which shall be no more than this.
    execute format('alter table result_history owner to %s', owner_name);
    execute format('alter function keep_replaced() owner to %s', owner_name);
    execute format('alter function refuse_history_change() owner to %s', owner_name);
    for one in
        select c.oid::regclass as name
        from pg_class as c
        join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = ours and c.relkind in ('r', 'p') and not c.relispartition
        group by c.oid
        having array_agg(a.attname) @> shared
    loop
        -- Two, since a trigger that sees the rows of a statement is for one kind of statement.
        execute format(
            'create or replace trigger keep_replaced after update on %s '
            'referencing old table as old_rows for each statement execute function keep_replaced()',
            one.name
        );
        execute format(
            'create or replace trigger keep_deleted after delete on %s '
            'referencing old table as old_rows for each statement execute function keep_replaced()',
            one.name
        );
        -- Nothing sees the rows of a truncate.
        execute format(
            'create or replace trigger keep_all before truncate on %s '
            'for each statement execute function refuse_history_change()',
            one.name
        );
    end loop;
end
$$;

commit;
