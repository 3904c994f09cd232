"""Save a table: all of it is checked, then stored in batches, on one connection or several."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np

from astra_outputs.errors import AstraOutputsError, DuplicateKey, UnknownReference
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.postgres.database import Connection, Database
from astra_outputs.postgres.sqlstates import is_about_rows
from astra_outputs.saving.report import KEPT, REJECTED, Rejected
from astra_outputs.saving.statements import statements
from astra_outputs.saving.store import Store
from astra_outputs.saving.stream import Options
from astra_outputs.tables.encode import Encoder
from astra_outputs.tables.merge import Blocks, Stored, store_rows
from astra_outputs.tables.order import Keys, Order, Places, in_order
from astra_outputs.tables.report import TableReport
from astra_outputs.tables.rows import TableRows, table_rows


async def save_table(
    store: Store,
    record_class: type[PipelineOutputMixin],
    table: Any,
    v_astra: Any,
    options: Options,
) -> TableReport:
    """Save a table; see `Outputs.save_table`."""
    _refuse_too_many(options, store.database)
    # Checking takes a while for a large table; other tasks go on meanwhile.
    rows = await asyncio.to_thread(table_rows, record_class, table, v_astra)
    rows.refuse(constants_only=options.on_error == "collect")
    await store.gate.check(record_class)
    return await _Saving(store, rows, options).run()


def _refuse_too_many(options: Options, database: Database) -> None:
    most = 1 if database.borrowed else database.connections
    if options.connections > most:
        raise ValueError(
            f"connections must be at most {most}, not {options.connections}: "
            "give `connect` as many, and no connection of your own"
        )


class _Saving:
    """One call of `save_table`."""

    def __init__(self, store: Store, rows: TableRows, options: Options) -> None:
        self._database, self._rows, self._reruns, self._options = store.database, rows, store.reruns, options
        self._keys = Keys(*rows.keys())
        self._v_astra = rows.columns["v_astra"].stored.spread(rows.length)
        self._encoder = Encoder(
            {name: (checked.column.type.sql, checked.stored) for name, checked in rows.columns.items()}
        )
        self._texts = statements(
            rows.record_class, store.schema, rows.record_class.natural_keys[0], options.guards
        )
        self._stored = Stored(rows.length)
        self._stored.codes[:] = REJECTED
        self._rejected: list[Rejected] = []
        self._count, self._failed = 0, False

    async def run(self) -> TableReport:
        order = await asyncio.to_thread(self._chosen)
        try:
            async with self._transaction():
                await self._save(order)
        except BaseException as error:
            count = 0 if self._options.atomic else self._count
            error.add_note(f"{count:,} rows of this table were stored")
            raise
        self._settle(order)
        report = TableReport()
        report.put(0, self._stored.codes.tobytes())
        report.task_pk = self._stored.task_pk
        report.created, report.modified = self._stored.created, self._stored.modified
        report.rejected = sorted(self._rejected, key=lambda rejected: rejected.position)
        return report

    def _chosen(self) -> Order:
        """Return the rows to store: not those that were refused, and one a key.

        Raises
        ------
        DuplicateKey
            If a key occurs twice, unless one of the two is to be kept or listed.
        """
        good = np.ones(self._rows.length, bool)
        for row, problems in self._rows.refused().items():
            good[row] = False
            without_key = any(problem.column in ("spectrum_pk", "v_astra") for problem in problems)
            self._reject(row, "; ".join(map(str, problems)), without_key=without_key)
        keep_last = self._options.duplicates == "last"
        order = in_order(self._keys, np.flatnonzero(good), keep_last=keep_last)
        if self._options.duplicates == "error" and len(order.again):
            self._refuse_again(order)
        return order

    def _refuse_again(self, order: Order) -> None:
        table = self._rows.record_class.table
        for place in np.argsort(order.again):
            first, row = int(order.instead[place]), int(order.again[place])
            error = DuplicateKey(table, self._keys.named(row), (first, row))
            if self._options.on_error == "raise":
                raise error
            self._reject(row, str(error))

    async def _save(self, order: Order) -> None:
        """Store the rows in as many lanes as there are connections, each with a range of keys of its own."""
        lanes = np.array_split(order.rows, self._options.connections)
        tasks = [asyncio.ensure_future(self._save_lane(rows)) for rows in lanes if len(rows)]
        if not tasks:
            return
        try:
            await asyncio.wait(tasks)
        finally:
            for task in tasks:
                task.cancel()  # if the call itself is cancelled; else all have ended
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _save_lane(self, rows: Places) -> None:
        """Store rows in batches; while the server merges one, the encoding of the next begins."""
        size = self._options.batch_size
        store = self._sift if self._options.on_error == "collect" else self._store
        blocks: Blocks | None = None
        try:
            for start in range(0, len(rows), size):
                if self._failed:  # the other lanes end with a whole batch
                    return
                ready, blocks = blocks, None
                if start + size < len(rows):
                    blocks = Blocks(self._encoder, rows[start + size : start + 2 * size])
                await store(rows[start : start + size], ready, blocks.begin if blocks else None)
        except BaseException:
            self._failed = True
            raise
        finally:
            if blocks is not None:
                blocks.end()

    async def _store(
        self, rows: Places, ready: Blocks | None = None, meanwhile: Callable[[], None] | None = None
    ) -> None:
        keys, v_astra = self._keys.take(rows), self._v_astra[rows]
        record_class, names = self._rows.record_class, self._encoder.names

        async def work(connection: Connection, again: bool) -> Stored:
            nonlocal ready
            # What was encoded beforehand is gone when the work is tried again.
            blocks, ready = ready or Blocks(self._encoder, rows), None
            return await store_rows(
                connection, self._texts, names, blocks, keys, v_astra, again=again, meanwhile=meanwhile
            )

        async def store(again: bool) -> Stored:
            return await self._database.run(
                lambda connection: work(connection, again), where=record_class.table
            )

        stored = await self._reruns.store(record_class, store)
        for name in ("codes", "task_pk", "created", "modified"):
            getattr(self._stored, name)[rows] = getattr(stored, name)
        self._count += len(rows)
        self._reruns.learn(record_class, stored.codes.tobytes())

    async def _sift(
        self, rows: Places, ready: Blocks | None = None, meanwhile: Callable[[], None] | None = None
    ) -> None:
        """Store every row that the database takes, and list the others."""
        try:
            await self._store(rows, ready, meanwhile)
        except AstraOutputsError as error:
            if not is_about_rows(error):
                raise
            orphans = await self._orphans(rows) if isinstance(error, UnknownReference) else {}
            if not orphans and len(rows) == 1:
                self._reject(int(rows[0]), str(error))
                return
        else:
            return
        for row, reason in orphans.items():
            self._reject(row, reason)
        # One bad row in n takes about log2(n) rounds to find, instead of n.
        rest = [rows[~np.isin(rows, list(orphans))]] if orphans else np.array_split(rows, 2)
        for part in rest:
            if len(part):
                await self._sift(part)

    async def _orphans(self, rows: Places) -> dict[int, str]:
        """Return the rows whose source or spectrum is not stored, each with the reason."""
        orphans: dict[int, str] = {}
        for name, query in self._texts.missing_references.items():
            cells = self._rows.columns[name].stored.spread(self._rows.length)[rows]
            wanted = np.unique(cells).tolist()
            missing = await self._database.run(
                lambda connection, query=query, wanted=wanted: connection.fetch(query, wanted),  # type: ignore[misc]
                where=self._rows.record_class.table,
            )
            table = self._rows.record_class.column(name).references
            given = self._rows.columns[name].stored.take(rows)
            lost = np.isin(cells, [row[0] for row in missing])
            if given.missing is not None:
                lost &= ~given.missing
            for place in np.flatnonzero(lost):
                reason = f"{name} = {cells[place]} is not in {table}: save the source or spectrum first"
                orphans[int(rows[place])] = reason
        return orphans

    def _reject(self, row: int, reason: str, *, without_key: bool = False) -> None:
        self._rejected.append(Rejected(row, {} if without_key else self._keys.named(row), reason))

    def _settle(self, order: Order) -> None:
        """Say of rows that gave way to a later one what became of that."""
        if self._options.duplicates == "error":
            return
        stored = self._stored
        lost = stored.codes[order.instead] == REJECTED
        for row, instead in zip(order.again[lost].tolist(), order.instead[lost].tolist(), strict=True):
            self._reject(row, f"gave way to row {instead}, which was refused")
        again, instead = order.again[~lost], order.instead[~lost]
        for values in (stored.task_pk, stored.created, stored.modified):
            values[again] = values[instead]
        stored.codes[again] = KEPT

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        """Hold one transaction open over all batches, if so wanted."""
        if not self._options.atomic:
            yield
            return
        async with self._database.transaction() as self._database:
            yield
