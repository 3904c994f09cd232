"""`Cost`: what one row of a table takes, as `python -m benchmarks.planning` measured it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("measured.json")


@dataclass(frozen=True)
class Cost:
    """What one row of a table takes.

    Attributes
    ----------
    heap, indexes : float
        Bytes of the table, with what is stored beside it, and of its indexes.
    dump : float
        Bytes of a compressed dump (`pg_dump -Fc`).
    wal_first, wal_again : float
        Bytes of the log of changes, where the row is new and where it is replaced.
    first, again : float
        Seconds to store it on one connection, new and replaced.
    vacuum, dumping, restoring : float
        Seconds to vacuum it after it was replaced, to dump and to restore it.
    """

    heap: float
    indexes: float
    dump: float
    wal_first: float
    wal_again: float
    first: float
    again: float
    vacuum: float
    dumping: float
    restoring: float

    @property
    def stored(self) -> float:
        """Bytes on the disk."""
        return self.heap + self.indexes


@lru_cache(maxsize=1)
def measured() -> dict[str, Any]:
    """Return the file of measurements: on what machine, and by table."""
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def costs() -> dict[str, Cost]:
    """Return what a row takes, by table."""
    return {table: Cost(**values) for table, values in measured()["tables"].items()}


def average(of: list[Cost]) -> Cost:
    """Return what a row of a table takes that is like the mean of others."""
    names = list(Cost.__dataclass_fields__)
    return Cost(**{name: sum(getattr(cost, name) for cost in of) / len(of) for name in names})
