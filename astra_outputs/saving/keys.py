"""Natural keys, all of a batch at a time: the order in which rows are stored, and how they are found again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Indexes = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Keys:
    """The natural keys of some rows.

    Attributes
    ----------
    names : tuple[str, ...]
        The columns of the key.
    columns : tuple[ndarray, ...]
        Their values, one array a column: int64, or objects where they are texts.
    """

    names: tuple[str, ...]
    columns: tuple[NDArray[Any], ...]

    def __len__(self) -> int:
        return len(self.columns[0])

    def take(self, rows: Indexes | slice) -> Keys:
        """Return the keys of these rows."""
        return Keys(self.names, tuple(column[rows] for column in self.columns))

    def equal(self, other: Keys) -> bool:
        """Tell whether these are the same keys in the same order."""
        return all(map(np.array_equal, self.columns, other.columns))

    def named(self, index: int) -> dict[str, Any]:
        """Return one key by column name, for a message."""
        values = (column[index] for column in self.columns)
        return {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in zip(self.names, values, strict=True)
        }


class Order(NamedTuple):
    """The rows to store.

    Attributes
    ----------
    rows : ndarray of int
        One row a key, in ascending order of the keys, in which every writer locks its rows.
    left_out : ndarray of int
        The rows that are left out because another one has the same key.
    instead : ndarray of int
        For each of those, the row that stands for it.
    """

    rows: Indexes
    left_out: Indexes
    instead: Indexes


def in_order(keys: Keys, rows: Indexes, *, keep_last: bool) -> Order:
    """Return the order in which to store some rows.

    Parameters
    ----------
    keys : Keys
        Of every row.
    rows : ndarray of int
        The rows to store, ascending.
    keep_last : bool
        Whether of rows with the same key the last one stands for the others; else the first.
    """
    columns = [_as_numbers(column) for column in keys.take(rows).columns]
    if _ascend(columns):
        return Order(rows, rows[:0], rows[:0])
    # Of equal keys, the one that came first stays first.
    order = np.lexsort(columns[::-1])
    same = np.logical_and.reduce([column[order][1:] == column[order][:-1] for column in columns])
    group = np.concatenate(([0], np.cumsum(~same)))
    ends = np.flatnonzero(np.append(~same, True)) if keep_last else np.flatnonzero(np.append(True, ~same))
    sorted_rows, chosen = rows[order], rows[order][ends]
    left_out = np.ones(len(order), bool)
    left_out[ends] = False
    return Order(chosen, sorted_rows[left_out], chosen[group[left_out]])


def indexes_of(wanted: Keys, among: Keys) -> Indexes:
    """Return where each wanted key stands among keys in ascending order.

    Raises
    ------
    KeyError
        If one is not among them; it is what the error is raised with.
    """
    if len(wanted) == len(among) and wanted.equal(among):
        return np.arange(len(among))
    if len(among.columns) != 2 or any(column.dtype == object for column in among.columns):
        index = {key: number for number, key in enumerate(zip(*among.columns, strict=True))}
        return np.fromiter(map(index.__getitem__, zip(*wanted.columns, strict=True)), np.intp, len(wanted))
    # A key of two numbers as one, of which different first one and which different second one it is: the
    # numbers themselves may be too far apart for that.
    firsts, seconds = map(np.unique, among.columns)
    numbers, wanted_numbers = (
        np.searchsorted(firsts, keys.columns[0]) * len(seconds) + np.searchsorted(seconds, keys.columns[1])
        for keys in (among, wanted)
    )
    found: Indexes = np.minimum(np.searchsorted(numbers, wanted_numbers), len(among) - 1)
    pairs = zip(wanted.columns, among.columns, strict=True)
    strange = np.flatnonzero(np.logical_or.reduce([ours != theirs[found] for ours, theirs in pairs]))
    if len(strange):
        raise KeyError(tuple(column[strange[0]].item() for column in wanted.columns))
    return found


def _as_numbers(column: NDArray[Any]) -> NDArray[Any]:
    """Return numbers in the order of the values, which may be texts."""
    return column if column.dtype != object else np.unique(column, return_inverse=True)[1].reshape(-1)


def _ascend(columns: list[NDArray[Any]]) -> bool:
    """Tell whether keys ascend, no two alike."""
    further, same = np.zeros(max(0, len(columns[0]) - 1), bool), True
    for column in columns:
        further |= same & (column[1:] > column[:-1])
        same = same & (column[1:] == column[:-1])
        if further.all():
            return True
    return False
