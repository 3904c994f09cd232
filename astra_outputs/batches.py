"""Cut a stream of records into batches in which every key occurs once."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Literal

from astra_outputs.errors import DuplicateKey, WrongRecordClass, shorten
from astra_outputs.records.base import Outcome, Record

Records = Iterable[Record] | AsyncIterable[Record]
Duplicates = Literal["error", "last"]


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
    by_key : dict[tuple[str, ...], dict[tuple, Record]]
        The records to store, by the names and the values of their natural key. With
        `duplicates="last"` the earlier one of two with the same key is not among them.
    """

    record_class: type[Record]
    start: int
    records: list[Record] = field(default_factory=list)
    by_key: dict[tuple[str, ...], dict[tuple[Any, ...], Record]] = field(default_factory=dict)

    def outcomes(self) -> list[Outcome]:
        """The outcome of each record, once stored; one that gave way to a later one is "kept"."""
        if sum(map(len, self.by_key.values())) < len(self.records):
            stored = {id(record) for records in self.by_key.values() for record in records.values()}
            for record in self.records:
                if id(record) not in stored:
                    record._stored(Outcome.KEPT)
        return [record.outcome or Outcome.KEPT for record in self.records]


class SeenKeys:
    """The keys that a call has stored, each with its position, to find one that comes again."""

    def __init__(self) -> None:
        self._positions: dict[tuple[Any, ...], int] = {}

    def add(self, names: tuple[str, ...], values: tuple[Any, ...], position: int) -> int | None:
        """Remember a key; returns the position at which it occurred before, if it did."""
        first = self._positions.setdefault((*names, *values), position)
        return None if first == position else first


async def batches(records: Records, size: int, duplicates: Duplicates) -> AsyncIterator[Batch]:
    """Yield the records in batches of at most `size`.

    Raises
    ------
    DuplicateKey
        If a key occurs twice and `duplicates` is "error".
    WrongRecordClass
        If something is not a record, or not of the class of the first one.
    """
    if size < 1:
        raise ValueError(f"batch_size must be at least 1, not {size}")
    if duplicates not in ("error", "last"):
        raise ValueError(f'duplicates must be "error" or "last", not {duplicates!r}')
    seen, batch = SeenKeys(), None
    position = 0
    async for record in _stream(records):
        if batch is None:
            batch = Batch(class_of(record, position), position)
        elif type(record) is not batch.record_class:
            raise WrongRecordClass(
                f"record {position} is a {type(record).__name__}, not a {batch.record_class.__name__}: "
                "save each class in a call of its own"
            )
        names, values = _key(record)
        if duplicates == "error":
            first = seen.add(names, values, position)
            if first is not None:
                raise DuplicateKey(record.table, dict(zip(names, values, strict=True)), (first, position))
        batch.records.append(record)
        batch.by_key.setdefault(names, {})[values] = record
        position += 1
        if len(batch.records) == size:
            yield batch
            batch = Batch(batch.record_class, position)
    if batch is not None and batch.records:
        yield batch


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


def _key(record: Record) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    if len(record.natural_keys) == 1:
        names = record.natural_keys[0]
        values = attrgetter(*names)(record) if len(names) > 1 else (getattr(record, names[0]),)
        if None not in values:
            return names, values
    key = record.key()
    return tuple(key), tuple(key.values())


async def _stream(records: Records) -> AsyncIterator[Record]:
    if isinstance(records, AsyncIterable):
        async for record in records:
            yield record
    elif isinstance(records, Iterable) and not isinstance(records, Record | str | bytes):
        for record in records:
            yield record
    else:
        raise TypeError(f"save_many takes an iterable of records, not {shorten(records)}; use save for one")
