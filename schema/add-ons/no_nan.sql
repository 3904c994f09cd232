-- An add-on: one table refuses NaN in each of its numbers, whoever writes. "Not measured" is NULL: PostgreSQL sorts
-- NaN above every number, so that `teff > 5000` returns it.
--
--     psql -v schema=astra -v table=aspcap -f schema/add-ons/no_nan.sql
--
-- Most tables have this check from the start. It is left to you where it takes more than 5 percent of a re-run: 8
-- percent were measured at 171 columns. Runs on PostgreSQL 15 to 18, as often as you like, and again when a column
-- was added; run it as the owner of the table. First it says which columns hold NaN; they have to be mended before:
--
--     psql -v schema=astra -v table=aspcap -v mend=1 -f schema/add-ons/no_nan.sql
--
-- makes NULL of them, and rewrites the rows that had any. Locks: exclusive, for as long as the table is read once.
--
-- Undo: alter table astra.aspcap drop constraint aspcap_no_nan_check;

\set ON_ERROR_STOP on

\if :{?schema}
\else
\set schema ''
\endif
\if :{?table}
\else
\set table ''
\endif
select :'schema' = '' or :'table' = '' as unnamed \gset
\if :unnamed
do $$
begin
    raise exception 'no schema or no table given'
        using hint = 'Name both: psql -v schema=astra -v table=aspcap -f schema/add-ons/no_nan.sql';
end
$$;
\endif
\if :{?mend}
\else
\set mend 0
\endif

begin;

set local client_min_messages = warning;
set local lock_timeout = '10s';
set local search_path to :"schema";
select set_config('astra_outputs.table', :'table', true) as of_table \gset
select set_config('astra_outputs.mend', :'mend', true) as mend \gset

do $$
declare
    of_table constant text := current_setting('astra_outputs.table');
    named constant regclass := to_regclass(quote_ident(current_schema()) || '.' || quote_ident(of_table));
    numbers text[];
    held text[];
    terms text;
    number text;
    found bigint;
begin
    if named is null then
        raise exception 'there is no table "%" in schema "%"', of_table, current_schema()
            using hint = 'Name both: psql -v schema=astra -v table=aspcap -f schema/add-ons/no_nan.sql';
    end if;
    -- Numbers of one type stand together: between two types each would be converted for each row.
    select array_agg(quote_ident(attname) order by attnum) into numbers
    from pg_attribute
    where attrelid = named and attnum > 0 and not attisdropped and atttypid in ('real'::regtype, 'float8'::regtype);
    select string_agg(term, ' and ' order by type) into terms
    from (
        select
            format_type(atttypid, null) as type,
            'greatest(' || string_agg(quote_ident(attname), ', ' order by attnum) || ') <> ''NaN''' as term
        from pg_attribute
        where attrelid = named and attnum > 0 and not attisdropped
            and atttypid in ('real'::regtype, 'float8'::regtype)
        group by atttypid
    ) as of_types;
    if numbers is null then
        raise exception 'table "%" has no numbers that could be NaN', of_table;
    end if;
    execute format('alter table %s drop constraint if exists %I', named, of_table || '_no_nan_check');
    foreach number in array numbers loop
        if current_setting('astra_outputs.mend') <> '0' then
            execute format('update %s set %s = null where %s = ''NaN''', named, number, number);
        end if;
        execute format('select count(*) from %s where %s = ''NaN''', named, number) into found;
        if found > 0 then
            held := held || format('%s (%s rows)', number, found);
        end if;
    end loop;
    if held is not null then
        raise exception 'table "%" holds NaN: %', of_table, array_to_string(held, ', ')
            using hint = 'Make NULL of them: run this again with -v mend=1.';
    end if;
    execute format('alter table %s add constraint %I check (%s)', named, of_table || '_no_nan_check', terms);
end
$$;

commit;
