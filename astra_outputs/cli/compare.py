"""`astra-outputs compare`: how the results of the same spectra differ."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from astra_outputs.cli.options import Dsn, Json, Records, Schema, cells, console, say
from astra_outputs.cli.selection import complete_table, spectra_named
from astra_outputs.printable import as_json, cell

if TYPE_CHECKING:
    from astra_outputs.compare.comparison import Comparison


def compare(
    table: Annotated[str, typer.Argument(help="Table or class of results.", autocompletion=complete_table)],
    old: Annotated[str, typer.Argument(help="The old version, as 0.7.")],
    new: Annotated[str, typer.Argument(help="The new version, as 0.8.")],
    against: Annotated[
        str | None,
        typer.Option(
            help="Table of the new results, where they are another pipeline's.",
            autocompletion=complete_table,
            show_default=False,
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="Only these columns; may be repeated.", show_default=False),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(help="Only new results that meet a condition: 'spectrum.snr > 50'.", show_default=False),
    ] = None,
    spectra: Annotated[
        str | None,
        typer.Option(
            help="Table of the spectra, where the class of the results does not say.",
            autocompletion=complete_table,
            show_default=False,
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Draw it, too: a .png, .jpg, .pdf or .svg file.", show_default=False
        ),
    ] = None,
    style: Annotated[
        str | None, typer.Option(help="A style of matplotlib by its name, or a file.", show_default=False)
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file of this name.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print the columns as CSV.")] = False,
    json: Json = False,
    records: Records = None,
    dsn: Dsn = None,
    schema: Schema = "astra",
) -> None:
    """Compare the results of the same spectra: two versions of a pipeline, or two pipelines.

    Of each column how many values changed, were gained and lost, the median of the differences, their
    robust scatter, and the greatest one with its spectrum; of each flag how many spectra gained and lost it.
    """
    from astra_outputs.cli.named import class_named

    if file is not None:
        from astra_outputs.plots.picture import check_style, kind_of
        from astra_outputs.whole_file import refuse_existing

        kind_of(file)
        refuse_existing(file, overwrite=overwrite)
        check_style(style)
    record_class: Any = class_named(table, records or ())
    options: dict[str, Any] = {
        "against": class_named(against, records or ()) if against else None,
        "columns": column,
        "distributions": file is not None,
        "spectrum_class": next(iter(spectra_named([spectra], records or ())), None) if spectra else None,
    }
    found = asyncio.run(_compared(record_class, old, new, where, options, dsn, schema))
    if json:
        typer.echo(as_json(found.to_dict()))
    elif csv:
        columns = found.to_table()
        typer.echo(",".join(columns))
        for row in zip(*columns.values(), strict=True):
            typer.echo(",".join("" if value is None else _quoted(cell(value)) for value in row))
    else:
        _print(found)
    if file is not None:
        found.plot(style).save(file, overwrite=overwrite)


async def _compared(
    record_class: Any,
    old: str,
    new: str,
    where: str | None,
    options: dict[str, Any],
    dsn: str | None,
    schema: str,
) -> Comparison:
    from astra_outputs.repository import connect

    async with connect(dsn, schema=schema, connections=1) as outputs:
        return await outputs.compare(record_class, old, new, where, **options)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"') else text


def _print(found: Comparison) -> None:
    from rich.table import Table

    say(found.head)
    screen = console()
    for texts, heads, rows in found.tables():
        shown = Table()
        for place, head in enumerate(heads):
            shown.add_column(head, justify="left" if place in texts else "right")
        for row in rows:
            shown.add_row(*cells(*row))
        screen.print(shown)
