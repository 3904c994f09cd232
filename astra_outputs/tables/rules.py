"""Hold a whole column against the rule of its type; what an array cannot say, `convert` decides.

There is one definition of what a column takes, the `ColumnType`. Numbers are held against its bounds
as arrays. Every other value, and every refused one, goes through the same `convert` as a record's, so
that a table is refused in the same words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from astra_outputs.errors import Problem
from astra_outputs.model.column_types import PG_EPOCH, TEXT, TIMESTAMP
from astra_outputs.model.columns import Column
from astra_outputs.model.given import EXACT, FIRST_TIME, LAST_TIME
from astra_outputs.saving.cells import Cells, Flagged, Values, packed

_EPOCH_64 = np.datetime64(PG_EPOCH.replace(tzinfo=None), "us")
_FIRST, _LAST = (np.datetime64(time.replace(tzinfo=None), "s") for time in (FIRST_TIME, LAST_TIME))
_NO_ROWS = np.zeros(0, np.intp)


@dataclass(frozen=True)
class Checked:
    """One column that was held against its rule.

    Attributes
    ----------
    column : Column
    given : Cells
        The values as they were given.
    stored : Cells
        The values to store: numbers, Booleans, microseconds since `PG_EPOCH`, or bytes (UTF-8 of a text,
        the payload of an array). What stands in a refused row has no meaning.
    refused : ndarray of int
        The rows whose values the column does not take.
    """

    column: Column
    given: Cells
    stored: Cells
    refused: NDArray[np.intp]

    def problem(self, row: int) -> Problem:
        """Say why a row is refused, in the words of the record."""
        value = self.given[row]
        where = None if self.given.constant else row
        try:
            _rule(self.column)(value)
        except ValueError as error:
            shown = value.item() if isinstance(value, np.floating) else value
            return Problem(self.column.name, shown, str(error), where)
        raise AssertionError(f"{self.column.name}: the array rule refuses {value!r}, the record takes it")


def check(column: Column, given: Cells) -> Checked:
    """Hold a column's values against its rule."""
    kind, values = column.type, given.values
    if values.dtype.kind in kind.arrays and values.dtype.itemsize <= 8:
        stored, bad = _numbers(column, given)
    elif kind is TIMESTAMP and given.aware:
        stored, bad = _moments(given)
    elif kind is TEXT and values.dtype.kind in "SU" and _are_plain(values):
        stored, bad = _plain_texts(given), None
    else:
        return _one_by_one(column, given)
    if not column.nullable and (missing := _missing(stored)) is not None:
        bad = missing if bad is None else bad | missing
    return _reconsidered(column, given, stored, _NO_ROWS if bad is None else np.flatnonzero(bad))


def _reconsidered(column: Column, given: Cells, stored: Cells, refused: NDArray[np.intp]) -> Checked:
    """Ask the rule of the column about each value that the array's rule refuses; it has the last word."""
    rule, values, bad = _rule(column), stored.values, []
    for row in refused.tolist():
        try:
            value = rule(given[row])
        except ValueError:
            bad.append(row)
            continue
        if values is stored.values:
            values = values.copy()
        values[row] = column.type.payload(value)
    return Checked(column, given, replace(stored, values=values), np.array(bad, np.intp))


def _rule(column: Column) -> Callable[[Any], Any]:
    return column.type.convert if column.nullable else column.type.require


def _missing(cells: Cells) -> Flagged | None:
    if cells.values.dtype.kind != "f":
        return cells.missing
    missing: Flagged = np.isnan(cells.values)
    return missing if cells.missing is None else missing | cells.missing


def _numbers(column: Column, given: Cells) -> tuple[Cells, Flagged | None]:
    """Hold an array of numbers against the bounds of its column."""
    values, bounds = given.values, column.type.bounds
    if bounds is None:
        return given, None
    if values.dtype.kind == "f" and isinstance(bounds[0], int):
        return _whole_numbers(given, *map(int, bounds))
    bad = _too_large(values, bounds[1]) if values.dtype.kind == "f" else _outside(values, *map(int, bounds))
    if bad is not None and given.missing is not None:
        bad &= ~given.missing
    return given, bad


def _too_large(values: Values, largest: float) -> Flagged | None:
    """Tell where a floating-point number is too large or infinite; NaN is neither."""
    limit = min(largest, float(np.finfo(values.dtype).max))
    with np.errstate(invalid="ignore"):  # a NaN that signals is a NaN
        bad: Flagged = np.abs(values) > limit
    return bad if bad.any() else None


def _outside(values: Values, lowest: int, highest: int) -> Flagged | None:
    """Tell where an integer is outside the bounds, comparing only what the array's type can hold."""
    held = np.iinfo(values.dtype)
    if held.min >= lowest and held.max <= highest:
        return None
    below = values < lowest if held.min < lowest else False
    above = values > highest if held.max > highest else False
    bad: Flagged = np.asarray(below | above)
    return bad if bad.any() else None


def _whole_numbers(given: Cells, lowest: int, highest: int) -> tuple[Cells, Flagged | None]:
    """Turn an array of floating-point numbers into integers, where they are whole and within the bounds."""
    with np.errstate(invalid="ignore"):  # a NaN that signals is a NaN
        values = given.values.astype(np.float64)
        missing = np.isnan(values)
        if given.missing is not None:
            missing |= given.missing
        # The float nearest to `highest` may be the one above it: 2**63 does not fit a bigint.
        good = (values >= lowest) & (values < float(highest + 1)) & (np.floor(values) == values)
        good &= np.abs(values) < EXACT[given.values.dtype.itemsize]
    bad = ~missing & ~good
    whole = np.where(good & ~missing, values, 0.0).astype(np.int64)
    return Cells(whole, missing, given.constant), bad


def _moments(given: Cells) -> tuple[Cells, Flagged]:
    """Turn times in UTC into microseconds; a fraction of one is cut off."""
    values = given.values
    missing = np.isnat(values)
    if given.missing is not None:
        missing |= given.missing
    seconds = values.astype("datetime64[s]")
    bad = ~missing & ((seconds < _FIRST) | (seconds > _LAST))
    moments = np.where(missing | bad, _EPOCH_64, values.astype("datetime64[us]"))
    return Cells((moments - _EPOCH_64).astype(np.int64), missing, given.constant), bad


def _are_plain(values: Values) -> bool:
    """Tell whether all texts are printable ASCII, which needs no closer look."""
    codes = _codes(values)
    inside = np.arange(codes.shape[1]) < np.char.str_len(values)[:, None]
    return bool(np.all(~inside | ((codes >= 0x20) & (codes <= 0x7E))))


def _codes(values: Values) -> Values:
    unit = np.uint8 if values.dtype.kind == "S" else np.dtype(np.uint32).newbyteorder(values.dtype.byteorder)
    width = values.dtype.itemsize // np.dtype(unit).itemsize
    return np.ascontiguousarray(values).view(unit).reshape(len(values), width)


def _plain_texts(given: Cells) -> Cells:
    codes = _codes(given.values).astype(np.uint8)
    texts = codes.view(f"S{codes.shape[1]}")[:, 0]
    return Cells(np.char.strip(texts, b" "), given.missing, given.constant)


def _one_by_one(column: Column, given: Cells) -> Checked:
    rule, stored, refused = _rule(column), [], []
    for row in range(len(given)):
        try:
            stored.append(rule(given[row]))
        except ValueError:
            stored.append(None)
            refused.append(row)
    return Checked(
        column, given, packed(column.type, stored, constant=given.constant), np.array(refused, np.intp)
    )
