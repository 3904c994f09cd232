"""How much one message to the server may hold: over one of a gibibyte it ends the connection, and says nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from astra_outputs.errors import InvalidRecord, Problem

MESSAGE = 1 << 29
"""Most bytes of values that go as one array of rows, which the server also keeps in memory as a whole."""

ROW = (1 << 30) - (1 << 16)
"""Most bytes of one row, which PostgreSQL reads, and keeps in memory, as a whole."""

_A_VALUE = 8
"""Bytes, at most, of a character of a text, a byte of a `bytea`, an element of an array."""


class TooLarge(Exception):
    """A row that no message can hold.

    Attributes
    ----------
    row : int
        Its index among those of its columns.
    column : str
        Which of its values is the largest.
    size : int
        Bytes of the row.
    """

    def __init__(self, row: int, column: str, size: int) -> None:
        super().__init__(row, column, size)
        self.row, self.column, self.size = row, column, size


def fits_a_message(values: Iterable[Any]) -> bool:
    """Tell whether texts, bytes and lists are few enough to go together, by a look at their lengths alone."""
    return _A_VALUE * sum(map(len, filter(None, values))) <= MESSAGE


def too_large(table: str, column: str, size: int, key: dict[str, Any]) -> InvalidRecord:
    """Return the error of a row that no message can hold."""
    named = ", ".join(f"{name} = {value}" for name, value in key.items())
    reason = (
        f"the row ({named}) takes {size / 2**30:.1f} GiB, and PostgreSQL takes rows below 1 GiB: "
        "keep such data in a file, and its path here"
    )
    return InvalidRecord(table, (Problem(column, "...", reason),))


def refuse_too_large(
    table: str, columns: tuple[str, ...], values: tuple[Any, ...], key: dict[str, Any]
) -> None:
    """Refuse the row that a connection was lost over, if it is one that no message can hold.

    Raises
    ------
    InvalidRecord
        If it is.
    """
    sizes = {name: _bytes_of(value) for name, value in zip(columns, values, strict=True)}
    if sum(sizes.values()) > ROW:
        raise too_large(table, max(sizes, key=sizes.__getitem__), sum(sizes.values()), key)


def _bytes_of(value: Any) -> int:
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode())
    if isinstance(value, bytes):
        return len(value)
    return _A_VALUE * (len(value) if isinstance(value, list) else 1)
