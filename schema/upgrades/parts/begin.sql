-- What each upgrade begins with: \set number and \set upgrade say which one it is. It opens a transaction.

\set ON_ERROR_STOP on

\if :{?schema}
\else
do $$
begin
    raise exception 'no schema given'
        using hint = 'Name the schema to upgrade: psql -v schema=astra -f schema/upgrades/...';
end
$$;
\endif

begin;

set local client_min_messages = warning;
set local lock_timeout = '10s'; -- who waits for a lock is waited for: rather try again than stop everyone
set local statement_timeout = '10min';
select set_config('astra_outputs.schema', :'schema', true) as schema \gset
do $$
begin
    if to_regclass(quote_ident(current_setting('astra_outputs.schema')) || '.flag_definition') is null then
        raise exception 'there are no tables of astra_outputs in schema %', current_setting('astra_outputs.schema')
            using hint = 'Make them: psql -v schema=... -f schema/install.sql';
    end if;
end
$$;
set local search_path to :"schema";
-- Who applies the schema, upgrades it and grants rights on it wait for each other.
select pg_advisory_xact_lock(5317209464110857) as locked \gset
\ir ../../schema_version.sql
select set_config('astra_outputs.upgrade', :'number', true) as upgrade \gset

do $$
declare
    number constant integer := current_setting('astra_outputs.upgrade');
    reached constant integer := (select max(version) from schema_version);
begin
    if number <= reached then
        raise exception 'schema % has upgrade % already: it is of version %', current_schema(), number, reached
            using hint = 'Nothing was done. Table schema_version says when, and by whom.';
    elsif number > reached + 1 then
        raise exception 'schema % is of version %: upgrade % comes later', current_schema(), reached, number
            using hint = format(
                'Apply those before it first, in the order of their numbers: %s is next.',
                to_char(reached + 1, 'FM0000')
            );
    end if;
end
$$;
