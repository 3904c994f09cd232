"""What an adoption did, table by table."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from astra_outputs.printable import InNotebooks, printable_lines


@dataclass
class Taken:
    """What became of the rows of one table.

    Attributes
    ----------
    table : str
    about : int
        How many rows the table is thought to have; negative where that is not known.
    read, equal, copied, replaced, kept, aside, different : int
        Rows read; found here already, value by value; stored as new ones; stored over an older state; left alone since
        what is here was stored later; refused and listed; stored, and then found otherwise.
    values : int
        Values that were compared and are equal.
    """

    table: str
    about: int = -1
    read: int = 0
    equal: int = 0
    copied: int = 0
    replaced: int = 0
    kept: int = 0
    aside: int = 0
    different: int = 0
    values: int = 0

    def __str__(self) -> str:
        of = f" of about {self.about:,}" if self.about > self.read else ""
        facts = [f"{self.read:,}{of} rows read"]
        for count, words in (
            (self.copied, "copied"),
            (self.replaced, "copied again"),
            (self.equal, "here already"),
            (self.kept, "newer here and kept"),
            (self.aside, "refused and kept aside"),
            (self.different, "DIFFERENT after copying"),
        ):
            facts += [f"{count:,} {words}"] if count else []
        return printable_lines(f"{self.table}: {', '.join(facts)}; {self.values:,} values equal")


@dataclass
class AdoptionReport(InNotebooks):
    """What an adoption did.

    Attributes
    ----------
    tables : list[Taken]
        In the order in which they were copied.
    left_behind : list[str]
        Tables and columns that no record class has.
    warnings : list[str]
        What was noticed of the times.
    """

    tables: list[Taken] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every row that was read is here, value by value, or was stored here later."""
        return not any(table.aside or table.different for table in self.tables)

    def facts(self) -> dict[str, Any]:
        """Return what it says as plain values, for JSON."""
        return asdict(self) | {"complete": self.complete}

    def __str__(self) -> str:
        lines = [*map(str, self.tables)]
        if self.left_behind:
            lines.append(f"left where they are, since no table here has them: {', '.join(self.left_behind)}")
        return printable_lines("\n".join(lines))
