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

_END = object()


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
        ended = threading.Event()

        async def run() -> T:
            try:
                return await awaitable
            finally:
                ended.set()

        coroutine = run()
        if threading.current_thread() is self._thread or not self._thread.is_alive():
            coroutine.close()
            if asyncio.iscoroutine(awaitable):
                awaitable.close()
            raise Closed("this call waits for its event loop, which is closed or waits for this very call")
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except BaseException:
            if future.cancel():
                ended.wait(PATIENCE)
            raise

    def iterate(self, iterator: AsyncIterator[T]) -> Iterator[T]:
        """Yield what an asynchronous iterator yields; it is closed where this one is."""
        try:
            while (item := self.call(anext(iterator, _END))) is not _END:
                yield item  # type: ignore[misc]
        finally:
            close: Any = getattr(iterator, "aclose", None)
            if close is not None and self._thread.is_alive():
                self.call(close())

    def close(self) -> None:
        """Stop the loop; what still runs in it is cancelled."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
