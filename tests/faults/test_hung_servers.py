"""SIGSTOP of the server: it takes connections, answers nothing, and keeps nobody longer than they said."""

from __future__ import annotations

import asyncio

import ledger
import pytest
from witness import result

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar, TheCannon
from astra_outputs.errors import ConnectionLost

VERSION = 8001
A_SECOND_MORE = 1.0


@pytest.fixture
def killable_dsn(killable) -> str:
    dsn = killable.database()
    ledger.add_spectra(dsn, 3)
    return dsn


@pytest.fixture
def hanging(killable):
    """Stops the server, and lets it go on after the test."""
    yield killable.suspend
    killable.resume()


async def test_a_suspended_server_keeps_no_caller_beyond_their_limit(killable_dsn, killable, hanging, clock):
    async with astra_outputs.connect(killable_dsn, retry_for=2.0) as outputs:
        spectra = [
            s async for s in outputs.pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra=VERSION)
        ]
        records = [result(spectrum, VERSION, 1) for spectrum in spectra[:3]]
        await outputs.save(records[0])
        hanging()
        started = clock()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await outputs.save(records[1])
        assert clock() - started < 1 + A_SECOND_MORE
        started = clock()
        with pytest.raises(ConnectionLost, match="no answer"):
            await outputs.save(records[1])
        assert clock() - started < 2.0 + A_SECOND_MORE
        killable.resume()
        await outputs.save_many(records)
        hanging()
        started = clock()
    assert clock() - started < A_SECOND_MORE
