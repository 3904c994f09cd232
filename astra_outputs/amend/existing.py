"""What a database has, with the names and definitions that no comparison needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from astra_outputs.catalog import from_database, normal
from astra_outputs.catalog.from_database import foreign_key_of, names_as_in
from astra_outputs.catalog.model import TableFacts, key, unique_key
from astra_outputs.errors import SchemaMismatch
from astra_outputs.postgres.sql import qualified, templates
from astra_outputs.postgres.sqlstates import NO_SCHEMA

if TYPE_CHECKING:
    from astra_outputs.postgres.database import Connection


@dataclass(frozen=True)
class Named:
    """A constraint or an index: its name, what it says in the words of `catalog`, and its SQL.

    `in_constraint` is the name of the constraint that an index is of; `target` the table a foreign key refers to.
    """

    name: str
    says: str
    definition: str
    valid: bool = True
    in_constraint: str | None = None
    target: str = ""


@dataclass
class Existing:
    """One table of the database; `is_table` tells it from one of partitions."""

    facts: TableFacts
    primary_key: Named | None = None
    uniques: list[Named] = field(default_factory=list)
    indexes: list[Named] = field(default_factory=list)
    checks: list[Named] = field(default_factory=list)
    foreign_keys: list[Named] = field(default_factory=list)
    sequences: Mapping[str, str] = field(default_factory=dict)
    options: Sequence[str] = ()
    is_table: bool = True


@dataclass(frozen=True)
class View:
    """A view that reads a table which is to be changed; `more` gives it what it has besides its definition."""

    schema: str
    name: str
    materialized: bool
    options: Sequence[str]
    definition: str
    more: Sequence[str] = ()


async def recognised(connection: Connection, schema: str, where: str = "the database") -> list[str]:
    """Return the tables of a schema, if it is one of Astra's or of ours.

    Raises
    ------
    SchemaMismatch
        If it is neither: there is no such schema, or it has no sources and spectra with their keys.
    """
    if await connection.fetchval("select to_regnamespace(quote_ident($1)) is null", schema):
        raise SchemaMismatch(f"{where} has no schema {schema}: name another one", sqlstate=NO_SCHEMA)
    rows = await connection.fetch(templates("amend")["tables_of_a_schema"].text, schema)
    keyed = {name for name, has_key in rows if has_key}
    missing = [name for name in ("source", "spectrum") if name not in keyed]
    if missing:
        names = [name for name, _ in rows]
        has = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
        raise SchemaMismatch(
            f"schema {schema} of {where} is neither Astra's nor one of ours: it has no table "
            f"{' and no table '.join(missing)} with a column pk (its tables: {has or 'none'}); name another one"
        )
    return [name for name, _ in rows]


async def existing_of(connection: Connection, schema: str, names: Sequence[str]) -> dict[str, Existing]:
    """Return what the database has of the tables of these names, by name."""
    facts = await from_database.tables_of(connection, schema, names, flags=False)
    found = {name: Existing(table) for name, table in facts.items()}
    statements = templates("amend")
    async with names_as_in(connection, schema):
        constraints = await connection.fetch(statements["named_constraints"].text, schema, names)
        indexes = await connection.fetch(statements["named_indexes"].text, schema, names)
        storage = await connection.fetch(statements["storage"].text, schema, names)
    for row in constraints:
        _put_constraint(row, found[row["relname"]])
    for row in indexes:
        _put_index(row, found[row["relname"]])
    for row in storage:
        found[row["relname"]].sequences = dict(pair.split("=", 1) for pair in row["sequences"])
        found[row["relname"]].options = row["options"]
        found[row["relname"]].is_table = row["is_table"]
    return found


async def views_upon(connection: Connection, schema: str, names: Sequence[str]) -> list[View]:
    """Return the views that read these tables, in the order in which they can be dropped."""
    async with names_as_in(connection, "pg_catalog"):  # every other name with its schema
        rows = await connection.fetch(templates("amend")["views_upon"].text, schema, names)
        views = [qualified(row["nspname"], row["relname"]) for row in rows]
        has = await connection.fetch(templates("amend")["what_views_have"].text, views)
    more: dict[str, list[str]] = {row["name"]: row["statements"] for row in has}
    seen: defaultdict[str, list[Any]] = defaultdict(list)
    for name, row in zip(views, rows, strict=True):
        seen[name].append(row)
    return [
        View(
            row["nspname"],
            row["relname"],
            row["kind"] == "m",
            row["options"],
            row["definition"].strip(),
            more[name],
        )
        for name, (row, *_) in seen.items()
    ]


async def in_the_way(connection: Connection, schema: str, names: Sequence[str]) -> list[str]:
    """Return what is made of columns of these tables, in words: the server changes no type under it."""
    async with names_as_in(connection, "pg_catalog"):
        rows = await connection.fetch(templates("amend")["in_the_way"].text, schema, names)
    return [words for (words,) in rows]


def _put_constraint(row: Any, table: Existing) -> None:
    name, definition, valid = row["conname"], row["definition"], row["convalidated"]
    if row["kind"] == "c":
        table.checks.append(Named(name, normal.expression(row["expression"]), definition, valid))
    elif row["kind"] == "f":
        table.foreign_keys.append(Named(name, foreign_key_of(row), definition, valid, target=row["target"]))


def _put_index(row: Any, table: Existing) -> None:
    name, definition, constraint = row["name"], row["definition"], row["conname"]
    if row["indisprimary"]:
        table.primary_key = Named(name, key(row["names"]), definition, in_constraint=constraint)
    elif row["indisunique"]:
        nulls = row["indnullsnotdistinct"] and row["nullable"]
        says = unique_key(row["names"], nulls_not_distinct=nulls, deferrable=row["is_deferrable"])
        table.uniques.append(Named(name, says, definition, in_constraint=constraint))
    else:
        table.indexes.append(Named(name, key(row["names"]), definition))
