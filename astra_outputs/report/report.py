"""`report`: asks, puts the page together, and writes it as a whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from astra_outputs.discover import record_classes as built_in
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.record import Record
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.printable import InNotebooks
from astra_outputs.report.asking import Asking
from astra_outputs.report.changes import changes
from astra_outputs.report.diagrams import kiel
from astra_outputs.report.disk import OnDisk
from astra_outputs.report.grid import moment, size
from astra_outputs.report.markup import Html, element, joined
from astra_outputs.report.page import page
from astra_outputs.report.results import coverage, flags, made_by, totals
from astra_outputs.report.server import for_dbas
from astra_outputs.report.throughput import throughput
from astra_outputs.saving.store import Store
from astra_outputs.whole_file import refuse_existing, whole_file

Kind = TypeVar("Kind", bound=Record)


@dataclass(frozen=True)
class ReportPage(InNotebooks):
    """What `report` wrote.

    Attributes
    ----------
    file : Path
    size : int
        In bytes.
    seconds : float
    left_out : tuple[str, ...]
        What the page lacks, and why: rights that this user does not have, tables that differ from their classes.
    """

    file: Path
    size: int
    seconds: float
    left_out: tuple[str, ...]

    def __str__(self) -> str:
        words = f"{self.file}: {self.size:,} bytes in {self.seconds:.1f} s"
        return "\n  left out ".join([words, *self.left_out])


async def report(
    store: Store,
    file: Path | str,
    record_classes: Sequence[type[Record]],
    *,
    spool: Path | str | Iterable[Path | str] | None,
    pictures: bool,
    compared: bool,
    overwrite: bool,
) -> ReportPage:
    """Write the page; see `Outputs.report`."""
    path, begin = Path(file), time.perf_counter()
    refuse_existing(path, overwrite=overwrite)
    pipelines = _kinds_of(PipelineOutputMixin, record_classes)
    kinds = _kinds_of(SpectrumMixin, record_classes)
    asking = Asking(store.reading)
    disk = OnDisk.of(asking, _folders(spool))
    made = await made_by(asking, pipelines, kinds, disk)
    sections = [
        coverage(made, disk, pipelines),
        await throughput(asking, made, disk),
        await flags(asking, made),
    ]
    if pictures:
        sections.append(await kiel(asking, made))
    if compared:
        sections.append(await changes(asking, made))
    behind = Asking(store.database)  # what is counted of a server is counted of the one that is written to
    sections.append(await for_dbas(behind))
    server: list[Any] = []
    with behind.unless_refused("server"):
        server = await behind.rows("server")
    left_out = (*asking.left_out, *behind.left_out)
    title = f"Results in {store.schema}"
    head = joined([_where(server), totals(made, disk), _without(left_out)])
    content = page(title, head, sections).encode()
    with whole_file(path, overwrite=overwrite) as opened:
        opened.write(content)
    return ReportPage(path, len(content), time.perf_counter() - begin, left_out)


def _kinds_of(base: type[Kind], record_classes: Iterable[type[Record]]) -> list[type[Kind]]:
    """Return those that are of a kind; where there is none, all that are built in."""
    given = [entry for entry in record_classes if issubclass(entry, base)]
    return given or [entry for entry in built_in() if issubclass(entry, base)]


def _folders(spool: Path | str | Iterable[Path | str] | None) -> list[Path]:
    named = [] if spool is None else [spool] if isinstance(spool, Path | str) else spool
    return [Path(folder) for folder in named]


def _where(rows: Sequence[Any]) -> Html | None:
    if not rows:
        return None
    (row,) = rows
    told = [
        f"Database {row['name']}, ",
        size(row["bytes"]).shown,
        f", PostgreSQL {row['version']}; asked at ",
    ]
    return element("p", *told, moment(row["asked"]).shown, " UTC.", class_="faint")


def _without(left_out: Sequence[str]) -> Html | None:
    if not left_out:
        return None
    listed = element("ul", *(element("li", sentence) for sentence in left_out))
    return element("div", element("p", "Left out:"), listed, class_="left-out")
