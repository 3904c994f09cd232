-- Upgrade 6, after the new package, when nothing asks for the old names any more: the views that upgrade 1 left under them
-- go.
--
--     psql -v schema=astra -f schema/upgrades/0006_post_old_names_go.sql
--
-- Run it as the owner of the tables. Transaction: yes. Locks: exclusive on the two views, for milliseconds.
-- Rewrites: nothing. It is refused where a view of yours is made of one of these.
--
-- Undo: create view apogee_coadded_spectrum_in_apstar with (security_invoker = true) as
-- select * from apogee_coadded_spectrum_in_ap_star, the same for ..._quality, and
-- delete from schema_version where version = 6.

\set ON_ERROR_STOP on
\set number 6
\set upgrade 0006_post_old_names_go
\ir parts/begin.sql

drop view apogee_coadded_spectrum_in_apstar_quality;
drop view apogee_coadded_spectrum_in_apstar;

\ir parts/end.sql
