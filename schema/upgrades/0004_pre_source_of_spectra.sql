-- Upgrade 4, before the new package: spectrum.source_pk, by which a result with another source than its spectrum's is
-- refused, and one without is given it.
--
--     psql -v schema=astra -f schema/upgrades/0004_pre_source_of_spectra.sql
--
-- Run it as the owner of the tables; where schema/add-ons/roles.sql is used, run that afterwards. Transaction: two, one
-- for the column and one that fills it; if the second is stopped, run it again. Locks: exclusive on spectrum, for
-- milliseconds; then of its rows, which stops nobody but who deletes one. Rewrites: the rows of spectrum. Until the new
-- package is there: all goes on as before; a spectrum that yesterday's package stores has no source here. Afterwards
-- run schema/add-ons/sources_of_spectra.sql for those.
--
-- Undo, before upgrade 5: alter table astra.spectrum drop column source_pk, and
-- delete from schema_version where version = 4.

\set ON_ERROR_STOP on
\set number 4
\set upgrade 0004_pre_source_of_spectra
\ir parts/begin.sql
alter table spectrum add column if not exists source_pk bigint;
comment on column spectrum.source_pk is 'Key of the source; null where nobody said it';
commit;

begin;
set local search_path to :"schema";
set local client_min_messages = warning;
set local statement_timeout = 0; -- filling it takes as long as it takes
\ir parts/sources_of_spectra.sql
\ir parts/end.sql
