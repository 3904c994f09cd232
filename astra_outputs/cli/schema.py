"""`astra-outputs schema`: where the SQL files are, and what brings a database to them."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from astra_outputs.cli.options import Dsn, Json, Records, Schema, connection_to
from astra_outputs.printable import as_json, printable_lines

schema = typer.Typer(
    no_args_is_help=True, help="The SQL files of the tables, and what brings a database to them."
)

TimesIn = Annotated[
    str | None,
    typer.Option(
        "--times-in",
        help="Time zone in which workers wrote times without one: UTC, America/Denver.",
        show_default=False,
    ),
]


@schema.command()
def path(json: Json = False) -> None:
    """Print the folder that holds install.sql: `psql -f "$(astra-outputs schema path)/install.sql"`."""
    from astra_outputs.postgres.sql_files import schema_dir

    typer.echo(as_json({"path": str(schema_dir())}) if json else str(schema_dir()))


@schema.command()
def diff(
    dsn: Dsn = None,
    schema: Schema = "astra",
    times_in: TimesIn = None,
    json: Json = False,
    records: Records = None,
) -> None:
    """Print the SQL that brings a schema, of Astra or an earlier one of ours, to the SQL files; it is not run.

    Each statement says what it locks, what it rewrites and how it is undone. Read it, then apply it with psql.
    """
    from astra_outputs.discover import record_classes

    classes = record_classes(records or ())

    async def ask() -> tuple[str, str]:
        from astra_outputs.amend import script_for

        async with connection_to(dsn, schema) as (connection, where):
            return await script_for(connection, schema, classes, zone=times_in, where=where), where

    script, where = asyncio.run(ask())
    if json:
        typer.echo(as_json({"sql": script, "database": where, "schema": schema}))
    elif script:
        typer.echo(printable_lines(script))
    else:
        typer.echo(
            f"schema {printable_lines(schema)} of {printable_lines(where)} is as the files say", err=True
        )
