-- Upgrade 3, before the new package: an index by which the spectra of an object are found by its name.
--
--     psql -v schema=astra -f schema/upgrades/0003_pre_spectra_by_name.sql
--
-- Run it as the owner of the tables. Transaction: no, the index is built while others write (`concurrently`). Locks: none
-- that stops readers or writers; it waits for transactions that are open. If it is stopped, an index that is not valid
-- stays; run it again, which drops that first. Takes two passes over the table.
--
-- Undo, before upgrade 4: drop index concurrently astra.apogee_coadded_spectrum_in_ap_star_obj_idx, and
-- delete from schema_version where version = 3.

\set ON_ERROR_STOP on
\set number 3
\set upgrade 0003_pre_spectra_by_name
\ir parts/begin.sql
commit;

set search_path to :"schema";
set lock_timeout = 0;
set client_min_messages = warning;
drop index concurrently if exists apogee_coadded_spectrum_in_ap_star_obj_idx;
create index concurrently apogee_coadded_spectrum_in_ap_star_obj_idx
    on apogee_coadded_spectrum_in_ap_star (obj);

begin;
\ir parts/end.sql
