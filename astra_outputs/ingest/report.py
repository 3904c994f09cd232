"""What an ingest did, and the rows that it refused, each with its reason."""

from __future__ import annotations

import csv
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

from astra_outputs.errors import FileExists, MissingFile, shorten
from astra_outputs.ingest.star import Star
from astra_outputs.model.outcome import Outcome
from astra_outputs.printable import InNotebooks, cell

HEADER = ["file", "row", "column", "value", "reason"]

LONGEST = 1_000
"""Most characters of a value that are listed."""


def check_place(path: Path) -> None:
    """Refuse to list refused rows where that cannot be done, or where another file would be lost.

    Raises
    ------
    MissingFile
        If there is no such folder.
    PermissionError
        If nothing can be written into it.
    FileExists
        If there is a file that no ingest has written, or a link.
    """
    elsewhere = "name a file for the list of refused rows by --report"
    if not path.parent.is_dir():
        raise MissingFile(f"there is no folder {path.parent}: {elsewhere}")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"{path.parent} cannot be written to: {elsewhere}")
    if path.is_symlink():
        raise FileExists(f"{path} is a link, which is not followed: {elsewhere}")
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
class IngestReport(InNotebooks):
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

    def refuse(self, star: Star, column: str, value: Any, reason: str) -> None:
        """List a row that is not stored, or a value of it."""
        self.refused.append(Refused(star.file, star.row, column, value, reason))

    def write_refused(self, path: Path) -> None:
        """Write the refused rows as a CSV file, whole or not at all; remove an earlier one if there are none."""
        if not self.refused:
            path.unlink(missing_ok=True)
            return
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        partial = f".{path.name}.{token_hex(8)}.partial"
        try:
            # A new file of this process alone, wherever a link of that name would lead; then in one step in its place.
            made = os.open(
                partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666, dir_fd=folder
            )
            try:
                with os.fdopen(made, "w", newline="", encoding="utf-8", errors="backslashreplace") as file:
                    lines = csv.writer(file)
                    lines.writerow(HEADER)
                    for one in self.refused:
                        lines.writerow(map(_cell, (one.file, one.row, one.column, one.value, one.reason)))
                os.replace(partial, path.name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                os.unlink(partial, dir_fd=folder)
                raise
        finally:
            os.close(folder)

    def facts(self) -> dict[str, Any]:
        """Return what it says as plain values, for JSON."""
        return {
            "read": self.read,
            "passed_over": self.passed_over,
            "merged": self.merged,
            "checked": self.checked,
            "outcomes": {outcome.value: count for outcome, count in self.outcomes.items()},
            "refused": len({(one.file, one.row) for one in self.refused}),
        }

    def __str__(self) -> str:
        facts = [f"{self.read:,} rows read"]
        facts += [f"{self.passed_over:,} without values passed over"] if self.passed_over else []
        facts += [f"{self.merged:,} merged into another of the same star"] if self.merged else []
        facts += [f"{self.checked:,} results checked, nothing stored"] if self.checked else []
        facts += [f"{count:,} results {outcome.value}" for outcome, count in self.outcomes.items()]
        facts.append(f"{len({(one.file, one.row) for one in self.refused}):,} refused")
        return ", ".join(facts)


def _cell(value: Any) -> str:
    """Return a value as one cell of the list: no formula of a spreadsheet, nothing that a terminal obeys."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else shorten(value)
    return cell(text if len(text) <= LONGEST else f"{text[:LONGEST]}...")
