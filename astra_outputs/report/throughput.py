"""What the pipelines wrote when, what waits to be written, and when they failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from astra_outputs.model.version import format_major_minor
from astra_outputs.report.asking import Asking
from astra_outputs.report.chart import Span, bars
from astra_outputs.report.disk import OnDisk
from astra_outputs.report.markup import Html, element
from astra_outputs.report.page import Section
from astra_outputs.report.results import Made, results_of
from astra_outputs.spool.contents import WAITS, SpoolFile


async def throughput(asking: Asking, made: Sequence[Made], disk: OnDisk) -> Section:
    """Return what each pipeline wrote when, and when it failed; and what lies on workers' disks."""
    waiting = [file for file in disk.files if file.state == WAITS and file.since is not None]
    times = [at for one in made for at in (*one.first.values(), *one.last.values())]
    times += [failure.at for one in made for failure in one.failures if failure.at is not None]
    times += [file.since for file in waiting if file.since is not None]
    parts = [element("p", "No results are stored.", class_="nothing")]
    if made and times:
        parts = await _charts(asking, made, waiting, Span.of(min(times), max(times)))
    parts += [element("h3", "On workers' disks"), disk.shown()]
    return Section("throughput", "Throughput and failures", element("div", *parts))


async def _charts(
    asking: Asking, made: Sequence[Made], waiting: Sequence[SpoolFile], span: Span
) -> list[Html]:
    charts = []
    for one in made:
        with asking.unless_refused(f"{one.table} over time"):
            written: dict[str, dict[int, int]] = {entry.version: {} for entry in one.versions}
            marks = {"results": results_of(asking, one.record_class)}
            for row in await asking.rows("written_over_time", span.step, span.begins, **marks):
                place = span.place(row["begins"])
                if place is not None:  # else it was written since the page was begun
                    version = format_major_minor(row["v_astra_major_minor"])
                    written.setdefault(version, {})[place] = row["written"]
            failed = _by_step(span, ((failure.at, 1) for failure in one.failures))
            waits = _by_step(
                span, ((file.since, file.records) for file in waiting if file.table == one.table)
            )
            charts.append(bars(one.table, span, written, failed, waits))
    told = element(
        "p",
        f"Results by the time of their last write, in UTC, a bar for each {span}; a result that was replaced counts "
        "once, where it was replaced. Framed: results that wait on a worker's disk, by the time when they were "
        "finished. Below the line: spectra on which a pipeline failed.",
        class_="faint",
    )
    return [told, element("div", *charts, class_="figures")]


def _by_step(span: Span, counted: Iterable[tuple[datetime | None, int | None]]) -> Counter[int]:
    found: Counter[int] = Counter()
    for at, amount in counted:
        place = span.place(at) if at is not None else None
        if place is not None:
            found[place] += amount or 0
    return found
