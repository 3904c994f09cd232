"""Blocks of rows, as they come from the wire, into columns: one pass, one copy of each value."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from astra_outputs.errors import SchemaMismatch
from astra_outputs.reading.layout import BITS, LENGTH, Layout
from astra_outputs.reading.outputs import Output

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIGNATURE = b"PGCOPY\n\xff\r\n\0"
"""What binary COPY begins with; two integers follow, the second the length of more to skip."""

END = b"\xff\xff"
"""What stands in place of a row's count after the last row."""

BLOCK = 384 * 1024
"""Bytes that are taken apart at once: few enough to stay in a processor's cache, enough to be worth a call."""

ROWS, LEAST_ROWS, BYTES = 8_192, 2_048, 16 * 1024 * 1024
"""Most and fewest rows of a batch, and about how many bytes it has at most: half a dozen of them are in memory at once.

Few, since the server waits while one is finished; with fewer, a batch of many columns costs more than its rows.
"""

VARYING = 128
"""About the bytes of memory that a value takes which differs in length."""

_length = struct.Struct(">i").unpack_from


@dataclass
class Varying:
    """Values of one column that differ in length.

    Attributes
    ----------
    lengths : NDArray
        Bytes of each; 0 where it is missing.
    missing : NDArray
        Whether it is.
    data : bytes
        One after the other.
    """

    lengths: NDArray[np.int64]
    missing: NDArray[np.bool_]
    data: bytes

    def values(self) -> Iterator[bytes | None]:
        """Yield the values."""
        start = 0
        for length, missing in zip(self.lengths.tolist(), self.missing.tolist(), strict=True):
            yield None if missing else self.data[start : start + length]
            start += length


@dataclass
class Batch:
    """Some rows of an answer, as columns.

    Attributes
    ----------
    rows : int
    numbers : dict[str, NDArray]
        The values of each column of a fixed width, in the machine's byte order; times are microseconds
        since 2000, what is missing is NaN or zero.
    missing : dict[str, NDArray]
        Of each column that may lack values, which do.
    varying : dict[str, Varying]
        The values of the other columns.
    """

    rows: int
    numbers: dict[str, NDArray[Any]]
    missing: dict[str, NDArray[np.bool_]]
    varying: dict[str, Varying]


@dataclass
class _Column:
    """What is known so far of the values of a column that differ in length."""

    lengths: list[int] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)


class Decoder:
    """Takes the bytes of one COPY and gives batches of columns.

    Parameters
    ----------
    layout : Layout
    rows : int, optional
        Rows of a batch; as its width allows where none are given.
    """

    def __init__(self, layout: Layout, rows: int | None = None) -> None:
        self._layout, self._capacity = layout, rows or rows_of(layout)
        self._pending: list[bytes] = []
        self._size, self._begun, self.rows = 0, False, 0
        self._start_batch()

    def feed(self, chunk: bytes) -> Iterator[Batch]:
        """Take what came, and yield the batches that it fills."""
        self._pending.append(chunk)
        self._size += len(chunk)
        if self._size >= BLOCK:
            yield from self._take(b"".join(self._pending))

    def finish(self) -> Iterator[Batch]:
        """Take the rest, and yield what is left.

        Raises
        ------
        SchemaMismatch
            If it does not end where rows of this layout do.
        """
        yield from self._take(b"".join(self._pending))
        if b"".join(self._pending) != END:
            raise self._unexpected()
        if self._filled:
            yield self._batch()

    def _take(self, block: bytes) -> Iterator[Batch]:
        at = 0
        if not self._begun:
            if not block.startswith(SIGNATURE) or len(block) < len(SIGNATURE) + 8:
                raise self._unexpected()
            at = len(SIGNATURE) + 8 + _length(block, len(SIGNATURE) + 4)[0]
            self._begun = True
        while True:
            rows, end = self._rows(block, at)
            if rows:
                self.rows += rows
                self._filled += rows
            if self._filled == self._capacity:
                yield self._batch()
            if end == at:
                break
            at = end
        rest = block[at:]
        self._pending, self._size = [rest] if rest else [], len(rest)

    def _rows(self, block: bytes, at: int) -> tuple[int, int]:
        """Take whole rows, as many as the batch has room for; return how many, and where the next one starts."""
        layout, room = self._layout, self._capacity - self._filled
        if layout.varying:
            fixed, end = self._walk(block, at, room)
            rows, block, at = len(fixed), b"".join(fixed), 0
        else:
            rows = min(room, (len(block) - at) // layout.fixed_width)
            end = at + rows * layout.fixed_width
        if rows:
            self._copy(block, at, rows)
        return rows, end

    def _copy(self, block: bytes, at: int, rows: int) -> None:
        """Copy the fixed part of rows into the columns."""
        layout, width, first = self._layout, self._layout.fixed_width, self._filled
        counts = np.ndarray((rows,), ">i2", block, at, (width,))
        if not (counts == layout.number).all():
            raise self._unexpected()
        for group, values in zip((*layout.groups, layout.bits), self._groups, strict=True):
            if group.size:
                step = LENGTH + group.width
                there = np.ndarray(
                    (rows, group.size), group.wire, block, at + group.start + LENGTH, (width, step)
                )
                values[:, first : first + rows] = there.T

    def _walk(self, block: bytes, at: int, room: int) -> tuple[list[bytes], int]:
        """Step through rows that differ in length; return the fixed part of each, and where the next starts."""
        width, columns = self._layout.fixed_width, [(c.lengths, c.pieces) for c in self._columns]
        fixed: list[bytes] = []
        end = len(block)
        while len(fixed) < room and (start := at) + width <= end:
            row = block[at : at + width]
            at += width
            try:
                for lengths, pieces in columns:
                    (length,) = _length(block, at)
                    at += LENGTH
                    lengths.append(length)
                    if length > 0:
                        pieces.append(block[at : at + length])
                        at += length
            except struct.error:
                at = end + 1
            if at > end:
                self._forget(self._filled + len(fixed))
                return fixed, start
            fixed.append(row)
        return fixed, at

    def _forget(self, rows: int) -> None:
        """Leave so many rows of the columns that differ in length: the next one has not come as a whole."""
        for column in self._columns:
            while len(column.lengths) > rows:
                if column.lengths.pop() > 0:
                    column.pieces.pop()

    def _start_batch(self) -> None:
        layout = self._layout
        self._filled = 0
        self._columns = [_Column() for _ in layout.varying]
        # Not filled with anything: what is not used takes no memory.
        self._groups: list[NDArray[Any]] = [
            np.empty((group.size, self._capacity), np.dtype(group.wire).newbyteorder("="))
            for group in (*layout.groups, layout.bits)
        ]

    def _batch(self) -> Batch:
        layout, rows = self._layout, self._filled
        numbers: dict[str, NDArray[Any]] = {}
        missing: dict[str, NDArray[np.bool_]] = {}
        for group, values in zip(layout.groups, self._groups, strict=False):
            gone = np.isnan(values[:, :rows]) if values.dtype.kind == "f" else None
            for place, output in enumerate(group.outputs):
                numbers[output.name] = values[place, :rows]
                if output.nullable and gone is not None:
                    missing[output.name] = gone[place]
        bits = self._groups[-1][:, :rows]
        for place, output in enumerate(layout.counted):
            missing[output.name] = (bits[place // BITS] >> (place % BITS) & 1).astype(bool)
        varying = {
            output.name: self._varying(output, column)
            for output, column in zip(layout.varying, self._columns, strict=True)
        }
        self._start_batch()
        return Batch(rows, numbers, missing, varying)

    def _varying(self, output: Output, column: _Column) -> Varying:
        lengths = np.array(column.lengths, np.int64)
        gone = lengths < 0
        lengths[gone] = 0
        if output.is_array:
            return _arrays(lengths, gone, column.pieces)
        return Varying(lengths, gone, b"".join(column.pieces))

    def _unexpected(self) -> SchemaMismatch:
        tables = sorted({output.named.record_class.table for output in self._layout.outputs})
        return SchemaMismatch(
            f"rows of {', '.join(tables)} are not what the record class says: NULL stands where it says NOT NULL; "
            "run `astra-outputs check`",
            table=tables[0],
        )


def rows_of(layout: Layout) -> int:
    """Return how many rows a batch has: fewer where a row is wide.

    A value that differs in length is an object of its own until the batch is full.
    """
    width = layout.fixed_width + len(layout.varying) * VARYING
    return max(LEAST_ROWS, min(ROWS, BYTES // width))


HEADER, DIMENSION = 12, 8
"""Bytes before the elements of an array on the wire: its own, and those of each dimension."""


def _arrays(lengths: NDArray[np.int64], missing: NDArray[np.bool_], pieces: list[bytes]) -> Varying:
    """Return the elements of arrays of reals, without what stands around them.

    None of the elements is NULL: NaN was put in its place, so that each has one width.
    """
    kinds = np.frombuffer(b"".join(piece[:HEADER] for piece in pieces), ">i4").reshape(-1, HEADER // 4)
    if (kinds[:, 0] > 1).any() or (kinds[:, 1] != 0).any():
        raise SchemaMismatch("a column of arrays holds one of several dimensions; run `astra-outputs check`")
    elements = b"".join(piece[HEADER + DIMENSION :] for piece in pieces)
    values = np.frombuffer(elements, ">f4").reshape(-1, 2)[:, 1].astype("<f4")
    counts = np.maximum(lengths - HEADER - DIMENSION, 0) // 8
    return Varying(counts * 4, missing, values.tobytes())
