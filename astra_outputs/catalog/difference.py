"""One thing on which a record class, its SQL file and the database do not agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum


class Says(Enum):
    """Who says something of a table."""

    RECORD = "record class"
    FILE = "SQL file"
    DATABASE = "database"


CONCERNS = ("stops writing", "stops reading", "types", "the rest")
"""What a difference does, the worst first."""

TOPICS = {
    "table": "tables",
    "column": "columns",
    "type": "types",
    "nullability": "nullability",
    "default": "defaults",
    "generated": "generated",
    "comment": "comments",
    "primary": "keys",
    "unique": "keys",
    "foreign": "foreign-keys",
    "check": "checks",
    "index": "indexes",
    "flag": "flags",
    "values": "values",
    "times": "times",
}
"""What a difference is about, by the first word of its aspect."""

MISSING = "missing"
NONE = "none"


@dataclass(frozen=True)
class Difference:
    """One thing on which those who were asked do not agree.

    Attributes
    ----------
    table : str
    column : str or None
        None for what concerns the table as a whole.
    aspect : str
        What differs: "type", "unique key", "comment", ...
    says : Mapping[Says, str]
        What each of those who were asked says; "missing" and "none" in place of nothing.
    stops_writing : bool
        Whether the database could not store a record, or would store something else.
    stops_reading : bool
        Whether a row could not be read as a record, or would be read as something else.
    """

    table: str
    column: str | None
    aspect: str
    says: Mapping[Says, str]
    stops_writing: bool = False
    stops_reading: bool = False

    @property
    def concern(self) -> str:
        """Whom it concerns: one of `CONCERNS`."""
        if self.stops_writing:
            return CONCERNS[0]
        if self.stops_reading:
            return CONCERNS[1]
        return CONCERNS[2] if self.aspect == "type" else CONCERNS[3]

    @property
    def topic(self) -> str:
        """What it is about: one of the values of `TOPICS`."""
        return TOPICS["flag" if " of flag " in self.aspect else self.aspect.partition(" ")[0]]

    @property
    def subject(self) -> str:
        """`table.column`, or the table."""
        return self.table if self.column is None else f"{self.table}.{self.column}"

    def __str__(self) -> str:
        missing = [who.value for who, what in self.says.items() if what == MISSING]
        if missing:
            what = self.subject if self.aspect in ("table", "column") else f"{self.subject}, {self.aspect}"
            return f"{what}: missing in the {' and in the '.join(missing)}"
        said = ", ".join(f"{who.value} says {what}" for who, what in self.says.items())
        return f"{self.subject}, {self.aspect}: {said}"


def differ(says: Mapping[Says, str]) -> bool:
    """Tell whether not all say the same."""
    return len(set(says.values())) > 1


def union(groups: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield the entries of several groups, each once, in the order in which they first occur."""
    return iter(dict.fromkeys(entry for group in groups for entry in group))
