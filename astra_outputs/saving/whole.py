"""Save what a worker has finished: as a whole if the database takes it, else without the rows that it refuses."""

from __future__ import annotations

from datetime import datetime

from astra_outputs.errors import AstraOutputsError
from astra_outputs.model.record import Record
from astra_outputs.postgres.sqlstates import is_about_columns, is_about_rows
from astra_outputs.saving.gate import Gate
from astra_outputs.saving.options import OnError, SaveOptions
from astra_outputs.saving.report import SaveReport
from astra_outputs.saving.store import Store
from astra_outputs.saving.stream import save_records


async def save_what_is_taken(
    store: Store, records: list[Record], not_after: datetime | None = None
) -> SaveReport:
    """Save records of one class; those that the database refuses are listed in the report.

    Where the fault may be the table's, which was altered since it was compared with the class, it is
    compared anew: each of thousands of rows would be tried, and refused, otherwise.

    Raises
    ------
    SchemaMismatch
        If the table was altered so that it takes no record of the class.
    AstraOutputsError
        As `Outputs.save_many` does.
    """
    try:
        return await _save(store, records, not_after, collect=False)
    except AstraOutputsError as error:
        if not is_about_rows(error):
            raise
        if is_about_columns(error):
            await Gate(store.database).check(type(records[0]))
    return await _save(store, records, not_after, collect=True)


async def _save(
    store: Store, records: list[Record], not_after: datetime | None, *, collect: bool
) -> SaveReport:
    on_error: OnError = "collect" if collect else "raise"
    options = SaveOptions(len(records), duplicates="last", on_error=on_error, not_after=not_after)
    return await save_records(store, records, options)
