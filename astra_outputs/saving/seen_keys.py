"""Which keys a call has stored, in a few bits a key, to find one that comes again."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

from pyroaring import BitMap64

from astra_outputs.model.column_types import BIGINT, INTEGER
from astra_outputs.model.record import Record

Numbers = dict[Hashable, BitMap64]
"""Keys as sets of numbers: the first column of each, by the values of the others."""

MOST_SPANS = 512
"""Where a key occurred is known to one in so many parts of the call, or better."""

_UNSIGNED = 2**64 - 1


class Span(NamedTuple):
    """The numbers between two others that some batches had, and where their records stand."""

    lowest: int
    highest: int
    positions: range
    batches: int


class SeenKeys:
    """The keys of every batch so far.

    A set of numbers costs next to nothing where they follow one another, and three bits a key where
    every third occurs (measured: 0.38 MB for 10^6), so that a call may be as long as it likes. In
    exchange the place where a key occurred before is known to the batch only, in long calls less well.
    """

    def __init__(self) -> None:
        self._numbers: Numbers = {}
        self._spans: dict[Hashable, list[Span]] = {}
        self._batches_a_span = 1

    def again(self, numbers: Numbers) -> list[tuple[Hashable, int]]:
        """Return the keys among these that occurred in an earlier batch."""
        return [
            (family, number)
            for family, found in numbers.items()
            if family in self._numbers and not found.isdisjoint(self._numbers[family])
            for number in found & self._numbers[family]
        ]

    def add(self, numbers: Numbers, positions: range) -> None:
        """Remember the keys of one batch."""
        for family, found in numbers.items():
            if not found:
                continue
            self._numbers.setdefault(family, BitMap64()).update(found)
            spans = self._spans.setdefault(family, [])
            span = Span(found[0], found[len(found) - 1], positions, 1)
            if spans and spans[-1].batches < self._batches_a_span:
                span = _joined([spans.pop(), span])
            spans.append(span)
            if len(spans) > MOST_SPANS:
                spans[:] = [_joined(spans[place : place + 2]) for place in range(0, len(spans), 2)]
                self._batches_a_span *= 2

    def where(self, family: Hashable, number: int) -> range:
        """Return the positions among which a key occurred before."""
        spans = [span for span in self._spans[family] if span.lowest <= number <= span.highest]
        return _joined(spans).positions


def has_number_keys(record_class: type[Record]) -> bool:
    """Tell whether records are stored by one natural key, all of it whole numbers.

    Keys of other kinds (texts, or several to choose from) are told apart by the primary keys of their
    rows, once these are stored.
    """
    names, *others = record_class.natural_keys
    return not others and all(record_class.column(name).type in (BIGINT, INTEGER) for name in names)


def numbers_of(columns: Sequence[Sequence[Any]]) -> Numbers:
    """Return natural keys, one sequence a column, as sets of numbers."""
    numbers, *others = columns
    if all(len(set(column)) == 1 for column in others):
        return {tuple(column[0] for column in others): bitmap(numbers)}
    families: dict[Hashable, list[int]] = {}
    for number, *family in zip(*columns, strict=True):
        families.setdefault(tuple(family), []).append(number)
    return {family: bitmap(found) for family, found in families.items()}


def bitmap(numbers: Sequence[int]) -> BitMap64:
    """Return a set of numbers; negative ones count from 2^64 downwards."""
    if numbers and min(numbers) < 0:
        numbers = [number & _UNSIGNED for number in numbers]
    return BitMap64(numbers)


def unsigned(number: int) -> int:
    """Return the number under which a key stands in a set."""
    return number & _UNSIGNED


def _joined(spans: Sequence[Span]) -> Span:
    lowest, highest, positions, batches = zip(*spans, strict=True)
    return Span(min(lowest), max(highest), range(positions[0].start, positions[-1].stop), sum(batches))
