-- Functions that tell flags by name. They find flag_definition whatever the caller's search_path is,
-- because the body of each is bound to it when the function is created.
--
-- flag_mask and has_flag read a table and are immutable all the same: the rows that they rely on cannot
-- change (flag_definition.sql). So the planner turns has_flag with a literal name into the comparison with a
-- number, at no cost for each row, and an index may be made of it. flag_names is only stable: a bit that
-- has no name today may get one.

-- Raised from within SQL, which has no `raise` of its own.
create or replace function refuse_flag(of_table text, of_column text, flag text, known text)
returns bigint
language plpgsql
immutable
as $$
begin
    raise exception '%.% has no flag "%"', of_table, of_column, flag
        using errcode = 'invalid_parameter_value',
        hint = coalesce('It has ' || known || '.', 'It has no named flags: see table flag_definition.');
end
$$;

comment on function refuse_flag(text, text, text, text) is 'Raise an error that lists the flags there are';

create or replace function flag_mask(of_table text, of_column text, flag text)
returns bigint
language sql
immutable
strict
parallel safe
return coalesce(
    (
        select 1::bigint << bit
        from flag_definition
        where table_name = of_table and column_name = of_column and name = flag
    ),
    refuse_flag(
        of_table,
        of_column,
        flag,
        (
            select string_agg(name, ', ' order by bit, name)
            from flag_definition
            where table_name = of_table and column_name = of_column
        )
    )
);

comment on function flag_mask(text, text, text) is 'The integer in which only the named bit is set';

create or replace function has_flag(of_table text, of_column text, value bigint, flag text)
returns boolean
language sql
immutable
parallel safe
return value & flag_mask(of_table, of_column, flag) <> 0;

comment on function has_flag(text, text, bigint, text) is 'Whether the named bit of a value is set';

create or replace function flag_names(of_table text, of_column text, value bigint)
returns text[]
language sql
stable
strict
parallel safe
return array(
    select coalesce(string_agg(definition.name, '/' order by definition.name), 'bit_' || number)
    from generate_series(0, 63) as number
    left join flag_definition as definition
        on number = definition.bit and definition.table_name = of_table and definition.column_name = of_column
    where (value >> number) & 1 = 1
    group by number
    order by number
);

comment on function flag_names(text, text, bigint) is 'Names of the bits set in a value, lowest bit first';
