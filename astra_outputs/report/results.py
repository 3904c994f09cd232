"""What the pipelines made: how far they are, what was written when, and which flags are set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.postgres.sql import qualified, quote
from astra_outputs.reading.readable import check_readable
from astra_outputs.reading.status import VersionStatus, status_of
from astra_outputs.report.asking import Asking
from astra_outputs.report.chart import Span, bars
from astra_outputs.report.grid import Cell, count, grid, moment, real, share
from astra_outputs.report.markup import Html, element
from astra_outputs.report.page import Section
from astra_outputs.spool.failures import NotedFailure, noted_failures

MOST_MEASURES = 1_000
"""Flags of one answer: PostgreSQL returns at most 1,664 values in a row."""


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
    spool: Path | None,
) -> list[Made]:
    """Return the pipelines that have results, in the order given."""
    found = []
    for pipeline in pipelines:
        with asking.unless_refused(pipeline.table):
            failures = tuple(noted_failures(spool, pipeline.table)) if spool is not None else ()
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
                _version(row["v_astra_major_minor"]): row
                for row in await asking.rows("written_by_version", results=_results(asking, pipeline))
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


def coverage(made: Sequence[Made]) -> Section:
    """Return how far each pipeline is with each version."""
    header = (
        "pipeline",
        "version",
        "spectra",
        "done",
        "of all",
        "pending",
        "failed",
        "time each [s]",
        "last write",
    )
    rows = [
        (
            one.table,
            _by_number(entry.version),
            count(entry.spectra),
            count(entry.done),
            share(entry.done, entry.spectra),
            count(entry.pending),
            count(entry.failed),
            real(one.t_elapsed.get(entry.version), 3),
            moment(entry.last_write),
        )
        for one in made
        for entry in one.versions
    ]
    told = element(
        "p",
        "Spectra of the kinds that a pipeline works on; pending are those without a result of this version, and "
        "those that were stored again since. Failed are those that workers noted beside their spool.",
        class_="faint",
    )
    return Section(
        "coverage",
        "Coverage",
        element("div", told, grid("Coverage", header, rows, nothing="No results are stored.")),
    )


async def throughput(asking: Asking, made: Sequence[Made]) -> Section:
    """Return what each pipeline wrote when, and when it failed."""
    times = [at for one in made for at in (*one.first.values(), *one.last.values())]
    times += [failure.at for one in made for failure in one.failures if failure.at is not None]
    if not times:
        return Section(
            "throughput", "Throughput and failures", element("p", "No results are stored.", class_="nothing")
        )
    span = Span.of(min(times), max(times))
    charts = []
    for one in made:
        with asking.unless_refused(f"{one.table} over time"):
            written: dict[str, dict[int, int]] = {entry.version: {} for entry in one.versions}
            marks = {"results": _results(asking, one.record_class)}
            for row in await asking.rows("written_over_time", span.step, span.begins, **marks):
                place = span.place(row["begins"])
                if place is not None:  # else it was written since the page was begun
                    written.setdefault(_version(row["v_astra_major_minor"]), {})[place] = row["written"]
            failed = Counter(
                place
                for failure in one.failures
                if failure.at is not None and (place := span.place(failure.at)) is not None
            )
            charts.append(bars(one.table, span, written, failed))
    told = element(
        "p",
        f"Results by the time of their last write, in UTC, a bar for each {span}; a result that was replaced counts "
        "once, where it was replaced. Below the line: spectra on which a pipeline failed.",
        class_="faint",
    )
    return Section(
        "throughput",
        "Throughput and failures",
        element("div", told, element("div", *charts, class_="figures")),
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
            results=_results(asking, one.record_class),
        )
        counted = {_version(row[0]): (row[1], list(row.values())[2:]) for row in found}
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


def totals(made: Sequence[Made]) -> Html:
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
    return element(
        "dl",
        *(element("div", element("dt", name), element("dd", value)) for name, value in facts.items()),
        class_="facts",
    )


def _results(asking: Asking, pipeline: type[PipelineOutputMixin]) -> str:
    return qualified(asking.database.schema, pipeline.table)


def _version(number: int) -> str:
    return f"{number // 1_000}.{number % 1_000}"


def _number(version: str) -> int:
    major, _, minor = version.partition(".")
    return 1_000 * int(major) + int(minor)


def _by_number(version: str) -> Cell:
    """Return a version that stands before a later one, 0.9 before 0.10."""
    return Cell(version, _number(version))
