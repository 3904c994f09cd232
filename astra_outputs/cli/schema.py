"""`astra-outputs schema path`: where the SQL files of the tables are."""

from __future__ import annotations

import typer

from astra_outputs.cli.options import Json
from astra_outputs.printable import as_json

schema = typer.Typer(no_args_is_help=True, help="The SQL files of the tables.")


@schema.callback()
def _files() -> None:
    """Keep `path` a command of its own."""


@schema.command()
def path(json: Json = False) -> None:
    """Print the folder that holds install.sql: `psql -f "$(astra-outputs schema path)/install.sql"`."""
    from astra_outputs.postgres.sql_files import schema_dir

    typer.echo(as_json({"path": str(schema_dir())}) if json else str(schema_dir()))
