-- Upgrade 5, after the new package: what upgrade 2 refuses from then on is true of all rows.
--
--     psql -v schema=astra -f schema/upgrades/0005_post_validate_no_nan.sql
--
-- Run it as the owner of the tables. It fails, naming the table, where rows still hold NaN. Make NULL of them first:
-- psql -v schema=astra -v table=the_cannon -v mend=1 -f schema/add-ons/no_nan.sql
-- Transaction: yes. Locks: none that stops readers or writers; each table is read once. Rewrites: nothing.
--
-- Undo: not needed; delete from schema_version where version = 5.

\set ON_ERROR_STOP on
\set number 5
\set upgrade 0005_post_validate_no_nan
\ir parts/begin.sql

set local statement_timeout = 0; -- reading the largest table takes as long as it takes
alter table source validate constraint source_no_nan_check;
alter table apogee_coadded_spectrum_in_ap_star validate constraint apogee_coadded_spectrum_in_ap_star_no_nan_check;
alter table boss_visit_spectrum validate constraint boss_visit_spectrum_no_nan_check;
alter table the_cannon validate constraint the_cannon_no_nan_check;
alter table snow_white validate constraint snow_white_no_nan_check;

\ir parts/end.sql
