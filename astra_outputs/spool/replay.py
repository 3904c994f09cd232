"""Store what waits in a spool: each record once, and never over a newer one."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from astra_outputs.discover import record_classes
from astra_outputs.errors import ConnectionLost, CorruptSpoolFile, DatabaseError
from astra_outputs.events import tell
from astra_outputs.model.outcome import Outcome
from astra_outputs.model.record import Record
from astra_outputs.postgres.boundaries import transaction
from astra_outputs.postgres.database import Connection
from astra_outputs.postgres.sqlstates import is_transient
from astra_outputs.printable import InNotebooks, printable_lines
from astra_outputs.saving.report import Rejected, SaveReport
from astra_outputs.saving.store import Store
from astra_outputs.saving.whole import save_what_is_taken
from astra_outputs.spool.file_format import SpoolBatch, decode
from astra_outputs.spool.folder import REJECTED, Spool

log = logging.getLogger("astra_outputs.spool")


@dataclass
class ReplayReport(InNotebooks):
    """What a replay did.

    Attributes
    ----------
    files : int
        Files whose records are stored now; they are deleted.
    counts : Counter[Outcome]
        What happened to the records; "kept" are those for which a newer row was stored already.
    rejected : list[tuple[Path, Rejected]]
        Records that the database refused, and the file that holds them now.
    corrupt : list[tuple[Path, str]]
        Damaged files under their new names, and what is wrong with them.
    waiting : list[tuple[Path, str]]
        Files left as they were, and why.
    left : list[tuple[Path, str]]
        Files of earlier times that hold refused or damaged records, and what to do with them.
    """

    files: int = 0
    counts: Counter[Outcome] = field(default_factory=Counter)
    rejected: list[tuple[Path, Rejected]] = field(default_factory=list)
    corrupt: list[tuple[Path, str]] = field(default_factory=list)
    waiting: list[tuple[Path, str]] = field(default_factory=list)
    left: list[tuple[Path, str]] = field(default_factory=list)

    @property
    def all_stored(self) -> bool:
        """Whether nothing is left behind, by this replay or one before."""
        return not (self.rejected or self.corrupt or self.waiting or self.left)

    def add(self, other: ReplayReport) -> None:
        """Take over what another replay did; what still waits is what waited last."""
        self.files += other.files
        self.counts.update(other.counts)
        self.rejected += other.rejected
        self.corrupt += other.corrupt
        self.waiting, self.left = other.waiting, other.left

    def facts(self) -> dict[str, Any]:
        """Return what it says as plain values, for JSON."""
        files = {"damaged": self.corrupt, "waiting": self.waiting, "left": self.left}
        return {
            "files": self.files,
            "counts": {outcome.value: count for outcome, count in self.counts.items() if count},
            "refused": [
                {"file": str(path), "key": one.key, "reason": one.reason} for path, one in self.rejected
            ],
            **{
                name: [{"file": str(path), "why": why} for path, why in found]
                for name, found in files.items()
            },
            "all_stored": self.all_stored,
        }

    def __str__(self) -> str:
        counts = ", ".join(f"{self.counts[outcome]:,} {outcome.value}" for outcome in self.counts)
        lines = [f"{self.files:,} files stored: {counts or 'no records'}"]
        lines += [f"{path}: refused {rejected}" for path, rejected in self.rejected]
        lines += [f"{path}: {why}; kept for you to look at" for path, why in self.corrupt]
        lines += [f"{path}: {why}; still waiting" for path, why in self.waiting]
        lines += [f"{path}: {why}" for path, why in self.left]
        return printable_lines("\n".join(lines))


MEND = "refused by the database; when the table is mended, `astra-outputs replay --rejected` stores it"
LOOK = "damaged; look at it, and move it away: its spectra are pending"


async def replay(
    store: Store,
    spools: Iterable[Spool],
    given: Iterable[type[Record]] = (),
    *,
    rejected: bool = False,
    into: ReplayReport | None = None,
) -> ReplayReport:
    """Store what waits in the spools, the newest results first.

    A file that cannot be stored, for whatever reason of its own, costs itself alone.

    Parameters
    ----------
    store : Store
    spools : iterable of Spool
        Several at once where they may hold results of the same spectra.
    given : iterable of type[Record]
        Classes for the tables of the records, besides the built-in ones and those that are imported
        already. What a file names is never imported.
    rejected : bool
        Try once more what the database refused before.
    into : ReplayReport, optional
        The report to fill, for whoever wants to know how far it came.

    Raises
    ------
    UntrustedSpool
        If a folder belongs to another user, or others can write to it. Nothing is stored.
    ConnectionLost
        If the server stays away; what is not stored stays where it is.
    """
    report, spools = ReplayReport() if into is None else into, list(spools)
    for spool in spools:
        spool.check()
    classes = _Classes(given)
    waiting = []
    for spool in spools:
        _recover(spool, report)
        paths = [*spool.waiting(), *(spool.refused() if rejected else ())]
        waiting += [(path.name, spool, path) for path in paths]
    if waiting:
        folders = " ".join(str(spool.folder) for spool in spools)
        found = sum((spool.contents() for spool in spools), start=Counter[tuple[str, str]]())
        records = ", ".join(f"{table} {version}: {count:,}" for (table, version), count in found.items())
        tell(
            log,
            logging.WARNING,
            "storing what waits in the spool",
            folder=folders,
            files=len(waiting),
            records=records or "unknown",
        )
    # An older result must not replace a newer one, and what is stored now counts as the newest of all.
    for _, spool, path in sorted(waiting, key=lambda entry: entry[0], reverse=True):
        await _replay_file(store, spool, path, classes, report)
    _look_around(spools, report)
    return report


def _recover(spool: Spool, report: ReplayReport) -> None:
    recovered = spool.recover()
    report.corrupt += recovered.corrupt
    for path, why in recovered.corrupt:
        tell(log, logging.ERROR, "spool file is corrupt", file=path.name, why=why)


def _look_around(spools: Iterable[Spool], report: ReplayReport) -> None:
    """Note what lies there besides, so that nobody takes it for stored."""
    known = {path for path, _ in (*report.rejected, *report.corrupt, *report.waiting)}
    for spool in spools:
        for paths, what in ((spool.refused(), MEND), (spool.damaged(), LOOK)):
            report.left += [(path, what) for path in paths if path not in known]


async def _replay_file(
    store: Store, spool: Spool, path: Path, classes: _Classes, report: ReplayReport
) -> None:
    """Store one file, or say in the report why it stays."""
    try:
        with spool.claim(path) as content:
            if content is not None:
                await _store_file(store, spool, path, decode(content, classes.find), report)
    except CorruptSpoolFile as error:
        report.corrupt.append((_aside(spool, path), str(error)))
        tell(log, logging.ERROR, "spool file is corrupt", file=path.name, why=error)
    except Exception as error:
        if isinstance(error, ConnectionLost) or (isinstance(error, DatabaseError) and is_transient(error)):
            raise
        report.waiting.append((path, str(error) or type(error).__name__))
        tell(log, logging.WARNING, "spool file cannot be stored", file=path.name, why=error)


def _aside(spool: Spool, path: Path) -> Path:
    """Rename a damaged file, where that is allowed."""
    try:
        return spool.set_aside(path)
    except OSError:
        return path


async def _store_file(
    store: Store, spool: Spool, path: Path, batch: SpoolBatch, report: ReplayReport
) -> None:
    saved = await store_batch(store, batch)
    refused = [replace(entry, position=batch.places[entry.position]) for entry in saved.rejected]
    refused += batch.refused
    if refused:
        kept = spool.keep(batch.only(refused), batch.since, REJECTED)
        report.rejected += [(kept, entry) for entry in refused]
    spool.remove(path)
    report.files += 1
    report.counts.update(saved.counts)
    report.counts += Counter({Outcome.REJECTED: len(batch.refused)})
    tell(log, logging.INFO, "spool file stored", file=path.name, table=batch.record_class.table, saved=saved)


async def store_batch(store: Store, batch: SpoolBatch) -> SaveReport:
    """Store spooled records in one transaction; a row that was stored later than them stays."""

    async def work(connection: Connection) -> SaveReport:
        async with transaction(connection):
            return await save_what_is_taken(store.inside(connection), batch.records, batch.since)

    return await store.gate.store(
        batch.record_class, lambda _: store.database.run(work, where=batch.record_class.table)
    )


class _Classes:
    """Finds the record class of a file among those given, imported, or built in; it imports nothing else."""

    def __init__(self, given: Iterable[type[Record]]) -> None:
        self._by_table = {record_class.table: record_class for record_class in given}

    def find(self, table: str, name: str) -> type[Record] | None:
        """Return the class given for a table, else the imported one of that name, else the built-in one."""
        if table not in self._by_table:
            for record_class in _subclasses(Record):
                if (record_class.table, _name(record_class)) == (table, name):
                    self._by_table[table] = record_class
        if table not in self._by_table:
            self._by_table = {entry.table: entry for entry in record_classes()} | self._by_table
        return self._by_table.get(table)


def _name(record_class: type[Record]) -> str:
    return f"{record_class.__module__}:{record_class.__qualname__}"


def _subclasses(parent: type[Record]) -> Iterator[type[Record]]:
    for child in parent.__subclasses__():
        yield child
        yield from _subclasses(child)
