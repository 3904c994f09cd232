-- Results of Corv, one row for each spectrum and version.
--
-- A spectrum has one result in each major.minor version: a patch release replaces the row, a minor
-- release adds one. Sources and spectra that have results cannot be deleted.

create table if not exists corv (
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

    -- Radial Velocity (corv)
    v_rad real,
    e_v_rad real,

    -- Stellar Parameters
    teff real,
    e_teff real,
    logg real,
    e_logg real,

    -- Initial values
    initial_teff real,
    initial_logg real,
    initial_v_rad real,

    -- Summary Statistics
    rchi2 real,
    result_flags integer,

    constraint corv_pkey primary key (task_pk),
    constraint corv_spectrum_version_key unique (spectrum_pk, v_astra_major_minor),
    constraint corv_source_fkey foreign key (source_pk) references source (pk),
    constraint corv_spectrum_fkey foreign key (spectrum_pk) references spectrum (pk),
    constraint corv_version_check check (v_astra >= 0),
    constraint corv_no_nan_check check (
        greatest(
            t_elapsed, t_overhead, v_rad, e_v_rad, teff, e_teff, logg, e_logg, initial_teff, initial_logg,
            initial_v_rad, rchi2
        ) <> 'NaN'
    )
)
-- A re-run replaces all rows of a page in one transaction: with half of it free no index grows.
with (fillfactor = 50);

create index if not exists corv_source_idx on corv (source_pk);

comment on table corv is 'Results of Corv: radial velocities of white dwarfs from BOSS spectra';

-- Identifiers
comment on column corv.task_pk is 'Key of this result';
comment on column corv.source_pk is 'Key of the source';
comment on column corv.spectrum_pk is 'Key of the spectrum';

-- Astra Metadata
comment on column corv.v_astra is 'Version of Astra: 6002 is 0.6.2';
comment on column corv.v_astra_major_minor is 'Version of Astra without its patch number';
comment on column corv.created is 'Time when the row was first stored';
comment on column corv.modified is 'Time when the row was last stored';
comment on column corv.t_elapsed is 'Time spent on this result [s]';
comment on column corv.t_overhead is 'Share of the time spent on overheads [s]';
comment on column corv.tag is 'Label of the run, free text';

-- Radial Velocity (corv)
comment on column corv.v_rad is 'Barycentric radial velocity [km/s]';
comment on column corv.e_v_rad is 'Error of v_rad [km/s]';

-- Stellar Parameters
comment on column corv.teff is 'Effective temperature [K]';
comment on column corv.e_teff is 'Error of teff [K]';
comment on column corv.logg is 'Surface gravity [dex]';
comment on column corv.e_logg is 'Error of logg [dex]';

-- Initial values
comment on column corv.initial_teff is 'Starting point of teff [K]';
comment on column corv.initial_logg is 'Starting point of logg [dex]';
comment on column corv.initial_v_rad is 'Starting point of v_rad [km/s]';

-- Summary Statistics
comment on column corv.rchi2 is 'Reduced chi-squared of the fit';
comment on column corv.result_flags is 'Flags of the fit, without named bits';
