"""The connection breaks in each phase of the protocol: nothing is lost, nothing is stored twice."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime

import pytest
from proxy import Proxy, proxied
from witness import COLUMNS, result, values

import astra_outputs
from astra_outputs import Outcome, TheCannon
from astra_outputs.errors import CannotConnect, ConnectionLost
from astra_outputs.spool.folder import Spool

VERSION = 8001
COPY = b"COPY "


async def assert_stored_once(connection, spectra, generation: int) -> None:
    """Every spectrum has one result, and it holds what this generation holds."""
    rows = await connection.fetch(f"select {', '.join(COLUMNS)} from astra.the_cannon order by spectrum_pk")
    assert [row["spectrum_pk"] for row in rows] == [spectrum.spectrum_pk for spectrum in spectra]
    for row in rows:
        wanted = values(row["spectrum_pk"], VERSION, generation)
        assert {name: row[name] for name in wanted} == wanted


class OneCut:
    """Cuts at the first message that fits, after having seen others."""

    def __init__(self, what: bytes, after: bytes = b"", skip: int = 0) -> None:
        self.what, self.after, self.skip, self.done = what, after, skip, False

    def __call__(self, content: bytes) -> bool:
        if self.done:
            return False
        if self.after:
            if self.after in content:
                self.after = b""
            return False
        if self.what in content:
            self.skip -= 1
            self.done = self.skip < 0
        return self.done


# Bad luck that is an error.


@pytest.mark.parametrize("side", ["cut_before_server_hears", "cut_before_client_hears"])
async def test_a_connection_cut_during_startup_is_one_clear_error(database, side) -> None:
    async with proxied(database) as proxy:
        setattr(proxy, side, lambda _: True)
        with pytest.raises(CannotConnect, match=r"127\.0\.0\.1.*try again when the server is back"):
            async with astra_outputs.connect(proxy.dsn, retry_for=0.5, timeout=20):
                pass
    assert proxy.cuts >= 1


async def test_a_connection_that_is_cut_again_and_again_is_an_error_when_the_budget_ends(
    database, connection, spectra
) -> None:
    stored = await spectra(10)
    async with (
        proxied(database) as proxy,
        astra_outputs.connect(proxy.dsn, retry_for=0.5, timeout=20) as outputs,
    ):
        await outputs.store.gate.check(TheCannon)
        proxy.cut_before_server_hears = lambda content: b"insert into" in content
        with pytest.raises(ConnectionLost) as caught:
            await outputs.save_many([result(spectrum, VERSION, 1) for spectrum in stored])
    assert "0 records of this call were stored" in caught.value.__notes__
    assert await connection.fetchval("select count(*) from astra.the_cannon") == 0


# Cut once, in each phase.

PHASES = {
    "while a new connection starts": ("cut_before_client_hears", b"R\0\0\0", b""),
    "before the query": ("cut_before_server_hears", b"begin", b""),
    "as the copy begins": ("cut_before_client_hears", b"G\0\0\0", b""),
    "in the middle of the copy": ("cut_before_server_hears", b"", COPY),
    "after the copy and before the merge": ("cut_before_server_hears", b"insert into", b""),
    "after the merge and before the commit": ("cut_before_server_hears", b"commit", b""),
    "after the commit and before its answer": ("cut_before_client_hears", b"COMMIT\0", b""),
}


@pytest.mark.parametrize("phase", PHASES)
async def test_a_connection_cut_in_any_phase_leaves_each_record_stored_once(
    database, connection, spectra, phase
) -> None:
    side, what, after = PHASES[phase]
    stored = await spectra(3_000)
    records = [result(spectrum, VERSION, 1) for spectrum in stored]
    async with proxied(database) as proxy, astra_outputs.connect(proxy.dsn) as outputs:
        await outputs.store.gate.check(TheCannon)
        if phase == "while a new connection starts":
            proxy.cut()
        cut = OneCut(what, after)
        setattr(proxy, side, cut)
        report = await outputs.save_many(records, batch_size=3_000)
    assert cut.done
    committed = phase == "after the commit and before its answer"
    assert report.counts == {Outcome.REPLACED if committed else Outcome.INSERTED: 3_000}
    assert all(record.task_pk for record in records)
    await assert_stored_once(connection, stored, 1)


async def test_a_connection_cut_anywhere_and_often_leaves_each_record_stored_once(
    database, connection, spectra, seed
) -> None:
    draw, stored = random.Random(seed), await spectra(200)
    left = draw.randrange(1, 8)

    def sometimes(_: bytes) -> bool:
        nonlocal left
        left -= 1
        if left:
            return False
        left = draw.randrange(5, 50)
        return True

    async with proxied(database) as proxy, astra_outputs.connect(proxy.dsn, connections=2) as outputs:
        await outputs.store.gate.check(TheCannon)
        for generation in (1, 2):
            proxy.cut_before_server_hears = proxy.cut_before_client_hears = sometimes
            records = [result(spectrum, VERSION, generation) for spectrum in stored]
            report = await outputs.save_many(records, batch_size=draw.choice((5, 20, 50)), connections=2)
            assert sum(report.counts.values()) == 200
            proxy.cut_before_server_hears = proxy.cut_before_client_hears = None
            await assert_stored_once(connection, stored, generation)
    assert proxy.cuts >= 1


# Not cut cleanly.


class SlowToHangUp(Proxy):
    """Passes on what a server says last, but that it hung up only when told to."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.may_hang_up = asyncio.Event()

    async def _pass(self, reader, writer, said) -> None:
        await super()._pass(reader, writer, said)
        if said == self._server_said:
            await self.may_hang_up.wait()


@pytest.mark.parametrize("size", [1, 50])
@pytest.mark.parametrize("way", ["save_many", "replay"])
async def test_a_connection_that_the_server_has_ended_and_not_yet_closed_is_replaced(
    database, connection, spectra, tmp_path, size, way
) -> None:
    stored = await spectra(size)
    records = [result(spectrum, VERSION, 1) for spectrum in stored]
    Spool(tmp_path).write(records, datetime.now(UTC))
    proxy = SlowToHangUp(database)
    await proxy.start()
    async with astra_outputs.connect(proxy.dsn, retry_for=5) as outputs:
        await outputs.store.gate.check(TheCannon)
        heard = asyncio.Event()
        proxy.cut_before_client_hears = lambda content: b"57P01" in content and bool(heard.set())
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'astra_outputs' "
            "and pid <> pg_backend_pid() and datname = current_database()"
        )
        async with asyncio.timeout(120):
            await heard.wait()
            # The driver hears it in one of the next turns of the loop. One that has asked something by
            # then waits for the end of the connection, which a server does not keep it waiting for.
            for _ in range(5):
                await connection.fetchval("select 1")
            report = await (outputs.replay(tmp_path) if way == "replay" else outputs.save_many(records))
        proxy.may_hang_up.set()
    await proxy.stop()
    assert report.counts == {Outcome.INSERTED: size}
    await assert_stored_once(connection, stored, 1)
