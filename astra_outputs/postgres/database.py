"""Where statements run: a pool of our own connections, or one connection of the caller's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncpg
import stamina

from astra_outputs.errors import CannotConnect, Closed, ConnectionLost, DatabaseError
from astra_outputs.names import check_name
from astra_outputs.postgres.pooler import UNCACHED, DirectConnection, made_on, stands_between
from astra_outputs.postgres.sqlstates import (
    PROTOCOL_VIOLATION,
    READ_ONLY,
    asks_to_wait,
    is_transient,
    meaning,
    translated,
)
from astra_outputs.postgres.tls import explain

T = TypeVar("T")
Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

UNLIMITED = {"max_cacheable_statement_size": 0}
"""The driver would parse longer statements than 15 KiB each time: those of two hundred columns are longer."""

log = logging.getLogger("astra_outputs.database")

FAREWELL = 10.0
"""Seconds for which connections may take their leave."""

_budget: ContextVar[float | None] = ContextVar("retry_for", default=None)


@contextmanager
def retrying_for(seconds: float) -> Iterator[None]:
    """Give transactions this budget inside the `with` block, instead of the repository's."""
    token = _budget.set(seconds)
    try:
        yield
    finally:
        _budget.reset(token)


def printable(dsn: str | None) -> str:
    """Return where a DSN points to, without user name, password and options."""
    if not dsn:
        return "the server that the PG* variables name"
    try:
        parts = urlsplit(dsn)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "the server of the given DSN"
    if parts.scheme not in ("postgresql", "postgres") or "@" in parts.path:
        return "the server of the given DSN"  # a part of it that looks like the path may be the password
    host = parts.hostname or "the local socket"
    return f"{host}{port}{parts.path}"


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
        schema: str = "astra",
        connections: int = 4,
        retry_for: float = 60.0,
        **options: Any,
    ) -> None:
        check_name(schema, "schema")
        self.dsn, self.schema, self.connections, self.retry_for = dsn, schema, connections, retry_for
        self._options, self._connection = options, connection
        self._turns = turns or asyncio.Lock()
        self._pool: asyncpg.Pool | None = None
        self.direct = False
        """Whether the connections know what was made on them; not behind a pooler, nor where they are of the
        caller's own class."""
        self._at_hand: list[asyncpg.pool.PoolConnectionProxy] = []
        self._waiting = 0

    def __repr__(self) -> str:
        return f"Database({self.where}, schema={self.schema!r})"

    @property
    def where(self) -> str:
        """The server and database, printable: without user name and password."""
        return "the given connection" if self._connection else printable(self.dsn)

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
        if self.borrowed:
            return
        try:
            try:
                self._pool = await self._connect()
            except asyncpg.PostgresError as error:
                if self.retry_for <= 0 or not asks_to_wait(error):
                    raise
                self._pool = await _again(error, self._connect, asks_to_wait, self.retry_for, self.where)
        except asyncpg.PostgresError as error:
            known = meaning(error, self.where)
            raise CannotConnect(str(known), sqlstate=known.sqlstate) from error
        except (OSError, TimeoutError, ValueError, asyncpg.InterfaceError) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            if type(error) is ValueError:  # says which part of the DSN it could not read: the password, maybe
                reason = "the DSN cannot be read; write %40 for @, %2F for / and %3A for : in a password"
            why = explain(error, self.dsn)
            why = why or f"{reason}; start the server, or set ASTRA_OUTPUTS_DSN or PGHOST to one"
            # What led to it would be printed as well: only where it does not hold a piece of the DSN.
            raise CannotConnect(f"{self.where}: {why}") from (None if type(error) is ValueError else error)

    async def _connect(self) -> asyncpg.Pool:
        self.direct = False
        if "statement_cache_size" in self._options:  # for whom a pooler is no news
            return await self._pool_of(self._options)
        pool = await self._pool_of({"connection_class": DirectConnection, **self._options})
        try:
            async with pool.acquire() as connection:
                if not await stands_between(connection):
                    self.direct = made_on(connection) is not None
                    return pool
        except BaseException:
            pool.terminate()
            raise
        log.info("%s: a pooler answers, so that statements are not cached", self.where)
        await pool.close()
        return await self._pool_of({**self._options, **UNCACHED})

    async def _pool_of(self, options: dict[str, Any]) -> asyncpg.Pool:
        given = options.get("server_settings", {})
        settings = {"application_name": "astra_outputs", **given}
        try:
            return await asyncpg.create_pool(
                self.dsn,
                min_size=1,
                max_size=self.connections,
                reset=_keep_as_it_is,
                **{**UNLIMITED, **options, "server_settings": settings},
            )
        except asyncpg.PostgresError as error:
            if error.sqlstate != PROTOCOL_VIOLATION or not given:
                raise
            mend = "a pooler takes few server_settings; set the others by `alter role ... set ...`"
            raise CannotConnect(f"{self.where}: {error}; {mend}", sqlstate=error.sqlstate) from error

    async def close(self) -> None:
        """Give the connections back to the server; one that no longer answers is dropped."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        with suppress(TimeoutError):  # the pool drops its connections when it is interrupted
            async with asyncio.timeout(FAREWELL):
                while self._at_hand:
                    await pool.release(self._at_hand.pop())
                await pool.close()

    def acquire(self) -> Loan:
        """Lend a connection, in an `async with` block.

        Raises
        ------
        Closed
            If the repository was not entered, or was left.
        """
        return Loan(self)

    async def take(self) -> tuple[Connection, asyncpg.Pool | None]:
        """Return a connection, and the pool that it is of, for `give_back`; `acquire` does both.

        The caller's own connection is taken in turn; of the pool's, one that is at hand comes first.

        Raises
        ------
        Closed
            If the repository was not entered, or was left.
        """
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
            await pool.release(connection)
        else:
            self._at_hand.append(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Database]:
        """Lend a database on which everything happens in one transaction, committed at the end.

        On a caller's own connection, in a savepoint of the caller's transaction if there is one.
        """
        async with self._connection_of_its_own() as (connection, turns):
            transaction = connection.transaction()
            with translated(self.where):
                await self._in_turn(turns, connection, transaction.start)
            try:
                yield Database(connection=connection, turns=turns, schema=self.schema)
            except BaseException:
                # What led here says more than that the connection is gone, too.
                with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                    await self._in_turn(turns, connection, transaction.rollback)
                raise
            with translated(self.where):
                await self._in_turn(turns, connection, transaction.commit)

    @asynccontextmanager
    async def _connection_of_its_own(self) -> AsyncIterator[tuple[Connection, asyncio.Lock]]:
        """Lend a connection and the lock of its users; a caller's own is shared for all that time."""
        if self._connection is not None:
            yield self._connection, self._turns
            return
        async with self.acquire() as connection:
            yield connection, asyncio.Lock()

    async def _in_turn(
        self, turns: asyncio.Lock, connection: Connection, work: Callable[[], Awaitable[object]]
    ) -> None:
        async with turns:
            try:
                await work()
            except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
                if _is_gone(connection):
                    raise ConnectionResetError("the connection was lost") from error
                raise

    async def run(self, work: Callable[[Connection], Awaitable[T]], *, where: str = "") -> T:
        """Run one whole unit of work, again where it failed for a passing reason.

        The work must be one statement or open its own transaction, and be safe to repeat. On a
        caller's own connection it runs once.
        """
        try:
            return await self._once(work)
        except Exception as error:
            given = _budget.get()
            seconds, where = self.retry_for if given is None else given, where or self.where
            with translated(where):
                if self.borrowed or seconds <= 0 or not is_transient(error):
                    raise
                return await _again(error, lambda: self._once(work), is_transient, seconds, where)

    async def _once(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        async with self.acquire() as connection:
            try:
                return await work(connection)
            except asyncpg.InterfaceError as error:
                # The driver's word for a connection that went away between two statements.
                if _is_gone(connection):
                    raise ConnectionResetError("the connection was lost") from error
                raise
            except asyncpg.InternalClientError as error:
                # The server has said that it ends the connection, and not yet hung up.
                self._drop(connection)
                raise ConnectionResetError("the connection was lost") from error
            except ConnectionLost:  # said by a `run` inside this one
                self._drop(connection)
                raise
            except (asyncpg.PostgresError, DatabaseError) as error:
                if error.sqlstate == READ_ONLY and self._pool is not None:
                    # Later attempts shall look for the server that took over.
                    await self._pool.expire_connections()
                    while self._at_hand:
                        await self._pool.release(self._at_hand.pop())
                raise

    def _drop(self, connection: Connection) -> None:
        """Leave a connection that is good for nothing any more, unless it is the caller's."""
        if not self.borrowed:
            connection.terminate()


class Loan:
    """One use of a connection: the caller's own, in turn, or one of the pool's.

    Written out, since a generator takes a save two more microseconds.
    """

    __slots__ = ("_connection", "_database", "_pool")

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __aenter__(self) -> Connection:
        self._connection, self._pool = await self._database.take()
        return self._connection

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await self._database.give_back(self._connection, self._pool, failed=kind is not None)


async def _again(
    error: Exception,
    work: Callable[[], Awaitable[T]],
    passing: Callable[[Exception], bool],
    seconds: float,
    where: str,
) -> T:
    """Do something that failed again and again, for so many seconds while the reason is a passing one."""
    # Neither the server's message nor the DSN is logged: both may hold what is secret.
    why = getattr(error, "sqlstate", None) or type(error).__name__
    log.warning("%s: %s; trying again for up to %g s", where, why, seconds)
    async for attempt in stamina.retry_context(on=passing, attempts=None, timeout=seconds):
        with attempt:
            return await work()
    raise AssertionError("unreachable: a retry ends with a result or an error")


def _is_gone(connection: Connection) -> bool:
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:  # the pool took it back when the server ended it
        return True


async def _keep_as_it_is(_: Connection) -> None:
    """Spare the round trip that resets a connection: nobody else uses this pool's, and we set nothing."""
