"""Stores records in batches while the pipeline goes on; in the spool where the database stays away."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from time import perf_counter
from typing import Any

from astra_outputs.errors import AstraOutputsError, ConnectionLost, DatabaseError, InvalidRecord
from astra_outputs.events import tell
from astra_outputs.model.outcome import Outcome, assign
from astra_outputs.model.record import Record
from astra_outputs.postgres.patience import retrying_for
from astra_outputs.postgres.sqlstates import is_passing
from astra_outputs.saving.report import Rejected, SaveReport
from astra_outputs.saving.store import Store
from astra_outputs.saving.whole import save_what_is_taken
from astra_outputs.spool.folder import REJECTED, WAITING, Spool
from astra_outputs.spool.replay import ReplayReport, replay
from astra_outputs.work.disk import Disk, key_of
from astra_outputs.work.driving import Made
from astra_outputs.work.hanging import unless_it_hangs
from astra_outputs.work.options import Bounds
from astra_outputs.work.repeated import Repeated
from astra_outputs.work.report import RunReport
from astra_outputs.work.timing import ServerClock, spread

log = logging.getLogger("astra_outputs.worker")

HANGS = 60.0
"""Seconds beyond the retry budget after which a save is given up that a server at work does not get done: it waits
for a lock, for one. A server that hangs is given up within the budget."""


class Flusher:
    """Takes records as they are made, and hands them on once they are safe.

    Parameters
    ----------
    store : Store
    spool : Spool
    bounds : Bounds
    report : RunReport
        Kept up to date.
    safe : Callable
        Called with the records of each batch that is stored or spooled.
    """

    def __init__(
        self,
        store: Store,
        spool: Spool,
        bounds: Bounds,
        report: RunReport,
        safe: Callable[[list[Record], int], None],
    ) -> None:
        self._store, self._disk, self._bounds, self._report = store, Disk(spool, report), bounds, report
        self._safe = safe
        self._made: list[Made] = []
        self._oldest = 0.0
        self._overhead = 0.0
        self._repeated = Repeated(report)
        self._wake = asyncio.Event()
        self._urgent = False
        self._closed = False
        self._away = False
        self._draining: asyncio.Task[None] | None = None
        self._time = asyncio.get_running_loop().time
        self._impatient = asyncio.Event()
        self.clock = ServerClock()
        self._refused: Exception | None = None

    @property
    def waiting(self) -> int:
        """Records that are not safe yet."""
        return len(self._made)

    @property
    def error(self) -> Exception | None:
        """Why the run has to end: the disk took nothing, or the database refuses whole batches."""
        return self._disk.error or self._refused

    def take(self, made: Made) -> None:
        """Take a record; it is stored with the next batch."""
        if not self._made:
            self._oldest = self._time()
        self._made.append(made)
        if len(self._made) >= self._bounds.batch_size or len(self._made) == 1:
            self._wake.set()

    def spend(self, overhead: float) -> None:
        """Take seconds of overhead that no record followed."""
        self._overhead += overhead

    def flush(self) -> None:
        """Store what there is, without waiting for a batch to be full."""
        self._urgent = bool(self._made)
        self._wake.set()

    def close(self) -> None:
        """Store what there is, and end."""
        self._closed = True
        self._wake.set()

    def hurry(self) -> None:
        """Give up a database that does not answer: the time left is needed for the spool."""
        self._impatient.set()

    async def run(self) -> None:
        """Store batches until closed."""
        while True:
            await self._due()
            if not self._made:
                break
            batch = self._made[: self._bounds.batch_size]
            await self._store_batch(batch)
            del self._made[: len(batch)]
            self._oldest = self._time()
            self._urgent = self._urgent and bool(self._made)
        if self._draining is not None:
            await self._draining
        if self._report.counts[Outcome.SPOOLED] and not self._impatient.is_set():
            await self.drain_now(0.0 if self._urgent else self._store.database.retry_for)

    async def _due(self) -> None:
        """Wait until a batch is full or old enough, or the end has come."""
        while not (
            self._closed or len(self._made) >= self._bounds.batch_size or (self._urgent and self._made)
        ):
            self._wake.clear()
            left = self._oldest + self._bounds.max_age - self._time() if self._made else None
            if left is not None and left <= 0:
                return
            try:
                async with asyncio.timeout(left):
                    await self._wake.wait()
            except TimeoutError:
                return

    async def _store_batch(self, batch: list[Made]) -> None:
        """Store records of any classes, or put them on the disk."""
        overhead = sum(made.overhead for made in batch) + self._overhead
        self._overhead = 0.0
        spread(overhead, [made.record for made in batch])
        by_class: dict[type[Record], list[Record]] = {}
        for made in batch:
            by_class.setdefault(type(made.record), []).append(made.record)
        for records in by_class.values():
            last = self._repeated.last_of_each(records)
            safe = await self._store_class(last)
            self._safe(safe, len(records))

    async def _store_class(self, records: list[Record]) -> list[Record]:
        since, start = self.clock.now(), perf_counter()
        try:
            saved = await self._save(records)
        except InvalidRecord as error:
            fit = await self._without_unfit(records, since)
            if len(fit) == len(records):
                return await self._to_spool(records, since, error)
            return await self._store_class(fit) if fit else []
        except Exception as error:  # noqa: BLE001 (whatever the reason, the records go to the disk)
            return await self._to_spool(records, since, error)
        if self._away:
            self._away = False
            tell(log, logging.INFO, "database is back")
            self.drain()
        seconds = perf_counter() - start
        tell(
            log,
            logging.INFO,
            "stored",
            table=records[0].table,
            records=len(records),
            seconds=seconds,
            saved=saved,
        )
        return await self._sorted_out(records, saved, since)

    async def _without_unfit(self, records: list[Record], since: Any) -> list[Record]:
        """Refuse the records that their own class does not take any more, and return the others."""
        unfit = {}
        for position, record in enumerate(records):
            try:
                type(record).model_validate(
                    {name: record.__dict__[name] for name in type(record).model_fields}
                )
            except InvalidRecord as error:
                unfit[position] = Rejected(position, key_of(record), str(error))
                assign(record, Outcome.REJECTED)
                tell(log, logging.ERROR, "refused by its record class", table=record.table, why=error)
        self._report.rejected += unfit.values()
        self._report.counts += Counter({Outcome.REJECTED: len(unfit)})
        if unfit:
            await self._disk.write([records[position] for position in unfit], since, REJECTED)
        return [record for position, record in enumerate(records) if position not in unfit]

    async def _sorted_out(self, records: list[Record], saved: SaveReport, since: Any) -> list[Record]:
        """Report what became of records that went to the database, and return those that it took."""
        self._report.counts.update(saved.counts)
        self._take_time(records)
        if not saved.rejected:
            return records
        self._report.rejected += saved.rejected
        refused = [records[rejected.position] for rejected in saved.rejected]
        for rejected in saved.rejected:
            tell(log, logging.ERROR, "refused by the database", table=records[0].table, why=rejected)
        await self._disk.write(refused, since, REJECTED)
        return [record for record in records if record.outcome is not Outcome.REJECTED]

    async def _save(self, records: list[Record]) -> SaveReport:
        budget = 0.0 if self._away or self._impatient.is_set() else self._store.database.retry_for

        async def save() -> SaveReport:
            with retrying_for(budget):
                return await save_what_is_taken(self._store, records)

        return await unless_it_hangs(save(), budget + HANGS, self._impatient)

    async def unless_hurried(self, question: Coroutine[Any, Any, None]) -> None:
        """Ask the database something that need not be known."""
        with suppress(ConnectionLost):
            await unless_it_hangs(question, self._store.database.retry_for + HANGS, self._impatient)

    async def ask_time(self) -> bool:
        """Take over the server's time; tells whether it answers."""
        database = self._store.database
        asked = database.run(lambda connection: connection.fetchval("select clock_timestamp()"))
        with suppress(DatabaseError):
            self.clock.set(await unless_it_hangs(asked, database.retry_for + HANGS, self._impatient))
            return True
        return False

    async def _to_spool(self, records: list[Record], since: Any, error: Exception) -> list[Record]:
        passing = is_passing(error)
        level = logging.WARNING if passing else logging.ERROR
        tell(log, level, "cannot store", table=records[0].table, records=len(records), why=error)
        if not passing:
            self._refused = self._refused or error
        elif not self._away:
            self._away = True
        written = await self._disk.write(records, since, WAITING, lose=False)
        if written:
            for record in written:
                assign(record, Outcome.SPOOLED)
            self._report.counts[Outcome.SPOOLED] += len(written)
        if written is not None:
            return written
        try:  # the last resort: the database once more, with all the time that there is
            self._away = False
            saved = await self._save(records)
        except Exception as last:  # noqa: BLE001
            self._disk.lose(records, last)
            return []
        return await self._sorted_out(records, saved, since)

    def _take_time(self, records: list[Record]) -> None:
        written = (Outcome.INSERTED, Outcome.REPLACED)
        times = [record.__dict__.get("modified") for record in records if record.outcome in written]
        if times and times[0] is not None:
            self.clock.set(max(filter(None, times)))

    def drain(self) -> None:
        """Store what is in the spool, while new records go on being made and stored."""
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self.drain_now())

    async def drain_now(self, budget: float = 0.0) -> None:
        """Store what is in the spool; if the database is away for so many seconds, the rest waits."""
        if not self._disk.spool.folder.is_dir():
            return
        report = ReplayReport()
        try:
            with retrying_for(budget):
                await unless_it_hangs(
                    replay(self._store, [self._disk.spool], into=report),
                    budget + HANGS,
                    self._impatient,
                    lambda: report.files,
                )
        except (AstraOutputsError, OSError) as error:
            self._away = self._away or is_passing(error)
            tell(log, logging.WARNING, "spool not drained", why=error)
        self._report.replayed.add(report)
