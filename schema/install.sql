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
--
-- A schema of an earlier release is refused until it has had the upgrades of schema/upgrades/.
--
-- Tables that nothing else needs, those of the further pipelines and spectra at the end, may be left out:
--
--     psql -v schema=astra -v without='line_forest the_payne' -f schema/install.sql
--
-- `astra-outputs check` then says that they are left out, and finds no fault. Another run adds them.

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

\if :{?without}
\else
\set without ''
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

\ir schema_version.sql
\ir schema_is_current.sql
\ir tables/source.sql
\ir tables/spectrum.sql
\ir tables/apogee_coadded_spectrum_in_ap_star.sql
\ir tables/boss_visit_spectrum.sql
\ir tables/the_cannon.sql
\ir tables/snow_white.sql
\ir tables/aspcap.sql
\ir flags/flag_definition.sql
\ir flags/flag_functions.sql
\ir flags/quality_views.sql

select
    'apogee_visit_spectrum' <> all (names) as apogee_visit_spectrum,
    'apogee_visit_spectrum_in_ap_star' <> all (names) as apogee_visit_spectrum_in_ap_star,
    'apogee_combined_spectrum' <> all (names) as apogee_combined_spectrum,
    'apogee_rest_frame_visit_spectrum' <> all (names) as apogee_rest_frame_visit_spectrum,
    'boss_combined_spectrum' <> all (names) as boss_combined_spectrum,
    'boss_rest_frame_visit_spectrum' <> all (names) as boss_rest_frame_visit_spectrum,
    'apogee_net' <> all (names) as apogee_net,
    'boss_net' <> all (names) as boss_net,
    'astro_nn' <> all (names) as astro_nn,
    'astro_nn_dist' <> all (names) as astro_nn_dist,
    'the_payne' <> all (names) as the_payne,
    'slam' <> all (names) as slam,
    'clam' <> all (names) as clam,
    'm_dwarf_type' <> all (names) as m_dwarf_type,
    'line_forest' <> all (names) as line_forest,
    'nmf_rectify' <> all (names) as nmf_rectify,
    'corv' <> all (names) as corv,
    'targeting_carton' <> all (names) as targeting_carton
from regexp_split_to_array(trim(:'without'), '[ ,]+') as names \gset
select set_config('astra_outputs.without', :'without', true) as without \gset
do $$
declare
    unknown constant text := (
        select string_agg(name, ', ')
        from regexp_split_to_table(trim(current_setting('astra_outputs.without')), '[ ,]+') as name
        where name <> '' and name <> all (array[
            'apogee_visit_spectrum', 'apogee_visit_spectrum_in_ap_star', 'apogee_combined_spectrum',
            'apogee_rest_frame_visit_spectrum', 'boss_combined_spectrum', 'boss_rest_frame_visit_spectrum',
            'apogee_net', 'boss_net', 'astro_nn', 'astro_nn_dist', 'the_payne', 'slam', 'clam',
            'm_dwarf_type', 'line_forest', 'nmf_rectify', 'corv', 'targeting_carton'
        ])
    );
begin
    if unknown is not null then
        raise exception 'no table can be left out of this name: %', unknown
            using hint = 'These can: see the end of schema/install.sql.';
    end if;
end
$$;

\if :apogee_visit_spectrum
\ir tables/apogee_visit_spectrum.sql
\endif
\if :apogee_visit_spectrum_in_ap_star
\ir tables/apogee_visit_spectrum_in_ap_star.sql
\endif
\if :apogee_combined_spectrum
\ir tables/apogee_combined_spectrum.sql
\endif
\if :apogee_rest_frame_visit_spectrum
\ir tables/apogee_rest_frame_visit_spectrum.sql
\endif
\if :boss_combined_spectrum
\ir tables/boss_combined_spectrum.sql
\endif
\if :boss_rest_frame_visit_spectrum
\ir tables/boss_rest_frame_visit_spectrum.sql
\endif
\if :apogee_net
\ir tables/apogee_net.sql
\endif
\if :boss_net
\ir tables/boss_net.sql
\endif
\if :astro_nn
\ir tables/astro_nn.sql
\endif
\if :astro_nn_dist
\ir tables/astro_nn_dist.sql
\endif
\if :the_payne
\ir tables/the_payne.sql
\endif
\if :slam
\ir tables/slam.sql
\endif
\if :clam
\ir tables/clam.sql
\endif
\if :m_dwarf_type
\ir tables/m_dwarf_type.sql
\endif
\if :line_forest
\ir tables/line_forest.sql
\endif
\if :nmf_rectify
\ir tables/nmf_rectify.sql
\endif
\if :corv
\ir tables/corv.sql
\endif
\if :targeting_carton
\ir flags/targeting_carton.sql
\endif

commit;
