-- Effective temperatures by the infrared flux method; the record class is in irfm.py.
--
-- Applied after schema/install.sql, in the same database schema, as often as you like:
--
--     psql -v ON_ERROR_STOP=1 -c 'set search_path to astra' -f irfm.sql

create table if not exists irfm (
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

    -- Inputs
    j_k_0 real,
    e_j_k_0 real,
    a_k real,
    logg real,
    fe_h real,
    e_fe_h real,

    -- Quality
    result_flags bigint not null default 0,

    constraint irfm_pkey primary key (task_pk),
    constraint irfm_spectrum_version_key unique (spectrum_pk, v_astra_major_minor),
    constraint irfm_source_fkey foreign key (source_pk) references source (pk),
    constraint irfm_spectrum_fkey foreign key (spectrum_pk) references spectrum (pk),
    constraint irfm_version_check check (v_astra >= 0)
)
-- A re-run replaces all rows of a page in one transaction: with half of it free no index grows.
with (fillfactor = 50);

create index if not exists irfm_source_idx on irfm (source_pk);

comment on table irfm is 'Effective temperatures by the infrared flux method';
comment on column irfm.task_pk is 'Key of this result';
comment on column irfm.source_pk is 'Key of the source';
comment on column irfm.spectrum_pk is 'Key of the spectrum';
comment on column irfm.v_astra is 'Version of Astra: 6002 is 0.6.2';
comment on column irfm.v_astra_major_minor is 'Version of Astra without its patch number';
comment on column irfm.created is 'Time when the row was first stored';
comment on column irfm.modified is 'Time when the row was last stored';
comment on column irfm.t_elapsed is 'Time spent on this result [s]';
comment on column irfm.t_overhead is 'Share of the time spent on overheads [s]';
comment on column irfm.tag is 'Label of the run, free text';
comment on column irfm.teff is 'Effective temperature [K]';
comment on column irfm.e_teff is 'Error of teff, from photometry and [Fe/H] [K]';
comment on column irfm.j_k_0 is 'J - Ks without reddening [mag]';
comment on column irfm.e_j_k_0 is 'Error of j_k_0 [mag]';
comment on column irfm.a_k is 'Extinction in Ks that was used [mag]';
comment on column irfm.logg is 'Surface gravity that was used [dex]';
comment on column irfm.fe_h is '[Fe/H] that was used [dex]';
comment on column irfm.e_fe_h is 'Error of fe_h [dex]';
comment on column irfm.result_flags is 'Flags of the result';

insert into flag_definition (table_name, column_name, bit, name, meaning)
values
('irfm', 'result_flags', 0, 'missing_photometry', 'J or Ks or the error of one is missing'),
('irfm', 'result_flags', 1, 'missing_parameters', 'log g or metallicity is missing'),
('irfm', 'result_flags', 2, 'colour_out_of_range', 'J - Ks is outside the relation''s range'),
('irfm', 'result_flags', 3, 'metallicity_out_of_range', '[Fe/H] is outside the relation''s range'),
('irfm', 'result_flags', 4, 'saturated_photometry', 'J or Ks is brighter than 2MASS can measure'),
('irfm', 'result_flags', 5, 'uncertain_photometry', 'J or Ks has an error above 0.1 mag'),
('irfm', 'result_flags', 6, 'extinction_taken_as_zero', 'A_K is missing or negative'),
('irfm', 'result_flags', 7, 'dwarf_relation', 'The relation for dwarfs was used'),
('irfm', 'result_flags', 8, 'giant_relation', 'The relation for giants was used')
on conflict on constraint flag_definition_pkey do update
    set bit = excluded.bit, meaning = excluded.meaning;
