"""What the pipelines made: how far they are, and which flags are set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from astra_outputs.compare.measures import MOST_MEASURES
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.model.version import format_major_minor
from astra_outputs.postgres.sql import qualified, quote
from astra_outputs.reading.readable import check_readable
from astra_outputs.reading.status import VersionStatus, status_of
from astra_outputs.report.asking import Asking
from astra_outputs.report.disk import OnDisk
from astra_outputs.report.grid import Cell, count, grid, moment, real, share
from astra_outputs.report.markup import Html, element
from astra_outputs.report.page import Section
from astra_outputs.spool.failures import NotedFailure


@dataclass(frozen=True)
class Made:
    """What is known of one pipeline that has results.

    Attributes
    ----------
    record_class : type[PipelineOutputMixin]
    versions : list[VersionStatus]
        The newest first.
    first, last : dict[str, datetime]
        Between which times results of each version were written.
    t_elapsed : dict[str, float or None]
        How long one took on average [s].
    failures : tuple[NotedFailure, ...]
        What workers noted beside their spool.
    """

    record_class: type[PipelineOutputMixin]
    versions: list[VersionStatus]
    first: dict[str, datetime]
    last: dict[str, datetime]
    t_elapsed: dict[str, float | None]
    failures: tuple[NotedFailure, ...]

    @property
    def table(self) -> str:
        """The pipeline's table."""
        return self.record_class.table


async def made_by(
    asking: Asking,
    pipelines: Sequence[type[PipelineOutputMixin]],
    kinds: Sequence[type[SpectrumMixin]],
    disk: OnDisk,
) -> list[Made]:
    """Return the pipelines that have results, in the order given."""
    found = []
    for pipeline in pipelines:
        with asking.unless_refused(pipeline.table):
            failures = disk.failures(asking, pipeline.table)
            failed: dict[int, set[int]] = {}
            for failure in failures:
                failed.setdefault(failure.major_minor, set()).add(failure.spectrum_pk)
            versions = await status_of(asking.database, pipeline, kinds, dict(failed))
            if not versions:
                if failures:
                    spectra = len({failure.spectrum_pk for failure in failures})
                    asking.left_out.append(
                        f"{pipeline.table}: no result is stored; it failed on {spectra:,} spectra"
                    )
                continue
            await check_readable(asking.database, pipeline)
            rows = {
                format_major_minor(row["v_astra_major_minor"]): row
                for row in await asking.rows("written_by_version", results=results_of(asking, pipeline))
            }
            found.append(
                Made(
                    pipeline,
                    versions,
                    {version: row["first_write"] for version, row in rows.items()},
                    {version: row["last_write"] for version, row in rows.items()},
                    {version: row["t_elapsed"] for version, row in rows.items()},
                    failures,
                )
            )
    return found


def coverage(made: Sequence[Made], disk: OnDisk, pipelines: Sequence[type[PipelineOutputMixin]]) -> Section:
    """Return how far each pipeline is with each version, and how many of its results wait on disks."""
    names = ("pipeline", "version", "spectra", "done", "of all", "pending", "failed")
    header = (*names, "on disk", "time each [s]", "last write")
    waiting = disk.waiting.copy()
    rows: list[tuple[Any, ...]] = [
        (
            one.table,
            _by_number(entry.version),
            count(entry.spectra),
            count(entry.done),
            share(entry.done, entry.spectra),
            count(entry.pending),
            count(entry.failed),
            count(waiting.pop((one.table, entry.version), 0) if disk.folders else None),
            real(one.t_elapsed.get(entry.version), 3),
            moment(entry.last_write),
        )
        for one in made
        for entry in one.versions
    ]
    shown = {pipeline.table for pipeline in pipelines}
    rows += [
        (table, version, *(count(known) for known in (None, 0, None, None, None, some)), real(None), "")
        for (table, version), some in waiting.items()
        if table in shown
    ]
    told = element(
        "p",
        "Spectra of the kinds that a pipeline works on; pending are those without a result of this version, and "
        "those that were stored again since. Failed are those that workers noted in their folders; on disk are results that wait there to be stored.",
        class_="faint",
    )
    return Section(
        "coverage",
        "Coverage",
        element("div", told, grid("Coverage", header, rows, nothing="No results are stored.")),
    )


async def flags(asking: Asking, made: Sequence[Made]) -> Section:
    """Return how often each flag is set in each pipeline's newest version, and in the one before."""
    rows: list[tuple[Any, ...]] = []
    for one in made:
        with asking.unless_refused(f"flags of {one.table}"):
            rows += await _flags_of(asking, one)
    rows.sort(key=lambda row: -(row[4].sort or 0))
    header = ("pipeline", "version", "flag", "spectra", "share", "version before", "meaning")
    told = element(
        "p", "Flags that are set in any result of the newest version or the one before.", class_="faint"
    )
    return Section(
        "flags",
        "Flags by frequency",
        element("div", told, grid("Flags", header, rows, nothing="No flag is set.")),
    )


async def _flags_of(asking: Asking, one: Made) -> list[tuple[Any, ...]]:
    newest, *before = [entry.version for entry in one.versions][:2]
    named = [(column, bit) for column, bits in one.record_class.flag_names.bits.items() for bit in bits]
    rows: list[tuple[Any, ...]] = []
    for begin in range(0, len(named), MOST_MEASURES):
        part = named[begin : begin + MOST_MEASURES]
        measures = ", ".join(
            f"count(*) filter (where results.{quote(column)} & {bit.mask}::bigint <> 0)"
            for column, bit in part
        )
        found = await asking.rows(
            "flags_by_version",
            [_number(version) for version in (newest, *before)],
            measures=measures,
            results=results_of(asking, one.record_class),
        )
        counted = {format_major_minor(row[0]): (row[1], list(row.values())[2:]) for row in found}
        for place, (column, bit) in enumerate(part):
            total, now = counted[newest][0], counted[newest][1][place]
            old_total, old = (counted[before[0]][0], counted[before[0]][1][place]) if before else (None, 0)
            if now or old:
                earlier = share(old, old_total)
                name = f"{column}.{bit.name}"
                rows.append(
                    (one.table, _by_number(newest), name, count(now), share(now, total), earlier, bit.meaning)
                )
    return rows


def totals(made: Sequence[Made], disk: OnDisk) -> Html:
    """Return the numbers that stand at the top."""
    results = sum(entry.done for one in made for entry in one.versions)
    last = max((at for one in made for at in one.last.values()), default=None)
    facts: dict[str, object] = {
        "results": f"{results:,}",
        "pipelines": len(made),
        "last hour": f"{sum(entry.last_hour for one in made for entry in one.versions):,}",
        "pending": f"{sum(one.versions[0].pending for one in made):,}",
        "last write": moment(last).shown,
    }
    if disk.folders:
        facts["on disk"] = f"{disk.waiting.total():,}"
    return element(
        "dl",
        *(element("div", element("dt", name), element("dd", value)) for name, value in facts.items()),
        class_="facts",
    )


def results_of(asking: Asking, pipeline: type[PipelineOutputMixin]) -> str:
    """Return the table of a pipeline's results, quoted."""
    return qualified(asking.database.schema, pipeline.table)


def _number(version: str) -> int:
    major, _, minor = version.partition(".")
    return 1_000 * int(major) + int(minor)


def _by_number(version: str) -> Cell:
    """Return a version that stands before a later one, 0.9 before 0.10."""
    return Cell(version, _number(version))
