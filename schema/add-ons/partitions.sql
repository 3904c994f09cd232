-- An add-on: spreads the tables of pipelines over partitions by spectrum_pk, or puts them together again, while
-- pipelines go on writing.
--
--     psql -v schema=astra -f schema/add-ons/partitions.sql                                    all tables, 16 partitions
--     psql -v schema=astra -v table=the_cannon -v partitions=16 -f schema/add-ons/partitions.sql
--     psql -v schema=astra -v table=the_cannon -v partitions=0 -f schema/add-ons/partitions.sql    one table again
--
-- Runs on PostgreSQL 15 to 18, as often as you like: what has that many partitions already stays as it is, and what
-- was interrupted goes on. Run it as the owner of the tables or a superuser; where schema/add-ons/history.sql or
-- roles.sql are used, their triggers and rights come along. Not inside a transaction: it commits step by step.
--
-- What happens to each table, and what waits for it:
--
-- 1. A second table is made, and triggers that repeat there what is written meanwhile. Writers wait until the
--    statements that are under way have ended, and are not kept waiting for more than two seconds: then it is tried
--    again.
-- 2. Rows are copied in the order of their keys, 10,000 a transaction (-v batch=10000). Nobody waits, but that whoever deletes a row
--    that is being copied waits for that batch. Until the end the table takes twice its room on the disk.
-- 3. The two change places, with their rights, triggers, views and names, in some milliseconds under an exclusive
--    lock; it, too, is given up after two seconds, and tried again.
--
-- The primary key becomes (task_pk, spectrum_pk), as a partitioned table wants it; task_pk stays unique by its
-- sequence. The table as it was stays as <table>_before, with nothing written to it any more; an empty one is dropped:
--
--     drop table astra.the_cannon_before;
--
-- Give up in the middle:
--
--     drop table astra.the_cannon_becoming;
--     drop function astra.repeat_the_cannon() cascade;
--
-- Statistics of the table as a whole are not kept by autovacuum: `analyze astra.the_cannon` each night.

\set ON_ERROR_STOP on

\if :{?schema}
\else
do $$
begin
    raise exception 'no schema given'
        using hint = 'Name the schema of the tables: psql -v schema=astra -f schema/add-ons/partitions.sql';
end
$$;
\endif
\if :{?table}
\else
\set table ''
\endif
\if :{?partitions}
\else
\set partitions 16
\endif
\if :{?batch}
\else
\set batch 10000
\endif

set client_min_messages = notice;
set default_transaction_isolation = 'read committed';
set lock_timeout = '2s';
set search_path to :"schema", pg_temp;
select
    set_config('astra_outputs.table', :'table', false) as of_table,
    set_config('astra_outputs.partitions', :'partitions', false) as partitions,
    set_config('astra_outputs.batch', :'batch', false) as batch \gset

-- What is asked for, table by table. Refuses what cannot be done before anything is.
create temporary table if not exists becoming (
    name text primary key, old regclass, made boolean, columns text, replaced text
);
truncate becoming;

do $$
declare
    wanted constant text := current_setting('astra_outputs.partitions');
    named constant text := current_setting('astra_outputs.table');
    shared constant name[] := array[
        'task_pk', 'source_pk', 'spectrum_pk', 'v_astra', 'v_astra_major_minor', 'created', 'modified',
        't_elapsed', 't_overhead', 'tag'
    ];
    one record;
    others text;
begin
    if current_schema() is null or current_schema() like 'pg\_temp%' then
        raise exception 'there is no such schema'
            using hint = 'Make it first: psql -v schema=... -f schema/install.sql';
    end if;
    if wanted !~ '^[0-9]{1,4}$' or wanted::integer = 1 or wanted::integer > 1024 then
        raise exception '% is no number of partitions', wanted
            using hint = 'Give 2 to 1024, or 0 for a table without partitions.';
    end if;
    for one in
        select c.oid, c.oid::regclass as old, c.relname::text as name, c.relkind, c.relrowsecurity, c.relowner
        from pg_class as c
        join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = quote_ident(current_schema())::regnamespace and c.relkind in ('r', 'p')
            and not c.relispartition and named in ('', c.relname::text)
            and c.relname::text !~ '_(before|becoming)$'
        group by c.oid
        having array_agg(a.attname) @> shared
        order by c.relname
    loop
        if wanted::integer = (select count(*) from pg_inherits where inhparent = one.oid) then
            raise notice '% is as asked for already', one.name;
            continue;
        end if;
        if not pg_has_role(one.relowner, 'usage') then
            raise exception 'table % is not yours', one.name
                using errcode = 'insufficient_privilege', hint = 'Run this as its owner or as a superuser.';
        end if;
        if octet_length(one.name) > 50 then
            raise exception 'the name % is too long to have partitions', one.name;
        end if;
        if exists (select from pg_extension where extname = 'citus') then
            raise exception 'this database has Citus, which spreads tables itself'
                using hint = 'See schema/add-ons/citus.sql.';
        end if;
        if to_regclass(quote_ident(one.name || '_before')) is not null then
            raise exception '%_before is still there from the last time', one.name
                using hint = format('If it is not needed any more: drop table %s_before', one.old);
        end if;
        if wanted::integer <> (
            select count(*) from pg_inherits where inhparent = to_regclass(quote_ident(one.name || '_becoming'))
        ) and to_regclass(quote_ident(one.name || '_becoming')) is not null then
            raise exception '% is on its way to another number of partitions', one.name
                using hint = format(
                    'Go on with that number; or give it up: drop table %1$I_becoming; drop function repeat_%1$I() cascade',
                    one.name
                );
        end if;
        select string_agg(distinct conrelid::regclass::text, ', ') into others
        from pg_constraint
        where confrelid = one.oid and contype = 'f' and conparentid = 0;
        if others is not null then
            raise exception 'other tables refer to %: %', one.name, others
                using hint = 'task_pk alone is no key of a partitioned table. Drop these foreign keys, or refer to '
                    '(spectrum_pk, v_astra_major_minor).';
        end if;
        select string_agg(i.indexrelid::regclass::text, ', ') into others
        from pg_index as i
        where i.indrelid = one.oid and i.indisunique and not i.indisprimary
            and (select attnum from pg_attribute where attrelid = one.oid and attname = 'spectrum_pk') <> all (i.indkey);
        if others is not null then
            raise exception 'unique keys of % lack spectrum_pk: %', one.name, others
                using hint = 'Rows of different partitions could not be told apart by them.';
        end if;
        if one.relrowsecurity then
            raise exception 'table % has row security, which is not taken along', one.name;
        end if;
        select string_agg(distinct v.oid::regclass::text, ', ') into others
        from pg_depend as d
        join pg_rewrite as r on r.oid = d.objid and d.classid = 'pg_rewrite'::regclass
        join pg_class as v on v.oid = r.ev_class
        where d.refobjid = one.oid and v.relkind = 'm';
        if others is not null then
            raise exception 'materialized views read %: %', one.name, others
                using hint = 'Drop them, and make them again afterwards.';
        end if;
        insert into becoming
        select
            one.name, one.old, to_regclass(quote_ident(one.name || '_becoming')) is not null,
            string_agg(quote_ident(attname), ', ' order by attnum),
            string_agg(format('%1$I = excluded.%1$I', attname), ', ' order by attnum) filter (
                where attidentity = '' and attname not in ('spectrum_pk', 'v_astra_major_minor')
            )
        from pg_attribute
        where attrelid = one.oid and attnum > 0 and not attisdropped and attgenerated = '';
    end loop;
    if named <> '' and not exists (
        select from pg_class where relname = named and relnamespace = quote_ident(current_schema())::regnamespace
    ) then
        raise exception 'there is no table "%" in schema "%"', named, current_schema()
            using hint = 'Name a table of a pipeline, or none for all of them.';
    end if;
end
$$;

-- 1. The second table, and what repeats there whatever is written to the first.
do $$
declare
    wanted constant integer := current_setting('astra_outputs.partitions')::integer;
    one record;
    rule record;
    number integer;
    storage text;
    again text;
    kind text;
    tries integer;
begin
    for one in select becoming.*, c.relowner::regrole as owner
        from becoming join pg_class as c on c.oid = becoming.old where not made order by name
    loop
        again := quote_ident(one.name || '_becoming');
        tries := 0;
        loop
            begin
                -- And those that it refers to, which foreign keys lock.
                execute (
                    select format('lock table %s in share row exclusive mode', string_agg(distinct name, ', '))
                    from (
                        select one.old::text as name
                        union all
                        select confrelid::regclass::text from pg_constraint where conrelid = one.old and contype = 'f'
                    ) as locked
                );
                exit;
            exception
                when lock_not_available or deadlock_detected then
                    tries := tries + 1;
                    if tries >= 100 then
                        raise exception 'table % was in use all the time', one.name
                            using hint = 'Run this again at a quieter hour.';
                    end if;
            end;
            commit;
            perform pg_sleep(least(5, 0.1 * tries));
        end loop;
        -- Checks come apart, since `like` would hold rows of a published version to what is for new ones.
        execute format(
            'create table %s (like %s including all excluding indexes excluding constraints)%s', again, one.old,
            case when wanted > 0 then ' partition by hash (spectrum_pk)' else '' end
        );
        execute format('alter table %s owner to %s', again, one.owner);
        -- What a partition is stored by is what the table, or its first partition, is.
        select array_to_string(c.reloptions, ', ') into storage
        from pg_class as c
        where c.oid = coalesce((select min(inhrelid::oid) from pg_inherits where inhparent = one.old), one.old);
        if wanted = 0 and storage is not null then
            execute format('alter table %s set (%s)', again, storage);
        end if;
        for number in 0..wanted - 1 loop
            execute format(
                'create table %I partition of %s for values with (modulus %s, remainder %s)%s',
                format('%s_%s_%s', one.name, wanted, to_char(number, 'FM000')), again, wanted, number,
                ' with (' || storage || ')'
            );
            execute format(
                'alter table %I owner to %s', format('%s_%s_%s', one.name, wanted, to_char(number, 'FM000')), one.owner
            );
        end loop;
        for rule in
            select conname, contype, pg_get_constraintdef(oid) as definition
            from pg_constraint
            where conrelid = one.old and contype in ('c', 'f', 'u', 'p') and convalidated
            order by contype = 'f', conname
        loop
            -- Keys are indexes, whose names are the first table's yet.
            execute format(
                'alter table %s add constraint %I %s', again,
                left(rule.conname, 54) || case when rule.contype in ('u', 'p') then '_becoming' else '' end,
                case
                    when rule.contype = 'p' and wanted > 0 and rule.definition not like '%spectrum_pk%'
                        then replace(rule.definition, ')', ', spectrum_pk)')
                    when rule.contype = 'p' and wanted = 0
                        then replace(rule.definition, ', spectrum_pk)', ')')
                    else rule.definition
                end
            );
        end loop;
        for rule in
            select c.relname, pg_get_indexdef(i.indexrelid) as definition
            from pg_index as i join pg_class as c on c.oid = i.indexrelid
            where i.indrelid = one.old and not exists (select from pg_constraint where conindid = i.indexrelid)
        loop
            execute regexp_replace(
                rule.definition, '^(CREATE (?:UNIQUE )?INDEX) .+? ON (?:ONLY )?.+? USING',
                format('\1 %I ON %s USING', left(rule.relname, 54) || '_becoming', again)
            );
        end loop;
        -- Runs with the rights of the owner: writers have none on the second table.
        execute format(
            $make$
            create or replace function %1$I() returns trigger
            language plpgsql security definer set search_path from current
            as $body$
            begin
                if tg_op = 'TRUNCATE' then
                    raise exception '%% is being copied and cannot be emptied', tg_table_name
                        using hint = 'See schema/add-ons/partitions.sql.';
                end if;
                if tg_op = 'DELETE' then
                    delete from %2$s as kept using old_rows
                    where kept.spectrum_pk = old_rows.spectrum_pk
                        and kept.v_astra_major_minor = old_rows.v_astra_major_minor;
                    return null;
                end if;
                if tg_op = 'UPDATE' then
                    delete from %2$s as kept using old_rows
                    where kept.spectrum_pk = old_rows.spectrum_pk
                        and kept.v_astra_major_minor = old_rows.v_astra_major_minor
                        and (old_rows.spectrum_pk, old_rows.v_astra_major_minor) not in (
                            select spectrum_pk, v_astra_major_minor from new_rows
                        );
                end if;
                insert into %2$s (%3$s) overriding system value
                select %3$s from new_rows order by spectrum_pk, v_astra
                on conflict (spectrum_pk, v_astra_major_minor) do update set %4$s;
                return null;
            end
            $body$
            $make$,
            'repeat_' || one.name, again, one.columns, one.replaced
        );
        execute format('alter function %I() owner to %s', 'repeat_' || one.name, one.owner);
        execute format('revoke execute on function %I() from public', 'repeat_' || one.name);
        foreach kind in array array[
            'insert', 'update', 'delete', 'truncate'
        ] loop
            execute format(
                'create trigger %I after %s on %s %s for each statement execute function %I()',
                'repeated_' || kind, kind, one.old,
                case kind
                    when 'insert' then 'referencing new table as new_rows'
                    when 'update' then 'referencing old table as old_rows new table as new_rows'
                    when 'delete' then 'referencing old table as old_rows'
                    else ''
                end,
                'repeat_' || one.name
            );
        end loop;
        commit;
        raise notice '%: a second table of % partitions is there', one.name, wanted;
    end loop;
end
$$;

-- 2. What was there before.
do $$
declare
    one record;
    done bigint;
    batch bigint;
    sofar bigint;
    upto bigint;
    started timestamptz;
begin
    for one in select * from becoming order by name loop
        done := 0;
        sofar := -9223372036854775808;
        started := clock_timestamp();
        loop
            begin
                execute format(
                    'select max(spectrum_pk) from ('
                    'select spectrum_pk from %s where spectrum_pk > $1 order by spectrum_pk limit $2) as batch', one.old
                ) into upto using sofar, current_setting('astra_outputs.batch')::integer;
                exit when upto is null;
                -- A row that was deleted since is not brought back: `for key share` looks again, and makes whoever
                -- deletes one wait, for the trigger to find it here.
                execute format(
                    'insert into %s (%s) overriding system value select %s from %s where spectrum_pk > $1 '
                    'and spectrum_pk <= $2 order by spectrum_pk, v_astra_major_minor for key share on conflict do nothing',
                    quote_ident(one.name || '_becoming'), one.columns, one.columns, one.old
                ) using sofar, upto;
                get diagnostics batch = row_count;
                done := done + batch;
                sofar := upto;
            exception
                when deadlock_detected or lock_not_available then
                    null; -- The same batch again.
            end;
            commit;
        end loop;
        commit;
        execute format('analyze %s', quote_ident(one.name || '_becoming'));
        commit;
        raise notice '%: % rows copied in % s', one.name, done,
            round(extract(epoch from clock_timestamp() - started)::numeric, 1);
    end loop;
end
$$;

-- 3. The exchange.
do $$
declare
    one record;
    thing record;
    statements text[];
    statement text;
    before text;
    again text;
    empty boolean;
    tries integer;
    started timestamptz;
begin
    for one in select * from becoming order by name loop
        tries := 0;
        again := quote_ident(one.name || '_becoming');
        before := quote_ident(one.name || '_before');
        loop
            begin
                execute format('lock table %s in access exclusive mode', one.old);
                exit;
            exception
                when lock_not_available or deadlock_detected then
                    tries := tries + 1;
                    if tries >= 100 then
                        raise exception 'table % was in use all the time', one.name
                            using hint = 'Everything is copied and kept up to date: run this again at a quieter hour.';
                    end if;
            end;
            commit;
            perform pg_sleep(least(5, 0.1 * tries));
        end loop;
        started := clock_timestamp();
        perform set_config('client_min_messages', 'warning', true);
        execute format('drop function %I() cascade', 'repeat_' || one.name);
        perform set_config('client_min_messages', 'notice', true);
        -- Said while the names are the first table's, done when they are the second's.
        statements := array(
            select format('alter table %s add constraint %I %s', quote_ident(one.name), conname, pg_get_constraintdef(oid))
            from pg_constraint where conrelid = one.old and contype = 'c' and not convalidated
        ) || array(
            select format('comment on constraint %I on %I is %L', conname, one.name, obj_description(oid, 'pg_constraint'))
            from pg_constraint
            where conrelid = one.old and obj_description(oid, 'pg_constraint') is not null
        ) || array(
            select pg_get_triggerdef(oid) from pg_trigger where tgrelid = one.old and not tgisinternal order by tgname
        ) || array(
            select format(
                'grant %s on %I to %s%s', a.privilege_type, one.name,
                case a.grantee when 0 then 'public' else a.grantee::regrole::text end,
                case when a.is_grantable then ' with grant option' else '' end
            )
            from pg_class as c cross join lateral aclexplode(c.relacl) as a
            where c.oid = one.old and a.grantee <> c.relowner
        ) || array(
            select format(
                'grant %s (%I) on %I to %s%s', a.privilege_type, c.attname, one.name,
                case a.grantee when 0 then 'public' else a.grantee::regrole::text end,
                case when a.is_grantable then ' with grant option' else '' end
            )
            from pg_attribute as c cross join lateral aclexplode(c.attacl) as a
            where c.attrelid = one.old and not c.attisdropped
        ) || array(
            select format('comment on table %I is %L', one.name, obj_description(one.old, 'pg_class'))
            where obj_description(one.old, 'pg_class') is not null
        ) || array(
            select distinct format(
                'create or replace view %s%s as %s', v.oid::regclass,
                ' with (' || array_to_string(v.reloptions, ', ') || ')', pg_get_viewdef(v.oid)
            )
            from pg_depend as d
            join pg_rewrite as r on r.oid = d.objid and d.classid = 'pg_rewrite'::regclass
            join pg_class as v on v.oid = r.ev_class
            where d.refobjid = one.old and d.refclassid = 'pg_class'::regclass and v.relkind = 'v'
        );
        execute format(
            'select setval(%L, s.last_value, s.is_called) from %s as s',
            pg_get_serial_sequence(again, 'task_pk'), pg_get_serial_sequence(one.old::text, 'task_pk')
        );
        execute format('select not exists (select from %s)', one.old) into empty;
        -- Names of indexes and of the sequence: each `_becoming` takes the place of the one without.
        for thing in
            select c.relname::text as name
            from pg_class as c
            where c.oid = any (array(select indexrelid from pg_index where indrelid = one.old))
                or c.oid = pg_get_serial_sequence(one.old::text, 'task_pk')::regclass
        loop
            execute format('alter table %I rename to %I', thing.name, left(thing.name, 56) || '_before');
        end loop;
        execute format('alter table %s rename to %s', one.old, before);
        execute format('alter table %s rename to %I', again, one.name);
        for thing in
            select c.oid::regclass as name, replace(c.relname, '_becoming', '') as short
            from pg_class as c
            where c.oid = any (array(select indexrelid from pg_index where indrelid = quote_ident(one.name)::regclass))
                or c.oid = pg_get_serial_sequence(quote_ident(one.name), 'task_pk')::regclass
        loop
            execute format('alter table %s rename to %I', thing.name, thing.short);
        end loop;
        foreach statement in array statements loop
            execute statement;
        end loop;
        if empty then
            execute format('drop table %s', before);
        end if;
        commit;
        raise notice '%: exchanged in % ms%', one.name,
            round(1000 * extract(epoch from clock_timestamp() - started)::numeric),
            case when empty then '' else format('; the table as it was is %s_before', one.name) end;
    end loop;
end
$$;

reset search_path;
reset lock_timeout;
reset default_transaction_isolation;
