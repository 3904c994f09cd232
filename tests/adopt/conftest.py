"""A database as upstream Astra leaves it: made, filled and left by Peewee; each test has a copy of its own."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import upstream

from astra_outputs import cli, embedded
from astra_outputs.amend import script_for
from astra_outputs.discover import record_classes
from astra_outputs.errors import CannotStart

SCHEMA = "astra_080"

Psql = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def filled_by_peewee(server: Any) -> Iterator[str]:
    with server.database() as dsn:
        database = upstream.database_of(dsn)
        models = upstream.models_of(database)
        upstream.make(models)
        upstream.fill(models)
        database.close()
        yield dsn


@pytest.fixture
def theirs(server: Any, filled_by_peewee: str) -> Iterator[str]:
    """DSN of a database with schema `astra_080`, made and filled by Peewee."""
    with server.database(filled_by_peewee) as dsn:
        yield dsn


@pytest.fixture
async def in_theirs(theirs: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to it."""
    connection = await asyncpg.connect(theirs)
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
def filled_and_mended(server: Any, filled_by_peewee: str) -> Iterator[tuple[str, str]]:
    """The same after `schema diff`, with times of Denver: its DSN and the script that was applied."""
    program = psql_program()

    async def script(dsn: str) -> str:
        connection = await asyncpg.connect(dsn)
        try:
            await connection.execute(upstream.VIEWS)
            return await script_for(connection, SCHEMA, record_classes(), zone="America/Denver")
        finally:
            await connection.close()

    with server.database(filled_by_peewee) as dsn:
        text = asyncio.run(script(dsn))
        command = [program, "-X", "-q", dsn]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        assert done.stderr == "", done.stderr
        yield dsn, text


@pytest.fixture
def mended(server: Any, filled_and_mended: tuple[str, str]) -> Iterator[str]:
    """DSN of a database with schema `astra_080` that Peewee made and filled, and `schema diff` brought to the files."""
    with server.database(filled_and_mended[0]) as dsn:
        yield dsn


@pytest.fixture
async def in_mended(mended: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to it."""
    connection = await asyncpg.connect(mended)
    yield connection
    await connection.close()


def psql_program() -> Path:
    try:
        return Path(embedded.psql_program())
    except CannotStart as error:
        pytest.skip(str(error))


@pytest.fixture
def psql(tmp_path: Path) -> Psql:
    """Apply a script: `psql(dsn, script)`; an error is yours to look at with `expect`."""
    program = psql_program()

    def run(dsn: str, script: str, expect: str = "") -> subprocess.CompletedProcess[str]:
        file = tmp_path / "script.sql"
        file.write_text(script)
        command = [program, "-X", "-q", "-f", file, dsn]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wrong = "".join(line for line in done.stderr.splitlines(keepends=True) if " NOTICE: " not in line)
        assert (expect in wrong and done.returncode != 0) if expect else wrong == "", wrong
        return done

    return run


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the command line: `run("schema", "diff", ...)` is the exit code, what it printed, and its errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["astra-outputs", *arguments])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run
