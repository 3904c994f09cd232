"""Transactions whose beginning and end may be cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from typing import Any

from astra_outputs.postgres.patience import GONE, Connection
from astra_outputs.postgres.pooler import BoundedTransaction

ENDING = 0.5
"""Seconds that the answer to BEGIN, COMMIT or ROLLBACK has to come when its caller has left: a server that hangs keeps
nobody, and a busy one is not taken for one that hangs."""


async def begin(transaction: Any) -> None:
    """Begin a transaction; if that is cancelled, nothing is left of it.

    The driver, cancelled while BEGIN is on its way, leaves the transaction open on the server, and takes it for the
    outermost one ever after. So it is let begin, and is undone then. A connection of ours
    is reset by its pool.
    """
    if isinstance(transaction, BoundedTransaction):
        await transaction.start()
        return
    try:
        await end(transaction.start())
    except asyncio.CancelledError:
        with suppress(*GONE):
            async with asyncio.timeout(ENDING):
                await transaction.rollback()
        raise


async def end(last: Awaitable[Any]) -> None:
    """Await a statement that begins or ends a transaction, to its end if that is cancelled.

    The driver, cancelled while COMMIT or ROLLBACK is on its way, hands back a connection that is, for as long as the
    answer takes, in a transaction.
    """
    answer = asyncio.ensure_future(last)
    try:
        await asyncio.shield(answer)
    except asyncio.CancelledError:
        with suppress(*GONE):
            async with asyncio.timeout(ENDING):
                await answer
        raise


@asynccontextmanager
async def transaction(connection: Connection) -> AsyncIterator[None]:
    """Hold a transaction, or a savepoint of the caller's, of which nothing is left where it is cancelled."""
    opened = connection.transaction()
    await begin(opened)
    try:
        yield
    except BaseException:
        await end(opened.rollback())
        raise
    await end(opened.commit())
