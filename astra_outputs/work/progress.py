"""Shows how far a run is: a line that moves on a terminal, now and then a plain line elsewhere."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from astra_outputs.model.outcome import Outcome
from astra_outputs.work.report import RunReport

if TYPE_CHECKING:
    from rich.console import Console

FRAME = 0.25
"""Seconds between two pictures on a terminal."""

LINE = 30.0
"""Seconds between two lines in a file."""


class Progress:
    """Shows a report that grows, on stderr.

    Parameters
    ----------
    report : RunReport
    total : int, optional
        Spectra to be expected.
    console : rich.console.Console, optional
    every : float
        Seconds between two plain lines.
    """

    def __init__(
        self, report: RunReport, total: int | None = None, console: Console | None = None, every: float = LINE
    ) -> None:
        from rich.console import Console

        self._report, self._total, self._every = report, total, every
        self._console = console or Console(stderr=True, highlight=False)
        self._start = monotonic()

    def line(self) -> str:
        """Say how far the run is."""
        report = self._report
        of = f" of {self._total:,}" if self._total is not None else ""
        stored = (
            sum(report.counts.values()) - report.counts[Outcome.SPOOLED] - report.counts[Outcome.REJECTED]
        )
        parts = [f"{report.made:,} results from {report.drawn:,}{of} spectra", f"{stored:,} stored"]
        bad = {"spooled": report.counts[Outcome.SPOOLED], "failed": len(report.failures)}
        bad["refused"] = report.counts[Outcome.REJECTED]
        parts += [f"{count:,} {what}" for what, count in bad.items() if count]
        rate = report.made / max(monotonic() - self._start, 1e-9)
        return ", ".join([*parts, f"{rate:,.1f}/s"])

    async def run(self) -> None:
        """Show it until cancelled, and once more at the end."""
        with suppress(asyncio.CancelledError):
            await (self._picture() if self._console.is_terminal else self._lines())
        self._console.print(self.line(), markup=False)

    async def _lines(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            self._console.print(self.line(), markup=False)

    async def _picture(self) -> None:
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (BarColumn(), TextColumn("{task.description}", markup=False), TimeRemainingColumn())
        with Bar(*columns, console=self._console, transient=True, auto_refresh=False) as bar:
            task = bar.add_task(self.line(), total=self._total)
            while True:
                bar.update(task, completed=self._report.made, description=self.line(), refresh=True)
                await asyncio.sleep(FRAME)
