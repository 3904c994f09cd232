-- Refuses a schema that has to be upgraded first: what exists is skipped by `create table if not exists`, and a
-- table that has another name today would be made a second time.

do $$
declare
    needed constant integer := 4;
    reached constant integer := (select max(version) from schema_version);
begin
    if reached < needed then
        raise exception 'schema % is of version %, and these files are of version %', current_schema(), reached, needed
            using hint = format(
                'Apply schema/upgrades/ from %s on, in the order of their numbers, then run this again.',
                to_char(reached + 1, 'FM0000')
            );
    end if;
end
$$;
