"""What a live database says of its tables, read from PostgreSQL's own catalogue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from astra_outputs.catalog import normal
from astra_outputs.catalog.model import IDENTITY, ColumnFacts, TableFacts, foreign_key, key, unique_key
from astra_outputs.model.flags import Bit

if TYPE_CHECKING:
    from astra_outputs.postgres.database import Connection

_TABLES = """
select c.relname, obj_description(c.oid, 'pg_class') as comment
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1 and c.relname = any($2) and c.relkind in ('r', 'p', 'f')
"""

_COLUMNS = """
select c.relname, a.attname, format_type(a.atttypid, a.atttypmod) as type, not a.attnotnull as nullable,
    a.attidentity::text as identity, a.attgenerated::text as generated,
    pg_get_expr(d.adbin, d.adrelid) as expression, col_description(c.oid, a.attnum) as comment
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where n.nspname = $1 and c.relname = any($2) and c.relkind in ('r', 'p', 'f')
order by c.relname, a.attnum
"""

# An index with a condition or on an expression keeps nothing unique that an upsert could rely on.
_INDEXES = """
select c.relname, i.indisprimary, i.indisunique, i.indnullsnotdistinct, not i.indimmediate as deferrable,
    keys.names, keys.nullable
from pg_index i
join pg_class c on c.oid = i.indrelid
join pg_namespace n on n.oid = c.relnamespace
cross join lateral (
    select array_agg(a.attname::text) as names, not bool_and(a.attnotnull) as nullable
    from unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) as k (attnum)
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
) keys
where n.nspname = $1 and c.relname = any($2)
    and i.indisvalid and i.indpred is null and i.indexprs is null
"""

_CONSTRAINTS = """
select c.relname, k.conname, k.contype::text as kind, pg_get_expr(k.conbin, k.conrelid) as expression,
    case when f.relnamespace = c.relnamespace then '' else f.relnamespace::regnamespace || '.' end
        || f.relname as "references",
    k.confdeltype::text as on_delete, k.confupdtype::text as on_update,
    array(select a.attname::text from unnest(k.conkey) with ordinality as u (attnum, place)
        join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.attnum order by place) as here,
    array(select a.attname::text from unnest(k.confkey) with ordinality as u (attnum, place)
        join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.attnum order by place) as there
from pg_constraint k
join pg_class c on c.oid = k.conrelid
join pg_namespace n on n.oid = c.relnamespace
left join pg_class f on f.oid = k.confrelid
where n.nspname = $1 and c.relname = any($2) and k.contype in ('c', 'f')
"""

_ACTIONS = {"c": "cascade", "n": "set null", "d": "set default", "r": "restrict"}


async def tables_of(
    connection: Connection, schema: str, names: Sequence[str], *, flags: bool = True
) -> dict[str, TableFacts]:
    """Return what the database says of the tables of these names, by name; a missing one is left out.

    Parameters
    ----------
    connection : asyncpg.Connection
        A transaction open on it is joined, not ended.
    schema : str
    names : sequence of str
    flags : bool
        Whether to read `flag_definition` as well.
    """
    async with _names_as_in(connection, schema):
        tables = await connection.fetch(_TABLES, schema, names)
        columns = _by_table(await connection.fetch(_COLUMNS, schema, names))
        indexes = _by_table(await connection.fetch(_INDEXES, schema, names))
        constraints = _by_table(await connection.fetch(_CONSTRAINTS, schema, names))
        bits = await _flags(connection, names) if flags else None
    return {
        name: _table(
            name,
            comment,
            columns[name],
            indexes[name],
            constraints[name],
            None if bits is None else bits[name],
        )
        for name, comment in tables
    }


@asynccontextmanager
async def _names_as_in(connection: Connection, schema: str) -> AsyncIterator[None]:
    """Have PostgreSQL print the names of this schema bare, and those of any other with theirs.

    A default that draws from another schema's sequence is thereby told from one that draws from ours.
    """
    async with connection.transaction():
        before = await connection.fetchval("select current_setting('search_path')")
        await connection.execute("select set_config('search_path', quote_ident($1), true)", schema)
        yield
        await connection.execute("select set_config('search_path', $1, true)", before)


def _by_table(rows: Sequence[Any]) -> defaultdict[str, list[Any]]:
    groups: defaultdict[str, list[Any]] = defaultdict(list)
    for row in rows:
        groups[row["relname"]].append(row)
    return groups


async def _flags(
    connection: Connection, names: Sequence[str]
) -> defaultdict[str, dict[str, tuple[Bit, ...]]]:
    """Return the rows of `flag_definition` by table and column; none if there is no such table."""
    groups: defaultdict[str, dict[str, tuple[Bit, ...]]] = defaultdict(dict)
    if await connection.fetchval("select to_regclass('flag_definition') is null"):
        return groups
    rows = await connection.fetch(
        "select table_name, column_name, bit, name, meaning from flag_definition"
        " where table_name = any($1) order by bit",
        names,
    )
    for table, column, *bit in rows:
        groups[table][column] = (*groups[table].get(column, ()), Bit(*bit))
    return groups


def _table(
    name: str,
    comment: str | None,
    columns: list[Any],
    indexes: list[Any],
    constraints: list[Any],
    flags: dict[str, tuple[Bit, ...]] | None,
) -> TableFacts:
    return TableFacts(
        name=name,
        columns={row["attname"]: _column(row) for row in columns},
        comment=comment or "",
        primary_key=next((key(row["names"]) for row in indexes if row["indisprimary"]), ""),
        unique=frozenset(
            unique_key(
                row["names"],
                nulls_not_distinct=row["indnullsnotdistinct"] and row["nullable"],
                deferrable=row["deferrable"],
            )
            for row in indexes
            if row["indisunique"] and not row["indisprimary"]
        ),
        foreign_keys=frozenset(_foreign_key(row) for row in constraints if row["kind"] == "f"),
        checks={
            row["conname"]: normal.expression(row["expression"]) for row in constraints if row["kind"] == "c"
        },
        indexes=frozenset(key(row["names"]) for row in indexes if not row["indisunique"]),
        flags=flags,
    )


def _column(row: Any) -> ColumnFacts:
    expression = None if row["expression"] is None else normal.expression(row["expression"])
    default = None if row["generated"] else expression
    return ColumnFacts(
        name=row["attname"],
        type=normal.type_name(row["type"]),
        nullable=row["nullable"],
        default=IDENTITY if row["identity"] else default,
        generated=expression if row["generated"] else None,
        comment=row["comment"] or "",
    )


def _foreign_key(row: Any) -> str:
    actions = [
        f"{event} {_ACTIONS[row[column]]}"
        for event, column in (("on delete", "on_delete"), ("on update", "on_update"))
        if row[column] in _ACTIONS
    ]
    return foreign_key(row["here"], row["references"], row["there"], " ".join(actions))
