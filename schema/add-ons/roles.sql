-- Makes the roles of one schema and gives each exactly the rights that it needs.
--
--     psql -v schema=astra -f schema/add-ons/roles.sql
--
-- Runs on PostgreSQL 15 to 18, as often as you like, and again whenever a table was added: tables of
-- pipelines are recognised by the ten columns that they share. Rights that these roles have in the schema
-- besides are taken away, and those that everybody has (PUBLIC), so that afterwards the schema is as this
-- file says; give an extra right to a role of your own. Run it as a superuser, or as a role that owns the database and may create roles.
-- Only new roles and a new owner of something need that: afterwards the owner role can run it as well.
--
--     astra_owner   owns the schema and all that is in it; for DBAs, to add tables
--     astra_reader  SELECT
--     astra_writer  what the reader may; stores results, never deletes one or moves it to another spectrum
--                   or another major.minor version
--     astra_loader  what the reader may; stores sources and spectra
--
-- None of them can log in: users are made members, `grant astra_writer to worker`. Roles belong to the
-- whole server, so that their names start with the schema's; where two databases have a schema of one name
-- and their users must be kept apart, give the roles of one another first part: `-v roles=survey_astra`.
--
-- Undo, in each database and then once for the server:
--
--     drop function keep_result cascade;
--     reassign owned by astra_owner to postgres;
--     drop owned by astra_owner, astra_reader, astra_writer, astra_loader;
--     drop role astra_owner, astra_reader, astra_writer, astra_loader;

\set ON_ERROR_STOP on

\if :{?schema}
\else
do $$
begin
    raise exception 'no schema given'
        using hint = 'Name the schema whose roles are made: psql -v schema=astra -f schema/add-ons/roles.sql';
end
$$;
\endif
\if :{?roles}
\else
\set roles :schema
\endif

begin;

set local client_min_messages = warning;
set local lock_timeout = '10s'; -- a change of owner waits for who uses the table, and others wait for it
-- Where Citus distributes tables: on one connection to each server, which all that is done here goes through.
set local citus.multi_shard_modify_mode to 'sequential';
set local citus.override_table_visibility to on;
set local search_path to :"schema";
-- Who applies the schema and who grants rights on it wait for each other.
select pg_advisory_xact_lock(5317209464110857) as locked \gset
select set_config('astra_outputs.roles', :'roles', true) as roles \gset
select set_config('astra_outputs.schema', :'schema', true) as schema \gset

-- The roles.
do $$
declare
    prefix constant text := current_setting('astra_outputs.roles');
    schema constant text := current_setting('astra_outputs.schema');
    kind text;
    name text;
begin
    if to_regnamespace(quote_ident(schema)) is null then
        raise exception 'there is no schema %', schema
            using hint = 'Make it first: psql -v schema=... -f schema/install.sql';
    end if;
    foreach kind in array array['owner', 'reader', 'writer', 'loader'] loop
        name := prefix || '_' || kind;
        if octet_length(name) > 63 then
            raise exception 'the name % is too long for a role', name
                using hint = 'Give the names of the roles a shorter first part: -v roles=...';
        end if;
        if exists (select from pg_roles where rolname = name and (rolcanlogin or rolsuper or rolcreaterole)) then
            raise exception 'role % exists and is a user, not a role of this schema', name
                using hint = 'Give the names of the roles another first part: -v roles=...';
        end if;
        if not exists (select from pg_roles where rolname = name) then
            execute format('create role %I nologin', name);
        end if;
    end loop;
    foreach kind in array array['writer', 'loader'] loop
        if not pg_has_role(prefix || '_' || kind, prefix || '_reader', 'usage') then
            execute format('grant %I to %I', prefix || '_reader', prefix || '_' || kind);
        end if;
    end loop;
end
$$;

-- A result of another major.minor is another result: an update that changes the version would lose the one that
-- was there, which no right on a column can tell. A time that has not come would keep a result from being replaced.
-- The owner may do both, to mend what is wrong. What is called for each row is the condition of the trigger alone.
create or replace function keep_result() returns trigger
language plpgsql
set search_path to pg_catalog
as $$
begin
    if pg_has_role((select c.relowner from pg_class as c where c.oid = tg_relid), 'usage') then
        return null;
    end if;
    if new.v_astra_major_minor <> old.v_astra_major_minor then
        raise exception 'result % of version % cannot become one of version %', old.task_pk, old.v_astra, new.v_astra
            using errcode = 'insufficient_privilege', schema = tg_table_schema, table = tg_table_name,
                hint = 'Store the result of the other version as a row of its own.';
    end if;
    raise exception 'result % was not modified at %', old.task_pk, new.modified
        using errcode = 'insufficient_privilege', schema = tg_table_schema, table = tg_table_name,
            hint = 'Leave modified to its default, the time of the statement.';
end
$$;

-- The owner.
do $$
declare
    owner_name constant text := current_setting('astra_outputs.roles') || '_owner';
    owner_oid constant oid := quote_ident(owner_name)::regrole;
    ours constant oid := quote_ident(current_schema())::regnamespace;
    may_create constant boolean := has_database_privilege(owner_name, current_database(), 'create');
    one record;
begin
    if exists (select from pg_namespace where oid = ours and nspowner <> owner_oid) then
        -- Who gives something away must be able to act as the new owner, who must be allowed to make it.
        if not pg_has_role(owner_name, 'usage') then
            execute format('grant %I to current_user', owner_name);
        end if;
        if not may_create then
            execute format('grant create on database %I to %I', current_database(), owner_name);
        end if;
        execute format('alter schema %I owner to %I', current_schema(), owner_name);
        if not may_create then
            execute format('revoke create on database %I from %I', current_database(), owner_name);
        end if;
    end if;
    for one in
        select c.oid::regclass as name
        from pg_class as c
        where c.relnamespace = ours and c.relowner <> owner_oid
            and c.relkind in ('r', 'p', 'v', 'm', 'f') -- the sequences go with their tables
            and not exists (select from pg_depend where objid = c.oid and deptype = 'e')
    loop
        execute format('alter table %s owner to %I', one.name, owner_name);
    end loop;
    for one in
        select p.oid::regprocedure as name
        from pg_proc as p
        where p.pronamespace = ours and p.proowner <> owner_oid
            and not exists (select from pg_depend where objid = p.oid and deptype = 'e')
    loop
        execute format('alter routine %s owner to %I', one.name, owner_name);
    end loop;
end
$$;

-- The rights.
do $$
declare
    prefix constant text := current_setting('astra_outputs.roles');
    reader constant text := quote_ident(prefix || '_reader');
    writer constant text := quote_ident(prefix || '_writer');
    loader constant text := quote_ident(prefix || '_loader');
    here constant text := quote_ident(current_schema());
    results constant name[] := array[
        'task_pk', 'source_pk', 'spectrum_pk', 'v_astra', 'v_astra_major_minor', 'created', 'modified',
        't_elapsed', 't_overhead', 'tag'
    ];
    spectra constant name[] := array['pk', 'spectrum_pk', 'source_pk', 'created', 'modified'];
    writes text;
    distributed oid[] := '{}';
    one record;
begin
    -- What Citus keeps in shards (schema/add-ons/citus.sql): `grant` reaches those for whole tables only. They have the
    -- rights on the table, and the coordinator, through which all go, those on its columns.
    if exists (select from pg_extension where extname = 'citus') then
        execute 'select array_agg(logicalrelid::oid) from pg_dist_partition' into distributed;
    end if;
    if not has_database_privilege(prefix || '_reader', current_database(), 'connect') then
        execute format('grant connect on database %I to %s', current_database(), reader);
    end if;
    -- Batches are copied into a temporary table, or are arrays of a temporary type.
    if not has_database_privilege(prefix || '_writer', current_database(), 'temporary') then
        execute format('grant temporary on database %I to %s, %s', current_database(), writer, loader);
    end if;

    execute format('revoke all on schema %s from public, %s, %s, %s', here, reader, writer, loader);
    execute format('revoke all on all tables in schema %s from public, %s, %s, %s', here, reader, writer, loader);
    execute format('revoke all on all sequences in schema %s from public, %s, %s, %s', here, reader, writer, loader);
    execute format('revoke all on all routines in schema %s from public, %s, %s, %s', here, reader, writer, loader);
    execute format('grant usage on schema %s to %s', here, reader);
    execute format('grant select on all tables in schema %s to %s', here, reader);
    -- Views and queries call them as whoever asks.
    -- Not those of triggers: whoever may run one puts it on a table of their own, and writes with the rights of
    -- its owner.
    for one in
        select oid::regprocedure as name from pg_proc
        where pronamespace = here::regnamespace and prorettype <> 'trigger'::regtype
    loop
        execute format('grant execute on routine %s to %s', one.name, reader);
    end loop;

    -- What the database fills in is nobody's to write, except that an upsert sets `modified` anew. A result
    -- stays with its spectrum.
    for one in
        select
            c.oid::regclass as name,
            coalesce(c.oid = any(distributed), false) as in_shards,
            array_agg(a.attname) as columns,
            string_agg(quote_ident(a.attname), ', ') filter (
                where a.attgenerated = '' and a.attname not in ('task_pk', 'pk', 'created', 'modified')
            ) as inserted,
            string_agg(quote_ident(a.attname), ', ') filter (
                where a.attgenerated = '' and a.attname not in ('task_pk', 'pk', 'created', 'spectrum_pk')
            ) as updated
        from pg_class as c
        join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = here::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        group by c.oid
    loop
        continue when not one.columns @> results and not one.columns @> spectra and one.name <> 'source'::regclass;
        writes := case when one.columns @> results then writer else loader end;
        if one.in_shards then
            -- Rows are numbered by a function then, which wants its right.
            execute format(
                'grant usage on sequence %s to %s',
                pg_get_serial_sequence(one.name::text, case when writes = writer then 'task_pk' else 'pk' end), writes
            );
            execute format('grant insert, update on %s to %s', one.name, writes);
            set local citus.enable_ddl_propagation to off;
            execute format('revoke insert, update on %s from %s', one.name, writes);
        end if;
        execute format('grant insert (%s), update (%s) on %s to %s', one.inserted, one.updated, one.name, writes);
        set local citus.enable_ddl_propagation to on;
        if writes = writer then
            -- The time is the coordinator's, and the server that has the rows looks at its own clock.
            execute format(
                'create or replace trigger keep_result after update of v_astra, modified on %s for each row '
                'when (new.v_astra_major_minor <> old.v_astra_major_minor '
                'or new.modified > statement_timestamp()%s or new.modified = ''-infinity'') '
                'execute function keep_result()', one.name, case when one.in_shards then ' + interval ''1 minute''' else '' end
            );
        end if;
    end loop;
    -- A new spectrum takes the next number, and gets its row of `spectrum` in the same statement.
    if 'spectrum'::regclass::oid = any(distributed) then
        execute format('grant insert, update on spectrum to %s', loader);
        set local citus.enable_ddl_propagation to off;
        execute format('revoke insert, update on spectrum from %s', loader);
    end if;
    execute format('grant insert (pk, source_pk), update (source_pk) on spectrum to %s', loader);
    set local citus.enable_ddl_propagation to on;
    execute format('grant usage on sequence spectrum_pk_seq to %s', loader);
end
$$;

commit;
