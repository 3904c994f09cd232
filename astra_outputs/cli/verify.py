"""`astra-outputs verify`: whether an exported file still says what the database says."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from astra_outputs.cli.options import Dsn, Json, Records, Schema, say
from astra_outputs.cli.selection import complete_table
from astra_outputs.printable import as_json


def verify(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="[TABLE] FILE",
            help="The file, .fits, .fits.gz, .parquet, .csv or .ecsv; before it the table of its rows, if it does not say it.",
            autocompletion=complete_table,
        ),
    ],
    json: Json = False,
    records: Records = None,
    dsn: Dsn = None,
    schema: Schema = "astra",
) -> None:
    """Compare an exported file with the database, value by value; exit code 1 if a row differs, is gone or new."""
    from astra_outputs.cli.named import class_named
    from astra_outputs.discover import record_classes
    from astra_outputs.model.record import Record

    *tables, file = what
    if len(tables) > 1:
        raise typer.BadParameter("name one file, and before it its table if need be", param_hint="FILE")
    given: list[Any] = [class_named(table, records or (), Record) for table in tables]
    classes = record_classes(records) if records else []
    found = asyncio.run(_verify([*given, Path(file)], classes, dsn, schema))
    if json:
        typer.echo(as_json(asdict(found)))
    else:
        say(found)
    raise typer.Exit(0 if found.same else 1)


async def _verify(given: list[Any], classes: list[Any], dsn: str | None, schema: str) -> Any:
    from astra_outputs.repository import connect

    async with connect(dsn, schema=schema, connections=1) as outputs:
        return await outputs.verify(*given, record_classes=classes)
