"""An event loop in a thread of its own, for callers that have none or must not wait in theirs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any, TypeVar

from astra_outputs.errors import Closed

T = TypeVar("T")

PATIENCE = 10.0
"""Seconds for which an interrupted call may put in order what it began."""

END: Any = object()
"""What comes after the last item of an iterator."""


class Background:
    """Runs coroutines for other threads, which wait for them; several threads may call at once.

    What a caller has set in context variables (`using_version`) holds in the coroutine, too.
    """

    def __init__(self) -> None:
        ready = threading.Event()

        async def serve() -> None:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            ready.set()
            await self._stop.wait()

        # A daemon: a script that forgot to close ends all the same.
        self._thread = threading.Thread(
            target=lambda: asyncio.run(serve()), name="astra_outputs", daemon=True
        )
        self._thread.start()
        ready.wait()

    def call(self, awaitable: Awaitable[T]) -> T:
        """Return what an awaitable gives; an interrupt (Ctrl-C) cancels it first.

        Raises
        ------
        Closed
            If the loop was closed, or the call comes from within it, where it would wait for itself.
        """
        ended, running, interrupted = threading.Event(), list[asyncio.Task[Any]](), threading.Event()

        async def run() -> T:
            running.extend(task for task in [asyncio.current_task()] if task)
            try:
                if interrupted.is_set():
                    raise asyncio.CancelledError
                return await awaitable
            finally:
                ended.set()

        def interrupt() -> None:
            interrupted.set()
            for task in running:
                task.cancel()

        if threading.current_thread() is self._thread or not self.open:
            if asyncio.iscoroutine(awaitable):
                awaitable.close()
            raise Closed("this call waits for its event loop, which is closed or waits for this very call")
        try:
            return asyncio.run_coroutine_threadsafe(run(), self._loop).result()
        except BaseException:
            if not ended.is_set():
                self._loop.call_soon_threadsafe(interrupt)
                ended.wait(PATIENCE)
            raise

    def iterate(self, iterator: AsyncIterator[T]) -> Iterator[T]:
        """Yield what an asynchronous iterator yields; it is closed where this one is."""

        async def following() -> Any:
            return await anext(iterator, END)  # begun in the loop, which then looks after it

        try:
            while (item := self.call(following())) is not END:
                yield item
        finally:
            close: Any = getattr(iterator, "aclose", None)
            if close is not None and self.open:
                self.call(close())

    @property
    def open(self) -> bool:
        """Whether it was not closed."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Stop the loop; what still runs in it is cancelled."""
        if self.open:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
