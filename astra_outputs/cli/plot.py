"""`astra-outputs plot`: results as a picture."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from astra_outputs.cli.options import Dsn, Json, Records, Schema, say
from astra_outputs.cli.selection import complete_table, spectra_named
from astra_outputs.printable import as_json


def complete_kind(incomplete: str) -> list[str]:
    """Return the kinds of pictures that a word may become, for the shell."""
    from astra_outputs.plots.kinds import KINDS, OTHERS

    return [name for name in (*KINDS, *OTHERS) if name.startswith(incomplete)]


def plot(
    table: Annotated[
        str,
        typer.Argument(help="Table or class of results, spectra or sources.", autocompletion=complete_table),
    ],
    kind: Annotated[
        str,
        typer.Argument(
            help="kiel, hr, xy COLUMN COLUMN, hist COLUMN, sky, timing, coverage or compare VERSION VERSION [COLUMN ...].",
            autocompletion=complete_kind,
        ),
    ],
    file: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="The file; its ending says of which kind: .png, .jpg, .pdf, .svg."
        ),
    ],
    columns: Annotated[
        list[str] | None,
        typer.Argument(help="Columns: teff, spectrum.snr, source.g_mag.", show_default=False),
    ] = None,
    v_astra: Annotated[
        str | None,
        typer.Option(
            help="Results of this version, as 0.8 or 0.8.1; else of each spectrum the newest.",
            show_default=False,
        ),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(help="Only rows that meet a condition: 'source.g_mag < 15'.", show_default=False),
    ] = None,
    colour: Annotated[
        str | None,
        typer.Option(
            "--colour",
            "--color",
            help="Column that colours it; count for none. The metallicity where there is one.",
            show_default=False,
        ),
    ] = None,
    style: Annotated[
        str | None,
        typer.Option(help="A style of matplotlib by its name, or a file.", show_default=False),
    ] = None,
    title: Annotated[str | None, typer.Option(help="What stands above.", show_default=False)] = None,
    spectra: Annotated[
        str | None,
        typer.Option(
            help="Table of the spectra, where the class of the results does not say.",
            autocompletion=complete_table,
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file of this name.")] = False,
    connections: Annotated[int, typer.Option(help="Connections to read on.", min=1)] = 1,
    json: Json = False,
    records: Records = None,
    dsn: Dsn = None,
    schema: Schema = "astra",
) -> None:
    """Draw results: dots where they are few, a density where they are many."""
    from astra_outputs.cli.named import class_named
    from astra_outputs.model.record import Record
    from astra_outputs.plots.picture import kind_of
    from astra_outputs.whole_file import refuse_existing

    kind_of(file)
    refuse_existing(file, overwrite=overwrite)
    record_class = class_named(table, records or (), Record)
    options: dict[str, Any] = {
        "v_astra": v_astra,
        "columns": columns or (),
        "colour": colour,
        "style": style,
        "title": title,
        "spectrum_class": next(iter(spectra_named([spectra], records or ())), None) if spectra else None,
        "connections": connections,
    }
    picture = asyncio.run(_drawn(record_class, kind, where, options, dsn, schema))
    picture.save(file, overwrite=overwrite)
    if json:
        typer.echo(as_json({"file": file, "title": picture.title, "bytes": file.stat().st_size}))
    else:
        say(f"{file}: {picture.title}")


async def _drawn(
    record_class: Any, kind: str, where: str | None, options: dict[str, Any], dsn: str | None, schema: str
) -> Any:
    from astra_outputs.errors import InvalidPicture
    from astra_outputs.plots.kinds import COMPARE
    from astra_outputs.repository import connect

    async with connect(dsn, schema=schema, connections=options["connections"]) as outputs:
        if kind == COMPARE:
            if len(options["columns"]) < 2:
                raise InvalidPicture("compare takes two versions, and then columns: compare 0.7 0.8 teff")
            useless = [name for name in ("v_astra", "colour") if options[name] is not None]
            if useless:
                raise InvalidPicture(f"compare takes its two versions, and no {' or '.join(useless)}")
            old, new, *columns = options["columns"]
            of = {"columns": columns or None, "spectrum_class": options["spectrum_class"]}
            found = await outputs.compare(record_class, old, new, where, **of)
            return found.plot(options["style"], options["title"])
        return await outputs.plot(record_class, kind, where, **options)
