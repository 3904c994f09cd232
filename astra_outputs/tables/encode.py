"""PostgreSQL's binary COPY format from NumPy arrays, and back, without a Python object a value.

A row of the format is the number of its columns (two bytes), then for each column the length of its
value (four bytes, -1 for NULL) and the value, big-endian; the PostgreSQL documentation of COPY describes
it under "Binary Format". Columns of one type are sent side by side, so that a block of rows is filled as
one rectangle a type, as if nothing were NULL. One masked copy then leaves out the bytes that are not
sent: those of missing values, and what lies behind the end of a short text.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from astra_outputs.errors import DatabaseError
from astra_outputs.model.column_type import type_of
from astra_outputs.model.column_types import TYPES
from astra_outputs.tables.cells import Cells, Flagged, Values

HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
TRAILER = struct.pack("!h", -1)

BLOCK = 1 << 20
"""Bytes in one block of rows: what fits a processor's cache is filled fastest."""

WIRE = {kind.sql: kind.wire for kind in map(type_of, TYPES.values()) if kind.wire}
"""Types of one width, as they are sent. Every other value is sent as the bytes that it is given as."""

NOTHING = "NULL"
_WIRES = frozenset(WIRE.values())

Rows = slice | NDArray[np.intp]


class Encoder:
    """Encodes the rows of some columns.

    Parameters
    ----------
    columns : mapping of str to (str, Cells)
        PostgreSQL type and values of each column, by name.

    Attributes
    ----------
    names : tuple[str, ...]
        The columns in the order in which they are sent.
    """

    def __init__(self, columns: Mapping[str, tuple[str, Cells]]) -> None:
        groups: dict[str, list[str]] = {}
        for name, (sql, cells) in columns.items():
            never = cells.constant and _missing(cells) is not None
            groups.setdefault(NOTHING if never else WIRE.get(sql, name), []).append(name)
        self.names = tuple(name for names in groups.values() for name in names)
        self._groups = [(kind, [columns[name][1] for name in names]) for kind, names in groups.items()]

    def blocks(self, rows: Rows, length: int) -> Iterator[memoryview]:
        """Yield rows in blocks, which go between `HEADER` and `TRAILER`.

        Parameters
        ----------
        rows : slice or ndarray of int
            Which rows, in which order.
        length : int
            How many rows those are.
        """
        groups = [(kind, [cells.take(rows) for cells in group]) for kind, group in self._groups]
        step = max(1, BLOCK // (2 + 12 * len(self.names)))
        for start in range(0, length, step):
            yield from _blocks(groups, start, min(start + step, length))


class _Rectangle(ABC):
    """Columns of one type in one block of rows.

    Attributes
    ----------
    columns : int
    width : int
        Bytes of a row, if nothing is left out.
    partial : bool
        Whether some of the bytes are not sent.
    """

    columns: int
    width: int
    partial: bool

    @abstractmethod
    def fill(self, block: Values) -> None:
        """Write lengths and values, as bytes, one line a row."""

    @abstractmethod
    def keep(self, kept: Values) -> None:
        """Write zeros for the bytes that are not sent, over the ones that are there."""


class _Fixed(_Rectangle):
    """Columns whose values have one width."""

    def __init__(self, wire: np.dtype[Any], group: Sequence[Cells], rows: slice) -> None:
        self.values = np.empty((rows.stop - rows.start, len(group)), wire.newbyteorder("="))
        # A masked place may hold a number that no real holds, and a NaN may be one that signals.
        with np.errstate(over="ignore", invalid="ignore"):
            for place, cells in enumerate(group):
                values = cells.values if cells.constant else cells.values[rows]
                # As in Python, an integer becomes a double before it becomes a real.
                twice = wire.kind == "f" and values.dtype.kind in "iu"
                self.values[:, place] = values.astype(np.float64) if twice else values
        self.missing = np.isnan(self.values) if wire.kind == "f" else np.zeros(self.values.shape, bool)
        for place, cells in enumerate(group):
            if cells.missing is not None:
                self.missing[:, place] |= cells.missing if cells.constant else cells.missing[rows]
        self.wire, self.columns, self.partial = wire, len(group), bool(self.missing.any())
        self.width = self.columns * (4 + wire.itemsize)

    def fill(self, block: Values) -> None:
        pairs = block.view([("length", ">i4"), ("value", self.wire)])
        size = np.int32(self.wire.itemsize)
        pairs["length"] = np.where(self.missing, np.int32(-1), size) if self.partial else size
        pairs["value"] = self.values

    def keep(self, kept: Values) -> None:
        size = self.wire.itemsize
        pairs = kept.view([("length", "u4"), ("value", f"u{size}")])
        ones = np.frombuffer(b"\1" * size, f"u{size}")
        pairs["value"] = np.where(self.missing, ones.dtype.type(0), ones)


class _Nothing(_Rectangle):
    """Columns in which every value is missing."""

    def __init__(self, group: Sequence[Cells]) -> None:
        self.columns, self.width, self.partial = len(group), 4 * len(group), False

    def fill(self, block: Values) -> None:
        block[:] = 0xFF  # -1, the length of NULL

    def keep(self, kept: Values) -> None:
        """All that there is is sent."""


class _Varying(_Rectangle):
    """One column whose values differ in length, each padded to the longest."""

    def __init__(self, cells: Cells, length: int) -> None:
        values, missing = cells.values, _missing(cells)
        if values.dtype.kind == "S":
            lengths = np.char.str_len(values)
        else:
            lengths = np.fromiter(map(len, values), np.int64, len(values))
        lengths = lengths if missing is None else np.where(missing, -1, lengths)
        longest = max(0, int(lengths.max(initial=0)))
        self.lengths, self.longest = np.broadcast_to(lengths, length), longest
        self.values, self.missing = values, missing
        self.columns, self.width, self.partial = 1, 4 + longest, bool((lengths < longest).any())

    def fill(self, block: Values) -> None:
        block[:, :4].view(">i4")[:, 0] = self.lengths
        if self.longest:
            block[:, 4:] = self._padded()

    def _padded(self) -> Values:
        values, longest = self.values, self.longest
        if values.dtype.kind == "S":
            return np.ascontiguousarray(values.astype(f"S{longest}")).view(np.uint8).reshape(-1, longest)
        padded = np.zeros((len(values), longest), np.uint8)
        sent = values if self.missing is None else values[~self.missing]
        inside = np.arange(longest) < self.lengths[: len(values), None]
        padded[inside] = np.frombuffer(b"".join(sent), np.uint8)
        return padded

    def keep(self, kept: Values) -> None:
        kept[:, 4:] = np.arange(self.longest) < self.lengths[:, None]


_Groups = Sequence[tuple[str, Sequence[Cells]]]


def _blocks(groups: _Groups, start: int, stop: int) -> Iterator[memoryview]:
    """Encode some rows; in parts where a long text would make the block too large."""
    length = stop - start
    rows = slice(start, stop)
    rectangles = [_rectangle(kind, group, rows) for kind, group in groups]
    width = 2 + sum(rectangle.width for rectangle in rectangles)
    if length > 1 and length * width > 4 * BLOCK:
        middle = (start + stop) // 2
        yield from _blocks(groups, start, middle)
        yield from _blocks(groups, middle, stop)
    else:
        yield _block(rectangles, length, width)


def _rectangle(kind: str, group: Sequence[Cells], rows: slice) -> _Rectangle:
    if kind == NOTHING:
        return _Nothing(group)
    if kind in _WIRES:
        return _Fixed(np.dtype(kind), group, rows)
    return _Varying(group[0].take(rows), rows.stop - rows.start)


def _block(rectangles: Sequence[_Rectangle], length: int, width: int) -> memoryview:
    block = np.empty((length, width), np.uint8)
    block[:, :2].view(">i2")[:] = sum(rectangle.columns for rectangle in rectangles)
    kept = np.ones_like(block) if any(rectangle.partial for rectangle in rectangles) else None
    start = 2
    for rectangle in rectangles:
        place = slice(start, start + rectangle.width)
        rectangle.fill(block[:, place])
        if kept is not None and rectangle.partial:
            rectangle.keep(kept[:, place])
        start = place.stop
    sent = block.reshape(-1) if kept is None else block[kept.view(bool)]
    return sent.data


def _missing(cells: Cells) -> Flagged | None:
    missing = cells.missing
    if cells.values.dtype.kind == "f":
        nan = np.isnan(cells.values)
        missing = nan if missing is None else missing | nan
    return missing if missing is not None and missing.any() else None


def decoded(data: bytes, names: Sequence[str], types: Sequence[str]) -> Values:
    """Return rows in binary COPY format as a structured array, one field a column.

    Raises
    ------
    DatabaseError
        If a row holds a NULL or a value of another type.
    """
    layout = [("columns", ">i2")]
    for name, sql in zip(names, types, strict=True):
        layout += [(f"length of {name}", ">i4"), (name, WIRE[sql])]
    width = np.dtype(layout).itemsize
    count, rest = divmod(len(data) - len(HEADER) - len(TRAILER), width)
    rows = np.frombuffer(data, np.dtype(layout), max(count, 0), len(HEADER)) if rest == 0 else None
    sizes = {name: np.dtype(WIRE[sql]).itemsize for name, sql in zip(names, types, strict=True)}
    if rows is None or any((rows[f"length of {name}"] != size).any() for name, size in sizes.items()):
        raise DatabaseError(f"the server returned rows that are not {', '.join(names)}, all of them NOT NULL")
    return rows
