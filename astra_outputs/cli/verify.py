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
    table: Annotated[
        str,
        typer.Argument(help="Table or class of the rows in the file.", autocompletion=complete_table),
    ],
    file: Annotated[Path, typer.Argument(help="The file, .fits or .fits.gz.")],
    json: Json = False,
    records: Records = None,
    dsn: Dsn = None,
    schema: Schema = "astra",
) -> None:
    """Compare an exported FITS file with the database, value by value; exit code 1 if a row differs."""
    from astra_outputs.cli.named import class_named
    from astra_outputs.model.record import Record

    found = asyncio.run(_verify(class_named(table, records or (), Record), file, dsn, schema))
    if json:
        typer.echo(as_json(asdict(found)))
    else:
        say(found)
    raise typer.Exit(0 if found.same else 1)


async def _verify(kind: Any, file: Path, dsn: str | None, schema: str) -> Any:
    from astra_outputs.repository import connect

    async with connect(dsn, schema=schema, connections=1) as outputs:
        return await outputs.verify(kind, file)
