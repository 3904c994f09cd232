-- Results of ApogeeNet, one row for each spectrum and version.
--
-- A spectrum has one result in each major.minor version: a patch release replaces the row, a minor
-- release adds one. Sources and spectra that have results cannot be deleted.
-- Run after schema/flags: the names of its bits and the view of its quality stand below.

create table if not exists apogee_net (
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

    -- Stellar Parameters
    teff real,
    e_teff real,
    logg real,
    e_logg real,
    fe_h real,
    e_fe_h real,
    result_flags bigint not null default 0,

    -- Formal (raw) uncertainties
    raw_e_teff real,
    raw_e_logg real,
    raw_e_fe_h real,

    constraint apogee_net_pkey primary key (task_pk),
    constraint apogee_net_spectrum_version_key unique (spectrum_pk, v_astra_major_minor),
    constraint apogee_net_source_fkey foreign key (source_pk) references source (pk),
    constraint apogee_net_spectrum_fkey foreign key (spectrum_pk) references spectrum (pk),
    constraint apogee_net_version_check check (v_astra >= 0),
    constraint apogee_net_no_nan_check check (
        greatest(
            t_elapsed, t_overhead, teff, e_teff, logg, e_logg, fe_h, e_fe_h, raw_e_teff, raw_e_logg,
            raw_e_fe_h
        ) <> 'NaN'
    )
)
-- A re-run replaces all rows of a page in one transaction: with half of it free no index grows.
with (fillfactor = 50);

create index if not exists apogee_net_source_idx on apogee_net (source_pk);

comment on table apogee_net is 'Results of ApogeeNet: stellar parameters from APOGEE spectra';

-- Identifiers
comment on column apogee_net.task_pk is 'Key of this result';
comment on column apogee_net.source_pk is 'Key of the source';
comment on column apogee_net.spectrum_pk is 'Key of the spectrum';

-- Astra Metadata
comment on column apogee_net.v_astra is 'Version of Astra: 6002 is 0.6.2';
comment on column apogee_net.v_astra_major_minor is 'Version of Astra without its patch number';
comment on column apogee_net.created is 'Time when the row was first stored';
comment on column apogee_net.modified is 'Time when the row was last stored';
comment on column apogee_net.t_elapsed is 'Time spent on this result [s]';
comment on column apogee_net.t_overhead is 'Share of the time spent on overheads [s]';
comment on column apogee_net.tag is 'Label of the run, free text';

-- Stellar Parameters
comment on column apogee_net.teff is 'Effective temperature [K]';
comment on column apogee_net.e_teff is 'Error of teff [K]';
comment on column apogee_net.logg is 'Surface gravity [dex]';
comment on column apogee_net.e_logg is 'Error of logg [dex]';
comment on column apogee_net.fe_h is 'Abundance [Fe/H] [dex]';
comment on column apogee_net.e_fe_h is 'Error of fe_h [dex]';
comment on column apogee_net.result_flags is 'Quality of the result';

-- Formal (raw) uncertainties
comment on column apogee_net.raw_e_teff is 'Formal error of teff [K]';
comment on column apogee_net.raw_e_logg is 'Formal error of logg [dex]';
comment on column apogee_net.raw_e_fe_h is 'Formal error of fe_h [dex]';

-- Flags: one line for each bit
-- noqa: disable=layout.long_lines

insert into flag_definition (table_name, column_name, bit, name, meaning)
values
('apogee_net', 'result_flags', 0, 'runtime_exception', 'Pipeline failed on this spectrum'),
('apogee_net', 'result_flags', 1, 'unreliable_teff', 'teff is outside 1,700 to 100,000 K'),
('apogee_net', 'result_flags', 2, 'unreliable_logg', 'logg is outside -1 to 10'),
('apogee_net', 'result_flags', 3, 'unreliable_fe_h', 'fe_h is outside -4 to 2, or star too cool or dense')
on conflict on constraint flag_definition_pkey do update
    set bit = excluded.bit, meaning = excluded.meaning
    where (flag_definition.bit, flag_definition.meaning) is distinct from (excluded.bit, excluded.meaning);

-- What quality_views.sql says of other tables.
-- noqa: disable=structure.column_order,ambiguous.column_count

create or replace view apogee_net_quality with (security_invoker = true) as
select
    apogee_net.result_flags & flag_mask('apogee_net', 'result_flags', 'unreliable_fe_h') <> 0 as flag_warn,
    apogee_net.result_flags
    & (
        flag_mask('apogee_net', 'result_flags', 'runtime_exception')
        | flag_mask('apogee_net', 'result_flags', 'unreliable_teff')
        | flag_mask('apogee_net', 'result_flags', 'unreliable_logg')
        | flag_mask('apogee_net', 'result_flags', 'unreliable_fe_h')
    ) <> 0 as flag_bad,
    apogee_net.*
from apogee_net;

comment on view apogee_net_quality is 'Results of ApogeeNet with the summaries of their flags';
comment on column apogee_net_quality.flag_warn is 'Whether the metallicity is unreliable';
comment on column apogee_net_quality.flag_bad is 'Whether a flag is set that makes the result bad';
