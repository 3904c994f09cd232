-- Results with a column of every type.

create table if not exists every_form (
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
    a_real real,
    a_double double precision,
    an_integer integer,
    a_bigint bigint,
    a_small integer,
    a_text text,
    a_boolean boolean,
    a_time timestamptz,
    some_bytes bytea,
    some_reals real[],
    a_status integer not null default -1,
    result_flags bigint not null default 0,
    other_flags bigint default 0,
    constraint every_form_pkey primary key (task_pk),
    constraint every_form_spectrum_version_key unique (spectrum_pk, v_astra_major_minor),
    constraint every_form_source_fkey foreign key (source_pk) references source (pk),
    constraint every_form_spectrum_fkey foreign key (spectrum_pk) references spectrum (pk),
    constraint every_form_version_check check (v_astra >= 0),
    constraint every_form_status_check check (a_status < 1000)
);

create index if not exists every_form_source_idx on every_form (source_pk);
