-- Fills spectrum.source_pk from every table of spectra, recognised by the columns that these share, those of your own
-- included. Rows that are right already are left alone.

do $$
declare
    one record;
begin
    -- Of a table that Citus distributes not the shards.
    perform set_config('citus.override_table_visibility', 'on', true);
    for one in
        select c.oid::regclass as name
        from pg_class as c
        join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = quote_ident(current_schema())::regnamespace
            and c.relkind in ('r', 'p') and not c.relispartition
        group by c.oid
        having array_agg(a.attname) @> array['pk', 'spectrum_pk', 'source_pk', 'created', 'modified']::name[]
            and not array_agg(a.attname) @> array['task_pk']::name[]
    loop
        execute format(
            'update spectrum set source_pk = theirs.source_pk from %s as theirs '
            'where spectrum.pk = theirs.spectrum_pk and theirs.source_pk is not null '
            'and spectrum.source_pk is distinct from theirs.source_pk', one.name
        );
    end loop;
end
$$;
