"""Rows that come back otherwise than they were sent, or not at all: somebody at the server has a hand in it."""

from __future__ import annotations

from typing import Any

from astra_outputs.errors import DatabaseError
from astra_outputs.saving.statements import Statements


class LeftOut(DatabaseError):
    """A row was neither stored nor kept: a trigger leaves it out, or the table is another one than was compared."""


def left_out(statements: Statements, key: tuple[Any, ...]) -> LeftOut:
    """Return the error of a row that did not come back."""
    return LeftOut(
        f"{statements.record_class.table}: the server neither stored nor kept the row with the key "
        f"{_listed(key)}; look for a trigger that leaves rows out"
    )


def refuse_other_key(statements: Statements, sent: tuple[Any, ...] | None, came: tuple[Any, ...]) -> None:
    """Refuse a row that came back under another key than those that were sent; None where there were several.

    Raises
    ------
    DatabaseError
        If it did.
    """
    if sent != came:
        which = "a row" if sent is None else f"the row with the key {_listed(sent)}"
        raise DatabaseError(
            f"{statements.record_class.table}: the server gave {which} another key, {_listed(came)}; "
            "look for a trigger that changes it"
        )


def _listed(key: tuple[Any, ...]) -> str:
    return f"({', '.join(map(str, key))})"
