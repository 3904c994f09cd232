"""Backups as DBAs make them: what comes back is what was there, and can be written to at once."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from on_citus import run_add_on

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar, SnowWhite, Source, TheCannon, embedded
from astra_outputs.catalog import differences_with_database
from astra_outputs.discover import record_classes
from astra_outputs.embedded import instance, programs
from astra_outputs.errors import CannotStart
from astra_outputs.spool.folder import Spool
from astra_outputs.spool.replay import replay

pytestmark = pytest.mark.usefixtures(
    "plain_tables"
)  # docs/scale.md says how a distributed schema is backed up

DEBIAN = Path("/usr/lib/postgresql/15/bin")
STARS = 40
TABLES = ("source", "spectrum", "apogee_coadded_spectrum_in_ap_star", "the_cannon", "snow_white")


@pytest.fixture(scope="session", autouse=True)
def bin_dir(server_dsn: str) -> Path:
    """The folder of the programs: those of the wheel, which restore into servers of their own version alone."""
    try:
        found = programs.bin_dir()
    except CannotStart as error:
        pytest.skip(str(error))
    said = subprocess.run(
        [found / "pg_restore", "--version"], capture_output=True, text=True, check=True
    ).stdout
    theirs, here = said.split()[-1].partition(".")[0], asyncio.run(_version_of(server_dsn))
    if theirs != here:
        pytest.skip(f"the programs are of PostgreSQL {theirs}, the server of {here}")
    return found


async def _version_of(dsn: str) -> str:
    connection = await asyncpg.connect(dsn)
    try:
        return str(connection.get_server_version().major)
    finally:
        await connection.close()


@pytest.fixture
def run(bin_dir: Path) -> Callable[..., str]:
    """Run one of PostgreSQL's programs, as a DBA would: `run("pg_dump", "-Fc", dsn)`."""

    def run(program: str, *arguments: object, given: str | None = None) -> str:
        command = [str(bin_dir / program), *map(str, arguments)]
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def other(empty_database: str) -> str:
    """DSN of a database into which something is restored."""
    return empty_database


async def fill(dsn: str) -> list[ApogeeCoaddedSpectrumInApStar]:
    """Store stars, spectra and results of two pipelines, some of them replaced; return the spectra."""
    async with astra_outputs.connect(dsn) as outputs:
        sources = [Source(sdss_id=number, g_mag=number / 8) for number in range(1, STARS + 1)]
        await outputs.save_many(sources)
        spectra = [
            ApogeeCoaddedSpectrumInApStar(
                source_pk=source.pk,
                release="dr17",
                apred="dr17",
                obj=f"star {source.sdss_id}",
                telescope="apo25m",
            )
            for source in sources
        ]
        await outputs.save_many(spectra)
        for version in ("0.8.0", "0.8.1", "0.9.0"):
            await outputs.save_many(
                TheCannon.from_spectrum(one, v_astra=version, teff=one.spectrum_pk + 0.1) for one in spectra
            )
        await outputs.save_many(
            SnowWhite.from_spectrum(one, v_astra="0.8.0", teff=9e3) for one in spectra[::2]
        )
    return spectra


async def contents(dsn: str, tables: tuple[str, ...] = TABLES) -> dict[str, str]:
    """Return what the rows of each table are, without their order."""
    query = "select count(*) || ' ' || coalesce(md5(string_agg(t::text, ',' order by t::text)), '') from astra.{} as t"
    connection = await asyncpg.connect(dsn, server_settings={"timezone": "UTC"})
    try:
        return {table: await connection.fetchval(query.format(table)) for table in tables}
    finally:
        await connection.close()


async def holds(dsn: str, spectra: list[ApogeeCoaddedSpectrumInApStar], folder: Path) -> None:
    """What was restored agrees with the classes, takes new rows, and a spool of a worker's disk."""
    connection = await asyncpg.connect(dsn)
    try:
        assert not await differences_with_database(connection, "astra", record_classes(()))
    finally:
        await connection.close()
    async with astra_outputs.connect(dsn) as outputs:
        before = await outputs.find(TheCannon)
        star = await outputs.save(Source(sdss_id=10**6))
        new = await outputs.save(
            ApogeeCoaddedSpectrumInApStar(
                source_pk=star.pk, release="dr17", apred="dr17", obj="new", telescope="apo25m"
            )
        )
        assert new.spectrum_pk > max(one.spectrum_pk for one in spectra)
        result = await outputs.save(TheCannon.from_spectrum(new, v_astra="0.9.0", teff=1.0))
        assert result.task_pk > max(one.task_pk for one in before)
        again = await outputs.save(TheCannon.from_spectrum(spectra[0], v_astra="0.9.1", teff=2.0))
        assert again.task_pk in {one.task_pk for one in before}
        spool = Spool(folder / "spool")
        late = TheCannon.from_spectrum(spectra[1], v_astra="0.9.2", teff=3.0)
        spool.write([late], datetime(9000, 1, 1, tzinfo=UTC))
        report = await replay(outputs.store, [spool])
        assert (report.corrupt, list(spool.folder.glob("*.spool"))) == ([], [])
        assert (await outputs.get_result(TheCannon, spectra[1], v_astra="0.9")).teff == 3.0


async def test_a_schema_goes_into_an_empty_database(database, other, run, tmp_path) -> None:
    spectra = await fill(database)
    dump = tmp_path / "survey"
    run("pg_dump", "-Fc", "--schema=astra", "-f", dump, database)
    run("pg_restore", "--exit-on-error", "--single-transaction", "-d", other, dump)
    assert await contents(other) == await contents(database)
    await holds(other, spectra, tmp_path)


async def test_one_pipeline_goes_into_a_schema_that_has_the_rest(
    database, other, install, run, tmp_path
) -> None:
    spectra = await fill(database)
    dump = tmp_path / "the_cannon"
    run("pg_dump", "-Fc", "--data-only", "--table=astra.the_cannon", "-f", dump, database)
    kept = await contents(database)
    async with astra_outputs.connect(database) as outputs:
        await outputs.save(TheCannon.from_spectrum(spectra[3], v_astra="0.9.9", teff=0.0))
    connection = await asyncpg.connect(database)
    await connection.execute("truncate astra.the_cannon restart identity")
    await connection.close()
    run("pg_restore", "--exit-on-error", "--single-transaction", "--data-only", "-d", database, dump)
    assert await contents(database) == kept
    await holds(database, spectra, tmp_path)


async def test_single_rows_as_text_leave_sequences_behind_until_they_are_put_ahead(
    database, other, install, run, tmp_path
) -> None:
    spectra = await fill(database)
    install(other)
    for table, columns in (("source", "pk, sdss_id"), ("spectrum", "pk, source_pk")):
        rows = run("psql", "-X", "-c", f"copy (select {columns} from astra.{table}) to stdout", database)
        run("psql", "-X", "-q", "-c", f"copy astra.{table} ({columns}) from stdin", other, given=rows)
    columns = "task_pk, source_pk, spectrum_pk, v_astra, teff"
    rows = run("psql", "-X", "-c", f"copy (select {columns} from astra.the_cannon) to stdout", database)
    run("psql", "-X", "-q", "-c", f"copy astra.the_cannon ({columns}) from stdin", other, given=rows)
    done = run_add_on("sequences", other)
    assert done.returncode == 0
    assert "the_cannon_task_pk_seq" in done.stderr
    assert "snow_white" not in done.stderr
    again = run_add_on("sequences", other)
    assert (again.returncode, again.stderr) == (0, "")
    await holds(other, spectra, tmp_path)


def test_sequences_without_a_schema_are_refused(database, run) -> None:
    script = Path(astra_outputs.postgres.sql_files.schema_dir()) / "add-ons" / "sequences.sql"
    done = subprocess.run(
        [programs.psql_program(), "-X", "-f", script, database], capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert "no schema given" in done.stderr


@pytest.fixture
def older(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A server of PostgreSQL 15, as Debian has it."""
    if not (DEBIAN / "postgres").is_file():
        pytest.skip("needs Debian's PostgreSQL 15")
    with monkeypatch.context() as patched:
        patched.setattr(instance, "bin_dir", lambda: DEBIAN)
        server = embedded.server()
        server.__enter__()
    yield server
    server.stop()


async def test_a_schema_of_an_older_server_goes_into_a_newer_one(
    older, other, install, run, tmp_path
) -> None:
    install(older.dsn)
    spectra = await fill(older.dsn)
    dump = tmp_path / "survey"
    run("pg_dump", "-Fc", "--schema=astra", "-f", dump, older.dsn)  # with the programs of the newer
    run("pg_restore", "--exit-on-error", "-d", other, dump)
    assert await contents(other) == await contents(older.dsn)
    await holds(other, spectra, tmp_path)


async def test_results_are_replicated_to_another_server(other, install, tmp_path) -> None:
    with embedded.server(wal_level="logical", max_wal_senders="4") as first:
        install(first.dsn)
        install(other)
        spectra = await fill(first.dsn)
        giving = await asyncpg.connect(first.dsn)
        taking = await asyncpg.connect(other)
        tables = ", ".join(f"astra.{table}" for table in TABLES)
        await giving.execute(f"create publication results for table {tables}")
        host = urlsplit(first.dsn).query.removeprefix("host=").partition("&")[0]
        await taking.execute(
            f"create subscription results connection 'host={host} port=5432 user=postgres dbname=postgres' "
            "publication results"
        )
        try:
            async with astra_outputs.connect(first.dsn) as outputs:
                later = [TheCannon.from_spectrum(one, v_astra="0.9.1", teff=4.5) for one in spectra]
                await outputs.save_many(later)
            wanted = await contents(first.dsn)
            async with asyncio.timeout(120):
                while await contents(other) != wanted:
                    assert not taking.is_closed()
        finally:
            await taking.execute("drop subscription results")  # the other server takes over
            await taking.close()
            await giving.close()
        assert run_add_on("sequences", other).returncode == 0
        await holds(other, spectra, tmp_path)
