-- Results of ASPCAP, one row for each spectrum and version.
--
-- A spectrum has one result in each major.minor version: a patch release replaces the row, a minor
-- release adds one. Sources and spectra that have results cannot be deleted.

create table if not exists aspcap (
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

    -- IRFM Effective Temperatures from V-Ks (Gonzalez Hernandez and Bonifacio 2009)
    irfm_teff real,
    irfm_teff_flags bigint not null default 0,

    -- Stellar Parameters
    teff real,
    e_teff real,
    logg real,
    e_logg real,
    v_micro real,
    e_v_micro real,
    v_sini real,
    e_v_sini real,
    m_h_atm real,
    e_m_h_atm real,
    alpha_m_atm real,
    e_alpha_m_atm real,
    c_m_atm real,
    e_c_m_atm real,
    n_m_atm real,
    e_n_m_atm real,

    -- Chemical Abundances
    al_h real,
    e_al_h real,
    al_h_flags bigint not null default 0,
    al_h_rchi2 real,
    c_12_13 real,
    e_c_12_13 real,
    c_12_13_flags bigint not null default 0,
    c_12_13_rchi2 real,
    ca_h real,
    e_ca_h real,
    ca_h_flags bigint not null default 0,
    ca_h_rchi2 real,
    ce_h real,
    e_ce_h real,
    ce_h_flags bigint not null default 0,
    ce_h_rchi2 real,
    c_h real,
    e_c_h real,
    c_h_flags bigint not null default 0,
    c_h_rchi2 real,
    co_h real,
    e_co_h real,
    co_h_flags bigint not null default 0,
    co_h_rchi2 real,
    cr_h real,
    e_cr_h real,
    cr_h_flags bigint not null default 0,
    cr_h_rchi2 real,
    cu_h real,
    e_cu_h real,
    cu_h_flags bigint not null default 0,
    cu_h_rchi2 real,
    fe_h real,
    e_fe_h real,
    fe_h_flags bigint not null default 0,
    fe_h_rchi2 real,
    k_h real,
    e_k_h real,
    k_h_flags bigint not null default 0,
    k_h_rchi2 real,
    mg_h real,
    e_mg_h real,
    mg_h_flags bigint not null default 0,
    mg_h_rchi2 real,
    mn_h real,
    e_mn_h real,
    mn_h_flags bigint not null default 0,
    mn_h_rchi2 real,
    na_h real,
    e_na_h real,
    na_h_flags bigint not null default 0,
    na_h_rchi2 real,
    nd_h real,
    e_nd_h real,
    nd_h_flags bigint not null default 0,
    nd_h_rchi2 real,
    ni_h real,
    e_ni_h real,
    ni_h_flags bigint not null default 0,
    ni_h_rchi2 real,
    n_h real,
    e_n_h real,
    n_h_flags bigint not null default 0,
    n_h_rchi2 real,
    o_h real,
    e_o_h real,
    o_h_flags bigint not null default 0,
    o_h_rchi2 real,
    p_h real,
    e_p_h real,
    p_h_flags bigint not null default 0,
    p_h_rchi2 real,
    si_h real,
    e_si_h real,
    si_h_flags bigint not null default 0,
    si_h_rchi2 real,
    s_h real,
    e_s_h real,
    s_h_flags bigint not null default 0,
    s_h_rchi2 real,
    ti_h real,
    e_ti_h real,
    ti_h_flags bigint not null default 0,
    ti_h_rchi2 real,
    v_h real,
    e_v_h real,
    v_h_flags bigint not null default 0,
    v_h_rchi2 real,

    -- FERRE Settings
    short_grid_name text not null default '',
    continuum_order integer not null default -1,
    continuum_reject real,
    interpolation_order integer not null default -1,
    initial_flags bigint not null default 0,

    -- Summary Statistics
    rchi2 real,
    ferre_log_snr_sq real,
    ferre_time_coarse real,
    ferre_time_params real,
    ferre_time_abundances real,
    result_flags bigint not null default 0,

    -- Initial parameters
    initial_teff real,
    initial_logg real,
    initial_v_micro real,
    initial_v_sini real,
    initial_m_h_atm real,
    initial_alpha_m_atm real,
    initial_c_m_atm real,
    initial_n_m_atm real,

    -- Coarse parameters
    coarse_teff real,
    coarse_logg real,
    coarse_v_micro real,
    coarse_v_sini real,
    coarse_m_h_atm real,
    coarse_alpha_m_atm real,
    coarse_c_m_atm real,
    coarse_n_m_atm real,
    coarse_ferre_flags bigint not null default 0,
    coarse_rchi2 real,
    coarse_penalized_rchi2 real,
    pwd text,
    ferre_index integer,

    -- Calibration flags
    calibrated_flags bigint default 0,
    mass real,
    radius real,

    -- Raw (Uncalibrated) Quantities
    raw_teff real,
    raw_e_teff real,
    raw_logg real,
    raw_e_logg real,
    raw_v_micro real,
    raw_e_v_micro real,
    raw_v_sini real,
    raw_e_v_sini real,
    raw_m_h_atm real,
    raw_e_m_h_atm real,
    raw_alpha_m_atm real,
    raw_e_alpha_m_atm real,
    raw_c_m_atm real,
    raw_e_c_m_atm real,
    raw_n_m_atm real,
    raw_e_n_m_atm real,
    raw_al_h real,
    raw_e_al_h real,
    raw_c_12_13 real,
    raw_e_c_12_13 real,
    raw_ca_h real,
    raw_e_ca_h real,
    raw_ce_h real,
    raw_e_ce_h real,
    raw_c_h real,
    raw_e_c_h real,
    raw_co_h real,
    raw_e_co_h real,
    raw_cr_h real,
    raw_e_cr_h real,
    raw_cu_h real,
    raw_e_cu_h real,
    raw_fe_h real,
    raw_e_fe_h real,
    raw_k_h real,
    raw_e_k_h real,
    raw_mg_h real,
    raw_e_mg_h real,
    raw_mn_h real,
    raw_e_mn_h real,
    raw_na_h real,
    raw_e_na_h real,
    raw_nd_h real,
    raw_e_nd_h real,
    raw_ni_h real,
    raw_e_ni_h real,
    raw_n_h real,
    raw_e_n_h real,
    raw_o_h real,
    raw_e_o_h real,
    raw_p_h real,
    raw_e_p_h real,
    raw_si_h real,
    raw_e_si_h real,
    raw_s_h real,
    raw_e_s_h real,
    raw_ti_h real,
    raw_e_ti_h real,
    raw_v_h real,
    raw_e_v_h real,

    constraint aspcap_pkey primary key (task_pk),
    constraint aspcap_spectrum_version_key unique (spectrum_pk, v_astra_major_minor),
    constraint aspcap_source_fkey foreign key (source_pk) references source (pk),
    constraint aspcap_spectrum_fkey foreign key (spectrum_pk) references spectrum (pk),
    constraint aspcap_version_check check (v_astra >= 0)
)
-- A re-run replaces all rows of a page in one transaction: with half of it free no index grows.
with (fillfactor = 50);

create index if not exists aspcap_source_idx on aspcap (source_pk);

comment on table aspcap is 'Results of ASPCAP: parameters and abundances from APOGEE spectra';

-- Identifiers
comment on column aspcap.task_pk is 'Key of this result';
comment on column aspcap.source_pk is 'Key of the source';
comment on column aspcap.spectrum_pk is 'Key of the spectrum';

-- Astra Metadata
comment on column aspcap.v_astra is 'Version of Astra: 6002 is 0.6.2';
comment on column aspcap.v_astra_major_minor is 'Version of Astra without its patch number';
comment on column aspcap.created is 'Time when the row was first stored';
comment on column aspcap.modified is 'Time when the row was last stored';
comment on column aspcap.t_elapsed is 'Time spent on this result [s]';
comment on column aspcap.t_overhead is 'Share of the time spent on overheads [s]';
comment on column aspcap.tag is 'Label of the run, free text';

-- IRFM Effective Temperatures from V-Ks (Gonzalez Hernandez and Bonifacio 2009)
comment on column aspcap.irfm_teff is 'Effective temperature from V-Ks [K]';
comment on column aspcap.irfm_teff_flags is 'Quality of irfm_teff';

-- Stellar Parameters
comment on column aspcap.teff is 'Effective temperature [K]';
comment on column aspcap.e_teff is 'Error of teff [K]';
comment on column aspcap.logg is 'Surface gravity [dex]';
comment on column aspcap.e_logg is 'Error of logg [dex]';
comment on column aspcap.v_micro is 'Microturbulence [km/s]';
comment on column aspcap.e_v_micro is 'Error of v_micro [km/s]';
comment on column aspcap.v_sini is 'Projected rotational velocity [km/s]';
comment on column aspcap.e_v_sini is 'Error of v_sini [km/s]';
comment on column aspcap.m_h_atm is '[M/H] of the model atmosphere [dex]';
comment on column aspcap.e_m_h_atm is 'Error of m_h_atm [dex]';
comment on column aspcap.alpha_m_atm is '[alpha/M] of the model atmosphere [dex]';
comment on column aspcap.e_alpha_m_atm is 'Error of alpha_m_atm [dex]';
comment on column aspcap.c_m_atm is '[C/M] of the model atmosphere [dex]';
comment on column aspcap.e_c_m_atm is 'Error of c_m_atm [dex]';
comment on column aspcap.n_m_atm is '[N/M] of the model atmosphere [dex]';
comment on column aspcap.e_n_m_atm is 'Error of n_m_atm [dex]';

-- Chemical Abundances
comment on column aspcap.al_h is 'Abundance [Al/H] [dex]';
comment on column aspcap.e_al_h is 'Error of al_h [dex]';
comment on column aspcap.al_h_flags is 'Quality of al_h';
comment on column aspcap.al_h_rchi2 is 'Reduced chi-squared of the fit of al_h';
comment on column aspcap.c_12_13 is 'Ratio of the isotopes 12C/13C';
comment on column aspcap.e_c_12_13 is 'Error of c_12_13';
comment on column aspcap.c_12_13_flags is 'Quality of c_12_13';
comment on column aspcap.c_12_13_rchi2 is 'Reduced chi-squared of the fit of c_12_13';
comment on column aspcap.ca_h is 'Abundance [Ca/H] [dex]';
comment on column aspcap.e_ca_h is 'Error of ca_h [dex]';
comment on column aspcap.ca_h_flags is 'Quality of ca_h';
comment on column aspcap.ca_h_rchi2 is 'Reduced chi-squared of the fit of ca_h';
comment on column aspcap.ce_h is 'Abundance [Ce/H] [dex]';
comment on column aspcap.e_ce_h is 'Error of ce_h [dex]';
comment on column aspcap.ce_h_flags is 'Quality of ce_h';
comment on column aspcap.ce_h_rchi2 is 'Reduced chi-squared of the fit of ce_h';
comment on column aspcap.c_h is 'Abundance [C/H] [dex]';
comment on column aspcap.e_c_h is 'Error of c_h [dex]';
comment on column aspcap.c_h_flags is 'Quality of c_h';
comment on column aspcap.c_h_rchi2 is 'Reduced chi-squared of the fit of c_h';
comment on column aspcap.co_h is 'Abundance [Co/H] [dex]';
comment on column aspcap.e_co_h is 'Error of co_h [dex]';
comment on column aspcap.co_h_flags is 'Quality of co_h';
comment on column aspcap.co_h_rchi2 is 'Reduced chi-squared of the fit of co_h';
comment on column aspcap.cr_h is 'Abundance [Cr/H] [dex]';
comment on column aspcap.e_cr_h is 'Error of cr_h [dex]';
comment on column aspcap.cr_h_flags is 'Quality of cr_h';
comment on column aspcap.cr_h_rchi2 is 'Reduced chi-squared of the fit of cr_h';
comment on column aspcap.cu_h is 'Abundance [Cu/H] [dex]';
comment on column aspcap.e_cu_h is 'Error of cu_h [dex]';
comment on column aspcap.cu_h_flags is 'Quality of cu_h';
comment on column aspcap.cu_h_rchi2 is 'Reduced chi-squared of the fit of cu_h';
comment on column aspcap.fe_h is 'Abundance [Fe/H] [dex]';
comment on column aspcap.e_fe_h is 'Error of fe_h [dex]';
comment on column aspcap.fe_h_flags is 'Quality of fe_h';
comment on column aspcap.fe_h_rchi2 is 'Reduced chi-squared of the fit of fe_h';
comment on column aspcap.k_h is 'Abundance [K/H] [dex]';
comment on column aspcap.e_k_h is 'Error of k_h [dex]';
comment on column aspcap.k_h_flags is 'Quality of k_h';
comment on column aspcap.k_h_rchi2 is 'Reduced chi-squared of the fit of k_h';
comment on column aspcap.mg_h is 'Abundance [Mg/H] [dex]';
comment on column aspcap.e_mg_h is 'Error of mg_h [dex]';
comment on column aspcap.mg_h_flags is 'Quality of mg_h';
comment on column aspcap.mg_h_rchi2 is 'Reduced chi-squared of the fit of mg_h';
comment on column aspcap.mn_h is 'Abundance [Mn/H] [dex]';
comment on column aspcap.e_mn_h is 'Error of mn_h [dex]';
comment on column aspcap.mn_h_flags is 'Quality of mn_h';
comment on column aspcap.mn_h_rchi2 is 'Reduced chi-squared of the fit of mn_h';
comment on column aspcap.na_h is 'Abundance [Na/H] [dex]';
comment on column aspcap.e_na_h is 'Error of na_h [dex]';
comment on column aspcap.na_h_flags is 'Quality of na_h';
comment on column aspcap.na_h_rchi2 is 'Reduced chi-squared of the fit of na_h';
comment on column aspcap.nd_h is 'Abundance [Nd/H] [dex]';
comment on column aspcap.e_nd_h is 'Error of nd_h [dex]';
comment on column aspcap.nd_h_flags is 'Quality of nd_h';
comment on column aspcap.nd_h_rchi2 is 'Reduced chi-squared of the fit of nd_h';
comment on column aspcap.ni_h is 'Abundance [Ni/H] [dex]';
comment on column aspcap.e_ni_h is 'Error of ni_h [dex]';
comment on column aspcap.ni_h_flags is 'Quality of ni_h';
comment on column aspcap.ni_h_rchi2 is 'Reduced chi-squared of the fit of ni_h';
comment on column aspcap.n_h is 'Abundance [N/H] [dex]';
comment on column aspcap.e_n_h is 'Error of n_h [dex]';
comment on column aspcap.n_h_flags is 'Quality of n_h';
comment on column aspcap.n_h_rchi2 is 'Reduced chi-squared of the fit of n_h';
comment on column aspcap.o_h is 'Abundance [O/H] [dex]';
comment on column aspcap.e_o_h is 'Error of o_h [dex]';
comment on column aspcap.o_h_flags is 'Quality of o_h';
comment on column aspcap.o_h_rchi2 is 'Reduced chi-squared of the fit of o_h';
comment on column aspcap.p_h is 'Abundance [P/H] [dex]';
comment on column aspcap.e_p_h is 'Error of p_h [dex]';
comment on column aspcap.p_h_flags is 'Quality of p_h';
comment on column aspcap.p_h_rchi2 is 'Reduced chi-squared of the fit of p_h';
comment on column aspcap.si_h is 'Abundance [Si/H] [dex]';
comment on column aspcap.e_si_h is 'Error of si_h [dex]';
comment on column aspcap.si_h_flags is 'Quality of si_h';
comment on column aspcap.si_h_rchi2 is 'Reduced chi-squared of the fit of si_h';
comment on column aspcap.s_h is 'Abundance [S/H] [dex]';
comment on column aspcap.e_s_h is 'Error of s_h [dex]';
comment on column aspcap.s_h_flags is 'Quality of s_h';
comment on column aspcap.s_h_rchi2 is 'Reduced chi-squared of the fit of s_h';
comment on column aspcap.ti_h is 'Abundance [Ti/H] [dex]';
comment on column aspcap.e_ti_h is 'Error of ti_h [dex]';
comment on column aspcap.ti_h_flags is 'Quality of ti_h';
comment on column aspcap.ti_h_rchi2 is 'Reduced chi-squared of the fit of ti_h';
comment on column aspcap.v_h is 'Abundance [V/H] [dex]';
comment on column aspcap.e_v_h is 'Error of v_h [dex]';
comment on column aspcap.v_h_flags is 'Quality of v_h';
comment on column aspcap.v_h_rchi2 is 'Reduced chi-squared of the fit of v_h';

-- FERRE Settings
comment on column aspcap.short_grid_name is 'Name of the grid of model spectra';
comment on column aspcap.continuum_order is 'Order of the continuum; -1: none';
comment on column aspcap.continuum_reject is 'Rejection limit of the continuum';
comment on column aspcap.interpolation_order is 'Order of interpolation; -1: none';
comment on column aspcap.initial_flags is 'Where the fit started';

-- Summary Statistics
comment on column aspcap.rchi2 is 'Reduced chi-squared of the fit';
comment on column aspcap.ferre_log_snr_sq is 'Log of the squared S/N, by FERRE';
comment on column aspcap.ferre_time_coarse is 'Time spent by FERRE on the coarse grid [s]';
comment on column aspcap.ferre_time_params is 'Time spent by FERRE on the parameters [s]';
comment on column aspcap.ferre_time_abundances is 'Time spent by FERRE on the abundances [s]';
comment on column aspcap.result_flags is 'Quality of the result';

-- Initial parameters
comment on column aspcap.initial_teff is 'Starting point of teff [K]';
comment on column aspcap.initial_logg is 'Starting point of logg [dex]';
comment on column aspcap.initial_v_micro is 'Starting point of v_micro [km/s]';
comment on column aspcap.initial_v_sini is 'Starting point of v_sini [km/s]';
comment on column aspcap.initial_m_h_atm is 'Starting point of m_h_atm [dex]';
comment on column aspcap.initial_alpha_m_atm is 'Starting point of alpha_m_atm [dex]';
comment on column aspcap.initial_c_m_atm is 'Starting point of c_m_atm [dex]';
comment on column aspcap.initial_n_m_atm is 'Starting point of n_m_atm [dex]';

-- Coarse parameters
comment on column aspcap.coarse_teff is 'Best point of the coarse grid: teff [K]';
comment on column aspcap.coarse_logg is 'Best point of the coarse grid: logg [dex]';
comment on column aspcap.coarse_v_micro is 'Best point of the coarse grid: v_micro [km/s]';
comment on column aspcap.coarse_v_sini is 'Best point of the coarse grid: v_sini [km/s]';
comment on column aspcap.coarse_m_h_atm is 'Best point of the coarse grid: m_h_atm [dex]';
comment on column aspcap.coarse_alpha_m_atm is 'Best point of the coarse grid: alpha_m_atm [dex]';
comment on column aspcap.coarse_c_m_atm is 'Best point of the coarse grid: c_m_atm [dex]';
comment on column aspcap.coarse_n_m_atm is 'Best point of the coarse grid: n_m_atm [dex]';
comment on column aspcap.coarse_ferre_flags is 'Quality of the coarse fit';
comment on column aspcap.coarse_rchi2 is 'Reduced chi-squared of the coarse fit';
comment on column aspcap.coarse_penalized_rchi2 is 'coarse_rchi2 with a penalty at grid edges';
comment on column aspcap.pwd is 'Directory where FERRE ran';
comment on column aspcap.ferre_index is 'Index of the spectrum in the FERRE run';

-- Calibration flags
comment on column aspcap.calibrated_flags is 'Which calibration was applied';
comment on column aspcap.mass is 'Stellar mass from isochrones [Msun]';
comment on column aspcap.radius is 'Stellar radius from isochrones [Rsun]';

-- Raw (Uncalibrated) Quantities
comment on column aspcap.raw_teff is 'Uncalibrated teff [K]';
comment on column aspcap.raw_e_teff is 'Formal error of teff [K]';
comment on column aspcap.raw_logg is 'Uncalibrated logg [dex]';
comment on column aspcap.raw_e_logg is 'Formal error of logg [dex]';
comment on column aspcap.raw_v_micro is 'Uncalibrated v_micro [km/s]';
comment on column aspcap.raw_e_v_micro is 'Formal error of v_micro [km/s]';
comment on column aspcap.raw_v_sini is 'Uncalibrated v_sini [km/s]';
comment on column aspcap.raw_e_v_sini is 'Formal error of v_sini [km/s]';
comment on column aspcap.raw_m_h_atm is 'Uncalibrated m_h_atm [dex]';
comment on column aspcap.raw_e_m_h_atm is 'Formal error of m_h_atm [dex]';
comment on column aspcap.raw_alpha_m_atm is 'Uncalibrated alpha_m_atm [dex]';
comment on column aspcap.raw_e_alpha_m_atm is 'Formal error of alpha_m_atm [dex]';
comment on column aspcap.raw_c_m_atm is 'Uncalibrated c_m_atm [dex]';
comment on column aspcap.raw_e_c_m_atm is 'Formal error of c_m_atm [dex]';
comment on column aspcap.raw_n_m_atm is 'Uncalibrated n_m_atm [dex]';
comment on column aspcap.raw_e_n_m_atm is 'Formal error of n_m_atm [dex]';
comment on column aspcap.raw_al_h is 'Uncalibrated al_h [dex]';
comment on column aspcap.raw_e_al_h is 'Formal error of al_h [dex]';
comment on column aspcap.raw_c_12_13 is 'Uncalibrated c_12_13';
comment on column aspcap.raw_e_c_12_13 is 'Formal error of c_12_13';
comment on column aspcap.raw_ca_h is 'Uncalibrated ca_h [dex]';
comment on column aspcap.raw_e_ca_h is 'Formal error of ca_h [dex]';
comment on column aspcap.raw_ce_h is 'Uncalibrated ce_h [dex]';
comment on column aspcap.raw_e_ce_h is 'Formal error of ce_h [dex]';
comment on column aspcap.raw_c_h is 'Uncalibrated c_h [dex]';
comment on column aspcap.raw_e_c_h is 'Formal error of c_h [dex]';
comment on column aspcap.raw_co_h is 'Uncalibrated co_h [dex]';
comment on column aspcap.raw_e_co_h is 'Formal error of co_h [dex]';
comment on column aspcap.raw_cr_h is 'Uncalibrated cr_h [dex]';
comment on column aspcap.raw_e_cr_h is 'Formal error of cr_h [dex]';
comment on column aspcap.raw_cu_h is 'Uncalibrated cu_h [dex]';
comment on column aspcap.raw_e_cu_h is 'Formal error of cu_h [dex]';
comment on column aspcap.raw_fe_h is 'Uncalibrated fe_h [dex]';
comment on column aspcap.raw_e_fe_h is 'Formal error of fe_h [dex]';
comment on column aspcap.raw_k_h is 'Uncalibrated k_h [dex]';
comment on column aspcap.raw_e_k_h is 'Formal error of k_h [dex]';
comment on column aspcap.raw_mg_h is 'Uncalibrated mg_h [dex]';
comment on column aspcap.raw_e_mg_h is 'Formal error of mg_h [dex]';
comment on column aspcap.raw_mn_h is 'Uncalibrated mn_h [dex]';
comment on column aspcap.raw_e_mn_h is 'Formal error of mn_h [dex]';
comment on column aspcap.raw_na_h is 'Uncalibrated na_h [dex]';
comment on column aspcap.raw_e_na_h is 'Formal error of na_h [dex]';
comment on column aspcap.raw_nd_h is 'Uncalibrated nd_h [dex]';
comment on column aspcap.raw_e_nd_h is 'Formal error of nd_h [dex]';
comment on column aspcap.raw_ni_h is 'Uncalibrated ni_h [dex]';
comment on column aspcap.raw_e_ni_h is 'Formal error of ni_h [dex]';
comment on column aspcap.raw_n_h is 'Uncalibrated n_h [dex]';
comment on column aspcap.raw_e_n_h is 'Formal error of n_h [dex]';
comment on column aspcap.raw_o_h is 'Uncalibrated o_h [dex]';
comment on column aspcap.raw_e_o_h is 'Formal error of o_h [dex]';
comment on column aspcap.raw_p_h is 'Uncalibrated p_h [dex]';
comment on column aspcap.raw_e_p_h is 'Formal error of p_h [dex]';
comment on column aspcap.raw_si_h is 'Uncalibrated si_h [dex]';
comment on column aspcap.raw_e_si_h is 'Formal error of si_h [dex]';
comment on column aspcap.raw_s_h is 'Uncalibrated s_h [dex]';
comment on column aspcap.raw_e_s_h is 'Formal error of s_h [dex]';
comment on column aspcap.raw_ti_h is 'Uncalibrated ti_h [dex]';
comment on column aspcap.raw_e_ti_h is 'Formal error of ti_h [dex]';
comment on column aspcap.raw_v_h is 'Uncalibrated v_h [dex]';
comment on column aspcap.raw_e_v_h is 'Formal error of v_h [dex]';
