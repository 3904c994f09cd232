-- An add-on: fills spectrum.source_pk where another program, which makes rows of `spectrum` with a key alone, stores
-- spectra (upstream's own writers do). While it is null nothing is known of the source: a result is stored with
-- whatever source it brings.
--
--     psql -v schema=astra -f schema/add-ons/sources_of_spectra.sql
--
-- Runs on PostgreSQL 15 to 18, as often as you like: each night, say. Run it as the owner of the tables, or as a
-- member of astra_loader. Locks: of the rows that change, which stops nobody but who deletes one.
--
-- Undo: update astra.spectrum set source_pk = null; no result changes.

\set ON_ERROR_STOP on

\if :{?schema}
\else
do $$
begin
    raise exception 'no schema given'
        using hint = 'Name it: psql -v schema=astra -f schema/add-ons/sources_of_spectra.sql';
end
$$;
\endif

begin;

set local client_min_messages = warning;
set local search_path to :"schema";
\ir ../upgrades/parts/sources_of_spectra.sql

commit;
