"""Cut a stream of records into batches in which every key occurs once, sorted by key."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter
from time import perf_counter
from typing import Any, Literal

from astra_outputs.errors import DuplicateKey, WrongRecordClass, shorten
from astra_outputs.model.record import Record
from astra_outputs.saving.report import Rejected
from astra_outputs.saving.rows import Rows, keys_sent, row_of
from astra_outputs.saving.seen_keys import Numbers, SeenKeys, has_number_keys, numbers_of, unsigned

Records = Iterable[Record] | AsyncIterable[Record]
Duplicates = Literal["error", "last"]
OnError = Literal["raise", "collect"]

SLICE = 0.0005
"""Seconds of reading after which other work gets a turn; a record that takes longer is a slice."""

AT_ONCE = 64
"""Records that are there already are read so many at once: a microsecond less for each (measured)."""

_columns_of = attrgetter("__dict__")


@dataclass
class Batch:
    """The next records of a stream.

    Attributes
    ----------
    record_class : type[Record]
    start : int
        Position of the first record in the stream, counted from 0.
    records : list[Record]
        In the order given.
    values : list
        What is sent for them, one after the other.
    rows : list[Rows]
        What to store: one entry for each natural key by which some of the records are found again.
    numbers : Numbers
        The keys as sets of numbers, where they are numbers.
    superseded : dict[int, int]
        Positions of records that give way to a later one with the same key, and the later one's.
    rejected : list[Rejected]
        Records that cannot be stored, with `on_error="collect"`.
    """

    record_class: type[Record]
    start: int
    records: list[Record] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    rows: list[Rows] = field(default_factory=list)
    numbers: Numbers = field(default_factory=dict)
    superseded: dict[int, int] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)

    @property
    def positions(self) -> range:
        """Where the records stand in the stream."""
        return range(self.start, self.start + len(self.records))


class Reader:
    """Reads a stream of records into batches.

    Parameters
    ----------
    size : int
        Most records in a batch.
    duplicates : {"error", "last"}
    on_error : {"raise", "collect"}
    turn : Callable
        Awaited before each slice of reading but the first, with the seconds that the last one took: other work goes
        on meanwhile.
    """

    def __init__(
        self, size: int, duplicates: Duplicates, on_error: OnError, turn: Callable[[float], Awaitable[None]]
    ) -> None:
        self._size, self._duplicates, self._on_error, self._turn = size, duplicates, on_error, turn
        self._seen = SeenKeys()
        self._record_class: type[Record] | None = None
        self._position = 0

    async def batches(self, records: Records) -> AsyncIterator[Batch]:
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
        batch: Batch | None = None
        while more:
            if self._position:
                await self._turn(elapsed)
            started = perf_counter()
            batch, more = await self._read_on(source, at_once, batch)
            elapsed = perf_counter() - started
            if isinstance(records, Sequence) and self._position == len(records):
                more = False
            if batch is not None and (len(batch.records) == self._size or not more):
                yield self._sorted(batch)
                batch = None

    async def _read_on(
        self, source: Iterator[Record] | AsyncIterator[Record], at_once: int, batch: Batch | None
    ) -> tuple[Batch | None, bool]:
        """Read for one slice of time; returns the batch and whether there may be more to come."""
        wanted = self._size - (len(batch.records) if batch else 0)
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

    def _add(self, records: list[Record], batch: Batch | None) -> Batch:
        if set(map(type, records)) != {self._record_class}:
            self._meet(records)
        if batch is None:
            batch = Batch(type(records[0]), self._position)
        batch.records += records
        send = batch.values.extend
        for values in map(self._row_of, map(_columns_of, records)):
            send(values)
        self._position += len(records)
        return batch

    def _meet(self, records: list[Record]) -> None:
        """Accept the class of the first record, and refuse any other."""
        if self._record_class is None:
            self._record_class = class_of(records[0], self._position)
            self._row_of = row_of(self._record_class)
            self._number_keys = has_number_keys(self._record_class)
        for position, record in enumerate(records, start=self._position):
            if type(record) is not self._record_class:
                raise WrongRecordClass(
                    f"record {position} is a {type(record).__name__}, not a {self._record_class.__name__}: "
                    "save each class in a call of its own"
                )

    def _sorted(self, batch: Batch) -> Batch:
        """Fill in what is to be stored."""
        for group in self._by_natural_key(batch):
            rows = self._without_twins(batch, group)
            if self._number_keys:
                rows = self._without_seen(batch, rows)
            keys = rows.keys
            if sorted(keys) != keys:
                rows = rows.pick(sorted(range(len(keys)), key=keys.__getitem__))
            if keys:
                batch.rows.append(rows)
        return batch

    def _by_natural_key(self, batch: Batch) -> list[Rows]:
        """Return the records for each natural key that they are stored by."""
        groups: list[Rows] = []
        left: Sequence[int] = range(len(batch.records))
        for names in batch.record_class.natural_keys:
            columns = keys_sent(batch.record_class, names, batch.values)
            rows = Rows(names, columns, batch.records, batch.positions, batch.values)
            complete: Sequence[int] = left
            if any(None in column for column in columns):
                complete = [place for place in left if all(column[place] is not None for column in columns)]
            if len(complete) == len(batch.records):
                return [rows]
            if complete:
                groups.append(rows.pick(complete))
            left = sorted(set(left).difference(complete))
        for place in left:
            error = batch.record_class.without_key()
            if self._on_error == "raise":
                raise error
            batch.rejected.append(Rejected(batch.start + place, {}, str(error)))
        return groups

    def _without_twins(self, batch: Batch, rows: Rows) -> Rows:
        """Leave one row where a key occurs twice in the batch, or refuse it."""
        keys = rows.keys
        if len(set(keys)) == len(keys):
            return rows
        kept: dict[Any, int] = {}
        for place, key in enumerate(keys):
            earlier = kept.get(key)
            if earlier is not None and self._duplicates == "error":
                self._refuse(batch, rows, place, rows.positions[earlier])
                continue
            if earlier is not None:
                batch.superseded[rows.positions[earlier]] = rows.positions[place]
            kept[key] = place
        return rows.pick(list(kept.values()))

    def _without_seen(self, batch: Batch, rows: Rows) -> Rows:
        """Refuse keys that an earlier batch had, and remember the others."""
        batch.numbers = numbers_of(rows.columns)
        if self._duplicates == "last":
            return rows
        again = set(self._seen.again(batch.numbers))
        if again:
            kept = []
            for place, (number, *family) in enumerate(zip(*rows.columns, strict=True)):
                key = (tuple(family), unsigned(number))
                if key in again:
                    self._refuse(batch, rows, place, self._seen.where(*key))
                else:
                    kept.append(place)
            rows = rows.pick(kept)
            batch.numbers = numbers_of(rows.columns)
        self._seen.add(batch.numbers, batch.positions)
        return rows

    def _refuse(self, batch: Batch, rows: Rows, place: int, earlier: int | range) -> None:
        """Refuse one row whose key occurs a second time."""
        key, position = rows.key_of(place), rows.positions[place]
        error = DuplicateKey(batch.record_class.table, key, (earlier, position))
        if self._on_error == "raise":
            raise error
        batch.rejected.append(Rejected(position, key, str(error)))


def class_of(record: object, position: int | None = None) -> type[Record]:
    """Return the class of a record.

    Raises
    ------
    WrongRecordClass
        If it is not a record, or its table can only be written through another one.
    """
    if not isinstance(record, Record):
        where = "" if position is None else f"record {position}: "
        raise WrongRecordClass(f"{where}{shorten(record)} is not a record but a {type(record).__name__}")
    if not record.natural_keys:
        raise WrongRecordClass(
            f"a {type(record).__name__} has no natural key to be stored by; "
            "rows of `spectrum` are made by saving a spectrum of one of its kinds"
        )
    return type(record)


def _iterator(records: object) -> Iterator[Record] | AsyncIterator[Record]:
    if isinstance(records, AsyncIterable):
        return aiter(records)
    if not isinstance(records, Record) and isinstance(records, Iterable):  # a record is one, of its columns
        return iter(records)
    raise TypeError(f"save_many takes an iterable of records, not {shorten(records)}; use save for one")
