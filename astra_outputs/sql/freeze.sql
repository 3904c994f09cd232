-- Publishing a version of a pipeline: from then on the database refuses to change its rows, whoever asks.

-- name: freeze
-- The check refuses whatever would be stored under the version from now on, a changed row included; it is `not valid`,
-- since the rows that are there break it, and reads nothing. The triggers refuse to take a row out of the version, to
-- delete it, and to empty the table. Together they cost a re-run of another version less than 2 percent.
alter table /*= table */ astra.the_cannon /*=*/
add constraint /*= name */ the_cannon_frozen_8_as_dr20 /*=*/
check (v_astra_major_minor <> /*= major_minor */ 8 /*=*/) not valid;

comment on constraint /*= name */ the_cannon_frozen_8_as_dr20 /*=*/ on /*= table */ astra.the_cannon /*=*/
is /*= says */ 'Version 0.8 is published as DR20 and stays as it is' /*=*/;

create or replace function /*= function */ astra.refuse_frozen_change() /*=*/
returns trigger
language plpgsql
as $$
begin
    raise exception '%', tg_argv[1]
        using errcode = 'check_violation', constraint = tg_argv[0], table = tg_table_name, schema = tg_table_schema,
        hint = 'What was published stays. Store under another version.';
end
$$;

create trigger /*= name */ the_cannon_frozen_8_as_dr20 /*=*/
after update or delete on /*= table */ astra.the_cannon /*=*/
for each row
when (old.v_astra_major_minor = /*= major_minor */ 8 /*=*/)
execute function
/*= call */ astra.refuse_frozen_change('the_cannon_frozen_8_as_dr20', 'Version 0.8 stays as it is') /*=*/;

-- Nothing sees the rows of a truncate.
create or replace trigger /*= truncate */ the_cannon_frozen_truncate /*=*/
before truncate on /*= table */ astra.the_cannon /*=*/
for each statement
execute function
/*= call */ astra.refuse_frozen_change('the_cannon_frozen_8_as_dr20', 'Version 0.8 stays as it is') /*=*/;

-- name: frozen_versions
-- The check constraints of a table whose names may say what is frozen.
-- $1: the schema, $2: the table.
select constraints.conname
from pg_constraint as constraints
inner join pg_class as tables on tables.oid = constraints.conrelid
inner join pg_namespace as schemas on schemas.oid = tables.relnamespace
where schemas.nspname = $1 and tables.relname = $2 and constraints.contype = 'c' and constraints.conname like '%_frozen_%'
order by constraints.conname;
