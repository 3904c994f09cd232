"""Hands out spectra to the pipeline, wherever it runs, and holds it back while too much is unstored."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from concurrent.futures import CancelledError
from contextlib import suppress
from contextvars import copy_context
from typing import Any, Final

END: Final = object()
"""Handed out instead of a spectrum when there are no more."""


LEAVING = 1.0
"""Seconds that a generator of spectra has to end, where it is left."""


class Feed:
    """Hands out each spectrum once, to threads or to a coroutine.

    An exception of the source ends the feed and is kept in `error`: it is not the pipeline's.

    Attributes
    ----------
    drawn : int
        Spectra handed out.
    error : Exception or None

    Parameters
    ----------
    spectra : iterable or asynchronous iterable
    loop : AbstractEventLoop
    refuse : Callable
        Raises where spectra come in such a way that no result could be stored meanwhile.
    """

    def __init__(
        self,
        spectra: Iterable[Any] | AsyncIterable[Any],
        loop: asyncio.AbstractEventLoop,
        refuse: Callable[[], None] = lambda: None,
    ) -> None:
        self._loop, self._refuse = loop, refuse
        self._inside = copy_context()
        self._step: asyncio.Task[Any] | None = None
        self._steps = aiter(spectra) if isinstance(spectra, AsyncIterable) else None
        self._iterator = None if isinstance(spectra, AsyncIterable) else iter(spectra)
        self._one_at_a_time, self._one_thread = asyncio.Lock(), threading.Lock()
        self._stopped = asyncio.Event()
        self.drawn = 0
        self.error: Exception | None = None

    def stop(self) -> None:
        """Hand out nothing more; called in the event loop's thread."""
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        """Whether nothing more is handed out."""
        return self._stopped.is_set()

    def draw(self) -> Any:
        """Return the next spectrum, or `END`; called in any thread but the event loop's."""
        if self._steps is None:
            with self._one_thread:
                return self._next()
        try:
            return asyncio.run_coroutine_threadsafe(self.draw_async(), self._loop).result()
        except (CancelledError, RuntimeError):  # the event loop has ended
            return END

    async def draw_async(self) -> Any:
        """Return the next spectrum, or `END`; called in the event loop's thread."""
        if self._steps is None:
            return self._next()
        async with self._one_at_a_time:
            return await self._next_async(self._steps)

    def _next(self) -> Any:
        if self._stopped.is_set() or self.error or self._iterator is None:
            return END
        try:
            spectrum = next(self._iterator, END)
        except Exception as error:  # noqa: BLE001 (raised again when everything is stored)
            self.error = error
            return END
        self.drawn += spectrum is not END
        return spectrum

    async def _next_async(self, steps: Any) -> Any:
        if self._stopped.is_set() or self.error:
            return END
        step = self._step = self._loop.create_task(self._taken(steps), context=self._inside)
        stop = asyncio.ensure_future(self._stopped.wait())
        try:
            await asyncio.wait({step, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not step.done():
                return END
            spectrum = step.result()
        except Exception as error:  # noqa: BLE001
            self.error = error
            return END
        finally:
            step.cancel()
            stop.cancel()
        self.drawn += spectrum is not END
        return spectrum

    async def close(self) -> None:
        """Leave a generator where it is, so that it gives back what it has: a connection, for one."""
        close = getattr(self._steps, "aclose", None)
        if close is None:
            return
        if self._step is not None and not self._step.done():
            self._step.cancel()
            await asyncio.wait({self._step}, timeout=LEAVING)
        closing = self._loop.create_task(_nothing_of(close), context=self._inside)
        await asyncio.wait({closing}, timeout=LEAVING)
        closing.cancel()

    async def _taken(self, steps: Any) -> Any:
        """Return the next spectrum; what a generator sets for its own context is there at its next step."""
        spectrum = await anext(steps, END)
        if not self.drawn:
            self._refuse()
        return spectrum


async def _nothing_of(close: Callable[[], Awaitable[None]]) -> None:
    with suppress(Exception):  # whatever it has to say at its end, the run has ended
        await close()


class Stopped(Exception):
    """Raised in a pipeline's thread that waits for room when the run ends."""


class Room:
    """Room for so many records between the pipeline and whoever takes them in the end."""

    def __init__(self, size: int) -> None:
        self._free = threading.Semaphore(size)
        self._given = asyncio.Event()
        self._closed = False

    def take(self) -> None:
        """Wait for room for one record; called in any thread but the event loop's.

        Raises
        ------
        Stopped
            If the run has ended.
        """
        self._free.acquire()
        self._check()

    async def take_async(self) -> None:
        """Wait for room for one record; called in the event loop's thread."""
        while not self._free.acquire(blocking=False):
            self._given.clear()
            await self._given.wait()
        self._check()

    def _check(self) -> None:
        if self._closed:
            self._free.release()
            raise Stopped

    def give(self, number: int = 1) -> None:
        """Give room back; called in the event loop's thread."""
        if number:
            self._free.release(number)
            self._given.set()

    def close(self) -> None:
        """Let nobody wait any longer."""
        self._closed = True
        self.give()
