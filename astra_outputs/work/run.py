"""`Run`: a pipeline at work, from the spectra to the stored records."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Generator, Iterable
from contextlib import ExitStack, suppress
from time import perf_counter
from typing import Any, Generic

from astra_outputs.errors import PipelineFailed
from astra_outputs.events import tell
from astra_outputs.model.inherited_version import inherited
from astra_outputs.model.record import Record
from astra_outputs.model.version import chosen, context_with, parse_version
from astra_outputs.saving.store import Store
from astra_outputs.spool.folder import Spool
from astra_outputs.work.child import leave_if_child
from astra_outputs.work.driving import AnyPipeline, Driver, Event, Made, Pipeline, R, is_async
from astra_outputs.work.failed import as_failure, made_by, note
from astra_outputs.work.feeding import Feed, Room, Stopped
from astra_outputs.work.flushing import Flusher
from astra_outputs.work.options import Bounds, RunOptions
from astra_outputs.work.pool import Child, check_picklable
from astra_outputs.work.progress import Progress
from astra_outputs.work.published import refuse_published
from astra_outputs.work.report import Failure, RunReport

log = logging.getLogger("astra_outputs.worker")

BATCHES = 3
"""Batches that there is room for: one being stored, one being filled, one being taken by the caller."""


class Run(Generic[R]):
    """A pipeline at work: iterate over it for the stored records, or await it for the report.

    Attributes
    ----------
    report : RunReport
        What it did so far.
    """

    def __init__(
        self,
        store: Store,
        pipeline: Pipeline[R],
        spectra: Iterable[Any] | AsyncIterable[Any],
        options: RunOptions,
        makes: type[Record] | None = None,
    ) -> None:
        leave_if_child()
        if options.processes:
            check_picklable(pipeline)
        self._store, self._pipeline, self._spectra, self._options = store, pipeline, spectra, options
        given = options.v_astra
        self._v_astra = chosen.get() if given is None else parse_version(given)
        self._version = ExitStack()
        self.report = RunReport()
        self._started = self._ended = self._abandoned = self._unread = False
        self._makes = makes or made_by(pipeline)
        self._first: Record | None = None
        self._error: Exception | None = None
        self._safe: deque[tuple[list[Any], int]] = deque()
        self._news = asyncio.Event()
        self._drivers = 0
        self._children: list[Child] = []
        self._flushing: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"Run({getattr(self._pipeline, '__name__', self._pipeline)}: {self.report.made:,} made)"

    def __await__(self) -> Generator[Any, None, RunReport]:
        return self._to_the_end().__await__()

    async def _to_the_end(self) -> RunReport:
        async for _ in self:
            pass
        return self.report

    async def __aiter__(self) -> AsyncIterator[R]:
        if self._started:
            raise RuntimeError("a run is used once: call outputs.run again")
        self._started = True
        begin = perf_counter()
        try:
            await self._start()
            while not (self._ended and not self._safe):
                while self._safe:
                    records, places = self._safe.popleft()
                    for record in records:
                        yield record
                    self._room.give(places)
                self._news.clear()
                if not self._ended:
                    await self._news.wait()
        finally:
            await self.aclose()
        tell(log, logging.INFO, "run ended", seconds=perf_counter() - begin, report=self.report)
        self._raise()

    def _raise(self) -> None:
        if self._flushing is not None:
            self._flushing.result()
        error = self._error or self._flusher.error or self._feed.error
        if error is not None:
            error.add_note(str(self.report))
            raise error

    async def _start(self) -> None:
        options, loop = self._options, asyncio.get_running_loop()
        self._loop = loop
        self._feed = Feed(self._spectra, loop, self._store.database.refuse_inside)
        self._room = Room(BATCHES * options.batch_size)
        spool = Spool(options.folder, options.spool_limit, trust=options.trust_spool)
        spool.check()
        if spool.waiting():
            self.report.spool = options.folder
        bounds = Bounds(options.batch_size, options.max_age)
        self._flusher = Flusher(self._store, spool, bounds, self.report, self._is_safe)
        answers = await self._flusher.ask_time()
        # What a killed worker left must be stored before anyone asks what is pending.
        await self._flusher.drain_now()
        if answers:
            await self._flusher.unless_hurried(refuse_published(self._store, self._makes, self._v_astra))
        self._flushing = asyncio.create_task(self._flusher.run())
        self._flushing.add_done_callback(self._end)
        if options.progress:
            self._tasks.append(asyncio.create_task(Progress(self.report, options.total).run()))
        self._drive()

    def _drive(self) -> None:
        """Start the pipeline: in the event loop, in a thread, or in processes with a thread each."""
        if self._v_astra is not None:
            self._version.enter_context(inherited(self._v_astra))
        context = context_with(self._v_astra)
        if self._options.processes == 0 and is_async(self._pipeline):
            self._drivers = 1
            self._tasks.append(self._loop.create_task(self._drive_async(), context=context))
            return
        pipelines: list[AnyPipeline] = [self._pipeline]
        if self._options.processes:
            self._children = [Child(self._pipeline, self._v_astra) for _ in range(self._options.processes)]
            pipelines = list(self._children)
        self._drivers = len(pipelines)
        for number, pipeline in enumerate(pipelines):
            # A thread that computes for minutes must not keep the interpreter from ending.
            threading.Thread(
                target=context.copy().run,
                args=(self._drive_in_thread, pipeline),
                name=f"pipeline-{number}",
                daemon=True,
            ).start()

    def _drive_in_thread(self, pipeline: AnyPipeline) -> None:
        error: Exception | None = None
        try:
            for event in Driver(pipeline, self._feed, self._options.on_error).events():
                if isinstance(event, Made):
                    self._room.take()
                self._loop.call_soon_threadsafe(self._take, event)
        except Stopped:
            pass
        except BaseException as caught:  # noqa: BLE001 (raised again when everything is stored)
            error = as_failure(caught)
        finally:
            with suppress(RuntimeError):  # the loop has ended without us
                self._loop.call_soon_threadsafe(self._one_is_done, error)
            if isinstance(pipeline, Child):
                pipeline.close()

    async def _drive_async(self) -> None:
        error: Exception | None = None
        try:
            async for event in Driver(self._pipeline, self._feed, self._options.on_error).events_async():
                if isinstance(event, Made):
                    await self._room.take_async()
                self._take(event)
        except Stopped:
            pass
        except (Exception, SystemExit) as caught:  # noqa: BLE001
            error = as_failure(caught)
        self._one_is_done(error)

    def _take(self, event: Event) -> None:
        if self._abandoned:
            return
        report = self.report
        report.drawn = self._feed.drawn
        if isinstance(event, Made):
            report.made += 1
            self._first = self._first or event.record
            report.elapsed += event.seconds
            report.overhead += event.overhead
            self._flusher.take(event)
        elif isinstance(event, Failure):
            report.failures.append(event)
            if len(report.failures) >= self._options.most_failures:
                self._fail(
                    PipelineFailed(f"the pipeline failed on {len(report.failures):,} spectra: {event}")
                )
        else:
            report.overhead += event.overhead
            self._flusher.spend(event.overhead)

    def _one_is_done(self, error: Exception | None) -> None:
        if self._abandoned:
            return
        self.report.drawn = self._feed.drawn
        if error is not None:
            self._fail(error)
        self._drivers -= 1
        if self._drivers == 0:
            self._flusher.close()

    def _fail(self, error: Exception) -> None:
        """Draw nothing more; the error is raised once everything is stored."""
        self._error = self._error or error
        self._feed.stop()

    def _is_safe(self, records: list[Record], places: int) -> None:
        if self._unread:
            self._room.give(places)
        else:
            self._safe.append((records, places))
        self._news.set()
        if self._flusher.error is not None:
            self._feed.stop()

    def _end(self, _: object) -> None:
        self._ended = True
        self._news.set()

    def stop(self, grace: float | None = None) -> None:
        """Draw no more spectra, store what is finished, and end within so many seconds.

        What is finished is stored at once. What the pipeline is working on is stored if it ends in
        time, and dropped otherwise: it stays pending. If the database does not answer in time, results
        go to the spool.

        Parameters
        ----------
        grace : float, optional
            Seconds; those of the run's options where none are given. Call it again with fewer for less patience.
        """
        if not self._started:
            raise RuntimeError("a run that has not begun cannot be stopped")
        if self._ended or (self._stopping is not None and grace is None):
            return
        if self._stopping is not None:
            self._stopping.cancel()
        seconds = self._options.grace if grace is None else grace
        tell(log, logging.WARNING, "stopping", grace=seconds)
        self._feed.stop()
        self._flusher.flush()
        if self._flushing is None:  # still on its way to the first spectrum: there is nothing to lose
            self._flusher.hurry()
        self._stopping = asyncio.create_task(self._abandon_after(seconds))

    async def _abandon_after(self, grace: float) -> None:
        """Leave the pipeline, then the database, behind when they take too long."""
        for_spool = min(5.0, grace / 3)
        await asyncio.sleep(grace - 2 * for_spool)
        if self._drivers:
            tell(log, logging.WARNING, "pipeline abandoned", working_on=self._drivers)
            self._abandon()
        await asyncio.sleep(for_spool)
        self._flusher.hurry()

    def _abandon(self) -> None:
        self._abandoned = True
        self._room.close()
        for child in self._children:
            child.kill()
        self._flusher.close()

    async def aclose(self) -> None:
        """Store what is finished, and leave nothing running; the same as `stop` if it is still at work."""
        if self._flushing is None:
            return
        note(self.report.failures, self._options.folder, self._makes, self._v_astra, self._first)
        if not self._ended:
            # Nobody takes the records any more: they need no room.
            self._unread = True
            while self._safe:
                self._room.give(self._safe.popleft()[1])
            self.stop()
            await asyncio.wait({self._flushing})
        tasks = [*self._tasks, *([self._stopping] if self._stopping else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._feed.close()
        self._version.close()
