"""Save a table: all of it is checked, put in the order of its keys, and stored in batches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from functools import cached_property
from typing import Any

import numpy as np

from astra_outputs.errors import DuplicateKey
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.saving.batch import Batch, Done
from astra_outputs.saving.columns import Columns
from astra_outputs.saving.encode import Encoder, groups_of
from astra_outputs.saving.keys import Indexes, Order, in_order
from astra_outputs.saving.lanes import Lanes
from astra_outputs.saving.options import SaveOptions
from astra_outputs.saving.report import KEPT, REJECTED, Rejected
from astra_outputs.saving.returned import Part
from astra_outputs.saving.store import Store
from astra_outputs.tables.report import TableReport
from astra_outputs.tables.rows import TableRows, table_rows

UNIX = np.datetime64("1970-01-01", "us")


async def save_table(
    store: Store,
    record_class: type[PipelineOutputMixin],
    table: Any,
    v_astra: Any,
    options: SaveOptions,
) -> TableReport:
    """Save a table; see `Outputs.save_table`."""
    options.check(store.database)
    # Checking takes a while for a large table; other tasks go on meanwhile.
    rows = await asyncio.to_thread(table_rows, record_class, table, v_astra)
    rows.refuse(constants_only=options.on_error == "collect")
    await store.gate.check(record_class)
    return await _Saving(store, rows, options).run()


class TableColumns(Columns):
    """The checked columns of a table."""

    go_at_once = False

    def __init__(self, table: TableRows) -> None:
        self.record_class, self._table = table.record_class, table

    @cached_property
    def encoder(self) -> Encoder:
        """What encodes them for COPY."""
        checked = self._table.columns.items()
        return Encoder(groups_of([(name, one.column.type, one.stored) for name, one in checked]))

    def values(self, name: str, rows: Indexes) -> list[Any]:
        """Return plain values of one column of numbers; None where one is missing."""
        cells = self._table.columns[name].stored
        values: list[Any] = cells.spread(self._table.length)[rows].tolist()
        if cells.missing is None:
            return values
        missing = np.broadcast_to(cells.missing, self._table.length)[rows].tolist()
        return [None if gone else value for value, gone in zip(values, missing, strict=True)]

    def rows(self, rows: Indexes) -> Iterable[tuple[Any, ...]]:
        """Return nothing: a table goes by COPY, whatever its size."""
        raise NotImplementedError


class _Saving:
    """One call of `save_table`."""

    def __init__(self, store: Store, table: TableRows, options: SaveOptions) -> None:
        self._store, self._table, self._options = store, table, options
        self._columns, self._keys = TableColumns(table), table.keys()
        self._report = TableReport.of(table.length)
        self._codes = np.full(table.length, REJECTED, np.uint8)

    async def run(self) -> TableReport:
        order = await asyncio.to_thread(self._chosen)
        await Lanes(self._store, self._options, self._settle, _what_was_stored).run(self._batches(order.rows))
        self._give_way(order)
        report = self._report
        report.put(0, self._codes.tobytes())
        report.rejected.sort(key=lambda rejected: rejected.position)
        return report

    def _chosen(self) -> Order:
        """Return the rows to store: not those that were refused, and one a key.

        Raises
        ------
        DuplicateKey
            If a key occurs twice, unless one of the two is to be kept or listed.
        """
        good = np.ones(self._table.length, bool)
        for row, problems in self._table.refused().items():
            good[row] = False
            without_key = any(problem.column in ("spectrum_pk", "v_astra") for problem in problems)
            self._reject(row, "; ".join(map(str, problems)), without_key=without_key)
        order = in_order(self._keys, np.flatnonzero(good), keep_last=self._options.duplicates == "last")
        if self._options.duplicates == "error":
            for index in np.argsort(order.left_out):
                first, row = int(order.instead[index]), int(order.left_out[index])
                error = DuplicateKey(self._table.record_class.table, self._keys.named(row), (first, row))
                if self._options.on_error == "raise":
                    raise error
                self._reject(row, str(error))
        return order

    async def _batches(self, rows: Indexes) -> AsyncIterator[Batch]:
        given = self._table.given if self._options.only_given else None
        for start in range(0, len(rows), self._options.batch_size):
            some = rows[start : start + self._options.batch_size]
            part = Part(self._columns, some, self._keys.take(some), given)
            yield Batch(self._table.record_class, 0, len(some), [part])

    def _settle(self, done: Done) -> None:
        report = self._report
        for stored in done.stored:
            rows = stored.part.rows
            self._codes[rows] = np.frombuffer(stored.codes, np.uint8)
            report.task_pk[rows] = stored.columns["task_pk"]
            # A schema without the survey's `spectrum` keeps what the table says.
            sources = stored.columns.get("source_pk") or self._columns.values("source_pk", rows)
            report.source_pk[rows] = [source or 0 for source in sources]
            for name, times in (("created", report.created), ("modified", report.modified)):
                microseconds = np.rint(np.array(stored.columns[name], np.float64) * 1e6)
                times[rows] = UNIX + microseconds.astype("timedelta64[us]")
        report.rejected += done.rejected

    def _give_way(self, order: Order) -> None:
        """Say of rows that gave way to a later one what became of that."""
        if self._options.duplicates == "error":
            return
        lost = self._codes[order.instead] == REJECTED
        for row, instead in zip(order.left_out[lost].tolist(), order.instead[lost].tolist(), strict=True):
            self._reject(row, f"gave way to row {instead}, which was refused")
        left_out, instead = order.left_out[~lost], order.instead[~lost]
        for values in (
            self._report.task_pk,
            self._report.source_pk,
            self._report.created,
            self._report.modified,
        ):
            values[left_out] = values[instead]
        self._codes[left_out] = KEPT

    def _reject(self, row: int, reason: str, *, without_key: bool = False) -> None:
        key = {} if without_key else self._keys.named(row)
        self._report.rejected.append(Rejected(row, key, reason))


def _what_was_stored(done: list[range]) -> str:
    return f"{sum(map(len, done)):,} rows of this table were stored"
