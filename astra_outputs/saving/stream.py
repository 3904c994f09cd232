"""Save a stream of records: one batch is read while the server stores another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from astra_outputs.errors import DuplicateKey
from astra_outputs.model.record import Outcome, assign
from astra_outputs.saving.bad_rows import Missing, missing_references, sift
from astra_outputs.saving.batches import Batch, Duplicates, OnError, Reader, Records
from astra_outputs.saving.report import KEPT, REJECTED, Rejected, SaveReport
from astra_outputs.saving.rows import Rows
from astra_outputs.saving.seen_keys import SeenKeys, bitmap, unsigned
from astra_outputs.saving.statements import Guards, Statements, statements
from astra_outputs.saving.store import Store
from astra_outputs.saving.writing import Stored, save_rows

SLOW = 0.005
"""Seconds. A stream whose records take longer is not read ahead: there is little to gain, and a batch
under way would wait for it with its rows locked."""

GRACE = 0.5
"""Seconds that batches under way have to end well when the call is cancelled."""


@dataclass(frozen=True)
class Options:
    """How to save a stream of records; see `Outputs.save_many`.

    Raises
    ------
    ValueError
        If an option makes no sense.
    """

    batch_size: int = 2_000
    atomic: bool = False
    duplicates: Duplicates = "error"
    on_error: OnError = "raise"
    connections: int = 1
    guards: Guards = field(default_factory=Guards)

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {self.batch_size}")
        if self.connections < 1:
            raise ValueError(f"connections must be at least 1, not {self.connections}")
        if self.duplicates not in ("error", "last"):
            raise ValueError(f'duplicates must be "error" or "last", not {self.duplicates!r}')
        if self.on_error not in ("raise", "collect"):
            raise ValueError(f'on_error must be "raise" or "collect", not {self.on_error!r}')
        if self.atomic and self.connections > 1:
            raise ValueError("connections must be 1 with atomic=True: a transaction has one connection")


class ServerAtWork:
    """Entered while the server stores rows and this side has time for something else."""

    def __init__(self) -> None:
        self.batches = 0
        self.changed = asyncio.Event()

    def __enter__(self) -> None:
        self.batches += 1
        self.changed.set()

    def __exit__(self, *_: object) -> None:
        self.batches -= 1


@dataclass
class Done:
    """A batch whose transaction has ended well."""

    batch: Batch
    stored: list[Stored]
    rejected: list[Rejected]


class Saving:
    """One call of `save_many`."""

    def __init__(self, store: Store, options: Options) -> None:
        database = store.database
        if options.connections > database.connections or (options.connections > 1 and database.borrowed):
            most = 1 if database.borrowed else database.connections
            raise ValueError(
                f"connections must be at most {most}, not {options.connections}: "
                "give `connect` as many, and no connection of your own"
            )
        self._database, self._gate, self._reruns, self._options = database, store.gate, store.reruns, options
        self._reader = Reader(options.batch_size, options.duplicates, options.on_error, self._turn)
        self._at_work = ServerAtWork()
        self._under_way: dict[asyncio.Task[Done], Batch] = {}
        self._untold: list[Done] = []
        self._seen_rows = SeenKeys()
        self._report = SaveReport()
        self._ranges: list[range] = []

    async def run(self, records: Records) -> SaveReport:
        """Save the records."""
        try:
            async with self._transaction():
                try:
                    await self._save(records)
                finally:
                    await self._wind_up()
        except BaseException as error:
            if self._options.atomic:
                self._ranges.clear()
            error.add_note(self._what_was_stored())
            raise
        self._tell()
        self._report.rejected.sort(key=lambda rejected: rejected.position)
        return self._report

    async def _save(self, records: Records) -> None:
        checked = False
        async for batch in self._reader.batches(records):
            if not checked:
                await self._gate.check(batch.record_class, self._database)
                checked = True
            while not self._may_start(batch):
                await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
                self._collect()
            task = asyncio.create_task(self._store(batch))
            task.add_done_callback(lambda _: self._at_work.changed.set())
            self._under_way[task] = batch
        while self._under_way:
            await asyncio.wait(self._under_way)
            self._collect()

    def _may_start(self, batch: Batch) -> bool:
        # Where rows are told apart by what the database returns, batches go one after the other.
        lanes = self._options.connections if batch.numbers else 1
        if len(self._under_way) >= lanes:
            return False
        if self._options.duplicates == "error":
            return True
        # The later one of two records with the same key must be stored later, too.
        return not any(
            family in other.numbers and not numbers.isdisjoint(other.numbers[family])
            for other in self._under_way.values()
            for family, numbers in batch.numbers.items()
        )

    async def _turn(self, elapsed: float) -> None:
        """Let batches under way go first: the next one is read while the server is at work."""
        await asyncio.sleep(0)
        self._collect()
        while self._under_way and (elapsed > SLOW or not self._at_work.batches):
            self._at_work.changed.clear()
            await self._at_work.changed.wait()
            self._collect()
        if not self._options.atomic:
            self._tell()

    def _collect(self) -> None:
        """Take note of the batches that have ended, and raise the error of one that ended badly."""
        for task in [task for task in self._under_way if task.done()]:
            del self._under_way[task]
            done = task.result()
            self._ranges.append(done.batch.positions)
            self._untold.append(done)

    def _tell(self) -> None:
        """Tell the records of stored batches their outcome, and the report."""
        for done in self._untold:
            _tell(done, self._report)
        self._untold.clear()

    async def _wind_up(self) -> None:
        """Let the batches under way end, if only for a moment, and leave none running."""
        if self._under_way:
            try:
                await asyncio.wait(self._under_way, timeout=GRACE)
            finally:
                for task in self._under_way:
                    task.cancel()
                # Here, since the wait before may be cancelled as well.
                results = await asyncio.gather(*self._under_way, return_exceptions=True)
                self._under_way.clear()
                for done in results:
                    if isinstance(done, Done):
                        self._ranges.append(done.batch.positions)
                        self._untold.append(done)
        if not self._options.atomic:
            self._tell()

    async def _store(self, batch: Batch) -> Done:
        """Store one batch: in one transaction, or in several where some of its rows are refused."""
        if self._options.on_error == "raise":
            return Done(batch, await self._store_rows(batch, batch.rows), [])
        stored, rejected = [], list(batch.rejected)
        for rows in batch.rows:
            more, refused = await sift(
                rows, lambda part: self._store_part(batch, part), lambda part: self._missing(batch, part)
            )
            stored += more
            rejected += refused
        return Done(batch, stored, rejected)

    async def _store_part(self, batch: Batch, rows: Rows) -> Stored:
        return (await self._store_rows(batch, [rows]))[0]

    async def _store_rows(self, batch: Batch, parts: list[Rows]) -> list[Stored]:
        texts = [(self._statements(batch, rows), rows) for rows in parts]
        told_apart_by_row = self._options.duplicates == "error" and not batch.numbers

        def check(stored: list[Stored]) -> None:
            if told_apart_by_row:
                self._refuse_rows_seen(batch, stored)

        last = check if told_apart_by_row else None

        async def store(again: bool) -> list[Stored]:
            return await self._database.run(
                lambda connection: save_rows(connection, texts, last, self._at_work, again=again),
                where=batch.record_class.table,
            )

        stored = await self._reruns.store(batch.record_class, store)
        self._reruns.learn(batch.record_class, b"".join(part.outcomes for part in stored))
        if told_apart_by_row:
            self._seen_rows.add({(): bitmap(_primary_keys(stored))}, batch.positions)
        return stored

    def _refuse_rows_seen(self, batch: Batch, stored: list[Stored]) -> None:
        """Refuse to store a row that this call has stored before, under whatever key."""
        numbers = bitmap(_primary_keys(stored))
        seen: dict[int, int | range] = {
            number: self._seen_rows.where(family, number)
            for family, number in self._seen_rows.again({(): numbers})
        }
        if not seen and len(numbers) == sum(len(part.rows.records) for part in stored):
            return
        for part in stored:
            for place, key in enumerate(_primary_keys([part])):
                earlier = seen.setdefault(unsigned(key), part.rows.positions[place])
                if earlier != part.rows.positions[place]:
                    positions = (earlier, part.rows.positions[place])
                    raise DuplicateKey(batch.record_class.table, part.rows.key_of(place), positions)

    async def _missing(self, batch: Batch, rows: Rows) -> Missing:
        texts = self._statements(batch, rows)
        return await self._database.run(
            lambda connection: missing_references(connection, texts, rows), where=batch.record_class.table
        )

    def _statements(self, batch: Batch, rows: Rows) -> Statements:
        # Where tables have to be made anew, what alters them would fill the catalog.
        short = self._database.direct and rows.texts_are_short
        return statements(
            batch.record_class, self._database.schema, rows.key, self._options.guards, short_texts=short
        )

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        """Hold one transaction open over all batches, if so wanted."""
        if not self._options.atomic:
            yield
            return
        outside = self._database
        async with outside.transaction() as self._database:
            yield

    def _what_was_stored(self) -> str:
        """Say which records are stored where not all of them are."""
        count = sum(map(len, self._ranges))
        ends: list[list[int]] = []
        for positions in sorted(self._ranges, key=lambda positions: positions.start):
            if ends and ends[-1][1] == positions.start:
                ends[-1][1] = positions.stop
            else:
                ends.append([positions.start, positions.stop])
        where = ", ".join(f"{start} to {stop - 1}" for start, stop in ends)
        return f"{count:,} records of this call were stored" + (f": {where}" if where else "")


def _primary_keys(stored: list[Stored]) -> list[int]:
    return [key for part in stored for key in part.columns[part.rows.records[0].primary_key]]


def _tell(done: Done, report: SaveReport) -> None:
    """Tell the records of one batch, and the report, what happened to them."""
    batch = done.batch
    outcomes = bytearray([REJECTED]) * len(batch.records)
    for part in done.stored:
        part.tell()
        if part.rows.positions == batch.positions:
            outcomes[:] = part.outcomes
        else:
            for position, code in zip(part.rows.positions, part.outcomes, strict=True):
                outcomes[position - batch.start] = code
    keys = {rejected.position: rejected.key for rejected in done.rejected}
    for rejected in done.rejected:
        assign(batch.records[rejected.position - batch.start], Outcome.REJECTED)
    for earlier in reversed(batch.superseded):
        later = batch.superseded[earlier] - batch.start
        record, place = batch.records[earlier - batch.start], earlier - batch.start
        if outcomes[later] == REJECTED:
            reason = f"gave way to record {batch.start + later}, which was refused"
            done.rejected.append(Rejected(earlier, keys[batch.superseded[earlier]], reason))
            assign(record, Outcome.REJECTED)
        else:
            outcomes[place] = KEPT
            names = done.stored[0].columns
            assign(record, Outcome.KEPT, **{name: batch.records[later].__dict__[name] for name in names})
    report.put(batch.start, outcomes)
    report.rejected += done.rejected
