"""`astra-outputs new-pipeline`: the record class, SQL file and test of a new pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from astra_outputs.cli.options import Json, Records, console
from astra_outputs.model.column_types import TYPES
from astra_outputs.printable import as_json


def new_pipeline(
    name: Annotated[str, typer.Argument(help="Name of its table, as my_pipeline.")],
    column: Annotated[
        list[str],
        typer.Option(
            "--column",
            help="NAME:TYPE[:UNIT[:DESCRIPTION]], as teff:real:K; may be given several times. Types: "
            f"{', '.join(TYPES)}.",
        ),
    ],
    flag: Annotated[
        list[str] | None,
        typer.Option(
            "--flag",
            help='NAME:MEANING of a bit of its flags, as low_snr:"S/N below 20"; may be given several times. '
            "COLUMN.NAME where there are several columns of flags.",
            show_default=False,
        ),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            "--into",
            help="Folder of your package; made if it does not exist.",
            show_default="the only package here, or a new one called as the table",
        ),
    ] = None,
    title: Annotated[str, typer.Option("--title", help="One line that says what the table holds.")] = "",
    records: Records = None,
    force: Annotated[bool, typer.Option("--force", help="Write over files that exist.")] = False,
    json: Json = False,
) -> None:
    """Write the record class, the SQL file and a test of a new pipeline into your own package."""
    from astra_outputs.discover import record_classes
    from astra_outputs.errors import AstraOutputsError
    from astra_outputs.scaffold.new_column import parse_column, with_flags
    from astra_outputs.scaffold.new_pipeline import new_pipeline as files_of
    from astra_outputs.scaffold.new_pipeline import package_here, write

    taken = frozenset(found.table for found in record_classes(records or ()))
    try:
        into = into or package_here(name)
        columns = with_flags([parse_column(text) for text in column], flag or ())
        files = files_of(name, columns, title, into, taken)
    except AstraOutputsError:
        raise
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    write(files, force=force)
    if json:
        typer.echo(as_json({"wrote": [str(path) for path in files]}))
        return
    screen = console()
    for path in files:
        screen.print(f"wrote {path}", markup=False)
    unnamed = any(one.is_flags and not one.bits for one in columns)
    screen.print(
        f"\nNow say what each column means,{' name the bits of its flags,' * unnamed} and run\n"
        f"    astra-outputs check --records {into}\n"
        f"    pytest {into / f'test_{name}.py'}",
        markup=False,
    )
