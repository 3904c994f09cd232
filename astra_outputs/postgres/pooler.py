"""A connection pooler, such as PgBouncer, between this process and the server: how it is noticed."""

from __future__ import annotations

from typing import Any

from asyncpg import Connection
from asyncpg.pool import PoolConnectionProxy

UNCACHED = {"statement_cache_size": 0}
"""Options of a connection whose statements may each run on another connection to the server."""


class DirectConnection(Connection):
    """A connection to the server itself: what was made on it once is there until it ends."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.made: set[str] = set()
        """Names of the temporary tables and types that are there; asking each time takes up to half a millisecond."""


def made_on(connection: Connection | PoolConnectionProxy) -> set[str] | None:
    """Return the temporary tables and types that this connection is known to have, to be added to.

    None where nothing stays known: a pooler may stand before the server, or the connection is not our own.
    """
    made: set[str] | None = getattr(connection, "made", None)
    return made


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
