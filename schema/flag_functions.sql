-- Functions that tell flags by name. They find flag_definition whatever the caller's search_path is,
-- because the body of each is bound to it when the function is created.
--
-- flag_mask and has_flag read a table and are immutable all the same: the rows that they rely on cannot
-- change (flag_definition.sql). So the planner turns has_flag with a literal name into the comparison with a
-- number, at no cost for each row, and an index may be made of it. flag_names is only stable: a bit that
-- has no name today may get one.

-- Raised from within SQL, which has no `raise` of its own.
create or replace function refuse_flag(table_name text, column_name text, name text, known text)
returns bigint
language plpgsql
immutable
as $$
begin
    raise exception '%.% has no flag "%"', table_name, column_name, name
        using errcode = 'invalid_parameter_value',
        hint = coalesce('It has ' || known || '.', 'It has no named flags: see table flag_definition.');
end
$$;

comment on function refuse_flag(text, text, text, text) is 'Raise an error that lists the flags there are';

create or replace function flag_mask(table_name text, column_name text, name text)
returns bigint
language sql
immutable
strict
parallel safe
return coalesce(
    (
        select 1::bigint << definition.bit
        from flag_definition as definition
        where
            definition.table_name = flag_mask.table_name
            and definition.column_name = flag_mask.column_name
            and definition.name = flag_mask.name
    ),
    refuse_flag(
        flag_mask.table_name,
        flag_mask.column_name,
        flag_mask.name,
        (
            select string_agg(definition.name, ', ' order by definition.bit, definition.name)
            from flag_definition as definition
            where
                definition.table_name = flag_mask.table_name
                and definition.column_name = flag_mask.column_name
        )
    )
);

comment on function flag_mask(text, text, text) is 'The integer in which only the named bit is set';

create or replace function has_flag(table_name text, column_name text, value bigint, name text)
returns boolean
language sql
immutable
parallel safe
return (has_flag.value & flag_mask(has_flag.table_name, has_flag.column_name, has_flag.name)) <> 0;

comment on function has_flag(text, text, bigint, text) is 'Whether the named bit of a value is set';

create or replace function flag_names(table_name text, column_name text, value bigint)
returns text[]
language sql
stable
strict
parallel safe
return array(
    select coalesce(string_agg(definition.name, '/' order by definition.name), 'bit_' || number)
    from generate_series(0, 63) as number
    left join flag_definition as definition
        on
            definition.bit = number
            and definition.table_name = flag_names.table_name
            and definition.column_name = flag_names.column_name
    where (flag_names.value >> number) & 1 = 1
    group by number
    order by number
);

comment on function flag_names(text, text, bigint) is 'Names of the bits set in a value, lowest bit first';
