"""One table of ours: what it has under given keys, and how rows are taken over with their numbers and times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from astra_outputs.adopt.theirs import Row, Theirs
from astra_outputs.errors import DatabaseError
from astra_outputs.postgres.database import Connection
from astra_outputs.postgres.sql import listed, qualified, quote, templates
from astra_outputs.postgres.sqlstates import is_about_rows, translated

BEYOND_32_BITS = 2**31
"""Where the numbers of rows begin that are made here: those of Astra's tables never reach it."""


class Ours:
    """One table of ours.

    Parameters
    ----------
    theirs : Theirs
        The table whose rows it takes over.
    schema : str
    """

    def __init__(self, theirs: Theirs, schema: str) -> None:
        self._theirs, self._schema = theirs, schema
        record_class = theirs.record_class
        self.table = record_class.table
        self.has_times = "modified" in theirs.names
        self._name = qualified(schema, self.table)
        self._stage = f"adopted_{self.table}"[:60]
        key, statements = theirs.key, templates("adopt")
        types = {column.name: column.type.sql for column in record_class.columns()}
        self._read = statements["read_ours"].fill(
            table=self._name,
            columns=listed([*theirs.names, *key], of="stored"),
            arrays=", ".join(f"${place}::{types[name]}[]" for place, name in enumerate(key, 1)),
            key=listed(key),
            same=" and ".join(f"stored.{quote(name)} = wanted.{quote(name)}" for name in key),
        )
        self._make = statements["make_stage"].fill(
            stage=quote(self._stage),
            columns=", ".join(f"{quote(column.name)} {column.type.sql}" for column in theirs.columns),
        )
        kept = {*key, record_class.primary_key}
        replaced = [name for name in theirs.names if name not in kept]
        guard = f"{quote(self.table)}.modified <= excluded.modified" if self.has_times else "true"
        self._take = statements["take_over"].fill(
            table=self._name,
            columns=listed(theirs.names),
            stage=f"pg_temp.{quote(self._stage)}",
            number=quote(record_class.primary_key),
            key=listed(key),
            replaced=", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in replaced),
            guard=guard,
        )

    async def begin(self, connection: Connection) -> None:
        """Make the temporary table."""
        await connection.execute(self._make)

    async def number_behind(self, connection: Connection) -> None:
        """Let numbers that are drawn here begin where theirs never come."""
        statements, column = templates("adopt"), self._theirs.record_class.primary_key
        sequence = await connection.fetchval(statements["sequence_of"].text, self._name, column)
        if sequence is not None:
            await connection.execute(statements["go_on_behind"].text, sequence, BEYOND_32_BITS)

    async def stored(
        self, connection: Connection, rows: Sequence[Row]
    ) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        """Return the values that are stored under the keys of rows."""
        if not rows:
            return {}
        wide = len(self._theirs.names)
        found = await connection.fetch(self._read, *map(list, zip(*(row.key for row in rows), strict=True)))
        return {tuple(row[wide:]): tuple(row[:wide]) for row in found}

    def same(self, row: Row, stored: tuple[Any, ...]) -> bool:
        """Tell whether all values are equal; a result may have another number where it was made here as well."""
        if row.values == stored:
            return True
        number = self._theirs.number
        return self._theirs.is_result and _without(row.values, number) == _without(stored, number)

    def is_newer(self, stored: tuple[Any, ...], row: Row) -> bool:
        """Tell whether what is here was stored later than what is there."""
        at = self._theirs.names.index("modified") if self.has_times else -1
        return at >= 0 and bool(stored[at] > row.values[at])

    async def take(self, connection: Connection, rows: Sequence[Row]) -> list[tuple[Row, str]]:
        """Store rows; returns those that the database refuses, with what it says."""
        if not rows:
            return []
        try:
            with translated(self.table):
                async with connection.transaction():
                    await connection.copy_records_to_table(
                        self._stage, records=[row.values for row in rows], columns=list(self._theirs.names)
                    )
                    await connection.execute(self._take)
        except DatabaseError as error:
            if not is_about_rows(error):
                raise
            if len(rows) == 1:
                return [(rows[0], str(error))]
        else:
            return []
        middle = len(rows) // 2
        return [*await self.take(connection, rows[:middle]), *await self.take(connection, rows[middle:])]


def _without(values: tuple[Any, ...], place: int) -> tuple[Any, ...]:
    return values[:place] + values[place + 1 :]
