"""`astra-outputs replay`: store what workers left on the disk."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from astra_outputs.cli.options import Dsn, Json, Records, Schema, say
from astra_outputs.printable import as_json

if TYPE_CHECKING:
    from astra_outputs.model.record import Record
    from astra_outputs.spool.replay import ReplayReport


def replay(
    folders: Annotated[
        list[Path],
        typer.Argument(help="Folders of spooled results; all that may hold the same spectra.", exists=True),
    ],
    rejected: Annotated[
        bool, typer.Option("--rejected", help="Store what the database refused before, too.")
    ] = False,
    trust: Annotated[
        bool, typer.Option("--trust", help="Accept folders and files that others own or can write to.")
    ] = False,
    json: Json = False,
    records: Records = None,
    dsn: Dsn = None,
    schema: Schema = "astra",
) -> None:
    """Store results that could not be stored while the database was away; may be repeated at will.

    A row that was stored later than a result was made stays as it is. Damaged files are kept aside;
    a file that cannot be stored is named, and the others are. Exits with 0 if nothing is left, and with
    1 if a result waits, was refused, or is damaged: now or before.
    """
    from astra_outputs.discover import record_classes

    classes = record_classes(records or ())
    report = asyncio.run(_replay(folders, classes, dsn, schema, rejected=rejected, trust=trust))
    if json:
        typer.echo(as_json(report.facts()))
    else:
        say(report)
    if not report.all_stored:
        raise typer.Exit(1)


async def _replay(
    folders: list[Path],
    classes: list[type[Record]],
    dsn: str | None,
    schema: str,
    **options: bool,
) -> ReplayReport:
    from astra_outputs.repository import connect

    async with connect(dsn, schema=schema) as outputs:
        return await outputs.replay(*folders, record_classes=classes, **options)
