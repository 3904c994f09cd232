"""A pipeline in a process of its own: spectra go there, records come back, both by pickle.

A child needs no database. It asks for one spectrum at a time, so that none is lost with it but the
one that it works on.
"""

from __future__ import annotations

import atexit
import logging
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from astra_outputs.errors import WrongRecordClass, shorten
from astra_outputs.events import tell
from astra_outputs.work.child import DRAW, FAILED, MADE, NAME, UNGUARDED, serve
from astra_outputs.work.driving import AnyPipeline, CannotBegin, ElsewhereFailed
from astra_outputs.work.timing import Timed

log = logging.getLogger("astra_outputs.worker")

SLOW_START = 30.0
"""Seconds after which it is said that a child has not begun."""

GUARD = (
    "each process of a run imports the script that started it: put what the script does, `asyncio.run(main())` "
    'for one, below `if __name__ == "__main__":`'
)


def check_picklable(pipeline: AnyPipeline) -> None:
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

    def __init__(self, pipeline: AnyPipeline, v_astra: int | None) -> None:
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
            text, trace = answer[1:]
            raise ElsewhereFailed(text, trace) from _Traceback(trace)

    def kill(self) -> None:
        """End the process at once; called in any thread."""
        self._killed.set()
        self._kill()

    def close(self) -> None:
        """Let the process end; what it works on is dropped."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._kill()
        if self._process is not None:
            self._process.join()
            self._process = None
            atexit.unregister(self._kill)

    def _kill(self) -> None:
        """End the process, and those that the pipeline has started in it: they are a group."""
        process = self._process
        if process is not None and process.pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()

    def _ready(self) -> Connection:
        if self._connection is None:
            self._connection, theirs = self._context.Pipe()
            process = self._context.Process(
                target=serve, args=(theirs, self._pipeline, self._v_astra), name=NAME
            )
            try:
                process.start()
            finally:
                theirs.close()
            # Not a daemon, which may start no processes; so nobody else ends it with this process.
            self._process = process
            atexit.register(self._kill)
            if self._killed.is_set():
                self._kill()
            self._wait_until_ready(self._connection)
        if self._killed.is_set():
            self._kill()
        return self._connection

    def _wait_until_ready(self, connection: Connection) -> None:
        while not connection.poll(SLOW_START):
            tell(log, logging.WARNING, "a process has not begun yet", seconds=SLOW_START, advice=GUARD)
        try:
            connection.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            unguarded, ending = self._process.exitcode == UNGUARDED, self._ending()
            why = f"its process {ending} before it began"
            raise CannotBegin(
                f"{why}: {GUARD}" if unguarded else f"{why}, as it says above; {GUARD}"
            ) from None

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


class _Traceback(Exception):
    """A traceback of another process, printed as what led to the error here."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._text = text

    def __str__(self) -> str:
        return f"\n{self._text}"
