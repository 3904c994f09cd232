"""What was made on a connection once and is there until it ends: temporary tables and types, by name."""

from __future__ import annotations

from collections.abc import Iterable

from asyncpg import Connection
from asyncpg.pool import PoolConnectionProxy


class Remembered:
    """Names of the temporary tables and types that are there on one connection.

    Asking the server each time takes up to half a millisecond. A name stands for columns and types (see
    `Statements`): of other types it is another one. Added to only when what made it was committed.
    """

    lasts = True
    """Whether what is made here is still there for the next batch."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def update(self, names: Iterable[str]) -> None:
        """Add names."""
        self._names.update(names)


class Forgetful(Remembered):
    """What is known of a connection behind which a pooler may change the server's: nothing."""

    lasts = False

    def update(self, names: Iterable[str]) -> None:
        """Add nothing."""


_FORGETFUL = Forgetful()


def remembered(connection: Connection | PoolConnectionProxy) -> Remembered:
    """Return what is known to be there on a connection, to be added to.

    Nothing is where a pooler may stand before the server, or the connection is not our own.
    """
    known: Remembered = getattr(connection, "remembered", _FORGETFUL)
    return known
