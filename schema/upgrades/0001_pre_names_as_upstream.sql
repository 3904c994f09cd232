-- Upgrade 1, before the new package: the table apogee_coadded_spectrum_in_apstar gets the name by which the survey's own
-- scripts ask for it, apogee_coadded_spectrum_in_ap_star. Views stay under the old names until upgrade 6.
--
--     psql -v schema=astra -f schema/upgrades/0001_pre_names_as_upstream.sql
--
-- Run it as the owner of the tables; in schemas of schema/add-ons/roles.sql that is astra_owner.
-- Transaction: yes. Locks: exclusive on the table and its view, for milliseconds; waits ten seconds for them at most, and
-- can then be tried again. Rewrites: nothing. Until the new package is there: results are stored and all is read as
-- before; APOGEE co-added spectra are refused by name, since a view is no table.
--
-- Undo, before upgrade 2: drop the views of the old names, rename back what is renamed here (table, sequence, constraints,
-- index), run quality_views.sql of the first release, and delete from schema_version where version = 1.

\set ON_ERROR_STOP on
\set number 1
\set upgrade 0001_pre_names_as_upstream
\ir parts/begin.sql

alter table apogee_coadded_spectrum_in_apstar rename to apogee_coadded_spectrum_in_ap_star;
alter sequence apogee_coadded_spectrum_in_apstar_pk_seq rename to apogee_coadded_spectrum_in_ap_star_pk_seq;
alter table apogee_coadded_spectrum_in_ap_star
    rename constraint apogee_coadded_spectrum_in_apstar_pkey to apogee_coadded_spectrum_in_ap_star_pkey;
alter table apogee_coadded_spectrum_in_ap_star
    rename constraint apogee_coadded_spectrum_in_apstar_spectrum_key
    to apogee_coadded_spectrum_in_ap_star_spectrum_key;
alter table apogee_coadded_spectrum_in_ap_star
    rename constraint apogee_coadded_spectrum_in_apstar_natural_key
    to apogee_coadded_spectrum_in_ap_star_natural_key;
alter table apogee_coadded_spectrum_in_ap_star
    rename constraint apogee_coadded_spectrum_in_apstar_source_fkey
    to apogee_coadded_spectrum_in_ap_star_source_fkey;
alter table apogee_coadded_spectrum_in_ap_star
    rename constraint apogee_coadded_spectrum_in_apstar_spectrum_fkey
    to apogee_coadded_spectrum_in_ap_star_spectrum_fkey;
alter index apogee_coadded_spectrum_in_apstar_source_idx
    rename to apogee_coadded_spectrum_in_ap_star_source_idx;

-- From PostgreSQL 18 on `not null` is a constraint with a name as well.
do $$
declare
    one record;
begin
    for one in
        select conname as old_name, replace(conname, 'in_apstar', 'in_ap_star') as new_name
        from pg_constraint
        where conrelid = 'apogee_coadded_spectrum_in_ap_star'::regclass and contype = 'n'
            and conname like 'apogee_coadded_spectrum_in_apstar%'
    loop
        execute format(
            'alter table apogee_coadded_spectrum_in_ap_star rename constraint %I to %I', one.old_name, one.new_name
        );
    end loop;
end
$$;

-- A name of a flag is final: those of the old table stay, for queries that use them.
insert into flag_definition (table_name, column_name, bit, name, meaning)
select 'apogee_coadded_spectrum_in_ap_star', column_name, bit, name, meaning
from flag_definition
where table_name = 'apogee_coadded_spectrum_in_apstar'
on conflict on constraint flag_definition_pkey do nothing;

alter view apogee_coadded_spectrum_in_apstar_quality rename to apogee_coadded_spectrum_in_ap_star_quality;
create or replace view apogee_coadded_spectrum_in_ap_star_quality with (security_invoker = true) as
select
    spectrum.spectrum_flags
    & (
        flag_mask('apogee_coadded_spectrum_in_ap_star', 'spectrum_flags', 'bad_pixels')
        | flag_mask('apogee_coadded_spectrum_in_ap_star', 'spectrum_flags', 'very_bright_neighbor')
        | flag_mask('apogee_coadded_spectrum_in_ap_star', 'spectrum_flags', 'bad_rv_combination')
        | flag_mask('apogee_coadded_spectrum_in_ap_star', 'spectrum_flags', 'rv_failure')
    ) <> 0 as flag_bad,
    spectrum.*
from apogee_coadded_spectrum_in_ap_star as spectrum;

create view apogee_coadded_spectrum_in_apstar with (security_invoker = true) as
select * from apogee_coadded_spectrum_in_ap_star;

create view apogee_coadded_spectrum_in_apstar_quality with (security_invoker = true) as
select * from apogee_coadded_spectrum_in_ap_star_quality;

comment on view apogee_coadded_spectrum_in_apstar is 'Old name of apogee_coadded_spectrum_in_ap_star';
comment on view apogee_coadded_spectrum_in_apstar_quality is 'Old name of apogee_coadded_spectrum_in_ap_star_quality';

-- The views of the old names belong to, and are read by, whoever the table belongs to and is read by.
do $$
declare
    one record;
begin
    for one in
        select
            'apogee_coadded_spectrum_in_apstar' || ending as old_name,
            c.relowner::regrole as owner_name,
            acl.grantee,
            case acl.grantee when 0 then 'public' else acl.grantee::regrole::text end as reader
        from (values (''), ('_quality')) as endings (ending)
        join pg_class as c on c.oid = ('apogee_coadded_spectrum_in_ap_star' || ending)::regclass
        left join aclexplode(c.relacl) as acl on acl.privilege_type = 'SELECT'
    loop
        execute format('alter view %I owner to %s', one.old_name, one.owner_name);
        if one.grantee is not null then
            execute format('grant select on %I to %s', one.old_name, one.reader);
        end if;
    end loop;
end
$$;

\ir parts/end.sql
