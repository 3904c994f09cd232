"""Columns: what is sent for a batch, whether it came as records or as a table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from functools import cached_property, lru_cache
from operator import attrgetter, itemgetter
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from astra_outputs.errors import InvalidRecord, Problem
from astra_outputs.model.columns import Column
from astra_outputs.model.record import Record
from astra_outputs.model.version import major_minor
from astra_outputs.saving.cells import objects, packed
from astra_outputs.saving.encode import Encoder, Group, Numbers, group_of
from astra_outputs.saving.keys import Indexes, Keys
from astra_outputs.saving.one_row import parameters_of

SHORT = 1_000
"""Characters of a row's texts together that leave half a page of 8 KiB to all else, whatever their encoding."""

TOGETHER = 128
"""Records whose values are turned into numbers at once: they are still in the processor's cache."""

_values_of = attrgetter("__dict__")


class Columns(ABC):
    """The values of some rows, ready to be sent.

    Attributes
    ----------
    record_class : type[Record]
    """

    record_class: type[Record]
    go_at_once: ClassVar[bool]
    """Whether a few rows go without COPY, as `rows` gives them."""

    @property
    @abstractmethod
    def encoder(self) -> Encoder:
        """What encodes them for COPY."""

    @abstractmethod
    def values(self, name: str, rows: Indexes) -> list[Any]:
        """Return plain values of one column; None where one is missing."""

    @abstractmethod
    def rows(self, rows: Indexes) -> Iterable[tuple[Any, ...]]:
        """Return rows as tuples, in the order of the columns declared."""

    @property
    def texts_are_short(self) -> bool:
        """Whether the texts of each row fit into a page of the server's, with all else that it has."""
        return False


class RecordColumns(Columns):
    """The values of records as they were when they were read, in the order in which they came.

    Parameters
    ----------
    record_class : type[Record]
    """

    go_at_once: ClassVar[bool] = True

    def __init__(self, record_class: type[Record]) -> None:
        self.record_class = record_class
        self._shape = shape_of(record_class)
        # One list, since Python's garbage collector would look into a tuple for each record.
        self._flat: list[Any] = []
        self.refused: dict[int, InvalidRecord] = {}
        """Rows whose lists or JSON were changed since they were checked, to what their columns do not take."""

    def __len__(self) -> int:
        return len(self._flat) // self._shape.width

    def read(self, records: Iterable[Record]) -> None:
        """Take over the values of more records."""
        shape, flat = self._shape, self._flat
        start = len(flat)
        for values in map(_values_of, records):
            # A dictionary in the order of the columns needs no look-up of each: a sixth of the time.
            if list(values) == shape.names:
                flat += values.values()
            else:
                flat += shape.pick(values)
        for column, place in shape.changeable:
            self._take_copies(column, range(start + place, len(flat), shape.width))

    def _take_copies(self, column: Column, places: range) -> None:
        """Keep values that can be changed in place (lists, JSON) as they are now, if they still are valid."""
        for place in places:
            value = self._flat[place]
            try:
                self._flat[place] = None if value is None else column.type.convert(deepcopy(value))
            except ValueError as error:
                row, self._flat[place] = place // self._shape.width, None
                problem = Problem(column.name, value, str(error))
                self.refused[row] = InvalidRecord(self.record_class.table, (problem,))

    @cached_property
    def encoder(self) -> Encoder:
        """What encodes them for COPY."""
        groups: list[Group] = []
        for kind, places in self._shape.numbers.items():
            groups.append(self._numbers(kind, places))
        for column, place in self._shape.others:
            groups.append(group_of(column.name, column.type, packed(column.type, self._column(place))))
        return Encoder(groups)

    def _numbers(self, wire: str, places: dict[str, int]) -> Numbers:
        """Return columns of numbers of one type as one array."""
        dtype, width, length = np.dtype(wire).newbyteorder("="), self._shape.width, len(self)
        values = np.empty((length, len(places)), dtype)
        missing = None if dtype.kind == "f" else np.zeros(values.shape, bool)
        runs = _runs(list(places.values()))
        for start in range(0, length, TOGETHER):
            stop = min(start + TOGETHER, length)
            part = objects(self._flat[start * width : stop * width]).reshape(-1, width)
            at = 0
            for run in runs:
                count = run.stop - run.start
                into = np.s_[start:stop, at : at + count]
                if missing is None:
                    values[into] = part[:, run]  # None becomes NaN
                else:
                    values[into], missing[into] = _without_none(part[:, run])
                at += count
        return Numbers(
            tuple(places), wire, values, missing if missing is not None and missing.any() else None
        )

    def _column(self, place: int) -> list[Any]:
        return self._flat[place :: self._shape.width]

    def values(self, name: str, rows: Indexes) -> list[Any]:
        """Return plain values of one column; None where one is missing."""
        column = self._column(self._shape.places[name])
        return list(map(column.__getitem__, rows.tolist()))

    def rows(self, rows: Indexes) -> Iterator[tuple[Any, ...]]:
        """Return rows as tuples, each when it is asked for."""
        width, sent = self._shape.width, self._shape.sent
        for row in rows.tolist():
            yield sent(self._flat[row * width : (row + 1) * width])

    @property
    def texts_are_short(self) -> bool:
        """Whether the texts of each row fit into a page of the server's, with all else that it has."""
        texts = (self._column(place) for place in self._shape.texts)
        return sum(max(map(len, filter(None, set(text))), default=0) for text in texts) <= SHORT

    def keys(self, names: tuple[str, ...], rows: Indexes) -> Keys | None:
        """Return natural keys, or None where a value of one is missing."""
        columns = []
        for name in names:
            values = self.values("v_astra" if name == "v_astra_major_minor" else name, rows)
            if name == "v_astra_major_minor":
                values = list(map({version: major_minor(version) for version in set(values)}.get, values))
            if None in values:
                return None
            columns.append(np.array(values, np.int64 if self._shape.is_number(name) else object))
        return Keys(names, tuple(columns))

    def complete(self, names: tuple[str, ...], rows: Indexes) -> NDArray[np.bool_]:
        """Tell which rows have a value in each of these columns of a key."""
        there = np.ones(len(rows), bool)
        for name in names:
            if name != "v_astra_major_minor":
                there &= [value is not None for value in self.values(name, rows)]
        return there


class Shape:
    """Where the values of a record class stand in its dictionary, and which of them a save sends."""

    def __init__(self, record_class: type[Record]) -> None:
        columns = record_class.columns()
        self.names = [column.name for column in columns if column.generated is None]
        """Every field, in the order declared, in which a record's dictionary has them."""
        self.width = len(self.names)
        self.places = {name: place for place, name in enumerate(self.names)}
        self.pick: Callable[[dict[str, Any]], tuple[Any, ...]] = itemgetter(*self.names)
        written = [column for column in columns if column.written]
        self.sent = parameters_of(
            record_class.table, written, [self.places[column.name] for column in written]
        )
        self.changeable = [(one, self.places[one.name]) for one in written if one.type.parameter is not None]
        self.texts = [self.places[one.name] for one in written if one.type.sql == "text"]
        self.numbers: dict[str, dict[str, int]] = {}
        """By their binary form, the columns of numbers."""
        self.others: list[tuple[Column, int]] = []
        self._columns = {column.name: column for column in columns}
        for column in written:
            if column.type.wire and column.type.arrays:
                self.numbers.setdefault(column.type.wire, {})[column.name] = self.places[column.name]
            else:
                self.others.append((column, self.places[column.name]))

    def is_number(self, name: str) -> bool:
        """Tell whether a column of a key holds whole numbers."""
        return self._columns[name].type.dtype == "i8"


@lru_cache(maxsize=1024)
def shape_of(record_class: type[Record]) -> Shape:
    """Return where the values of a record class stand."""
    return Shape(record_class)


def _runs(places: list[int]) -> list[slice]:
    """Return neighbouring places as slices: those need no copy."""
    runs: list[slice] = []
    for place in places:
        if runs and runs[-1].stop == place:
            runs[-1] = slice(runs[-1].start, place + 1)
        else:
            runs.append(slice(place, place + 1))
    return runs


def _without_none(part: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    missing: NDArray[np.bool_] = part == np.array(None)
    return (np.where(missing, 0, part) if missing.any() else part), missing
