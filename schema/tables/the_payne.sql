-- Results of The Payne, one row for each spectrum and version.
--
-- A spectrum has one result in each major.minor version: a patch release replaces the row, a minor
-- release adds one. Sources and spectra that have results cannot be deleted.
-- Run after schema/flags: the names of its bits stand below.
-- It has no check against NaN, which would take 8 percent of a re-run and more at this width; to add one:
-- psql -v schema=... -v table=the_payne -f schema/add-ons/no_nan.sql

create table if not exists the_payne (
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
    v_rel real,
    teff real,
    e_teff real,
    logg real,
    e_logg real,
    v_turb real,
    e_v_turb real,
    c_h real,
    e_c_h real,
    n_h real,
    e_n_h real,
    o_h real,
    e_o_h real,
    na_h real,
    e_na_h real,
    mg_h real,
    e_mg_h real,
    al_h real,
    e_al_h real,
    si_h real,
    e_si_h real,
    p_h real,
    e_p_h real,
    s_h real,
    e_s_h real,
    k_h real,
    e_k_h real,
    ca_h real,
    e_ca_h real,
    ti_h real,
    e_ti_h real,
    v_h real,
    e_v_h real,
    cr_h real,
    e_cr_h real,
    mn_h real,
    e_mn_h real,
    fe_h real,
    e_fe_h real,
    co_h real,
    e_co_h real,
    ni_h real,
    e_ni_h real,
    cu_h real,
    e_cu_h real,
    ge_h real,
    e_ge_h real,
    c12_c13 real,
    e_c12_c13 real,
    v_macro real,
    e_v_macro real,

    -- Summary Statistics
    chi2 real,
    reduced_chi2 real,
    result_flags bigint not null default 0,

    -- Formal uncertainties
    raw_e_teff real,
    raw_e_logg real,
    raw_e_v_turb real,
    raw_e_c_h real,
    raw_e_n_h real,
    raw_e_o_h real,
    raw_e_na_h real,
    raw_e_mg_h real,
    raw_e_al_h real,
    raw_e_si_h real,
    raw_e_p_h real,
    raw_e_s_h real,
    raw_e_k_h real,
    raw_e_ca_h real,
    raw_e_ti_h real,
    raw_e_v_h real,
    raw_e_cr_h real,
    raw_e_mn_h real,
    raw_e_fe_h real,
    raw_e_co_h real,
    raw_e_ni_h real,
    raw_e_cu_h real,
    raw_e_ge_h real,
    raw_e_c12_c13 real,
    raw_e_v_macro real,

    -- Correlation Coefficients
    rho_teff_logg real,
    rho_teff_v_turb real,
    rho_teff_c_h real,
    rho_teff_n_h real,
    rho_teff_o_h real,
    rho_teff_na_h real,
    rho_teff_mg_h real,
    rho_teff_al_h real,
    rho_teff_si_h real,
    rho_teff_p_h real,
    rho_teff_s_h real,
    rho_teff_k_h real,
    rho_teff_ca_h real,
    rho_teff_ti_h real,
    rho_teff_v_h real,
    rho_teff_cr_h real,
    rho_teff_mn_h real,
    rho_teff_fe_h real,
    rho_teff_co_h real,
    rho_teff_ni_h real,
    rho_teff_cu_h real,
    rho_teff_ge_h real,
    rho_teff_c12_c13 real,
    rho_teff_v_macro real,
    rho_logg_v_turb real,
    rho_logg_c_h real,
    rho_logg_n_h real,
    rho_logg_o_h real,
    rho_logg_na_h real,
    rho_logg_mg_h real,
    rho_logg_al_h real,
    rho_logg_si_h real,
    rho_logg_p_h real,
    rho_logg_s_h real,
    rho_logg_k_h real,
    rho_logg_ca_h real,
    rho_logg_ti_h real,
    rho_logg_v_h real,
    rho_logg_cr_h real,
    rho_logg_mn_h real,
    rho_logg_fe_h real,
    rho_logg_co_h real,
    rho_logg_ni_h real,
    rho_logg_cu_h real,
    rho_logg_ge_h real,
    rho_logg_c12_c13 real,
    rho_logg_v_macro real,
    rho_v_turb_c_h real,
    rho_v_turb_n_h real,
    rho_v_turb_o_h real,
    rho_v_turb_na_h real,
    rho_v_turb_mg_h real,
    rho_v_turb_al_h real,
    rho_v_turb_si_h real,
    rho_v_turb_p_h real,
    rho_v_turb_s_h real,
    rho_v_turb_k_h real,
    rho_v_turb_ca_h real,
    rho_v_turb_ti_h real,
    rho_v_turb_v_h real,
    rho_v_turb_cr_h real,
    rho_v_turb_mn_h real,
    rho_v_turb_fe_h real,
    rho_v_turb_co_h real,
    rho_v_turb_ni_h real,
    rho_v_turb_cu_h real,
    rho_v_turb_ge_h real,
    rho_v_turb_c12_c13 real,
    rho_v_turb_v_macro real,
    rho_c_h_n_h real,
    rho_c_h_o_h real,
    rho_c_h_na_h real,
    rho_c_h_mg_h real,
    rho_c_h_al_h real,
    rho_c_h_si_h real,
    rho_c_h_p_h real,
    rho_c_h_s_h real,
    rho_c_h_k_h real,
    rho_c_h_ca_h real,
    rho_c_h_ti_h real,
    rho_c_h_v_h real,
    rho_c_h_cr_h real,
    rho_c_h_mn_h real,
    rho_c_h_fe_h real,
    rho_c_h_co_h real,
    rho_c_h_ni_h real,
    rho_c_h_cu_h real,
    rho_c_h_ge_h real,
    rho_c_h_c12_c13 real,
    rho_c_h_v_macro real,
    rho_n_h_o_h real,
    rho_n_h_na_h real,
    rho_n_h_mg_h real,
    rho_n_h_al_h real,
    rho_n_h_si_h real,
    rho_n_h_p_h real,
    rho_n_h_s_h real,
    rho_n_h_k_h real,
    rho_n_h_ca_h real,
    rho_n_h_ti_h real,
    rho_n_h_v_h real,
    rho_n_h_cr_h real,
    rho_n_h_mn_h real,
    rho_n_h_fe_h real,
    rho_n_h_co_h real,
    rho_n_h_ni_h real,
    rho_n_h_cu_h real,
    rho_n_h_ge_h real,
    rho_n_h_c12_c13 real,
    rho_n_h_v_macro real,
    rho_o_h_na_h real,
    rho_o_h_mg_h real,
    rho_o_h_al_h real,
    rho_o_h_si_h real,
    rho_o_h_p_h real,
    rho_o_h_s_h real,
    rho_o_h_k_h real,
    rho_o_h_ca_h real,
    rho_o_h_ti_h real,
    rho_o_h_v_h real,
    rho_o_h_cr_h real,
    rho_o_h_mn_h real,
    rho_o_h_fe_h real,
    rho_o_h_co_h real,
    rho_o_h_ni_h real,
    rho_o_h_cu_h real,
    rho_o_h_ge_h real,
    rho_o_h_c12_c13 real,
    rho_o_h_v_macro real,
    rho_na_h_mg_h real,
    rho_na_h_al_h real,
    rho_na_h_si_h real,
    rho_na_h_p_h real,
    rho_na_h_s_h real,
    rho_na_h_k_h real,
    rho_na_h_ca_h real,
    rho_na_h_ti_h real,
    rho_na_h_v_h real,
    rho_na_h_cr_h real,
    rho_na_h_mn_h real,
    rho_na_h_fe_h real,
    rho_na_h_co_h real,
    rho_na_h_ni_h real,
    rho_na_h_cu_h real,
    rho_na_h_ge_h real,
    rho_na_h_c12_c13 real,
    rho_na_h_v_macro real,
    rho_mg_h_al_h real,
    rho_mg_h_si_h real,
    rho_mg_h_p_h real,
    rho_mg_h_s_h real,
    rho_mg_h_k_h real,
    rho_mg_h_ca_h real,
    rho_mg_h_ti_h real,
    rho_mg_h_v_h real,
    rho_mg_h_cr_h real,
    rho_mg_h_mn_h real,
    rho_mg_h_fe_h real,
    rho_mg_h_co_h real,
    rho_mg_h_ni_h real,
    rho_mg_h_cu_h real,
    rho_mg_h_ge_h real,
    rho_mg_h_c12_c13 real,
    rho_mg_h_v_macro real,
    rho_al_h_si_h real,
    rho_al_h_p_h real,
    rho_al_h_s_h real,
    rho_al_h_k_h real,
    rho_al_h_ca_h real,
    rho_al_h_ti_h real,
    rho_al_h_v_h real,
    rho_al_h_cr_h real,
    rho_al_h_mn_h real,
    rho_al_h_fe_h real,
    rho_al_h_co_h real,
    rho_al_h_ni_h real,
    rho_al_h_cu_h real,
    rho_al_h_ge_h real,
    rho_al_h_c12_c13 real,
    rho_al_h_v_macro real,
    rho_si_h_p_h real,
    rho_si_h_s_h real,
    rho_si_h_k_h real,
    rho_si_h_ca_h real,
    rho_si_h_ti_h real,
    rho_si_h_v_h real,
    rho_si_h_cr_h real,
    rho_si_h_mn_h real,
    rho_si_h_fe_h real,
    rho_si_h_co_h real,
    rho_si_h_ni_h real,
    rho_si_h_cu_h real,
    rho_si_h_ge_h real,
    rho_si_h_c12_c13 real,
    rho_si_h_v_macro real,
    rho_p_h_s_h real,
    rho_p_h_k_h real,
    rho_p_h_ca_h real,
    rho_p_h_ti_h real,
    rho_p_h_v_h real,
    rho_p_h_cr_h real,
    rho_p_h_mn_h real,
    rho_p_h_fe_h real,
    rho_p_h_co_h real,
    rho_p_h_ni_h real,
    rho_p_h_cu_h real,
    rho_p_h_ge_h real,
    rho_p_h_c12_c13 real,
    rho_p_h_v_macro real,
    rho_s_h_k_h real,
    rho_s_h_ca_h real,
    rho_s_h_ti_h real,
    rho_s_h_v_h real,
    rho_s_h_cr_h real,
    rho_s_h_mn_h real,
    rho_s_h_fe_h real,
    rho_s_h_co_h real,
    rho_s_h_ni_h real,
    rho_s_h_cu_h real,
    rho_s_h_ge_h real,
    rho_s_h_c12_c13 real,
    rho_s_h_v_macro real,
    rho_k_h_ca_h real,
    rho_k_h_ti_h real,
    rho_k_h_v_h real,
    rho_k_h_cr_h real,
    rho_k_h_mn_h real,
    rho_k_h_fe_h real,
    rho_k_h_co_h real,
    rho_k_h_ni_h real,
    rho_k_h_cu_h real,
    rho_k_h_ge_h real,
    rho_k_h_c12_c13 real,
    rho_k_h_v_macro real,
    rho_ca_h_ti_h real,
    rho_ca_h_v_h real,
    rho_ca_h_cr_h real,
    rho_ca_h_mn_h real,
    rho_ca_h_fe_h real,
    rho_ca_h_co_h real,
    rho_ca_h_ni_h real,
    rho_ca_h_cu_h real,
    rho_ca_h_ge_h real,
    rho_ca_h_c12_c13 real,
    rho_ca_h_v_macro real,
    rho_ti_h_v_h real,
    rho_ti_h_cr_h real,
    rho_ti_h_mn_h real,
    rho_ti_h_fe_h real,
    rho_ti_h_co_h real,
    rho_ti_h_ni_h real,
    rho_ti_h_cu_h real,
    rho_ti_h_ge_h real,
    rho_ti_h_c12_c13 real,
    rho_ti_h_v_macro real,
    rho_v_h_cr_h real,
    rho_v_h_mn_h real,
    rho_v_h_fe_h real,
    rho_v_h_co_h real,
    rho_v_h_ni_h real,
    rho_v_h_cu_h real,
    rho_v_h_ge_h real,
    rho_v_h_c12_c13 real,
    rho_v_h_v_macro real,
    rho_cr_h_mn_h real,
    rho_cr_h_fe_h real,
    rho_cr_h_co_h real,
    rho_cr_h_ni_h real,
    rho_cr_h_cu_h real,
    rho_cr_h_ge_h real,
    rho_cr_h_c12_c13 real,
    rho_cr_h_v_macro real,
    rho_mn_h_fe_h real,
    rho_mn_h_co_h real,
    rho_mn_h_ni_h real,
    rho_mn_h_cu_h real,
    rho_mn_h_ge_h real,
    rho_mn_h_c12_c13 real,
    rho_mn_h_v_macro real,
    rho_fe_h_co_h real,
    rho_fe_h_ni_h real,
    rho_fe_h_cu_h real,
    rho_fe_h_ge_h real,
    rho_fe_h_c12_c13 real,
    rho_fe_h_v_macro real,
    rho_co_h_ni_h real,
    rho_co_h_cu_h real,
    rho_co_h_ge_h real,
    rho_co_h_c12_c13 real,
    rho_co_h_v_macro real,
    rho_ni_h_cu_h real,
    rho_ni_h_ge_h real,
    rho_ni_h_c12_c13 real,
    rho_ni_h_v_macro real,
    rho_cu_h_ge_h real,
    rho_cu_h_c12_c13 real,
    rho_cu_h_v_macro real,
    rho_ge_h_c12_c13 real,
    rho_ge_h_v_macro real,
    rho_c12_c13_v_macro real,

    constraint the_payne_pkey primary key (task_pk),
    constraint the_payne_spectrum_version_key unique (spectrum_pk, v_astra_major_minor),
    constraint the_payne_source_fkey foreign key (source_pk) references source (pk),
    constraint the_payne_spectrum_fkey foreign key (spectrum_pk) references spectrum (pk),
    constraint the_payne_version_check check (v_astra >= 0)
)
-- A re-run replaces all rows of a page in one transaction: with half of it free no index grows.
with (fillfactor = 50);

create index if not exists the_payne_source_idx on the_payne (source_pk);

comment on table the_payne is 'Results of The Payne: stellar labels from APOGEE spectra';

-- Identifiers
comment on column the_payne.task_pk is 'Key of this result';
comment on column the_payne.source_pk is 'Key of the source';
comment on column the_payne.spectrum_pk is 'Key of the spectrum';

-- Astra Metadata
comment on column the_payne.v_astra is 'Version of Astra: 6002 is 0.6.2';
comment on column the_payne.v_astra_major_minor is 'Version of Astra without its patch number';
comment on column the_payne.created is 'Time when the row was first stored';
comment on column the_payne.modified is 'Time when the row was last stored';
comment on column the_payne.t_elapsed is 'Time spent on this result [s]';
comment on column the_payne.t_overhead is 'Share of the time spent on overheads [s]';
comment on column the_payne.tag is 'Label of the run, free text';

-- Stellar Labels
comment on column the_payne.v_rel is 'Velocity relative to the spectrum''s frame [km/s]';
comment on column the_payne.teff is 'Effective temperature [K]';
comment on column the_payne.e_teff is 'Error of teff [K]';
comment on column the_payne.logg is 'Surface gravity [dex]';
comment on column the_payne.e_logg is 'Error of logg [dex]';
comment on column the_payne.v_turb is 'Turbulent velocity';
comment on column the_payne.e_v_turb is 'Error of v_turb';
comment on column the_payne.c_h is 'Abundance [C/H] [dex]';
comment on column the_payne.e_c_h is 'Error of c_h [dex]';
comment on column the_payne.n_h is 'Abundance [N/H] [dex]';
comment on column the_payne.e_n_h is 'Error of n_h [dex]';
comment on column the_payne.o_h is 'Abundance [O/H] [dex]';
comment on column the_payne.e_o_h is 'Error of o_h [dex]';
comment on column the_payne.na_h is 'Abundance [Na/H] [dex]';
comment on column the_payne.e_na_h is 'Error of na_h [dex]';
comment on column the_payne.mg_h is 'Abundance [Mg/H] [dex]';
comment on column the_payne.e_mg_h is 'Error of mg_h [dex]';
comment on column the_payne.al_h is 'Abundance [Al/H] [dex]';
comment on column the_payne.e_al_h is 'Error of al_h [dex]';
comment on column the_payne.si_h is 'Abundance [Si/H] [dex]';
comment on column the_payne.e_si_h is 'Error of si_h [dex]';
comment on column the_payne.p_h is 'Abundance [P/H] [dex]';
comment on column the_payne.e_p_h is 'Error of p_h [dex]';
comment on column the_payne.s_h is 'Abundance [S/H] [dex]';
comment on column the_payne.e_s_h is 'Error of s_h [dex]';
comment on column the_payne.k_h is 'Abundance [K/H] [dex]';
comment on column the_payne.e_k_h is 'Error of k_h [dex]';
comment on column the_payne.ca_h is 'Abundance [Ca/H] [dex]';
comment on column the_payne.e_ca_h is 'Error of ca_h [dex]';
comment on column the_payne.ti_h is 'Abundance [Ti/H] [dex]';
comment on column the_payne.e_ti_h is 'Error of ti_h [dex]';
comment on column the_payne.v_h is 'Abundance [V/H] [dex]';
comment on column the_payne.e_v_h is 'Error of v_h [dex]';
comment on column the_payne.cr_h is 'Abundance [Cr/H] [dex]';
comment on column the_payne.e_cr_h is 'Error of cr_h [dex]';
comment on column the_payne.mn_h is 'Abundance [Mn/H] [dex]';
comment on column the_payne.e_mn_h is 'Error of mn_h [dex]';
comment on column the_payne.fe_h is 'Abundance [Fe/H] [dex]';
comment on column the_payne.e_fe_h is 'Error of fe_h [dex]';
comment on column the_payne.co_h is 'Abundance [Co/H] [dex]';
comment on column the_payne.e_co_h is 'Error of co_h [dex]';
comment on column the_payne.ni_h is 'Abundance [Ni/H] [dex]';
comment on column the_payne.e_ni_h is 'Error of ni_h [dex]';
comment on column the_payne.cu_h is 'Abundance [Cu/H] [dex]';
comment on column the_payne.e_cu_h is 'Error of cu_h [dex]';
comment on column the_payne.ge_h is 'Abundance [Ge/H] [dex]';
comment on column the_payne.e_ge_h is 'Error of ge_h [dex]';
comment on column the_payne.c12_c13 is 'Ratio of carbon isotopes 12 and 13';
comment on column the_payne.e_c12_c13 is 'Error of c12_c13';
comment on column the_payne.v_macro is 'Macroscopic broadening [km/s]';
comment on column the_payne.e_v_macro is 'Error of v_macro [km/s]';

-- Summary Statistics
comment on column the_payne.chi2 is 'Chi-squared of the fit';
comment on column the_payne.reduced_chi2 is 'Reduced chi-squared of the fit';
comment on column the_payne.result_flags is 'Quality of the result';

-- Formal uncertainties
comment on column the_payne.raw_e_teff is 'Formal error of teff [K]';
comment on column the_payne.raw_e_logg is 'Formal error of logg [dex]';
comment on column the_payne.raw_e_v_turb is 'Formal error of v_turb';
comment on column the_payne.raw_e_c_h is 'Formal error of c_h [dex]';
comment on column the_payne.raw_e_n_h is 'Formal error of n_h [dex]';
comment on column the_payne.raw_e_o_h is 'Formal error of o_h [dex]';
comment on column the_payne.raw_e_na_h is 'Formal error of na_h [dex]';
comment on column the_payne.raw_e_mg_h is 'Formal error of mg_h [dex]';
comment on column the_payne.raw_e_al_h is 'Formal error of al_h [dex]';
comment on column the_payne.raw_e_si_h is 'Formal error of si_h [dex]';
comment on column the_payne.raw_e_p_h is 'Formal error of p_h [dex]';
comment on column the_payne.raw_e_s_h is 'Formal error of s_h [dex]';
comment on column the_payne.raw_e_k_h is 'Formal error of k_h [dex]';
comment on column the_payne.raw_e_ca_h is 'Formal error of ca_h [dex]';
comment on column the_payne.raw_e_ti_h is 'Formal error of ti_h [dex]';
comment on column the_payne.raw_e_v_h is 'Formal error of v_h [dex]';
comment on column the_payne.raw_e_cr_h is 'Formal error of cr_h [dex]';
comment on column the_payne.raw_e_mn_h is 'Formal error of mn_h [dex]';
comment on column the_payne.raw_e_fe_h is 'Formal error of fe_h [dex]';
comment on column the_payne.raw_e_co_h is 'Formal error of co_h [dex]';
comment on column the_payne.raw_e_ni_h is 'Formal error of ni_h [dex]';
comment on column the_payne.raw_e_cu_h is 'Formal error of cu_h [dex]';
comment on column the_payne.raw_e_ge_h is 'Formal error of ge_h [dex]';
comment on column the_payne.raw_e_c12_c13 is 'Formal error of c12_c13';
comment on column the_payne.raw_e_v_macro is 'Formal error of v_macro [km/s]';

-- Correlation Coefficients
comment on column the_payne.rho_teff_logg is 'Correlation of teff and logg';
comment on column the_payne.rho_teff_v_turb is 'Correlation of teff and v_turb';
comment on column the_payne.rho_teff_c_h is 'Correlation of teff and c_h';
comment on column the_payne.rho_teff_n_h is 'Correlation of teff and n_h';
comment on column the_payne.rho_teff_o_h is 'Correlation of teff and o_h';
comment on column the_payne.rho_teff_na_h is 'Correlation of teff and na_h';
comment on column the_payne.rho_teff_mg_h is 'Correlation of teff and mg_h';
comment on column the_payne.rho_teff_al_h is 'Correlation of teff and al_h';
comment on column the_payne.rho_teff_si_h is 'Correlation of teff and si_h';
comment on column the_payne.rho_teff_p_h is 'Correlation of teff and p_h';
comment on column the_payne.rho_teff_s_h is 'Correlation of teff and s_h';
comment on column the_payne.rho_teff_k_h is 'Correlation of teff and k_h';
comment on column the_payne.rho_teff_ca_h is 'Correlation of teff and ca_h';
comment on column the_payne.rho_teff_ti_h is 'Correlation of teff and ti_h';
comment on column the_payne.rho_teff_v_h is 'Correlation of teff and v_h';
comment on column the_payne.rho_teff_cr_h is 'Correlation of teff and cr_h';
comment on column the_payne.rho_teff_mn_h is 'Correlation of teff and mn_h';
comment on column the_payne.rho_teff_fe_h is 'Correlation of teff and fe_h';
comment on column the_payne.rho_teff_co_h is 'Correlation of teff and co_h';
comment on column the_payne.rho_teff_ni_h is 'Correlation of teff and ni_h';
comment on column the_payne.rho_teff_cu_h is 'Correlation of teff and cu_h';
comment on column the_payne.rho_teff_ge_h is 'Correlation of teff and ge_h';
comment on column the_payne.rho_teff_c12_c13 is 'Correlation of teff and c12_c13';
comment on column the_payne.rho_teff_v_macro is 'Correlation of teff and v_macro';
comment on column the_payne.rho_logg_v_turb is 'Correlation of logg and v_turb';
comment on column the_payne.rho_logg_c_h is 'Correlation of logg and c_h';
comment on column the_payne.rho_logg_n_h is 'Correlation of logg and n_h';
comment on column the_payne.rho_logg_o_h is 'Correlation of logg and o_h';
comment on column the_payne.rho_logg_na_h is 'Correlation of logg and na_h';
comment on column the_payne.rho_logg_mg_h is 'Correlation of logg and mg_h';
comment on column the_payne.rho_logg_al_h is 'Correlation of logg and al_h';
comment on column the_payne.rho_logg_si_h is 'Correlation of logg and si_h';
comment on column the_payne.rho_logg_p_h is 'Correlation of logg and p_h';
comment on column the_payne.rho_logg_s_h is 'Correlation of logg and s_h';
comment on column the_payne.rho_logg_k_h is 'Correlation of logg and k_h';
comment on column the_payne.rho_logg_ca_h is 'Correlation of logg and ca_h';
comment on column the_payne.rho_logg_ti_h is 'Correlation of logg and ti_h';
comment on column the_payne.rho_logg_v_h is 'Correlation of logg and v_h';
comment on column the_payne.rho_logg_cr_h is 'Correlation of logg and cr_h';
comment on column the_payne.rho_logg_mn_h is 'Correlation of logg and mn_h';
comment on column the_payne.rho_logg_fe_h is 'Correlation of logg and fe_h';
comment on column the_payne.rho_logg_co_h is 'Correlation of logg and co_h';
comment on column the_payne.rho_logg_ni_h is 'Correlation of logg and ni_h';
comment on column the_payne.rho_logg_cu_h is 'Correlation of logg and cu_h';
comment on column the_payne.rho_logg_ge_h is 'Correlation of logg and ge_h';
comment on column the_payne.rho_logg_c12_c13 is 'Correlation of logg and c12_c13';
comment on column the_payne.rho_logg_v_macro is 'Correlation of logg and v_macro';
comment on column the_payne.rho_v_turb_c_h is 'Correlation of v_turb and c_h';
comment on column the_payne.rho_v_turb_n_h is 'Correlation of v_turb and n_h';
comment on column the_payne.rho_v_turb_o_h is 'Correlation of v_turb and o_h';
comment on column the_payne.rho_v_turb_na_h is 'Correlation of v_turb and na_h';
comment on column the_payne.rho_v_turb_mg_h is 'Correlation of v_turb and mg_h';
comment on column the_payne.rho_v_turb_al_h is 'Correlation of v_turb and al_h';
comment on column the_payne.rho_v_turb_si_h is 'Correlation of v_turb and si_h';
comment on column the_payne.rho_v_turb_p_h is 'Correlation of v_turb and p_h';
comment on column the_payne.rho_v_turb_s_h is 'Correlation of v_turb and s_h';
comment on column the_payne.rho_v_turb_k_h is 'Correlation of v_turb and k_h';
comment on column the_payne.rho_v_turb_ca_h is 'Correlation of v_turb and ca_h';
comment on column the_payne.rho_v_turb_ti_h is 'Correlation of v_turb and ti_h';
comment on column the_payne.rho_v_turb_v_h is 'Correlation of v_turb and v_h';
comment on column the_payne.rho_v_turb_cr_h is 'Correlation of v_turb and cr_h';
comment on column the_payne.rho_v_turb_mn_h is 'Correlation of v_turb and mn_h';
comment on column the_payne.rho_v_turb_fe_h is 'Correlation of v_turb and fe_h';
comment on column the_payne.rho_v_turb_co_h is 'Correlation of v_turb and co_h';
comment on column the_payne.rho_v_turb_ni_h is 'Correlation of v_turb and ni_h';
comment on column the_payne.rho_v_turb_cu_h is 'Correlation of v_turb and cu_h';
comment on column the_payne.rho_v_turb_ge_h is 'Correlation of v_turb and ge_h';
comment on column the_payne.rho_v_turb_c12_c13 is 'Correlation of v_turb and c12_c13';
comment on column the_payne.rho_v_turb_v_macro is 'Correlation of v_turb and v_macro';
comment on column the_payne.rho_c_h_n_h is 'Correlation of c_h and n_h';
comment on column the_payne.rho_c_h_o_h is 'Correlation of c_h and o_h';
comment on column the_payne.rho_c_h_na_h is 'Correlation of c_h and na_h';
comment on column the_payne.rho_c_h_mg_h is 'Correlation of c_h and mg_h';
comment on column the_payne.rho_c_h_al_h is 'Correlation of c_h and al_h';
comment on column the_payne.rho_c_h_si_h is 'Correlation of c_h and si_h';
comment on column the_payne.rho_c_h_p_h is 'Correlation of c_h and p_h';
comment on column the_payne.rho_c_h_s_h is 'Correlation of c_h and s_h';
comment on column the_payne.rho_c_h_k_h is 'Correlation of c_h and k_h';
comment on column the_payne.rho_c_h_ca_h is 'Correlation of c_h and ca_h';
comment on column the_payne.rho_c_h_ti_h is 'Correlation of c_h and ti_h';
comment on column the_payne.rho_c_h_v_h is 'Correlation of c_h and v_h';
comment on column the_payne.rho_c_h_cr_h is 'Correlation of c_h and cr_h';
comment on column the_payne.rho_c_h_mn_h is 'Correlation of c_h and mn_h';
comment on column the_payne.rho_c_h_fe_h is 'Correlation of c_h and fe_h';
comment on column the_payne.rho_c_h_co_h is 'Correlation of c_h and co_h';
comment on column the_payne.rho_c_h_ni_h is 'Correlation of c_h and ni_h';
comment on column the_payne.rho_c_h_cu_h is 'Correlation of c_h and cu_h';
comment on column the_payne.rho_c_h_ge_h is 'Correlation of c_h and ge_h';
comment on column the_payne.rho_c_h_c12_c13 is 'Correlation of c_h and c12_c13';
comment on column the_payne.rho_c_h_v_macro is 'Correlation of c_h and v_macro';
comment on column the_payne.rho_n_h_o_h is 'Correlation of n_h and o_h';
comment on column the_payne.rho_n_h_na_h is 'Correlation of n_h and na_h';
comment on column the_payne.rho_n_h_mg_h is 'Correlation of n_h and mg_h';
comment on column the_payne.rho_n_h_al_h is 'Correlation of n_h and al_h';
comment on column the_payne.rho_n_h_si_h is 'Correlation of n_h and si_h';
comment on column the_payne.rho_n_h_p_h is 'Correlation of n_h and p_h';
comment on column the_payne.rho_n_h_s_h is 'Correlation of n_h and s_h';
comment on column the_payne.rho_n_h_k_h is 'Correlation of n_h and k_h';
comment on column the_payne.rho_n_h_ca_h is 'Correlation of n_h and ca_h';
comment on column the_payne.rho_n_h_ti_h is 'Correlation of n_h and ti_h';
comment on column the_payne.rho_n_h_v_h is 'Correlation of n_h and v_h';
comment on column the_payne.rho_n_h_cr_h is 'Correlation of n_h and cr_h';
comment on column the_payne.rho_n_h_mn_h is 'Correlation of n_h and mn_h';
comment on column the_payne.rho_n_h_fe_h is 'Correlation of n_h and fe_h';
comment on column the_payne.rho_n_h_co_h is 'Correlation of n_h and co_h';
comment on column the_payne.rho_n_h_ni_h is 'Correlation of n_h and ni_h';
comment on column the_payne.rho_n_h_cu_h is 'Correlation of n_h and cu_h';
comment on column the_payne.rho_n_h_ge_h is 'Correlation of n_h and ge_h';
comment on column the_payne.rho_n_h_c12_c13 is 'Correlation of n_h and c12_c13';
comment on column the_payne.rho_n_h_v_macro is 'Correlation of n_h and v_macro';
comment on column the_payne.rho_o_h_na_h is 'Correlation of o_h and na_h';
comment on column the_payne.rho_o_h_mg_h is 'Correlation of o_h and mg_h';
comment on column the_payne.rho_o_h_al_h is 'Correlation of o_h and al_h';
comment on column the_payne.rho_o_h_si_h is 'Correlation of o_h and si_h';
comment on column the_payne.rho_o_h_p_h is 'Correlation of o_h and p_h';
comment on column the_payne.rho_o_h_s_h is 'Correlation of o_h and s_h';
comment on column the_payne.rho_o_h_k_h is 'Correlation of o_h and k_h';
comment on column the_payne.rho_o_h_ca_h is 'Correlation of o_h and ca_h';
comment on column the_payne.rho_o_h_ti_h is 'Correlation of o_h and ti_h';
comment on column the_payne.rho_o_h_v_h is 'Correlation of o_h and v_h';
comment on column the_payne.rho_o_h_cr_h is 'Correlation of o_h and cr_h';
comment on column the_payne.rho_o_h_mn_h is 'Correlation of o_h and mn_h';
comment on column the_payne.rho_o_h_fe_h is 'Correlation of o_h and fe_h';
comment on column the_payne.rho_o_h_co_h is 'Correlation of o_h and co_h';
comment on column the_payne.rho_o_h_ni_h is 'Correlation of o_h and ni_h';
comment on column the_payne.rho_o_h_cu_h is 'Correlation of o_h and cu_h';
comment on column the_payne.rho_o_h_ge_h is 'Correlation of o_h and ge_h';
comment on column the_payne.rho_o_h_c12_c13 is 'Correlation of o_h and c12_c13';
comment on column the_payne.rho_o_h_v_macro is 'Correlation of o_h and v_macro';
comment on column the_payne.rho_na_h_mg_h is 'Correlation of na_h and mg_h';
comment on column the_payne.rho_na_h_al_h is 'Correlation of na_h and al_h';
comment on column the_payne.rho_na_h_si_h is 'Correlation of na_h and si_h';
comment on column the_payne.rho_na_h_p_h is 'Correlation of na_h and p_h';
comment on column the_payne.rho_na_h_s_h is 'Correlation of na_h and s_h';
comment on column the_payne.rho_na_h_k_h is 'Correlation of na_h and k_h';
comment on column the_payne.rho_na_h_ca_h is 'Correlation of na_h and ca_h';
comment on column the_payne.rho_na_h_ti_h is 'Correlation of na_h and ti_h';
comment on column the_payne.rho_na_h_v_h is 'Correlation of na_h and v_h';
comment on column the_payne.rho_na_h_cr_h is 'Correlation of na_h and cr_h';
comment on column the_payne.rho_na_h_mn_h is 'Correlation of na_h and mn_h';
comment on column the_payne.rho_na_h_fe_h is 'Correlation of na_h and fe_h';
comment on column the_payne.rho_na_h_co_h is 'Correlation of na_h and co_h';
comment on column the_payne.rho_na_h_ni_h is 'Correlation of na_h and ni_h';
comment on column the_payne.rho_na_h_cu_h is 'Correlation of na_h and cu_h';
comment on column the_payne.rho_na_h_ge_h is 'Correlation of na_h and ge_h';
comment on column the_payne.rho_na_h_c12_c13 is 'Correlation of na_h and c12_c13';
comment on column the_payne.rho_na_h_v_macro is 'Correlation of na_h and v_macro';
comment on column the_payne.rho_mg_h_al_h is 'Correlation of mg_h and al_h';
comment on column the_payne.rho_mg_h_si_h is 'Correlation of mg_h and si_h';
comment on column the_payne.rho_mg_h_p_h is 'Correlation of mg_h and p_h';
comment on column the_payne.rho_mg_h_s_h is 'Correlation of mg_h and s_h';
comment on column the_payne.rho_mg_h_k_h is 'Correlation of mg_h and k_h';
comment on column the_payne.rho_mg_h_ca_h is 'Correlation of mg_h and ca_h';
comment on column the_payne.rho_mg_h_ti_h is 'Correlation of mg_h and ti_h';
comment on column the_payne.rho_mg_h_v_h is 'Correlation of mg_h and v_h';
comment on column the_payne.rho_mg_h_cr_h is 'Correlation of mg_h and cr_h';
comment on column the_payne.rho_mg_h_mn_h is 'Correlation of mg_h and mn_h';
comment on column the_payne.rho_mg_h_fe_h is 'Correlation of mg_h and fe_h';
comment on column the_payne.rho_mg_h_co_h is 'Correlation of mg_h and co_h';
comment on column the_payne.rho_mg_h_ni_h is 'Correlation of mg_h and ni_h';
comment on column the_payne.rho_mg_h_cu_h is 'Correlation of mg_h and cu_h';
comment on column the_payne.rho_mg_h_ge_h is 'Correlation of mg_h and ge_h';
comment on column the_payne.rho_mg_h_c12_c13 is 'Correlation of mg_h and c12_c13';
comment on column the_payne.rho_mg_h_v_macro is 'Correlation of mg_h and v_macro';
comment on column the_payne.rho_al_h_si_h is 'Correlation of al_h and si_h';
comment on column the_payne.rho_al_h_p_h is 'Correlation of al_h and p_h';
comment on column the_payne.rho_al_h_s_h is 'Correlation of al_h and s_h';
comment on column the_payne.rho_al_h_k_h is 'Correlation of al_h and k_h';
comment on column the_payne.rho_al_h_ca_h is 'Correlation of al_h and ca_h';
comment on column the_payne.rho_al_h_ti_h is 'Correlation of al_h and ti_h';
comment on column the_payne.rho_al_h_v_h is 'Correlation of al_h and v_h';
comment on column the_payne.rho_al_h_cr_h is 'Correlation of al_h and cr_h';
comment on column the_payne.rho_al_h_mn_h is 'Correlation of al_h and mn_h';
comment on column the_payne.rho_al_h_fe_h is 'Correlation of al_h and fe_h';
comment on column the_payne.rho_al_h_co_h is 'Correlation of al_h and co_h';
comment on column the_payne.rho_al_h_ni_h is 'Correlation of al_h and ni_h';
comment on column the_payne.rho_al_h_cu_h is 'Correlation of al_h and cu_h';
comment on column the_payne.rho_al_h_ge_h is 'Correlation of al_h and ge_h';
comment on column the_payne.rho_al_h_c12_c13 is 'Correlation of al_h and c12_c13';
comment on column the_payne.rho_al_h_v_macro is 'Correlation of al_h and v_macro';
comment on column the_payne.rho_si_h_p_h is 'Correlation of si_h and p_h';
comment on column the_payne.rho_si_h_s_h is 'Correlation of si_h and s_h';
comment on column the_payne.rho_si_h_k_h is 'Correlation of si_h and k_h';
comment on column the_payne.rho_si_h_ca_h is 'Correlation of si_h and ca_h';
comment on column the_payne.rho_si_h_ti_h is 'Correlation of si_h and ti_h';
comment on column the_payne.rho_si_h_v_h is 'Correlation of si_h and v_h';
comment on column the_payne.rho_si_h_cr_h is 'Correlation of si_h and cr_h';
comment on column the_payne.rho_si_h_mn_h is 'Correlation of si_h and mn_h';
comment on column the_payne.rho_si_h_fe_h is 'Correlation of si_h and fe_h';
comment on column the_payne.rho_si_h_co_h is 'Correlation of si_h and co_h';
comment on column the_payne.rho_si_h_ni_h is 'Correlation of si_h and ni_h';
comment on column the_payne.rho_si_h_cu_h is 'Correlation of si_h and cu_h';
comment on column the_payne.rho_si_h_ge_h is 'Correlation of si_h and ge_h';
comment on column the_payne.rho_si_h_c12_c13 is 'Correlation of si_h and c12_c13';
comment on column the_payne.rho_si_h_v_macro is 'Correlation of si_h and v_macro';
comment on column the_payne.rho_p_h_s_h is 'Correlation of p_h and s_h';
comment on column the_payne.rho_p_h_k_h is 'Correlation of p_h and k_h';
comment on column the_payne.rho_p_h_ca_h is 'Correlation of p_h and ca_h';
comment on column the_payne.rho_p_h_ti_h is 'Correlation of p_h and ti_h';
comment on column the_payne.rho_p_h_v_h is 'Correlation of p_h and v_h';
comment on column the_payne.rho_p_h_cr_h is 'Correlation of p_h and cr_h';
comment on column the_payne.rho_p_h_mn_h is 'Correlation of p_h and mn_h';
comment on column the_payne.rho_p_h_fe_h is 'Correlation of p_h and fe_h';
comment on column the_payne.rho_p_h_co_h is 'Correlation of p_h and co_h';
comment on column the_payne.rho_p_h_ni_h is 'Correlation of p_h and ni_h';
comment on column the_payne.rho_p_h_cu_h is 'Correlation of p_h and cu_h';
comment on column the_payne.rho_p_h_ge_h is 'Correlation of p_h and ge_h';
comment on column the_payne.rho_p_h_c12_c13 is 'Correlation of p_h and c12_c13';
comment on column the_payne.rho_p_h_v_macro is 'Correlation of p_h and v_macro';
comment on column the_payne.rho_s_h_k_h is 'Correlation of s_h and k_h';
comment on column the_payne.rho_s_h_ca_h is 'Correlation of s_h and ca_h';
comment on column the_payne.rho_s_h_ti_h is 'Correlation of s_h and ti_h';
comment on column the_payne.rho_s_h_v_h is 'Correlation of s_h and v_h';
comment on column the_payne.rho_s_h_cr_h is 'Correlation of s_h and cr_h';
comment on column the_payne.rho_s_h_mn_h is 'Correlation of s_h and mn_h';
comment on column the_payne.rho_s_h_fe_h is 'Correlation of s_h and fe_h';
comment on column the_payne.rho_s_h_co_h is 'Correlation of s_h and co_h';
comment on column the_payne.rho_s_h_ni_h is 'Correlation of s_h and ni_h';
comment on column the_payne.rho_s_h_cu_h is 'Correlation of s_h and cu_h';
comment on column the_payne.rho_s_h_ge_h is 'Correlation of s_h and ge_h';
comment on column the_payne.rho_s_h_c12_c13 is 'Correlation of s_h and c12_c13';
comment on column the_payne.rho_s_h_v_macro is 'Correlation of s_h and v_macro';
comment on column the_payne.rho_k_h_ca_h is 'Correlation of k_h and ca_h';
comment on column the_payne.rho_k_h_ti_h is 'Correlation of k_h and ti_h';
comment on column the_payne.rho_k_h_v_h is 'Correlation of k_h and v_h';
comment on column the_payne.rho_k_h_cr_h is 'Correlation of k_h and cr_h';
comment on column the_payne.rho_k_h_mn_h is 'Correlation of k_h and mn_h';
comment on column the_payne.rho_k_h_fe_h is 'Correlation of k_h and fe_h';
comment on column the_payne.rho_k_h_co_h is 'Correlation of k_h and co_h';
comment on column the_payne.rho_k_h_ni_h is 'Correlation of k_h and ni_h';
comment on column the_payne.rho_k_h_cu_h is 'Correlation of k_h and cu_h';
comment on column the_payne.rho_k_h_ge_h is 'Correlation of k_h and ge_h';
comment on column the_payne.rho_k_h_c12_c13 is 'Correlation of k_h and c12_c13';
comment on column the_payne.rho_k_h_v_macro is 'Correlation of k_h and v_macro';
comment on column the_payne.rho_ca_h_ti_h is 'Correlation of ca_h and ti_h';
comment on column the_payne.rho_ca_h_v_h is 'Correlation of ca_h and v_h';
comment on column the_payne.rho_ca_h_cr_h is 'Correlation of ca_h and cr_h';
comment on column the_payne.rho_ca_h_mn_h is 'Correlation of ca_h and mn_h';
comment on column the_payne.rho_ca_h_fe_h is 'Correlation of ca_h and fe_h';
comment on column the_payne.rho_ca_h_co_h is 'Correlation of ca_h and co_h';
comment on column the_payne.rho_ca_h_ni_h is 'Correlation of ca_h and ni_h';
comment on column the_payne.rho_ca_h_cu_h is 'Correlation of ca_h and cu_h';
comment on column the_payne.rho_ca_h_ge_h is 'Correlation of ca_h and ge_h';
comment on column the_payne.rho_ca_h_c12_c13 is 'Correlation of ca_h and c12_c13';
comment on column the_payne.rho_ca_h_v_macro is 'Correlation of ca_h and v_macro';
comment on column the_payne.rho_ti_h_v_h is 'Correlation of ti_h and v_h';
comment on column the_payne.rho_ti_h_cr_h is 'Correlation of ti_h and cr_h';
comment on column the_payne.rho_ti_h_mn_h is 'Correlation of ti_h and mn_h';
comment on column the_payne.rho_ti_h_fe_h is 'Correlation of ti_h and fe_h';
comment on column the_payne.rho_ti_h_co_h is 'Correlation of ti_h and co_h';
comment on column the_payne.rho_ti_h_ni_h is 'Correlation of ti_h and ni_h';
comment on column the_payne.rho_ti_h_cu_h is 'Correlation of ti_h and cu_h';
comment on column the_payne.rho_ti_h_ge_h is 'Correlation of ti_h and ge_h';
comment on column the_payne.rho_ti_h_c12_c13 is 'Correlation of ti_h and c12_c13';
comment on column the_payne.rho_ti_h_v_macro is 'Correlation of ti_h and v_macro';
comment on column the_payne.rho_v_h_cr_h is 'Correlation of v_h and cr_h';
comment on column the_payne.rho_v_h_mn_h is 'Correlation of v_h and mn_h';
comment on column the_payne.rho_v_h_fe_h is 'Correlation of v_h and fe_h';
comment on column the_payne.rho_v_h_co_h is 'Correlation of v_h and co_h';
comment on column the_payne.rho_v_h_ni_h is 'Correlation of v_h and ni_h';
comment on column the_payne.rho_v_h_cu_h is 'Correlation of v_h and cu_h';
comment on column the_payne.rho_v_h_ge_h is 'Correlation of v_h and ge_h';
comment on column the_payne.rho_v_h_c12_c13 is 'Correlation of v_h and c12_c13';
comment on column the_payne.rho_v_h_v_macro is 'Correlation of v_h and v_macro';
comment on column the_payne.rho_cr_h_mn_h is 'Correlation of cr_h and mn_h';
comment on column the_payne.rho_cr_h_fe_h is 'Correlation of cr_h and fe_h';
comment on column the_payne.rho_cr_h_co_h is 'Correlation of cr_h and co_h';
comment on column the_payne.rho_cr_h_ni_h is 'Correlation of cr_h and ni_h';
comment on column the_payne.rho_cr_h_cu_h is 'Correlation of cr_h and cu_h';
comment on column the_payne.rho_cr_h_ge_h is 'Correlation of cr_h and ge_h';
comment on column the_payne.rho_cr_h_c12_c13 is 'Correlation of cr_h and c12_c13';
comment on column the_payne.rho_cr_h_v_macro is 'Correlation of cr_h and v_macro';
comment on column the_payne.rho_mn_h_fe_h is 'Correlation of mn_h and fe_h';
comment on column the_payne.rho_mn_h_co_h is 'Correlation of mn_h and co_h';
comment on column the_payne.rho_mn_h_ni_h is 'Correlation of mn_h and ni_h';
comment on column the_payne.rho_mn_h_cu_h is 'Correlation of mn_h and cu_h';
comment on column the_payne.rho_mn_h_ge_h is 'Correlation of mn_h and ge_h';
comment on column the_payne.rho_mn_h_c12_c13 is 'Correlation of mn_h and c12_c13';
comment on column the_payne.rho_mn_h_v_macro is 'Correlation of mn_h and v_macro';
comment on column the_payne.rho_fe_h_co_h is 'Correlation of fe_h and co_h';
comment on column the_payne.rho_fe_h_ni_h is 'Correlation of fe_h and ni_h';
comment on column the_payne.rho_fe_h_cu_h is 'Correlation of fe_h and cu_h';
comment on column the_payne.rho_fe_h_ge_h is 'Correlation of fe_h and ge_h';
comment on column the_payne.rho_fe_h_c12_c13 is 'Correlation of fe_h and c12_c13';
comment on column the_payne.rho_fe_h_v_macro is 'Correlation of fe_h and v_macro';
comment on column the_payne.rho_co_h_ni_h is 'Correlation of co_h and ni_h';
comment on column the_payne.rho_co_h_cu_h is 'Correlation of co_h and cu_h';
comment on column the_payne.rho_co_h_ge_h is 'Correlation of co_h and ge_h';
comment on column the_payne.rho_co_h_c12_c13 is 'Correlation of co_h and c12_c13';
comment on column the_payne.rho_co_h_v_macro is 'Correlation of co_h and v_macro';
comment on column the_payne.rho_ni_h_cu_h is 'Correlation of ni_h and cu_h';
comment on column the_payne.rho_ni_h_ge_h is 'Correlation of ni_h and ge_h';
comment on column the_payne.rho_ni_h_c12_c13 is 'Correlation of ni_h and c12_c13';
comment on column the_payne.rho_ni_h_v_macro is 'Correlation of ni_h and v_macro';
comment on column the_payne.rho_cu_h_ge_h is 'Correlation of cu_h and ge_h';
comment on column the_payne.rho_cu_h_c12_c13 is 'Correlation of cu_h and c12_c13';
comment on column the_payne.rho_cu_h_v_macro is 'Correlation of cu_h and v_macro';
comment on column the_payne.rho_ge_h_c12_c13 is 'Correlation of ge_h and c12_c13';
comment on column the_payne.rho_ge_h_v_macro is 'Correlation of ge_h and v_macro';
comment on column the_payne.rho_c12_c13_v_macro is 'Correlation of c12_c13 and v_macro';

-- Flags: one line for each bit
-- noqa: disable=layout.long_lines

insert into flag_definition (table_name, column_name, bit, name, meaning)
values
('the_payne', 'result_flags', 0, 'fitting_failure', 'Optimiser failed'),
('the_payne', 'result_flags', 1, 'warn_teff', 'Temperature range is unreliable: use with care'),
('the_payne', 'result_flags', 2, 'warn_logg', 'Gravity range is unreliable: use with care'),
('the_payne', 'result_flags', 3, 'warn_fe_h', 'Metallicity range is unreliable: use with care'),
('the_payne', 'result_flags', 4, 'low_snr', 'S/N is low')
on conflict on constraint flag_definition_pkey do update
    set bit = excluded.bit, meaning = excluded.meaning
    where (flag_definition.bit, flag_definition.meaning) is distinct from (excluded.bit, excluded.meaning);
