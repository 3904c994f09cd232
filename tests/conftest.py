"""Every test gets a database of its own on a real PostgreSQL, cloned from a template.

With `ASTRA_OUTPUTS_TEST_CITUS_DSN` (`make test CITUS_DSN=...`), a coordinator that has no other servers, results are
distributed: see schema/add-ons/citus.sql. A test that looks at something Citus does otherwise asks for `plain_tables`.

The server is the one of `ASTRA_OUTPUTS_TEST_DSN` (`make test DSN=...`), else the one of the `PG*`
variables where `PGHOST` is set, else an embedded one that lives as long as the tests run. With
`ASTRA_OUTPUTS_TEST_PARTITIONS=4` (`make test-partitions`) the tables of results have that many partitions.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import on_citus
import pytest
from hypothesis import settings

import astra_outputs
from astra_outputs import (
    ApogeeCoaddedSpectrumInApStar,
    Flags,
    PipelineOutputMixin,
    Real,
    Source,
    column,
    embedded,
)
from astra_outputs.errors import CannotStart
from astra_outputs.postgres import sql_files

# A slow machine is no failure; on CI the examples are the same in each run.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


# Where a script runs the tests in the background Ctrl-C is ignored, here and in what is started; some of them send it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

PARTITIONS = os.environ.get("ASTRA_OUTPUTS_TEST_PARTITIONS")


class OtherPipeline(PipelineOutputMixin):
    """Results of another pipeline on the same spectra."""

    teff: Real = column(unit="K", description="Effective temperature")
    result_flags: Flags = column(description="Flags of the result")


class Server:
    """A PostgreSQL on which databases are made and dropped, over one connection kept open."""

    def __init__(self, dsn: str, runner: asyncio.Runner) -> None:
        self.dsn, self._runner = dsn, runner
        self._connection = runner.run(asyncpg.connect(dsn))
        self._prefix = f"astra_outputs_test_{uuid4().hex[:12]}"  # several runs may share a server
        self._numbers = count()

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """Give the DSN of a new database, dropped afterwards even if connections are left open."""
        name = f"{self._prefix}_{next(self._numbers)}"
        source = urlsplit(template).path.removeprefix("/") or template
        self._execute(f'create database "{name}" template "{source}"')
        if on_citus.CITUS_DSN and source != "template0":
            for setting in on_citus.SETTINGS:
                self._execute(f'alter database "{name}" set citus.{setting}')
        try:
            yield urlsplit(self.dsn)._replace(path=f"/{name}").geturl()
        finally:
            if on_citus.CITUS_DSN:
                self.leave(name)
            self._execute(f'drop database "{name}" with (force)')

    def leave(self, name: str) -> None:
        """End what Citus runs in a database since somebody was there: it could neither be cloned nor dropped."""
        self._execute(
            f"select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '{name}'"
        )

    def _execute(self, sql: str) -> None:
        self._runner.run(self._connection.execute(sql))

    def close(self) -> None:
        self._runner.run(self._connection.close())


@pytest.fixture(scope="session")
def server_dsn() -> Iterator[str]:
    """DSN of a server on which databases may be created."""
    given = on_citus.CITUS_DSN or os.environ.get("ASTRA_OUTPUTS_TEST_DSN")
    if given:
        yield given
    elif os.environ.get("PGHOST"):
        yield "postgresql:///" + os.environ.get("PGDATABASE", "postgres")
    else:
        with embedded.server(within=_memory(), max_connections="200") as postgres:
            yield postgres.dsn


def _memory() -> str | None:
    """Where data are kept in memory, if there is enough: a database is cloned there ten times faster."""
    folder = "/dev/shm"
    return folder if Path(folder).is_dir() and shutil.disk_usage(folder).free > 2 * 1024**3 else None


@pytest.fixture(scope="session")
def server(server_dsn: str) -> Iterator[Server]:
    with asyncio.Runner() as runner:
        server = Server(server_dsn, runner)
        yield server
        server.close()


@pytest.fixture(scope="session")
def template(server: Server) -> Iterator[str]:
    """DSN of a database with the schema, as psql makes it; connect to it and it cannot be cloned."""
    with server.database() as dsn:
        install_with_psql(dsn)
        if PARTITIONS:
            done = partition(dsn, PARTITIONS)
            assert done.returncode == 0, done.stderr
        if on_citus.CITUS_DSN:
            on_citus.distribute(dsn)
            server.leave(urlsplit(dsn).path.removeprefix("/"))
        yield dsn


@pytest.fixture
def plain_tables() -> None:
    """Leave a test out where tables are distributed: what it looks at is otherwise there, as docs/scale.md says."""
    if on_citus.CITUS_DSN:
        pytest.skip("on Citus this is otherwise")


@pytest.fixture
def one_table(plain_tables: None) -> None:
    """Leave a test out where rows are spread at all: there re-runs are upserts, which is faster."""
    if PARTITIONS:
        pytest.skip("on partitions this is otherwise")


@pytest.fixture(scope="session")
def partitioned() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Spread tables over partitions with psql: `partitioned(dsn, 4, table="the_cannon")`."""
    return partition


def partition(
    dsn: str, partitions: int | str, table: str = "", schema: str = "astra", batch: int = 10_000
) -> subprocess.CompletedProcess[str]:
    """Apply `schema/add-ons/partitions.sql`."""
    given = {"schema": schema, "table": table, "partitions": str(partitions), "batch": str(batch)}
    try:
        command = [embedded.psql_program(), "-X", "-q"]
    except CannotStart as error:
        pytest.skip(str(error))
    for name, value in given.items():
        command += ["-v", f"{name}={value}"]
    script = sql_files.schema_dir() / "add-ons" / "partitions.sql"
    return subprocess.run([*command, "-f", script, dsn], capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def install() -> Callable[..., None]:
    """Apply `schema/` to a database with psql: `install(dsn, schema="astra")`."""
    return install_with_psql


def install_with_psql(dsn: str, schema: str = "astra") -> None:
    """Apply `schema/`; through a connection where there is no psql."""
    try:
        psql = embedded.psql_program()
    except CannotStart:
        asyncio.run(_apply(dsn, schema))
        return
    command = [psql, "-X", "-q", "-v", f"schema={schema}", "-f", sql_files.schema_dir() / "install.sql", dsn]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


async def _apply(dsn: str, schema: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await sql_files.apply(connection, schema)
    finally:
        await connection.close()


@pytest.fixture
def database(server: Server, template: str) -> Iterator[str]:
    """DSN of a new database with the tables in schema `astra`."""
    with server.database(template) as dsn:
        yield dsn


@pytest.fixture
def empty_database(server: Server) -> Iterator[str]:
    """DSN of a new database with nothing in it."""
    with server.database() as dsn:
        yield dsn


@pytest.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    """A plain connection to the test's database."""
    connection = await asyncpg.connect(database, connection_class=on_citus.CONNECTION)
    yield connection
    await connection.close()


@pytest.fixture
async def clock() -> AsyncIterator[Callable[[], float]]:
    """Seconds in which the test's loop had its turns: fewer than have passed, on a machine that keeps it waiting."""
    seconds = 0.0

    async def tick() -> None:
        nonlocal seconds
        while True:
            await asyncio.sleep(0.01)
            seconds += 0.01

    ticking = asyncio.ensure_future(tick())
    yield lambda: seconds
    ticking.cancel()


@pytest.fixture
async def outputs(database: str) -> AsyncIterator[Any]:
    """The repository on the test's database."""
    async with astra_outputs.connect(database, schema="astra") as outputs:
        yield outputs


@pytest.fixture
def spectra(outputs: Any) -> Callable[[int], Awaitable[list[ApogeeCoaddedSpectrumInApStar]]]:
    """Store n sources with one spectrum each, and return the spectra: `await spectra(5)`."""
    numbers = count(1)

    async def store(n: int) -> list[ApogeeCoaddedSpectrumInApStar]:
        names = [(number, f"2M{number:08d}+0000000") for number, _ in zip(numbers, range(n), strict=False)]
        sources = [Source(sdss_id=number, sdss4_apogee_id=name) for number, name in names]
        await outputs.save_many(sources)
        kept = [
            ApogeeCoaddedSpectrumInApStar(
                source_pk=source.pk,
                release="dr17",
                apred="dr17",
                obj=source.sdss4_apogee_id,
                telescope="apo25m",
                field="000+00",
                snr=100.0,
            )
            for source in sources
        ]
        await outputs.save_many(kept)
        return kept

    return store


@pytest.fixture
async def spectrum(spectra: Callable[[int], Awaitable[list[ApogeeCoaddedSpectrumInApStar]]]) -> Any:
    """One stored spectrum of a stored source."""
    (spectrum,) = await spectra(1)
    return spectrum


@pytest.fixture
async def other_pipeline(connection: asyncpg.Connection) -> type[OtherPipeline]:
    """A pipeline that is not one of the built-in ones, with its table."""
    await on_citus.add_table(connection, OtherPipeline)
    return OtherPipeline


@pytest.fixture
def filled() -> Callable[..., PipelineOutputMixin]:
    """Make a result with a value in every column, none of them the same for another seed.

    `filled(TheCannon, spectrum, seed)` is of version 0.6.<seed>.
    """

    def fill(record_class: type[PipelineOutputMixin], spectrum: Any, seed: int) -> PipelineOutputMixin:
        keys = {"spectrum_pk", "source_pk"}
        columns = [column for column in record_class.columns() if column.written and column.name not in keys]
        values = {column.name: column.type.example(seed + n / 8) for n, column in enumerate(columns)}
        return record_class.from_spectrum(spectrum, **values | {"v_astra": 6000 + seed})

    return fill
