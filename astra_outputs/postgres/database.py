"""Where statements run: a pool of our own connections, or one connection of the caller's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    suppress,
)
from typing import Any, TypeVar

import asyncpg

from astra_outputs.errors import Closed, ConnectionLost, MaybeStored
from astra_outputs.names import check_name
from astra_outputs.postgres.boundaries import begin, end
from astra_outputs.postgres.lending import Lending, Loan, is_gone
from astra_outputs.postgres.patience import GONE, Connection, Watch, again, budget
from astra_outputs.postgres.server import Server
from astra_outputs.postgres.sqlstates import READ_ONLY, is_transient, translated

__all__ = ["Connection", "Database", "Loan"]

T = TypeVar("T")


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
        self._server = Server(dsn, options)
        self._lending = Lending(self._server, connection, turns, connections)
        self._watch = watch or (None if connection else Watch(self._server.answers))
        self.readable: dict[type, frozenset[str]] = {}
        """Record classes whose tables were found to be as they say, with the numbers that may be NaN there."""
        self.partitioned: dict[type, bool] = {}
        """Record classes of which it is known whether their tables are spread over partitions."""

    def __repr__(self) -> str:
        return f"Database({self.where}, schema={self.schema!r})"

    @property
    def where(self) -> str:
        """The server and database, printable: without user name and password."""
        return self._lending.where

    @property
    def direct(self) -> bool:
        """Whether connections know what was made on them; not behind a pooler, nor those of a caller's own class."""
        return self._lending.direct

    @property
    def borrowed(self) -> bool:
        """Whether the connection is the caller's own."""
        return self._lending.own is not None

    async def open(self) -> None:
        """Connect.

        Raises
        ------
        CannotConnect
            If no server answers, or it does not let this user in.
        """
        await self._lending.open(self.retry_for)

    async def close(self) -> None:
        """Give the connections back to the server; one that no longer answers is dropped."""
        if self._watch is not None and not self.borrowed:
            self._watch.close()
        await self._lending.close()

    def acquire(self) -> Loan:
        """Lend a connection, in an `async with` block.

        Raises
        ------
        Closed
            If the repository was not entered, or was left.
        OtherEventLoop
            If it was entered in another event loop.
        NoConnectionLeft
            If this is inside a transaction, or an answer that is being read, and such hold all connections.
        """
        return Loan(self._lending)

    def several(self, wanted: int) -> AbstractAsyncContextManager[list[Connection]]:
        """Lend so many connections, or as many as nobody else has; of a caller's own there is one."""
        return self._lending.several(wanted)

    def held(self, connections: int) -> AbstractContextManager[None]:
        """Count so many as lent to who is inside for as long: where they are all, one more is refused there."""
        return self._lending.held(connections)

    def refuse_inside(self) -> None:
        """Refuse to go on inside a transaction, or an answer that is being read, where such hold all connections.

        Raises
        ------
        NoConnectionLeft
            If they do.
        """
        self._lending.refuse_inside()

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
        other._lending = Lending(self._server, None, None, self.connections)
        return other

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
            turns = self._lending.turns if self.borrowed else asyncio.Lock()
            inside = Database(connection=connection, turns=turns, watch=self._watch, schema=self.schema)
            inside.retry_for = self.retry_for
            inside.readable, inside.partitioned = self.readable, self.partitioned
            with self._lending.held(0 if self.borrowed else 1):  # a caller's own is shared
                try:
                    yield inside
                except BaseException:
                    # What led here says more than that the connection is gone, too.
                    with suppress(*GONE):
                        async with turns:
                            await self._do(connection, lambda _: end(transaction.rollback()))
                    raise
            try:
                with translated(self.where):
                    async with turns:
                        await self._do(connection, lambda _: end(transaction.commit()))
            except ConnectionLost as error:
                raise MaybeStored(
                    f"{error}; the connection was lost while the transaction was being committed: all of it may be "
                    "stored, or nothing; save it again to be sure",
                    sqlstate=error.sqlstate,
                ) from error.__cause__

    async def _begun(self, taken: AsyncExitStack) -> tuple[Connection, Any]:
        """Begin a transaction, on a connection that stays ours for all that time; a caller's own is shared."""
        own = self._lending.own
        if own is not None:
            transaction = own.transaction()
            with translated(self.where):
                async with self._lending.turns:
                    await self._do(own, lambda _: begin(transaction))
            return own, transaction

        async def on_one(until: float | None = None) -> tuple[Connection, Any]:
            async with AsyncExitStack() as loan:
                connection = await loan.enter_async_context(Loan(self._lending, until))
                transaction = connection.transaction()
                await self._do(connection, lambda _: transaction.start())
                taken.push_async_exit(loan.pop_all())
            return connection, transaction

        return await self._with_retries(on_one, self.where)

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

    async def repeat(self, work: Callable[[], Awaitable[T]], *, where: str = "") -> T:
        """Do something that takes its own connections, again where it failed for a passing reason.

        On a caller's own connection it is done once.
        """

        async def timeless(_: float | None = None) -> T:
            return await work()

        return await self._with_retries(timeless, where or self.where)

    async def _with_retries(self, work: Callable[..., Awaitable[T]], where: str) -> T:
        try:
            started = asyncio.get_running_loop().time()
            return await work()
        except Exception as error:
            seconds = budget(self.retry_for)
            if TimeoutError in (
                type(error),
                type(error.__cause__),
            ):  # nobody answered in all that time, which counts
                seconds -= asyncio.get_running_loop().time() - started
            with translated(where):
                if self.borrowed or seconds <= 0 or not is_transient(error):
                    raise
                return await again(error, work, is_transient, seconds, where)

    async def _once(self, work: Callable[[Connection], Awaitable[T]], until: float | None = None) -> T:
        async with Loan(self._lending, until) as connection:
            return await self._do(connection, work)

    async def _do(self, connection: Connection, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do something on a connection; that it was lost is an OSError, however the driver puts it."""
        watch = self._watch
        if watch is not None:
            # Where nothing is tried again, an answer is waited for all the same.
            watch.begin(connection, budget(self.retry_for) or self.retry_for)
        try:
            return await work(connection)
        except Exception as error:
            if watch is not None and watch.end(connection):
                raise TimeoutError("the server gives no answer") from error
            if isinstance(error, asyncpg.InterfaceError):
                # The driver's word for a connection that went away between two statements.
                if is_gone(connection):
                    raise ConnectionResetError("the connection was lost") from error
            elif isinstance(error, asyncpg.InternalClientError):
                # The server has said that it ends the connection, and not yet hung up.
                self._drop(connection)
                raise ConnectionResetError("the connection was lost") from error
            elif isinstance(error, ConnectionLost):  # said by a `run` inside this one
                self._drop(connection)
            elif getattr(error, "sqlstate", None) == READ_ONLY:
                await self._lending.expire()
            raise
        finally:
            if watch is not None:
                watch.end(connection)

    def _drop(self, connection: Connection) -> None:
        """Leave a connection that is good for nothing any more, unless it is the caller's."""
        if not self.borrowed:
            connection.terminate()
