"""`Cells`: the values of one column, and which of them are missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import Any

import numpy as np
from numpy.typing import NDArray

from astra_outputs.model.column_type import ColumnType
from astra_outputs.model.given import datetime_of

Values = NDArray[Any]
Flagged = NDArray[np.bool_]

WIDEST = 1 << 24
"""Most bytes that texts may take as one rectangle; where one is much longer they stay apart."""


@dataclass(frozen=True)
class Cells:
    """One column as it was given, or as it is to be stored.

    Attributes
    ----------
    values : ndarray
        One value a row along the first axis; one in all if `constant`.
    missing : ndarray of bool or None
        Where a value is missing; None where that is nowhere. NaN is missing too, marked or not.
    constant : bool
        Whether the only value stands for every row.
    aware : bool
        Whether these are `datetime64` in UTC; without this mark such an array has no time zone.
    text : bool
        Whether these bytes are those of texts in ASCII.
    unit : astropy.units.Unit, optional
        The unit that the column says its values are in.
    """

    values: Values
    missing: Flagged | None = None
    constant: bool = False
    aware: bool = False
    text: bool = False
    unit: Any = None

    @classmethod
    def all(cls, value: Any) -> Cells:
        """Return the column in which every row has this value; None is missing."""
        return cls(objects([value]), constant=True)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, row: int) -> Any:
        """Return one value as a plain Python object, as a record would be given it.

        A floating-point number of less than double precision stays what it is: it tells fewer whole
        numbers apart.
        """
        if self.missing is not None and self.missing[row]:
            return None
        value = self.values[row]
        if self.values.dtype.kind == "M":
            return _moment(value, aware=self.aware)
        kind = self.values.dtype
        # An object stays what it is, and so does a duration: of nanoseconds Python would have a bare number. The
        # rule of the column knows NumPy's scalars.
        if kind.kind in "Om" or (kind.kind == "f" and kind.itemsize < 8):
            return value
        return value.decode() if self.text else value.item()

    @property
    def gone(self) -> Flagged | None:
        """Where a value is missing, marked or NaN; None where that is nowhere."""
        missing = self.missing
        if self.values.dtype.kind == "f":
            nan = np.isnan(self.values)
            missing = nan if missing is None else missing | nan
        return missing if missing is not None and missing.any() else None

    def take(self, rows: slice | NDArray[np.intp]) -> Cells:
        """Return some rows, in the order given."""
        if self.constant:
            return self
        missing = None if self.missing is None else self.missing[rows]
        return Cells(self.values[rows], missing, aware=self.aware, text=self.text)

    def spread(self, length: int) -> Values:
        """Return one value a row."""
        return np.broadcast_to(self.values, length) if self.constant else self.values


def packed(kind: ColumnType, values: list[Any], *, constant: bool = False) -> Cells:
    """Return plain values, None where one is missing, as the array that is encoded.

    Raises
    ------
    ValueError
        If a value was changed since it was checked, to one that its column does not take.
    """
    # Texts nearly always are all alike. Of others equal ones may differ: 0.0 and -0.0, [1] and [True].
    plain = kind.parameter is None and not (kind.dtype and np.dtype(kind.dtype).kind == "f")
    if plain and len(values) > 1 and values.count(values[0]) == len(values):
        values, constant = values[:1], True
    missing = np.fromiter((value is None for value in values), bool, len(values))
    payloads: Any = [kind.nothing if value is None else kind.payload(value) for value in values]
    if kind.dtype:
        payloads = np.array(payloads, kind.dtype)
    else:
        width = max(map(len, payloads), default=0)
        # NumPy would take zeros at the end of a bytea for padding.
        together = kind.padded and width * len(payloads) <= max(WIDEST, 4 * sum(map(len, payloads)))
        payloads = np.array(payloads, f"S{max(1, width)}") if together else objects(payloads)
    return Cells(payloads, missing if missing.any() else None, constant)


def objects(values: list[Any]) -> Values:
    """Return an array of Python objects, each as it is (NumPy would unpack sequences)."""
    return np.fromiter(values, object, len(values))


def _moment(value: Any, *, aware: bool) -> Any:
    """Return a `datetime64` as a datetime; as it is where Python has none so far away."""
    if np.isnat(value):
        return None
    moment = datetime_of(value)
    if moment is None:
        return value
    return moment.replace(tzinfo=UTC) if aware else moment
