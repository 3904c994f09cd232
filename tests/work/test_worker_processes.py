"""Pipelines with threads and processes of their own, and scripts that forget that they are imported."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from astra_outputs import MissingVersion, TheCannon, using_version
from astra_outputs.errors import PipelineFailed
from astra_outputs.model.inherited_version import VARIABLE
from astra_outputs.model.version import configured_version

sys.path.insert(0, str(Path(__file__).parents[1]))
import worker_pipelines
from proxy import until

TESTS = Path(__file__).parents[1]
VERSION = "0.8.1"

SCRIPT = """
import asyncio, sys
import astra_outputs
from types import SimpleNamespace
from worker_pipelines import teff_is_key

async def main():
    async with astra_outputs.connect() as outputs:
        spectra = [SimpleNamespace(spectrum_pk=n, source_pk=None) for n in range(1, 4)]
        print(await outputs.run(teff_is_key, spectra, v_astra="0.8.1", processes=2))

{guard}asyncio.run(main())
"""


# Scripts.


def run_script(text: str, tmp_path, database: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "script.py").write_text(text)
    return subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env=os.environ | {"ASTRA_OUTPUTS_DSN": database, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_a_script_without_a_main_guard_ends_at_once_and_says_what_to_write(tmp_path, database) -> None:
    done = run_script(SCRIPT.format(guard=""), tmp_path, database)
    last = "".join(done.stderr.splitlines()[-2:])
    assert (done.returncode, 'if __name__ == "__main__":' in last) == (1, True), done.stderr
    done = run_script(SCRIPT.format(guard='if __name__ == "__main__": '), tmp_path, database)
    assert (done.returncode, "3 spectra, 3 results" in done.stdout) == (0, True), done.stderr


def test_a_script_that_cannot_be_imported_is_no_fault_of_a_spectrum(tmp_path, database) -> None:
    text = "import sys\nif __name__ != '__main__': sys.exit(3)\n" + SCRIPT.format(guard="")
    done = run_script(text, tmp_path, database)
    assert done.returncode == 1
    assert "ended with code 3 before it began" in done.stderr


# The version in threads and processes of the pipeline.


@pytest.mark.parametrize("processes", [0, 1])
@pytest.mark.parametrize(
    "pipeline",
    [
        worker_pipelines.in_threads,
        worker_pipelines.in_an_executor,
        worker_pipelines.in_forked_processes,
        worker_pipelines.in_spawned_processes,
        worker_pipelines.in_processes_that_change,
    ],
    ids=lambda pipeline: pipeline.__name__,
)
async def test_threads_and_processes_of_a_pipeline_have_the_version_of_the_run(
    outputs, connection, spectra, tmp_path, monkeypatch, pipeline, processes
) -> None:
    monkeypatch.setenv("ASTRA_OUTPUTS_V_ASTRA", "9.9.9")
    stored = await spectra(5)
    async with asyncio.timeout(300):
        report = await outputs.run(pipeline, stored, v_astra=VERSION, processes=processes, spool=tmp_path)
    assert (report.failures, report.made) == ([], 5)
    assert await connection.fetch("select distinct v_astra from astra.the_cannon") == [(8001,)]
    assert VARIABLE not in os.environ


def test_a_thread_cannot_tell_which_of_two_versions_is_meant_and_says_so() -> None:
    def ask() -> int:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(configured_version).result()

    with using_version("0.8.1"):
        assert ask() == 8001
        with using_version("0.9.0"):
            assert configured_version() == 9000
            with pytest.raises(MissingVersion, match="several versions"):
                ask()
        assert ask() == 8001
    with pytest.raises(MissingVersion):
        ask()


async def test_the_version_of_a_run_is_not_that_of_the_caller(
    outputs, spectra, tmp_path, monkeypatch
) -> None:
    monkeypatch.delenv("ASTRA_OUTPUTS_V_ASTRA", raising=False)
    (spectrum,) = await spectra(1)
    async for _ in outputs.run(worker_pipelines.teff_is_key, [spectrum], v_astra=VERSION, spool=tmp_path):
        with pytest.raises(MissingVersion):
            TheCannon.from_spectrum(spectrum)


# Processes of processes.


def is_running(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def test_a_stopped_run_leaves_no_process_that_the_pipeline_had_started(
    outputs, spectra, tmp_path
) -> None:
    work = outputs.run(
        worker_pipelines.hangs_beside_a_pool,
        await spectra(2),
        v_astra=VERSION,
        processes=1,
        batch_size=1,
        grace=0.1,
        spool=tmp_path,
    )
    async with asyncio.timeout(300):
        async for record in work:
            number = int(record.tag)
            assert is_running(number)
            break
        await work.aclose()
        await until(lambda: not is_running(number))


# What the log says.


class Unpicklable(Exception):
    """An error that cannot be sent."""

    def __init__(self, *, word: str) -> None:
        super().__init__(word)


def deep_in_the_model() -> None:
    raise Unpicklable(word="no fit")


@pytest.mark.parametrize("processes", [0, 1])
async def test_the_log_shows_the_traceback_of_the_pipeline_and_not_that_of_the_worker(
    outputs, spectra, tmp_path, caplog, processes
) -> None:
    stored = await spectra(3)
    with caplog.at_level(logging.WARNING):
        await outputs.run(
            worker_pipelines.fails_on_every_third,
            stored,
            v_astra=VERSION,
            processes=processes,
            spool=tmp_path,
        )
    text = caplog.text
    assert "worker_pipelines.py" in text
    assert "raise ArithmeticError" in text
    assert 'driving.py"' not in text
    assert 'pool.py"' not in text


async def test_what_a_pipeline_raises_before_its_first_spectrum_is_in_the_log(
    outputs, spectra, tmp_path, caplog
) -> None:
    def no_model(_):
        deep_in_the_model()
        yield

    with pytest.raises(PipelineFailed):
        await outputs.run(no_model, await spectra(1), v_astra=VERSION, spool=tmp_path)
    assert "deep_in_the_model()" in caplog.text


async def test_a_run_whose_processes_do_not_start_is_no_failure_of_spectra(
    outputs, spectra, tmp_path, monkeypatch
) -> None:
    from astra_outputs.work import pool

    monkeypatch.setattr(pool, "serve", threading.Lock)  # a process that ends before it has said a word
    work = outputs.run(
        worker_pipelines.teff_is_key, await spectra(2), v_astra=VERSION, processes=2, spool=tmp_path
    )
    async with asyncio.timeout(300):
        with pytest.raises(PipelineFailed, match="before it began"):
            await work
    assert work.report.failures == []
