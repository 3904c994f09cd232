"""The server dies in the middle of a load and its standby takes over: workers follow, and nothing is lost."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import ledger
import pytest
from ledger import Violation
from load import Task
from shares import at_full_size
from standby import Pair, pair
from witness import Told, Writer, result

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar, TheCannon, embedded
from astra_outputs.errors import CannotStart

pytestmark = pytest.mark.slow

VERSIONS = (8001, 9001)


@pytest.fixture
def servers(install: Callable[..., None]) -> Iterator[Pair]:
    """A server with the schema, and a standby that follows it."""
    try:
        embedded.bin_dir()
    except CannotStart as error:
        pytest.skip(str(error))
    with pair() as both:
        install(both.first.dsn)
        yield both


def told_so_far(folder: Path) -> int:
    return sum(path.read_bytes().count(b"stored ") for path in folder.glob("*.witness"))


# That the ledger would tell.


def test_what_a_standby_that_was_not_waited_for_lacks_is_found_out(servers: Pair, tmp_path: Path) -> None:
    ledger.add_spectra(servers.first.dsn, 50)
    asyncio.run(servers.cut_off())
    writer = Writer(tmp_path / "0.witness")

    async def store() -> None:
        async with astra_outputs.connect(servers.first.dsn) as outputs:
            pending = outputs.pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra=VERSIONS[0])
            records = [result(spectrum, VERSIONS[0], 1) async for spectrum in pending]
            await outputs.save_many(records)
            writer.told(records)

    asyncio.run(store())
    servers.kill_first()
    asyncio.run(servers.promote())
    with pytest.raises(Violation, match="reported stored as 1, and is missing"):
        ledger.check(servers.second.dsn, Told.read(tmp_path.glob("*.witness")))


# That nothing is.


def test_workers_follow_a_promotion_and_nothing_that_was_reported_is_missing(
    servers: Pair, tmp_path: Path, seed: int
) -> None:
    keys = ledger.add_spectra(servers.first.dsn, at_full_size(20_000, 1_500))
    asyncio.run(servers.wait_for_each_other())
    dsn = servers.dsn(target_session_attrs="read-write")
    workers = []
    for number, how in enumerate(("run", "save_many")):
        task = Task(
            dsn,
            str(tmp_path / f"{number}.witness"),
            str(tmp_path / f"{number}.spool"),
            how=how,
            versions=VERSIONS,
            shard=(number, 2),
            batch_size=50,
            retry_for=60.0,
            seed=seed,
            pause=0.002,  # so that the server dies in the middle, however late that is noticed
        )
        with (tmp_path / f"{number}.log").open("wb") as log:
            workers.append(subprocess.Popen(task.command(), stdout=log, stderr=log))
    try:
        wait_until(lambda: told_so_far(tmp_path) >= len(keys) // 4, workers)
        servers.kill_first()
        known = told_so_far(tmp_path)
        asyncio.run(servers.promote())
        for worker in workers:
            assert worker.wait(timeout=300) == 0, said(tmp_path)
    finally:
        for worker in workers:
            with suppress(ProcessLookupError):
                worker.kill()
            worker.wait()
    everything = [(key, version) for key in keys for version in VERSIONS]
    assert known < len(everything), "the server died in the middle"
    told = Told.read(tmp_path.glob("*.witness"))
    spools = list(tmp_path.glob("*.spool"))
    assert ledger.check(servers.second.dsn, told, spools, everything) == len(everything)
    errors = [
        line
        for path in tmp_path.glob("*.witness")
        for line in path.read_text().splitlines()
        if '"error"' in line
    ]
    assert not errors, "all of it within the time for which failures are tried again"


async def test_an_open_repository_reads_on_after_its_standby_was_promoted(servers: Pair) -> None:
    async with astra_outputs.connect(
        servers.dsn(target_session_attrs="read-write"),
        read_dsn=servers.dsn(target_session_attrs="prefer-standby"),
    ) as outputs:
        await asyncio.to_thread(servers.kill_first)
        await servers.promote()
        assert await outputs.find(TheCannon) == []
        connection: Any = await asyncpg.connect(servers.second.dsn)
        await connection.execute(ledger.SPECTRA.replace("$1", "1").replace("$2", "3"))
        await connection.close()
        pending = outputs.pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra=VERSIONS[0])
        records = [result(spectrum, VERSIONS[0], 1) async for spectrum in pending]
        await outputs.save_many(records)
        assert await outputs.find(TheCannon, order_by="task_pk") == records


def wait_until(reached: Callable[[], bool], workers: list[subprocess.Popen[bytes]]) -> None:
    give_up = time.monotonic() + 120
    while not reached():
        assert time.monotonic() < give_up
        assert all(worker.poll() is None for worker in workers)
        time.sleep(0.005)


def said(folder: Path) -> str:
    return "\n".join(path.read_text()[-2000:] for path in folder.glob("*.log"))
