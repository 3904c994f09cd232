-- What `astra-outputs schema diff` asks besides the catalogue: names of constraints and indexes, what stands upon a table.

-- name: named_constraints
-- The constraints of tables with their names and definitions.
-- $1: the schema, $2: an array of names of tables.
select
    tables.relname,
    rules.conname,
    rules.contype::text as kind,
    rules.convalidated,
    pg_get_constraintdef(rules.oid) as definition,
    pg_get_expr(rules.conbin, rules.conrelid) as expression,
    targets.relname as target,
    case when targets.relnamespace = tables.relnamespace then '' else targets.relnamespace::regnamespace || '.' end
    || targets.relname as "references",
    rules.confdeltype::text as on_delete,
    rules.confupdtype::text as on_update,
    array(
        select columns.attname::text
        from unnest(rules.conkey) with ordinality as numbers (attnum, place)
        inner join pg_attribute as columns
            on columns.attrelid = rules.conrelid and columns.attnum = numbers.attnum
        order by numbers.place
    ) as here,
    array(
        select columns.attname::text
        from unnest(rules.confkey) with ordinality as numbers (attnum, place)
        inner join pg_attribute as columns
            on columns.attrelid = rules.confrelid and columns.attnum = numbers.attnum
        order by numbers.place
    ) as there
from pg_constraint as rules
inner join pg_class as tables on tables.oid = rules.conrelid
inner join pg_namespace as schemas on schemas.oid = tables.relnamespace
left join pg_class as targets on targets.oid = rules.confrelid
where schemas.nspname = $1 and tables.relname = any($2) and rules.contype in ('c', 'f', 'p', 'u')
order by tables.relname, rules.conname;

-- name: named_indexes
-- The indexes of tables, those of constraints included.
-- $1: the schema, $2: an array of names of tables.
select
    tables.relname,
    names.relname as name,
    indexes.indisprimary,
    indexes.indisunique,
    indexes.indnullsnotdistinct,
    not indexes.indimmediate as is_deferrable,
    rules.conname,
    pg_get_indexdef(indexes.indexrelid) as definition,
    keys.names,
    keys.nullable
from pg_index as indexes
inner join pg_class as tables on tables.oid = indexes.indrelid
inner join pg_class as names on names.oid = indexes.indexrelid
inner join pg_namespace as schemas on schemas.oid = tables.relnamespace
left join pg_constraint as rules on rules.conindid = indexes.indexrelid and rules.contype in ('p', 'u')
cross join lateral (
    select
        array_agg(columns.attname::text) as names,
        not bool_and(columns.attnotnull) as nullable
    from unnest((indexes.indkey::int2[])[0:indexes.indnkeyatts - 1]) as numbers (attnum)
    inner join pg_attribute as columns
        on columns.attrelid = indexes.indrelid and columns.attnum = numbers.attnum
) as keys
where
    schemas.nspname = $1 and tables.relname = any($2)
    and indexes.indisvalid and indexes.indpred is null and indexes.indexprs is null
order by tables.relname, names.relname;

-- name: storage
-- How tables are stored, and which sequences number their columns.
-- $1: the schema, $2: an array of names of tables.
select
    tables.relname,
    coalesce(tables.reloptions, '{}') as options,
    tables.relkind = 'r' as is_table,
    array(
        select format('%s=%s', columns.attname, sequences.relname)
        from pg_depend as owned
        inner join pg_class as sequences on sequences.oid = owned.objid and sequences.relkind = 'S'
        inner join pg_attribute as columns on columns.attrelid = tables.oid and columns.attnum = owned.refobjsubid
        where owned.refobjid = tables.oid and owned.classid = 'pg_class'::regclass and owned.deptype in ('a', 'i')
    ) as sequences
from pg_class as tables
inner join pg_namespace as schemas on schemas.oid = tables.relnamespace
where schemas.nspname = $1 and tables.relname = any($2) and tables.relkind in ('r', 'p');

-- name: views_upon
-- The views that read tables, and views upon those, the last first.
-- $1: the schema, $2: an array of names of tables.
with recursive upon as (
    select
        rules.ev_class as view,
        1 as depth
    from pg_class as tables
    inner join pg_namespace as schemas on schemas.oid = tables.relnamespace
    inner join pg_depend as uses on uses.refobjid = tables.oid and uses.classid = 'pg_rewrite'::regclass
    inner join pg_rewrite as rules on rules.oid = uses.objid
    where schemas.nspname = $1 and tables.relname = any($2) and rules.ev_class <> tables.oid
    union
    select
        rules.ev_class as view,
        upon.depth + 1 as depth
    from upon
    inner join pg_depend as uses on uses.refobjid = upon.view and uses.classid = 'pg_rewrite'::regclass
    inner join pg_rewrite as rules on rules.oid = uses.objid
    where rules.ev_class <> upon.view
)

select
    schemas.nspname,
    views.relname,
    views.relkind::text as kind,
    coalesce(views.reloptions, '{}') as options,
    pg_get_viewdef(views.oid) as definition,
    max(upon.depth) as depth
from upon
inner join pg_class as views on views.oid = upon.view
inner join pg_namespace as schemas on schemas.oid = views.relnamespace
group by schemas.nspname, views.relname, views.relkind, views.reloptions, views.oid
order by depth desc, views.relname asc;

-- name: what_views_have
-- What views have besides their definitions, as statements that give it to them again: comments, defaults, indexes,
-- triggers, rules, rights, and the owner last.
-- $1: an array of names of views, quoted and with their schemas.
with views as (
    select
        classes.oid,
        classes.relowner,
        classes.relacl,
        named.name,
        case when classes.relkind = 'm' then 'materialized view' else 'view' end as kind
    from unnest($1::text[]) as named (name)
    inner join pg_class as classes on classes.oid = named.name::regclass
),

parts (oid, place, statement) as (
    select
        views.oid,
        1,
        format(
            'comment on %s %s is %L',
            case when said.objsubid = 0 then views.kind else 'column' end,
            concat_ws('.', views.name, quote_ident(columns.attname)),
            said.description
        )
    from views
    inner join pg_description as said on said.objoid = views.oid and said.classoid = 'pg_class'::regclass
    left join pg_attribute as columns on columns.attrelid = views.oid and columns.attnum = nullif(said.objsubid, 0)
    union all
    select
        views.oid,
        2,
        format(
            'alter view %s alter column %I set default %s',
            views.name, columns.attname, pg_get_expr(defaults.adbin, views.oid)
        )
    from views
    inner join pg_attrdef as defaults on defaults.adrelid = views.oid
    inner join pg_attribute as columns on columns.attrelid = views.oid and columns.attnum = defaults.adnum
    union all
    select
        views.oid,
        3,
        pg_get_indexdef(indexes.indexrelid)
    from views
    inner join pg_index as indexes on indexes.indrelid = views.oid
    union all
    select
        views.oid,
        4,
        pg_get_triggerdef(triggers.oid)
    from views
    inner join pg_trigger as triggers on triggers.tgrelid = views.oid and not triggers.tgisinternal
    union all
    select
        views.oid,
        5,
        rtrim(pg_get_ruledef(rules.oid), ';')
    from views
    inner join pg_rewrite as rules on rules.ev_class = views.oid and rules.rulename <> '_RETURN'
    union all
    select
        views.oid,
        6,
        format(
            'grant %s%s on %s to %s%s',
            lower(rights.privilege_type),
            ' (' || quote_ident(rights.attname) || ')',
            views.name,
            case when rights.grantee = 0 then 'public' else rights.grantee::regrole::text end,
            case when rights.is_grantable then ' with grant option' else '' end
        )
    from views
    cross join lateral (
        select
            null::name as attname,
            of_view.*
        from aclexplode(views.relacl) as of_view
        union all
        select
            columns.attname,
            of_column.*
        from pg_attribute as columns
        cross join lateral aclexplode(columns.attacl) as of_column
        where columns.attrelid = views.oid
    ) as rights
    where rights.grantee <> views.relowner
    union all
    select
        views.oid,
        7,
        format('alter %s %s owner to %s', views.kind, views.name, views.relowner::regrole)
    from views
    where views.relowner <> quote_ident(current_user)::regrole
)

select
    views.name,
    array(
        select parts.statement from parts
        where parts.oid = views.oid
        order by parts.place, parts.statement
    ) as statements
from views;

-- name: in_the_way
-- What is made of columns of tables, so that their types cannot be changed: triggers, policies, functions,
-- publications, generated columns.
-- $1: the schema, $2: an array of names of tables.
select distinct coalesce(
    case when others.attgenerated <> '' then format('column %s of table %s', others.attname, tables.oid::regclass) end,
    pg_describe_object(uses.classid, uses.objid, uses.objsubid)
) as words
from pg_class as tables
inner join pg_namespace as schemas on schemas.oid = tables.relnamespace
inner join pg_depend as uses
    on uses.refclassid = 'pg_class'::regclass and uses.refobjid = tables.oid and uses.refobjsubid > 0
left join pg_attrdef as defaults on uses.classid = 'pg_attrdef'::regclass and defaults.oid = uses.objid
left join pg_attribute as others on others.attrelid = defaults.adrelid and others.attnum = defaults.adnum
where
    schemas.nspname = $1 and tables.relname = any($2)
    and case
        when uses.classid = 'pg_attrdef'::regclass
            then others.attgenerated <> '' and others.attname <> 'v_astra_major_minor'
        else
            uses.classid in (
                'pg_trigger'::regclass, 'pg_policy'::regclass, 'pg_proc'::regclass, 'pg_publication_rel'::regclass
            )
    end
order by words;

-- name: tables_of_a_schema
-- The tables of a schema, and whether they have a key of the name pk.
-- $1: the schema.
select
    tables.relname,
    exists(
        select from pg_attribute as columns
        where columns.attrelid = tables.oid and columns.attname = 'pk' and not columns.attisdropped
    ) as has_key
from pg_class as tables
inner join pg_namespace as schemas on schemas.oid = tables.relnamespace
where schemas.nspname = $1 and tables.relkind in ('r', 'p')
order by tables.relname;

-- name: is_a_zone
-- Whether there is a time zone of this name.
-- $1: the name.
select exists(select from pg_timezone_names where lower(name) = lower($1));
