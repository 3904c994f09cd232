"""`Shape`: where the values of a record class stand in a record's dictionary, and what of them is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from operator import itemgetter
from typing import Any

from astra_outputs.model.columns import Column
from astra_outputs.model.record import Record
from astra_outputs.saving.one_row import parameters_of


class Shape:
    """Where the values of a record class stand in its dictionary, and which of them a save sends."""

    def __init__(self, record_class: type[Record]) -> None:
        columns = record_class.columns()
        self.names = [column.name for column in columns if column.generated is None]
        """Every field, in the order declared, in which a record's dictionary has them."""
        self.names_once_saved = [*self.names, "outcome"]
        self.width = len(self.names)
        self.places = {name: place for place, name in enumerate(self.names)}
        self.pick: Callable[[dict[str, Any]], tuple[Any, ...]] = itemgetter(*self.names)
        written = [column for column in columns if column.written]
        self.sent = parameters_of(
            record_class.table, written, [self.places[column.name] for column in written]
        )
        self.changeable = [(one, self.places[one.name]) for one in written if one.type.parameter is not None]
        self.long = [place for place, one in enumerate(written) if not one.type.wire]
        """Where in what is sent values stand that differ in length."""
        self.texts = [one.name for one in written if one.type.sql == "text"]
        self.numbers: dict[str, dict[str, int]] = {}
        """By their binary form, the columns of numbers."""
        self.others: list[tuple[Column, int]] = []
        self._columns = {column.name: column for column in columns}
        for column in written:
            if column.type.wire and column.type.arrays:
                self.numbers.setdefault(column.type.wire, {})[column.name] = self.places[column.name]
            else:
                self.others.append((column, self.places[column.name]))

        self.runs = [
            (wire, slice(at, at + run.stop - run.start), run)
            for wire, places in self.numbers.items()
            for at, run in _runs(list(places.values()))
        ]
        """Neighbouring columns of one type: which, where in the array of that type, and where in a record."""
        self.numbered = {
            name: (wire, index) for wire, places in self.numbers.items() for index, name in enumerate(places)
        }
        """Where a column stands among the numbers of its type."""

    def is_number(self, name: str) -> bool:
        """Tell whether a column of a key holds whole numbers."""
        kind = self._columns[name].type
        return kind.dtype == "i8" and bool(kind.arrays)


@lru_cache(maxsize=1024)
def shape_of(record_class: type[Record]) -> Shape:
    """Return where the values of a record class stand."""
    return Shape(record_class)


def _runs(places: list[int]) -> Iterator[tuple[int, slice]]:
    """Yield neighbouring places as slices, which need no copy, each with the index of its first one."""
    first = 0
    for index in range(1, len(places) + 1):
        if index == len(places) or places[index] != places[index - 1] + 1:
            yield first, slice(places[first], places[index - 1] + 1)
            first = index
