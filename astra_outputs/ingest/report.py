"""What an ingest did, and the rows that it refused, each with its reason."""

from __future__ import annotations

import csv
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from astra_outputs.errors import FileExists, MissingFile
from astra_outputs.model.record import Outcome

HEADER = ["file", "row", "column", "value", "reason"]


def check_place(path: Path) -> None:
    """Refuse to list refused rows where that cannot be done, or where another file would be lost.

    Raises
    ------
    MissingFile
        If there is no such folder.
    PermissionError
        If nothing can be written into it.
    FileExists
        If there is a file that no ingest has written.
    """
    elsewhere = "name a file for the list of refused rows by --report"
    if not path.parent.is_dir():
        raise MissingFile(f"there is no folder {path.parent}: {elsewhere}")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"{path.parent} cannot be written to: {elsewhere}")
    if path.exists():
        with path.open(encoding="utf-8", errors="replace") as file:
            if file.readline().strip() != ",".join(HEADER):
                raise FileExists(f"{path} is something else already: {elsewhere}")


@dataclass(frozen=True)
class Refused:
    """One row that was not stored.

    Attributes
    ----------
    file : str
    row : int
        Counted from 1, without the header.
    column : str
        Column of the table; empty where the whole row is meant.
    value : Any
        What the file says.
    reason : str
    """

    file: str
    row: int
    column: str
    value: Any
    reason: str


@dataclass
class IngestReport:
    """What an ingest did.

    Attributes
    ----------
    read, passed_over, merged : int
        Rows of the files; those without any value that the mapping requires; those that joined another.
    checked : int
        Results that a dry run found nothing wrong with.
    outcomes : Counter[Outcome]
        What happened to the results.
    refused : list[Refused]
        Rows that were not stored.
    """

    read: int = 0
    passed_over: int = 0
    merged: int = 0
    checked: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    refused: list[Refused] = field(default_factory=list)

    def write_refused(self, path: Path) -> None:
        """Write the refused rows as a CSV file, whole or not at all; remove an earlier one if there are none."""
        if not self.refused:
            path.unlink(missing_ok=True)
            return
        partial = path.with_name(f".{path.name}.partial")
        with partial.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
            lines = csv.writer(file)
            lines.writerow(HEADER)
            for refused in self.refused:
                value = "" if refused.value is None else refused.value
                lines.writerow([refused.file, refused.row, refused.column, value, refused.reason])
        partial.replace(path)

    def __str__(self) -> str:
        facts = [f"{self.read:,} rows read"]
        facts += [f"{self.passed_over:,} without values passed over"] if self.passed_over else []
        facts += [f"{self.merged:,} merged into another of the same star"] if self.merged else []
        facts += [f"{self.checked:,} results checked, nothing stored"] if self.checked else []
        facts += [f"{count:,} results {outcome.value}" for outcome, count in self.outcomes.items()]
        facts.append(f"{len({(one.file, one.row) for one in self.refused}):,} refused")
        return ", ".join(facts)
