"""Open psql on the database that the demonstration left behind.

    python examples/irfm/psql.py [--folder FOLDER] [-- ARGUMENTS OF PSQL]

Starts the private PostgreSQL again, and stops it when psql ends.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

from astra_outputs import embedded
from astra_outputs.errors import AstraOutputsError

SEARCH_PATH = "-c search_path=astra,public"


def run_psql(data_dir: Path, arguments: list[str]) -> int:
    """Run psql on a server of its own; returns psql's exit code.

    Raises
    ------
    CannotStart
        If there is no psql, or the server does not start.
    """
    program = embedded.psql_program()
    environment = os.environ | {"PGOPTIONS": f"{os.environ.get('PGOPTIONS', '')} {SEARCH_PATH}".strip()}
    with embedded.server(data_dir) as server:
        # Ctrl-C in psql cancels a query; it must not end the server under it.
        before = signal.signal(signal.SIGINT, lambda *_: None)
        try:
            return subprocess.run([program, server.dsn, *arguments], env=environment, check=False).returncode
        finally:
            signal.signal(signal.SIGINT, before)


def main() -> None:
    """Read the command line and run psql."""
    parser = argparse.ArgumentParser(description="Open psql on the database that the demonstration left.")
    parser.add_argument("--folder", type=Path, default=Path("demo"), help="where the demonstration put it")
    parser.add_argument("arguments", nargs="*", help="passed on to psql, after --")
    options = parser.parse_args()
    data_dir = options.folder / "postgres"
    if not (data_dir / "PG_VERSION").is_file():
        sys.exit(f"no database in {options.folder}: run the demonstration first (make demo)")
    if sys.stdin.isatty() and not options.arguments:
        print("Schema astra. \\d lists the tables, \\d+ irfm shows one with its comments, \\q leaves. Try:\n")
        print("  select v_astra, count(*), count(teff), avg(teff)::int from irfm group by 1 order by 1;\n")
    try:
        sys.exit(run_psql(data_dir, options.arguments))
    except AstraOutputsError as error:
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
