-- Results of Clam, one row for each spectrum and version.
--
-- A spectrum has one result in each major.minor version: a patch release replaces the row, a minor
-- release adds one. Sources and spectra that have results cannot be deleted.
-- Run after schema/flags: the names of its bits stand below.

create table if not exists clam (
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
    m_h real,
    e_m_h real,
    n_m real,
    e_n_m real,
    c_m real,
    e_c_m real,
    v_micro real,
    e_v_micro real,
    v_sini real,
    e_v_sini real,

    -- Initial position
    initial_teff real,
    initial_logg real,
    initial_m_h real,
    initial_n_m real,
    initial_c_m real,
    initial_v_micro real,
    initial_v_sini real,

    -- Summary Statistics
    rchi2 real,
    result_flags bigint not null default 0,

    constraint clam_pkey primary key (task_pk),
    constraint clam_spectrum_version_key unique (spectrum_pk, v_astra_major_minor),
    constraint clam_source_fkey foreign key (source_pk) references source (pk),
    constraint clam_spectrum_fkey foreign key (spectrum_pk) references spectrum (pk),
    constraint clam_version_check check (v_astra >= 0),
    constraint clam_no_nan_check check (
        greatest(
            t_elapsed, t_overhead, teff, e_teff, logg, e_logg, m_h, e_m_h, n_m, e_n_m, c_m, e_c_m, v_micro,
            e_v_micro, v_sini, e_v_sini, initial_teff, initial_logg, initial_m_h, initial_n_m, initial_c_m,
            initial_v_micro, initial_v_sini, rchi2
        ) <> 'NaN'
    )
)
-- A re-run replaces all rows of a page in one transaction: with half of it free no index grows.
with (fillfactor = 50);

create index if not exists clam_source_idx on clam (source_pk);

comment on table clam is 'Results of Clam: stellar labels by a model that was learned from synthetic spectra';

-- Identifiers
comment on column clam.task_pk is 'Key of this result';
comment on column clam.source_pk is 'Key of the source';
comment on column clam.spectrum_pk is 'Key of the spectrum';

-- Astra Metadata
comment on column clam.v_astra is 'Version of Astra: 6002 is 0.6.2';
comment on column clam.v_astra_major_minor is 'Version of Astra without its patch number';
comment on column clam.created is 'Time when the row was first stored';
comment on column clam.modified is 'Time when the row was last stored';
comment on column clam.t_elapsed is 'Time spent on this result [s]';
comment on column clam.t_overhead is 'Share of the time spent on overheads [s]';
comment on column clam.tag is 'Label of the run, free text';

-- Stellar Labels
comment on column clam.teff is 'Effective temperature [K]';
comment on column clam.e_teff is 'Error of teff [K]';
comment on column clam.logg is 'Surface gravity [dex]';
comment on column clam.e_logg is 'Error of logg [dex]';
comment on column clam.m_h is 'Abundance [M/H] [dex]';
comment on column clam.e_m_h is 'Error of m_h [dex]';
comment on column clam.n_m is 'Abundance [N/M] [dex]';
comment on column clam.e_n_m is 'Error of n_m [dex]';
comment on column clam.c_m is 'Abundance [C/M] [dex]';
comment on column clam.e_c_m is 'Error of c_m [dex]';
comment on column clam.v_micro is 'Microturbulence [km/s]';
comment on column clam.e_v_micro is 'Error of v_micro [km/s]';
comment on column clam.v_sini is 'Projected rotational velocity [km/s]';
comment on column clam.e_v_sini is 'Error of v_sini [km/s]';

-- Initial position
comment on column clam.initial_teff is 'Starting point of teff [K]';
comment on column clam.initial_logg is 'Starting point of logg [dex]';
comment on column clam.initial_m_h is 'Starting point of m_h [dex]';
comment on column clam.initial_n_m is 'Starting point of n_m [dex]';
comment on column clam.initial_c_m is 'Starting point of c_m [dex]';
comment on column clam.initial_v_micro is 'Starting point of v_micro [km/s]';
comment on column clam.initial_v_sini is 'Starting point of v_sini [km/s]';

-- Summary Statistics
comment on column clam.rchi2 is 'Reduced chi-squared of the fit';
comment on column clam.result_flags is 'Quality of the result';

-- Flags: one line for each bit
-- noqa: disable=layout.long_lines

insert into flag_definition (table_name, column_name, bit, name, meaning)
values
('clam', 'result_flags', 0, 'spectrum_io_error', 'Spectrum could not be read'),
('clam', 'result_flags', 1, 'runtime_error', 'Pipeline failed on this spectrum')
on conflict on constraint flag_definition_pkey do update
    set bit = excluded.bit, meaning = excluded.meaning
    where (flag_definition.bit, flag_definition.meaning) is distinct from (excluded.bit, excluded.meaning);
