"""`astra-outputs report`: how far the pipelines are and what the database is like, as one page."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from astra_outputs.cli.options import Dsn, Json, Records, Schema, say
from astra_outputs.cli.selection import complete_table
from astra_outputs.printable import as_json


def report(
    file: Annotated[Path, typer.Option("--output", "-o", help="The page, as report.html.")],
    tables: Annotated[
        list[str] | None,
        typer.Argument(
            help="Tables or classes of results; all of them if none is given.",
            autocompletion=complete_table,
            show_default=False,
        ),
    ] = None,
    spool: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder of workers, in which results wait and failures are noted; may be repeated. "
            "Else astra-outputs-spool, if it is there.",
            envvar="ASTRA_OUTPUTS_SPOOL",
            show_default=False,
        ),
    ] = None,
    pictures: Annotated[
        bool,
        typer.Option(
            "--pictures/--no-pictures",
            help="Draw Kiel diagrams, which read all results of the newest versions.",
        ),
    ] = True,
    compared: Annotated[
        bool,
        typer.Option(
            "--changes/--no-changes", help="Compare the newest version of each pipeline with the one before."
        ),
    ] = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file of this name.")] = False,
    json: Json = False,
    records: Records = None,
    dsn: Dsn = None,
    schema: Schema = "astra",
) -> None:
    """Write a page that shows how far the pipelines are, and what the database is like: one file, for any browser.

    Coverage, throughput and failures, what waits on disks, flags, Kiel diagrams, changes between versions, and for DBAs
    sizes, dead rows, indexes and the slowest statements. The server counts all results for it.
    """
    from astra_outputs.cli.named import class_named
    from astra_outputs.discover import record_classes
    from astra_outputs.model.pipeline import PipelineOutputMixin
    from astra_outputs.whole_file import refuse_existing

    refuse_existing(file, overwrite=overwrite)
    classes = record_classes(records or ())
    if tables:
        named: list[Any] = [class_named(name, records or ()) for name in tables]
        classes = [*named, *(kind for kind in classes if not issubclass(kind, PipelineOutputMixin))]
    usual = Path("astra-outputs-spool")
    folders = spool or ([usual] if usual.is_dir() else [])
    options = {"spool": folders, "pictures": pictures, "compared": compared, "overwrite": overwrite}
    page = asyncio.run(_report(file, classes, options, dsn, schema))
    if json:
        typer.echo(
            as_json(
                {"file": page.file, "bytes": page.size, "seconds": page.seconds, "left_out": page.left_out}
            )
        )
    else:
        say(page)


async def _report(
    file: Path, classes: list[Any], options: dict[str, Any], dsn: str | None, schema: str
) -> Any:
    from astra_outputs.repository import connect

    async with connect(dsn, schema=schema, connections=1) as outputs:
        return await outputs.report(file, *classes, **options)
