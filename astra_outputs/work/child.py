"""What runs in a process that a run has started: the pipeline, and its end of the line to the parent."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any

from astra_outputs.model.version import using_version
from astra_outputs.work.driving import AnyPipeline, is_async, of_the_pipeline
from astra_outputs.work.timing import Stopwatch

READY, DRAW, MADE, DONE, FAILED = range(5)
"""What a child says: I am there, give me a spectrum, here is a record, I am through, I raised."""

NAME = "astra-outputs-pipeline"
"""By which a child knows itself, before anything else runs in it."""

UNGUARDED = 78
"""Exit code of a child that found itself starting a run of its own."""


def leave_if_child() -> None:
    """End a process that a run has started and that, with its script, starts a run of its own.

    The parent hears of it, and says what to do.
    """
    if multiprocessing.current_process().name == NAME and not _serving.is_set():
        raise SystemExit(UNGUARDED)


_serving = threading.Event()
"""Set in a child once its script is imported."""


class _HungUp(BaseException):
    """The parent is gone, or wants no more; not to be taken for an error of the pipeline."""


class _Line:
    """The child's end of the connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def send(self, *said: Any) -> None:
        content = ForkingPickler.dumps(said)  # what cannot be pickled is the pipeline's error
        try:
            self._connection.send_bytes(content)
        except OSError:
            raise _HungUp from None

    def receive(self) -> Any:
        try:
            return self._connection.recv()
        except (EOFError, OSError):
            raise _HungUp from None


class _Asking:
    """The spectra, as a pipeline in a child sees them."""

    def __init__(self, line: _Line, watch: Stopwatch) -> None:
        self._line, self._watch = line, watch

    def __iter__(self) -> _Asking:
        return self

    def __aiter__(self) -> _Asking:
        return self

    def __next__(self) -> Any:
        for spectrum in self._ask():
            return spectrum
        raise StopIteration

    async def __anext__(self) -> Any:
        for spectrum in self._ask():
            return spectrum
        raise StopAsyncIteration

    def _ask(self) -> list[Any]:
        with self._watch.waiting():
            self._line.send(DRAW)
            spectra: list[Any] = self._line.receive()
            return spectra


def serve(connection: Connection, pipeline: AnyPipeline, v_astra: int | None) -> None:
    """Run the pipeline each time that the parent says so, until it hangs up."""
    _serving.set()
    _lead_a_group()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    line, watch = _Line(connection), Stopwatch()
    with ExitStack() as stack, suppress(_HungUp):
        line.send(READY)
        if v_astra is not None:
            stack.enter_context(using_version(v_astra))
        while line.receive():
            try:
                for value in _steps(pipeline, _Asking(line, watch), watch):
                    line.send(MADE, watch.lap(), value)
                    watch.start()
            except Exception as error:  # noqa: BLE001 (the parent records it)
                text = f"{type(error).__name__}: {error}"
                line.send(FAILED, text, "".join(traceback.format_exception(of_the_pipeline(error))))
            else:
                line.send(DONE)


def _steps(pipeline: AnyPipeline, spectra: _Asking, watch: Stopwatch) -> Iterator[Any]:
    watch.start()
    if not is_async(pipeline):
        yield from pipeline(spectra)
        return
    with asyncio.Runner() as runner:
        steps = pipeline(spectra)

        async def step() -> Any:
            return await anext(steps, DONE)

        while (value := runner.run(step())) is not DONE:
            yield value


def _lead_a_group() -> None:
    """Become the first of a group of processes, which is ended as a whole, and leave signals to the parent.

    A scheduler or Ctrl-C signals every process of the job: the parent decides what becomes of us.
    Processes that the pipeline starts, by `multiprocessing.Pool` for one, are ended by them.
    """
    with suppress(OSError):
        os.setpgid(0, 0)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _do_nothing)
    os.register_at_fork(after_in_child=_be_ended_by_signals)


def _do_nothing(*_: object) -> None:
    """Go on; unlike a signal that is ignored, one that is handled is not ignored by whatever is started here."""


def _be_ended_by_signals() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        with suppress(OSError):
            os.killpg(os.getpid(), signal.SIGKILL)
        os._exit(1)
