"""What is tried again after a failure, what is not, and that nothing is stored twice or lost by it."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

import astra_outputs
from astra_outputs import Outcome, Source, TheCannon
from astra_outputs.errors import ConnectionLost, DatabaseError, SchemaMismatch, UnknownReference
from astra_outputs.postgres.database import Database
from astra_outputs.postgres.patience import again
from astra_outputs.postgres.sqlstates import TRANSIENT, is_transient

sys.path.insert(0, str(Path(__file__).parents[1]))
from proxy import proxied, until


@pytest.fixture
async def proxy(database):
    async with proxied(database) as proxy:
        yield proxy


def results(spectra, teff: float = 1.0):
    return [TheCannon.from_spectrum(spectrum, v_astra="0.8.1", teff=teff) for spectrum in spectra]


def once(what: bytes):
    """Say yes to the first message that contains `what`, and no to all others."""
    waiting = [True]

    def cut(content: bytes) -> bool:
        return what in content and bool(waiting) and waiting.pop()

    return cut


async def work_that_fails(error: Exception, times: int, database: Database) -> tuple[int, object]:
    """Run a unit of work that raises so often; returns how often it was tried, and what came out."""
    tries = 0

    async def work(connection):
        nonlocal tries
        tries += 1
        if tries <= times:
            raise error
        return "done"

    try:
        return tries, await database.run(work)
    except DatabaseError as caught:
        return tries, caught
    finally:
        work_that_fails.tries = tries


# What is not tried again.


@pytest.mark.parametrize("sqlstate", ["23503", "23505", "42P01", "42501", "22001", "57014", "53100", "XX000"])
async def test_what_would_fail_again_is_not_tried_again(outputs, sqlstate) -> None:
    error = asyncpg.PostgresError.new({"C": sqlstate, "M": "terminating connection; deadlock detected"})
    _, caught = await work_that_fails(error, 1, outputs.store.database)
    assert (work_that_fails.tries, caught.sqlstate) == (1, sqlstate)


async def test_an_error_that_has_nothing_to_do_with_the_database_is_not_tried_again(outputs) -> None:
    with pytest.raises(ZeroDivisionError):
        await work_that_fails(ZeroDivisionError(), 1, outputs.store.database)
    assert work_that_fails.tries == 1


@pytest.mark.parametrize("sqlstate", ["40P01", "57P01", "08006"])
async def test_nothing_is_tried_again_on_a_callers_own_connection(connection, sqlstate) -> None:
    error = asyncpg.PostgresError.new({"C": sqlstate, "M": ""})
    _, caught = await work_that_fails(error, 1, Database(connection=connection))
    assert (work_that_fails.tries, caught.sqlstate) == (1, sqlstate)


async def test_the_budget_ends(database) -> None:
    async with astra_outputs.connect(database, retry_for=0.3, timeout=20) as outputs:
        error = asyncpg.PostgresError.new({"C": "57P03", "M": "the database system is starting up"})
        _, caught = await work_that_fails(error, 10_000, outputs.store.database)
    assert isinstance(caught, ConnectionLost)
    assert work_that_fails.tries < 20


async def test_a_budget_of_nothing_is_one_try(database) -> None:
    async with astra_outputs.connect(database, retry_for=0) as outputs:
        await work_that_fails(asyncpg.PostgresError.new({"C": "40001", "M": ""}), 1, outputs.store.database)
    assert work_that_fails.tries == 1


# What is tried again.


@pytest.mark.parametrize("sqlstate", [*sorted(TRANSIENT), "08000", "08003", "08006"])
async def test_what_passes_is_tried_again_whatever_the_message_says(outputs, sqlstate) -> None:
    error = asyncpg.PostgresError.new({"C": sqlstate, "M": "no such table"})
    _, found = await work_that_fails(error, 2, outputs.store.database)
    assert (work_that_fails.tries, found) == (3, "done")


@pytest.mark.parametrize("error", [ConnectionResetError(), TimeoutError(), ConnectionRefusedError()])
async def test_a_broken_network_is_tried_again(outputs, error) -> None:
    assert (await work_that_fails(error, 1, outputs.store.database))[1] == "done"


def test_an_error_of_ours_passes_if_its_cause_does() -> None:
    lost, unknown = ConnectionLost(""), UnknownReference("")
    lost.__cause__, unknown.__cause__ = ConnectionResetError(), asyncpg.ForeignKeyViolationError()
    assert (is_transient(lost), is_transient(unknown), is_transient(ConnectionLost(""))) == (
        True,
        False,
        False,
    )


async def test_a_connection_that_the_server_ends_is_replaced(database, server_dsn, spectra) -> None:
    stored = await spectra(1)
    async with astra_outputs.connect(database, connections=1) as outputs:
        async with outputs.store.database.acquire() as victim:
            pid = victim.get_server_pid()
        connection = await asyncpg.connect(server_dsn)  # Citus has a function of its own by that name in ours
        await connection.execute(f"select pg_terminate_backend({pid}, 10000)")
        await connection.close()
        assert (await outputs.save(results(stored)[0])).outcome is Outcome.INSERTED


async def test_a_deadlock_ends_with_both_stored(outputs, connection, spectra) -> None:
    first, second = await spectra(2)
    await outputs.save_many(results([first, second]))
    holding, blocked, tries = asyncio.Event(), asyncio.Event(), 0

    async def ours(inner):
        nonlocal tries
        tries += 1
        async with inner.transaction():
            # Who waits last finds the deadlock, and is the one to give way.
            await inner.execute("set local deadlock_timeout = '10ms'")
            for spectrum in (first, second):
                await inner.execute(
                    "update astra.the_cannon set teff = 9 where spectrum_pk = $1", spectrum.spectrum_pk
                )
                holding.set()
                await blocked.wait()

    async def lock(spectrum) -> None:
        await connection.execute(
            "update astra.the_cannon set tag = 'theirs' where spectrum_pk = $1", spectrum.spectrum_pk
        )

    await connection.execute("set deadlock_timeout = '60s'")
    theirs = connection.transaction()
    await theirs.start()
    await lock(second)
    work = asyncio.ensure_future(outputs.store.database.run(ours))
    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    await holding.wait()
    locking = asyncio.ensure_future(lock(first))
    async with asyncio.timeout(60):
        while not await outputs.store.database.run(lambda inner: inner.fetchval(waiting)):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    blocked.set()
    await locking
    await theirs.commit()
    await work
    assert tries > 1
    assert await connection.fetch("select tag, teff from astra.the_cannon") == [("theirs", 9.0)] * 2


async def test_a_demoted_server_is_left_for_the_one_that_took_over(outputs, spectra) -> None:
    used = []

    async def work(connection):
        used.append(connection.get_server_pid())
        if len(used) == 1:
            await connection.execute("set default_transaction_read_only = on")
        async with connection.transaction():
            await connection.execute("insert into astra.spectrum default values")

    await outputs.store.database.run(work)
    assert len(set(used)) == 2


async def test_the_log_says_what_happened_and_how_long_it_is_tried_without_secrets(database, caplog) -> None:
    secret = database.replace("postgresql://postgres@", "postgresql://postgres:hush-hush@")
    assert "hush-hush" in secret
    async with astra_outputs.connect(secret, retry_for=7) as outputs:
        with caplog.at_level(logging.DEBUG):
            error = asyncpg.PostgresError.new({"C": "57P01", "M": "shutting down"})
            await work_that_fails(error, 1, outputs.store.database)
    lines = [record.getMessage() for record in caplog.records if record.name == "astra_outputs.database"]
    assert any("57P01; trying again for up to 7 s" in line for line in lines)
    assert "hush-hush" not in caplog.text


# Cut in the middle.


@pytest.mark.parametrize("size", [1, 5, 500])
async def test_a_commit_whose_answer_was_lost_leaves_each_record_stored_once(
    proxy, connection, spectra, size
) -> None:
    stored = await spectra(size)
    records = results(stored)
    async with astra_outputs.connect(proxy.dsn) as outputs:
        await outputs.get_result(TheCannon, 0)
        await outputs.store.gate.check(TheCannon)
        # CommandComplete: the server has committed, the client never learns.
        done = b"INSERT 0 %d\0" % size if size < 500 else b"COMMIT\0"
        proxy.cut_before_client_hears = once(done)
        report = await outputs.save_many(records)
    assert proxy.cuts >= 1
    assert report.counts == {Outcome.REPLACED: size}
    rows = await connection.fetch("select spectrum_pk, task_pk, teff from astra.the_cannon order by 1")
    assert [row["spectrum_pk"] for row in rows] == [spectrum.spectrum_pk for spectrum in stored]
    assert [row["task_pk"] for row in rows] == [record.task_pk for record in records]


@pytest.mark.parametrize("size", [1, 5, 500])
async def test_a_connection_cut_before_the_commit_stores_everything_on_the_next_try(
    proxy, connection, spectra, size
) -> None:
    stored = await spectra(size)
    async with astra_outputs.connect(proxy.dsn) as outputs:
        await outputs.store.gate.check(TheCannon)
        proxy.cut_before_server_hears = once(b"commit" if size == 500 else b"insert into")
        report = await outputs.save_many(results(stored))
    assert proxy.cuts >= 1
    assert report.counts == {Outcome.INSERTED: size}
    assert await connection.fetchval("select count(*) from astra.the_cannon") == size


@pytest.mark.parametrize("nth", range(1, 12))
async def test_a_connection_cut_after_any_message_of_the_server_loses_and_doubles_nothing(
    proxy, connection, spectra, nth
) -> None:
    stored = await spectra(40)
    seen = []

    def cut(content: bytes) -> bool:
        seen.append(content)
        return len(seen) == nth

    async with astra_outputs.connect(proxy.dsn) as outputs:
        await outputs.store.gate.check(TheCannon)
        proxy.cut_before_client_hears = cut
        report = await outputs.save_many(results(stored), batch_size=20)
    assert sum(report.counts.values()) == 40
    assert await connection.fetchval("select count(*) from astra.the_cannon") == 40


async def test_a_server_that_comes_back_within_the_budget_is_waited_for(proxy, connection, spectra) -> None:
    stored = await spectra(20)
    async with astra_outputs.connect(proxy.dsn) as outputs:
        await outputs.store.gate.check(TheCannon)
        proxy.take_down()
        work = asyncio.ensure_future(outputs.save_many(results(stored)))
        tried = proxy.connections
        await until(lambda: proxy.connections >= tried + 2)
        proxy.bring_back()
        assert (await work).counts == {Outcome.INSERTED: 20}


@pytest.fixture
async def limited(database, connection):
    """DSN of a user who may open two connections."""
    name = "limited_" + await connection.fetchval("select current_database()")
    await connection.execute(f"create role {name} login password 'x' connection limit 2")
    await connection.execute(f"grant usage on schema astra to {name}")
    await connection.execute(f"grant all on all tables in schema astra to {name}")
    await connection.execute(f"grant usage on all sequences in schema astra to {name}")  # which Citus wants
    host = database.partition("@")[2]
    yield f"postgresql://{name}:x@{host}"
    await connection.execute(f"drop owned by {name}")
    await connection.execute(f"drop role {name}")


async def test_too_many_connections_are_waited_for(limited, spectra, caplog) -> None:
    (spectrum,) = await spectra(1)
    other = await asyncpg.connect(limited)
    async with astra_outputs.connect(limited, connections=2) as outputs, outputs.store.database.acquire():
        with caplog.at_level(logging.WARNING, "astra_outputs.database"):
            work = asyncio.ensure_future(outputs.save(results([spectrum])[0]))
            await until(lambda: "53300; trying again" in caplog.text)
        await other.close()
        assert (await work).outcome is Outcome.INSERTED


async def test_a_user_who_may_open_no_more_connections_is_let_in_when_one_is_free(limited, caplog) -> None:
    others = [await asyncpg.connect(limited) for _ in range(2)]
    outputs = astra_outputs.connect(limited)
    with caplog.at_level(logging.WARNING, "astra_outputs.database"):
        opening = asyncio.ensure_future(outputs.__aenter__())
        await until(lambda: "53300; trying again" in caplog.text)
    await others.pop().close()
    await opening
    await outputs.__aexit__(None, None, None)
    await others.pop().close()


async def test_where_time_is_over_the_error_is_what_the_server_said_last() -> None:
    said = asyncpg.PostgresError.new({"C": "25006", "M": "cannot execute INSERT in a read-only transaction"})
    clock = asyncio.get_running_loop().time

    async def work(until: float) -> None:
        while clock() < until:  # noqa: ASYNC110 (the time itself is what is waited for)
            await asyncio.sleep(0)
        raise TimeoutError("no answer")

    with pytest.raises(asyncpg.PostgresError) as caught:
        await again(said, work, is_transient, 0.05, "the_cannon")
    assert caught.value is said


async def test_a_connection_that_is_lost_just_when_it_is_given_back_is_no_error(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver's pool then has it already, which it takes for a fault of its own."""
    release = asyncpg.pool.PoolConnectionHolder.release

    async def twice(holder: Any, timeout: float) -> None:  # noqa: ASYNC109 (the driver's signature)
        await release(holder, timeout)
        await release(holder, timeout)

    async with astra_outputs.connect(database, connections=1, retry_for=0) as outputs:
        await outputs.save(Source(sdss_id=1))
        monkeypatch.setattr(asyncpg.pool.PoolConnectionHolder, "release", twice)
        with pytest.raises(SchemaMismatch):  # a connection whose use failed goes back at once
            await outputs.store.database.run(
                lambda connection: connection.execute("select * from astra.gone")
            )
        assert await outputs.get_by_id(Source, 1) is not None
