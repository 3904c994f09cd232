"""Where statements run: a pool of our own connections, or one connection of the caller's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from contextvars import ContextVar
from typing import Any, TypeVar

import asyncpg

from astra_outputs.errors import Closed, ConnectionLost, MaybeStored, NoConnectionLeft, OtherEventLoop
from astra_outputs.names import check_name
from astra_outputs.postgres.patience import FAREWELL, GRACE, Connection, Watch, again, budget
from astra_outputs.postgres.server import Server
from astra_outputs.postgres.sqlstates import READ_ONLY, is_transient, translated

__all__ = ["Connection", "Database", "Loan"]

T = TypeVar("T")

_inside: ContextVar[frozenset[Any]] = ContextVar("inside", default=frozenset())
"""The databases in whose transactions the running code is."""


class Database:
    """Connections to one database schema, and what to do when one fails.

    Parameters
    ----------
    dsn : str, optional
        As libpq reads it; the `PG*` variables where none is given.
    connection : asyncpg.Connection, optional
        The caller's own connection, used instead of a pool. It is never closed here, a transaction
        open on it is never ended, and nothing on it is ever tried again.
    turns : asyncio.Lock, optional
        Held by whoever uses that connection, which does one thing at a time.
    watch : Watch, optional
        Looks after that connection, where it is one of another `Database`.
    schema : str
    connections : int
        Most connections open at once.
    retry_for : float
        Seconds for which a transaction is tried again after a transient failure.
    options
        Passed to asyncpg (`ssl`, `password`, `statement_cache_size`, ...).
    """

    def __init__(
        self,
        dsn: str | None = None,
        *,
        connection: Connection | None = None,
        turns: asyncio.Lock | None = None,
        watch: Watch | None = None,
        schema: str = "astra",
        connections: int = 4,
        retry_for: float = 60.0,
        **options: Any,
    ) -> None:
        check_name(schema, "schema")
        self.schema, self.connections, self.retry_for = schema, connections, retry_for
        self._server, self._connection = Server(dsn, options), connection
        self._turns = turns or asyncio.Lock()
        self._pool: asyncpg.Pool | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watch = watch or (None if connection else Watch(self._server.answers))
        self._held = 0
        self.readable: set[type] = set()
        """Record classes whose tables were found to be as they say."""
        self.direct = False
        """Whether the connections know what was made on them; not behind a pooler, nor where they are of the
        caller's own class."""
        self._at_hand: list[asyncpg.pool.PoolConnectionProxy] = []
        self._waiting = 0
        self._taking = asyncio.Lock()

    def __repr__(self) -> str:
        return f"Database({self.where}, schema={self.schema!r})"

    @property
    def where(self) -> str:
        """The server and database, printable: without user name and password."""
        return "the given connection" if self._connection else self._server.where

    @property
    def borrowed(self) -> bool:
        """Whether the connection is the caller's own."""
        return self._connection is not None

    async def open(self) -> None:
        """Connect.

        Raises
        ------
        CannotConnect
            If no server answers, or it does not let this user in.
        """
        self._loop = asyncio.get_running_loop()
        if self.borrowed:
            return
        self._pool, self.direct = await self._server.pool(self.connections, self.retry_for)

    async def close(self) -> None:
        """Give the connections back to the server; one that no longer answers is dropped."""
        pool, self._pool = self._pool, None
        if self._watch is not None and not self.borrowed:
            self._watch.close()
        if pool is None:
            return
        in_use = pool.get_size() - pool.get_idle_size() - len(self._at_hand)
        try:
            async with asyncio.timeout(FAREWELL if in_use else GRACE):
                while self._at_hand:
                    await pool.release(self._at_hand.pop(), timeout=GRACE)
                await pool.close()
        except (TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            pool.terminate()

    def acquire(self) -> Loan:
        """Lend a connection, in an `async with` block.

        Raises
        ------
        Closed
            If the repository was not entered, or was left.
        OtherEventLoop
            If it was entered in another event loop.
        NoConnectionLeft
            If this is inside a transaction, and transactions hold all connections.
        """
        return Loan(self)

    @asynccontextmanager
    async def several(self, wanted: int) -> AsyncIterator[list[Connection]]:
        """Lend so many connections, or all that there may be; of a caller's own there is one."""
        number = 1 if self.borrowed else max(1, min(wanted, self.connections))
        async with AsyncExitStack() as stack:
            async with self._taking:  # two that each held some and waited for others would wait for ever
                lent = [await stack.enter_async_context(self.acquire()) for _ in range(number)]
            yield lent

    def another(self) -> Database:
        """Return the same database, not opened yet: connections belong to the loop that opened them.

        Raises
        ------
        Closed
            If the connection is the caller's own, of which there is no other.
        """
        if self.borrowed:
            raise Closed("your own connection cannot be used from here: `await` the answer first")
        other = Database(schema=self.schema, connections=self.connections, retry_for=self.retry_for)
        other._server, other._watch = self._server, Watch(self._server.answers)
        return other

    async def take(self) -> tuple[Connection, asyncpg.Pool | None]:
        """Return a connection, and the pool that it is of, for `give_back`; `acquire` does both.

        The caller's own connection is taken in turn; of the pool's, one that is at hand comes first.

        Raises
        ------
        Closed
            If the repository was not entered, or was left.
        OtherEventLoop, NoConnectionLeft
            As `acquire`.
        """
        if self._loop is not None and self._loop is not asyncio.get_running_loop():
            raise OtherEventLoop(
                "this repository belongs to another event loop: enter one by `async with astra_outputs.connect(...)` "
                "in each loop (each thread, each `asyncio.run`)"
            )
        if self._connection is not None:
            await self._turns.acquire()
            return self._connection, None
        pool = self._pool
        if pool is None:
            raise Closed("the repository is closed: use it inside `async with astra_outputs.connect(...)`")
        while self._at_hand:
            connection = self._at_hand.pop()
            if not _is_gone(connection):
                return connection, pool
            await pool.release(connection)
        if self._held >= self.connections and self in _inside.get():
            raise NoConnectionLeft(
                f"a transaction holds {'all' if self._held > 1 else 'the only'} connection{'s' * (self._held > 1)} "
                f"of {self.where}, and what it reads wants one more: read it before, or give "
                f"`connect` connections={self._held + 1}"
            )
        self._waiting += 1
        try:
            return await pool.acquire(), pool
        finally:
            self._waiting -= 1

    async def give_back(self, connection: Any, pool: asyncpg.Pool | None, *, failed: bool) -> None:
        """Take a connection back, to be at hand for the next user, or to be reset where its use failed."""
        if pool is None:
            self._turns.release()
        # To take a connection out of the pool and put it back costs a save a fifth of its time.
        elif failed or self._waiting or self._pool is not pool:
            # What ended its use may be that the server hangs: the connection is dropped then, if need be.
            with suppress(TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                await pool.release(connection, timeout=GRACE)
        else:
            self._at_hand.append(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Database]:
        """Lend a database on which everything happens in one transaction, committed at the end.

        On a caller's own connection, in a savepoint of the caller's transaction if there is one.

        Raises
        ------
        MaybeStored
            If the connection is lost before the server has said that the transaction is committed.
        NoConnectionLeft
            Inside, if this database is asked for one more connection, and transactions hold all.
        """
        async with AsyncExitStack() as taken:
            connection, transaction = await self._begun(taken)
            turns = self._turns if self.borrowed else asyncio.Lock()
            inside = Database(connection=connection, turns=turns, watch=self._watch, schema=self.schema)
            inside.retry_for, inside.readable = self.retry_for, self.readable
            before = _inside.get()
            _inside.set(before | {self})
            self._held += 1
            try:
                yield inside
            except BaseException:
                # What led here says more than that the connection is gone, too.
                with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                    async with turns:
                        await self._do(connection, lambda _: transaction.rollback())
                raise
            finally:
                self._held -= 1
                _inside.set(before)
            try:
                with translated(self.where):
                    async with turns:
                        await self._do(connection, lambda _: transaction.commit())
            except ConnectionLost as error:
                raise MaybeStored(
                    f"{error}; the connection was lost while the transaction was being committed: all of it may be "
                    "stored, or nothing; save it again to be sure",
                    sqlstate=error.sqlstate,
                ) from error.__cause__

    async def _begun(self, taken: AsyncExitStack) -> tuple[Connection, Any]:
        """Begin a transaction, on a connection that stays ours for all that time; a caller's own is shared."""
        if self._connection is not None:
            transaction = self._connection.transaction()
            with translated(self.where):
                async with self._turns:
                    await self._do(self._connection, lambda _: transaction.start())
            return self._connection, transaction

        async def begin(until: float | None = None) -> tuple[Connection, Any]:
            async with AsyncExitStack() as loan:
                connection = await loan.enter_async_context(Loan(self, until))
                transaction = connection.transaction()
                await self._do(connection, lambda _: transaction.start())
                taken.push_async_exit(loan.pop_all())
            return connection, transaction

        return await self._with_retries(begin, self.where)

    async def run(self, work: Callable[[Connection], Awaitable[T]], *, where: str = "") -> T:
        """Run one whole unit of work, again where it failed for a passing reason.

        The work must be one statement or open its own transaction, and be safe to repeat. On a
        caller's own connection it runs once.

        Raises
        ------
        ConnectionLost
            If the server went away, or gave no answer and no new connection within the time for which
            failures are tried again.
        """
        return await self._with_retries(lambda until=None: self._once(work, until), where or self.where)

    async def _with_retries(self, work: Callable[..., Awaitable[T]], where: str) -> T:
        try:
            started = asyncio.get_running_loop().time()
            return await work()
        except Exception as error:
            seconds = budget(self.retry_for)
            if isinstance(error, TimeoutError):  # nobody answered in all that time, which counts
                seconds -= asyncio.get_running_loop().time() - started
            with translated(where):
                if self.borrowed or seconds <= 0 or not is_transient(error):
                    raise
                return await again(error, work, is_transient, seconds, where)

    async def _once(self, work: Callable[[Connection], Awaitable[T]], until: float | None = None) -> T:
        async with Loan(self, until) as connection:
            return await self._do(connection, work)

    async def _do(self, connection: Connection, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do something on a connection; that it was lost is an OSError, however the driver puts it."""
        watch = self._watch
        if watch is not None:
            watch.begin(connection, budget(self.retry_for))
        try:
            return await work(connection)
        except Exception as error:
            if watch is not None and watch.end(connection):
                raise TimeoutError("the server gives no answer") from error
            if isinstance(error, asyncpg.InterfaceError):
                # The driver's word for a connection that went away between two statements.
                if _is_gone(connection):
                    raise ConnectionResetError("the connection was lost") from error
            elif isinstance(error, asyncpg.InternalClientError):
                # The server has said that it ends the connection, and not yet hung up.
                self._drop(connection)
                raise ConnectionResetError("the connection was lost") from error
            elif isinstance(error, ConnectionLost):  # said by a `run` inside this one
                self._drop(connection)
            elif getattr(error, "sqlstate", None) == READ_ONLY and self._pool is not None:
                # Later attempts shall look for the server that took over.
                await self._pool.expire_connections()
                while self._at_hand:
                    await self._pool.release(self._at_hand.pop())
            raise
        finally:
            if watch is not None:
                watch.end(connection)

    def _drop(self, connection: Connection) -> None:
        """Leave a connection that is good for nothing any more, unless it is the caller's."""
        if not self.borrowed:
            connection.terminate()


class Loan:
    """One use of a connection: the caller's own, in turn, or one of the pool's.

    Written out, since a generator takes a save two more microseconds.
    """

    __slots__ = ("_connection", "_database", "_pool", "_until")

    def __init__(self, database: Database, until: float | None = None) -> None:
        self._database, self._until = database, until

    async def __aenter__(self) -> Connection:
        database = self._database
        if self._until is None:
            self._connection, self._pool = await database.take()
        else:
            async with asyncio.timeout_at(self._until):
                self._connection, self._pool = await database.take()
        return self._connection

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await self._database.give_back(self._connection, self._pool, failed=kind is not None)


def _is_gone(connection: Connection) -> bool:
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:  # the pool took it back when the server ended it
        return True
