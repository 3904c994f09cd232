"""Store what waits in a spool: each record once, and never over a newer one."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from astra_outputs.errors import AstraOutputsError, CorruptSpoolFile, OtherRecordClass
from astra_outputs.events import tell
from astra_outputs.model.record import Outcome, Record
from astra_outputs.postgres.database import Connection
from astra_outputs.saving.report import Rejected, SaveReport
from astra_outputs.saving.statements import NOT_AFTER, Guards
from astra_outputs.saving.store import Store
from astra_outputs.saving.stream import Options, Saving
from astra_outputs.spool.file_format import SpoolBatch, decode
from astra_outputs.spool.folder import REJECTED, Spool

log = logging.getLogger("astra_outputs.spool")


@dataclass
class ReplayReport:
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
    """

    files: int = 0
    counts: Counter[Outcome] = field(default_factory=Counter)
    rejected: list[tuple[Path, Rejected]] = field(default_factory=list)
    corrupt: list[tuple[Path, str]] = field(default_factory=list)
    waiting: list[tuple[Path, str]] = field(default_factory=list)

    @property
    def all_stored(self) -> bool:
        """Whether nothing is left behind."""
        return not (self.rejected or self.corrupt or self.waiting)

    def add(self, other: ReplayReport) -> None:
        """Take over what another replay did; what still waits is what waited last."""
        self.files += other.files
        self.counts.update(other.counts)
        self.rejected += other.rejected
        self.corrupt += other.corrupt
        self.waiting = other.waiting

    def __str__(self) -> str:
        counts = ", ".join(f"{self.counts[outcome]:,} {outcome.value}" for outcome in self.counts)
        lines = [f"{self.files:,} files stored: {counts or 'no records'}"]
        lines += [f"{path}: refused {rejected}" for path, rejected in self.rejected]
        lines += [f"{path}: {why}; kept for you to look at" for path, why in self.corrupt]
        lines += [f"{path}: {why}; still waiting" for path, why in self.waiting]
        return "\n".join(lines)


async def replay(
    store: Store,
    spools: Iterable[Spool],
    record_classes: Iterable[type[Record]] = (),
    *,
    into: ReplayReport | None = None,
) -> ReplayReport:
    """Store what waits in the spools, the newest results first.

    Parameters
    ----------
    store : Store
    spools : iterable of Spool
        Several at once where they may hold results of the same spectra.
    record_classes : iterable of type[Record]
        Classes for the tables of the records; those that a file names are imported otherwise.
    into : ReplayReport, optional
        The report to fill, for whoever wants to know how far it came.

    Raises
    ------
    ConnectionLost
        If the server stays away; what is not stored stays where it is.
    """
    report = ReplayReport() if into is None else into
    classes = _Classes(record_classes)
    waiting = []
    for spool in spools:
        recovered = spool.recover()
        report.corrupt += recovered.corrupt
        for path, why in recovered.corrupt:
            tell(log, logging.ERROR, "spool file is corrupt", file=path.name, why=why)
        waiting += [(path.name, spool, path) for path in spool.waiting()]
    # An older result must not replace a newer one, and what is stored now counts as the newest of all.
    for _, spool, path in sorted(waiting, key=lambda entry: entry[0], reverse=True):
        with spool.claim(path) as content:
            if content is not None:
                await _replay_file(store, spool, path, content, classes, report)
    return report


async def _replay_file(
    store: Store, spool: Spool, path: Path, content: bytes, classes: _Classes, report: ReplayReport
) -> None:
    try:
        batch = decode(content, classes.find)
    except CorruptSpoolFile as error:
        report.corrupt.append((spool.set_aside(path), str(error)))
        tell(log, logging.ERROR, "spool file is corrupt", file=path.name, why=error)
        return
    except OtherRecordClass as error:
        report.waiting.append((path, str(error)))
        tell(log, logging.WARNING, "spool file cannot be stored", file=path.name, why=error)
        return
    saved = await store_batch(store, batch)
    if saved.rejected:
        refused = [batch.records[rejected.position] for rejected in saved.rejected]
        kept = spool.write(refused, batch.since, ending=REJECTED)
        report.rejected += [(kept, rejected) for rejected in saved.rejected]
    spool.remove(path)
    report.files += 1
    report.counts.update(saved.counts)
    tell(log, logging.INFO, "spool file stored", file=path.name, table=batch.record_class.table, saved=saved)


async def store_batch(store: Store, batch: SpoolBatch) -> SaveReport:
    """Store spooled records in one transaction; a row that was stored later than them stays."""
    guards = Guards(not_after=True)
    options = Options(len(batch.records), duplicates="last", on_error="collect", guards=guards)

    async def work(connection: Connection) -> SaveReport:
        async with connection.transaction():
            await connection.execute("select set_config($1, $2, true)", NOT_AFTER, batch.since.isoformat())
            return await Saving(store.inside(connection), options).run(batch.records)

    await store.gate.check(batch.record_class)
    return await store.database.run(work, where=batch.record_class.table)


class _Classes:
    """Finds the record class that a file names."""

    def __init__(self, given: Iterable[type[Record]]) -> None:
        self._by_table = {record_class.table: record_class for record_class in given}

    def find(self, table: str, name: str) -> type[Record] | None:
        """Return the class given for a table, else the imported one of that name, else import it."""
        if table not in self._by_table:
            for record_class in _subclasses(Record):
                if f"{record_class.__module__}:{record_class.__qualname__}" == name:
                    self._by_table[table] = record_class
        if table not in self._by_table:
            self._import(name.partition(":")[0])
        return self._by_table.get(table)

    def _import(self, module: str) -> None:
        from astra_outputs.discover import record_classes

        try:
            found = record_classes([] if module == "__main__" else [module])
        except AstraOutputsError as error:
            tell(
                log, logging.WARNING, "module of a record class cannot be imported", module=module, why=error
            )
            return
        self._by_table = {record_class.table: record_class for record_class in found} | self._by_table


def _subclasses(parent: type[Record]) -> Iterator[type[Record]]:
    for child in parent.__subclasses__():
        yield child
        yield from _subclasses(child)
