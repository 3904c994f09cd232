"""Ctrl-C and SIGTERM of `astra-outputs run` while the server hangs: it ends in time, and nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import ledger
import pytest

from astra_outputs.spool.folder import Spool

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parents[1]
GRACE = 2.0
LATE = 6.0
"""Seconds beyond the grace that pass for in time: one is promised, the others are for a machine that is busy. A
server that hangs would be waited for ten seconds, or a minute."""


@pytest.fixture
def start(killable, tmp_path) -> Iterator:
    """Start a worker on a server with 2,000 spectra: `start("worker_pipelines:teff_is_key")`."""
    dsn, started = killable.database(), []
    ledger.add_spectra(dsn, 2_000)

    def start(pipeline: str, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "astra_outputs", "run", pipeline, "--v-astra", "0.8.1"),
                *("--spectra", "ApogeeCoaddedSpectrumInApStar", "--grace", str(GRACE), *arguments),
            ],
            cwd=TESTS,
            env=os.environ | {"ASTRA_OUTPUTS_DSN": dsn, "ASTRA_OUTPUTS_SPOOL": str(tmp_path / "spool")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    killable.resume()
    for process in started:
        process.kill()
        process.communicate()


def until_logged(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(f"it ended without a word of {words}")


def interrupted(process: subprocess.Popen[str], number: int) -> tuple[float, int, str]:
    """Send a signal; returns the seconds until the end, the exit code and what was printed."""
    begin = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    return time.monotonic() - begin, process.returncode, out + err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_worker_that_cannot_even_connect_leaves_at_once_when_told_to_stop(killable, start, number, code):
    killable.suspend()
    process = start("worker_pipelines:teff_is_key")
    time.sleep(3)  # it is connecting by then, or still importing: both are to end
    seconds, returned, _ = interrupted(process, number)
    assert seconds < LATE
    assert returned in (code, -number)


@pytest.mark.parametrize("batch_size", [3, 1_000])
def test_the_first_ctrl_c_ends_a_worker_in_time_though_the_server_hangs(
    killable, start, tmp_path, batch_size
):
    process = start("worker_pipelines:hangs_after_three", "--batch-size", str(batch_size))
    assert process.stdout is not None
    assert process.stdout.readline() == "hanging\n"
    if batch_size == 3:
        until_logged(process, "stored table=the_cannon records=3")
    killable.suspend()
    seconds, code, said = interrupted(process, signal.SIGINT)
    assert (code, seconds < GRACE + LATE) == (130, True), (seconds, said)
    killable.resume()
    files = Spool(tmp_path / "spool").waiting()
    assert len(files) == (batch_size == 1_000)
    assert "3 results" in said


def test_a_second_ctrl_c_ends_a_worker_at_once_and_what_is_finished_is_on_the_disk(killable, start, tmp_path):
    process = start("worker_pipelines:hangs_after_three", "--grace", "600")
    assert process.stdout is not None
    assert process.stdout.readline() == "hanging\n"
    killable.suspend()
    process.send_signal(signal.SIGINT)
    until_logged(process, "stopping")
    seconds, code, said = interrupted(process, signal.SIGINT)
    assert (code, seconds < LATE) == (130, True), (seconds, said)
    assert len(Spool(tmp_path / "spool").waiting()) == 1


def test_ctrl_c_while_the_spool_is_emptied_into_a_server_that_hangs_ends_in_time(killable, start, tmp_path):
    process = start("worker_pipelines:hangs_after_three", "--grace", "0.5")
    assert process.stdout is not None
    assert process.stdout.readline() == "hanging\n"
    killable.suspend()
    interrupted(process, signal.SIGINT)
    killable.resume()
    process = start("worker_pipelines:teff_is_key", "--batch-size", "10")
    until_logged(process, "storing what waits in the spool")
    killable.suspend()
    seconds, code, said = interrupted(process, signal.SIGINT)
    assert (code, seconds < GRACE + LATE) == (130, True), (seconds, said)
