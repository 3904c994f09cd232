"""Limits that an administrator sets: connections, and seconds for a statement or an idle transaction."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import ledger
import pytest
from crashing import crash_server
from proxy import Proxy, until
from witness import result, values

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar, Outcome, TheCannon
from astra_outputs.errors import CannotConnect, DatabaseError

VERSION = 8001


async def pending(outputs):
    return [s async for s in outputs.pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra=VERSION)]


def pipeline(spectra):
    for spectrum in spectra:
        yield result(spectrum, VERSION, 1)


async def assert_stored(connection, spectra) -> None:
    rows = await connection.fetch("select spectrum_pk, tag from astra.the_cannon order by 1")
    assert [row["spectrum_pk"] for row in rows] == [spectrum.spectrum_pk for spectrum in spectra]
    assert all(row["tag"] == values(row["spectrum_pk"], VERSION, 1)["tag"] for row in rows)


# max_connections.


@pytest.fixture(scope="module")
def crowded():
    """A server that takes seven connections: one for who watches, two for superusers alone, and four."""
    settings = {"max_connections": "7", "superuser_reserved_connections": "2", "max_wal_senders": "0"}
    with crash_server(**settings) as server:
        yield server


@pytest.fixture
def user_dsn(crowded) -> str:
    """A database of this server as a user without reserved connections sees it."""
    dsn = crowded.database()
    ledger.add_spectra(dsn, 100)
    asyncio.run(make_user(dsn))
    return dsn.replace("postgres@", "worker@")


async def make_user(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    if not await connection.fetchval("select 1 from pg_roles where rolname = 'worker'"):
        await connection.execute("create role worker login")
    await connection.execute("grant usage on schema astra to worker")
    await connection.execute("grant all on all tables in schema astra to worker")
    await connection.close()


@asynccontextmanager
async def when_all_have_left(dsn: str) -> AsyncIterator[None]:
    """Begin when nobody is connected: a client that has left counts until the process that served it has ended."""
    watch = await asyncpg.connect(dsn.replace("worker@", "postgres@"))
    clients = "select count(*) - 1 from pg_stat_activity where backend_type = 'client backend'"
    async with asyncio.timeout(120):
        while await watch.fetchval(clients) > 0:
            pass
    try:
        yield
    finally:
        await watch.close()


def test_a_server_without_a_free_connection_is_one_error_that_says_so(user_dsn):
    async def connect_too_often():
        async with when_all_have_left(user_dsn):
            others = [await asyncpg.connect(user_dsn) for _ in range(4)]
            try:
                with pytest.raises(
                    CannotConnect, match="no connection left: use fewer workers or a pooler"
                ) as caught:
                    async with astra_outputs.connect(user_dsn, retry_for=0.3, timeout=20):
                        pass
            finally:
                for other in others:
                    await other.close()
        return caught.value.sqlstate

    assert asyncio.run(connect_too_often()) == "53300"


def test_workers_wait_for_a_free_connection_and_store_everything(user_dsn, caplog):
    async def save_in_a_crowd():
        async with (
            when_all_have_left(user_dsn),
            astra_outputs.connect(user_dsn, connections=3) as outputs,
        ):
            spectra = await pending(outputs)
            others = [await asyncpg.connect(user_dsn) for _ in range(3)]
            with caplog.at_level(logging.WARNING, "astra_outputs.database"):
                records = [result(spectrum, VERSION, 1) for spectrum in spectra]
                saving = asyncio.ensure_future(outputs.save_many(records, batch_size=10, connections=3))
                await until(lambda: "53300; trying again" in caplog.text)
            for other in others:
                await other.close()
            return await saving

    assert asyncio.run(save_in_a_crowd()).counts == {Outcome.INSERTED: 100}


# statement_timeout.


@pytest.fixture
async def slow_table(connection):
    """No statement that stores results ends before its time is over, and any other does."""
    await connection.execute(
        "create function astra.slowly() returns trigger language plpgsql as "
        "$$ begin perform pg_sleep(600); return null; end $$"
    )
    await connection.execute(
        "create trigger slowly before insert on astra.the_cannon for each statement execute function astra.slowly()"
    )


async def test_a_statement_that_takes_too_long_is_an_error_that_is_not_tried_again(
    database, slow_table, spectra, connection
) -> None:
    stored = await spectra(5)
    settings = {"statement_timeout": "1s"}
    async with astra_outputs.connect(database, server_settings=settings, retry_for=60) as outputs:
        with pytest.raises(DatabaseError, match="statement timeout") as caught:
            async with asyncio.timeout(40):
                await outputs.save_many(pipeline(stored))
    assert caught.value.sqlstate == "57014"
    assert await connection.fetchval("select count(*) from astra.the_cannon") == 0


async def test_results_whose_statements_take_too_long_are_spooled_and_stored_later(
    database, slow_table, spectra, connection, tmp_path
) -> None:
    stored = await spectra(20)
    settings = {"statement_timeout": "1s"}
    async with astra_outputs.connect(database, server_settings=settings, retry_for=1, timeout=20) as outputs:
        report = await outputs.run(pipeline, stored, v_astra=VERSION, batch_size=10, spool=tmp_path)
    assert report.counts == {Outcome.SPOOLED: 20}
    assert not report.all_stored
    await connection.execute("drop trigger slowly on astra.the_cannon")
    async with astra_outputs.connect(database) as outputs:
        assert (await outputs.replay(tmp_path)).counts == {Outcome.INSERTED: 20}
    await assert_stored(connection, stored)


# idle_in_transaction_session_timeout.


class Holding(Proxy):
    """Holds back what the client says, from one message on, until told to pass it on."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.hold: bytes | None = None
        self.holds, self.go_on = False, asyncio.Event()

    async def _pass(self, reader, writer, said) -> None:
        if said != self._client_said:
            await super()._pass(reader, writer, said)
            return
        while content := await reader.read(65536):
            if self.hold and self.hold in content and not self.go_on.is_set():
                self.holds = True
                await self.go_on.wait()
            writer.write(content)


@pytest.mark.parametrize("size", [50, 500])
async def test_a_session_ended_for_idling_in_a_transaction_is_replaced_and_everything_is_stored(
    database, spectra, connection, size
) -> None:
    stored = await spectra(size)
    proxy = Holding(database)
    await proxy.start()
    ends = "idle_in_transaction_session_timeout = '100ms'"
    ours = (
        "select count(*) from pg_stat_activity where application_name = 'astra_outputs' "
        "and datname = current_database() and state like 'idle in transaction%'"
    )
    async with astra_outputs.connect(proxy.dsn, connections=1) as outputs:
        await outputs.store.gate.check(TheCannon)
        # From now on: what a repository asks while it connects is not tried again on a machine that stands still.
        await connection.execute(f'alter database "{urlsplit(database).path[1:]}" set {ends}')
        async with outputs.store.database.acquire() as session:
            await session.execute(f"set {ends}")
        proxy.hold = b"commit" if size < 500 else b"insert into"
        saving = asyncio.ensure_future(outputs.save_many(pipeline(stored), keep_newer=True))
        await until(lambda: proxy.holds)
        while await connection.fetchval(ours):  # noqa: ASYNC110 (nobody announces the end of a session)
            await asyncio.sleep(0.02)
        proxy.go_on.set()
        report = await saving
    await proxy.stop()
    assert proxy.connections >= 2
    assert report.counts == {Outcome.INSERTED: size}
    await assert_stored(connection, stored)


# Only reading.


def read_only(dsn: str, *, on: bool) -> None:
    """Let new transactions of a database only read, as those of a standby do, or write again."""

    async def switch():
        connection = await asyncpg.connect(dsn, server_settings={"default_transaction_read_only": "off"})
        name = await connection.fetchval("select current_database()")
        await connection.execute(
            f"alter database {name} set default_transaction_read_only = {'on' if on else 'off'}"
        )
        await connection.close()

    asyncio.run(switch())


async def test_a_server_that_only_reads_is_an_error_with_its_sqlstate_when_the_budget_ends(
    database, spectra
) -> None:
    stored = await spectra(5)
    await asyncio.to_thread(read_only, database, on=True)
    async with astra_outputs.connect(database, retry_for=1.0, timeout=20) as outputs:
        with pytest.raises(DatabaseError, match="read-only") as caught:
            await outputs.save_many(pipeline(stored))
    assert caught.value.sqlstate == "25006"


async def test_a_failover_is_waited_for_on_new_connections(database, spectra, connection, caplog) -> None:
    stored = await spectra(50)
    await asyncio.to_thread(read_only, database, on=True)
    async with astra_outputs.connect(database) as outputs:
        with caplog.at_level(logging.WARNING, "astra_outputs.database"):
            saving = asyncio.ensure_future(outputs.save_many(pipeline(stored)))
            await until(lambda: "25006; trying again" in caplog.text)
        await asyncio.to_thread(read_only, database, on=False)
        assert (await saving).counts == {Outcome.INSERTED: 50}
    await assert_stored(connection, stored)


async def test_results_made_during_a_long_failover_are_spooled_and_stored_after_it(
    database, spectra, connection, tmp_path
) -> None:
    stored = await spectra(50)
    await asyncio.to_thread(read_only, database, on=True)
    async with astra_outputs.connect(database, retry_for=0.3, timeout=20) as outputs:
        report = await outputs.run(pipeline, stored, v_astra=VERSION, batch_size=10, spool=tmp_path)
        assert report.counts == {Outcome.SPOOLED: 50}
        await asyncio.to_thread(read_only, database, on=False)
        assert (await outputs.replay(tmp_path)).counts == {Outcome.INSERTED: 50}
    await assert_stored(connection, stored)
