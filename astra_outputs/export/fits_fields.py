"""The columns of a FITS table: the form of each, what stands where a value is missing, and how rows are filled."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from astra_outputs.errors import InvalidFile
from astra_outputs.model.column_types import FLAGS
from astra_outputs.postgres.sql import quote
from astra_outputs.reading.arrays import EPOCH
from astra_outputs.reading.outputs import Output

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from astra_outputs.reading.wire import Batch, Varying

MOST = 999
"""Columns that a FITS table may have."""

NUMBERS = {"E": ">f4", "D": ">f8", "J": ">i4", "K": ">i8", "L": "u1", "B": "u1"}

TIME_WIDTH = len("2024-02-29T01:02:03.000004")
YEARS = (np.datetime64("0001-01-01", "us"), np.datetime64("9999-12-31T23:59:59.999999", "us"))

BLOCK = 1024 * 1024
"""Bytes of rows that are filled at once: they stay in a processor's cache."""

UNPRINTABLE = re.compile(rb"[^ -~]")
LONGEST_ESCAPE = 4
"""Most characters that stand for one byte of a text: a line's end is `\\x0a`."""


class Unforeseen(InvalidFile):
    """A row has what was not measured for before: a number that stands for a missing one, a text that is escaped."""


@dataclass(frozen=True)
class Field:
    """One column of a FITS table.

    Attributes
    ----------
    output : Output
    form : str
        The letter of its type.
    repeat : int
        Values, or characters, of one row.
    null : int or None
        The whole number that stands for a missing value: one that the column does not have.
    """

    output: Output
    form: str
    repeat: int = 1
    null: int | None = None

    @property
    def tform(self) -> str:
        """Its type as the header has it."""
        return self.form if self.repeat == 1 and self.form not in "AB" else f"{self.repeat}{self.form}"

    @property
    def dtype(self) -> Any:
        """The NumPy type of one row of it."""
        if self.output.is_time:
            return np.dtype(f"S{self.repeat}")
        if self.output.wire:
            return np.dtype(NUMBERS[self.form])
        return np.dtype((NUMBERS.get(self.form, "u1"), (self.repeat,)))

    def filler(self, batch: Batch) -> Callable[[int, int], Any]:
        """Return a function that gives the values of rows from one number up to another."""
        if not self.output.wire:
            given = _printable(batch, self.output)
            if given.lengths.max(initial=0) > self.repeat * (4 if self.form == "E" else 1):
                raise Unforeseen(f"{self.output.name} has a value longer than {self.repeat}")
            return _spread(given, self.repeat, self.form)
        values, missing = batch.numbers[self.output.name], batch.missing.get(self.output.name)
        if self.form == "L":
            values = np.where(values, np.uint8(ord("T")), np.uint8(ord("F")))
            return _given(values if missing is None else np.where(missing, np.uint8(0), values))
        if self.output.is_time:
            return lambda first, last: _times(
                values[first:last], None if missing is None else missing[first:last]
            )
        if self.null is None or missing is None:
            return _given(values)
        if ((values == self.null) & ~missing).any():
            raise Unforeseen(
                f"{self.output.name} has every number that could stand for a missing value; leave it out"
            )
        return _given(np.where(missing, values.dtype.type(self.null), values))


def measures(outputs: Sequence[Output], *, fully: bool = True) -> tuple[list[Output], list[str]]:
    """Return what has to be measured of the rows before the first is written: columns, and aggregates of them.

    What is measured fully takes up to a third of the time of the rows, and is needed where a column of whole
    numbers that lacks values has -1, or a text has characters that are escaped; a row that has them is
    `Unforeseen` otherwise.
    """
    wanted, aggregates = [], []
    for output in outputs:
        name = f"answer.{quote(output.name)}"
        if not output.wire:
            wanted.append(output)
            aggregates.append(_longest(output, name, fully=fully))
        elif fully and _may_need_null(output):
            wanted.append(output)
            aggregates += [f"min({name})", f"max({name})"]
    return wanted, aggregates


def fields(outputs: Sequence[Output], measured: Sequence[Any], *, fully: bool = True) -> list[Field]:
    """Return the columns of a table; what was measured stands in the order of `measures`.

    Raises
    ------
    InvalidFile
        If there are more than FITS takes.
    """
    refuse_too_many(outputs)
    found, left = [], iter(measured)
    for output in outputs:
        form = output.column.type.fits
        if output.is_time:
            found.append(Field(output, form, TIME_WIDTH))
        elif not output.wire:
            found.append(Field(output, form, max(1, next(left) or 0)))
        elif _may_need_null(output):
            bounds = (next(left), next(left)) if fully else (None, None)
            found.append(Field(output, form, null=_free(output, *bounds)))
        else:
            found.append(Field(output, form))
    return found


def refuse_too_many(outputs: Sequence[Output]) -> None:
    """Raise InvalidFile if there are more columns than FITS takes."""
    if len(outputs) > MOST:
        raise InvalidFile(
            f"a FITS table has at most {MOST} columns, and these are {len(outputs)}: name those that you need, "
            "or write a .parquet file"
        )


def blocks(batch: Batch, members: Sequence[Field]) -> Iterator[memoryview]:
    """Yield the rows of a batch as FITS has them."""
    kind = row_type(members)
    fillers = [(field.output.name, field.filler(batch)) for field in members]
    rows = max(1, min(batch.rows, BLOCK // kind.itemsize))
    block = np.empty(rows, kind)
    for first in range(0, batch.rows, rows):
        last = min(first + rows, batch.rows)
        part = block[: last - first]
        for name, filler in fillers:
            part[name] = filler(first, last)
        yield part.view("u1").data


def row_type(members: Sequence[Field]) -> np.dtype[Any]:
    """Return the NumPy type of a row."""
    return np.dtype([(field.output.name, field.dtype) for field in members])


def _longest(output: Output, name: str, *, fully: bool) -> str:
    if output.is_array:
        return f"max(cardinality({name}))"
    if not output.is_text:
        return f"max(octet_length({name}))"
    if not fully:
        return f"max(octet_length({name}::text))"
    unprintable = f"{name}::text ~ '[^ -~]' collate \"C\""
    return f"max(octet_length({name}::text) * case when {unprintable} then {LONGEST_ESCAPE} else 1 end)"


def _may_need_null(output: Output) -> bool:
    kind = output.column.type
    return output.counted and kind.content == "number" and kind is not FLAGS


def _free(output: Output, least: int | None, most: int | None) -> int:
    """Return a number that no row has: -1 if it may be, else one end of the type's range."""
    lowest, highest = (int(bound) for bound in _bounds(output))
    if least is None or most is None or least > -1:
        return -1
    if least > lowest:
        return lowest
    return highest if most < highest else lowest + 1


def _bounds(output: Output) -> tuple[int, int]:
    """Return the ends of the range of an integer type."""
    info = np.iinfo(np.dtype(output.wire).newbyteorder("="))
    return int(info.min), int(info.max)


def _given(values: NDArray[Any]) -> Callable[[int, int], Any]:
    return lambda first, last: values[first:last]


def _times(values: NDArray[np.int64], missing: NDArray[np.bool_] | None) -> NDArray[np.bytes_]:
    """Return times as ISO 8601 writes them; empty where there is none, or where it is infinitely far."""
    infinite = (values == np.iinfo(np.int64).max) | (values == np.iinfo(np.int64).min)
    times = EPOCH + np.where(infinite, 0, values).astype("m8[us]")
    empty = infinite | (times < YEARS[0]) | (times > YEARS[1])
    if missing is not None:
        empty |= missing
    texts = np.datetime_as_string(np.where(empty, EPOCH, times), unit="us").astype("S")
    return np.where(empty, b"", texts)


def _spread(given: Varying, width: int, form: str) -> Callable[[int, int], Any]:
    """Return a function that lays values of different lengths into a rectangle, each with a fill behind it."""
    kind, fill = (np.dtype("<f4"), np.nan) if form == "E" else (np.dtype("u1"), 0)
    elements = np.frombuffer(given.data, kind)
    counts = given.lengths // kind.itemsize
    ends = np.concatenate([[0], np.cumsum(counts)])
    places = np.arange(width)

    def rows(first: int, last: int) -> NDArray[Any]:
        laid = np.full((last - first, width), fill, kind)
        laid[places < counts[first:last, None]] = elements[ends[first] : ends[last]]
        return laid

    return rows


def _printable(batch: Batch, output: Output) -> Varying:
    """Return values; texts as FITS takes them, other characters escaped as Python writes them."""
    given = batch.varying[output.name]
    if not output.is_text or UNPRINTABLE.search(given.data) is None:
        return given
    texts = [printable(value.decode()) if value is not None else b"" for value in given.values()]
    return type(given)(np.array([len(text) for text in texts], np.int64), given.missing, b"".join(texts))


def printable(text: str) -> bytes:
    """Return a text in the characters that FITS takes; another is escaped as Python writes it."""
    escaped = text.encode("ascii", "backslashreplace")
    return UNPRINTABLE.sub(lambda found: b"\\x%02x" % ord(found[0]), escaped)
