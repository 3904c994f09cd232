"""Our connections to the server, and a pooler, such as PgBouncer, between: how it is noticed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from types import TracebackType
from typing import Any

from asyncpg import Connection
from asyncpg.pool import PoolConnectionProxy
from asyncpg.transaction import Transaction

from astra_outputs.postgres.patience import GRACE
from astra_outputs.postgres.remembered import Remembered

UNCACHED = {"statement_cache_size": 0}
"""Options of a connection whose statements may each run on another connection to the server."""


class PatientConnection(Connection):
    """A connection whose transactions are left in time where the server hangs."""

    def transaction(self, **options: Any) -> Any:
        """Return a transaction, as asyncpg does."""
        return BoundedTransaction(self, super().transaction(**options))


class BoundedTransaction:
    """A transaction that is rolled back in `GRACE` seconds, or with its connection."""

    def __init__(self, connection: Connection, transaction: Transaction) -> None:
        self._connection, self._transaction = connection, transaction
        self.start, self.commit = transaction.start, transaction.commit

    async def __aenter__(self) -> None:
        await self._transaction.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            await self._transaction.__aexit__(kind, error, trace)
            return
        await in_time(self._connection, self._transaction.__aexit__(kind, error, trace))

    async def rollback(self) -> None:
        """Undo what was done."""
        await in_time(self._connection, self._transaction.rollback())


async def in_time(connection: Connection | PoolConnectionProxy, rollback: Awaitable[Any]) -> None:
    """Roll back in `GRACE` seconds, or drop the connection, which undoes it as well.

    The caller's time is over where this is called: waiting for a server that hangs would keep them for good.
    A connection of the caller's own is not ours to drop.
    """
    if not isinstance(connection, PoolConnectionProxy | PatientConnection):
        await rollback
        return
    try:
        async with asyncio.timeout(GRACE):
            await rollback
    except TimeoutError:
        connection.terminate()


class DirectConnection(PatientConnection):
    """A connection to the server itself: what was made on it once is there until it ends."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.remembered = Remembered()


async def stands_between(connection: Connection | PoolConnectionProxy) -> bool:
    """Tell whether a pooler answers, and not the server itself.

    PostgreSQL tells each client the number of the process that serves it, so that it can be cancelled. With
    a pooler that process changes, and the number is one of the pooler's own.
    """
    # Within one transaction, and without a name: such a statement is in nobody's way on any connection.
    async with connection.transaction():
        query = await connection.prepare("select pg_backend_pid()", name="")
        serving: int = await query.fetchval()
    return serving != connection.get_server_pid()
