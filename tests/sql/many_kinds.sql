-- Results with columns of many kinds, to be compared.

create table if not exists many_kinds (
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
    logg real,
    same real,
    rare real,
    empty real,
    count integer,
    big bigint,
    word text,
    sure boolean,
    many real[],
    result_flags bigint not null default 0,
    constraint many_kinds_pkey primary key (task_pk),
    constraint many_kinds_spectrum_version_key unique (spectrum_pk, v_astra_major_minor),
    constraint many_kinds_source_fkey foreign key (source_pk) references source (pk),
    constraint many_kinds_spectrum_fkey foreign key (spectrum_pk) references spectrum (pk),
    constraint many_kinds_version_check check (v_astra >= 0)
);

create index if not exists many_kinds_source_idx on many_kinds (source_pk);

comment on table many_kinds is 'Results with columns of many kinds';
comment on column many_kinds.task_pk is 'Key of this result';
comment on column many_kinds.source_pk is 'Key of the source';
comment on column many_kinds.spectrum_pk is 'Key of the spectrum';
comment on column many_kinds.v_astra is 'Version of Astra: 6002 is 0.6.2';
comment on column many_kinds.v_astra_major_minor is 'Version of Astra without its patch number';
comment on column many_kinds.created is 'Time when the row was first stored';
comment on column many_kinds.modified is 'Time when the row was last stored';
comment on column many_kinds.t_elapsed is 'Time spent on this result [s]';
comment on column many_kinds.t_overhead is 'Share of the time spent on overheads [s]';
comment on column many_kinds.tag is 'Label of the run, free text';
comment on column many_kinds.teff is 'Effective temperature [K]';
comment on column many_kinds.logg is 'Surface gravity [dex]';
comment on column many_kinds.same is 'Is the same in all versions';
comment on column many_kinds.rare is 'Differs in few';
comment on column many_kinds.empty is 'Has no value';
comment on column many_kinds.count is 'A number';
comment on column many_kinds.big is 'A large number';
comment on column many_kinds.word is 'A text';
comment on column many_kinds.sure is 'A truth';
comment on column many_kinds.many is 'Some numbers';
comment on column many_kinds.result_flags is 'Flags of the result';

insert into flag_definition (table_name, column_name, bit, name, meaning)
values
('many_kinds', 'result_flags', 0, 'low_snr', 'S/N is 8 or below'),
('many_kinds', 'result_flags', 5, 'hot', 'Too hot')
on conflict on constraint flag_definition_pkey do update
    set name = excluded.name, meaning = excluded.meaning;
