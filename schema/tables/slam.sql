-- Results of Slam, one row for each spectrum and version.
--
-- A spectrum has one result in each major.minor version: a patch release replaces the row, a minor
-- release adds one. Sources and spectra that have results cannot be deleted.
-- Run after schema/flags: the names of its bits and the view of its quality stand below.

create table if not exists slam (
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
    teff real,
    e_teff real,
    logg real,
    e_logg real,
    fe_h real,
    e_fe_h real,
    fe_h_niu real,
    e_fe_h_niu real,
    alpha_fe real,
    e_alpha_fe real,

    -- Correlation Coefficients
    rho_teff_logg real,
    rho_teff_fe_h real,
    rho_teff_fe_h_niu real,
    rho_teff_alpha_fe real,
    rho_logg_fe_h_niu real,
    rho_logg_alpha_fe real,
    rho_logg_fe_h real,
    rho_fe_h_fe_h_niu real,
    rho_fe_h_alpha_fe real,

    -- Initial Labels
    initial_teff real,
    initial_logg real,
    initial_fe_h real,
    initial_alpha_fe real,
    initial_fe_h_niu real,

    -- Metadata
    success boolean not null,
    status integer not null,
    optimality boolean not null,
    result_flags bigint not null default 0,

    -- Summary Statistics
    chi2 real not null,
    rchi2 real not null,

    constraint slam_pkey primary key (task_pk),
    constraint slam_spectrum_version_key unique (spectrum_pk, v_astra_major_minor),
    constraint slam_source_fkey foreign key (source_pk) references source (pk),
    constraint slam_spectrum_fkey foreign key (spectrum_pk) references spectrum (pk),
    constraint slam_version_check check (v_astra >= 0),
    constraint slam_no_nan_check check (
        greatest(
            t_elapsed, t_overhead, teff, e_teff, logg, e_logg, fe_h, e_fe_h, fe_h_niu, e_fe_h_niu, alpha_fe,
            e_alpha_fe, rho_teff_logg, rho_teff_fe_h, rho_teff_fe_h_niu, rho_teff_alpha_fe, rho_logg_fe_h_niu,
            rho_logg_alpha_fe, rho_logg_fe_h, rho_fe_h_fe_h_niu, rho_fe_h_alpha_fe, initial_teff,
            initial_logg, initial_fe_h, initial_alpha_fe, initial_fe_h_niu, chi2, rchi2
        ) <> 'NaN'
    )
)
-- A re-run replaces all rows of a page in one transaction: with half of it free no index grows.
with (fillfactor = 50);

create index if not exists slam_source_idx on slam (source_pk);

comment on table slam is 'Results of Slam: stellar labels of M dwarfs from BOSS spectra';

-- Identifiers
comment on column slam.task_pk is 'Key of this result';
comment on column slam.source_pk is 'Key of the source';
comment on column slam.spectrum_pk is 'Key of the spectrum';

-- Astra Metadata
comment on column slam.v_astra is 'Version of Astra: 6002 is 0.6.2';
comment on column slam.v_astra_major_minor is 'Version of Astra without its patch number';
comment on column slam.created is 'Time when the row was first stored';
comment on column slam.modified is 'Time when the row was last stored';
comment on column slam.t_elapsed is 'Time spent on this result [s]';
comment on column slam.t_overhead is 'Share of the time spent on overheads [s]';
comment on column slam.tag is 'Label of the run, free text';

-- Stellar Labels
comment on column slam.teff is 'Effective temperature [K]';
comment on column slam.e_teff is 'Error of teff [K]';
comment on column slam.logg is 'Surface gravity [dex]';
comment on column slam.e_logg is 'Error of logg [dex]';
comment on column slam.fe_h is 'Abundance [Fe/H] [dex]';
comment on column slam.e_fe_h is 'Error of fe_h [dex]';
comment on column slam.fe_h_niu is 'Abundance [Fe/H] on the scale of Niu et al. [dex]';
comment on column slam.e_fe_h_niu is 'Error of fe_h_niu [dex]';
comment on column slam.alpha_fe is 'Abundance [alpha/Fe] [dex]';
comment on column slam.e_alpha_fe is 'Error of alpha_fe [dex]';

-- Correlation Coefficients
comment on column slam.rho_teff_logg is 'Correlation of teff and logg';
comment on column slam.rho_teff_fe_h is 'Correlation of teff and fe_h';
comment on column slam.rho_teff_fe_h_niu is 'Correlation of teff and fe_h_niu';
comment on column slam.rho_teff_alpha_fe is 'Correlation of teff and alpha_fe';
comment on column slam.rho_logg_fe_h_niu is 'Correlation of logg and fe_h_niu';
comment on column slam.rho_logg_alpha_fe is 'Correlation of logg and alpha_fe';
comment on column slam.rho_logg_fe_h is 'Correlation of logg and fe_h';
comment on column slam.rho_fe_h_fe_h_niu is 'Correlation of fe_h and fe_h_niu';
comment on column slam.rho_fe_h_alpha_fe is 'Correlation of fe_h and alpha_fe';

-- Initial Labels
comment on column slam.initial_teff is 'Starting point of teff [K]';
comment on column slam.initial_logg is 'Starting point of logg [dex]';
comment on column slam.initial_fe_h is 'Starting point of fe_h [dex]';
comment on column slam.initial_alpha_fe is 'Starting point of alpha_fe [dex]';
comment on column slam.initial_fe_h_niu is 'Starting point of fe_h_niu [dex]';

-- Metadata
comment on column slam.success is 'Whether the optimiser ended well';
comment on column slam.status is 'Status of the optimiser';
comment on column slam.optimality is 'Whether the optimum was reached';
comment on column slam.result_flags is 'Quality of the result';

-- Summary Statistics
comment on column slam.chi2 is 'Chi-squared of the fit';
comment on column slam.rchi2 is 'Reduced chi-squared of the fit';

-- Flags: one line for each bit
-- noqa: disable=layout.long_lines

insert into flag_definition (table_name, column_name, bit, name, meaning)
values
('slam', 'result_flags', 0, 'bad_optimizer_status', 'Optimiser did not end well'),
('slam', 'result_flags', 1, 'teff_outside_bounds', 'teff is outside 2,800 to 4,500 K'),
('slam', 'result_flags', 2, 'fe_h_outside_bounds', 'fe_h is outside the range of the training set'),
('slam', 'result_flags', 3, 'outside_photometry_range', 'Colour or magnitude is not that of an M dwarf')
on conflict on constraint flag_definition_pkey do update
    set bit = excluded.bit, meaning = excluded.meaning
    where (flag_definition.bit, flag_definition.meaning) is distinct from (excluded.bit, excluded.meaning);

-- What quality_views.sql says of other tables.
-- noqa: disable=structure.column_order,ambiguous.column_count

create or replace view slam_quality with (security_invoker = true) as
select
    slam.result_flags
    & (
        flag_mask('slam', 'result_flags', 'bad_optimizer_status')
        | flag_mask('slam', 'result_flags', 'outside_photometry_range')
    ) <> 0 as flag_warn,
    slam.result_flags
    & (
        flag_mask('slam', 'result_flags', 'bad_optimizer_status')
        | flag_mask('slam', 'result_flags', 'teff_outside_bounds')
        | flag_mask('slam', 'result_flags', 'fe_h_outside_bounds')
        | flag_mask('slam', 'result_flags', 'outside_photometry_range')
    ) <> 0 as flag_bad,
    slam.*
from slam;

comment on view slam_quality is 'Results of Slam with the summaries of their flags';
comment on column slam_quality.flag_warn is 'Whether the optimiser failed or the photometry is no M dwarfs';
comment on column slam_quality.flag_bad is 'Whether a flag is set that makes the result bad';
