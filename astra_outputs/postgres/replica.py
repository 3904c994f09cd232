"""Whether a second server, to read from, follows the one that is written to."""

from __future__ import annotations

import logging
from typing import NamedTuple

from astra_outputs.errors import CannotConnect
from astra_outputs.events import tell
from astra_outputs.postgres.database import Connection, Database
from astra_outputs.postgres.sql import Statement, templates

log = logging.getLogger("astra_outputs.database")


class Identity(NamedTuple):
    """What tells a database from all others but its copies.

    Attributes
    ----------
    server : int or None
        None where this user may not ask.
    database : int
    follows : bool
        Whether the server takes no writes, and follows another one.
    """

    server: int | None
    database: int
    follows: bool

    def is_of(self, other: Identity) -> bool:
        """Tell whether both are copies of one database."""
        servers = {one.server for one in (self, other) if one.server is not None}
        return len(servers) < 2 and self.database == other.database


async def check(written: Database, read: Database) -> None:
    """Refuse to read from a server that has other rows than the one that is written to.

    One that takes writes itself is used all the same, and said in the log: it may have been promoted.

    Raises
    ------
    CannotConnect
        If it is no copy of it.
    """
    here, there = await written.run(_identity), await read.run(_identity)
    if not there.is_of(here):
        raise CannotConnect(
            f"read_dsn: {read.where} is no copy of {written.where}, what is stored there would not be found: "
            "name a standby of it, or connect to the other database by itself"
        )
    if not there.follows:
        tell(
            log,
            logging.WARNING,
            "read_dsn names a server that takes writes, no standby: reading is a load on it",
            server=read.where,
        )


def statements_of() -> list[Statement]:
    """Return the statements that tell servers apart; they are the same for all tables."""
    return [template.statement() for template in templates("replica").values()]


async def _identity(connection: Connection) -> Identity:
    asked = templates("replica")
    (row,) = await connection.fetch(asked["which_database"].text)
    server = await connection.fetchval(asked["which_server"].text) if row["may_ask"] else None
    return Identity(server, row["database"], row["follows"])
