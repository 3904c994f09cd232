"""`Outcome`: what became of a record, and how it is told."""

from __future__ import annotations

from enum import Enum
from typing import Any


class Outcome(Enum):
    """What a save did to one record."""

    INSERTED = "inserted"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    """The stored row was the same already (`skip_unchanged`)."""
    KEPT = "kept"
    """The stored row is newer and stayed (`keep_newer`, or the record came out of a spool)."""
    REJECTED = "rejected"
    """The database refused the row; the reason is in the report."""
    SPOOLED = "spooled"
    """The database was away: the row is on the worker's disk, to be stored later."""


def assign(record: Any, outcome: Outcome, **columns: Any) -> None:
    """Give a record what the database says of its row after a save; not validated again."""
    # The name: a dictionary of numbers and texts is one that the garbage collector need not look into.
    record.__dict__.update(columns, outcome=outcome.value)
