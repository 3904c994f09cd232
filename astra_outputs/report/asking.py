"""Questions for the page: what cannot be answered is left out, with a sentence that says why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from astra_outputs.errors import (
    AstraOutputsError,
    CannotConnect,
    ConnectionLost,
    InvalidPicture,
    MissingExtra,
)
from astra_outputs.postgres.database import Database
from astra_outputs.postgres.sql import templates


class Asking:
    """The statements of the page on one database.

    Attributes
    ----------
    database : Database
    left_out : list[str]
        What could not be found out, and why; a sentence each.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.left_out: list[str] = []

    async def rows(self, name: str, *values: object, **marks: str) -> list[Any]:
        """Return the answer to one statement of `report.sql`."""
        text = templates("report")[name].fill(**marks)
        return await self.database.run(lambda connection: connection.fetch(text, *values), where=name)

    @contextmanager
    def unless_refused(self, what: str) -> Iterator[None]:
        """Go on without something that the server, or this installation, does not give.

        A server that is not there is an error all the same: half a page would be taken for the whole.
        """
        try:
            yield
        except (CannotConnect, ConnectionLost):
            raise
        except (InvalidPicture, MissingExtra):
            raise  # whoever draws knows what to do without a picture
        except AstraOutputsError as error:
            reason = " ".join(str(error).split())
            self.left_out.append(f"{what}: {reason}")
