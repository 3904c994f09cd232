"""kill -9 of the server, or of the processes in it, in the middle of a load."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from itertools import pairwise
from time import perf_counter

import asyncpg
import ledger
import pytest
from campaign import KINDS, Campaign, Plan
from crashing import crash_server
from ledger import Violation
from poolers import pgbouncer, through
from witness import COLUMNS, Told, Writer, result, values

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar, Outcome, TheCannon
from astra_outputs.errors import ConnectionLost

pytestmark = pytest.mark.slow

VERSION = 8001


async def pending(outputs):
    return [s async for s in outputs.pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra=VERSION)]


# That these tests can fail.


def test_a_server_that_does_not_wait_for_its_disk_is_found_out(tmp_path):
    unsafe = {
        "synchronous_commit": "off",
        "wal_writer_delay": "10s",
        "wal_writer_flush_after": "2GB",
        "wal_buffers": "64MB",
    }
    with crash_server(**unsafe) as server:
        dsn = server.database()
        ledger.add_spectra(dsn, 200)
        writer = Writer(tmp_path / "0.witness")

        async def store():
            async with astra_outputs.connect(dsn) as outputs:
                records = [result(spectrum, VERSION, 1) for spectrum in await pending(outputs)]
                await outputs.save_many(records)
                writer.told(records)

        asyncio.run(store())
        server.kill()
        server.start()
        with pytest.raises(Violation, match="reported stored as 1, and is missing"):
            ledger.check(dsn, Told.read(tmp_path.glob("*.witness")))


# Campaigns.


def test_nothing_that_was_reported_is_missing_after_the_server_was_killed_again_and_again(
    killable, seed, full_size, tmp_path, capsys
):
    rows, workers, times = (200_000, 8, 20) if full_size else (10_000, 3, 3)
    plan = Plan.of(seed, rows=rows, workers=workers, events=times, kinds={"kill server": 1})
    kills = killable.kills
    tally = Campaign(plan, killable, tmp_path / "campaign").run()
    if full_size:
        with capsys.disabled():
            print(f"\n    {tally}")  # noqa: T201 (what a long run did)
    assert killable.kills - kills == times
    assert tally.in_the_middle == times
    assert tally.rows == len(plan.everything)


def test_nothing_that_was_reported_is_missing_whatever_breaks_beside(killable, seed, tmp_path):
    plan = Plan.of(seed + 1, rows=6_000, workers=2, events=4)
    tally = Campaign(plan, killable, tmp_path / "campaign").run()
    assert tally.rows == len(plan.everything)
    assert tally.checks == 5


def test_nothing_that_was_reported_is_missing_whatever_breaks_behind_a_pooler(
    killable, seed, full_size, tmp_path, capsys
):
    rows, workers, times = (60_000, 6, 12) if full_size else (4_000, 2, 3)
    # The workers, killed or not, have more connections than the pooler has to the server.
    kinds = {**KINDS, "kill server": 6, "hang server": 3, "read only": 0}
    plan = Plan.of(seed + 2, rows=rows, workers=workers, events=times, kinds=kinds)
    with pgbouncer(killable.dsn_of("postgres"), 2, server_login_retry=1) as pooler:
        tally = Campaign(plan, killable, tmp_path / "campaign", pooler).run()
        if full_size:
            with capsys.disabled():
                print(f"\n    {tally}, through a pooler")  # noqa: T201 (what a long run did)
        assert tally.rows == len(plan.everything)
        # No call that ended early keeps a connection of the pooler: as many clients as it has are served at once.
        asyncio.run(served_at_once(through(killable.database(), pooler), 2))


async def served_at_once(dsn: str, clients: int) -> None:
    """Have so many clients in a transaction at the same time."""
    async with asyncio.timeout(120), AsyncExitStack() as stack:
        for _ in range(clients):
            connection = await asyncpg.connect(dsn, statement_cache_size=0)
            stack.push_async_callback(connection.close)
            await stack.enter_async_context(connection.transaction())
            await connection.fetchval("select 1")


# One by one.


@pytest.mark.parametrize("size", [1, 30, 1_000])
def test_a_save_goes_on_when_the_server_is_back(killable, size):
    dsn = killable.database()
    ledger.add_spectra(dsn, size)

    async def save_over_a_crash():
        async with astra_outputs.connect(dsn, retry_for=60) as outputs:
            records = [result(spectrum, VERSION, 1) for spectrum in await pending(outputs)]
            await asyncio.to_thread(killable.kill)
            saving = asyncio.ensure_future(outputs.save_many(records))
            await asyncio.to_thread(killable.start)
            return await saving

    assert asyncio.run(save_over_a_crash()).counts == {Outcome.INSERTED: size}


def test_a_server_that_stays_away_is_an_error_that_says_what_is_stored(killable):
    dsn = killable.database()
    ledger.add_spectra(dsn, 300)

    async def save_while_it_is_away():
        async with astra_outputs.connect(dsn, retry_for=0.5) as outputs:
            spectra = await pending(outputs)

            async def records():
                for number, spectrum in enumerate(spectra):
                    if number == 200:
                        await asyncio.to_thread(killable.kill)
                    yield result(spectrum, VERSION, 1)

            with pytest.raises(ConnectionLost) as caught:
                await outputs.save_many(records(), batch_size=100)
        return caught.value

    error = asyncio.run(save_while_it_is_away())
    # The second batch is under way when the server is killed: its commit may come to pass or not, be heard or not.
    said = {f"{count} records of this call were stored: 0 to {count - 1}": count for count in (100, 200)}
    (note,) = error.__notes__
    assert note in said
    killable.start()

    async def stored():
        connection = await asyncpg.connect(dsn)
        rows = await connection.fetch(f"select {', '.join(COLUMNS)} from astra.the_cannon order by 1")
        await connection.close()
        return rows

    rows = asyncio.run(stored())
    assert len(rows) in (100, 200)
    assert len(rows) >= said[note]
    assert [row["spectrum_pk"] for row in rows] == list(range(1, len(rows) + 1))
    assert all(row["tag"] == values(row["spectrum_pk"], VERSION, 1)["tag"] for row in rows)


def test_a_backend_that_is_killed_ends_all_sessions_and_costs_nothing(killable):
    dsn = killable.database()
    ledger.add_spectra(dsn, 50)

    async def save_over_it():
        async with astra_outputs.connect(dsn, retry_for=60) as outputs:
            records = [result(spectrum, VERSION, 1) for spectrum in await pending(outputs)]
            assert killable.kill_backends(100) >= 1
            return await outputs.save_many(records)

    assert asyncio.run(save_over_it()).counts == {Outcome.INSERTED: 50}


def test_a_server_that_hangs_is_given_up_in_time_and_the_results_are_on_the_disk(killable, tmp_path):
    dsn = killable.database()
    ledger.add_spectra(dsn, 20)

    async def run_while_it_hangs():
        times = []
        async with astra_outputs.connect(dsn, retry_for=0.5) as outputs:
            spectra = await pending(outputs)

            def pipeline(spectra):
                for spectrum in spectra:
                    if spectrum.spectrum_pk == 10:
                        killable.suspend()
                        times.append(perf_counter())
                    yield result(spectrum, VERSION, 1)

            work = outputs.run(pipeline, spectra, v_astra=VERSION, batch_size=5, spool=tmp_path)
            told = {Outcome.SPOOLED: 0, Outcome.INSERTED: 0}
            async for record in work:
                told[record.outcome] += 1
                times.append(perf_counter())
        # A batch at a time: each waits for half a second, and half of one more; a busy machine takes some.
        assert max(later - earlier for earlier, later in pairwise(times)) < 1.0 + 5.0
        return told

    try:
        told = asyncio.run(asyncio.wait_for(run_while_it_hangs(), 60))
    finally:
        killable.resume()
    assert told[Outcome.SPOOLED] >= 10
    assert sum(told.values()) == 20

    async def replay():
        async with astra_outputs.connect(dsn) as outputs:
            await outputs.replay(tmp_path)
            return await pending(outputs)

    assert asyncio.run(replay()) == []
