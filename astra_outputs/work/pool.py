"""A pipeline in a process of its own: spectra go there, records come back, both by pickle.

A child needs no database. It asks for one spectrum at a time, so that none is lost with it but the
one that it works on.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any

from astra_outputs.errors import WrongRecordClass, shorten
from astra_outputs.model.version import using_version
from astra_outputs.work.driving import ElsewhereFailed, Pipeline, is_async
from astra_outputs.work.timing import Stopwatch, Timed

DRAW, MADE, DONE, FAILED = range(4)
"""What a child says: give me a spectrum, here is a record, I am through, I raised."""


def check_picklable(pipeline: Pipeline) -> None:
    """Refuse a pipeline that another process cannot find.

    Raises
    ------
    WrongRecordClass
        If it is not a function at the top of a module.
    """
    try:
        pickle.dumps(pipeline)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise WrongRecordClass(
            f"{shorten(pipeline)} cannot run in another process: make it a function at the top of a module"
        ) from error


class Child:
    """Runs a pipeline in another process; called like the pipeline, it yields what that yields.

    The process is started when first needed, and again when it died.
    """

    def __init__(self, pipeline: Pipeline, v_astra: int | None) -> None:
        self._pipeline, self._v_astra = pipeline, v_astra
        self._context = multiprocessing.get_context("spawn")
        self._process: Any = None
        self._connection: Connection | None = None
        self._killed = threading.Event()

    def __call__(self, spectra: Iterable[Any]) -> Iterator[Timed]:
        """Yield what the pipeline yields, with the seconds that it took.

        Raises
        ------
        ElsewhereFailed
            If the pipeline raises, or its process dies.
        """
        spectra = iter(spectra)
        try:
            connection = self._ready()
            connection.send(True)
            while (answer := connection.recv())[0] in (DRAW, MADE):
                if answer[0] == MADE:
                    yield Timed(*answer[1:])
                else:
                    connection.send(list(_first(spectra)))
        except (EOFError, ConnectionError) as error:
            raise ElsewhereFailed(f"its process {self._ending()}") from error
        except BaseException:
            self.close()  # it waits for an answer that will not come
            raise
        if answer[0] == FAILED:
            raise ElsewhereFailed(*answer[1:])

    def kill(self) -> None:
        """End the process at once; called in any thread."""
        self._killed.set()
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """Let the process end; what it works on is dropped."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            self._process.kill()
            self._process.join()

    def _ready(self) -> Connection:
        if self._connection is None:
            self._connection, theirs = self._context.Pipe()
            self._process = self._context.Process(
                target=_serve, args=(theirs, self._pipeline, self._v_astra), daemon=True
            )
            self._process.start()
            theirs.close()
        if self._killed.is_set():
            self._process.kill()
        return self._connection

    def _ending(self) -> str:
        """Say how the process died, and forget it."""
        self._process.join()
        code = self._process.exitcode
        self.close()
        if code is not None and code < 0:
            return f"was ended by signal {-code} ({signal.Signals(-code).name})"
        return f"ended with code {code}"


def _first(spectra: Iterator[Any]) -> Iterator[Any]:
    """Yield one spectrum, or none."""
    for spectrum in spectra:
        yield spectrum
        return


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


def _serve(connection: Connection, pipeline: Pipeline, v_astra: int | None) -> None:
    """Run the pipeline each time that the parent says so, until it hangs up."""
    # A scheduler or Ctrl-C signals every process of the job: the parent decides what becomes of us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    line, watch = _Line(connection), Stopwatch()
    with ExitStack() as stack, suppress(_HungUp):
        if v_astra is not None:
            stack.enter_context(using_version(v_astra))
        while line.receive():
            try:
                for value in _steps(pipeline, _Asking(line, watch), watch):
                    line.send(MADE, watch.lap(), value)
                    watch.start()
            except Exception as error:  # noqa: BLE001 (the parent records it)
                text = f"{type(error).__name__}: {error}"
                line.send(FAILED, text, "".join(traceback.format_exception(error)))
            else:
                line.send(DONE)


def _steps(pipeline: Pipeline, spectra: _Asking, watch: Stopwatch) -> Iterator[Any]:
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


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
