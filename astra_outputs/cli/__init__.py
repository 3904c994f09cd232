"""The command `astra-outputs`: thin commands over the package, one module each.

Modules of commands import nothing heavy at their top, so that `--help` is quick.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from astra_outputs.cli import check, describe, history, ingest, new_pipeline, replay, run, statements
from astra_outputs.errors import AstraOutputsError

app = typer.Typer(
    name="astra-outputs",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(check.check)
app.command()(describe.describe)
app.command()(history.history)
app.command()(ingest.ingest)
app.command()(new_pipeline.new_pipeline)
app.command()(replay.replay)
app.command()(run.run)
app.command()(statements.statements)


def main() -> None:
    """Run the command line; an error of this package is one message on stderr and exit code 1."""
    try:
        app(prog_name="astra-outputs")
    except (AstraOutputsError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            _leave_broken_pipe()
        sys.stderr.write(f"astra-outputs: {error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        try:
            sys.stdout.flush()
        except BrokenPipeError:  # the reader, `head` for one, has seen enough
            _leave_broken_pipe()


def _leave_broken_pipe() -> None:
    """Leave quietly; Python would otherwise complain when it flushes stdout at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(1)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("astra-outputs"))
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Records, tables and files of the Milky Way Mapper's pipeline results."""
