"""`astra-outputs history`: what a result was before it was replaced."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from astra_outputs.cli.describe import table_named
from astra_outputs.cli.options import Dsn, Json, Records, Schema, cells, console
from astra_outputs.cli.selection import complete_table
from astra_outputs.printable import as_json

if TYPE_CHECKING:
    from astra_outputs.reading.history import Change


def history(
    table: Annotated[
        str, typer.Argument(help="Table or record class of the result.", autocompletion=complete_table)
    ],
    task: Annotated[
        int | None, typer.Argument(help="Key of the result (task_pk).", show_default=False)
    ] = None,
    spectrum: Annotated[
        int | None,
        typer.Option(help="Key of its spectrum (spectrum_pk), instead of its own.", show_default=False),
    ] = None,
    v_astra: Annotated[
        str | None,
        typer.Option(help='With --spectrum: the version, as "0.8.1"; else the newest.', show_default=False),
    ] = None,
    json: Json = False,
    records: Records = None,
    dsn: Dsn = None,
    schema: Schema = "astra",
) -> None:
    """Show who replaced a result when, and what changed, the newest first.

    Needs a schema that keeps its history (schema/add-ons/history.sql).
    """
    from astra_outputs.discover import record_classes

    if (task is None) == (spectrum is None):
        raise typer.BadParameter("name the result by its task_pk, or by --spectrum")
    record_class = table_named(table, record_classes(records or ()))
    changes = asyncio.run(_history(record_class, task, spectrum, v_astra, dsn, schema))
    if json:
        typer.echo(as_json([_facts(change) for change in changes]))
    else:
        _print(changes)


async def _history(
    record_class: type[Any],
    task: int | None,
    spectrum: int | None,
    v_astra: str | None,
    dsn: str | None,
    schema: str,
) -> Sequence[Change[Any]]:
    from astra_outputs.reading.history import history
    from astra_outputs.repository import connect

    async with connect(dsn, schema=schema) as outputs:
        if task is None:
            result = await outputs.get_result(record_class, spectrum, v_astra=v_astra)
            if result is None:
                raise typer.BadParameter(f"{record_class.table} has no such result of spectrum {spectrum}")
            task = result.task_pk
        return await history(outputs.store.database, record_class, task)


def _facts(change: Change[Any]) -> dict[str, Any]:
    changed = {name: {"before": before, "after": after} for name, (before, after) in change.changed.items()}
    return {
        "event": change.event,
        "time": change.time.isoformat(),
        "user": change.user,
        "before": change.before.model_dump(),
        "changed": changed,
    }


def _print(changes: Sequence[Change[Any]]) -> None:
    from rich.table import Table

    screen = console()
    if not changes:
        screen.print("nothing is kept of it: it was not replaced since history is kept")
        return
    table = Table("time", "user", "event", "column", "before", "after")
    for change in changes:
        what = [change.time.isoformat(sep=" ", timespec="seconds"), change.user, change.event]
        for name, (before, after) in change.changed.items() or [("", ("", ""))]:
            table.add_row(*cells(*what, name, before, after))
            what = ["", "", ""]
    screen.print(table)
