"""Options that several commands share, and the connection that they describe."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from astra_outputs.printable import printable_lines

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from astra_outputs.postgres.database import Connection

Dsn = Annotated[
    str | None,
    typer.Option(
        "--dsn",
        envvar="ASTRA_OUTPUTS_DSN",
        help="Where the database is: postgresql://user@host/database. Else the PG* variables say so.",
        show_default=False,
    ),
]
Schema = Annotated[
    str,
    typer.Option("--schema", envvar="ASTRA_OUTPUTS_SCHEMA", help="Database schema that holds the tables."),
]
Records = Annotated[
    list[str] | None,
    typer.Option(
        "--records",
        help="Module, package, file or folder with record classes of your own; may be given several times.",
        show_default=False,
    ),
]

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def names_a_database(dsn: str | None) -> bool:
    """Tell whether a DSN or the PG* variables say which database is meant."""
    return bool(dsn) or any(os.environ.get(name) for name in ("PGHOST", "PGDATABASE", "PGSERVICE"))


@asynccontextmanager
async def connection_to(dsn: str | None, schema: str) -> AsyncIterator[tuple[Connection, str]]:
    """Lend a connection, and the words that name its server without the password.

    Raises
    ------
    CannotConnect
        If no server answers, or it does not let this user in.
    """
    from astra_outputs.postgres.database import Database
    from astra_outputs.postgres.sqlstates import translated

    database = Database(dsn, schema=schema, connections=1)
    await database.open()
    try:
        async with database.acquire() as connection:
            with translated(database.where):
                yield connection, database.where
    finally:
        await database.close()


def say(text: object) -> None:
    """Print what a report or the like says."""
    typer.echo(printable_lines(text))


def cells(*values: object) -> Iterator[Text]:
    """Yield values as cells of a table on the terminal."""
    from rich.text import Text

    yield from (Text(printable_lines(value)) for value in values)


def console() -> Console:
    """Return where results are printed: as wide as the terminal, or as they need in a file or pipe."""
    from rich.console import Console

    screen = Console(highlight=False)
    return screen if screen.is_terminal else Console(highlight=False, width=10_000)
