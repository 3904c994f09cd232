"""`astra-outputs freeze`: a version that was published stays as it is."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from astra_outputs.cli.options import Dsn, Json, Records, Schema, connection_to
from astra_outputs.cli.selection import complete_table
from astra_outputs.printable import as_json


def freeze(
    table: Annotated[
        str, typer.Argument(help="Table or record class of the pipeline.", autocompletion=complete_table)
    ],
    v_astra: Annotated[
        str, typer.Option("--v-astra", help="Version with all its patch releases: 0.8.", show_default=False)
    ],
    release: Annotated[
        str,
        typer.Option("--as", help="Name of the release that it is published in: DR20.", show_default=False),
    ],
    apply: Annotated[
        bool, typer.Option("--apply", help="Run it on the database, as the owner of the table.")
    ] = False,
    json: Json = False,
    dsn: Dsn = None,
    schema: Schema = "astra",
    records: Records = None,
) -> None:
    """Print the SQL after which the database refuses to change, move or delete the rows of a version.

    From then on a re-run of that version says so by name. With --apply it is run as well.
    """
    from astra_outputs.cli.describe import table_named
    from astra_outputs.discover import record_classes
    from astra_outputs.model.pipeline import PipelineOutputMixin
    from astra_outputs.names import check_name
    from astra_outputs.postgres.frozen import frozen_as, sql_that_freezes

    record_class = table_named(table, record_classes(records or ()))
    if not issubclass(record_class, PipelineOutputMixin):
        raise typer.BadParameter(
            f"{record_class.table} holds no results: only versions of a pipeline are frozen"
        )
    check_name(schema, "schema")
    try:
        frozen = frozen_as(record_class, v_astra, release)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    sql = sql_that_freezes(frozen, schema)
    typer.echo(as_json({"sql": sql, "applied": apply}) if json else sql)
    if apply:
        asyncio.run(_apply(dsn, schema, sql))


async def _apply(dsn: str | None, schema: str, sql: str) -> None:
    from astra_outputs.postgres.sql_files import run_script

    async with connection_to(dsn, schema) as (connection, _):
        await run_script(connection, sql)
