"""Transactions whose beginning may be cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg

from astra_outputs.postgres.patience import GRACE, Connection
from astra_outputs.postgres.pooler import BoundedTransaction


async def begin(transaction: Any) -> None:
    """Begin a transaction; if that is cancelled, nothing is left of it.

    The driver, cancelled while BEGIN is on its way, leaves the transaction open on the server, and takes it for the
    outermost one ever after. So it is let begin, and is undone then. A connection of ours
    is reset by its pool.
    """
    if isinstance(transaction, BoundedTransaction):
        await transaction.start()
        return
    beginning = asyncio.ensure_future(transaction.start())
    try:
        await asyncio.shield(beginning)
    except asyncio.CancelledError:
        with suppress(TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            async with asyncio.timeout(GRACE):  # a server that hangs keeps nobody
                await beginning
                await transaction.rollback()
        raise


@asynccontextmanager
async def transaction(connection: Connection) -> AsyncIterator[None]:
    """Hold a transaction, or a savepoint of the caller's, of which nothing is left where its beginning is cancelled."""
    opened = connection.transaction()
    await begin(opened)
    try:
        yield
    except BaseException:
        await opened.rollback()
        raise
    await opened.commit()
