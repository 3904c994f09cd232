"""`astra-outputs status`: how far the pipelines are."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from astra_outputs.cli.options import Dsn, Json, Records, Schema, cells, console
from astra_outputs.cli.selection import complete_table
from astra_outputs.printable import as_json

if TYPE_CHECKING:
    from astra_outputs.model.pipeline import PipelineOutputMixin
    from astra_outputs.model.spectrum import SpectrumMixin


def status(
    tables: Annotated[
        list[str] | None,
        typer.Argument(
            help="Tables or classes of results; all of them if none is given.",
            autocompletion=complete_table,
            show_default=False,
        ),
    ] = None,
    spool: Annotated[
        Path,
        typer.Option(
            help="Folder in which results wait, and where workers note failures.",
            envvar="ASTRA_OUTPUTS_SPOOL",
        ),
    ] = Path("astra-outputs-spool"),
    watch: Annotated[
        float | None,
        typer.Option(help="Show it again after so many seconds, for ever.", show_default=False, min=0.1),
    ] = None,
    json: Json = False,
    records: Records = None,
    dsn: Dsn = None,
    schema: Schema = "astra",
) -> None:
    """Show how far the pipelines are: by version spectra, results, what is pending, failed and spooled.

    The server counts all rows: on tables of millions that takes it seconds. Failures are those that
    workers noted beside their spool; the rate is that of the last hour.
    """
    from astra_outputs.cli.named import class_named
    from astra_outputs.discover import record_classes
    from astra_outputs.model.pipeline import PipelineOutputMixin
    from astra_outputs.model.spectrum import SpectrumMixin

    known = record_classes(records or ())
    made = [entry for entry in known if issubclass(entry, PipelineOutputMixin)]
    if tables:
        made = [class_named(name, records or ()) for name in tables]
    kinds: list[Any] = [entry for entry in known if issubclass(entry, SpectrumMixin)]
    while True:
        rows = asyncio.run(_status(made, kinds, spool, dsn, schema))
        if json:
            typer.echo(as_json(rows, indent=None if watch else 2))
        else:
            _print(rows)
        if watch is None:
            return
        time.sleep(watch)


async def _status(
    made: list[type[PipelineOutputMixin]],
    kinds: list[type[SpectrumMixin]],
    folder: Path,
    dsn: str | None,
    schema: str,
) -> list[dict[str, Any]]:
    from astra_outputs.reading.status import status_of
    from astra_outputs.repository import connect
    from astra_outputs.spool.failures import failures_in
    from astra_outputs.spool.folder import Spool

    spooled: Counter[tuple[str, str]] = Spool(folder).contents()
    rows = []
    async with connect(dsn, schema=schema, connections=1) as outputs:
        for entry in made:
            failed = failures_in(folder, entry.table)
            for one in await status_of(outputs.store.database, entry, kinds, dict(failed)):
                waits = spooled.pop((one.table, one.version), 0)
                rows.append(asdict(one) | {"spooled": waits})
    nothing = {"spectra": None, "done": 0, "pending": None, "failed": 0, "last_hour": 0, "last_write": None}
    names = {entry.table for entry in made}
    rows += [
        {"table": table, "version": version} | nothing | {"spooled": count}
        for (table, version), count in spooled.items()
        if table in names
    ]
    return rows


def _print(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    screen = console()
    if screen.is_terminal:
        screen.clear()
    if not rows:
        screen.print("no results are stored")
        return
    shown = Table("pipeline", "version")
    for name in ("spectra", "done", "pending", "failed", "spooled", "per hour"):
        shown.add_column(name, justify="right")
    shown.add_column("last write")
    for row in rows:
        counts = (row[name] for name in ("spectra", "done", "pending", "failed", "spooled", "last_hour"))
        numbers = ("?" if count is None else f"{count:,}" for count in counts)
        last = row["last_write"].strftime("%Y-%m-%d %H:%M:%S %Z") if row["last_write"] else ""
        shown.add_row(*cells(row["table"], row["version"], *numbers, last))
    screen.print(shown)
