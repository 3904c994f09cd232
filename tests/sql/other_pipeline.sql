-- Results of a second pipeline, as an author keeps them beside the record class.

create table if not exists other_pipeline (
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
    teff real,
    result_flags bigint not null default 0,
    constraint other_pipeline_pkey primary key (task_pk),
    constraint other_pipeline_spectrum_version_key unique (spectrum_pk, v_astra_major_minor),
    constraint other_pipeline_source_fkey foreign key (source_pk) references source (pk),
    constraint other_pipeline_spectrum_fkey foreign key (spectrum_pk) references spectrum (pk),
    constraint other_pipeline_version_check check (v_astra >= 0)
);

create index if not exists other_pipeline_source_idx on other_pipeline (source_pk);

comment on table other_pipeline is 'Results of another pipeline on the same spectra';
comment on column other_pipeline.task_pk is 'Key of this result';
comment on column other_pipeline.source_pk is 'Key of the source';
comment on column other_pipeline.spectrum_pk is 'Key of the spectrum';
comment on column other_pipeline.v_astra is 'Version of Astra: 6002 is 0.6.2';
comment on column other_pipeline.v_astra_major_minor is 'Version of Astra without its patch number';
comment on column other_pipeline.created is 'Time when the row was first stored';
comment on column other_pipeline.modified is 'Time when the row was last stored';
comment on column other_pipeline.t_elapsed is 'Time spent on this result [s]';
comment on column other_pipeline.t_overhead is 'Share of the time spent on overheads [s]';
comment on column other_pipeline.tag is 'Label of the run, free text';
comment on column other_pipeline.teff is 'Effective temperature [K]';
comment on column other_pipeline.result_flags is 'Flags of the result';
