"""What a run puts on the disk, and what neither the database nor the disk can take."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from astra_outputs.errors import AstraOutputsError, SpoolFull
from astra_outputs.events import tell
from astra_outputs.model.record import Record
from astra_outputs.spool.folder import Spool
from astra_outputs.work.report import RunReport

log = logging.getLogger("astra_outputs.worker")


class Disk:
    """Keeps records in a spool, and names in the report those that are lost.

    Attributes
    ----------
    error : Exception or None
        Why the spool took nothing, the last time that it did not.
    """

    def __init__(self, spool: Spool, report: RunReport) -> None:
        self.spool, self._report = spool, report
        self.error: Exception | None = None

    async def write(
        self, records: list[Record], since: Any, ending: str, *, lose: bool = True
    ) -> list[Record] | None:
        """Put records on the disk, and return those that are there.

        One that cannot be written is lost. Where none can, for the disk's sake, None is returned, and
        all are lost unless the caller knows another way.
        """
        try:
            written = await asyncio.to_thread(self.spool.write, records, since, ending)
        except (SpoolFull, OSError) as error:
            tell(log, logging.ERROR, "cannot spool", records=len(records), why=error)
            self.error = error
            if lose:
                self.lose(records, error)
            return None
        for position, why in written.unwritable:
            self.lose([records[position]], why)
        if written.path is not None:
            self._report.spool = self.spool.folder
            file = written.path.name
            tell(log, logging.WARNING, "spooled", table=records[0].table, records=len(records), file=file)
        left_out = {position for position, _ in written.unwritable}
        return [record for position, record in enumerate(records) if position not in left_out]

    def lose(self, records: list[Record], why: object) -> None:
        """Name records that nothing could take."""
        self._report.lost += map(key_of, records)
        tell(log, logging.CRITICAL, "results are lost", records=len(records), why=why)


def key_of(record: Record) -> dict[str, Any]:
    """Return the key of a record, or what it has of one."""
    try:
        return record.key()
    except AstraOutputsError:
        return {name: record.__dict__.get(name) for name in record.natural_keys[0]}
