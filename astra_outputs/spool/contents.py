"""What lies in the folders of workers: results that wait, and those that nobody stores without being asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from astra_outputs.errors import CorruptSpoolFile
from astra_outputs.spool.folder import Spool

WAITS, REFUSED, DAMAGED, UNFINISHED = "waits", "refused", "damaged", "unfinished"


@dataclass(frozen=True)
class SpoolFile:
    """A file of results on a worker's disk.

    Attributes
    ----------
    path : Path
    state : str
        Whether it waits, was refused by the database, is damaged, or was left half-written (unfinished).
    table, version : str or None
        What it says of its records, which is not verified; None where it cannot be read.
    records : int or None
    since : datetime or None
        When they were ready to be stored.
    """

    path: Path
    state: str
    table: str | None = None
    version: str | None = None
    records: int | None = None
    since: datetime | None = None


def files_in(folder: Path) -> Iterator[SpoolFile]:
    """Yield the files of results in a folder; of a damaged one, and of one that is gone, nothing is known.

    Raises
    ------
    OSError
        If the folder cannot be read.
    """
    spool = Spool(folder)
    found = {
        WAITS: spool.waiting(),
        REFUSED: spool.refused(),
        DAMAGED: spool.damaged(),
        UNFINISHED: spool.abandoned(),
    }
    for state, paths in found.items():
        for path in paths:
            with suppress(FileNotFoundError):  # stored meanwhile
                try:
                    yield SpoolFile(path, state, *spool.look(path))
                except CorruptSpoolFile:
                    yield SpoolFile(path, DAMAGED if state == WAITS else state)
