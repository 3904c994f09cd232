-- Results with columns of any length.

create table if not exists long_values (
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
    notes text,
    state jsonb,
    image bytea,
    residuals real[],
    constraint long_values_pkey primary key (task_pk),
    constraint long_values_spectrum_version_key unique (spectrum_pk, v_astra_major_minor),
    constraint long_values_source_fkey foreign key (source_pk) references source (pk),
    constraint long_values_spectrum_fkey foreign key (spectrum_pk) references spectrum (pk),
    constraint long_values_version_check check (v_astra >= 0)
);
