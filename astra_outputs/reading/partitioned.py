"""Whether results are spread over partitions, which some questions are asked otherwise of."""

from __future__ import annotations

from astra_outputs.model.record import Record
from astra_outputs.postgres.database import Database
from astra_outputs.postgres.sql import qualified, templates


async def is_partitioned(database: Database, record_class: type[Record]) -> bool:
    """Tell whether a table is spread over partitions; the server is asked once.

    Where that changes later, answers stay right, and come as fast as if they were asked of the other kind.
    """
    if record_class not in database.partitioned:
        text = templates("reading")["is_partitioned"].text
        relation = qualified(database.schema, record_class.table)
        database.partitioned[record_class] = await database.run(
            lambda connection: connection.fetchval(text, relation), where=record_class.table
        )
    return database.partitioned[record_class]
