"""Columns: what is sent for a batch, whether it came as records or as a table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from copy import deepcopy
from functools import cached_property
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from astra_outputs.errors import InvalidRecord, Problem
from astra_outputs.model.columns import Column
from astra_outputs.model.record import Record
from astra_outputs.saving.cells import objects, packed
from astra_outputs.saving.encode import Encoder, Group, Numbers, group_of
from astra_outputs.saving.keys import Indexes, Keys
from astra_outputs.saving.shape import Shape, shape_of
from astra_outputs.saving.size import fits_a_message

SHORT = 1_000
"""Characters of a row's texts together that leave half a page of 8 KiB to all else, whatever their encoding."""

TOGETHER = 6_400
"""Values that are turned into numbers at once, while they are still in the processor's cache."""

MANY = 10_000
"""Values of a batch that will go by COPY, so that its numbers are needed."""

_values_of = attrgetter("__dict__")


class Columns(ABC):
    """The values of some rows, ready to be sent.

    Attributes
    ----------
    record_class : type[Record]
    """

    record_class: type[Record]
    go_at_once: bool
    """Whether a few rows go without COPY, as `rows` gives them."""
    fit_a_message = True
    """Whether the long values of a few rows may go together."""

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

    Few values stay as they are, to be sent row by row. Of many the numbers become arrays at once, while
    the processor still has them at hand: to come back to them later takes as long again.

    Parameters
    ----------
    record_class : type[Record]
    """

    def __init__(self, record_class: type[Record]) -> None:
        self.record_class = record_class
        self._shape = shape_of(record_class)
        # One list, since Python's garbage collector would look into a tuple for each record.
        self._flat: list[Any] = []
        self._kept = _Arrays(self._shape)
        self.go_at_once = True
        self.refused: dict[int, InvalidRecord] = {}
        """Rows whose lists or JSON were changed since they were checked, to what their columns do not take."""

    def __len__(self) -> int:
        return self._kept.length + len(self._flat) // self._shape.width

    def read(self, records: Iterable[Record]) -> None:
        """Take over the values of more records."""
        shape, flat = self._shape, self._flat
        start = len(flat)
        for values in map(_values_of, records):
            # A dictionary in the order of the columns needs no look-up of each: a sixth of the time.
            names = list(values)
            if names == shape.names:
                flat += values.values()
            elif names == shape.names_once_saved:
                flat += values.values()
                flat.pop()
            else:
                flat += shape.pick(values)
        for column, place in shape.changeable:
            self._take_copies(column, range(start + place, len(flat), shape.width))
        if len(flat) >= (MANY if self.go_at_once else TOGETHER):
            self.go_at_once = False
            self._kept.take(flat)

    def _take_copies(self, column: Column, places: range) -> None:
        """Keep values that can be changed in place (lists, JSON) as they are now, if they still are valid."""
        for place in places:
            value = self._flat[place]
            try:
                self._flat[place] = None if value is None else column.type.convert(deepcopy(value))
            except ValueError as error:
                row, self._flat[place] = self._kept.length + place // self._shape.width, None
                problem = Problem(column.name, value, str(error))
                self.refused[row] = InvalidRecord(self.record_class.table, (problem,))

    @cached_property
    def encoder(self) -> Encoder:
        """What encodes them for COPY."""
        arrays = self._kept
        if self.go_at_once:  # they may go row by row after all: where some are refused
            arrays = _Arrays(self._shape)
            arrays.take(self._flat.copy())
        elif self._flat:
            arrays.take(self._flat)
        return Encoder(arrays.groups())

    def values(self, name: str, rows: Indexes) -> list[Any]:
        """Return plain values of one column; None where one is missing."""
        column = self._column(name)
        whole = len(rows) == len(column) and bool((rows[1:] > rows[:-1]).all())
        return column if whole else list(map(column.__getitem__, rows.tolist()))

    def _column(self, name: str) -> list[Any]:
        pending = self._flat[self._shape.places[name] :: self._shape.width]
        return self._kept.column(name) + pending if self._kept.length else pending

    def rows(self, rows: Indexes) -> Iterator[tuple[Any, ...]]:
        """Return rows as tuples."""
        return map(self._sent.__getitem__, rows.tolist())

    @cached_property
    def _sent(self) -> list[tuple[Any, ...]]:
        """What goes without COPY, row by row."""
        width, sent, flat = self._shape.width, self._shape.sent, self._flat
        return [sent(flat[start : start + width]) for start in range(0, len(flat), width)]

    @cached_property
    def fit_a_message(self) -> bool:  # type: ignore[override]
        """Whether the long values of a few rows may go together."""
        return fits_a_message(row[place] for place in self._shape.long for row in self._sent)

    @property
    def texts_are_short(self) -> bool:
        """Whether the texts of each row fit into a page of the server's, with all else that it has."""
        texts = map(self._column, self._shape.texts)
        return sum(max(map(len, filter(None, set(text))), default=0) for text in texts) <= SHORT

    def keys(self, names: tuple[str, ...], rows: Indexes) -> Keys | None:
        """Return natural keys, or None where a value of one is missing."""
        columns = []
        for name in names:
            values = self.values("v_astra" if name == "v_astra_major_minor" else name, rows)
            if None in values:
                return None
            column = np.array(values, np.int64 if self._shape.is_number(name) else object)
            columns.append(column // 1_000 if name == "v_astra_major_minor" else column)
        return Keys(names, tuple(columns))

    def complete(self, names: tuple[str, ...], rows: Indexes) -> NDArray[np.bool_]:
        """Tell which rows have a value in each of these columns of a key."""
        there = np.ones(len(rows), bool)
        for name in names:
            if name != "v_astra_major_minor":
                there &= np.array([value is not None for value in self.values(name, rows)], bool)
        return there


class _Arrays:
    """The values of some records: numbers of one type as one array, each other column as a list.

    Attributes
    ----------
    length : int
        Number of records.
    """

    def __init__(self, shape: Shape) -> None:
        self.length, self._shape = 0, shape
        self._numbers = {
            wire: np.empty((0, len(places)), np.dtype(wire).newbyteorder("="))
            for wire, places in shape.numbers.items()
        }
        self._missing = {
            wire: np.zeros(array.shape, bool)
            for wire, array in self._numbers.items()
            if array.dtype.kind != "f"
        }
        self._others: dict[str, list[Any]] = {column.name: [] for column, _ in shape.others}

    def take(self, flat: list[Any]) -> None:
        """Take over values, one record after the other; the list is empty afterwards."""
        width = self._shape.width
        start, self.length = self.length, self.length + len(flat) // width
        self._make_room(self.length)
        step = max(1, TOGETHER // width)
        for first in range(start, self.length, step):
            rows = slice(first, min(first + step, self.length))
            some = flat[(first - start) * width : (rows.stop - start) * width]
            part = objects(some).reshape(-1, width)
            for wire, into, run in self._shape.runs:
                self._put(wire, rows, into, part[:, run])
        for column, place in self._shape.others:
            self._others[column.name] += flat[place::width]
        flat.clear()

    def _put(self, wire: str, rows: slice, into: slice, values: NDArray[Any]) -> None:
        array, missing = self._numbers[wire], self._missing.get(wire)
        try:
            array[rows, into] = values  # of a floating-point number None becomes NaN
        except TypeError:  # of an integer nothing
            gone = values == np.array(None)
            array[rows, into] = np.where(gone, 0, values)
            self._missing[wire][rows, into] = gone
        else:
            if missing is not None and array.dtype.kind == "b":  # None is as false as False
                missing[rows, into] = values == np.array(None)

    def _make_room(self, length: int) -> None:
        for arrays in (self._numbers, self._missing):
            for wire, array in arrays.items():
                if len(array) < length:
                    larger = np.zeros((max(length, 2 * len(array)), *array.shape[1:]), array.dtype)
                    larger[: len(array)] = array
                    arrays[wire] = larger

    def column(self, name: str) -> list[Any]:
        """Return plain values of one column; None where one is missing."""
        if name in self._others:
            return self._others[name]
        wire, index = self._shape.numbered[name]
        numbers = self._numbers[wire][: self.length, index]
        gone = self._missing[wire][: self.length, index] if wire in self._missing else np.isnan(numbers)
        values: list[Any] = numbers.tolist()
        if not gone.any():
            return values
        return [None if missing else value for value, missing in zip(values, gone.tolist(), strict=True)]

    def groups(self) -> list[Group]:
        """Return the columns as they are encoded."""
        groups: list[Group] = []
        for wire, places in self._shape.numbers.items():
            gone = self._missing.get(wire)
            missing = gone[: self.length] if gone is not None and gone.any() else None
            groups.append(Numbers(tuple(places), wire, self._numbers[wire][: self.length], missing))
        for column, _ in self._shape.others:
            groups.append(group_of(column.name, column.type, packed(column.type, self._others[column.name])))
        return groups
