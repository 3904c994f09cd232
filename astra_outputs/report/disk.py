"""What lies on workers' disks: results that wait, that were refused or are damaged; and notes of what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from astra_outputs.report.asking import Asking
from astra_outputs.report.grid import Cell, count, grid, moment
from astra_outputs.report.markup import Html, element
from astra_outputs.spool.contents import DAMAGED, REFUSED, UNFINISHED, WAITS, SpoolFile, files_in
from astra_outputs.spool.failures import NotedFailure, noted_failures

NOT_NAMED = (
    "No workers' folder was named (--spool FOLDER): what waits there, and what failed, is not counted."
)
WHAT = {
    WAITS: "astra-outputs replay",
    REFUSED: "mend the table, then astra-outputs replay --rejected",
    DAMAGED: "look at it; its spectra are pending",
    UNFINISHED: "a worker ended; astra-outputs replay, which keeps what is whole",
}
"""What is to be done about each kind of files."""


@dataclass(frozen=True)
class OnDisk:
    """What lies in the folders that were named.

    Attributes
    ----------
    folders : tuple of Path
        Those that could be read.
    files : tuple of SpoolFile
    """

    folders: tuple[Path, ...] = ()
    files: tuple[SpoolFile, ...] = ()

    @classmethod
    def of(cls, asking: Asking, folders: Sequence[Path]) -> OnDisk:
        """Look into folders; one that is not there, or cannot be read, is left out."""
        kept: list[Path] = []
        files: list[SpoolFile] = []
        for folder in dict.fromkeys(folders):
            try:
                if not folder.is_dir():
                    raise NotADirectoryError(0, "there is no such folder")
                files += files_in(folder)
                kept.append(folder)
            except OSError as error:
                asking.left_out.append(f"workers' folder {folder}: {error.strerror}")
        return cls(tuple(kept), tuple(files))

    def failures(self, asking: Asking, table: str) -> tuple[NotedFailure, ...]:
        """Return what workers noted of failures of a pipeline."""
        found: list[NotedFailure] = []
        for folder in self.folders:
            try:
                found += noted_failures(folder, table)
            except OSError as error:
                asking.left_out.append(f"failures of {table} in {folder}: {error.strerror}")
        return tuple(found)

    @cached_property
    def waiting(self) -> Counter[tuple[str, str]]:
        """How many results wait, by table and major.minor."""
        found: Counter[tuple[str, str]] = Counter()
        for file in self.files:
            if file.state == WAITS and file.table is not None and file.version is not None:
                found[file.table, file.version] += file.records or 0
        return found

    def shown(self) -> Html:
        """Return a table of what lies there."""
        if not self.folders:
            return element("p", NOT_NAMED, class_="nothing")
        groups: dict[tuple[Any, ...], list[SpoolFile]] = {}
        for file in self.files:
            groups.setdefault((file.table, file.version, file.state), []).append(file)
        rows = [_row(group, files) for group, files in groups.items()]
        header = ("pipeline", "version", "state", "results", "files", "oldest", "newest", "what to do")
        return grid("On disk", header, rows, nothing="Nothing waits on workers' disks.")


def _row(group: tuple[Any, ...], files: Sequence[SpoolFile]) -> tuple[Any, ...]:
    table, version, state = group
    times = [file.since for file in files if file.since is not None]
    known = [file.records for file in files if file.records is not None]
    return (
        table or "not known",
        version or "-",
        state,
        count(sum(known) if known else None),
        count(len(files)),
        *((moment(min(times)), moment(max(times))) if times else (Cell("-"), Cell("-"))),
        WHAT[state],
    )
