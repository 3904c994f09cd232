"""PostgreSQL's binary COPY format from NumPy arrays, without a Python object a value.

A row of the format is the number of its columns (two bytes), then for each column the length of its
value (four bytes, -1 for NULL) and the value, big-endian; the PostgreSQL documentation of COPY describes
it under "Binary Format". Columns of one type are sent side by side, so that a block of rows is filled as
one rectangle a type, as if nothing were NULL. One masked copy then leaves out the bytes that are not
sent: those of missing values, and what lies behind the end of a short text.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from astra_outputs.model.column_type import ColumnType
from astra_outputs.saving.cells import Cells, Flagged, Values
from astra_outputs.saving.size import ROW, TooLarge

HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
TRAILER = struct.pack("!h", -1)

BLOCK = 1 << 19
"""Bytes in one block of rows: what fits a processor's cache is filled fastest."""

Rows = slice | NDArray[np.intp]


@dataclass(frozen=True)
class Numbers:
    """Columns of one binary form that lie side by side in one array.

    Attributes
    ----------
    names : tuple[str, ...]
    wire : str
        The NumPy type of the binary form.
    values : ndarray
        One line a row, one place a column; NaN is missing.
    missing : ndarray of bool, optional
        Where another value is missing.
    """

    names: tuple[str, ...]
    wire: str
    values: Values
    missing: Flagged | None = None

    def rectangle(self, rows: Rows) -> _Rectangle:
        """Return some rows as a part of a block."""
        return _Fixed(self.wire, self.values[rows], None if self.missing is None else self.missing[rows])


@dataclass(frozen=True)
class Separate:
    """Columns of one binary form, each an array of its own.

    Attributes
    ----------
    names : tuple[str, ...]
    wire : str
    cells : tuple[Cells, ...]
    """

    names: tuple[str, ...]
    wire: str
    cells: tuple[Cells, ...]

    def rectangle(self, rows: Rows) -> _Rectangle:
        """Return some rows as a part of a block."""
        taken = [one.take(rows) for one in self.cells]
        length = rows.stop - rows.start if isinstance(rows, slice) else len(rows)
        dtype = np.dtype(self.wire).newbyteorder("=")
        values = np.empty((length, len(taken)), dtype)
        missing = None if dtype.kind == "f" else np.zeros(values.shape, bool)
        # A masked place may hold a number that no real holds, and a NaN may be one that signals.
        with np.errstate(over="ignore", invalid="ignore"):
            for index, one in enumerate(taken):
                # As in Python, an integer becomes a double before it becomes a real.
                twice = dtype.kind == "f" and one.values.dtype.kind in "iu"
                values[:, index] = one.values.astype(np.float64) if twice else one.values
                if one.missing is not None and missing is None:
                    values[np.broadcast_to(one.missing, length), index] = np.nan
                elif one.missing is not None and missing is not None:
                    missing[:, index] = one.missing
        return _Fixed(self.wire, values, missing)


@dataclass(frozen=True)
class Single:
    """One column whose values differ in length, or are all missing.

    Attributes
    ----------
    names : tuple[str]
    cells : Cells
    """

    names: tuple[str, ...]
    cells: Cells

    def rectangle(self, rows: Rows) -> _Rectangle:
        """Return some rows as a part of a block."""
        length = rows.stop - rows.start if isinstance(rows, slice) else len(rows)
        if self.cells.constant and self.cells.gone is not None:
            return _Nothing()
        return _Varying(self.cells.take(rows), length)


Group = Numbers | Separate | Single


def group_of(name: str, kind: ColumnType, cells: Cells) -> Group:
    """Return the group of a single column."""
    if kind.wire and not (cells.constant and cells.gone is not None):
        return Separate((name,), kind.wire, (cells,))
    return Single((name,), cells)


def groups_of(columns: Sequence[tuple[str, ColumnType, Cells]]) -> list[Group]:
    """Return columns grouped by their binary form."""
    separate: dict[str, list[tuple[str, Cells]]] = {}
    groups: list[Group] = []
    for name, kind, cells in columns:
        group = group_of(name, kind, cells)
        if isinstance(group, Separate):
            separate.setdefault(kind.wire, []).append((name, cells))
        else:
            groups.append(group)
    for wire, members in separate.items():
        names, cells_of_all = zip(*members, strict=True)
        groups.append(Separate(names, wire, cells_of_all))
    return groups


class Encoder:
    """Encodes the rows of some columns.

    Parameters
    ----------
    groups : sequence of Group

    Attributes
    ----------
    names : tuple[str, ...]
        The columns in the order in which they are sent.
    """

    def __init__(self, groups: Sequence[Group]) -> None:
        self.names = tuple(name for group in groups for name in group.names)
        self._groups = groups

    def blocks(self, rows: Rows) -> Iterator[memoryview]:
        """Yield rows in blocks, which go between `HEADER` and `TRAILER`.

        Parameters
        ----------
        rows : slice or ndarray of int
            Which rows, in which order.

        Raises `TooLarge` for a row that PostgreSQL would not read.
        """
        length = rows.stop - rows.start if isinstance(rows, slice) else len(rows)
        first = rows.start if isinstance(rows, slice) else 0
        step = max(1, BLOCK // (2 + 8 * len(self.names)))
        for start in range(first, first + length, step):
            stop = min(start + step, first + length)
            yield from self._blocks(slice(start, stop) if isinstance(rows, slice) else rows[start:stop])

    def _blocks(self, rows: Rows) -> Iterator[memoryview]:
        """Encode some rows; in parts where a long text would make the block too large."""
        length = rows.stop - rows.start if isinstance(rows, slice) else len(rows)
        rectangles = [group.rectangle(rows) for group in self._groups]
        width = 2 + sum(rectangle.width for rectangle in rectangles)
        if length > 1 and length * width > 4 * BLOCK:
            start = rows.start if isinstance(rows, slice) else 0
            for part in (slice(start, start + length // 2), slice(start + length // 2, start + length)):
                yield from self._blocks(part if isinstance(rows, slice) else rows[part])
        elif length == 1 and width > ROW:
            longest = max(range(len(rectangles)), key=lambda index: rectangles[index].width)
            first = rows.start if isinstance(rows, slice) else int(rows[0])
            raise TooLarge(first, self._groups[longest].names[0], width)
        else:
            yield _block(rectangles, length, width)


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

    def __init__(self, wire: str, values: Values, missing: Flagged | None) -> None:
        self.wire, self.values = np.dtype(wire), values
        gone = np.isnan(values) if values.dtype.kind == "f" else missing
        self.missing: Flagged = np.zeros(0, bool) if gone is None else gone
        self.partial = bool(self.missing.any())
        self.columns = values.shape[1]
        self.width = self.columns * (4 + self.wire.itemsize)

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

    columns, width, partial = 1, 4, False

    def fill(self, block: Values) -> None:
        block[:] = 0xFF  # -1, the length of NULL

    def keep(self, kept: Values) -> None:
        """All that there is is sent."""


class _Varying(_Rectangle):
    """One column whose values differ in length, each padded to the longest."""

    def __init__(self, cells: Cells, length: int) -> None:
        values, missing = cells.values, cells.gone
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
