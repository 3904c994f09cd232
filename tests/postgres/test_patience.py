"""A server that hangs, or a network that swallows everything, keeps nobody longer than they said."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import asyncpg
import pytest

import astra_outputs
from astra_outputs import Outputs, TheCannon
from astra_outputs.errors import CannotConnect, ConnectionLost, DatabaseError, MaybeStored, NoConnectionLeft
from astra_outputs.postgres import patience

sys.path.insert(0, str(Path(__file__).parents[1]))
from proxy import Proxy, proxied

A_SECOND_MORE = 1.0


@pytest.fixture
async def proxy(database: str) -> AsyncIterator[Proxy]:
    async with proxied(database) as proxy:
        yield proxy


def results(spectra: list[Any], teff: float = 1.0) -> list[TheCannon]:
    return [TheCannon.from_spectrum(spectrum, v_astra="0.8.1", teff=teff) for spectrum in spectra]


async def save(outputs: Outputs, spectra: list[Any]) -> None:
    await outputs.save(results(spectra)[0])


async def save_many_at_once(outputs: Outputs, spectra: list[Any]) -> None:
    await outputs.save_many(results(spectra[:10]))


async def save_many_by_copy(outputs: Outputs, spectra: list[Any]) -> None:
    await outputs.save_many(results(spectra))


async def save_many_or_none(outputs: Outputs, spectra: list[Any]) -> None:
    await outputs.save_many(results(spectra), atomic=True, batch_size=50)


async def get_result(outputs: Outputs, spectra: list[Any]) -> None:
    await outputs.get_result(TheCannon, spectra[0])


calls = pytest.mark.parametrize(
    "call",
    [save, save_many_at_once, save_many_by_copy, save_many_or_none, get_result],
    ids=lambda call: call.__name__,
)


@calls
async def test_a_callers_own_limit_holds_where_the_server_hangs(
    proxy: Proxy, spectra: Any, clock: Callable[[], float], call: Callable[..., Awaitable[None]]
) -> None:
    stored = await spectra(200)
    async with asyncio.timeout(60), astra_outputs.connect(proxy.dsn) as outputs:
        await call(outputs, stored)
        proxy.swallow()
        started = clock()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await call(outputs, stored)
        assert clock() - started < 0.5 + A_SECOND_MORE
        started = clock()
    assert clock() - started < A_SECOND_MORE


@calls
async def test_the_budget_is_all_that_a_call_waits_where_the_server_hangs(
    proxy: Proxy, spectra: Any, clock: Callable[[], float], call: Callable[..., Awaitable[None]]
) -> None:
    stored = await spectra(200)
    async with asyncio.timeout(60), astra_outputs.connect(proxy.dsn, retry_for=1.5) as outputs:
        await call(outputs, stored)
        proxy.swallow()
        started, began = clock(), perf_counter()
        with pytest.raises(ConnectionLost, match="no answer"):
            await call(outputs, stored)
        assert clock() - started < 1.5 + A_SECOND_MORE
        assert perf_counter() - began > 1.0


async def test_a_server_that_hangs_when_it_is_connected_to_is_one_error_in_time(
    proxy: Proxy, clock: Callable[[], float]
) -> None:
    proxy.swallow()
    started = clock()
    with pytest.raises(CannotConnect, match=r"no answer within 1\.5 s"):
        async with asyncio.timeout(60), astra_outputs.connect(proxy.dsn, retry_for=1.5):
            pass
    assert clock() - started < 1.5 + A_SECOND_MORE


@pytest.fixture
def a_slow_answer_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a server that is asked whether it is there all the time that a busy machine takes."""
    monkeypatch.setattr(patience, "GRACE", 10.0)


@pytest.mark.usefixtures("a_slow_answer_is_one")
async def test_a_slow_statement_is_waited_for_as_long_as_the_server_answers(outputs: Outputs) -> None:
    database = outputs.store.database
    database.retry_for = 0.4
    work = "select 'done' from pg_sleep(1.5)"
    assert await database.run(lambda connection: connection.fetchval(work)) == "done"


@pytest.mark.usefixtures("a_slow_answer_is_one")
async def test_a_statement_that_waits_for_a_lock_is_waited_for(
    outputs: Outputs, connection: asyncpg.Connection, spectra: Any
) -> None:
    stored = await spectra(1)
    outputs.store.database.retry_for = 0.4
    async with asyncio.timeout(60):
        async with connection.transaction():
            await connection.execute("lock table astra.the_cannon")
            saving = asyncio.ensure_future(outputs.save(results(stored)[0]))
            await asyncio.wait([saving], timeout=1.0)
            assert not saving.done()
        await saving


async def test_after_it_hung_the_same_repository_works_again(proxy: Proxy, spectra: Any) -> None:
    stored = await spectra(200)
    async with asyncio.timeout(60), astra_outputs.connect(proxy.dsn, retry_for=1.0) as outputs:
        await save_many_by_copy(outputs, stored)
        proxy.swallow()
        with pytest.raises(ConnectionLost):
            await save_many_by_copy(outputs, stored)
        proxy.flow()
        await save_many_by_copy(outputs, stored)
        await save(outputs, stored)


# Transactions.


@pytest.mark.soak
async def test_a_commit_whose_answer_is_lost_says_that_all_may_be_stored(
    proxy: Proxy, connection: asyncpg.Connection, spectra: Any
) -> None:
    stored = await spectra(20)
    async with asyncio.timeout(60), astra_outputs.connect(proxy.dsn, retry_for=0) as outputs:
        await outputs.store.gate.check(TheCannon)
        proxy.cut_before_client_hears = lambda content: b"COMMIT\0" in content
        with pytest.raises(MaybeStored, match="all of it may be stored, or nothing"):
            await outputs.save_many(results(stored), atomic=True)
    assert await connection.fetchval("select count(*) from astra.the_cannon") == 20


async def test_a_connection_for_a_transaction_is_tried_for_again(proxy: Proxy, spectra: Any) -> None:
    stored = await spectra(20)
    async with asyncio.timeout(60), astra_outputs.connect(proxy.dsn) as outputs:
        await outputs.store.gate.check(TheCannon)
        proxy.cut()
        await outputs.save_many(results(stored), atomic=True)


async def test_that_no_connection_for_a_transaction_is_to_be_had_is_an_error_of_ours(
    proxy: Proxy, spectra: Any
) -> None:
    stored = await spectra(20)
    async with asyncio.timeout(60), astra_outputs.connect(proxy.dsn, retry_for=0.3, timeout=20) as outputs:
        await outputs.store.gate.check(TheCannon)
        proxy.take_down()
        with pytest.raises(DatabaseError):
            await outputs.save_many(results(stored), atomic=True)


@pytest.mark.parametrize("door", ["save_many", "save_table"])
async def test_where_nobody_knows_what_is_stored_no_note_says_that_nothing_is(
    proxy: Proxy, spectra: Any, door: str
) -> None:
    stored = await spectra(20)
    keys = {"spectrum_pk": [spectrum.spectrum_pk for spectrum in stored]}
    async with asyncio.timeout(60), astra_outputs.connect(proxy.dsn, retry_for=0) as outputs:
        await outputs.store.gate.check(TheCannon)
        proxy.cut_before_client_hears = lambda content: b"COMMIT\0" in content
        saving = (
            outputs.save_many(results(stored), atomic=True)
            if door == "save_many"
            else outputs.save_table(TheCannon, keys, v_astra="0.8.1", atomic=True)
        )
        with pytest.raises(MaybeStored) as caught:
            await saving
    assert not [note for note in getattr(caught.value, "__notes__", []) if "stored" in note]


@pytest.mark.soak
@pytest.mark.parametrize("connections", [1, 2])
async def test_a_stream_that_reads_while_its_transaction_holds_the_only_connection_is_refused(
    database: str, spectra: Any, connections: int
) -> None:
    stored = await spectra(30)

    async def stream(outputs: Outputs) -> AsyncIterator[TheCannon]:
        for result in results(stored):
            await outputs.get_result(TheCannon, result.spectrum_pk)
            yield result

    async with asyncio.timeout(20), astra_outputs.connect(database, connections=connections) as outputs:
        if connections > 1:
            await outputs.save_many(stream(outputs), atomic=True, batch_size=10)
            return
        with pytest.raises(NoConnectionLeft, match="connections=2"):
            await outputs.save_many(stream(outputs), atomic=True, batch_size=10)
        assert await outputs.get_result(TheCannon, stored[0]) is None
        await outputs.save_many(results(stored), atomic=True)
