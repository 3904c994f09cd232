"""Save what a worker has finished: as a whole if the database takes it, else without the rows that it refuses."""

from __future__ import annotations

from astra_outputs.errors import AstraOutputsError
from astra_outputs.model.record import Record
from astra_outputs.postgres.sqlstates import is_about_columns, is_about_rows
from astra_outputs.saving.gate import Gate
from astra_outputs.saving.report import SaveReport
from astra_outputs.saving.statements import Guards
from astra_outputs.saving.store import Store
from astra_outputs.saving.stream import Options, Saving


async def save_what_is_taken(store: Store, records: list[Record], guards: Guards | None = None) -> SaveReport:
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
        return await _save(store, records, guards, collect=False)
    except AstraOutputsError as error:
        if not is_about_rows(error):
            raise
        if is_about_columns(error):
            await Gate(store.database).check(type(records[0]))
    return await _save(store, records, guards, collect=True)


async def _save(store: Store, records: list[Record], guards: Guards | None, *, collect: bool) -> SaveReport:
    options = Options(
        len(records),
        duplicates="last",
        on_error="collect" if collect else "raise",
        guards=guards or Guards(),
    )
    return await Saving(store, options).run(records)
