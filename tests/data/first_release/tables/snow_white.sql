-- Results of Snow White, one row for each spectrum and version.
--
-- A spectrum has one result in each major.minor version: a patch release replaces the row, a minor
-- release adds one. Sources and spectra that have results cannot be deleted.

create table if not exists snow_white (
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

    -- Classification Probabilities
    classification text,
    p_cv real,
    p_da real,
    p_dab real,
    p_dabz real,
    p_dah real,
    p_dahe real,
    p_dao real,
    p_daz real,
    p_da_ms real,
    p_db real,
    p_dba real,
    p_dbaz real,
    p_dbh real,
    p_dbz real,
    p_db_ms real,
    p_dc real,
    p_dc_ms real,
    p_do real,
    p_dq real,
    p_dqz real,
    p_dqpec real,
    p_dz real,
    p_dza real,
    p_dzb real,
    p_dzba real,
    p_mwd real,
    p_hotdq real,

    -- Stellar Parameters
    teff real,
    e_teff real,
    logg real,
    e_logg real,
    v_rel real,

    -- Formal uncertainties
    raw_e_teff real,
    raw_e_logg real,

    -- Metadata
    result_flags bigint not null default 0,

    constraint snow_white_pkey primary key (task_pk),
    constraint snow_white_spectrum_version_key unique (spectrum_pk, v_astra_major_minor),
    constraint snow_white_source_fkey foreign key (source_pk) references source (pk),
    constraint snow_white_spectrum_fkey foreign key (spectrum_pk) references spectrum (pk),
    constraint snow_white_version_check check (v_astra >= 0)
)
-- A re-run replaces all rows of a page in one transaction: with half of it free no index grows.
with (fillfactor = 50);

create index if not exists snow_white_source_idx on snow_white (source_pk);

comment on table snow_white is 'Results of Snow White: white dwarfs from BOSS spectra';

-- Identifiers
comment on column snow_white.task_pk is 'Key of this result';
comment on column snow_white.source_pk is 'Key of the source';
comment on column snow_white.spectrum_pk is 'Key of the spectrum';

-- Astra Metadata
comment on column snow_white.v_astra is 'Version of Astra: 6002 is 0.6.2';
comment on column snow_white.v_astra_major_minor is 'Version of Astra without its patch number';
comment on column snow_white.created is 'Time when the row was first stored';
comment on column snow_white.modified is 'Time when the row was last stored';
comment on column snow_white.t_elapsed is 'Time spent on this result [s]';
comment on column snow_white.t_overhead is 'Share of the time spent on overheads [s]';
comment on column snow_white.tag is 'Label of the run, free text';

-- Classification Probabilities
comment on column snow_white.classification is 'Most probable class';
comment on column snow_white.p_cv is 'Probability of class CV';
comment on column snow_white.p_da is 'Probability of class DA';
comment on column snow_white.p_dab is 'Probability of class DAB';
comment on column snow_white.p_dabz is 'Probability of class DABZ';
comment on column snow_white.p_dah is 'Probability of class DAH';
comment on column snow_white.p_dahe is 'Probability of class DAHe';
comment on column snow_white.p_dao is 'Probability of class DAO';
comment on column snow_white.p_daz is 'Probability of class DAZ';
comment on column snow_white.p_da_ms is 'Probability of class DA-MS';
comment on column snow_white.p_db is 'Probability of class DB';
comment on column snow_white.p_dba is 'Probability of class DBA';
comment on column snow_white.p_dbaz is 'Probability of class DBAZ';
comment on column snow_white.p_dbh is 'Probability of class DBH';
comment on column snow_white.p_dbz is 'Probability of class DBZ';
comment on column snow_white.p_db_ms is 'Probability of class DB-MS';
comment on column snow_white.p_dc is 'Probability of class DC';
comment on column snow_white.p_dc_ms is 'Probability of class DC-MS';
comment on column snow_white.p_do is 'Probability of class DO';
comment on column snow_white.p_dq is 'Probability of class DQ';
comment on column snow_white.p_dqz is 'Probability of class DQZ';
comment on column snow_white.p_dqpec is 'Probability of class DQpec';
comment on column snow_white.p_dz is 'Probability of class DZ';
comment on column snow_white.p_dza is 'Probability of class DZA';
comment on column snow_white.p_dzb is 'Probability of class DZB';
comment on column snow_white.p_dzba is 'Probability of class DZBA';
comment on column snow_white.p_mwd is 'Probability of class MWD';
comment on column snow_white.p_hotdq is 'Probability of class hotDQ';

-- Stellar Parameters
comment on column snow_white.teff is 'Effective temperature [K]';
comment on column snow_white.e_teff is 'Error of teff [K]';
comment on column snow_white.logg is 'Surface gravity [dex]';
comment on column snow_white.e_logg is 'Error of logg [dex]';
comment on column snow_white.v_rel is 'Velocity relative to the spectrum''s frame [km/s]';

-- Formal uncertainties
comment on column snow_white.raw_e_teff is 'Formal error of teff [K]';
comment on column snow_white.raw_e_logg is 'Formal error of logg [dex]';

-- Metadata
comment on column snow_white.result_flags is 'Quality of the result';
