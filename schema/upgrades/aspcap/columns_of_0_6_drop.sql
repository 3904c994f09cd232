-- The columns that ASPCAP had in 0.6.0 and no longer has in 0.8.0 go, with what they hold: keep a copy of the table
-- first if anyone may ask for it.
--
--     psql -v schema=astra -f schema/upgrades/aspcap/columns_of_0_6_drop.sql
--
-- Run it as the owner of the table, as often as you like; it belongs to no version, since who never had data of 0.6 needs
-- neither. Transaction: yes. Locks: exclusive on aspcap, for milliseconds; the space is used again when rows are.
--
-- Undo: columns_of_0_6_add.sql makes the columns anew, but not what they held

\set ON_ERROR_STOP on

\if :{?schema}
\else
do $$
begin
    raise exception 'no schema given' using hint = 'Name it: psql -v schema=astra -f schema/upgrades/aspcap/columns_of_0_6_drop.sql';
end
$$;
\endif

begin;

set local client_min_messages = warning;
set local lock_timeout = '10s';
set local search_path to :"schema";
select pg_advisory_xact_lock(5317209464110857) as locked \gset

alter table aspcap
    drop column if exists c_1_h,
    drop column if exists e_c_1_h,
    drop column if exists c_1_h_flags,
    drop column if exists c_1_h_rchi2,
    drop column if exists ti_2_h,
    drop column if exists e_ti_2_h,
    drop column if exists ti_2_h_flags,
    drop column if exists ti_2_h_rchi2,
    drop column if exists snr,
    drop column if exists ferre_time_elapsed,
    drop column if exists stellar_parameters_task_pk,
    drop column if exists al_h_task_pk,
    drop column if exists c_12_13_task_pk,
    drop column if exists ca_h_task_pk,
    drop column if exists ce_h_task_pk,
    drop column if exists c_1_h_task_pk,
    drop column if exists c_h_task_pk,
    drop column if exists co_h_task_pk,
    drop column if exists cr_h_task_pk,
    drop column if exists cu_h_task_pk,
    drop column if exists fe_h_task_pk,
    drop column if exists k_h_task_pk,
    drop column if exists mg_h_task_pk,
    drop column if exists mn_h_task_pk,
    drop column if exists na_h_task_pk,
    drop column if exists nd_h_task_pk,
    drop column if exists ni_h_task_pk,
    drop column if exists n_h_task_pk,
    drop column if exists o_h_task_pk,
    drop column if exists p_h_task_pk,
    drop column if exists si_h_task_pk,
    drop column if exists s_h_task_pk,
    drop column if exists ti_h_task_pk,
    drop column if exists ti_2_h_task_pk,
    drop column if exists v_h_task_pk,
    drop column if exists raw_c_1_h,
    drop column if exists raw_e_c_1_h,
    drop column if exists raw_ti_2_h,
    drop column if exists raw_e_ti_2_h;

commit;
