"""`Lanes`: stores the batches of one call, one after the other or several at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from astra_outputs.errors import AstraOutputsError, DatabaseError, MaybeStored
from astra_outputs.saving.bad_rows import Faults, faults, sift, spectra_of
from astra_outputs.saving.batch import Batch, Done
from astra_outputs.saving.options import SaveOptions
from astra_outputs.saving.own_source import refuse_other_source
from astra_outputs.saving.returned import Part, Stored
from astra_outputs.saving.same_star import recognised
from astra_outputs.saving.statements import Statements, statements
from astra_outputs.saving.store import Store
from astra_outputs.saving.traits import Traits
from astra_outputs.saving.transfer import store_parts

SLOW = 0.005
"""Seconds. A stream whose rows take longer is not read ahead: there is little to gain, and a batch
under way would wait for it with its rows locked."""

GRACE = 0.5
"""Seconds that batches under way have to end well when the call is cancelled."""


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


class Lanes:
    """One call that saves many rows, from records or from a table.

    Parameters
    ----------
    store : Store
    options : SaveOptions
    settle : Callable
        Told of each batch when its rows are stored for certain.
    what_was_stored : Callable
        Says which rows are stored, given the positions of the batches that are, where the call ends with an error.

    Raises
    ------
    ValueError
        If there are not as many connections.
    """

    def __init__(
        self,
        store: Store,
        options: SaveOptions,
        settle: Callable[[Done], None],
        what_was_stored: Callable[[list[range]], str],
    ) -> None:
        options.check(store.database)
        self._store, self._options, self._settle = store, options, settle
        self._what_was_stored = what_was_stored
        self._database = store.database
        self._at_work = ServerAtWork()
        self._under_way: dict[asyncio.Task[Done], Batch] = {}
        self._unsettled: list[Done] = []
        self._done: list[range] = []

    async def run(self, batches: AsyncIterator[Batch]) -> None:
        """Store every batch; a note on any error says what is stored all the same."""
        try:
            async with self._transaction():
                try:
                    await self._save(batches)
                finally:
                    await self._wind_up()
        except BaseException as error:
            if self._options.atomic:
                self._done.clear()
            if not isinstance(error, MaybeStored):  # which says itself that nobody knows
                error.add_note(self._what_was_stored(self._done))
            raise
        self._settle_all()

    async def turn(self, elapsed: float) -> None:
        """Let batches under way go first: the next one is read while the server is at work.

        Parameters
        ----------
        elapsed : float
            Seconds that the last slice of reading took.
        """
        await asyncio.sleep(0)
        self._collect()
        while self._under_way and (elapsed > SLOW or not self._at_work.batches):
            self._at_work.changed.clear()
            await self._at_work.changed.wait()
            self._collect()
        if not self._options.atomic:
            self._settle_all()

    async def _save(self, batches: AsyncIterator[Batch]) -> None:
        async for batch in batches:
            await self._store.gate.check(batch.record_class, self._database)
            while not self._may_start(batch):
                await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
                self._collect()
            task = asyncio.create_task(self._store_batch(batch))
            task.add_done_callback(lambda _: self._at_work.changed.set())
            self._under_way[task] = batch
            # A table's batches come without a turn of reading between.
            if len(self._unsettled) > self._options.connections and not self._options.atomic:
                self._settle_all()
        while self._under_way:
            await asyncio.wait(self._under_way)
            self._collect()

    def _may_start(self, batch: Batch) -> bool:
        lanes = 1 if batch.seen_rows else self._options.connections
        if len(self._under_way) >= lanes:
            return False
        if self._options.duplicates == "error":
            return True
        # The later one of two rows with the same key must be stored later, too.
        return not any(
            family in other.numbers and not numbers.isdisjoint(other.numbers[family])
            for other in self._under_way.values()
            for family, numbers in batch.numbers.items()
        )

    def _collect(self) -> None:
        """Take note of the batches that have ended, and raise the error of one that ended badly."""
        for task in [task for task in self._under_way if task.done()]:
            del self._under_way[task]
            self._take(task.result())

    def _take(self, done: Done) -> None:
        self._done.append(done.batch.positions)
        self._unsettled.append(done)

    def _settle_all(self) -> None:
        for done in self._unsettled:
            self._settle(done)
        self._unsettled.clear()

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
                        self._take(done)
        if not self._options.atomic:
            self._settle_all()

    async def _store_batch(self, batch: Batch) -> Done:
        """Store one batch: in one transaction, or in several where some of its rows are refused."""
        if self._options.on_error == "raise":
            return Done(batch, await self._store_parts(batch, batch.parts), [])
        stored, rejected = [], list(batch.rejected)
        for part in batch.parts:

            async def store(some: Part) -> Stored:
                return (await self._store_parts(batch, [some]))[0]

            async def find_faults(some: Part, error: AstraOutputsError) -> Faults:
                traits = await self._store.gate.check(batch.record_class, self._database)
                return await faults(self._database, self._statements(batch, some, traits), some, error)

            more, refused = await sift(part, batch.start, store, find_faults)
            stored += more
            rejected += refused
        return Done(batch, stored, rejected)

    async def _store_parts(self, batch: Batch, parts: list[Part]) -> list[Stored]:
        return await self._store.gate.store(
            batch.record_class, lambda traits: self._store_as(batch, traits, parts), self._database
        )

    async def _store_as(self, batch: Batch, traits: Traits, parts: list[Part]) -> list[Stored]:
        """Store parts of a batch by statements for such a table."""
        texts = [(self._statements(batch, part, traits), part) for part in parts]
        seen = batch.seen_rows if self._options.duplicates == "error" else None
        check = None if seen is None else lambda stored: seen.refuse_again(stored, batch.start)

        async def work(rerun: bool) -> list[Stored]:
            return await self._database.run(
                lambda connection: store_parts(connection, texts, check, self._at_work, rerun=rerun),
                where=batch.record_class.table,
            )

        try:
            stored = await self._store.reruns.store(batch.record_class, work)
        except DatabaseError as error:
            collecting = self._options.on_error == "collect"
            for one, part in () if collecting else texts:
                if one.fills_source:
                    await refuse_other_source(self._database, one, *spectra_of(part), error)
            records = [record for part in parts for record in batch.records_of(part)]
            if not await recognised(self._database, records, error, one_by_one=collecting):
                raise
            stored = await self._store.reruns.store(batch.record_class, work)
        self._store.reruns.learn(batch.record_class, b"".join(one.codes for one in stored))
        if seen is not None:
            seen.add(stored, batch.positions)
        return stored

    def _statements(self, batch: Batch, part: Part, traits: Traits) -> Statements:
        # Where tables have to be made anew, what alters them would fill the catalog.
        short = self._database.direct and part.columns.texts_are_short
        schema, guards = self._database.schema, self._options.guards
        return statements(
            batch.record_class, schema, part.keys.names, guards, traits, given=part.given, short_texts=short
        )

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        """Hold one transaction open over all batches, if so wanted."""
        if not self._options.atomic:
            yield
            return
        async with self._store.database.transaction() as self._database:
            yield
