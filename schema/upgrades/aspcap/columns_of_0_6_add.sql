-- Columns that ASPCAP had in 0.6.0 and no longer has in 0.8.0 are added, for those who keep results of 0.6: two
-- elements, what each abundance was made from, a signal-to-noise ratio and a time. The keys of tasks refer to tables that
-- are not here. The record class does not know these columns: `check` lists them, saving leaves them NULL or 0.
--
--     psql -v schema=astra -f schema/upgrades/aspcap/columns_of_0_6_add.sql
--
-- Run it as the owner of the table, as often as you like; it belongs to no version, since who never had data of 0.6 needs
-- neither. Transaction: yes. Locks: exclusive on aspcap, for milliseconds, since no row is written (their defaults are constant).
--
-- Undo: schema/upgrades/aspcap/columns_of_0_6_drop.sql

\set ON_ERROR_STOP on

\if :{?schema}
\else
do $$
begin
    raise exception 'no schema given' using hint = 'Name it: psql -v schema=astra -f schema/upgrades/aspcap/columns_of_0_6_add.sql';
end
$$;
\endif

begin;

set local client_min_messages = warning;
set local lock_timeout = '10s';
set local search_path to :"schema";
select pg_advisory_xact_lock(5317209464110857) as locked \gset

alter table aspcap
    add column if not exists c_1_h real,
    add column if not exists e_c_1_h real,
    add column if not exists c_1_h_flags bigint not null default 0,
    add column if not exists c_1_h_rchi2 real,
    add column if not exists ti_2_h real,
    add column if not exists e_ti_2_h real,
    add column if not exists ti_2_h_flags bigint not null default 0,
    add column if not exists ti_2_h_rchi2 real,
    add column if not exists snr real,
    add column if not exists ferre_time_elapsed real,
    add column if not exists stellar_parameters_task_pk bigint,
    add column if not exists al_h_task_pk bigint,
    add column if not exists c_12_13_task_pk bigint,
    add column if not exists ca_h_task_pk bigint,
    add column if not exists ce_h_task_pk bigint,
    add column if not exists c_1_h_task_pk bigint,
    add column if not exists c_h_task_pk bigint,
    add column if not exists co_h_task_pk bigint,
    add column if not exists cr_h_task_pk bigint,
    add column if not exists cu_h_task_pk bigint,
    add column if not exists fe_h_task_pk bigint,
    add column if not exists k_h_task_pk bigint,
    add column if not exists mg_h_task_pk bigint,
    add column if not exists mn_h_task_pk bigint,
    add column if not exists na_h_task_pk bigint,
    add column if not exists nd_h_task_pk bigint,
    add column if not exists ni_h_task_pk bigint,
    add column if not exists n_h_task_pk bigint,
    add column if not exists o_h_task_pk bigint,
    add column if not exists p_h_task_pk bigint,
    add column if not exists si_h_task_pk bigint,
    add column if not exists s_h_task_pk bigint,
    add column if not exists ti_h_task_pk bigint,
    add column if not exists ti_2_h_task_pk bigint,
    add column if not exists v_h_task_pk bigint,
    add column if not exists raw_c_1_h real,
    add column if not exists raw_e_c_1_h real,
    add column if not exists raw_ti_2_h real,
    add column if not exists raw_e_ti_2_h real;

commit;
