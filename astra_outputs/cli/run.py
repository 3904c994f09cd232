"""`astra-outputs run`: a worker for a batch scheduler, or for a terminal."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from astra_outputs.cli.options import Dsn, Records, Schema, say

if TYPE_CHECKING:
    from astra_outputs.reading.pending import Pending
    from astra_outputs.repository import Outputs
    from astra_outputs.work import Run, RunReport
    from astra_outputs.work.driving import AnyPipeline

log = logging.getLogger("astra_outputs.worker")

EXIT_BY_SIGNAL = 128
"""Added to a signal's number in the exit code, as shells do."""


def run(
    pipeline: Annotated[str, typer.Argument(help="Generator function, as package.module:function.")],
    spectra: Annotated[str, typer.Option(help="Table or class of the spectra that it works on.")],
    v_astra: Annotated[
        str | None,
        typer.Option(
            help="Version of the results, as 0.8.1.", envvar="ASTRA_OUTPUTS_V_ASTRA", show_default=False
        ),
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(
            help="Table or class of the results, where the function's annotation does not say it.",
            show_default=False,
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(help="This worker's share of the work: 0/16 to 15/16.", show_default=False),
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Most spectra.", show_default=False, min=0)] = None,
    watch: Annotated[
        float | None,
        typer.Option(help="Look for new spectra again after so many seconds, for ever.", show_default=False),
    ] = None,
    processes: Annotated[
        int, typer.Option(help="Processes that the pipeline runs in; 0 for this one.", min=0)
    ] = 0,
    batch_size: Annotated[int, typer.Option(help="Results that are stored together.", min=1)] = 1_000,
    max_age: Annotated[
        float, typer.Option(help="Seconds after which a result is stored, however few there are.", min=0)
    ] = 300.0,
    spool: Annotated[
        Path | None,
        typer.Option(
            help="Folder for results while the database is away: one that outlives the job.",
            envvar="ASTRA_OUTPUTS_SPOOL",
            show_default="astra-outputs-spool",
        ),
    ] = None,
    trust_spool: Annotated[
        bool, typer.Option("--trust-spool", help="Accept a folder that others own or can write to.")
    ] = False,
    grace: Annotated[float, typer.Option(help="Seconds to end in after SIGTERM or Ctrl-C.", min=0)] = 30.0,
    retry_for: Annotated[
        float, typer.Option(help="Seconds for which the database may be away before results are spooled.")
    ] = 60.0,
    records: Records = None,
    dsn: Dsn = None,
    schema: Schema = "astra",
) -> None:
    """Run a pipeline on the spectra that wait for it, and store the results.

    Start it again after it was killed, and it goes on where it was. Exits with 0 if every result is
    stored, and with 1 if some are refused, lost or still on the disk; failures of the pipeline are
    listed, and tried again by the next run.
    """
    from astra_outputs.cli.named import class_named, pipeline_named, result_class
    from astra_outputs.model.spectrum import SpectrumMixin
    from astra_outputs.model.version import configured_version
    from astra_outputs.reading.pending import Pending
    from astra_outputs.work import RunOptions

    logging.basicConfig(
        level=logging.WARNING if sys.stderr.isatty() else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    function = pipeline_named(pipeline)
    version = configured_version() if v_astra is None else _version(v_astra)
    made = result_class(function) if record is None else class_named(record, records or ())
    options = RunOptions(
        v_astra=version,
        batch_size=batch_size,
        max_age=max_age,
        processes=processes,
        spool=spool,
        trust_spool=trust_spool,
        grace=grace,
        progress=True,
    )
    asked: Pending[Any] = Pending.of(
        made, class_named(spectra, records or (), SpectrumMixin), version, share(shard), limit
    )
    worker = Worker(function, asked, options, watch)
    asyncio.run(worker.work(dsn, schema, retry_for))
    if worker.code:
        raise typer.Exit(worker.code)


def _version(text: str) -> int:
    from astra_outputs.model.version import parse_version

    try:
        return parse_version(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--v-astra") from error


def share(text: str | None) -> tuple[int, int] | None:
    """Return a share written as "3/16".

    Raises
    ------
    typer.BadParameter
        If it is not of that form.
    """
    if text is None:
        return None
    number, slash, of = text.partition("/")
    if not (slash and number.isdecimal() and of.isdecimal()):
        raise typer.BadParameter(f"{text!r} is not of the form 3/16", param_hint="--shard")
    if int(number) >= int(of):
        raise typer.BadParameter(f"{text}: shares count from 0 to {int(of) - 1}", param_hint="--shard")
    return int(number), int(of)


MARGIN = 0.75
"""Seconds beyond the grace, for the spool and the last words."""


@dataclass
class Worker:
    """Runs a pipeline until nothing is pending; if it watches, until it is told to stop.

    Attributes
    ----------
    signal : int or None
        The signal that ended it.
    left : bool
        Whether a result is not in the database.
    """

    pipeline: AnyPipeline
    asked: Pending[Any]
    options: Any
    watch: float | None
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
        while not job.done() and (left := self._deadline - loop.time()) > 0:
            await asyncio.wait({job}, timeout=min(left, 0.1))
        # What a server that does not answer still holds up is nothing that could get lost.
        if not job.done() or (self.signal is not None and len(asyncio.all_tasks()) > 1):
            self._leave()
        await job

    def _leave(self) -> NoReturn:
        """End the process as it is."""
        if self._run is not None:
            say(self._run.report)
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
                    say(report)
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
            options = replace(options, total=await self.asked.count(outputs.store.database))
        self._run = Run(outputs.store, self.pipeline, self._spectra(outputs), options)
        try:
            return await self._run
        finally:
            self._failed |= {failure.spectrum_pk for failure in self._run.report.failures}
            self._run = None

    async def _spectra(self, outputs: Outputs) -> AsyncIterator[Any]:
        """Yield what is pending, but for those that failed since this worker was started."""
        async for spectrum in self.asked.stream(outputs.store.database):
            if spectrum.spectrum_pk not in self._failed:
                yield spectrum

    def _stop(self, number: int) -> None:
        """Stop within the grace; told once more, at once."""
        grace = 0.0 if self.signal is not None or self._run is None else self.options.grace
        self.signal = self.signal or number
        self._deadline = asyncio.get_running_loop().time() + grace + MARGIN
        self._told.set()
        if self._run is not None:
            self._run.stop(grace)
