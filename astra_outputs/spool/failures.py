"""Which spectra a pipeline failed on, kept beside the spool: the database knows nothing of them."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TextIO

ENDING = ".failed"
"""How the names of files end, one for each table and version."""


@dataclass(frozen=True)
class NotedFailure:
    """A spectrum on which a pipeline failed, in which major.minor, and when; notes of old have no time."""

    major_minor: int
    spectrum_pk: int
    at: datetime | None


def note_failures(
    folder: Path, table: str, major_minor: int, failures: Iterable[tuple[int | None, str]]
) -> None:
    """Add spectra, each with its error, to those on which a pipeline failed."""
    known = failures_in(folder, table).get(major_minor, set())
    now = datetime.now(UTC).isoformat(timespec="seconds")
    lines = [
        json.dumps({"spectrum_pk": key, "at": now, "error": error[:1_000]}) + "\n"
        for key, error in failures
        if key is not None and key not in known
    ]
    if not lines:
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{table}.{major_minor}{ENDING}"
    with _opened(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, "a") as file:
        file.writelines(lines)


def _opened(path: Path, flags: int, mode: Literal["a", "r"]) -> TextIO:
    """Open a file of notes: no link to another one, and nothing that would keep who opens it waiting.

    Raises
    ------
    OSError
        If it is something else, or cannot be opened.
    """
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is no file")
    return open(descriptor, mode, encoding="utf-8", errors="replace")  # noqa: PTH123


def failures_in(folder: Path, table: str) -> dict[int, set[int]]:
    """Return the keys of the spectra on which a pipeline failed, by major.minor; what is no note is passed over."""
    found: dict[int, set[int]] = {}
    for failure in noted_failures(folder, table):
        found.setdefault(failure.major_minor, set()).add(failure.spectrum_pk)
    return found


def noted_failures(folder: Path, table: str) -> Iterator[NotedFailure]:
    """Yield the spectra on which a pipeline failed; what is no note is passed over."""
    for path in folder.glob(f"*{ENDING}") if folder.is_dir() else ():
        name, _, version = path.name.removesuffix(ENDING).rpartition(".")
        if name != table or not version.isdecimal():
            continue
        for line in _lines(path):
            with suppress(ValueError, TypeError, KeyError, OverflowError, RecursionError):
                note = json.loads(line)
                yield NotedFailure(int(version), int(note["spectrum_pk"]), _time(note.get("at")))


def _lines(path: Path) -> list[str]:
    """Return the lines of a file of notes; none of what is no such file, or may not be read."""
    with suppress(OSError), _opened(path, os.O_RDONLY, "r") as file:
        return file.read().splitlines()
    return []


def _time(text: object) -> datetime | None:
    """Return a time that a note tells, if it tells one, with its zone."""
    with suppress(ValueError, OverflowError):
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
        return at.astimezone(UTC) if at is not None and at.tzinfo is not None else None
    return None
