-- Puts every sequence of a schema behind the rows that are there: after rows came in with numbers of their own, by a
-- restored dump of single tables or by logical replication, which carries no sequences.
--
--     psql -v schema=astra -f schema/add-ons/sequences.sql
--
-- Runs on PostgreSQL 15 to 18, as often as you like; a sequence that is ahead stays where it is. Run it as the owner of the
-- tables or a superuser, while nobody writes: writers may be told once that a number is taken. Nothing to undo.

\set ON_ERROR_STOP on

\if :{?schema}
\else
do $$
begin
    raise exception 'no schema given'
        using hint = 'Name the schema of the sequences: psql -v schema=astra -f schema/add-ons/sequences.sql';
end
$$;
\endif

begin;

set local search_path to :"schema";
set local citus.override_table_visibility to on; -- of a table that Citus distributes not the shards

do $$
declare
    last bigint;
    greatest_key bigint;
    one record;
begin
    for one in
        select sequences.oid::regclass as name, tables.oid::regclass as of_table, quote_ident(columns.attname) as key
        from pg_class as sequences
        join pg_depend as owned
            on owned.classid = 'pg_class'::regclass and owned.objid = sequences.oid and owned.deptype in ('a', 'i')
            and owned.refclassid = 'pg_class'::regclass
        join pg_class as tables on tables.oid = owned.refobjid
        join pg_attribute as columns on columns.attrelid = tables.oid and columns.attnum = owned.refobjsubid
        where sequences.relkind = 'S' and sequences.relnamespace = quote_ident(current_schema())::regnamespace
    loop
        execute format('select max(%s) from %s', one.key, one.of_table) into greatest_key;
        execute format('select case when is_called then last_value else last_value - 1 end from %s', one.name) into last;
        if greatest_key > last then
            perform setval(one.name, greatest_key);
            raise notice '%: % behind, set to %', one.name, greatest_key - last, greatest_key;
        end if;
    end loop;
end
$$;

commit;
