"""What a live database says of its tables, read from PostgreSQL's own catalogue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from astra_outputs.catalog import normal
from astra_outputs.catalog.model import IDENTITY, ColumnFacts, TableFacts, foreign_key, key, unique_key
from astra_outputs.model.flags import Bit
from astra_outputs.postgres.boundaries import transaction
from astra_outputs.postgres.sql import Statement, templates

if TYPE_CHECKING:
    from astra_outputs.postgres.database import Connection

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
    async with names_as_in(connection, schema):
        sql = templates("catalog")
        tables = await connection.fetch(sql["tables"].text, schema, names)
        columns = _by_table(await connection.fetch(sql["columns"].text, schema, names))
        indexes = _by_table(await connection.fetch(sql["indexes"].text, schema, names))
        constraints = _by_table(await connection.fetch(sql["constraints"].text, schema, names))
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


def statements_of() -> list[Statement]:
    """Return the statements that read the catalogue; they are the same for all tables."""
    return [template.statement() for template in templates("catalog").values()]


@asynccontextmanager
async def names_as_in(connection: Connection, schema: str) -> AsyncIterator[None]:
    """Have PostgreSQL print the names of this schema bare, and those of any other with theirs.

    A default that draws from another schema's sequence is thereby told from one that draws from ours.
    """
    async with transaction(connection):
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
    rows = await connection.fetch(templates("catalog")["flags"].text, names)
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
                deferrable=row["is_deferrable"],
            )
            for row in indexes
            if row["indisunique"] and not row["indisprimary"]
        ),
        foreign_keys=frozenset(foreign_key_of(row) for row in constraints if row["kind"] == "f"),
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


def foreign_key_of(row: Any) -> str:
    """Write the foreign key of a row of the catalogue."""
    actions = [
        f"{event} {_ACTIONS[row[column]]}"
        for event, column in (("on delete", "on_delete"), ("on update", "on_update"))
        if row[column] in _ACTIONS
    ]
    return foreign_key(row["here"], row["references"], row["there"], " ".join(actions))
