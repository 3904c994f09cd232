"""`astra-outputs export`: results in a file, with their spectra and sources."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from astra_outputs.cli.options import Dsn, Json, Records, Schema, say
from astra_outputs.cli.selection import complete_table, spectra_named
from astra_outputs.printable import as_json


def export(
    table: Annotated[
        str,
        typer.Argument(
            help="Table or class of results, spectra or sources; or a file of a release: mwmTargets, mwmAllStar, "
            "mwmAllVisit, astraAllStarASPCAP, astraAllVisitSnowWhite and so on.",
            autocompletion=complete_export,
        ),
    ],
    file: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The file; its ending says of which kind: .fits, .fits.gz, .parquet, .csv, .ecsv. "
            "A file of a release has a name of its own: mwmAllStar-0.8.fits.gz.",
            show_default=False,
        ),
    ] = None,
    v_astra: Annotated[
        str | None,
        typer.Option(help="Results of this version alone, as 0.8 or 0.8.1.", show_default=False),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(help="Only rows that meet a condition: 'source.g_mag < 15'.", show_default=False),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="Only these columns, in this order: teff, spectrum.snr; may be repeated.", show_default=False
        ),
    ] = None,
    near: Annotated[
        tuple[float, float, float] | None,
        typer.Option(
            metavar="RA DEC RADIUS",
            help="Only rows whose source lies within a radius of a position [deg].",
            show_default=False,
        ),
    ] = None,
    newest: Annotated[bool, typer.Option("--newest", help="Of each spectrum the newest version.")] = False,
    order_by: Annotated[
        list[str] | None,
        typer.Option(help="Order of the rows; -teff counts down. May be repeated.", show_default=False),
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Most rows.", show_default=False, min=1)] = None,
    spectra: Annotated[
        list[str] | None,
        typer.Option(
            help="Table of the spectra, where the class of the results does not say; each one named is a table of the file.",
            autocompletion=complete_table,
            show_default=False,
        ),
    ] = None,
    upper: Annotated[bool, typer.Option("--upper", help="Names of columns in upper case.")] = False,
    casjobs: Annotated[
        bool, typer.Option("--casjobs", help="Write the definition of its tables for CasJobs beside it.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file of this name.")] = False,
    connections: Annotated[int, typer.Option(help="Connections to read on.", min=1)] = 1,
    json: Json = False,
    records: Records = None,
    dsn: Dsn = None,
    schema: Schema = "astra",
) -> None:
    """Write results, with their spectra and sources, to a file as the survey publishes it."""
    from astra_outputs.cli.named import class_named
    from astra_outputs.discover import record_classes
    from astra_outputs.export.products import product_named, product_names
    from astra_outputs.model.record import Record

    kind: Any = product_named(table, record_classes(records)) if records else product_named(table)
    kind = kind or class_named(table, records or (), Record, others=product_names())
    kinds = tuple(spectra_named(spectra or (), records or ()))
    options: dict[str, Any] = {
        "v_astra": v_astra,
        "columns": column,
        "order_by": order_by,
        "limit": limit,
        "spectrum_class": kinds if len(kinds) > 1 else next(iter(kinds), None),
        "near": near,
        "newest": newest,
        "upper": upper,
        "casjobs": casjobs,
        "overwrite": overwrite,
        "connections": connections,
    }
    report = asyncio.run(_export(kind, file, where, options, dsn, schema))
    if json:
        typer.echo(
            as_json(
                {
                    "file": report.file,
                    "rows": report.rows,
                    "bytes": report.size,
                    "seconds": report.seconds,
                    "definition": report.definition,
                }
            )
        )
    else:
        say(report)


async def _export(
    kind: Any, file: Path | None, where: str | None, options: dict[str, Any], dsn: str | None, schema: str
) -> Any:
    from astra_outputs.repository import connect

    async with connect(dsn, schema=schema, connections=options["connections"]) as outputs:
        with _progress() as tell:
            return await outputs.export(kind, file, where, progress=tell, **options)


def complete_export(incomplete: str) -> list[str]:
    """Return the tables and files of a release that a name may become, for the shell."""
    from astra_outputs.export.products import product_names

    products = [name for name in product_names() if name.lower().startswith(incomplete.lower())]
    return complete_table(incomplete) + products


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Show on stderr how far it is, where a person is watching."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("rows", total=None)

        def tell(done: int, rows: int) -> None:
            bar.update(task, completed=done, total=rows)

        yield tell
