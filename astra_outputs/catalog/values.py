"""Values that other writers stored and no record would: NaN where NULL is meant."""

from __future__ import annotations

from collections.abc import Sequence

from astra_outputs.catalog.difference import Difference, Says
from astra_outputs.model.record import Record
from astra_outputs.postgres.database import Connection
from astra_outputs.postgres.sql import qualified, quote, templates


async def numbers_with_nan(
    connection: Connection, schema: str, record_classes: Sequence[type[Record]]
) -> list[Difference]:
    """Return the columns that hold NaN, each with the number of its rows.

    A table whose own check refuses NaN is not read; another is read once, which takes as long as it is large.

    Parameters
    ----------
    connection : asyncpg.Connection
    schema : str
    record_classes : sequence of type[Record]
        Those without a table are passed over.
    """
    found: list[Difference] = []
    for record_class in record_classes:
        table, statements = record_class.table, templates("values")
        rows = await connection.fetch(statements["numbers_that_may_be_nan"].text, schema, table)
        names = [name for (name,) in rows]
        if not names:
            continue
        counts = ", ".join(f"count(*) filter (where {quote(name)} = 'NaN')" for name in names)
        query = statements["rows_with_nan"].fill(counts=counts, table=qualified(schema, table))
        held = await connection.fetchrow(query)
        found += [
            Difference(table, name, "values", {Says.DATABASE: f"{count:,} rows hold NaN; NULL is meant"})
            for name, count in zip(names, held or (), strict=True)
            if count
        ]
    return found
