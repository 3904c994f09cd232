-- Results of NMFRectify, one row for each spectrum and version.
--
-- A spectrum has one result in each major.minor version: a patch release replaces the row, a minor
-- release adds one. Sources and spectra that have results cannot be deleted.
-- Run after schema/flags: the names of its bits stand below.

create table if not exists nmf_rectify (
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

    -- Continuum Fitting
    "log10_W" real[],
    continuum_theta real[],
    "L" real not null,
    deg integer not null,
    rchi2 real,
    joint_rchi2 real,
    nmf_flags bigint not null default 0,

    constraint nmf_rectify_pkey primary key (task_pk),
    constraint nmf_rectify_spectrum_version_key unique (spectrum_pk, v_astra_major_minor),
    constraint nmf_rectify_source_fkey foreign key (source_pk) references source (pk),
    constraint nmf_rectify_spectrum_fkey foreign key (spectrum_pk) references spectrum (pk),
    constraint nmf_rectify_version_check check (v_astra >= 0),
    constraint nmf_rectify_no_nan_check check (
        greatest(t_elapsed, t_overhead, "L", rchi2, joint_rchi2) <> 'NaN'
    )
)
-- A re-run replaces all rows of a page in one transaction: with half of it free no index grows.
with (fillfactor = 50);

create index if not exists nmf_rectify_source_idx on nmf_rectify (source_pk);

comment on table nmf_rectify is 'Results of NMFRectify: continua by non-negative matrix factorisation';

-- Identifiers
comment on column nmf_rectify.task_pk is 'Key of this result';
comment on column nmf_rectify.source_pk is 'Key of the source';
comment on column nmf_rectify.spectrum_pk is 'Key of the spectrum';

-- Astra Metadata
comment on column nmf_rectify.v_astra is 'Version of Astra: 6002 is 0.6.2';
comment on column nmf_rectify.v_astra_major_minor is 'Version of Astra without its patch number';
comment on column nmf_rectify.created is 'Time when the row was first stored';
comment on column nmf_rectify.modified is 'Time when the row was last stored';
comment on column nmf_rectify.t_elapsed is 'Time spent on this result [s]';
comment on column nmf_rectify.t_overhead is 'Share of the time spent on overheads [s]';
comment on column nmf_rectify.tag is 'Label of the run, free text';

-- Continuum Fitting
comment on column nmf_rectify."log10_W" is 'Weights of the components, as log10';
comment on column nmf_rectify.continuum_theta is 'Coefficients of the continuum';
comment on column nmf_rectify."L" is 'Length scale of the continuum';
comment on column nmf_rectify.deg is 'Degree of the continuum';
comment on column nmf_rectify.rchi2 is 'Reduced chi-squared of the fit';
comment on column nmf_rectify.joint_rchi2 is 'Reduced chi-squared over all spectra of a star';
comment on column nmf_rectify.nmf_flags is 'What happened in the fit';

-- Flags: one line for each bit
-- noqa: disable=layout.long_lines

insert into flag_definition (table_name, column_name, bit, name, meaning)
values
('nmf_rectify', 'nmf_flags', 0, 'initialised_from_small_w', 'Fit started from small weights'),
('nmf_rectify', 'nmf_flags', 3, 'could_not_read_spectrum', 'Spectrum could not be read'),
('nmf_rectify', 'nmf_flags', 4, 'runtime_exception', 'Pipeline failed on this spectrum')
on conflict on constraint flag_definition_pkey do update
    set bit = excluded.bit, meaning = excluded.meaning
    where (flag_definition.bit, flag_definition.meaning) is distinct from (excluded.bit, excluded.meaning);
