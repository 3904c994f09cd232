"""Runs a pipeline's generator, takes the time, and goes on with the next spectrum where it breaks."""

from __future__ import annotations

import asyncio
import inspect
import logging
import traceback
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from types import EllipsisType
from typing import Any, Literal, TypeAlias, TypeVar

from astra_outputs.errors import PipelineFailed, WrongRecordClass, shorten
from astra_outputs.events import tell
from astra_outputs.model.record import Record
from astra_outputs.work.feeding import END, Feed
from astra_outputs.work.report import Failure
from astra_outputs.work.timing import Stopwatch, Timed, stamp

log = logging.getLogger("astra_outputs.worker")

AnyPipeline: TypeAlias = Callable[[Any], Any]
R = TypeVar("R", bound=Record)

Results: TypeAlias = Iterator[R | EllipsisType]
"""What a pipeline's generator function returns, for its annotation: `-> Results[TheCannon]`."""

AsyncResults: TypeAlias = AsyncIterator[R | EllipsisType]
"""The same of an asynchronous generator function."""

Pipeline: TypeAlias = Callable[[Any], Iterable[R | EllipsisType] | AsyncIterable[R | EllipsisType]]
"""A pipeline, by the class of its results."""
OnError = Literal["collect", "raise"]

REMEMBERED = 10_000
"""Most spectra without a result that are remembered, to be tried again alone."""


@dataclass(frozen=True)
class Made:
    """A record, and the seconds that the pipeline spent on overheads before it."""

    record: Record
    seconds: float
    overhead: float


@dataclass(frozen=True)
class Spent:
    """Seconds spent on overheads after the last record."""

    overhead: float


Event = Made | Failure | Spent


def is_async(pipeline: AnyPipeline) -> bool:
    """Tell whether a pipeline is an asynchronous generator function."""
    while isinstance(pipeline, partial):
        pipeline = pipeline.func
    call = getattr(pipeline, "__call__", None)  # noqa: B004 (an object may have an async generator as its call)
    return inspect.isasyncgenfunction(pipeline) or inspect.isasyncgenfunction(call)


class Spectra:
    """What the pipeline iterates over: takes note of each spectrum, and of the time spent waiting for it."""

    def __init__(self, driver: Driver, first: Any, *, alone: bool) -> None:
        self._driver, self._first, self._alone = driver, first, alone

    def __iter__(self) -> Iterator[Any]:
        return self

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    def __next__(self) -> Any:
        with self._driver.watch.waiting():
            spectrum = self._ahead()
            spectrum = self._driver.feed.draw() if spectrum is None else spectrum
        if spectrum is END:
            raise StopIteration
        return self._driver.note(spectrum)

    async def __anext__(self) -> Any:
        with self._driver.watch.waiting():
            spectrum = self._ahead()
            spectrum = await self._driver.feed.draw_async() if spectrum is None else spectrum
        if spectrum is END:
            raise StopAsyncIteration
        return self._driver.note(spectrum)

    def _ahead(self) -> Any:
        """Return the spectrum with which the generator was started, once; None to draw another."""
        if self._driver.feed.stopped:
            return END
        spectrum, self._first = self._first, END if self._alone else None
        return spectrum


class Driver:
    """Runs a pipeline over a feed.

    A generator is dead once it has raised. What it had yielded is finished; of the spectra that it
    drew and gave no result for, a single one is to blame. Where there are several, because the
    pipeline draws groups, each is tried again alone. Then a new generator takes the rest. One that
    returns without an exception is done, even if it left spectra undrawn.
    """

    def __init__(self, pipeline: AnyPipeline, feed: Feed, on_error: OnError = "collect") -> None:
        self._pipeline, self.feed, self._on_error = pipeline, feed, on_error
        self.watch = Stopwatch()
        self._open: deque[Any] = deque(maxlen=REMEMBERED)
        self._again: deque[Any] = deque()
        self._overhead = 0.0

    def events(self) -> Iterator[Event]:
        """Yield what a plain generator function makes.

        Raises
        ------
        PipelineFailed
            If it fails and no spectrum is to blame, or with `on_error="raise"`.
        WrongRecordClass
            If it yields anything but records and `...`.
        """
        going_on = True
        while going_on and not self.feed.stopped:
            going_on = alone = bool(self._again)
            first = self._again.popleft() if alone else self.feed.draw()
            if first is END:
                break
            self._open.clear()
            spectra, steps = Spectra(self, first, alone=alone), None
            while True:
                self.watch.start()
                try:
                    steps = iter(self._pipeline(spectra)) if steps is None else steps
                    value = next(steps)
                except StopIteration:
                    break
                except (Exception, SystemExit) as error:  # noqa: BLE001 (whatever a pipeline raises is recorded)
                    going_on = True
                    yield from self._failed(error)
                    break
                made = self._made(value)
                if made is not None:
                    yield made
        yield Spent(self._overhead)

    async def events_async(self) -> AsyncIterator[Event]:
        """Yield what an asynchronous generator function makes; raises as `events` does."""
        going_on = True
        while going_on and not self.feed.stopped:
            going_on = alone = bool(self._again)
            first = self._again.popleft() if alone else await self.feed.draw_async()
            if first is END:
                break
            self._open.clear()
            spectra, steps = Spectra(self, first, alone=alone), None
            while True:
                self.watch.start()
                try:
                    steps = aiter(self._pipeline(spectra)) if steps is None else steps
                    value = await anext(steps)
                except StopAsyncIteration:
                    break
                except (Exception, SystemExit, asyncio.CancelledError) as error:
                    if _is_cancelled(error):
                        raise
                    going_on = True
                    for failure in self._failed(error):
                        yield failure
                    break
                made = self._made(value)
                if made is not None:
                    yield made
        yield Spent(self._overhead)

    def note(self, spectrum: Any) -> Any:
        """Remember that the pipeline has drawn a spectrum."""
        self._open.append(spectrum)
        return spectrum

    def _made(self, value: Any) -> Made | None:
        seconds, value = value if isinstance(value, Timed) else (self.watch.lap(), value)
        if value is ...:
            self._overhead += seconds
            return None
        if not isinstance(value, Record):
            raise WrongRecordClass(
                f"the pipeline yielded {shorten(value)}: it must yield records, or `...` after overheads"
            )
        stamp(value, seconds)
        self._settle(value)
        made, self._overhead = Made(value, seconds, self._overhead), 0.0
        return made

    def _settle(self, record: Record) -> None:
        """Forget the spectrum of a record; if it is the one drawn last, those before it were skipped."""
        key = getattr(record, "spectrum_pk", None)
        if self._open and _key(self._open[-1]) == key:
            self._open.clear()
            return
        for spectrum in self._open:
            if _key(spectrum) == key:
                self._open.remove(spectrum)
                return

    def _failed(self, error: BaseException) -> Iterator[Failure]:
        if isinstance(error, CannotBegin):
            raise error
        unfinished = list(self._open)
        self._open.clear()
        blamed = _key(unfinished[-1]) if unfinished else None
        text = f"{type(error).__name__}: {error}" if not isinstance(error, ElsewhereFailed) else str(error)
        error = of_the_pipeline(error)
        if self._on_error == "raise" or not unfinished:
            tell(log, logging.ERROR, "pipeline failed", error=error, spectrum_pk=blamed, why=text)
            where = f"on spectrum {blamed}" if unfinished else "while it worked on no spectrum"
            raise PipelineFailed(f"the pipeline failed {where}: {text}", blamed) from error
        if len(unfinished) > 1:
            tell(log, logging.INFO, "each of a group is tried alone", spectra=len(unfinished), why=text)
            self._again.extend(unfinished)
            return
        tell(log, logging.WARNING, "pipeline failed", error=error, spectrum_pk=blamed, why=text)
        trace = getattr(error, "trace", None) or "".join(traceback.format_exception(error))
        yield Failure(blamed, text, trace)


def of_the_pipeline(error: BaseException) -> BaseException:
    """Return an error whose traceback begins in the pipeline, and not with the steps that led there from here."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__name__", "").startswith(__package__):
        trace = trace.tb_next
    return error.with_traceback(trace)


class CannotBegin(PipelineFailed):
    """A process for the pipeline ends before it has begun: no spectrum is to blame, nor the pipeline."""


class ElsewhereFailed(Exception):
    """What a pipeline raised in another process, in words.

    Attributes
    ----------
    trace : str
        The traceback there.
    """

    def __init__(self, text: str, trace: str = "") -> None:
        super().__init__(text)
        self.trace = trace


def _is_cancelled(error: BaseException) -> bool:
    """Tell whether this task is to end, and not that the pipeline gave up something of its own."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


def _key(spectrum: Any) -> int | None:
    key: int | None = getattr(spectrum, "spectrum_pk", None)
    return key
