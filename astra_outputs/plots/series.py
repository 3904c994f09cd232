"""One quantity of a picture: its values, and what an axis says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

EDGES = (0.1, 99.9)
"""Percentiles between which an axis is certain to reach."""

ROOM = 0.3
"""How far an axis reaches beyond them, at most, as a share of what lies between."""


@dataclass(frozen=True)
class Series:
    """Values of one column, one a row.

    Attributes
    ----------
    name : str
    label : str
        What an axis says: the description of the column, and its unit in brackets.
    values : numpy.ndarray
        Doubles; NaN where there is no value.
    """

    name: str
    label: str
    values: NDArray[np.float64]

    @classmethod
    def of(cls, name: str, label: str, values: Any) -> Series:
        """Return numbers that may be masked as a series."""
        numbers = np.ma.getdata(values).astype(float)
        numbers[np.ma.getmaskarray(values) | ~np.isfinite(numbers)] = np.nan
        return cls(
            name, label.replace("$", r"\$"), numbers
        )  # what stands between two is a formula to matplotlib

    @property
    def known(self) -> NDArray[np.bool_]:
        """Where there is a value."""
        return np.isfinite(self.values)

    def where(self, rows: NDArray[np.bool_]) -> Series:
        """Return the series of some of the rows."""
        return Series(self.name, self.label, self.values[rows])


def known_in_all(series: Sequence[Series]) -> NDArray[np.bool_]:
    """Return where all of them have a value."""
    known: NDArray[np.bool_] = np.logical_and.reduce([entry.known for entry in series])
    return known


def limits(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return from where to where an axis reaches: all values, unless a few lie far away."""
    low, high = np.percentile(values, EDGES)
    room = ROOM * (high - low)
    lowest = max(float(values.min()), float(low) - room)
    highest = min(float(values.max()), float(high) + room)
    margin = 0.04 * (highest - lowest) or 0.05 * abs(lowest) or 1.0
    return lowest - margin, highest + margin


def within(values: NDArray[np.float64], edges: tuple[float, float]) -> NDArray[np.bool_]:
    """Return which values an axis shows."""
    return (values >= edges[0]) & (values <= edges[1])
