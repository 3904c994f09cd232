"""The worker behind `astra-outputs run`: one run, or one after the other; told to stop, it ends in time."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from astra_outputs.cli.options import say
from astra_outputs.printable import as_json

if TYPE_CHECKING:
    from astra_outputs.reading.pending import Pending
    from astra_outputs.repository import Outputs
    from astra_outputs.work import Run, RunReport
    from astra_outputs.work.driving import AnyPipeline

log = logging.getLogger("astra_outputs.worker")

EXIT_BY_SIGNAL = 128
"""Added to a signal's number in the exit code, as shells do."""

MARGIN = 0.75
"""Seconds beyond the grace, for the spool and the last words."""


BUSY = 30.0
"""Seconds more for results that are not safe yet: a run ends by itself, unless the disk hangs as well."""


@dataclass
class Worker:
    """Runs a pipeline until nothing is pending; if it watches, until it is told to stop.

    Attributes
    ----------
    asked : list[Pending]
        Which spectra: of each kind those that are pending.
    limit : int or None
        Most spectra, of all kinds together.
    json : bool
        Print reports as JSON, one a line.
    signal : int or None
        The signal that ended it.
    left : bool
        Whether a result is not in the database.
    """

    pipeline: AnyPipeline
    asked: list[Pending[Any]]
    options: Any
    watch: float | None
    limit: int | None = None
    json: bool = False
    signal: int | None = None
    left: bool = False
    _gone: bool = False
    _deadline: float = 0.0
    _run: Run[Any] | None = None
    _failed: set[int | None] = field(default_factory=set)
    _told: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def code(self) -> int:
        """The exit code."""
        return int(self.left) if self.signal is None else EXIT_BY_SIGNAL + self.signal

    async def work(self, dsn: str | None, schema: str, retry_for: float) -> None:
        """Work off what is pending, once or again and again; once told to stop, end in time."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, number)
        job = asyncio.create_task(self._work(dsn, schema, retry_for))
        told = asyncio.create_task(self._told.wait())
        await asyncio.wait({job, told}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        while not job.done() and self._until() > loop.time():
            await asyncio.wait({job}, timeout=0.1)
        # What a server that does not answer still holds up is nothing that could get lost.
        if not job.done() or (self.signal is not None and len(asyncio.all_tasks()) > 1):
            self._leave()
        await job

    def _until(self) -> float:
        """Return when to leave: results that are on their way to the disk get there, however busy the machine is."""
        return self._deadline + (BUSY if self._run is not None else 0.0)

    def _leave(self) -> NoReturn:
        """End the process as it is."""
        if self._run is not None:
            self._print(self._run.report)
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(self.code)

    async def _work(self, dsn: str | None, schema: str, retry_for: float) -> None:
        from astra_outputs.errors import ConnectionLost
        from astra_outputs.repository import connect

        async with connect(dsn, schema=schema, retry_for=retry_for) as outputs:
            while not self._told.is_set():
                try:
                    report = await self._once(outputs)
                except ConnectionLost as error:
                    if self.watch is None:
                        raise
                    log.warning("%s", error)
                else:
                    self._print(report)
                    self._gone = self._gone or bool(report.rejected or report.lost)
                    self.left = self._gone or report.left
                if self.watch is None:
                    return
                try:
                    async with asyncio.timeout(self.watch):
                        await self._told.wait()
                except TimeoutError:
                    continue

    async def _once(self, outputs: Outputs) -> RunReport:
        from dataclasses import replace

        from astra_outputs.work import Run

        options = self.options
        if sys.stderr.isatty():
            total = sum([await asked.count(outputs.store.database) for asked in self.asked])
            options = replace(options, total=total if self.limit is None else min(total, self.limit))
        makes = self.asked[0].record_class
        self._run = Run(outputs.store, self.pipeline, self._spectra(outputs), options, makes)
        try:
            report = await self._run
            # What is made again is made once, however long is watched.
            self.asked = [replace(asked, since=None) for asked in self.asked]
            return report
        finally:
            failures = self._run.report.failures
            self._failed |= {failure.spectrum_pk for failure in failures}
            self._run = None
            if self.signal is not None:  # all is safe: a server that hangs need not be taken leave of
                self._deadline = min(self._deadline, asyncio.get_running_loop().time() + MARGIN)

    async def _spectra(self, outputs: Outputs) -> AsyncIterator[Any]:
        """Yield what is pending, but for those that failed since this worker was started."""
        drawn = 0
        for asked in self.asked:
            async for spectrum in asked.stream(outputs.store.database):
                if drawn == self.limit:
                    return
                if spectrum.spectrum_pk not in self._failed:
                    drawn += 1
                    yield spectrum

    def _print(self, report: RunReport) -> None:
        if self.json:
            typer.echo(as_json(report.facts(), indent=None))
        else:
            say(report)

    def _stop(self, number: int) -> None:
        """Stop within the grace; told once more, at once."""
        grace = 0.0 if self.signal is not None or self._run is None else self.options.grace
        self.signal = self.signal or number
        self._deadline = asyncio.get_running_loop().time() + grace + MARGIN
        self._told.set()
        if self._run is not None:
            self._run.stop(grace)
