"""kill -9, SIGTERM and SIGSTOP of worker processes: what they reported is there, what is left is pending."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import ledger
import pytest
from campaign import Campaign, Plan
from load import STOPPED, Task
from witness import Told

import astra_outputs
from astra_outputs.spool.folder import Spool

pytestmark = pytest.mark.slow

VERSION = 8001

SLOWLY = 0.004
"""Seconds that each result takes where a worker must not be done before it is noticed that it has begun: eight in all."""


class Workers:
    """Processes that are killed when the test ends, whatever happened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, task: Task) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(task.command(), stdout=log, stderr=log)
        self._started.append(process)
        return process

    def told(self) -> Told:
        return Told.read(self.folder.glob("*.witness"))

    def until_told(self, process: subprocess.Popen[bytes], lines: int) -> None:
        """Wait until a process was told of so many results."""
        give_up = time.monotonic() + 60
        while self.told().lines < lines:
            assert process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < give_up, (self.folder / "log").read_text()
            time.sleep(0.05)

    def end(self) -> None:
        for process in self._started:
            process.kill()
            process.wait()


@pytest.fixture
def workers(tmp_path) -> Iterator[Workers]:
    workers = Workers(tmp_path)
    yield workers
    workers.end()


@pytest.fixture
def task(killable, tmp_path) -> Task:
    """A worker with 2,000 spectra to do."""
    dsn = killable.database()
    ledger.add_spectra(dsn, 2_000)
    return Task(dsn, str(tmp_path / "0.witness"), str(tmp_path / "spool"), batch_size=100, pause=0.0005)


def test_workers_killed_again_and_again_lose_nothing_and_finish_when_started_again(killable, seed, tmp_path):
    plan = Plan.of(seed + 2, rows=6_000, workers=2, events=6, kinds={"kill worker": 1})
    tally = Campaign(plan, killable, tmp_path / "campaign").run()
    assert tally.happened["kill worker"] == 6
    assert tally.rows == len(plan.everything)


def test_a_worker_killed_while_the_server_is_dead_leaves_whole_files_for_the_next_one(
    killable, workers, task
):
    process = workers.start(replace(task, retry_for=0.2, pause=SLOWLY))
    workers.until_told(process, 300)
    killable.kill()
    stored = workers.told().lines
    workers.until_told(process, stored + 300)
    process.kill()
    process.wait()
    told = workers.told()
    assert len(told.spooled) >= 300
    assert set(told.spooled) <= set(ledger.waiting([Path(task.spool)]))
    killable.start()
    ledger.check(task.dsn, told, [Path(task.spool)])
    assert workers.start(replace(task, generation=2)).wait(300) == 0
    everything = {(key, VERSION) for key in range(1, 2_001)}
    assert ledger.check(task.dsn, workers.told(), [Path(task.spool)], everything) == 2_000


def test_a_worker_that_is_told_to_stop_stores_what_is_finished_and_leaves_in_time(killable, workers, task):
    process = workers.start(replace(task, batch_size=1_000_000, pause=SLOWLY))
    workers.until_told(process, 1)  # the note that it begins: nothing is told before the great batch is full
    begin = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == STOPPED
    assert time.monotonic() - begin < task.grace + 5
    told = workers.told()
    (end,) = told.ends
    assert end["made"] == sum(end["counts"].values()) == len(told.stored) > 0
    ledger.check(task.dsn, told, [Path(task.spool)])


def test_a_worker_that_is_told_to_stop_while_the_server_hangs_leaves_in_time(killable, workers, task):
    process = workers.start(replace(task, grace=3.0, pause=SLOWLY))
    workers.until_told(process, 300)
    killable.suspend()
    try:
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
        seconds = time.monotonic() - begin
    finally:
        killable.resume()
    assert code == STOPPED
    assert seconds < 3.0 + 15  # and what it takes to leave a server that says nothing
    told = workers.told()
    (end,) = told.ends
    assert end["made"] == sum(end["counts"].values())
    assert end["lost"] == 0
    ledger.check(task.dsn, told, [Path(task.spool)])


def test_a_worker_that_was_suspended_goes_on_though_the_server_ended_its_sessions(killable, workers, task):
    process = workers.start(task)
    workers.until_told(process, 300)
    process.send_signal(signal.SIGSTOP)
    killable.kill()
    killable.start()
    process.send_signal(signal.SIGCONT)
    assert process.wait(300) == 0
    everything = {(key, VERSION) for key in range(1, 2_001)}
    ledger.check(task.dsn, workers.told(), [Path(task.spool)], everything)


def test_what_a_killed_worker_wrote_half_is_never_taken_for_a_result(killable, workers, task, seed):
    import random

    draw = random.Random(seed)
    process = workers.start(replace(task, retry_for=0.1, batch_size=50, pause=0.0))
    workers.until_told(process, 100)
    killable.kill()
    for generation in (2, 3, 4, 5):
        time.sleep(draw.uniform(0, 0.2))  # a random point is what this is about
        process.kill()
        process.wait()
        if generation == 4:
            killable.start()
        process = workers.start(replace(task, generation=generation, retry_for=0.1, batch_size=50))
    assert process.wait(300) == 0
    spool = Spool(task.spool)
    assert spool.waiting() == []
    everything = {(key, VERSION) for key in range(1, 2_001)}
    ledger.check(task.dsn, workers.told(), [spool.folder], everything)

    async def replay():
        async with astra_outputs.connect(task.dsn) as outputs:
            return await outputs.replay(spool.folder)

    assert asyncio.run(replay()).files == 0
