"""How differences are distributed: counted in bins by the server, for the columns that differ in most spectra."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any

from astra_outputs.compare.measures import Counted, difference
from astra_outputs.compare.sides import is_float
from astra_outputs.model.columns import Column

MOST = 12
"""Columns of a comparison that are counted in bins."""

FEWEST, MANY = 11, 41
"""Fewest and most bins of a column; an odd number has one in the middle."""

EDGES = (0.05, 0.95)
"""Shares of the differences between which bins are certain to reach."""

ROOM = 0.6
"""How far they reach beyond, at most, as a share of what lies between."""


@dataclass(frozen=True)
class Histogram:
    """How many spectra differ by how much in one column, of those that differ.

    Attributes
    ----------
    low, high : float
        Where bins begin and end; all have the same width.
    counts : tuple of int
        Spectra in each bin.
    below, above : int
        Spectra that differ by less than `low`, and by `high` or more.
    """

    low: float
    high: float
    counts: tuple[int, ...]
    below: int
    above: int


@dataclass(frozen=True)
class Bins:
    """The bins of one column.

    Attributes
    ----------
    column : Column
    low, high : float
    number : int
    """

    column: Column
    low: float
    high: float
    number: int

    @classmethod
    def of(cls, counted: Counted, usual: Sequence[float]) -> Bins:
        """Return bins from and to where differences usually lie; whole numbers have bins of their own."""
        low, high = usual
        room = ROOM * (high - low)
        low, high = max(counted.least or 0.0, low - room), min(counted.greatest or 0.0, high + room)
        if not is_float(counted.column) and high - low < MANY:
            low, high = round(low) - 0.5, round(high) + 0.5
            return cls(counted.column, low, high, round(high - low))
        margin = 0.02 * (high - low) or 0.1 * abs(high) or 1.0
        number = min(max(isqrt(counted.changed), FEWEST), MANY)
        return cls(counted.column, low - margin, high + margin, number | 1)

    def counted(self, found: dict[int, int]) -> Histogram:
        """Return what is in the bins; the server numbers them from one."""
        counts = tuple(found.get(place + 1, 0) for place in range(self.number))
        return Histogram(self.low, self.high, counts, found.get(0, 0), found.get(self.number + 1, 0))


def shown(counted: Iterable[Counted]) -> list[Counted]:
    """Return those columns of numbers that differ in most spectra."""
    moved = [one for one in counted if one.changed and one.least is not None]
    return sorted(moved, key=lambda one: one.changed, reverse=True)[:MOST]


def usual(column: Column) -> str:
    """Return between what most differences lie, of those that are not zero."""
    low, high = EDGES
    return f"percentile_cont(array[{low}, {high}]) within group (order by {_moved(column)})"


def places(bins: Sequence[Bins], first: int) -> tuple[str, list[float]]:
    """Return the bin of each column as rows, with parameters numbered from `first` + 1, and their values."""
    rows: list[str] = []
    values: list[float] = []
    for place, one in enumerate(bins):
        low, high = (f"${first + len(values) + n}::double precision" for n in (1, 2))
        rows.append(f"({place}, width_bucket({_moved(one.column)}, {low}, {high}, {one.number}))")
        values += [one.low, one.high]
    return f"values {', '.join(rows)}", values


def histograms(bins: Sequence[Bins], rows: Iterable[Sequence[Any]]) -> dict[str, Histogram]:
    """Return the histograms of columns by name, of rows with a column's place, a bin and a count."""
    found: list[dict[int, int]] = [{} for _ in bins]
    for place, number, count in rows:
        found[place][number] = count
    return {one.column.name: one.counted(counts) for one, counts in zip(bins, found, strict=True)}


def _moved(column: Column) -> str:
    return f"nullif({difference(column)}, 0)"
