"""`astra-outputs add-column`: a column more in a pipeline of one's own, and the upgrade of its table."""

from __future__ import annotations

from typing import Annotated

import typer

from astra_outputs.cli.options import Json, Records, console
from astra_outputs.cli.selection import complete_table
from astra_outputs.model.column_types import TYPES
from astra_outputs.printable import as_json


def add_column(
    table: Annotated[
        str, typer.Argument(help="Table or record class of your pipeline.", autocompletion=complete_table)
    ],
    column: Annotated[
        list[str],
        typer.Argument(
            help="NAME:TYPE[:UNIT[:DESCRIPTION]], as logg:real:dex; several may follow. "
            f"Types: {', '.join(TYPES)}.",
            show_default=False,
        ),
    ],
    json: Json = False,
    records: Records = None,
) -> None:
    """Add columns to the record class and the SQL file of a pipeline, and write the upgrade of its table.

    A database administrator applies the upgrade; `astra-outputs check` says whether all agree.
    """
    from astra_outputs.cli.describe import table_named
    from astra_outputs.discover import record_classes
    from astra_outputs.errors import AstraOutputsError
    from astra_outputs.model.pipeline import PipelineOutputMixin
    from astra_outputs.scaffold.add_column import added
    from astra_outputs.scaffold.new_column import parse_column
    from astra_outputs.scaffold.new_pipeline import package_here, write

    places = records or [str(package_here(table))]
    record_class = table_named(table, record_classes(places))
    try:
        if not issubclass(record_class, PipelineOutputMixin):
            raise ValueError(f"{record_class.table} holds no results of a pipeline")  # noqa: TRY301
        files = added(record_class, [parse_column(text) for text in column])
    except AstraOutputsError:
        raise
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    upgrade, *changed = files
    write(files, force=True)
    if json:
        typer.echo(as_json({"wrote": str(upgrade), "changed": [str(path) for path in changed]}))
        return
    screen = console()
    screen.print(f"wrote {upgrade}", markup=False)
    for path in changed:
        screen.print(f"changed {path}", markup=False)
    screen.print(
        f"\nHave the upgrade applied, then run\n    astra-outputs check --records {places[0]} --dsn ...",
        markup=False,
    )
