"""The server that a DSN points to, and how connections to it are made."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import asyncpg

from astra_outputs.errors import CannotConnect
from astra_outputs.postgres import dsn as dsns
from astra_outputs.postgres.patience import LONGEST, Connection, again
from astra_outputs.postgres.pooler import (
    UNCACHED,
    DirectConnection,
    PatientConnection,
    stands_between,
)
from astra_outputs.postgres.remembered import remembered
from astra_outputs.postgres.sqlstates import PROTOCOL_VIOLATION, asks_to_wait, meaning
from astra_outputs.postgres.tls import explain

UNLIMITED = {"max_cacheable_statement_size": 0}
"""The driver would parse longer statements than 15 KiB each time: those of two hundred columns are longer."""

CONNECTING = frozenset({"host", "port", "user", "password", "passfile", "database", "ssl", "direct_tls"})
"""Options of `connect` that say where the server is, and who asks."""

log = logging.getLogger("astra_outputs.database")


class Server:
    """A server, as a DSN and asyncpg's options name it.

    Parameters
    ----------
    dsn : str or None
        As libpq reads it; the `PG*` variables where none is given. It is read when a connection is wanted.
    options : dict
        Passed to asyncpg.
    """

    def __init__(self, dsn: str | None, options: dict[str, Any]) -> None:
        self._dsn, self._options = dsn, options

    @property
    def where(self) -> str:
        """The server and database, printable: without user name and password."""
        return dsns.where(self._dsn)

    async def pool(self, connections: int, retry_for: float) -> tuple[asyncpg.Pool, bool]:
        """Return a pool of so many connections, and whether they lead to the server itself.

        Raises
        ------
        CannotConnect
            If no server answers, or it does not let this user in.
        """
        address = dsns.read(self._dsn)
        patience = self._patience(address, retry_for)

        async def connect(_: float = 0.0) -> tuple[asyncpg.Pool, bool]:
            return await self._connect(address, connections, patience)

        try:
            try:
                return await connect()
            except asyncpg.PostgresError as error:
                if retry_for <= 0 or not asks_to_wait(error):
                    raise
                return await again(error, connect, asks_to_wait, retry_for, self.where)
        except asyncpg.PostgresError as error:
            known = meaning(error, self.where)
            raise CannotConnect(str(known), sqlstate=known.sqlstate) from error
        except (
            OSError,
            TimeoutError,
            ValueError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
        ) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            if isinstance(error, asyncpg.InternalClientError):  # the server has ended it, and not yet hung up
                reason = "the connection was lost"
            if type(error) is TimeoutError:
                reason = f"no answer within {patience:g} s"
            if type(error) is ValueError:  # says which part of the DSN it could not read: the password, maybe
                reason = dsns.UNREADABLE
            why = explain(error, address.dsn)
            why = why or f"{reason}; start the server, or set ASTRA_OUTPUTS_DSN or PGHOST to one"
            # What led to it would be printed as well: only where it does not hold a piece of the DSN.
            raise CannotConnect(f"{self.where}: {why}") from (None if type(error) is ValueError else error)

    async def answers(self) -> None:
        """Connect once more, to see whether the server is there."""
        options = {name: value for name, value in self._options.items() if name in CONNECTING}
        connection = await asyncpg.connect(dsns.read(self._dsn).dsn, **options, timeout=LONGEST)
        connection.terminate()

    def _patience(self, address: dsns.Address, retry_for: float) -> float:
        """Return for how many seconds a new connection is waited for."""
        given: float | None = self._options.get("timeout", address.timeout)
        if given is not None:
            return given
        return min(LONGEST, max(retry_for, 1.0)) if retry_for > 0 else LONGEST

    async def _connect(
        self, address: dsns.Address, connections: int, patience: float
    ) -> tuple[asyncpg.Pool, bool]:
        given = {**self._options, "timeout": patience, "max_size": connections}
        if "statement_cache_size" in self._options:  # for whom a pooler is no news
            return await self._pool_of(address, PatientConnection, given), False
        pool = await self._pool_of(address, DirectConnection, given)
        try:
            async with asyncio.timeout(patience), pool.acquire() as connection:
                if not await stands_between(connection):
                    return pool, remembered(connection).lasts
        except BaseException:
            pool.terminate()
            raise
        log.info("%s: a pooler answers, so that statements are not cached", self.where)
        await pool.close()
        return await self._pool_of(address, PatientConnection, {**given, **UNCACHED}), False

    async def _pool_of(
        self, address: dsns.Address, kind: type[asyncpg.Connection], options: dict[str, Any]
    ) -> asyncpg.Pool:
        given = options.get("server_settings", {})
        settings = {"application_name": address.application_name or "astra_outputs", **given}
        reset = _keep_as_it_is if kind is DirectConnection else _synchronise
        ours = {**UNLIMITED, "min_size": 1, "reset": reset, "connection_class": kind}
        try:
            return await asyncpg.create_pool(address.dsn, **{**ours, **options, "server_settings": settings})
        except asyncpg.PostgresError as error:
            if error.sqlstate != PROTOCOL_VIOLATION or not given:
                raise
            mend = "a pooler takes few server_settings; set the others by `alter role ... set ...`"
            raise CannotConnect(f"{self.where}: {error}; {mend}", sqlstate=error.sqlstate) from error


async def _keep_as_it_is(_: Connection) -> None:
    """Spare the round trip that resets a connection: nobody else uses this pool's, and we set nothing."""


async def _synchronise(connection: Connection) -> None:
    """Have a pooler take its connection to the server back.

    A call that ends between the answer to Parse and Execute has sent no Sync, so that the transaction is open for
    the server and the pooler keeps the connection for us, for good.
    """
    await connection.execute("select 1")
