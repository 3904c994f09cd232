"""The command `astra-outputs`: thin commands over the package, one module each.

Modules of commands import nothing heavy at their top, so that `--help` is quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import typer

from astra_outputs.cli import (
    add_column,
    adopt,
    check,
    compare,
    describe,
    export,
    freeze,
    history,
    ingest,
    new_pipeline,
    pending,
    plan,
    plot,
    replay,
    report,
    run,
    schema,
    statements,
    status,
    verify,
)
from astra_outputs.errors import AstraOutputsError
from astra_outputs.printable import printable_lines

app = typer.Typer(
    name="astra-outputs",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS: tuple[Callable[..., None], ...] = (
    add_column.add_column,
    adopt.adopt,
    check.check,
    compare.compare,
    describe.describe,
    export.export,
    freeze.freeze,
    history.history,
    ingest.ingest,
    new_pipeline.new_pipeline,
    pending.pending,
    plan.plan,
    plot.plot,
    replay.replay,
    report.report,
    run.run,
    statements.statements,
    status.status,
    verify.verify,
)


def flowing(text: str) -> str:
    """Return a docstring whose lines end where its paragraphs do: the terminal breaks them where it ends."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


for _command in COMMANDS:
    app.command(help=flowing(_command.__doc__ or ""))(_command)

app.add_typer(schema.schema, name="schema")


def main() -> None:
    """Run the command line; an error of this package is one message on stderr and exit code 1.

    What makes no sense on the command line is one line, and exit code 2.
    """
    try:
        code = app(prog_name="astra-outputs", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except (AstraOutputsError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            _leave_broken_pipe()
        sys.stderr.write(f"astra-outputs: {printable_lines(error)}\n")
        sys.exit(1)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        _say_how_to_use_it(error)
    finally:
        try:
            sys.stdout.flush()
        except BrokenPipeError:  # the reader, `head` for one, has seen enough
            _leave_broken_pipe()


def _say_how_to_use_it(error: Any) -> NoReturn:
    """Print an error of the command line in one line; the help where nothing was asked for."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
    else:
        words = " ".join(printable_lines(error.format_message()).split())
        command = context.command_path if context is not None else "astra-outputs"
        sys.stderr.write(f"{command}: {words} (see {command} --help)\n")
    sys.exit(error.exit_code)


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
