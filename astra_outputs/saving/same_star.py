"""Sources that are stored under another identifier: found when a save meets one, not looked for before each."""

from __future__ import annotations

from collections.abc import Sequence

from astra_outputs.errors import AstraOutputsError
from astra_outputs.model.record import Record
from astra_outputs.postgres.database import Database
from astra_outputs.postgres.sqlstates import is_claimed


async def recognised(
    database: Database, records: Sequence[Record], error: AstraOutputsError, *, one_by_one: bool = False
) -> bool:
    """Let the stored sources be found by the records that are the same stars, after a save of them was refused.

    Parameters
    ----------
    database : Database
    records : sequence of Record
        What was to be saved.
    error : AstraOutputsError
        What the save ended with.
    one_by_one : bool
        Whether the good ones among several records are stored without those in dispute.

    Returns
    -------
    bool
        Whether it is worth trying again; else the error stands.

    Raises
    ------
    InvalidRecord
        If two sources claim the identifiers of a record, naming both.
    """
    if not is_claimed(error) or not records or records[0].table != "source":
        return False
    from astra_outputs.reading.known_sources import recognise
    from astra_outputs.records.source import Source

    sources = [record for record in records if isinstance(record, Source)]
    refused = await database.run(
        lambda connection: recognise(connection, database.schema, sources), where=Source.table
    )
    if refused and (len(sources) == 1 or not one_by_one):
        raise next(iter(refused.values())) from error
    return bool(sources) and not refused
