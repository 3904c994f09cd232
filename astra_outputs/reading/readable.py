"""Refuse a table whose rows would be read as something else than they are."""

from __future__ import annotations

from astra_outputs.errors import SchemaMismatch
from astra_outputs.model.record import Record
from astra_outputs.postgres.database import Connection, Database
from astra_outputs.postgres.sql import templates


async def check_readable(database: Database, record_class: type[Record]) -> frozenset[str]:
    """Compare the columns of a table with its record class, before the first row is read; two short queries.

    Returns the numbers that may be NaN: no check of the table refuses that.

    Raises
    ------
    SchemaMismatch
        If the table or a column is missing, or a column is of another type.
    """
    if record_class in database.readable:
        return database.readable[record_class]
    differences = await database.run(
        lambda connection: _compare(connection, database.schema, record_class), where=record_class.table
    )
    if differences:
        raise SchemaMismatch(
            f"{database.where} has no {record_class.__name__} to read:\n{differences}\n"
            "run `astra-outputs check` to see all differences",
            table=record_class.table,
        )
    text = templates("values")["numbers_that_may_be_nan"].text
    rows = await database.run(
        lambda connection: connection.fetch(text, database.schema, record_class.table),
        where=record_class.table,
    )
    database.readable[record_class] = frozenset(name for (name,) in rows)
    return database.readable[record_class]


async def _compare(connection: Connection, schema: str, record_class: type[Record]) -> str:
    """Return what differs, in words; empty if nothing does."""
    rows = await connection.fetch(templates("catalog")["types"].text, schema, record_class.table)
    types = {row[0]: row[1] for row in rows}
    if all(types.get(column.name) == column.type.sql for column in record_class.columns()):
        return ""
    # A type may have two names: the comparison that `check` makes has the last word.
    from astra_outputs.catalog import differences_with_database, remedy

    found = await differences_with_database(connection, schema, [record_class], for_reading=True)
    return remedy.in_words(found, record_class, schema, reading=True)
