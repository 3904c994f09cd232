"""`connect(read_dsn=...)`: reading from a server that follows the one that is written to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from standby import Pair, pair

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar, Source, TheCannon, embedded
from astra_outputs.errors import CannotConnect, CannotStart, Misused, SchemaMismatch


@pytest.fixture(scope="module")
def servers(install: Callable[..., None]) -> Iterator[Pair]:
    """A server with the schema, and its standby, for all tests of this file."""
    try:
        embedded.bin_dir()
    except CannotStart as error:
        pytest.skip(str(error))
    with pair() as both:
        install(both.first.dsn)
        asyncio.run(both.wait_for_each_other())
        yield both


@contextmanager
def nothing_is_said(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.clear()
    yield
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


# What cannot be read from.


async def test_another_database_is_refused(database: str, servers: Pair) -> None:
    with pytest.raises(CannotConnect, match="is no copy of"):
        async with astra_outputs.connect(database, read_dsn=servers.second.dsn):
            pass


async def test_another_database_of_the_same_server_is_refused(servers: Pair) -> None:
    with pytest.raises(CannotConnect, match="is no copy of"):
        async with astra_outputs.connect(servers.first.dsn, read_dsn=servers.second.dsn_of("template1")):
            pass


async def test_a_server_that_does_not_answer_is_refused_with_its_name(database: str) -> None:
    nobody = "postgresql://postgres@127.0.0.1:1/nowhere"
    with pytest.raises(CannotConnect, match=r"127\.0\.0\.1:1/nowhere"):
        async with astra_outputs.connect(database, read_dsn=nobody, retry_for=0):
            pass


async def test_a_table_that_is_missing_there_is_an_error_that_says_so(servers: Pair) -> None:
    connection = await asyncpg.connect(servers.first.dsn)
    await connection.execute("create schema bare")
    await connection.close()
    async with astra_outputs.connect(
        servers.first.dsn, read_dsn=servers.second.dsn, schema="bare"
    ) as outputs:
        with pytest.raises(SchemaMismatch, match="the_cannon"):
            await outputs.find(TheCannon)


async def test_a_connection_of_ones_own_and_another_server_are_refused(
    connection: asyncpg.Connection, database: str
) -> None:
    with pytest.raises(Misused, match="leave read_dsn out"):
        astra_outputs.connect(connection=connection, read_dsn=database)


# What can.


async def test_a_server_that_takes_writes_is_read_from_and_said_in_the_log(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with astra_outputs.connect(database, read_dsn=database) as outputs:
        assert await outputs.find(TheCannon) == []
    (said,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "no standby" in said


async def test_all_that_reads_much_asks_the_standby_and_all_else_the_first(
    servers: Pair, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with nothing_is_said(caplog):
        async with astra_outputs.connect(servers.first.dsn, read_dsn=servers.second.dsn) as outputs:
            stored = await filled(outputs)
            before = await statements_begun(servers)
            assert await outputs.find(TheCannon, "teff > $1", 0) == stored
            assert [record async for record in outputs.stream(TheCannon, order_by="task_pk")] == stored
            assert (await outputs.columns(TheCannon, source=["sdss_id"]).to_arrow()).num_rows == len(stored)
            await outputs.export(TheCannon, tmp_path / "cannon.fits")
            assert (await outputs.verify(TheCannon, tmp_path / "cannon.fits")).same
            assert await statements_begun(servers) == before, "the first was asked nothing"
            assert await outputs.get_by_id(TheCannon, stored[0].task_pk) == stored[0]
            assert await outputs.get_result(TheCannon, stored[0].spectrum_pk) == stored[0]
            pending = outputs.pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra="0.8.0")
            assert [spectrum async for spectrum in pending] == []


async def test_several_connections_share_what_the_standby_sees(servers: Pair, monkeypatch: Any) -> None:
    monkeypatch.setattr("astra_outputs.reading.copying.FEWEST_PAGES", 1)
    async with astra_outputs.connect(servers.first.dsn, read_dsn=servers.second.dsn) as outputs:
        stored = await filled(outputs)
        columns = outputs.columns(TheCannon, connections=2)
        async with columns.reading() as answer:
            assert len(answer.shares) == 2
        assert (await columns.to_arrow()).num_rows == len(stored)


async def test_what_has_not_arrived_yet_is_not_found_and_what_is_pending_is_known_at_once(
    servers: Pair,
) -> None:
    async with astra_outputs.connect(servers.first.dsn, read_dsn=servers.second.dsn) as outputs:
        stored = await filled(outputs)
        standby, first = [await asyncpg.connect(one.dsn) for one in (servers.second, servers.first)]
        await first.execute("alter role postgres set synchronous_commit = 'local'")
        await standby.execute("select pg_wal_replay_pause()")
        try:
            async with astra_outputs.connect(servers.first.dsn, read_dsn=servers.second.dsn) as late:
                changed = stored[0].model_copy(update={"teff": 1.0})
                await late.save(changed)
                assert (await late.find(TheCannon, "task_pk = $1", changed.task_pk))[0].teff != 1.0
                result = await late.get_by_id(TheCannon, changed.task_pk)
                assert result is not None
                assert result.teff == 1.0
        finally:
            await standby.execute("select pg_wal_replay_resume()")
            await first.execute("alter role postgres reset synchronous_commit")
            await standby.close()
            await first.close()


async def filled(outputs: Any) -> list[TheCannon]:
    """Store results, once; return all of them."""
    source = Source(sdss_id=1)
    await outputs.save(source)
    spectra = [
        ApogeeCoaddedSpectrumInApStar(
            source_pk=source.pk, release="dr17", apred="dr17", obj=f"2M{n}", telescope="apo25m", snr=9.0
        )
        for n in range(40)
    ]
    await outputs.save_many(spectra, skip_unchanged=True)
    results = [
        TheCannon.from_spectrum(spectrum, v_astra="0.8.0", teff=4000.0 + spectrum.spectrum_pk)
        for spectrum in spectra
    ]
    await outputs.save_many(results)
    return await outputs.find(TheCannon, order_by="task_pk")


async def statements_begun(servers: Pair) -> list[Any]:
    """Return when the first server's connections of the package began to do what they did last."""
    connection = await asyncpg.connect(servers.first.dsn)
    try:
        return await connection.fetch(
            "select pid, query_start from pg_stat_activity where application_name = 'astra_outputs' order by pid"
        )
    finally:
        await connection.close()
