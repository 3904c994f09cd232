"""What a worker was told of its records, written down so that no crash of the worker takes it back."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from astra_outputs import Outcome, TheCannon

WRITTEN = (Outcome.INSERTED, Outcome.REPLACED)
Key = tuple[int, int]
"""(spectrum_pk, v_astra)"""

COLUMNS = ("spectrum_pk", "v_astra", "tag", "teff", "logg", "fe_h", "c_fe", "rchi2", "result_flags")
"""The columns that are a function of a result's key and generation."""


def values(spectrum_pk: int, v_astra: int, generation: int) -> dict[str, Any]:
    """Return what the result of this generation must be; every number survives single precision."""
    mixed = (spectrum_pk * 2_654_435_761 + v_astra * 40_503 + generation * 97) & 0xFFFF_FFFF
    return {
        "tag": f"{spectrum_pk}/{v_astra}/{generation}",
        "teff": float(3_000 + mixed % 4_001),
        "logg": (mixed >> 4) % 2_048 / 256,
        "fe_h": (mixed >> 8) % 1_024 / 256 - 2,
        "c_fe": None if mixed % 7 == 0 else (mixed >> 12) % 512 / 256,
        "rchi2": float(generation),
        "result_flags": mixed,
    }


def result(spectrum: Any, v_astra: int, generation: int) -> TheCannon:
    """Return the result of a generation: a later one replaces an earlier one."""
    record = TheCannon.from_spectrum(
        spectrum, v_astra=v_astra, **values(spectrum.spectrum_pk, v_astra, generation)
    )
    assert isinstance(record, TheCannon)
    return record


def generation_of(tag: str) -> int:
    """Return the generation that a result says it is of."""
    return int(tag.rpartition("/")[2])


class Writer:
    """The worker's side: lines appended to a file, each by one write, synced now and then."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._unsynced = 0

    def told(self, records: Iterable[TheCannon]) -> None:
        """Write down what the records say became of them."""
        for record in records:
            key = f"{record.spectrum_pk} {record.v_astra} {generation_of(record.tag)}"
            if record.outcome in WRITTEN:
                assert record.created is not None
                self._line(f"stored {key} {record.task_pk} {record.created.isoformat()}")
            elif record.outcome is Outcome.SPOOLED:
                self._line(f"spooled {key}")
            else:
                self._line(f"{record.outcome} {key}")

    def fact(self, kind: str, **facts: Any) -> None:
        """Write down something else."""
        self._line(f"{kind} {json.dumps(facts)}")
        self.sync()

    def _line(self, line: str) -> None:
        os.write(self._file, line.encode() + b"\n")
        self._unsynced += 1
        if self._unsynced >= 500:
            self.sync()

    def sync(self) -> None:
        """Put everything on the disk."""
        os.fsync(self._file)
        self._unsynced = 0


@dataclass
class Told:
    """What the workers were told: for each key the newest generation, and what goes with it."""

    stored: dict[Key, int] = field(default_factory=dict)
    spooled: dict[Key, int] = field(default_factory=dict)
    identity: dict[Key, tuple[int, str]] = field(default_factory=dict)
    """task_pk and created; they never change."""
    contradictions: list[str] = field(default_factory=list)
    ends: list[dict[str, Any]] = field(default_factory=list)
    lines: int = 0

    @classmethod
    def read(cls, paths: Iterable[Path]) -> Told:
        """Read what is written by now; a last line without its end was never said."""
        told = cls()
        for path in sorted(paths):
            whole, _, _ = path.read_text().rpartition("\n")
            for line in filter(None, whole.split("\n")):
                told._take(path, line)
        return told

    def _take(self, path: Path, line: str) -> None:
        self.lines += 1
        kind, _, rest = line.partition(" ")
        if kind == "end":
            self.ends.append(json.loads(rest) | {"witness": path.name})
            return
        if kind == "note":
            return
        if kind not in ("stored", "spooled"):
            self.contradictions.append(f"{path.name}: {line}")
            return
        numbers = rest.split()
        key, generation = (int(numbers[0]), int(numbers[1])), int(numbers[2])
        seen = self.stored if kind == "stored" else self.spooled
        seen[key] = max(generation, seen.get(key, 0))
        if kind == "stored":
            identity = (int(numbers[3]), numbers[4])
            if self.identity.setdefault(key, identity) != identity:
                self.contradictions.append(f"{key}: (task_pk, created) {self.identity[key]}, then {identity}")
