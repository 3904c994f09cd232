"""`astra-outputs check`: whether record classes, SQL files and the database say the same."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from astra_outputs.cli.options import (
    Dsn,
    Json,
    Records,
    Schema,
    cells,
    connection_to,
    console,
    names_a_database,
)
from astra_outputs.printable import as_json, printable

if TYPE_CHECKING:
    from astra_outputs.catalog import Checked
    from astra_outputs.model.record import Record


def check(
    dsn: Dsn = None,
    schema: Schema = "astra",
    records: Records = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no database, even if one is named.")
    ] = False,
    json: Json = False,
) -> None:
    """Compare record classes with their SQL files, and with a database where one is named.

    Prints a table of the differences and exits with 1 if there are any.
    """
    from astra_outputs.discover import record_classes

    classes = record_classes(records or ())
    if offline or not names_a_database(dsn):
        from astra_outputs.catalog import check_files

        checked, where = check_files(classes), ""
    else:
        checked, where = asyncio.run(_with_database(dsn, schema, classes))
    if json:
        found = [
            asdict(one)
            | {"says": {who.value: said for who, said in one.says.items()}, "concern": one.concern}
            for one in checked.differences
        ]
        counts = {"tables": checked.tables, "columns": checked.columns, "flags": checked.flags}
        typer.echo(as_json({"differences": found, "left_out": checked.left_out, **counts}))
    else:
        _print(checked, where)
    if checked.differences:
        raise typer.Exit(1)


async def _with_database(
    dsn: str | None, schema: str, classes: Sequence[type[Record]]
) -> tuple[Checked, str]:
    from astra_outputs.catalog import check_with_database

    async with connection_to(dsn, schema) as (connection, where):
        checked = await check_with_database(connection, schema, classes)
    return checked, f"schema {schema} of {where}"


def _print(checked: Checked, where: str) -> None:
    from astra_outputs.catalog import Says

    asked = [Says.RECORD, Says.FILE] + ([Says.DATABASE] if where else [])
    extent = f"{checked.tables} tables, {checked.columns} columns, {checked.flags} flags"
    parties = "record classes and SQL files" + (f", and {where}," if where else "")
    screen = console()
    if checked.left_out:
        screen.print(printable(f"left out of the database: {', '.join(checked.left_out)}"), markup=False)
    if not checked.differences:
        screen.print(f"{extent}: {parties} agree", markup=False)
        return
    from rich.table import Table

    table = Table("table", "column", "what differs", *(f"{who.value} says" for who in asked))
    for difference in checked.differences:
        said = (difference.says.get(who, "") for who in asked)
        table.add_row(*cells(difference.table, difference.column or "", difference.aspect, *said))
    screen.print(table)
    count = len(checked.differences)
    screen.print(f"{count} difference{'s' * (count > 1)} in {extent} of {parties.rstrip(',')}", markup=False)
