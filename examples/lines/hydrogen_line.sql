-- Equivalent widths of a hydrogen line: H alpha with BOSS, Brackett 11 with APOGEE.
--
-- The record class is in lines.py.
-- Applied after schema/install.sql, in the same database schema, as often as you like:
--
--     psql -v ON_ERROR_STOP=1 -c 'set search_path to astra' -f hydrogen_line.sql

create table if not exists hydrogen_line (
    task_pk bigint generated always as identity,
    source_pk bigint,
    spectrum_pk bigint not null,
    v_astra integer not null,
    v_astra_major_minor integer not null generated always as (v_astra / 1000) stored,
    created timestamptz not null default statement_timestamp(),
    modified timestamptz not null default statement_timestamp(),
    t_elapsed real,
    t_overhead real,
    tag text not null default '',

    wavelength real,
    eqw real,
    e_eqw real,
    continuum real,
    n_pixels integer,
    result_flags bigint not null default 0,

    constraint hydrogen_line_pkey primary key (task_pk),
    constraint hydrogen_line_spectrum_version_key unique (spectrum_pk, v_astra_major_minor),
    constraint hydrogen_line_source_fkey foreign key (source_pk) references source (pk),
    constraint hydrogen_line_spectrum_fkey foreign key (spectrum_pk) references spectrum (pk),
    constraint hydrogen_line_version_check check (v_astra >= 0)
)
-- A re-run replaces all rows of a page in one transaction: with half of it free no index grows.
with (fillfactor = 50);

create index if not exists hydrogen_line_source_idx on hydrogen_line (source_pk);

comment on table hydrogen_line
    is 'Equivalent widths of a hydrogen line: H alpha with BOSS, Brackett 11 with APOGEE';
comment on column hydrogen_line.task_pk is 'Key of this result';
comment on column hydrogen_line.source_pk is 'Key of the source';
comment on column hydrogen_line.spectrum_pk is 'Key of the spectrum';
comment on column hydrogen_line.v_astra is 'Version of Astra: 6002 is 0.6.2';
comment on column hydrogen_line.v_astra_major_minor is 'Version of Astra without its patch number';
comment on column hydrogen_line.created is 'Time when the row was first stored';
comment on column hydrogen_line.modified is 'Time when the row was last stored';
comment on column hydrogen_line.t_elapsed is 'Time spent on this result [s]';
comment on column hydrogen_line.t_overhead is 'Share of the time spent on overheads [s]';
comment on column hydrogen_line.tag is 'Label of the run, free text';
comment on column hydrogen_line.wavelength is 'Rest wavelength of the line, in vacuum [Angstrom]';
comment on column hydrogen_line.eqw is 'Equivalent width, positive in absorption [Angstrom]';
comment on column hydrogen_line.e_eqw is 'Error of eqw, from pixels and continuum [Angstrom]';
comment on column hydrogen_line.continuum is 'Flux of the continuum at the line [1e-17 erg/s/cm^2/Angstrom]';
comment on column hydrogen_line.n_pixels is 'Number of good pixels in the line';
comment on column hydrogen_line.result_flags is 'Flags of the result';

insert into flag_definition (table_name, column_name, bit, name, meaning)
values
('hydrogen_line', 'result_flags', 0, 'no_file', 'There is no file, or it cannot be read'),
(
    'hydrogen_line', 'result_flags', 1, 'too_few_pixels',
    'Bad pixels, or the end of the spectrum, leave too little of the line or its sides'
),
('hydrogen_line', 'result_flags', 2, 'not_detected', 'The width is within 3 errors of nothing')
on conflict on constraint flag_definition_pkey do update
    set bit = excluded.bit, meaning = excluded.meaning;
