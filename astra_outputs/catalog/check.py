"""Asks record classes, SQL files and a live database about the same tables, and compares."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from astra_outputs.catalog.difference import CONCERNS, Difference, Says
from astra_outputs.errors import MissingFile, SchemaMismatch
from astra_outputs.model.record import Record
from astra_outputs.postgres import sql_files
from astra_outputs.postgres.sqlstates import NO_SCHEMA

if TYPE_CHECKING:
    from astra_outputs.catalog.model import TableFacts
    from astra_outputs.postgres.database import Connection


@dataclass(frozen=True)
class Checked:
    """What was compared, and how it differs.

    Attributes
    ----------
    differences : tuple[Difference, ...]
        The worst first: what stops writing, what stops reading, other types, the rest.
    tables, columns, flags : int
        How many of each the record classes have.
    left_out : tuple[str, ...]
        Tables that the database does without, as it may; they were not compared.
    """

    differences: tuple[Difference, ...]
    tables: int
    columns: int
    flags: int
    left_out: tuple[str, ...] = ()

    def without(self, topics: Collection[str]) -> Checked:
        """Return the same without differences of some topics: "comments", "flags", ..."""
        kept = tuple(difference for difference in self.differences if difference.topic not in topics)
        return replace(self, differences=kept)


def check_files(record_classes: Sequence[type[Record]]) -> Checked:
    """Compare record classes with their SQL files; needs no server.

    Raises
    ------
    InvalidSQL
        If a SQL file cannot be read.
    """
    return _checked(record_classes, _in_files(record_classes))


async def check_with_database(
    connection: Connection, schema: str, record_classes: Sequence[type[Record]]
) -> Checked:
    """Compare record classes, their SQL files and the tables of a live database.

    A table that may be left out, and is, is no difference (`Record.may_be_left_out`).

    Raises
    ------
    InvalidSQL
        If a SQL file cannot be read.
    SchemaMismatch
        If the database has no such schema.
    """
    if await connection.fetchval("select to_regnamespace(quote_ident($1)) is null", schema):
        raise SchemaMismatch(
            f"there is no schema {schema}: apply it with `psql -v schema={schema} -f schema/install.sql`, "
            "or name another one",
            sqlstate=NO_SCHEMA,
        )
    database = await _in_database(connection, schema, record_classes)
    left_out = [one for one in record_classes if one.may_be_left_out and one.table not in database]
    compared = [one for one in record_classes if one not in left_out]
    checked = _checked(compared, _in_files(compared), database)
    return replace(checked, left_out=tuple(one.table for one in left_out))


async def differences_with_database(
    connection: Connection,
    schema: str,
    record_classes: Sequence[type[Record]],
    *,
    for_writing: bool = False,
    for_reading: bool = False,
) -> list[Difference]:
    """Return how the tables of a live database differ from their record classes.

    Parameters
    ----------
    connection : asyncpg.Connection
        A transaction open on it is joined, not ended.
    schema : str
    record_classes : sequence of type[Record]
    for_writing, for_reading : bool
        Leave out what does not keep a record from being stored, or from being read: comments, flag names, foreign keys,
        columns that the record class does not know and that fill themselves.
    """
    database = await _in_database(connection, schema, record_classes, flags=not (for_writing or for_reading))
    found = _compare(record_classes, {Says.DATABASE: database})
    return [
        difference
        for difference in found
        if (difference.stops_writing or not for_writing) and (difference.stops_reading or not for_reading)
    ]


def _checked(
    record_classes: Sequence[type[Record]],
    files: Mapping[str, TableFacts],
    database: Mapping[str, TableFacts] | None = None,
) -> Checked:
    said = {Says.FILE: files} | ({} if database is None else {Says.DATABASE: database})
    columns = [column for record_class in record_classes for column in record_class.columns()]
    return Checked(
        differences=tuple(
            sorted(_compare(record_classes, said), key=lambda found: CONCERNS.index(found.concern))
        ),
        tables=len(record_classes),
        columns=len(columns),
        flags=sum(len(column.bits.bits()) for column in columns if column.bits is not None),
    )


def _compare(
    record_classes: Iterable[type[Record]], others: Mapping[Says, Mapping[str, TableFacts]]
) -> list[Difference]:
    from astra_outputs.catalog import compare, from_records

    return [
        difference
        for record_class in record_classes
        for difference in compare.differences(
            record_class.table,
            {Says.RECORD: from_records.table_of(record_class)}
            | {who: tables.get(record_class.table) for who, tables in others.items()},
        )
    ]


def _in_files(record_classes: Iterable[type[Record]]) -> dict[str, TableFacts]:
    from astra_outputs.catalog import from_sql

    files: dict[Path, None] = {}
    for record_class in record_classes:
        try:
            files[sql_files.sql_file(record_class)] = None
        except MissingFile:
            continue  # the table is reported as missing in its SQL file
    schema = sql_files.schema_dir()
    if any(schema in file.parents for file in files):  # a pipeline elsewhere names its bits in its own file
        files[schema / "flags" / "flag_definition.sql"] = None
    found = from_sql.tables_of(files)
    return {name: table for name, table in found.items() if table.columns}


async def _in_database(
    connection: Connection, schema: str, record_classes: Iterable[type[Record]], *, flags: bool = True
) -> dict[str, TableFacts]:
    from astra_outputs.catalog import from_database

    names = [record_class.table for record_class in record_classes]
    return await from_database.tables_of(connection, schema, names, flags=flags)
