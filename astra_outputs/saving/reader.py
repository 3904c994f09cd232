"""`Reader`: cuts a stream of records into batches in which every key occurs once, sorted by key."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from time import perf_counter

import numpy as np

from astra_outputs.errors import DuplicateKey, InvalidRecord, WrongRecordClass, shorten
from astra_outputs.model.record import Record
from astra_outputs.saving.batch import Batch
from astra_outputs.saving.columns import RecordColumns
from astra_outputs.saving.keys import Indexes, Keys, in_order
from astra_outputs.saving.one_row import class_of
from astra_outputs.saving.options import SaveOptions
from astra_outputs.saving.report import Rejected
from astra_outputs.saving.returned import Part
from astra_outputs.saving.seen_keys import SeenKeys, has_number_keys, numbers_of, unsigned
from astra_outputs.saving.seen_rows import SeenRows

Records = Iterable[Record] | AsyncIterable[Record]

SLICE = 0.0005
"""Seconds of reading after which other work gets a turn; a record that takes longer is a slice."""

AT_ONCE = 64
"""Records that are there already are read so many at once: a microsecond less for each (measured)."""


class RecordBatch(Batch):
    """A batch of records.

    Attributes
    ----------
    records : list[Record]
        In the order given.
    columns : RecordColumns
        Their values, as they were when they were read.
    """

    def __init__(self, record_class: type[Record], start: int) -> None:
        super().__init__(record_class, start, 0)
        self.records: list[Record] = []
        self.given: list[frozenset[str]] = []
        """Of each record the columns that it was given, where others are to stay as they are."""
        self.columns = RecordColumns(record_class)

    def read(self, records: list[Record], *, only_given: bool) -> None:
        """Take over more records."""
        self.records += records
        if only_given:
            self.given += [frozenset(record.model_fields_set) for record in records]
        self.columns.read(records)
        self.count += len(records)

    def records_of(self, part: Part) -> list[Record]:
        """Return the records of some rows."""
        return [self.records[row] for row in part.rows.tolist()]


class Reader:
    """Reads a stream of records into batches.

    Parameters
    ----------
    options : SaveOptions
    turn : Callable
        Awaited before each slice of reading but the first, with the seconds that the last one took: other work goes
        on meanwhile.
    """

    def __init__(self, options: SaveOptions, turn: Callable[[float], Awaitable[None]]) -> None:
        self._size, self._turn = options.batch_size, turn
        self._duplicates, self._on_error = options.duplicates, options.on_error
        self._only_given = options.only_given
        self._seen, self._seen_rows = SeenKeys(), SeenRows()
        self._record_class: type[Record] | None = None
        self._position = 0

    async def batches(self, records: Records) -> AsyncIterator[RecordBatch]:
        """Yield the records in batches.

        Raises
        ------
        DuplicateKey
            If a key occurs twice and `duplicates` is "error".
        InvalidRecord
            If a record has no key.
        WrongRecordClass
            If something is not a record, or not of the class of the first one.
        """
        source, more, elapsed = _iterator(records), True, 0.0
        # Others make a record when it is asked for, and may make the next one of the same object.
        at_once = AT_ONCE if isinstance(records, list | tuple) else 1
        batch: RecordBatch | None = None
        while more:
            if self._position:
                await self._turn(elapsed)
            started = perf_counter()
            batch, more = await self._read_on(source, at_once, batch)
            elapsed = perf_counter() - started
            if isinstance(records, Sequence) and self._position == len(records):
                more = False
            if batch is not None and (batch.count == self._size or not more):
                self._cut(batch)
                yield batch
                batch = None

    async def _read_on(
        self, source: Iterator[Record] | AsyncIterator[Record], at_once: int, batch: RecordBatch | None
    ) -> tuple[RecordBatch | None, bool]:
        """Read for one slice of time; returns the batch and whether there may be more to come."""
        wanted = self._size - (batch.count if batch else 0)
        until = perf_counter() + SLICE
        if isinstance(source, AsyncIterator):
            async for record in source:
                batch = self._add([record], batch)
                wanted -= 1
                if not wanted or perf_counter() > until:
                    return batch, True
            return batch, False
        while wanted and (records := list(islice(source, min(at_once, wanted)))):
            batch = self._add(records, batch)
            wanted -= len(records)
            if perf_counter() > until:
                return batch, True
        return batch, not wanted

    def _add(self, records: list[Record], batch: RecordBatch | None) -> RecordBatch:
        if set(map(type, records)) != {self._record_class}:
            self._meet(records)
        if batch is None:
            batch = RecordBatch(type(records[0]), self._position)
        batch.read(records, only_given=self._only_given)
        self._position += len(records)
        return batch

    def _meet(self, records: list[Record]) -> None:
        """Accept the class of the first record, and refuse any other."""
        if self._record_class is None:
            self._record_class = class_of(records[0], self._position)
            self._number_keys = has_number_keys(self._record_class)
        for position, record in enumerate(records, start=self._position):
            if type(record) is not self._record_class:
                raise WrongRecordClass(
                    f"record {position} is a {type(record).__name__}, not a {self._record_class.__name__}: "
                    "save each class in a call of its own"
                )

    def _cut(self, batch: RecordBatch) -> None:
        """Fill in what is to be stored: the rows of each natural key, one a key and in order."""
        if not self._number_keys:
            batch.seen_rows = self._seen_rows
        found = self._by_natural_key(batch)
        if self._duplicates == "last" and not self._number_keys:
            found = _without_overtaken(batch, found)
        for keys, rows in found:
            order = in_order(keys, np.arange(len(rows)), keep_last=self._duplicates == "last")
            for index in np.argsort(order.left_out).tolist():
                left_out, instead = int(order.left_out[index]), int(order.instead[index])
                if self._duplicates == "last":
                    batch.left_out[batch.start + int(rows[left_out])] = batch.start + int(rows[instead])
                else:
                    self._refuse(batch, keys, rows, left_out, batch.start + int(rows[instead]))
            part = Part(batch.columns, rows[order.rows], keys.take(order.rows))
            if self._number_keys:
                part = self._without_seen(batch, part)
            batch.parts += _by_columns_given(batch, part) if len(part) else ()

    def _by_natural_key(self, batch: RecordBatch) -> Iterator[tuple[Keys, Indexes]]:
        """Yield the rows for each natural key that they are stored by, with these keys."""
        left = np.arange(batch.count)
        if batch.columns.refused:
            left = left[~np.isin(left, list(batch.columns.refused))]
            for row, error in batch.columns.refused.items():
                self._refuse_row(batch, row, error)
        for names in batch.record_class.natural_keys:
            rows = left
            keys = batch.columns.keys(names, rows)
            if keys is None:
                rows = left[batch.columns.complete(names, left)]
                keys = batch.columns.keys(names, rows)
            if keys is not None and len(rows):
                yield keys, rows
            left = left[~np.isin(left, rows)] if len(rows) < len(left) else left[:0]
            if not len(left):
                return
        for row in left.tolist():
            self._refuse_row(batch, row, batch.record_class.without_key())

    def _refuse_row(self, batch: RecordBatch, row: int, error: InvalidRecord) -> None:
        if self._on_error == "raise":
            raise error
        batch.rejected.append(Rejected(batch.start + row, {}, str(error)))

    def _without_seen(self, batch: RecordBatch, part: Part) -> Part:
        """Refuse keys that an earlier batch had, and remember the others."""
        columns = [column.tolist() for column in part.keys.columns]
        batch.numbers = numbers_of(columns)
        if self._duplicates == "last":
            return part
        seen = set(self._seen.again(batch.numbers))
        if seen:
            kept = []
            for index, (number, *family) in enumerate(zip(*columns, strict=True)):
                key = (tuple(family), unsigned(number))
                if key in seen:
                    self._refuse(batch, part.keys, part.rows, index, self._seen.where(*key))
                else:
                    kept.append(index)
            part = part.take(np.array(kept, np.intp))
            batch.numbers = numbers_of([column.tolist() for column in part.keys.columns])
        self._seen.add(batch.numbers, batch.positions)
        return part

    def _refuse(
        self, batch: RecordBatch, keys: Keys, rows: Indexes, index: int, earlier: int | range
    ) -> None:
        """Refuse one row whose key occurs a second time."""
        key, position = keys.named(index), batch.start + int(rows[index])
        error = DuplicateKey(batch.record_class.table, key, (earlier, position))
        if self._on_error == "raise":
            raise error
        batch.rejected.append(Rejected(position, key, str(error)))


def _without_overtaken(
    batch: RecordBatch, found: Iterator[tuple[Keys, Indexes]]
) -> Iterator[tuple[Keys, Indexes]]:
    """Leave out rows whose key a later row has, too, that is stored before them by a better one."""
    before = np.arange(0)
    for keys, rows in found:
        others = np.sort(before[batch.columns.complete(keys.names, before)])
        theirs = batch.columns.keys(keys.names, others)
        assert theirs is not None  # noqa: S101 (no value is missing in complete ones)
        last = dict(zip(zip(*theirs.columns, strict=True), others.tolist(), strict=True))
        instead = np.array([last.get(key, -1) for key in zip(*keys.columns, strict=True)] if last else -1)
        overtaken = np.broadcast_to(instead > rows, len(rows))
        for row in np.flatnonzero(overtaken).tolist():
            later = batch.start + int(instead[row])
            batch.left_out[batch.start + int(rows[row])] = batch.left_out.get(later, later)
        yield keys.take(np.flatnonzero(~overtaken)), rows[~overtaken]
        before = np.concatenate((before, rows))


def _by_columns_given(batch: RecordBatch, part: Part) -> Iterator[Part]:
    """Yield the rows that were given the same columns, where others are to stay as they are."""
    if not batch.given:
        yield part
        return
    given = [batch.given[row] for row in part.rows.tolist()]
    for columns in dict.fromkeys(given):
        same = np.array([one == columns for one in given])
        yield replace(part.take(np.flatnonzero(same)), given=columns)


def _iterator(records: object) -> Iterator[Record] | AsyncIterator[Record]:
    if isinstance(records, AsyncIterable):
        return aiter(records)
    if not isinstance(records, Record) and isinstance(records, Iterable):  # a record is one, of its columns
        return iter(records)
    raise TypeError(f"save_many takes an iterable of records, not {shorten(records)}; use save for one")
