"""Who waits for a lock, on a server on which other tests wait for locks as well."""

from __future__ import annotations

from typing import Any

import asyncpg

# A lock on a row is one on a transaction, which is of no database; who waits for it holds others that are.
# Not pg_stat_activity, of which a transaction sees what it saw first.
WAITING = """
select count(*) from pg_locks where not granted and pid in (
    select pid from pg_locks where database = (select oid from pg_database where datname = current_database())
)
"""


async def waiting(connection: asyncpg.Connection | Any) -> int:
    """Return how many locks are waited for in the database of this connection."""
    found: int = await connection.fetchval(WAITING)
    return found
