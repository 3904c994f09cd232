"""The order in which rows are stored, and how keys are found again: all keys at a time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.intp]


class Keys(NamedTuple):
    """The natural keys of some rows.

    Attributes
    ----------
    spectrum_pk, major_minor : ndarray of int64
    """

    spectrum_pk: NDArray[np.int64]
    major_minor: NDArray[np.int64]

    def take(self, places: Places | slice) -> Keys:
        """Return the keys at these places."""
        return Keys(self.spectrum_pk[places], self.major_minor[places])

    def equal(self, other: Keys) -> bool:
        """Tell whether these are the same keys in the same order."""
        return bool(
            np.array_equal(self.spectrum_pk, other.spectrum_pk)
            and np.array_equal(self.major_minor, other.major_minor)
        )

    def named(self, place: int) -> dict[str, int]:
        """Return one key by column name, for a message."""
        return {
            "spectrum_pk": int(self.spectrum_pk[place]),
            "v_astra_major_minor": int(self.major_minor[place]),
        }


class Order(NamedTuple):
    """The rows to store.

    Attributes
    ----------
    rows : ndarray of int
        One row a key, in ascending order of the keys, in which every writer locks its rows.
    again : ndarray of int
        The rows that are left out because another one has the same key.
    instead : ndarray of int
        For each of those, the row that stands for it.
    """

    rows: Places
    again: Places
    instead: Places


def in_order(keys: Keys, rows: Places, *, keep_last: bool) -> Order:
    """Return the order in which to store some rows.

    Parameters
    ----------
    keys : Keys
        Of every row of the table.
    rows : ndarray of int
        The rows, ascending.
    keep_last : bool
        Whether of rows with the same key the last one stands for the others; else the first.
    """
    wanted = keys.take(rows)
    if _ascends(wanted):
        return Order(rows, rows[:0], rows[:0])
    # Of equal keys, the one that came first stays first.
    order = rows[np.lexsort((wanted.major_minor, wanted.spectrum_pk))]
    same = _same_as_next(keys.take(order))
    group = np.concatenate(([0], np.cumsum(~same)))
    ends = np.flatnonzero(np.append(~same, True)) if keep_last else np.flatnonzero(np.append(True, ~same))
    chosen = order[ends]
    left_out = np.ones(len(order), bool)
    left_out[ends] = False
    return Order(chosen, order[left_out], chosen[group[left_out]])


def _ascends(keys: Keys) -> bool:
    pk, minor = keys
    further = pk[1:] > pk[:-1]
    return bool(np.all(further | ((pk[1:] == pk[:-1]) & (minor[1:] > minor[:-1]))))


def _same_as_next(keys: Keys) -> NDArray[np.bool_]:
    pk, minor = keys
    same: NDArray[np.bool_] = (pk[1:] == pk[:-1]) & (minor[1:] == minor[:-1])
    return same


def places_of(wanted: Keys, among: Keys) -> Places:
    """Return where each wanted key stands among keys in ascending order, of which it is one."""
    if wanted.equal(among):
        return np.arange(len(among.spectrum_pk))
    # A key of two columns as one number: which different spectrum, times the span of the versions.
    spectra = np.unique(among.spectrum_pk)
    span = int(among.major_minor.max(initial=0)) + 1
    numbers = np.searchsorted(spectra, among.spectrum_pk) * span + among.major_minor
    return np.searchsorted(numbers, np.searchsorted(spectra, wanted.spectrum_pk) * span + wanted.major_minor)
