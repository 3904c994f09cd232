-- Results of The Cannon, one row for each spectrum and version.
--
-- A spectrum has one result in each major.minor version: a patch release replaces the row, a minor
-- release adds one. Sources and spectra that have results cannot be deleted.
-- A label that was not measured is NULL, never NaN.

create table if not exists the_cannon (
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
    v_micro real,
    e_v_micro real,
    v_macro real,
    e_v_macro real,

    -- Chemical Abundances
    c_fe real,
    e_c_fe real,
    n_fe real,
    e_n_fe real,
    o_fe real,
    e_o_fe real,
    na_fe real,
    e_na_fe real,
    mg_fe real,
    e_mg_fe real,
    al_fe real,
    e_al_fe real,
    si_fe real,
    e_si_fe real,
    s_fe real,
    e_s_fe real,
    k_fe real,
    e_k_fe real,
    ca_fe real,
    e_ca_fe real,
    ti_fe real,
    e_ti_fe real,
    v_fe real,
    e_v_fe real,
    cr_fe real,
    e_cr_fe real,
    mn_fe real,
    e_mn_fe real,
    ni_fe real,
    e_ni_fe real,

    -- Summary Statistics
    chi2 real,
    rchi2 real,

    -- Formal uncertainties
    raw_e_teff real,
    raw_e_logg real,
    raw_e_fe_h real,
    raw_e_v_micro real,
    raw_e_v_macro real,
    raw_e_c_fe real,
    raw_e_n_fe real,
    raw_e_o_fe real,
    raw_e_na_fe real,
    raw_e_mg_fe real,
    raw_e_al_fe real,
    raw_e_si_fe real,
    raw_e_s_fe real,
    raw_e_k_fe real,
    raw_e_ca_fe real,
    raw_e_ti_fe real,
    raw_e_v_fe real,
    raw_e_cr_fe real,
    raw_e_mn_fe real,
    raw_e_ni_fe real,

    -- Metadata
    ier integer not null default -1,
    nfev integer not null default -1,
    x0_index integer not null default -1,
    result_flags bigint not null default 0,

    constraint the_cannon_pkey primary key (task_pk),
    constraint the_cannon_spectrum_version_key unique (spectrum_pk, v_astra_major_minor),
    constraint the_cannon_source_fkey foreign key (source_pk) references source (pk),
    constraint the_cannon_spectrum_fkey foreign key (spectrum_pk) references spectrum (pk),
    constraint the_cannon_version_check check (v_astra >= 0)
)
-- A re-run replaces all rows of a page in one transaction: with half of it free no index grows.
with (fillfactor = 50);

create index if not exists the_cannon_source_idx on the_cannon (source_pk);

comment on table the_cannon is 'Results of The Cannon: stellar labels from APOGEE spectra';

-- Identifiers
comment on column the_cannon.task_pk is 'Key of this result';
comment on column the_cannon.source_pk is 'Key of the source';
comment on column the_cannon.spectrum_pk is 'Key of the spectrum';

-- Astra Metadata
comment on column the_cannon.v_astra is 'Version of Astra: 6002 is 0.6.2';
comment on column the_cannon.v_astra_major_minor is 'Version of Astra without its patch number';
comment on column the_cannon.created is 'Time when the row was first stored';
comment on column the_cannon.modified is 'Time when the row was last stored';
comment on column the_cannon.t_elapsed is 'Time spent on this result [s]';
comment on column the_cannon.t_overhead is 'Share of the time spent on overheads [s]';
comment on column the_cannon.tag is 'Label of the run, free text';

-- Stellar Labels
comment on column the_cannon.teff is 'Effective temperature [K]';
comment on column the_cannon.e_teff is 'Error of teff [K]';
comment on column the_cannon.logg is 'Surface gravity [dex]';
comment on column the_cannon.e_logg is 'Error of logg [dex]';
comment on column the_cannon.fe_h is 'Abundance [Fe/H] [dex]';
comment on column the_cannon.e_fe_h is 'Error of fe_h [dex]';
comment on column the_cannon.v_micro is 'Microturbulence [km/s]';
comment on column the_cannon.e_v_micro is 'Error of v_micro [km/s]';
comment on column the_cannon.v_macro is 'Macroscopic broadening [km/s]';
comment on column the_cannon.e_v_macro is 'Error of v_macro [km/s]';

-- Chemical Abundances
comment on column the_cannon.c_fe is 'Abundance [C/Fe] [dex]';
comment on column the_cannon.e_c_fe is 'Error of c_fe [dex]';
comment on column the_cannon.n_fe is 'Abundance [N/Fe] [dex]';
comment on column the_cannon.e_n_fe is 'Error of n_fe [dex]';
comment on column the_cannon.o_fe is 'Abundance [O/Fe] [dex]';
comment on column the_cannon.e_o_fe is 'Error of o_fe [dex]';
comment on column the_cannon.na_fe is 'Abundance [Na/Fe] [dex]';
comment on column the_cannon.e_na_fe is 'Error of na_fe [dex]';
comment on column the_cannon.mg_fe is 'Abundance [Mg/Fe] [dex]';
comment on column the_cannon.e_mg_fe is 'Error of mg_fe [dex]';
comment on column the_cannon.al_fe is 'Abundance [Al/Fe] [dex]';
comment on column the_cannon.e_al_fe is 'Error of al_fe [dex]';
comment on column the_cannon.si_fe is 'Abundance [Si/Fe] [dex]';
comment on column the_cannon.e_si_fe is 'Error of si_fe [dex]';
comment on column the_cannon.s_fe is 'Abundance [S/Fe] [dex]';
comment on column the_cannon.e_s_fe is 'Error of s_fe [dex]';
comment on column the_cannon.k_fe is 'Abundance [K/Fe] [dex]';
comment on column the_cannon.e_k_fe is 'Error of k_fe [dex]';
comment on column the_cannon.ca_fe is 'Abundance [Ca/Fe] [dex]';
comment on column the_cannon.e_ca_fe is 'Error of ca_fe [dex]';
comment on column the_cannon.ti_fe is 'Abundance [Ti/Fe] [dex]';
comment on column the_cannon.e_ti_fe is 'Error of ti_fe [dex]';
comment on column the_cannon.v_fe is 'Abundance [V/Fe] [dex]';
comment on column the_cannon.e_v_fe is 'Error of v_fe [dex]';
comment on column the_cannon.cr_fe is 'Abundance [Cr/Fe] [dex]';
comment on column the_cannon.e_cr_fe is 'Error of cr_fe [dex]';
comment on column the_cannon.mn_fe is 'Abundance [Mn/Fe] [dex]';
comment on column the_cannon.e_mn_fe is 'Error of mn_fe [dex]';
comment on column the_cannon.ni_fe is 'Abundance [Ni/Fe] [dex]';
comment on column the_cannon.e_ni_fe is 'Error of ni_fe [dex]';

-- Summary Statistics
comment on column the_cannon.chi2 is 'Chi-squared of the fit';
comment on column the_cannon.rchi2 is 'Reduced chi-squared of the fit';

-- Formal uncertainties
comment on column the_cannon.raw_e_teff is 'Formal error of teff [K]';
comment on column the_cannon.raw_e_logg is 'Formal error of logg [dex]';
comment on column the_cannon.raw_e_fe_h is 'Formal error of fe_h [dex]';
comment on column the_cannon.raw_e_v_micro is 'Formal error of v_micro [km/s]';
comment on column the_cannon.raw_e_v_macro is 'Formal error of v_macro [km/s]';
comment on column the_cannon.raw_e_c_fe is 'Formal error of c_fe [dex]';
comment on column the_cannon.raw_e_n_fe is 'Formal error of n_fe [dex]';
comment on column the_cannon.raw_e_o_fe is 'Formal error of o_fe [dex]';
comment on column the_cannon.raw_e_na_fe is 'Formal error of na_fe [dex]';
comment on column the_cannon.raw_e_mg_fe is 'Formal error of mg_fe [dex]';
comment on column the_cannon.raw_e_al_fe is 'Formal error of al_fe [dex]';
comment on column the_cannon.raw_e_si_fe is 'Formal error of si_fe [dex]';
comment on column the_cannon.raw_e_s_fe is 'Formal error of s_fe [dex]';
comment on column the_cannon.raw_e_k_fe is 'Formal error of k_fe [dex]';
comment on column the_cannon.raw_e_ca_fe is 'Formal error of ca_fe [dex]';
comment on column the_cannon.raw_e_ti_fe is 'Formal error of ti_fe [dex]';
comment on column the_cannon.raw_e_v_fe is 'Formal error of v_fe [dex]';
comment on column the_cannon.raw_e_cr_fe is 'Formal error of cr_fe [dex]';
comment on column the_cannon.raw_e_mn_fe is 'Formal error of mn_fe [dex]';
comment on column the_cannon.raw_e_ni_fe is 'Formal error of ni_fe [dex]';

-- Metadata
comment on column the_cannon.ier is 'Status of the optimiser; -1: not run';
comment on column the_cannon.nfev is 'Number of model evaluations; -1: not run';
comment on column the_cannon.x0_index is 'Which starting point was used; -1: none';
comment on column the_cannon.result_flags is 'Quality of the result';
