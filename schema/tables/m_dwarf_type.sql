-- Results of MDwarfType, one row for each spectrum and version.
--
-- A spectrum has one result in each major.minor version: a patch release replaces the row, a minor
-- release adds one. Sources and spectra that have results cannot be deleted.
-- Run after schema/flags: the view of its quality stands below.

create table if not exists m_dwarf_type (
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

    -- M Dwarf Type
    spectral_type text not null,
    sub_type real not null,
    rchi2 real not null,
    continuum real,
    result_flags bigint not null default 0,

    constraint m_dwarf_type_pkey primary key (task_pk),
    constraint m_dwarf_type_spectrum_version_key unique (spectrum_pk, v_astra_major_minor),
    constraint m_dwarf_type_source_fkey foreign key (source_pk) references source (pk),
    constraint m_dwarf_type_spectrum_fkey foreign key (spectrum_pk) references spectrum (pk),
    constraint m_dwarf_type_version_check check (v_astra >= 0),
    constraint m_dwarf_type_no_nan_check check (
        greatest(t_elapsed, t_overhead, sub_type, rchi2, continuum) <> 'NaN'
    )
)
-- A re-run replaces all rows of a page in one transaction: with half of it free no index grows.
with (fillfactor = 50);

create index if not exists m_dwarf_type_source_idx on m_dwarf_type (source_pk);

comment on table m_dwarf_type is 'Results of MDwarfType: spectral types of cool stars from BOSS spectra';

-- Identifiers
comment on column m_dwarf_type.task_pk is 'Key of this result';
comment on column m_dwarf_type.source_pk is 'Key of the source';
comment on column m_dwarf_type.spectrum_pk is 'Key of the spectrum';

-- Astra Metadata
comment on column m_dwarf_type.v_astra is 'Version of Astra: 6002 is 0.6.2';
comment on column m_dwarf_type.v_astra_major_minor is 'Version of Astra without its patch number';
comment on column m_dwarf_type.created is 'Time when the row was first stored';
comment on column m_dwarf_type.modified is 'Time when the row was last stored';
comment on column m_dwarf_type.t_elapsed is 'Time spent on this result [s]';
comment on column m_dwarf_type.t_overhead is 'Share of the time spent on overheads [s]';
comment on column m_dwarf_type.tag is 'Label of the run, free text';

-- M Dwarf Type
comment on column m_dwarf_type.spectral_type is 'Spectral type of the best template';
comment on column m_dwarf_type.sub_type is 'Subtype of the best template';
comment on column m_dwarf_type.rchi2 is 'Reduced chi-squared of the best template';
comment on column m_dwarf_type.continuum is 'Scale of the continuum';
comment on column m_dwarf_type.result_flags is 'Quality of the result, without named bits';

-- What quality_views.sql says of other tables.
-- noqa: disable=structure.column_order,ambiguous.column_count

create or replace view m_dwarf_type_quality with (security_invoker = true) as
select
    m_dwarf_type.result_flags > 0 as flag_bad,
    m_dwarf_type.*
from m_dwarf_type;

comment on view m_dwarf_type_quality is 'Results of MDwarfType with the summary of their flags';
comment on column m_dwarf_type_quality.flag_bad is 'Whether any quality flag is set';
