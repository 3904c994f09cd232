"""How long a database is waited for: budgets, trying again, and a server that gives no answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

import asyncpg
import stamina

T = TypeVar("T")
Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

log = logging.getLogger("astra_outputs.database")

GRACE = 0.25
"""Seconds that a connection has to end what it was doing, after an error or when its time is over. It is
dropped then: a server that hangs would otherwise keep a caller whose own time limit has passed."""

FAREWELL = 10.0
"""Seconds that connections in use have to come back when the repository is left."""

LONGEST = 60.0
"""Seconds that a new connection may take, and a statement before the server is asked whether it is there."""

GONE = (
    OSError,  # a time that is over is one as well
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the pool has taken it back, when the server ended it
)
"""What is said of a connection that is lost, when a transaction on it ends or it is given back."""

_budget: ContextVar[float | None] = ContextVar("retry_for", default=None)


@contextmanager
def retrying_for(seconds: float) -> Iterator[None]:
    """Give transactions this budget inside the `with` block, instead of the repository's."""
    token = _budget.set(seconds)
    try:
        yield
    finally:
        _budget.reset(token)


def budget(otherwise: float) -> float:
    """Return for how many seconds a transaction is tried again here."""
    given = _budget.get()
    return otherwise if given is None else given


async def again(
    error: Exception,
    work: Callable[[float], Awaitable[T]],
    passing: Callable[[Exception], bool],
    seconds: float,
    where: str,
) -> T:
    """Do something that failed again and again, for so many seconds while the reason is a passing one.

    `work` is given the time, on the event loop's clock, at which it need not wait for a connection any longer.
    """
    # Neither the server's message nor the DSN is logged: both may hold what is secret.
    why = getattr(error, "sqlstate", None) or type(error).__name__
    log.warning("%s: %s; trying again for up to %g s", where, why, seconds)
    clock, said = asyncio.get_running_loop().time, error
    until = clock() + seconds
    async for attempt in stamina.retry_context(on=passing, attempts=None, timeout=seconds):
        with attempt:
            try:
                return await work(until)
            except TimeoutError:
                # What the server said last says more than that the time was over before it said it again.
                if clock() < until or isinstance(said, TimeoutError):
                    raise
                raise said from None
            except Exception as now:
                said = now
                raise
    raise AssertionError("unreachable: a retry ends with a result or an error")


class Watch:
    """Looks after connections whose statement has no answer yet.

    After three quarters of the time that a caller has, the server is asked on a connection of its own. One that
    answers is given that time once more, as often as it takes: a statement may be slow. If nothing answers until
    the time is over, the connection is dropped, and the statement ends with an error.

    Parameters
    ----------
    ask : Callable
        Connects to the server and comes back, or raises what the server said.
    """

    def __init__(self, ask: Callable[[], Awaitable[object]]) -> None:
        self._ask = ask
        self._waiting: dict[Connection, tuple[float, float]] = {}
        self._silent: set[Connection] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None

    def begin(self, connection: Connection, seconds: float) -> None:
        """Look after a connection whose caller waits for so long."""
        loop = asyncio.get_running_loop()
        seconds = seconds if seconds > 0 else LONGEST
        due = loop.time() + 0.75 * seconds
        self._waiting[connection] = due, seconds
        if self._timer is None:
            self._timer = loop.call_at(due, self._look)
        elif due < self._timer.when():
            self._timer.cancel()
            self._timer = loop.call_at(due, self._look)

    def end(self, connection: Connection) -> bool:
        """Look no longer after a connection; tells whether it was dropped."""
        self._waiting.pop(connection, None)
        if not self._silent:
            return False
        dropped = connection in self._silent
        self._silent.discard(connection)
        return dropped

    def close(self) -> None:
        """Look after none any longer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer, now = None, loop.time()
        late = {entry: seconds for entry, (due, seconds) in self._waiting.items() if due <= now}
        if late and self._looking is None:
            self._looking = loop.create_task(self._look_after(late))
        elif self._waiting:
            soonest = min(due for due, _ in self._waiting.values())
            self._timer = loop.call_at(max(soonest, now + 0.01), self._look)

    async def _look_after(self, late: dict[Connection, float]) -> None:
        loop = asyncio.get_running_loop()
        shortest = min(late.values())
        try:
            async with asyncio.timeout(0.25 * shortest + 2 * GRACE):
                await self._ask()
        except TimeoutError:
            now = loop.time()
            for connection in [entry for entry in late if self._waiting.get(entry, (now + 1, 0))[0] <= now]:
                log.warning("the server gives no answer: a connection is dropped")
                self._silent.add(connection)
                connection.terminate()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            self._wait_longer(late)  # that it has no room for one more, or takes none, is an answer, too
        else:
            self._wait_longer(late)
        finally:
            self._looking = None
            if self._waiting and self._timer is None:
                self._timer = loop.call_later(0.01, self._look)

    def _wait_longer(self, late: dict[Connection, float]) -> None:
        now = asyncio.get_running_loop().time()
        for connection, seconds in late.items():
            if connection in self._waiting:
                self._waiting[connection] = now + max(seconds, 1.0), seconds
