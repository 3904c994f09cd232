"""Work with a database that may never answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from astra_outputs.errors import ConnectionLost

T = TypeVar("T")


async def unless_it_hangs(
    work: Coroutine[Any, Any, T],
    seconds: float,
    impatient: asyncio.Event,
    done: Callable[[], int] = lambda: 0,
) -> T:
    """Return what the work returns; give it up after so many seconds, or when `impatient` is set.

    Seconds count from when `done`, the number of steps that the work has done, last grew.
    It is cancelled then but not waited for: a network that swallows packets answers to nothing.
    If it does end well later, the rows are those in the spool.

    Raises
    ------
    ConnectionLost
        If it was given up.
    """
    task = asyncio.ensure_future(work)
    hurry = asyncio.ensure_future(impatient.wait())
    try:
        steps = -1
        while not (task.done() or hurry.done()) and done() > steps:
            steps = done()
            await asyncio.wait({task, hurry}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ConnectionLost("the database gives no answer")
    finally:
        hurry.cancel()
        if not task.done():
            task.cancel()
            task.add_done_callback(lambda task: task.cancelled() or task.exception())
