-- An add-on: distributes the results over several servers with Citus, an extension of PostgreSQL. Run it on the
-- coordinator; when this is worth its price, and what it changes, stands in docs/scale.md.
--
--     psql -v schema=astra -f schema/add-ons/citus.sql
--     psql -v schema=astra -v shards=32 -f schema/add-ons/citus.sql
--
-- Tables of pipelines are cut into shards by spectrum_pk: all results of a spectrum lie on one server, those of every
-- pipeline side by side. Sources, spectra and names of flags are whole on every server (reference tables), so that joins
-- stay on one. The primary key of results becomes (task_pk, spectrum_pk), since each unique key must hold the column by
-- which rows are spread; task_pk alone stays unique as long as only its sequence gives it.
--
-- `shards` is how many pieces each table is cut into, four for each server that takes some if not given. A batch is sent
-- to each of them: few are faster, but a server can take no less than one. The number of the first time stays.
--
-- Before it, on each server: `shared_preload_libraries = 'citus'` and `create extension citus` in this database; and on
-- the coordinator, where there are other servers, `select citus_set_coordinator_host('its name')` and
-- `select citus_add_node('its name', 5432)` for each other one.
--
-- Runs on Citus 13 on PostgreSQL 15, as often as you like; again whenever install.sql was run or a table was added. Run it
-- as the owner of the database and the tables or a superuser, and schema/add-ons/roles.sql afterwards where that is used.
-- Locks: exclusive on all these tables while their rows are moved.
--
-- Undo: Citus does not take back a table that numbers its rows itself. Make the schema in a database without Citus
-- (install.sql), copy what is there, and put the sequences behind it, as docs/scale.md shows:
--
--     pg_dump --data-only --schema=astra ... | psql ...

\set ON_ERROR_STOP on

\if :{?schema}
\else
do $$
begin
    raise exception 'no schema given'
        using hint = 'Name the schema to be distributed: psql -v schema=astra -f schema/add-ons/citus.sql';
end
$$;
\endif
\if :{?shards}
\else
\set shards 0
\endif

begin;

set local client_min_messages = warning;
set local lock_timeout = '10s';
set local search_path to :"schema";
set local citus.override_table_visibility to on; -- shards are not looked at one by one
select pg_advisory_xact_lock(5317209464110857) as locked \gset
select set_config('astra_outputs.schema', :'schema', true) as schema \gset
select set_config('astra_outputs.shards', :'shards', true) as shards \gset

-- What would end in the middle, or in a riddle, is refused before anything is changed.
do $$
declare
    schema constant text := current_setting('astra_outputs.schema');
    ours constant oid := to_regnamespace(quote_ident(schema));
    shards constant text := current_setting('astra_outputs.shards');
    is_known constant boolean := exists (select from pg_available_extensions where name = 'citus');
    found text;
begin
    if ours is null or to_regclass(quote_ident(schema) || '.source') is null then
        raise exception 'there are no tables in a schema %', schema
            using hint = 'Make them first: psql -v schema=... -f schema/install.sql';
    end if;
    if shards !~ '^\d{1,4}$' then
        raise exception 'shards=% is no number of shards', shards using hint = 'Give one from 1 to 9999.';
    end if;
    if not exists (select from pg_extension where extname = 'citus') then
        raise exception 'Citus is not in database %', current_database() using hint = case
            when is_known then 'On every server: `create extension citus` in this database, as a superuser.'
            else 'This server does not have it: see https://docs.citusdata.com, and docs/scale.md.' end;
    end if;
    if exists (select from pg_dist_node) and not citus_is_coordinator() then
        raise exception 'this server is not the coordinator' using hint = 'Run this on the coordinator.';
    end if;
    if exists (select from pg_dist_node) and not exists (select from pg_dist_node where groupid = 0) then
        raise exception 'the other servers do not know the coordinator'
            using hint = 'Name it first: select citus_set_coordinator_host(''its name'', 5432)';
    end if;
    select string_agg(c.relname, ', ' order by c.relname) into found
    from pg_class as c where c.relnamespace = ours and c.relkind in ('r', 'p') and not pg_has_role(c.relowner, 'usage');
    if found is not null then
        raise exception '% does not own %', current_user, found
            using errcode = 'insufficient_privilege', hint = 'Run this as the owner of the tables, or as a superuser.';
    end if;
    if not pg_has_role((select datdba from pg_database where datname = current_database()), 'usage') then
        raise exception '% does not own database %', current_user, current_database()
            using errcode = 'insufficient_privilege', hint = 'Its settings are changed: run this as its owner.';
    end if;
    select string_agg(c.relname, ', ' order by c.relname) into found
    from pg_class as c where c.relnamespace = ours and c.relkind = 'p';
    if found is not null then
        raise exception 'partitioned tables cannot be distributed: %', found
            using hint = 'Make plain tables of them first: see schema/add-ons/partitions.sql.';
    end if;
    if to_regclass(quote_ident(schema) || '.result_history') is not null then
        raise exception 'history is kept in schema %, which Citus cannot do', schema
            using hint = 'Undo schema/add-ons/history.sql first, as its first lines say.';
    end if;
    select string_agg(format('%s of %s', k.conname, k.conrelid::regclass), ', ') into found
    from pg_constraint as k
    join pg_attribute as a on a.attrelid = k.confrelid and a.attnum = any(k.confkey) and a.attname = 'task_pk'
    join pg_class as c on c.oid = k.confrelid and c.relnamespace = ours
    where k.contype = 'f';
    if found is not null then
        raise exception 'foreign keys refer to task_pk of results: %', found using hint =
            'Drop them: results of one server cannot be looked up from another. Refer to (spectrum_pk, version) instead.';
    end if;
end
$$;

-- For every later session in this database. A table that is added, and refers to sources and spectra, waits for this to be
-- run again; the triggers that keep published rows and names of flags look at nothing but their own row. Workers, by
-- their application_name, see shards among the tables: to hide them, Citus looks at each table for each type that a driver
-- asks for, which took each connection 3 seconds with 32 shards. And of a prepared statement that reads one spectrum's
-- results on a server that has them, Citus 13.2.2 keeps another plan at each call, 0.1 MB, unless it is planned each time.
do $$
declare
    setting text;
begin
    foreach setting in array array[
        'citus.enable_local_reference_table_foreign_keys = off',
        'citus.enable_unsafe_triggers = on',
        'citus.show_shards_for_app_name_prefixes = astra_outputs',
        'plan_cache_mode = force_custom_plan'
    ] loop
        execute format('alter database %I set %s', current_database(), setting);
        execute 'set local ' || setting;
    end loop;
end
$$;
-- Tables that refer to each other are moved in one transaction: shard by shard, on one connection to each server.
set local citus.multi_shard_modify_mode to 'sequential';

-- Citus looks at a foreign key row by row, not when the statement ends: the one that stores a spectrum and the row of
-- `spectrum` for it would be refused before it has stored the second.
do $$
declare
    one record;
begin
    for one in
        select k.conrelid::regclass as name, k.conname
        from pg_constraint as k
        join pg_attribute as a on a.attrelid = k.conrelid and a.attname = 'pk' and not a.attisdropped
        where k.confrelid = 'spectrum'::regclass and k.contype = 'f' and not k.condeferred
            and k.conrelid not in (select logicalrelid from pg_dist_partition)
    loop
        execute format('alter table %s alter constraint %I deferrable initially deferred', one.name, one.conname);
    end loop;
end
$$;

-- Whole on every server: what sources and spectra are, and what flags are called.
do $$
declare
    ours constant oid := quote_ident(current_schema())::regnamespace;
    spectra constant name[] := array['pk', 'spectrum_pk', 'source_pk', 'created', 'modified'];
    one record;
begin
    for one in
        select c.oid::regclass as name
        from pg_class as c
        join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = ours and c.relkind = 'r'
            and c.oid not in (select logicalrelid from pg_dist_partition)
        group by c.oid, c.relname
        having c.relname in ('flag_definition', 'targeting_carton', 'source', 'spectrum')
            or array_agg(a.attname) @> spectra and not 'task_pk' = any(array_agg(a.attname))
        -- What others refer to comes before them.
        order by c.relname not in ('flag_definition', 'targeting_carton', 'source', 'spectrum'), c.relname
    loop
        perform create_reference_table(one.name);
    end loop;
end
$$;

-- Cut into shards: results.
do $$
declare
    ours constant oid := quote_ident(current_schema())::regnamespace;
    results constant name[] := array[
        'task_pk', 'source_pk', 'spectrum_pk', 'v_astra', 'v_astra_major_minor', 'created', 'modified',
        't_elapsed', 't_overhead', 'tag'
    ];
    servers constant integer := greatest(1, (select count(*) from pg_dist_node where shouldhaveshards and isactive));
    shards constant integer := coalesce(nullif(current_setting('astra_outputs.shards')::integer, 0), 4 * servers);
    first text := (
        select min(p.logicalrelid::text) from pg_dist_partition as p
        join pg_class as c on c.oid = p.logicalrelid and c.relnamespace = ours
        where p.partmethod = 'h'
    );
    key name;
    one record;
begin
    for one in
        select c.oid as id, c.oid::regclass as name
        from pg_class as c
        join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = ours and c.relkind = 'r'
            and c.oid not in (select logicalrelid from pg_dist_partition)
        group by c.oid
        having array_agg(a.attname) @> results
        order by c.relname
    loop
        select k.conname into key from pg_constraint as k where k.conrelid = one.id and k.contype = 'p'
            and not exists (
                select from pg_attribute as a
                where a.attrelid = one.id and a.attname = 'spectrum_pk' and a.attnum = any(k.conkey)
            );
        if found then
            execute format('alter table %s drop constraint %I', one.name, key);
            execute format('alter table %s add constraint %I primary key (task_pk, spectrum_pk)', one.name, key);
        end if;
        if first is null then
            perform create_distributed_table(one.name, 'spectrum_pk', colocate_with => 'none', shard_count => shards);
            first := one.name;
        else
            perform create_distributed_table(one.name, 'spectrum_pk', colocate_with => first);
        end if;
    end loop;
end
$$;

-- Functions that look up names of flags run beside the rows, on any server. They read nothing but what is whole there,
-- which Citus has to be told; and it cannot read a body that the server keeps as a tree, so that each becomes a text again.
do $$
declare
    ours constant oid := quote_ident(current_schema())::regnamespace;
    here constant text := current_schema();
    body text;
    one record;
begin
    set local search_path to pg_catalog; -- so that every name in the texts is a full one
    for one in
        select p.oid as id from pg_proc as p
        where p.pronamespace = ours and p.prosqlbody is not null and exists (
            select from pg_depend as d
            where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.refclassid = 'pg_class'::regclass
        )
    loop
        body := pg_get_function_sqlbody(one.id);
        execute replace(
            pg_get_functiondef(one.id), body,
            'set citus.allow_nested_distributed_execution to on as ' || quote_literal(regexp_replace(body, '^RETURN', 'select'))
        );
    end loop;
    perform set_config('search_path', quote_ident(here), true);
end
$$;

-- The source of a result is its spectrum's: one that is missing is filled in, another one is refused. No query
-- may stand in a row of values that Citus stores, but it knows what a function returns before it chooses the shard.
do $$
begin
    execute format(
        $text$
        create or replace function source_of_spectrum(given bigint, spectrum_pk bigint) returns bigint
        language plpgsql stable set plan_cache_mode to force_generic_plan as $body$
        declare
            own constant bigint := (select s.source_pk from %I.spectrum as s where s.pk = spectrum_pk);
        begin
            if own <> given then
                raise 'spectrum %% is of source %%', spectrum_pk, own using errcode = 'invalid_text_representation';
            end if;
            return coalesce(own, given);
        end
        $body$
        $text$, current_schema()
    );
end
$$;
comment on function source_of_spectrum is 'The source of a spectrum, or the one that is given; refuses another one';

commit;

-- The rows that were moved still take their space here.
set client_min_messages = warning;
\o /dev/null
select format('select truncate_local_data_after_distributing_table(%L)', p.logicalrelid)
from pg_dist_partition as p
join pg_class as c on c.oid = p.logicalrelid and c.relnamespace = quote_ident(:'schema')::regnamespace
where pg_relation_size(c.oid) > 0 and p.partmethod in ('h', 'n') \gexec
\o
