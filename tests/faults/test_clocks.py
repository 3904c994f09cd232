"""Clocks that jump: which result is the newer one is a matter of the server's clock alone."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import asyncpg
import ledger
import pytest
from witness import generation_of, result

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar, Outcome, TheCannon
from astra_outputs.work import timing

pytestmark = pytest.mark.slow

VERSION = 8001


@pytest.fixture(params=[timedelta(days=366), timedelta(days=-366)], ids=["ahead", "behind"])
def wrong_clock(request, monkeypatch) -> timedelta:
    """A clock of this machine that is wrong by a year, for all that asks it for the date."""
    now = time.time

    class Wrong(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + request.param

    monkeypatch.setattr(timing, "datetime", Wrong)
    monkeypatch.setattr(time, "time", lambda: now() + request.param.total_seconds())
    return request.param


async def pending(outputs):
    return [s async for s in outputs.pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra=VERSION)]


async def generations(dsn: str) -> list[int]:
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch("select tag from astra.the_cannon order by spectrum_pk")
    await connection.close()
    return [generation_of(row["tag"]) for row in rows]


def spooled_by_a_worker(killable, dsn: str, spool) -> list[ApogeeCoaddedSpectrumInApStar]:
    """Run over ten spectra and kill the server in the middle; returns all spectra."""

    async def run():
        async with astra_outputs.connect(dsn, retry_for=0.2, timeout=20) as outputs:
            spectra = await pending(outputs)

            def pipeline(spectra):
                for spectrum in spectra:
                    if spectrum.spectrum_pk == 5:
                        killable.kill()
                    yield result(spectrum, VERSION, 1)

            report = await outputs.run(pipeline, spectra, v_astra=VERSION, batch_size=2, spool=spool)
        assert report.counts[Outcome.SPOOLED] >= 6
        return spectra

    return asyncio.run(run())


def test_a_worker_with_a_wrong_clock_never_replaces_a_newer_result(killable, wrong_clock, tmp_path):
    dsn = killable.database()
    ledger.add_spectra(dsn, 10)
    spectra = spooled_by_a_worker(killable, dsn, tmp_path)
    killable.start()

    async def store_newer_ones_and_replay():
        async with astra_outputs.connect(dsn) as outputs:
            await outputs.save_many([result(spectrum, VERSION, 2) for spectrum in spectra[:8]])
            return await outputs.replay(tmp_path)

    report = asyncio.run(store_newer_ones_and_replay())
    assert report.counts[Outcome.KEPT] == 8 - (10 - sum(report.counts.values()))
    assert report.counts[Outcome.INSERTED] == 2
    assert asyncio.run(generations(dsn)) == [2] * 8 + [1] * 2


def test_a_worker_with_a_wrong_clock_replaces_an_older_result(killable, wrong_clock, tmp_path):
    dsn = killable.database()
    ledger.add_spectra(dsn, 10)

    async def store_older_ones():
        async with astra_outputs.connect(dsn) as outputs:
            spectra = await pending(outputs)
            await outputs.save_many([result(spectrum, VERSION, 1) for spectrum in spectra])
            return spectra

    spectra = asyncio.run(store_older_ones())

    async def run_again():
        async with astra_outputs.connect(dsn, retry_for=0.2, timeout=20) as outputs:

            def pipeline(spectra):
                for spectrum in spectra:
                    if spectrum.spectrum_pk == 5:
                        killable.kill()
                    yield result(spectrum, VERSION, 2)

            await outputs.run(pipeline, spectra, v_astra=VERSION, batch_size=2, spool=tmp_path)
        await asyncio.to_thread(killable.start)
        async with astra_outputs.connect(dsn) as outputs:
            await outputs.replay(tmp_path)

    asyncio.run(run_again())
    assert asyncio.run(generations(dsn)) == [2] * 10


def test_rows_that_a_server_stored_before_its_clock_was_set_back_are_kept(killable, tmp_path):
    dsn = killable.database()
    ledger.add_spectra(dsn, 10)
    spectra = spooled_by_a_worker(killable, dsn, tmp_path)
    killable.start()

    async def store_in_the_future_and_replay():
        async with astra_outputs.connect(dsn) as outputs:
            await outputs.save_many([result(spectrum, VERSION, 2) for spectrum in spectra])
            connection = await asyncpg.connect(dsn)
            later = datetime.now(UTC) + timedelta(days=1)
            await connection.execute("update astra.the_cannon set modified = $1", later)
            await connection.close()
            return await outputs.replay(tmp_path)

    report = asyncio.run(store_in_the_future_and_replay())
    assert set(report.counts) == {Outcome.KEPT}
    assert asyncio.run(generations(dsn)) == [2] * 10
