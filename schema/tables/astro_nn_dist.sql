-- Results of AstroNNdist, one row for each spectrum and version.
--
-- A spectrum has one result in each major.minor version: a patch release replaces the row, a minor
-- release adds one. Sources and spectra that have results cannot be deleted.
-- Run after schema/flags: the names of its bits and the view of its quality stand below.

create table if not exists astro_nn_dist (
    -- Identifiers
    task_pk bigint generated always as identity,
    source_pk bigint,
    spectrum_pk bigint not null,

    -- Astra Metadata
    v_astra integer not null,
    v_astra_major_minor integer not null generated always as (v_astra / 1000) stored,
    created timestamptz not null default statement_timestamp(),
    modified timestamptz not null default statement_timestamp(),
    t_elapsed real,
    t_overhead real,
    tag text not null default '',

    -- Stellar Labels
    k_mag real,
    ebv real,
    "A_k_mag" real,
    "L_fakemag" real,
    "e_L_fakemag" real,
    dist real,
    e_dist real,

    -- Summary Statistics
    result_flags bigint not null default 0,

    constraint astro_nn_dist_pkey primary key (task_pk),
    constraint astro_nn_dist_spectrum_version_key unique (spectrum_pk, v_astra_major_minor),
    constraint astro_nn_dist_source_fkey foreign key (source_pk) references source (pk),
    constraint astro_nn_dist_spectrum_fkey foreign key (spectrum_pk) references spectrum (pk),
    constraint astro_nn_dist_version_check check (v_astra >= 0),
    constraint astro_nn_dist_no_nan_check check (
        greatest(
            t_elapsed, t_overhead, k_mag, ebv, "A_k_mag", "L_fakemag", "e_L_fakemag", dist, e_dist
        ) <> 'NaN'
    )
)
-- A re-run replaces all rows of a page in one transaction: with half of it free no index grows.
with (fillfactor = 50);

create index if not exists astro_nn_dist_source_idx on astro_nn_dist (source_pk);

comment on table astro_nn_dist is 'Results of AstroNNdist: distances from APOGEE spectra';

-- Identifiers
comment on column astro_nn_dist.task_pk is 'Key of this result';
comment on column astro_nn_dist.source_pk is 'Key of the source';
comment on column astro_nn_dist.spectrum_pk is 'Key of the spectrum';

-- Astra Metadata
comment on column astro_nn_dist.v_astra is 'Version of Astra: 6002 is 0.6.2';
comment on column astro_nn_dist.v_astra_major_minor is 'Version of Astra without its patch number';
comment on column astro_nn_dist.created is 'Time when the row was first stored';
comment on column astro_nn_dist.modified is 'Time when the row was last stored';
comment on column astro_nn_dist.t_elapsed is 'Time spent on this result [s]';
comment on column astro_nn_dist.t_overhead is 'Share of the time spent on overheads [s]';
comment on column astro_nn_dist.tag is 'Label of the run, free text';

-- Stellar Labels
comment on column astro_nn_dist.k_mag is 'Ks magnitude, 2MASS [mag]';
comment on column astro_nn_dist.ebv is 'Reddening E(B-V) [mag]';
comment on column astro_nn_dist."A_k_mag" is 'Extinction in Ks [mag]';
comment on column astro_nn_dist."L_fakemag" is 'Luminosity in Ks as a pseudo-magnitude';
comment on column astro_nn_dist."e_L_fakemag" is 'Error of L_fakemag';
comment on column astro_nn_dist.dist is 'Distance [pc]';
comment on column astro_nn_dist.e_dist is 'Error of dist [pc]';

-- Summary Statistics
comment on column astro_nn_dist.result_flags is 'Quality of the result';

-- Flags: one line for each bit
-- noqa: disable=layout.long_lines

insert into flag_definition (table_name, column_name, bit, name, meaning)
values
('astro_nn_dist', 'result_flags', 0, 'fakemag_unreliable', 'Luminosity is unreliable'),
('astro_nn_dist', 'result_flags', 1, 'missing_photometry', 'No Ks magnitude'),
('astro_nn_dist', 'result_flags', 2, 'missing_extinction', 'No extinction'),
('astro_nn_dist', 'result_flags', 11, 'no_result', 'No result for this spectrum')
on conflict on constraint flag_definition_pkey do update
    set bit = excluded.bit, meaning = excluded.meaning
    where (flag_definition.bit, flag_definition.meaning) is distinct from (excluded.bit, excluded.meaning);

-- What quality_views.sql says of other tables.
-- noqa: disable=structure.column_order,ambiguous.column_count

create or replace view astro_nn_dist_quality with (security_invoker = true) as
select
    astro_nn_dist.result_flags > 0 as flag_warn,
    astro_nn_dist.result_flags
    & (
        flag_mask('astro_nn_dist', 'result_flags', 'fakemag_unreliable')
        | flag_mask('astro_nn_dist', 'result_flags', 'missing_photometry')
        | flag_mask('astro_nn_dist', 'result_flags', 'no_result')
    ) <> 0 as flag_bad,
    astro_nn_dist.*
from astro_nn_dist;

comment on view astro_nn_dist_quality is 'Results of AstroNNdist with the summaries of their flags';
comment on column astro_nn_dist_quality.flag_warn is 'Whether any quality flag is set';
comment on column astro_nn_dist_quality.flag_bad is 'Whether a flag is set that makes the result bad';
