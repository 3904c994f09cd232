-- Creates every table in one schema, and brings its comments and flag definitions up to date.
--
--     psql -v schema=astra -f schema/install.sql
--
-- Runs on PostgreSQL 15 to 18, as often as you like: what exists stays as it is. Everything happens in one
-- transaction, so that an error leaves nothing half-made. The user needs the right to create a schema
-- in the database, or to create tables in the schema if it exists.
--
-- The files included below say nothing of the schema: they write to the first one of search_path, which
-- is set here. They are listed in order, a table before those that refer to it.

\set ON_ERROR_STOP on

-- There is no default: one server may hold several schemas of these tables, and a forgotten variable
-- would quietly extend the wrong one.
\if :{?schema}
\else
do $$
begin
    raise exception 'no schema given'
        using hint = 'Name the schema to install into: psql -v schema=astra -f schema/install.sql';
end
$$;
\endif

begin;

set local client_min_messages = warning; -- "already exists, skipping" is what a second run is for
-- Two at once wait for each other: both would make what neither finds.
select pg_advisory_xact_lock(5317209464110857) as locked \gset
-- Asked first: `if not exists` wants the right to create schemas even where this one is there.
select to_regnamespace(quote_ident(:'schema')) is null as missing \gset
\if :missing
create schema :"schema";
\endif
set local search_path to :"schema";

\ir tables/source.sql
\ir tables/spectrum.sql
\ir tables/apogee_coadded_spectrum_in_apstar.sql
\ir tables/boss_visit_spectrum.sql
\ir tables/the_cannon.sql
\ir tables/snow_white.sql
\ir tables/aspcap.sql
\ir flag_definition.sql
\ir flag_functions.sql
\ir quality_views.sql

commit;
