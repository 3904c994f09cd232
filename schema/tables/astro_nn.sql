-- Results of AstroNN, one row for each spectrum and version.
--
-- A spectrum has one result in each major.minor version: a patch release replaces the row, a minor
-- release adds one. Sources and spectra that have results cannot be deleted.
-- Run after schema/flags: the names of its bits and the view of its quality stand below.

create table if not exists astro_nn (
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
    c_h real,
    e_c_h real,
    c_1_h real,
    e_c_1_h real,
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
    ti_2_h real,
    e_ti_2_h real,
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

    -- Raw Stellar Labels
    raw_teff real,
    raw_e_teff real,
    raw_logg real,
    raw_e_logg real,
    raw_c_h real,
    raw_e_c_h real,
    raw_c_1_h real,
    raw_e_c_1_h real,
    raw_n_h real,
    raw_e_n_h real,
    raw_o_h real,
    raw_e_o_h real,
    raw_na_h real,
    raw_e_na_h real,
    raw_mg_h real,
    raw_e_mg_h real,
    raw_al_h real,
    raw_e_al_h real,
    raw_si_h real,
    raw_e_si_h real,
    raw_p_h real,
    raw_e_p_h real,
    raw_s_h real,
    raw_e_s_h real,
    raw_k_h real,
    raw_e_k_h real,
    raw_ca_h real,
    raw_e_ca_h real,
    raw_ti_h real,
    raw_e_ti_h real,
    raw_ti_2_h real,
    raw_e_ti_2_h real,
    raw_v_h real,
    raw_e_v_h real,
    raw_cr_h real,
    raw_e_cr_h real,
    raw_mn_h real,
    raw_e_mn_h real,
    raw_fe_h real,
    raw_e_fe_h real,
    raw_co_h real,
    raw_e_co_h real,
    raw_ni_h real,
    raw_e_ni_h real,

    -- Summary Statistics
    result_flags bigint not null default 0,

    constraint astro_nn_pkey primary key (task_pk),
    constraint astro_nn_spectrum_version_key unique (spectrum_pk, v_astra_major_minor),
    constraint astro_nn_source_fkey foreign key (source_pk) references source (pk),
    constraint astro_nn_spectrum_fkey foreign key (spectrum_pk) references spectrum (pk),
    constraint astro_nn_version_check check (v_astra >= 0),
    constraint astro_nn_no_nan_check check (
        greatest(
            t_elapsed, t_overhead, teff, e_teff, logg, e_logg, c_h, e_c_h, c_1_h, e_c_1_h, n_h, e_n_h, o_h,
            e_o_h, na_h, e_na_h, mg_h, e_mg_h, al_h, e_al_h, si_h, e_si_h, p_h, e_p_h, s_h, e_s_h, k_h, e_k_h,
            ca_h, e_ca_h, ti_h, e_ti_h, ti_2_h, e_ti_2_h, v_h, e_v_h, cr_h, e_cr_h, mn_h, e_mn_h, fe_h,
            e_fe_h, co_h, e_co_h, ni_h, e_ni_h, raw_teff, raw_e_teff, raw_logg, raw_e_logg, raw_c_h,
            raw_e_c_h, raw_c_1_h, raw_e_c_1_h, raw_n_h, raw_e_n_h, raw_o_h, raw_e_o_h, raw_na_h, raw_e_na_h,
            raw_mg_h, raw_e_mg_h, raw_al_h, raw_e_al_h, raw_si_h, raw_e_si_h, raw_p_h, raw_e_p_h, raw_s_h,
            raw_e_s_h, raw_k_h, raw_e_k_h, raw_ca_h, raw_e_ca_h, raw_ti_h, raw_e_ti_h, raw_ti_2_h,
            raw_e_ti_2_h, raw_v_h, raw_e_v_h, raw_cr_h, raw_e_cr_h, raw_mn_h, raw_e_mn_h, raw_fe_h,
            raw_e_fe_h, raw_co_h, raw_e_co_h, raw_ni_h, raw_e_ni_h
        ) <> 'NaN'
    )
)
-- A re-run replaces all rows of a page in one transaction: with half of it free no index grows.
with (fillfactor = 50);

create index if not exists astro_nn_source_idx on astro_nn (source_pk);

comment on table astro_nn is 'Results of AstroNN: stellar labels from APOGEE spectra';

-- Identifiers
comment on column astro_nn.task_pk is 'Key of this result';
comment on column astro_nn.source_pk is 'Key of the source';
comment on column astro_nn.spectrum_pk is 'Key of the spectrum';

-- Astra Metadata
comment on column astro_nn.v_astra is 'Version of Astra: 6002 is 0.6.2';
comment on column astro_nn.v_astra_major_minor is 'Version of Astra without its patch number';
comment on column astro_nn.created is 'Time when the row was first stored';
comment on column astro_nn.modified is 'Time when the row was last stored';
comment on column astro_nn.t_elapsed is 'Time spent on this result [s]';
comment on column astro_nn.t_overhead is 'Share of the time spent on overheads [s]';
comment on column astro_nn.tag is 'Label of the run, free text';

-- Stellar Labels
comment on column astro_nn.teff is 'Effective temperature [K]';
comment on column astro_nn.e_teff is 'Error of teff [K]';
comment on column astro_nn.logg is 'Surface gravity [dex]';
comment on column astro_nn.e_logg is 'Error of logg [dex]';
comment on column astro_nn.c_h is 'Abundance [C/H] [dex]';
comment on column astro_nn.e_c_h is 'Error of c_h [dex]';
comment on column astro_nn.c_1_h is 'Abundance [C I/H] [dex]';
comment on column astro_nn.e_c_1_h is 'Error of c_1_h [dex]';
comment on column astro_nn.n_h is 'Abundance [N/H] [dex]';
comment on column astro_nn.e_n_h is 'Error of n_h [dex]';
comment on column astro_nn.o_h is 'Abundance [O/H] [dex]';
comment on column astro_nn.e_o_h is 'Error of o_h [dex]';
comment on column astro_nn.na_h is 'Abundance [Na/H] [dex]';
comment on column astro_nn.e_na_h is 'Error of na_h [dex]';
comment on column astro_nn.mg_h is 'Abundance [Mg/H] [dex]';
comment on column astro_nn.e_mg_h is 'Error of mg_h [dex]';
comment on column astro_nn.al_h is 'Abundance [Al/H] [dex]';
comment on column astro_nn.e_al_h is 'Error of al_h [dex]';
comment on column astro_nn.si_h is 'Abundance [Si/H] [dex]';
comment on column astro_nn.e_si_h is 'Error of si_h [dex]';
comment on column astro_nn.p_h is 'Abundance [P/H] [dex]';
comment on column astro_nn.e_p_h is 'Error of p_h [dex]';
comment on column astro_nn.s_h is 'Abundance [S/H] [dex]';
comment on column astro_nn.e_s_h is 'Error of s_h [dex]';
comment on column astro_nn.k_h is 'Abundance [K/H] [dex]';
comment on column astro_nn.e_k_h is 'Error of k_h [dex]';
comment on column astro_nn.ca_h is 'Abundance [Ca/H] [dex]';
comment on column astro_nn.e_ca_h is 'Error of ca_h [dex]';
comment on column astro_nn.ti_h is 'Abundance [Ti/H] [dex]';
comment on column astro_nn.e_ti_h is 'Error of ti_h [dex]';
comment on column astro_nn.ti_2_h is 'Abundance [Ti II/H] [dex]';
comment on column astro_nn.e_ti_2_h is 'Error of ti_2_h [dex]';
comment on column astro_nn.v_h is 'Abundance [V/H] [dex]';
comment on column astro_nn.e_v_h is 'Error of v_h [dex]';
comment on column astro_nn.cr_h is 'Abundance [Cr/H] [dex]';
comment on column astro_nn.e_cr_h is 'Error of cr_h [dex]';
comment on column astro_nn.mn_h is 'Abundance [Mn/H] [dex]';
comment on column astro_nn.e_mn_h is 'Error of mn_h [dex]';
comment on column astro_nn.fe_h is 'Abundance [Fe/H] [dex]';
comment on column astro_nn.e_fe_h is 'Error of fe_h [dex]';
comment on column astro_nn.co_h is 'Abundance [Co/H] [dex]';
comment on column astro_nn.e_co_h is 'Error of co_h [dex]';
comment on column astro_nn.ni_h is 'Abundance [Ni/H] [dex]';
comment on column astro_nn.e_ni_h is 'Error of ni_h [dex]';

-- Raw Stellar Labels
comment on column astro_nn.raw_teff is 'Uncalibrated teff [K]';
comment on column astro_nn.raw_e_teff is 'Formal error of teff [K]';
comment on column astro_nn.raw_logg is 'Uncalibrated logg [dex]';
comment on column astro_nn.raw_e_logg is 'Formal error of logg [dex]';
comment on column astro_nn.raw_c_h is 'Uncalibrated c_h [dex]';
comment on column astro_nn.raw_e_c_h is 'Formal error of c_h [dex]';
comment on column astro_nn.raw_c_1_h is 'Uncalibrated c_1_h [dex]';
comment on column astro_nn.raw_e_c_1_h is 'Formal error of c_1_h [dex]';
comment on column astro_nn.raw_n_h is 'Uncalibrated n_h [dex]';
comment on column astro_nn.raw_e_n_h is 'Formal error of n_h [dex]';
comment on column astro_nn.raw_o_h is 'Uncalibrated o_h [dex]';
comment on column astro_nn.raw_e_o_h is 'Formal error of o_h [dex]';
comment on column astro_nn.raw_na_h is 'Uncalibrated na_h [dex]';
comment on column astro_nn.raw_e_na_h is 'Formal error of na_h [dex]';
comment on column astro_nn.raw_mg_h is 'Uncalibrated mg_h [dex]';
comment on column astro_nn.raw_e_mg_h is 'Formal error of mg_h [dex]';
comment on column astro_nn.raw_al_h is 'Uncalibrated al_h [dex]';
comment on column astro_nn.raw_e_al_h is 'Formal error of al_h [dex]';
comment on column astro_nn.raw_si_h is 'Uncalibrated si_h [dex]';
comment on column astro_nn.raw_e_si_h is 'Formal error of si_h [dex]';
comment on column astro_nn.raw_p_h is 'Uncalibrated p_h [dex]';
comment on column astro_nn.raw_e_p_h is 'Formal error of p_h [dex]';
comment on column astro_nn.raw_s_h is 'Uncalibrated s_h [dex]';
comment on column astro_nn.raw_e_s_h is 'Formal error of s_h [dex]';
comment on column astro_nn.raw_k_h is 'Uncalibrated k_h [dex]';
comment on column astro_nn.raw_e_k_h is 'Formal error of k_h [dex]';
comment on column astro_nn.raw_ca_h is 'Uncalibrated ca_h [dex]';
comment on column astro_nn.raw_e_ca_h is 'Formal error of ca_h [dex]';
comment on column astro_nn.raw_ti_h is 'Uncalibrated ti_h [dex]';
comment on column astro_nn.raw_e_ti_h is 'Formal error of ti_h [dex]';
comment on column astro_nn.raw_ti_2_h is 'Uncalibrated ti_2_h [dex]';
comment on column astro_nn.raw_e_ti_2_h is 'Formal error of ti_2_h [dex]';
comment on column astro_nn.raw_v_h is 'Uncalibrated v_h [dex]';
comment on column astro_nn.raw_e_v_h is 'Formal error of v_h [dex]';
comment on column astro_nn.raw_cr_h is 'Uncalibrated cr_h [dex]';
comment on column astro_nn.raw_e_cr_h is 'Formal error of cr_h [dex]';
comment on column astro_nn.raw_mn_h is 'Uncalibrated mn_h [dex]';
comment on column astro_nn.raw_e_mn_h is 'Formal error of mn_h [dex]';
comment on column astro_nn.raw_fe_h is 'Uncalibrated fe_h [dex]';
comment on column astro_nn.raw_e_fe_h is 'Formal error of fe_h [dex]';
comment on column astro_nn.raw_co_h is 'Uncalibrated co_h [dex]';
comment on column astro_nn.raw_e_co_h is 'Formal error of co_h [dex]';
comment on column astro_nn.raw_ni_h is 'Uncalibrated ni_h [dex]';
comment on column astro_nn.raw_e_ni_h is 'Formal error of ni_h [dex]';

-- Summary Statistics
comment on column astro_nn.result_flags is 'Quality of the result';

-- Flags: one line for each bit
-- noqa: disable=layout.long_lines

insert into flag_definition (table_name, column_name, bit, name, meaning)
values
('astro_nn', 'result_flags', 0, 'uncertain_logg', 'Formal error of logg above 0.2 dex and 7.5 percent'),
('astro_nn', 'result_flags', 1, 'uncertain_teff', 'Formal error of teff above 300 K'),
('astro_nn', 'result_flags', 2, 'uncertain_fe_h', 'Formal error of fe_h above 12 percent'),
('astro_nn', 'result_flags', 11, 'no_result', 'No result for this spectrum')
on conflict on constraint flag_definition_pkey do update
    set bit = excluded.bit, meaning = excluded.meaning
    where (flag_definition.bit, flag_definition.meaning) is distinct from (excluded.bit, excluded.meaning);

-- What quality_views.sql says of other tables.
-- noqa: disable=structure.column_order,ambiguous.column_count

create or replace view astro_nn_quality with (security_invoker = true) as
select
    astro_nn.result_flags > 0 as flag_warn,
    astro_nn.result_flags
    & (
        flag_mask('astro_nn', 'result_flags', 'uncertain_logg')
        | flag_mask('astro_nn', 'result_flags', 'uncertain_teff')
        | flag_mask('astro_nn', 'result_flags', 'uncertain_fe_h')
    )
    = (
        flag_mask('astro_nn', 'result_flags', 'uncertain_logg')
        | flag_mask('astro_nn', 'result_flags', 'uncertain_teff')
        | flag_mask('astro_nn', 'result_flags', 'uncertain_fe_h')
    ) as flag_bad,
    astro_nn.*
from astro_nn;

comment on view astro_nn_quality is 'Results of AstroNN with the summaries of their flags';
comment on column astro_nn_quality.flag_warn is 'Whether any quality flag is set';
comment on column astro_nn_quality.flag_bad is 'Whether teff, logg and fe_h are uncertain, all three';
