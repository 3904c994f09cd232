"""`astra-outputs adopt`: the rows of a schema of upstream Astra's, copied and compared."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from astra_outputs.cli.options import Json, Records, names_a_database, say
from astra_outputs.cli.schema import TimesIn
from astra_outputs.printable import as_json, printable_lines

if TYPE_CHECKING:
    from astra_outputs.adopt import Adoption, AdoptionReport, Aside

EVERY = 10.0
"""Seconds after which it is said again how far it is."""


def adopt(
    source: Annotated[
        str, typer.Option("--from", help="The database with the tables of Astra: a DSN.", show_default=False)
    ],
    schema: Annotated[str, typer.Option("--schema", help="Their schema, as astra_080.", show_default=False)],
    into: Annotated[str, typer.Option("--into", help="Schema of ours that takes the rows.")] = "astra",
    dsn: Annotated[
        str | None,
        typer.Option(
            "--dsn",
            envvar="ASTRA_OUTPUTS_DSN",
            help="The database of that schema; the same if neither it nor the PG* variables say so.",
            show_default=False,
        ),
    ] = None,
    times_in: TimesIn = None,
    aside: Annotated[Path, typer.Option("--aside", help="Where rows are kept that our rules refuse.")] = Path(
        "adopt-refused.jsonl"
    ),
    batch_size: Annotated[
        int, typer.Option("--batch-size", min=1, help="Rows that are stored at once.")
    ] = 1000,
    json: Json = False,
    records: Records = None,
) -> None:
    """Copy the rows of a schema of upstream Astra's into tables of ours, and compare them value by value.

    It may be stopped and started again: what is here already is compared and left alone. Run it again for what was
    written there meanwhile. Rows that our rules refuse are kept aside in a file; the exit code is then 1.
    """
    from astra_outputs.adopt import Adoption, Aside
    from astra_outputs.discover import record_classes

    if source == (dsn or source) and schema == into:
        raise typer.BadParameter("--schema and --into are the same tables: use `astra-outputs schema diff`")
    target = dsn if names_a_database(dsn) else source
    adoption = Adoption(record_classes(records or ()), times_in, batch_size)
    with Aside(aside, f"schema {schema} into {into}") as kept:
        report = asyncio.run(_adopt((source, schema), (target, into), adoption, kept))
    if json:
        listed = str(aside) if kept.count else None
        typer.echo(as_json(report.facts() | {"refused_rows": listed}))
    else:
        say(report)
        if kept.count:
            say(f"refused rows and why: {aside}")
    if not report.complete:
        raise typer.Exit(1)


async def _adopt(
    source: tuple[str, str], target: tuple[str | None, str], adoption: Adoption, aside: Aside
) -> AdoptionReport:
    from astra_outputs.adopt import adopt as adopt_rows
    from astra_outputs.postgres.database import Database

    said, warned = monotonic(), 0

    def progress(report: AdoptionReport) -> None:
        nonlocal said, warned
        for warning in report.warnings[warned:]:
            typer.echo(printable_lines(f"times: {warning} (see docs/from-astra.md)"), err=True)
        warned = len(report.warnings)
        if monotonic() - said > EVERY:
            said = monotonic()
            typer.echo(str(report.tables[-1]), err=True)

    there, here = (Database(dsn, schema=schema, connections=1) for dsn, schema in (source, target))
    try:
        await there.open()
        await here.open()
        return await adopt_rows(there, here, adoption, aside, progress)
    finally:
        await there.close()
        await here.close()
