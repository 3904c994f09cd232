"""`Lending`: connections to a server, a pool of our own or one of the caller's, each lent to one user at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import asyncpg

from astra_outputs.errors import Closed, NoConnectionLeft, OtherEventLoop
from astra_outputs.postgres.patience import FAREWELL, GONE, GRACE, Connection
from astra_outputs.postgres.server import Server

_inside: ContextVar[frozenset[Any]] = ContextVar("inside", default=frozenset())
"""What lent the connections of the transactions and answers inside which the running code is."""


class Lending:
    """Connections that are lent, and taken back.

    Parameters
    ----------
    server : Server
    connection : asyncpg.Connection, optional
        The caller's own connection, used instead of a pool. It is never closed here.
    turns : asyncio.Lock, optional
        Held by whoever uses that connection, which does one thing at a time.
    most : int
        Most connections open at once.
    """

    def __init__(
        self, server: Server, connection: Connection | None, turns: asyncio.Lock | None, most: int
    ) -> None:
        self.own, self.turns, self.most = connection, turns or asyncio.Lock(), most
        self.direct = False
        """Whether the connections know what was made on them; not behind a pooler, nor where they are of the
        caller's own class."""
        self._server = server
        self._pool: asyncpg.Pool | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._at_hand: list[asyncpg.pool.PoolConnectionProxy] = []
        self._held = self._waiting = self._lent = 0

    @property
    def where(self) -> str:
        """The server and database, printable: without user name and password."""
        return "the given connection" if self.own else self._server.where

    async def open(self, retry_for: float) -> None:
        """Connect; see `Database.open`."""
        self._loop = asyncio.get_running_loop()
        if self.own is None:
            self._pool, self.direct = await self._server.pool(self.most, retry_for)

    async def close(self) -> None:
        """Give the connections back to the server; one that no longer answers is dropped."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        in_use = pool.get_size() - pool.get_idle_size() - len(self._at_hand)
        try:
            async with asyncio.timeout(FAREWELL if in_use else GRACE):
                while self._at_hand:
                    await _release(pool, self._at_hand.pop())
                await pool.close()
        except GONE:
            pool.terminate()

    async def expire(self) -> None:
        """Use no connection again: later ones shall look for the server that took over."""
        if self._pool is not None:
            await self._pool.expire_connections()
            while self._at_hand:
                await _release(self._pool, self._at_hand.pop())

    @asynccontextmanager
    async def several(self, wanted: int) -> AsyncIterator[list[Connection]]:
        """Lend so many connections, or as many as nobody else has; of a caller's own there is one."""
        async with AsyncExitStack() as stack:
            lent = [await stack.enter_async_context(Loan(self))]
            # Who held some and waited for others would wait for ever where those wait for one of these.
            while len(lent) < wanted and self._lent + self._waiting < self.most and not self.own:
                lent.append(await stack.enter_async_context(Loan(self)))
            yield lent

    async def take(self) -> tuple[Connection, asyncpg.Pool | None]:
        """Return a connection, and the pool that it is of, for `give_back`; `Loan` does both.

        The caller's own connection is taken in turn; of the pool's, one that is at hand comes first.

        Raises
        ------
        Closed
            If the repository was not entered, or was left.
        OtherEventLoop
            If it was entered in another event loop.
        NoConnectionLeft
            If this is inside a transaction, or an answer that is being read, and such hold all connections.
        """
        if self._loop is not None and self._loop is not asyncio.get_running_loop():
            raise OtherEventLoop(
                "this repository belongs to another event loop: enter one by `async with astra_outputs.connect(...)` "
                "in each loop (each thread, each `asyncio.run`)"
            )
        if self.own is not None:
            self.refuse_inside()
            await self.turns.acquire()
            return self.own, None
        pool = self._pool
        if pool is None:
            raise Closed("the repository is closed: use it inside `async with astra_outputs.connect(...)`")
        while self._at_hand:
            connection = self._at_hand.pop()
            if not is_gone(connection):
                self._lent += 1
                return connection, pool
            await _release(pool, connection)
        self.refuse_inside()
        self._waiting += 1
        try:
            taken = await pool.acquire()
        finally:
            self._waiting -= 1
        self._lent += 1
        return taken, pool

    async def give_back(self, connection: Any, pool: asyncpg.Pool | None, *, failed: bool) -> None:
        """Take a connection back, to be at hand for the next user, or to be reset where its use failed."""
        if pool is None:
            self.turns.release()
            return
        self._lent -= 1
        # To take a connection out of the pool and put it back costs a save a fifth of its time.
        if failed or self._waiting or self._pool is not pool:
            await _release(pool, connection)
        else:
            self._at_hand.append(connection)

    @contextmanager
    def held(self, connections: int = 1) -> Iterator[None]:
        """Count connections as those of a transaction, or an answer, inside which the running code is from now on."""
        before = _inside.get()
        _inside.set(before | {self})
        self._held += connections
        try:
            yield
        finally:
            self._held -= connections
            _inside.set(before)

    def refuse_inside(self) -> None:
        """Refuse to wait for a connection that comes back only when the running code has ended.

        Raises
        ------
        NoConnectionLeft
            If this is inside a transaction, or an answer that is being read, and such hold all connections.
        """
        most = 1 if self.own else self.most
        if self._held < most or self not in _inside.get():
            return
        mend = "" if self.own else f", or give `connect` connections={self._held + 1}"
        raise NoConnectionLeft(
            f"a transaction, or an answer that is being read, holds {'all' if most > 1 else 'the only'} "
            f"connection{'s' * (most > 1)} of {self.where}, and one more is wanted inside: read it before{mend}"
        )


class Loan:
    """One use of a connection: the caller's own, in turn, or one of the pool's.

    Written out, since a generator takes a save two more microseconds.
    """

    __slots__ = ("_connection", "_lending", "_pool", "_until")

    def __init__(self, lending: Lending, until: float | None = None) -> None:
        self._lending, self._until = lending, until

    async def __aenter__(self) -> Connection:
        lending = self._lending
        if self._until is None:
            self._connection, self._pool = await lending.take()
        else:
            async with asyncio.timeout_at(self._until):
                self._connection, self._pool = await lending.take()
        return self._connection

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await self._lending.give_back(self._connection, self._pool, failed=kind is not None)


async def _release(pool: asyncpg.Pool, connection: Any) -> None:
    """Put a connection back into its pool, which resets it; where the server hangs it is dropped."""
    with suppress(*GONE):
        await pool.release(connection, timeout=GRACE)


def is_gone(connection: Connection) -> bool:
    """Tell whether a connection is closed."""
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:  # the pool took it back when the server ended it
        return True
