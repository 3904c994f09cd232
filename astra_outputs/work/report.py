"""What a run did: how many of each outcome, and every spectrum or record that went wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from astra_outputs.model.outcome import Outcome
from astra_outputs.printable import InNotebooks, printable_lines
from astra_outputs.saving.report import Rejected
from astra_outputs.spool.replay import ReplayReport

SHOWN = 20
"""Most lines of one kind that a report prints."""


@dataclass(frozen=True)
class Failure:
    """A spectrum on which the pipeline raised an exception.

    Attributes
    ----------
    spectrum_pk : int or None
    error : str
        Type and message of the exception.
    trace : str
        Its traceback.
    """

    spectrum_pk: int | None
    error: str
    trace: str = field(default="", repr=False, compare=False)

    def __str__(self) -> str:
        return printable_lines(f"spectrum {self.spectrum_pk}: {self.error}")


@dataclass
class RunReport(InNotebooks):
    """What a run did.

    Attributes
    ----------
    drawn : int
        Spectra that the pipeline was given.
    made : int
        Records that it made.
    counts : Counter[Outcome]
        What became of them. "spooled" ones wait on the disk, or were stored from there since.
    failures : list[Failure]
        Spectra on which the pipeline raised an exception.
    rejected : list[Rejected]
        Records that the database refused; their values are in a file of the spool, unless lost.
    lost : list[dict[str, Any]]
        Keys of records that neither the database nor the spool could take.
    repeated : list[dict[str, Any]]
        Keys of results that gave way to a later one of the same spectrum and version, in this run.
    replayed : ReplayReport
        What was stored out of the spool.
    spool : Path or None
        The folder in which records wait.
    elapsed, overhead : float
        Seconds that the pipeline spent on results, and on what they have in common.
    """

    drawn: int = 0
    made: int = 0
    counts: Counter[Outcome] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    lost: list[dict[str, Any]] = field(default_factory=list)
    repeated: list[dict[str, Any]] = field(default_factory=list)
    replayed: ReplayReport = field(default_factory=ReplayReport)
    spool: Path | None = None
    elapsed: float = 0.0
    overhead: float = 0.0

    @property
    def waiting(self) -> int:
        """Files of the spool that wait to be stored, of earlier runs included."""
        return len(list(self.spool.glob("*.spool"))) if self.spool and self.spool.is_dir() else 0

    @property
    def left(self) -> bool:
        """Whether a result is finished and not in the database: refused, lost, damaged, or on the disk."""
        return bool(self.rejected or self.lost or self.waiting) or not self.replayed.all_stored

    @property
    def all_stored(self) -> bool:
        """Whether every spectrum has its result, in the database."""
        return not (self.failures or self.left)

    def facts(self) -> dict[str, Any]:
        """Return what it says as plain values, for JSON."""
        return {
            "spectra": self.drawn,
            "results": self.made,
            "counts": {outcome.value: count for outcome, count in self.counts.items() if count},
            "failed": [
                {"spectrum_pk": failure.spectrum_pk, "error": failure.error} for failure in self.failures
            ],
            "refused": [{"key": one.key, "reason": one.reason} for one in self.rejected],
            "lost": self.lost,
            "repeated": self.repeated,
            "from_spool": self.replayed.facts(),
            "files_waiting": self.waiting,
            "elapsed": self.elapsed,
            "overhead": self.overhead,
            "all_stored": self.all_stored,
        }

    def __str__(self) -> str:
        counts = ", ".join(f"{count:,} {outcome.value}" for outcome, count in self.counts.items() if count)
        lines = [f"{self.drawn:,} spectra, {self.made:,} results: {counts or 'none stored'}"]
        if self.replayed.files or not self.replayed.all_stored:
            lines.append(f"from the spool: {self.replayed}")
        lines += _some("failed", self.failures)
        lines += _some("refused by the database", self.rejected)
        lines += _some("lost", self.lost)
        lines += _some("gave way to a later result of the same spectrum", self.repeated)
        if self.waiting:
            lines.append(f"{self.waiting} files wait: store them with `astra-outputs replay {self.spool}`")
        return printable_lines("\n".join(lines))


def _some(title: str, entries: list[Any]) -> list[str]:
    lines = [f"{title}: {entry}" for entry in entries[:SHOWN]]
    return lines + ([f"{title}: {len(entries) - SHOWN:,} more"] if len(entries) > SHOWN else [])
