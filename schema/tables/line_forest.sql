-- Results of LineForest, one row for each spectrum and version.
--
-- A spectrum has one result in each major.minor version: a patch release replaces the row, a minor
-- release adds one. Sources and spectra that have results cannot be deleted.
-- It has no check against NaN, which would take 8 percent of a re-run and more at this width; to add one:
-- psql -v schema=... -v table=line_forest -f schema/add-ons/no_nan.sql

create table if not exists line_forest (
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

    -- H-alpha (6562.8 +/- 200A)
    eqw_h_alpha real,
    abs_h_alpha real,
    detection_stat_h_alpha real,
    detection_raw_h_alpha real,
    eqw_percentiles_h_alpha real[],
    abs_percentiles_h_alpha real[],

    -- H-beta (4861.3 +/- 200 A)
    eqw_h_beta real,
    abs_h_beta real,
    detection_stat_h_beta real,
    detection_raw_h_beta real,
    eqw_percentiles_h_beta real[],
    abs_percentiles_h_beta real[],

    -- H-gamma (4340.5 +/- 200 A)
    eqw_h_gamma real,
    abs_h_gamma real,
    detection_stat_h_gamma real,
    detection_raw_h_gamma real,
    eqw_percentiles_h_gamma real[],
    abs_percentiles_h_gamma real[],

    -- H-delta (4101.7 +/- 200 A)
    eqw_h_delta real,
    abs_h_delta real,
    detection_stat_h_delta real,
    detection_raw_h_delta real,
    eqw_percentiles_h_delta real[],
    abs_percentiles_h_delta real[],

    -- H-epsilon (3970.1 +/- 200 A)
    eqw_h_epsilon real,
    abs_h_epsilon real,
    detection_stat_h_epsilon real,
    detection_raw_h_epsilon real,
    eqw_percentiles_h_epsilon real[],
    abs_percentiles_h_epsilon real[],

    -- H-8 (3889.064 +/- 200 A)
    eqw_h_8 real,
    abs_h_8 real,
    detection_stat_h_8 real,
    detection_raw_h_8 real,
    eqw_percentiles_h_8 real[],
    abs_percentiles_h_8 real[],

    -- H-9 (3835.391 +/- 200 A)
    eqw_h_9 real,
    abs_h_9 real,
    detection_stat_h_9 real,
    detection_raw_h_9 real,
    eqw_percentiles_h_9 real[],
    abs_percentiles_h_9 real[],

    -- H-10 (3797.904 +/- 200 A)
    eqw_h_10 real,
    abs_h_10 real,
    detection_stat_h_10 real,
    detection_raw_h_10 real,
    eqw_percentiles_h_10 real[],
    abs_percentiles_h_10 real[],

    -- H-11 (3770.637 +/- 200 A)
    eqw_h_11 real,
    abs_h_11 real,
    detection_stat_h_11 real,
    detection_raw_h_11 real,
    eqw_percentiles_h_11 real[],
    abs_percentiles_h_11 real[],

    -- H-12 (3750.158 +/- 50 A)
    eqw_h_12 real,
    abs_h_12 real,
    detection_stat_h_12 real,
    detection_raw_h_12 real,
    eqw_percentiles_h_12 real[],
    abs_percentiles_h_12 real[],

    -- H-13 (3734.369 +/- 50 A)
    eqw_h_13 real,
    abs_h_13 real,
    detection_stat_h_13 real,
    detection_raw_h_13 real,
    eqw_percentiles_h_13 real[],
    abs_percentiles_h_13 real[],

    -- H-14 (3721.945 +/- 50 A)
    eqw_h_14 real,
    abs_h_14 real,
    detection_stat_h_14 real,
    detection_raw_h_14 real,
    eqw_percentiles_h_14 real[],
    abs_percentiles_h_14 real[],

    -- H-15 (3711.977 +/- 50 A)
    eqw_h_15 real,
    abs_h_15 real,
    detection_stat_h_15 real,
    detection_raw_h_15 real,
    eqw_percentiles_h_15 real[],
    abs_percentiles_h_15 real[],

    -- H-16 (3703.859 +/- 50 A)
    eqw_h_16 real,
    abs_h_16 real,
    detection_stat_h_16 real,
    detection_raw_h_16 real,
    eqw_percentiles_h_16 real[],
    abs_percentiles_h_16 real[],

    -- H-17 (3697.157 +/- 50 A)
    eqw_h_17 real,
    abs_h_17 real,
    detection_stat_h_17 real,
    detection_raw_h_17 real,
    eqw_percentiles_h_17 real[],
    abs_percentiles_h_17 real[],

    -- Pa-7 (10049.4889 +/- 200 A)
    eqw_pa_7 real,
    abs_pa_7 real,
    detection_stat_pa_7 real,
    detection_raw_pa_7 real,
    eqw_percentiles_pa_7 real[],
    abs_percentiles_pa_7 real[],

    -- Pa-8 (9546.0808 +/- 200 A)
    eqw_pa_8 real,
    abs_pa_8 real,
    detection_stat_pa_8 real,
    detection_raw_pa_8 real,
    eqw_percentiles_pa_8 real[],
    abs_percentiles_pa_8 real[],

    -- Pa-9 (9229.12 +/- 200 A)
    eqw_pa_9 real,
    abs_pa_9 real,
    detection_stat_pa_9 real,
    detection_raw_pa_9 real,
    eqw_percentiles_pa_9 real[],
    abs_percentiles_pa_9 real[],

    -- Pa-10 (9014.909 +/- 200 A)
    eqw_pa_10 real,
    abs_pa_10 real,
    detection_stat_pa_10 real,
    detection_raw_pa_10 real,
    eqw_percentiles_pa_10 real[],
    abs_percentiles_pa_10 real[],

    -- Pa-11 (8862.782 +/- 200 A)
    eqw_pa_11 real,
    abs_pa_11 real,
    detection_stat_pa_11 real,
    detection_raw_pa_11 real,
    eqw_percentiles_pa_11 real[],
    abs_percentiles_pa_11 real[],

    -- Pa-12 (8750.472 +/- 200 A)
    eqw_pa_12 real,
    abs_pa_12 real,
    detection_stat_pa_12 real,
    detection_raw_pa_12 real,
    eqw_percentiles_pa_12 real[],
    abs_percentiles_pa_12 real[],

    -- Pa-13 (8665.019 +/- 200 A)
    eqw_pa_13 real,
    abs_pa_13 real,
    detection_stat_pa_13 real,
    detection_raw_pa_13 real,
    eqw_percentiles_pa_13 real[],
    abs_percentiles_pa_13 real[],

    -- Pa-14 (8598.392 +/- 200 A)
    eqw_pa_14 real,
    abs_pa_14 real,
    detection_stat_pa_14 real,
    detection_raw_pa_14 real,
    eqw_percentiles_pa_14 real[],
    abs_percentiles_pa_14 real[],

    -- Pa-15 (8545.383 +/- 200 A)
    eqw_pa_15 real,
    abs_pa_15 real,
    detection_stat_pa_15 real,
    detection_raw_pa_15 real,
    eqw_percentiles_pa_15 real[],
    abs_percentiles_pa_15 real[],

    -- Pa-16 (8502.483 +/- 200 A)
    eqw_pa_16 real,
    abs_pa_16 real,
    detection_stat_pa_16 real,
    detection_raw_pa_16 real,
    eqw_percentiles_pa_16 real[],
    abs_percentiles_pa_16 real[],

    -- Pa-17 (8467.254 +/- 200 A)
    eqw_pa_17 real,
    abs_pa_17 real,
    detection_stat_pa_17 real,
    detection_raw_pa_17 real,
    eqw_percentiles_pa_17 real[],
    abs_percentiles_pa_17 real[],

    -- Ca II (8662.14 +/- 50 A)
    eqw_ca_ii_8662 real,
    abs_ca_ii_8662 real,
    detection_stat_ca_ii_8662 real,
    detection_raw_ca_ii_8662 real,
    eqw_percentiles_ca_ii_8662 real[],
    abs_percentiles_ca_ii_8662 real[],

    -- Ca II (8542.089 +/- 50 A)
    eqw_ca_ii_8542 real,
    abs_ca_ii_8542 real,
    detection_stat_ca_ii_8542 real,
    detection_raw_ca_ii_8542 real,
    eqw_percentiles_ca_ii_8542 real[],
    abs_percentiles_ca_ii_8542 real[],

    -- Ca II (8498.018 +/- 50 A)
    eqw_ca_ii_8498 real,
    abs_ca_ii_8498 real,
    detection_stat_ca_ii_8498 real,
    detection_raw_ca_ii_8498 real,
    eqw_percentiles_ca_ii_8498 real[],
    abs_percentiles_ca_ii_8498 real[],

    -- Ca K (3933.6614 +/- 200 A)
    eqw_ca_k_3933 real,
    abs_ca_k_3933 real,
    detection_stat_ca_k_3933 real,
    detection_raw_ca_k_3933 real,
    eqw_percentiles_ca_k_3933 real[],
    abs_percentiles_ca_k_3933 real[],

    -- Ca H (3968.4673 +/- 200 A)
    eqw_ca_h_3968 real,
    abs_ca_h_3968 real,
    detection_stat_ca_h_3968 real,
    detection_raw_ca_h_3968 real,
    eqw_percentiles_ca_h_3968 real[],
    abs_percentiles_ca_h_3968 real[],

    -- He I (6678.151 +/- 50 A)
    eqw_he_i_6678 real,
    abs_he_i_6678 real,
    detection_stat_he_i_6678 real,
    detection_raw_he_i_6678 real,
    eqw_percentiles_he_i_6678 real[],
    abs_percentiles_he_i_6678 real[],

    -- He I (5875.621 +/- 50 A)
    eqw_he_i_5875 real,
    abs_he_i_5875 real,
    detection_stat_he_i_5875 real,
    detection_raw_he_i_5875 real,
    eqw_percentiles_he_i_5875 real[],
    abs_percentiles_he_i_5875 real[],

    -- He I (5015.678 +/- 50 A)
    eqw_he_i_5015 real,
    abs_he_i_5015 real,
    detection_stat_he_i_5015 real,
    detection_raw_he_i_5015 real,
    eqw_percentiles_he_i_5015 real[],
    abs_percentiles_he_i_5015 real[],

    -- He I (4471.479 +/- 50 A)
    eqw_he_i_4471 real,
    abs_he_i_4471 real,
    detection_stat_he_i_4471 real,
    detection_raw_he_i_4471 real,
    eqw_percentiles_he_i_4471 real[],
    abs_percentiles_he_i_4471 real[],

    -- He II (4685.7 +/- 50 A)
    eqw_he_ii_4685 real,
    abs_he_ii_4685 real,
    detection_stat_he_ii_4685 real,
    detection_raw_he_ii_4685 real,
    eqw_percentiles_he_ii_4685 real[],
    abs_percentiles_he_ii_4685 real[],

    -- N II (6583.45 +/- 50 A)
    eqw_n_ii_6583 real,
    abs_n_ii_6583 real,
    detection_stat_n_ii_6583 real,
    detection_raw_n_ii_6583 real,
    eqw_percentiles_n_ii_6583 real[],
    abs_percentiles_n_ii_6583 real[],

    -- N II (6548.05 +/- 50 A)
    eqw_n_ii_6548 real,
    abs_n_ii_6548 real,
    detection_stat_n_ii_6548 real,
    detection_raw_n_ii_6548 real,
    eqw_percentiles_n_ii_6548 real[],
    abs_percentiles_n_ii_6548 real[],

    -- S II (6716.44 +/- 50 A)
    eqw_s_ii_6716 real,
    abs_s_ii_6716 real,
    detection_stat_s_ii_6716 real,
    detection_raw_s_ii_6716 real,
    eqw_percentiles_s_ii_6716 real[],
    abs_percentiles_s_ii_6716 real[],

    -- S II (6730.816 +/- 50 A)
    eqw_s_ii_6730 real,
    abs_s_ii_6730 real,
    detection_stat_s_ii_6730 real,
    detection_raw_s_ii_6730 real,
    eqw_percentiles_s_ii_6730 real[],
    abs_percentiles_s_ii_6730 real[],

    -- Fe II (5018.434 +/- 50 A)
    eqw_fe_ii_5018 real,
    abs_fe_ii_5018 real,
    detection_stat_fe_ii_5018 real,
    detection_raw_fe_ii_5018 real,
    eqw_percentiles_fe_ii_5018 real[],
    abs_percentiles_fe_ii_5018 real[],

    -- Fe II (5169.03 +/- 50 A)
    eqw_fe_ii_5169 real,
    abs_fe_ii_5169 real,
    detection_stat_fe_ii_5169 real,
    detection_raw_fe_ii_5169 real,
    eqw_percentiles_fe_ii_5169 real[],
    abs_percentiles_fe_ii_5169 real[],

    -- Fe II (5197.577 +/- 50 A)
    eqw_fe_ii_5197 real,
    abs_fe_ii_5197 real,
    detection_stat_fe_ii_5197 real,
    detection_raw_fe_ii_5197 real,
    eqw_percentiles_fe_ii_5197 real[],
    abs_percentiles_fe_ii_5197 real[],

    -- Fe II (6432.68 +/- 50 A)
    eqw_fe_ii_6432 real,
    abs_fe_ii_6432 real,
    detection_stat_fe_ii_6432 real,
    detection_raw_fe_ii_6432 real,
    eqw_percentiles_fe_ii_6432 real[],
    abs_percentiles_fe_ii_6432 real[],

    -- O I (5577.339 +/- 50 A)
    eqw_o_i_5577 real,
    abs_o_i_5577 real,
    detection_stat_o_i_5577 real,
    detection_raw_o_i_5577 real,
    eqw_percentiles_o_i_5577 real[],
    abs_percentiles_o_i_5577 real[],

    -- O I (6300.304 +/- 50 A)
    eqw_o_i_6300 real,
    abs_o_i_6300 real,
    detection_stat_o_i_6300 real,
    detection_raw_o_i_6300 real,
    eqw_percentiles_o_i_6300 real[],
    abs_percentiles_o_i_6300 real[],

    -- O I (6363.777 +/- 50 A)
    eqw_o_i_6363 real,
    abs_o_i_6363 real,
    detection_stat_o_i_6363 real,
    detection_raw_o_i_6363 real,
    eqw_percentiles_o_i_6363 real[],
    abs_percentiles_o_i_6363 real[],

    -- O II (3727.42 +/- 50 A)
    eqw_o_ii_3727 real,
    abs_o_ii_3727 real,
    detection_stat_o_ii_3727 real,
    detection_raw_o_ii_3727 real,
    eqw_percentiles_o_ii_3727 real[],
    abs_percentiles_o_ii_3727 real[],

    -- O III (4958.911 +/- 50 A)
    eqw_o_iii_4959 real,
    abs_o_iii_4959 real,
    detection_stat_o_iii_4959 real,
    detection_raw_o_iii_4959 real,
    eqw_percentiles_o_iii_4959 real[],
    abs_percentiles_o_iii_4959 real[],

    -- O III (5006.843 +/- 50 A)
    eqw_o_iii_5006 real,
    abs_o_iii_5006 real,
    detection_stat_o_iii_5006 real,
    detection_raw_o_iii_5006 real,
    eqw_percentiles_o_iii_5006 real[],
    abs_percentiles_o_iii_5006 real[],

    -- O III (4363.85 +/- 50 A)
    eqw_o_iii_4363 real,
    abs_o_iii_4363 real,
    detection_stat_o_iii_4363 real,
    detection_raw_o_iii_4363 real,
    eqw_percentiles_o_iii_4363 real[],
    abs_percentiles_o_iii_4363 real[],

    -- Li I (6707.76 +/- 50 A)
    eqw_li_i real,
    abs_li_i real,
    detection_stat_li_i real,
    detection_raw_li_i real,
    eqw_percentiles_li_i real[],
    abs_percentiles_li_i real[],

    constraint line_forest_pkey primary key (task_pk),
    constraint line_forest_spectrum_version_key unique (spectrum_pk, v_astra_major_minor),
    constraint line_forest_source_fkey foreign key (source_pk) references source (pk),
    constraint line_forest_spectrum_fkey foreign key (spectrum_pk) references spectrum (pk),
    constraint line_forest_version_check check (v_astra >= 0)
)
-- A re-run replaces all rows of a page in one transaction: with half of it free no index grows.
with (fillfactor = 50);

create index if not exists line_forest_source_idx on line_forest (source_pk);

comment on table line_forest is 'Results of LineForest: strengths of lines in BOSS spectra';

-- Identifiers
comment on column line_forest.task_pk is 'Key of this result';
comment on column line_forest.source_pk is 'Key of the source';
comment on column line_forest.spectrum_pk is 'Key of the spectrum';

-- Astra Metadata
comment on column line_forest.v_astra is 'Version of Astra: 6002 is 0.6.2';
comment on column line_forest.v_astra_major_minor is 'Version of Astra without its patch number';
comment on column line_forest.created is 'Time when the row was first stored';
comment on column line_forest.modified is 'Time when the row was last stored';
comment on column line_forest.t_elapsed is 'Time spent on this result [s]';
comment on column line_forest.t_overhead is 'Share of the time spent on overheads [s]';
comment on column line_forest.tag is 'Label of the run, free text';

-- H-alpha (6562.8 +/- 200A)
comment on column line_forest.eqw_h_alpha is 'Equivalent width of H-alpha [Angstrom]';
comment on column line_forest.abs_h_alpha is 'Strength of H-alpha over the continuum';
comment on column line_forest.detection_stat_h_alpha is 'Significance of H-alpha';
comment on column line_forest.detection_raw_h_alpha is 'Significance of H-alpha, uncalibrated';
comment on column line_forest.eqw_percentiles_h_alpha is 'Percentiles of eqw_h_alpha';
comment on column line_forest.abs_percentiles_h_alpha is 'Percentiles of abs_h_alpha';

-- H-beta (4861.3 +/- 200 A)
comment on column line_forest.eqw_h_beta is 'Equivalent width of H-beta [Angstrom]';
comment on column line_forest.abs_h_beta is 'Strength of H-beta over the continuum';
comment on column line_forest.detection_stat_h_beta is 'Significance of H-beta';
comment on column line_forest.detection_raw_h_beta is 'Significance of H-beta, uncalibrated';
comment on column line_forest.eqw_percentiles_h_beta is 'Percentiles of eqw_h_beta';
comment on column line_forest.abs_percentiles_h_beta is 'Percentiles of abs_h_beta';

-- H-gamma (4340.5 +/- 200 A)
comment on column line_forest.eqw_h_gamma is 'Equivalent width of H-gamma [Angstrom]';
comment on column line_forest.abs_h_gamma is 'Strength of H-gamma over the continuum';
comment on column line_forest.detection_stat_h_gamma is 'Significance of H-gamma';
comment on column line_forest.detection_raw_h_gamma is 'Significance of H-gamma, uncalibrated';
comment on column line_forest.eqw_percentiles_h_gamma is 'Percentiles of eqw_h_gamma';
comment on column line_forest.abs_percentiles_h_gamma is 'Percentiles of abs_h_gamma';

-- H-delta (4101.7 +/- 200 A)
comment on column line_forest.eqw_h_delta is 'Equivalent width of H-delta [Angstrom]';
comment on column line_forest.abs_h_delta is 'Strength of H-delta over the continuum';
comment on column line_forest.detection_stat_h_delta is 'Significance of H-delta';
comment on column line_forest.detection_raw_h_delta is 'Significance of H-delta, uncalibrated';
comment on column line_forest.eqw_percentiles_h_delta is 'Percentiles of eqw_h_delta';
comment on column line_forest.abs_percentiles_h_delta is 'Percentiles of abs_h_delta';

-- H-epsilon (3970.1 +/- 200 A)
comment on column line_forest.eqw_h_epsilon is 'Equivalent width of H-epsilon [Angstrom]';
comment on column line_forest.abs_h_epsilon is 'Strength of H-epsilon over the continuum';
comment on column line_forest.detection_stat_h_epsilon is 'Significance of H-epsilon';
comment on column line_forest.detection_raw_h_epsilon is 'Significance of H-epsilon, uncalibrated';
comment on column line_forest.eqw_percentiles_h_epsilon is 'Percentiles of eqw_h_epsilon';
comment on column line_forest.abs_percentiles_h_epsilon is 'Percentiles of abs_h_epsilon';

-- H-8 (3889.064 +/- 200 A)
comment on column line_forest.eqw_h_8 is 'Equivalent width of H-8 [Angstrom]';
comment on column line_forest.abs_h_8 is 'Strength of H-8 over the continuum';
comment on column line_forest.detection_stat_h_8 is 'Significance of H-8';
comment on column line_forest.detection_raw_h_8 is 'Significance of H-8, uncalibrated';
comment on column line_forest.eqw_percentiles_h_8 is 'Percentiles of eqw_h_8';
comment on column line_forest.abs_percentiles_h_8 is 'Percentiles of abs_h_8';

-- H-9 (3835.391 +/- 200 A)
comment on column line_forest.eqw_h_9 is 'Equivalent width of H-9 [Angstrom]';
comment on column line_forest.abs_h_9 is 'Strength of H-9 over the continuum';
comment on column line_forest.detection_stat_h_9 is 'Significance of H-9';
comment on column line_forest.detection_raw_h_9 is 'Significance of H-9, uncalibrated';
comment on column line_forest.eqw_percentiles_h_9 is 'Percentiles of eqw_h_9';
comment on column line_forest.abs_percentiles_h_9 is 'Percentiles of abs_h_9';

-- H-10 (3797.904 +/- 200 A)
comment on column line_forest.eqw_h_10 is 'Equivalent width of H-10 [Angstrom]';
comment on column line_forest.abs_h_10 is 'Strength of H-10 over the continuum';
comment on column line_forest.detection_stat_h_10 is 'Significance of H-10';
comment on column line_forest.detection_raw_h_10 is 'Significance of H-10, uncalibrated';
comment on column line_forest.eqw_percentiles_h_10 is 'Percentiles of eqw_h_10';
comment on column line_forest.abs_percentiles_h_10 is 'Percentiles of abs_h_10';

-- H-11 (3770.637 +/- 200 A)
comment on column line_forest.eqw_h_11 is 'Equivalent width of H-11 [Angstrom]';
comment on column line_forest.abs_h_11 is 'Strength of H-11 over the continuum';
comment on column line_forest.detection_stat_h_11 is 'Significance of H-11';
comment on column line_forest.detection_raw_h_11 is 'Significance of H-11, uncalibrated';
comment on column line_forest.eqw_percentiles_h_11 is 'Percentiles of eqw_h_11';
comment on column line_forest.abs_percentiles_h_11 is 'Percentiles of abs_h_11';

-- H-12 (3750.158 +/- 50 A)
comment on column line_forest.eqw_h_12 is 'Equivalent width of H-12 [Angstrom]';
comment on column line_forest.abs_h_12 is 'Strength of H-12 over the continuum';
comment on column line_forest.detection_stat_h_12 is 'Significance of H-12';
comment on column line_forest.detection_raw_h_12 is 'Significance of H-12, uncalibrated';
comment on column line_forest.eqw_percentiles_h_12 is 'Percentiles of eqw_h_12';
comment on column line_forest.abs_percentiles_h_12 is 'Percentiles of abs_h_12';

-- H-13 (3734.369 +/- 50 A)
comment on column line_forest.eqw_h_13 is 'Equivalent width of H-13 [Angstrom]';
comment on column line_forest.abs_h_13 is 'Strength of H-13 over the continuum';
comment on column line_forest.detection_stat_h_13 is 'Significance of H-13';
comment on column line_forest.detection_raw_h_13 is 'Significance of H-13, uncalibrated';
comment on column line_forest.eqw_percentiles_h_13 is 'Percentiles of eqw_h_13';
comment on column line_forest.abs_percentiles_h_13 is 'Percentiles of abs_h_13';

-- H-14 (3721.945 +/- 50 A)
comment on column line_forest.eqw_h_14 is 'Equivalent width of H-14 [Angstrom]';
comment on column line_forest.abs_h_14 is 'Strength of H-14 over the continuum';
comment on column line_forest.detection_stat_h_14 is 'Significance of H-14';
comment on column line_forest.detection_raw_h_14 is 'Significance of H-14, uncalibrated';
comment on column line_forest.eqw_percentiles_h_14 is 'Percentiles of eqw_h_14';
comment on column line_forest.abs_percentiles_h_14 is 'Percentiles of abs_h_14';

-- H-15 (3711.977 +/- 50 A)
comment on column line_forest.eqw_h_15 is 'Equivalent width of H-15 [Angstrom]';
comment on column line_forest.abs_h_15 is 'Strength of H-15 over the continuum';
comment on column line_forest.detection_stat_h_15 is 'Significance of H-15';
comment on column line_forest.detection_raw_h_15 is 'Significance of H-15, uncalibrated';
comment on column line_forest.eqw_percentiles_h_15 is 'Percentiles of eqw_h_15';
comment on column line_forest.abs_percentiles_h_15 is 'Percentiles of abs_h_15';

-- H-16 (3703.859 +/- 50 A)
comment on column line_forest.eqw_h_16 is 'Equivalent width of H-16 [Angstrom]';
comment on column line_forest.abs_h_16 is 'Strength of H-16 over the continuum';
comment on column line_forest.detection_stat_h_16 is 'Significance of H-16';
comment on column line_forest.detection_raw_h_16 is 'Significance of H-16, uncalibrated';
comment on column line_forest.eqw_percentiles_h_16 is 'Percentiles of eqw_h_16';
comment on column line_forest.abs_percentiles_h_16 is 'Percentiles of abs_h_16';

-- H-17 (3697.157 +/- 50 A)
comment on column line_forest.eqw_h_17 is 'Equivalent width of H-17 [Angstrom]';
comment on column line_forest.abs_h_17 is 'Strength of H-17 over the continuum';
comment on column line_forest.detection_stat_h_17 is 'Significance of H-17';
comment on column line_forest.detection_raw_h_17 is 'Significance of H-17, uncalibrated';
comment on column line_forest.eqw_percentiles_h_17 is 'Percentiles of eqw_h_17';
comment on column line_forest.abs_percentiles_h_17 is 'Percentiles of abs_h_17';

-- Pa-7 (10049.4889 +/- 200 A)
comment on column line_forest.eqw_pa_7 is 'Equivalent width of Pa-7 [Angstrom]';
comment on column line_forest.abs_pa_7 is 'Strength of Pa-7 over the continuum';
comment on column line_forest.detection_stat_pa_7 is 'Significance of Pa-7';
comment on column line_forest.detection_raw_pa_7 is 'Significance of Pa-7, uncalibrated';
comment on column line_forest.eqw_percentiles_pa_7 is 'Percentiles of eqw_pa_7';
comment on column line_forest.abs_percentiles_pa_7 is 'Percentiles of abs_pa_7';

-- Pa-8 (9546.0808 +/- 200 A)
comment on column line_forest.eqw_pa_8 is 'Equivalent width of Pa-8 [Angstrom]';
comment on column line_forest.abs_pa_8 is 'Strength of Pa-8 over the continuum';
comment on column line_forest.detection_stat_pa_8 is 'Significance of Pa-8';
comment on column line_forest.detection_raw_pa_8 is 'Significance of Pa-8, uncalibrated';
comment on column line_forest.eqw_percentiles_pa_8 is 'Percentiles of eqw_pa_8';
comment on column line_forest.abs_percentiles_pa_8 is 'Percentiles of abs_pa_8';

-- Pa-9 (9229.12 +/- 200 A)
comment on column line_forest.eqw_pa_9 is 'Equivalent width of Pa-9 [Angstrom]';
comment on column line_forest.abs_pa_9 is 'Strength of Pa-9 over the continuum';
comment on column line_forest.detection_stat_pa_9 is 'Significance of Pa-9';
comment on column line_forest.detection_raw_pa_9 is 'Significance of Pa-9, uncalibrated';
comment on column line_forest.eqw_percentiles_pa_9 is 'Percentiles of eqw_pa_9';
comment on column line_forest.abs_percentiles_pa_9 is 'Percentiles of abs_pa_9';

-- Pa-10 (9014.909 +/- 200 A)
comment on column line_forest.eqw_pa_10 is 'Equivalent width of Pa-10 [Angstrom]';
comment on column line_forest.abs_pa_10 is 'Strength of Pa-10 over the continuum';
comment on column line_forest.detection_stat_pa_10 is 'Significance of Pa-10';
comment on column line_forest.detection_raw_pa_10 is 'Significance of Pa-10, uncalibrated';
comment on column line_forest.eqw_percentiles_pa_10 is 'Percentiles of eqw_pa_10';
comment on column line_forest.abs_percentiles_pa_10 is 'Percentiles of abs_pa_10';

-- Pa-11 (8862.782 +/- 200 A)
comment on column line_forest.eqw_pa_11 is 'Equivalent width of Pa-11 [Angstrom]';
comment on column line_forest.abs_pa_11 is 'Strength of Pa-11 over the continuum';
comment on column line_forest.detection_stat_pa_11 is 'Significance of Pa-11';
comment on column line_forest.detection_raw_pa_11 is 'Significance of Pa-11, uncalibrated';
comment on column line_forest.eqw_percentiles_pa_11 is 'Percentiles of eqw_pa_11';
comment on column line_forest.abs_percentiles_pa_11 is 'Percentiles of abs_pa_11';

-- Pa-12 (8750.472 +/- 200 A)
comment on column line_forest.eqw_pa_12 is 'Equivalent width of Pa-12 [Angstrom]';
comment on column line_forest.abs_pa_12 is 'Strength of Pa-12 over the continuum';
comment on column line_forest.detection_stat_pa_12 is 'Significance of Pa-12';
comment on column line_forest.detection_raw_pa_12 is 'Significance of Pa-12, uncalibrated';
comment on column line_forest.eqw_percentiles_pa_12 is 'Percentiles of eqw_pa_12';
comment on column line_forest.abs_percentiles_pa_12 is 'Percentiles of abs_pa_12';

-- Pa-13 (8665.019 +/- 200 A)
comment on column line_forest.eqw_pa_13 is 'Equivalent width of Pa-13 [Angstrom]';
comment on column line_forest.abs_pa_13 is 'Strength of Pa-13 over the continuum';
comment on column line_forest.detection_stat_pa_13 is 'Significance of Pa-13';
comment on column line_forest.detection_raw_pa_13 is 'Significance of Pa-13, uncalibrated';
comment on column line_forest.eqw_percentiles_pa_13 is 'Percentiles of eqw_pa_13';
comment on column line_forest.abs_percentiles_pa_13 is 'Percentiles of abs_pa_13';

-- Pa-14 (8598.392 +/- 200 A)
comment on column line_forest.eqw_pa_14 is 'Equivalent width of Pa-14 [Angstrom]';
comment on column line_forest.abs_pa_14 is 'Strength of Pa-14 over the continuum';
comment on column line_forest.detection_stat_pa_14 is 'Significance of Pa-14';
comment on column line_forest.detection_raw_pa_14 is 'Significance of Pa-14, uncalibrated';
comment on column line_forest.eqw_percentiles_pa_14 is 'Percentiles of eqw_pa_14';
comment on column line_forest.abs_percentiles_pa_14 is 'Percentiles of abs_pa_14';

-- Pa-15 (8545.383 +/- 200 A)
comment on column line_forest.eqw_pa_15 is 'Equivalent width of Pa-15 [Angstrom]';
comment on column line_forest.abs_pa_15 is 'Strength of Pa-15 over the continuum';
comment on column line_forest.detection_stat_pa_15 is 'Significance of Pa-15';
comment on column line_forest.detection_raw_pa_15 is 'Significance of Pa-15, uncalibrated';
comment on column line_forest.eqw_percentiles_pa_15 is 'Percentiles of eqw_pa_15';
comment on column line_forest.abs_percentiles_pa_15 is 'Percentiles of abs_pa_15';

-- Pa-16 (8502.483 +/- 200 A)
comment on column line_forest.eqw_pa_16 is 'Equivalent width of Pa-16 [Angstrom]';
comment on column line_forest.abs_pa_16 is 'Strength of Pa-16 over the continuum';
comment on column line_forest.detection_stat_pa_16 is 'Significance of Pa-16';
comment on column line_forest.detection_raw_pa_16 is 'Significance of Pa-16, uncalibrated';
comment on column line_forest.eqw_percentiles_pa_16 is 'Percentiles of eqw_pa_16';
comment on column line_forest.abs_percentiles_pa_16 is 'Percentiles of abs_pa_16';

-- Pa-17 (8467.254 +/- 200 A)
comment on column line_forest.eqw_pa_17 is 'Equivalent width of Pa-17 [Angstrom]';
comment on column line_forest.abs_pa_17 is 'Strength of Pa-17 over the continuum';
comment on column line_forest.detection_stat_pa_17 is 'Significance of Pa-17';
comment on column line_forest.detection_raw_pa_17 is 'Significance of Pa-17, uncalibrated';
comment on column line_forest.eqw_percentiles_pa_17 is 'Percentiles of eqw_pa_17';
comment on column line_forest.abs_percentiles_pa_17 is 'Percentiles of abs_pa_17';

-- Ca II (8662.14 +/- 50 A)
comment on column line_forest.eqw_ca_ii_8662 is 'Equivalent width of Ca II 8662 [Angstrom]';
comment on column line_forest.abs_ca_ii_8662 is 'Strength of Ca II 8662 over the continuum';
comment on column line_forest.detection_stat_ca_ii_8662 is 'Significance of Ca II 8662';
comment on column line_forest.detection_raw_ca_ii_8662 is 'Significance of Ca II 8662, uncalibrated';
comment on column line_forest.eqw_percentiles_ca_ii_8662 is 'Percentiles of eqw_ca_ii_8662';
comment on column line_forest.abs_percentiles_ca_ii_8662 is 'Percentiles of abs_ca_ii_8662';

-- Ca II (8542.089 +/- 50 A)
comment on column line_forest.eqw_ca_ii_8542 is 'Equivalent width of Ca II 8542 [Angstrom]';
comment on column line_forest.abs_ca_ii_8542 is 'Strength of Ca II 8542 over the continuum';
comment on column line_forest.detection_stat_ca_ii_8542 is 'Significance of Ca II 8542';
comment on column line_forest.detection_raw_ca_ii_8542 is 'Significance of Ca II 8542, uncalibrated';
comment on column line_forest.eqw_percentiles_ca_ii_8542 is 'Percentiles of eqw_ca_ii_8542';
comment on column line_forest.abs_percentiles_ca_ii_8542 is 'Percentiles of abs_ca_ii_8542';

-- Ca II (8498.018 +/- 50 A)
comment on column line_forest.eqw_ca_ii_8498 is 'Equivalent width of Ca II 8498 [Angstrom]';
comment on column line_forest.abs_ca_ii_8498 is 'Strength of Ca II 8498 over the continuum';
comment on column line_forest.detection_stat_ca_ii_8498 is 'Significance of Ca II 8498';
comment on column line_forest.detection_raw_ca_ii_8498 is 'Significance of Ca II 8498, uncalibrated';
comment on column line_forest.eqw_percentiles_ca_ii_8498 is 'Percentiles of eqw_ca_ii_8498';
comment on column line_forest.abs_percentiles_ca_ii_8498 is 'Percentiles of abs_ca_ii_8498';

-- Ca K (3933.6614 +/- 200 A)
comment on column line_forest.eqw_ca_k_3933 is 'Equivalent width of Ca K 3933 [Angstrom]';
comment on column line_forest.abs_ca_k_3933 is 'Strength of Ca K 3933 over the continuum';
comment on column line_forest.detection_stat_ca_k_3933 is 'Significance of Ca K 3933';
comment on column line_forest.detection_raw_ca_k_3933 is 'Significance of Ca K 3933, uncalibrated';
comment on column line_forest.eqw_percentiles_ca_k_3933 is 'Percentiles of eqw_ca_k_3933';
comment on column line_forest.abs_percentiles_ca_k_3933 is 'Percentiles of abs_ca_k_3933';

-- Ca H (3968.4673 +/- 200 A)
comment on column line_forest.eqw_ca_h_3968 is 'Equivalent width of Ca H 3968 [Angstrom]';
comment on column line_forest.abs_ca_h_3968 is 'Strength of Ca H 3968 over the continuum';
comment on column line_forest.detection_stat_ca_h_3968 is 'Significance of Ca H 3968';
comment on column line_forest.detection_raw_ca_h_3968 is 'Significance of Ca H 3968, uncalibrated';
comment on column line_forest.eqw_percentiles_ca_h_3968 is 'Percentiles of eqw_ca_h_3968';
comment on column line_forest.abs_percentiles_ca_h_3968 is 'Percentiles of abs_ca_h_3968';

-- He I (6678.151 +/- 50 A)
comment on column line_forest.eqw_he_i_6678 is 'Equivalent width of He I 6678 [Angstrom]';
comment on column line_forest.abs_he_i_6678 is 'Strength of He I 6678 over the continuum';
comment on column line_forest.detection_stat_he_i_6678 is 'Significance of He I 6678';
comment on column line_forest.detection_raw_he_i_6678 is 'Significance of He I 6678, uncalibrated';
comment on column line_forest.eqw_percentiles_he_i_6678 is 'Percentiles of eqw_he_i_6678';
comment on column line_forest.abs_percentiles_he_i_6678 is 'Percentiles of abs_he_i_6678';

-- He I (5875.621 +/- 50 A)
comment on column line_forest.eqw_he_i_5875 is 'Equivalent width of He I 5875 [Angstrom]';
comment on column line_forest.abs_he_i_5875 is 'Strength of He I 5875 over the continuum';
comment on column line_forest.detection_stat_he_i_5875 is 'Significance of He I 5875';
comment on column line_forest.detection_raw_he_i_5875 is 'Significance of He I 5875, uncalibrated';
comment on column line_forest.eqw_percentiles_he_i_5875 is 'Percentiles of eqw_he_i_5875';
comment on column line_forest.abs_percentiles_he_i_5875 is 'Percentiles of abs_he_i_5875';

-- He I (5015.678 +/- 50 A)
comment on column line_forest.eqw_he_i_5015 is 'Equivalent width of He I 5015 [Angstrom]';
comment on column line_forest.abs_he_i_5015 is 'Strength of He I 5015 over the continuum';
comment on column line_forest.detection_stat_he_i_5015 is 'Significance of He I 5015';
comment on column line_forest.detection_raw_he_i_5015 is 'Significance of He I 5015, uncalibrated';
comment on column line_forest.eqw_percentiles_he_i_5015 is 'Percentiles of eqw_he_i_5015';
comment on column line_forest.abs_percentiles_he_i_5015 is 'Percentiles of abs_he_i_5015';

-- He I (4471.479 +/- 50 A)
comment on column line_forest.eqw_he_i_4471 is 'Equivalent width of He I 4471 [Angstrom]';
comment on column line_forest.abs_he_i_4471 is 'Strength of He I 4471 over the continuum';
comment on column line_forest.detection_stat_he_i_4471 is 'Significance of He I 4471';
comment on column line_forest.detection_raw_he_i_4471 is 'Significance of He I 4471, uncalibrated';
comment on column line_forest.eqw_percentiles_he_i_4471 is 'Percentiles of eqw_he_i_4471';
comment on column line_forest.abs_percentiles_he_i_4471 is 'Percentiles of abs_he_i_4471';

-- He II (4685.7 +/- 50 A)
comment on column line_forest.eqw_he_ii_4685 is 'Equivalent width of He II 4685 [Angstrom]';
comment on column line_forest.abs_he_ii_4685 is 'Strength of He II 4685 over the continuum';
comment on column line_forest.detection_stat_he_ii_4685 is 'Significance of He II 4685';
comment on column line_forest.detection_raw_he_ii_4685 is 'Significance of He II 4685, uncalibrated';
comment on column line_forest.eqw_percentiles_he_ii_4685 is 'Percentiles of eqw_he_ii_4685';
comment on column line_forest.abs_percentiles_he_ii_4685 is 'Percentiles of abs_he_ii_4685';

-- N II (6583.45 +/- 50 A)
comment on column line_forest.eqw_n_ii_6583 is 'Equivalent width of N II 6583 [Angstrom]';
comment on column line_forest.abs_n_ii_6583 is 'Strength of N II 6583 over the continuum';
comment on column line_forest.detection_stat_n_ii_6583 is 'Significance of N II 6583';
comment on column line_forest.detection_raw_n_ii_6583 is 'Significance of N II 6583, uncalibrated';
comment on column line_forest.eqw_percentiles_n_ii_6583 is 'Percentiles of eqw_n_ii_6583';
comment on column line_forest.abs_percentiles_n_ii_6583 is 'Percentiles of abs_n_ii_6583';

-- N II (6548.05 +/- 50 A)
comment on column line_forest.eqw_n_ii_6548 is 'Equivalent width of N II 6548 [Angstrom]';
comment on column line_forest.abs_n_ii_6548 is 'Strength of N II 6548 over the continuum';
comment on column line_forest.detection_stat_n_ii_6548 is 'Significance of N II 6548';
comment on column line_forest.detection_raw_n_ii_6548 is 'Significance of N II 6548, uncalibrated';
comment on column line_forest.eqw_percentiles_n_ii_6548 is 'Percentiles of eqw_n_ii_6548';
comment on column line_forest.abs_percentiles_n_ii_6548 is 'Percentiles of abs_n_ii_6548';

-- S II (6716.44 +/- 50 A)
comment on column line_forest.eqw_s_ii_6716 is 'Equivalent width of S II 6716 [Angstrom]';
comment on column line_forest.abs_s_ii_6716 is 'Strength of S II 6716 over the continuum';
comment on column line_forest.detection_stat_s_ii_6716 is 'Significance of S II 6716';
comment on column line_forest.detection_raw_s_ii_6716 is 'Significance of S II 6716, uncalibrated';
comment on column line_forest.eqw_percentiles_s_ii_6716 is 'Percentiles of eqw_s_ii_6716';
comment on column line_forest.abs_percentiles_s_ii_6716 is 'Percentiles of abs_s_ii_6716';

-- S II (6730.816 +/- 50 A)
comment on column line_forest.eqw_s_ii_6730 is 'Equivalent width of S II 6730 [Angstrom]';
comment on column line_forest.abs_s_ii_6730 is 'Strength of S II 6730 over the continuum';
comment on column line_forest.detection_stat_s_ii_6730 is 'Significance of S II 6730';
comment on column line_forest.detection_raw_s_ii_6730 is 'Significance of S II 6730, uncalibrated';
comment on column line_forest.eqw_percentiles_s_ii_6730 is 'Percentiles of eqw_s_ii_6730';
comment on column line_forest.abs_percentiles_s_ii_6730 is 'Percentiles of abs_s_ii_6730';

-- Fe II (5018.434 +/- 50 A)
comment on column line_forest.eqw_fe_ii_5018 is 'Equivalent width of Fe II 5018 [Angstrom]';
comment on column line_forest.abs_fe_ii_5018 is 'Strength of Fe II 5018 over the continuum';
comment on column line_forest.detection_stat_fe_ii_5018 is 'Significance of Fe II 5018';
comment on column line_forest.detection_raw_fe_ii_5018 is 'Significance of Fe II 5018, uncalibrated';
comment on column line_forest.eqw_percentiles_fe_ii_5018 is 'Percentiles of eqw_fe_ii_5018';
comment on column line_forest.abs_percentiles_fe_ii_5018 is 'Percentiles of abs_fe_ii_5018';

-- Fe II (5169.03 +/- 50 A)
comment on column line_forest.eqw_fe_ii_5169 is 'Equivalent width of Fe II 5169 [Angstrom]';
comment on column line_forest.abs_fe_ii_5169 is 'Strength of Fe II 5169 over the continuum';
comment on column line_forest.detection_stat_fe_ii_5169 is 'Significance of Fe II 5169';
comment on column line_forest.detection_raw_fe_ii_5169 is 'Significance of Fe II 5169, uncalibrated';
comment on column line_forest.eqw_percentiles_fe_ii_5169 is 'Percentiles of eqw_fe_ii_5169';
comment on column line_forest.abs_percentiles_fe_ii_5169 is 'Percentiles of abs_fe_ii_5169';

-- Fe II (5197.577 +/- 50 A)
comment on column line_forest.eqw_fe_ii_5197 is 'Equivalent width of Fe II 5197 [Angstrom]';
comment on column line_forest.abs_fe_ii_5197 is 'Strength of Fe II 5197 over the continuum';
comment on column line_forest.detection_stat_fe_ii_5197 is 'Significance of Fe II 5197';
comment on column line_forest.detection_raw_fe_ii_5197 is 'Significance of Fe II 5197, uncalibrated';
comment on column line_forest.eqw_percentiles_fe_ii_5197 is 'Percentiles of eqw_fe_ii_5197';
comment on column line_forest.abs_percentiles_fe_ii_5197 is 'Percentiles of abs_fe_ii_5197';

-- Fe II (6432.68 +/- 50 A)
comment on column line_forest.eqw_fe_ii_6432 is 'Equivalent width of Fe II 6432 [Angstrom]';
comment on column line_forest.abs_fe_ii_6432 is 'Strength of Fe II 6432 over the continuum';
comment on column line_forest.detection_stat_fe_ii_6432 is 'Significance of Fe II 6432';
comment on column line_forest.detection_raw_fe_ii_6432 is 'Significance of Fe II 6432, uncalibrated';
comment on column line_forest.eqw_percentiles_fe_ii_6432 is 'Percentiles of eqw_fe_ii_6432';
comment on column line_forest.abs_percentiles_fe_ii_6432 is 'Percentiles of abs_fe_ii_6432';

-- O I (5577.339 +/- 50 A)
comment on column line_forest.eqw_o_i_5577 is 'Equivalent width of O I 5577 [Angstrom]';
comment on column line_forest.abs_o_i_5577 is 'Strength of O I 5577 over the continuum';
comment on column line_forest.detection_stat_o_i_5577 is 'Significance of O I 5577';
comment on column line_forest.detection_raw_o_i_5577 is 'Significance of O I 5577, uncalibrated';
comment on column line_forest.eqw_percentiles_o_i_5577 is 'Percentiles of eqw_o_i_5577';
comment on column line_forest.abs_percentiles_o_i_5577 is 'Percentiles of abs_o_i_5577';

-- O I (6300.304 +/- 50 A)
comment on column line_forest.eqw_o_i_6300 is 'Equivalent width of O I 6300 [Angstrom]';
comment on column line_forest.abs_o_i_6300 is 'Strength of O I 6300 over the continuum';
comment on column line_forest.detection_stat_o_i_6300 is 'Significance of O I 6300';
comment on column line_forest.detection_raw_o_i_6300 is 'Significance of O I 6300, uncalibrated';
comment on column line_forest.eqw_percentiles_o_i_6300 is 'Percentiles of eqw_o_i_6300';
comment on column line_forest.abs_percentiles_o_i_6300 is 'Percentiles of abs_o_i_6300';

-- O I (6363.777 +/- 50 A)
comment on column line_forest.eqw_o_i_6363 is 'Equivalent width of O I 6363 [Angstrom]';
comment on column line_forest.abs_o_i_6363 is 'Strength of O I 6363 over the continuum';
comment on column line_forest.detection_stat_o_i_6363 is 'Significance of O I 6363';
comment on column line_forest.detection_raw_o_i_6363 is 'Significance of O I 6363, uncalibrated';
comment on column line_forest.eqw_percentiles_o_i_6363 is 'Percentiles of eqw_o_i_6363';
comment on column line_forest.abs_percentiles_o_i_6363 is 'Percentiles of abs_o_i_6363';

-- O II (3727.42 +/- 50 A)
comment on column line_forest.eqw_o_ii_3727 is 'Equivalent width of O II 3727 [Angstrom]';
comment on column line_forest.abs_o_ii_3727 is 'Strength of O II 3727 over the continuum';
comment on column line_forest.detection_stat_o_ii_3727 is 'Significance of O II 3727';
comment on column line_forest.detection_raw_o_ii_3727 is 'Significance of O II 3727, uncalibrated';
comment on column line_forest.eqw_percentiles_o_ii_3727 is 'Percentiles of eqw_o_ii_3727';
comment on column line_forest.abs_percentiles_o_ii_3727 is 'Percentiles of abs_o_ii_3727';

-- O III (4958.911 +/- 50 A)
comment on column line_forest.eqw_o_iii_4959 is 'Equivalent width of O III 4959 [Angstrom]';
comment on column line_forest.abs_o_iii_4959 is 'Strength of O III 4959 over the continuum';
comment on column line_forest.detection_stat_o_iii_4959 is 'Significance of O III 4959';
comment on column line_forest.detection_raw_o_iii_4959 is 'Significance of O III 4959, uncalibrated';
comment on column line_forest.eqw_percentiles_o_iii_4959 is 'Percentiles of eqw_o_iii_4959';
comment on column line_forest.abs_percentiles_o_iii_4959 is 'Percentiles of abs_o_iii_4959';

-- O III (5006.843 +/- 50 A)
comment on column line_forest.eqw_o_iii_5006 is 'Equivalent width of O III 5006 [Angstrom]';
comment on column line_forest.abs_o_iii_5006 is 'Strength of O III 5006 over the continuum';
comment on column line_forest.detection_stat_o_iii_5006 is 'Significance of O III 5006';
comment on column line_forest.detection_raw_o_iii_5006 is 'Significance of O III 5006, uncalibrated';
comment on column line_forest.eqw_percentiles_o_iii_5006 is 'Percentiles of eqw_o_iii_5006';
comment on column line_forest.abs_percentiles_o_iii_5006 is 'Percentiles of abs_o_iii_5006';

-- O III (4363.85 +/- 50 A)
comment on column line_forest.eqw_o_iii_4363 is 'Equivalent width of O III 4363 [Angstrom]';
comment on column line_forest.abs_o_iii_4363 is 'Strength of O III 4363 over the continuum';
comment on column line_forest.detection_stat_o_iii_4363 is 'Significance of O III 4363';
comment on column line_forest.detection_raw_o_iii_4363 is 'Significance of O III 4363, uncalibrated';
comment on column line_forest.eqw_percentiles_o_iii_4363 is 'Percentiles of eqw_o_iii_4363';
comment on column line_forest.abs_percentiles_o_iii_4363 is 'Percentiles of abs_o_iii_4363';

-- Li I (6707.76 +/- 50 A)
comment on column line_forest.eqw_li_i is 'Equivalent width of Li I [Angstrom]';
comment on column line_forest.abs_li_i is 'Strength of Li I over the continuum';
comment on column line_forest.detection_stat_li_i is 'Significance of Li I';
comment on column line_forest.detection_raw_li_i is 'Significance of Li I, uncalibrated';
comment on column line_forest.eqw_percentiles_li_i is 'Percentiles of eqw_li_i';
comment on column line_forest.abs_percentiles_li_i is 'Percentiles of abs_li_i';
