"""No room left: on the worker's disk, in a table's tablespace, and on the server's whole disk."""

from __future__ import annotations

import asyncio
import resource
import shutil
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import asyncpg
import ledger
import pytest
from crashing import PREFIX, crash_server
from load import Task
from small_disk import small_disk
from witness import Told, result

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar, Outcome, TheCannon
from astra_outputs.errors import DatabaseError, SpoolFull

pytestmark = pytest.mark.slow

VERSION = 8001


@pytest.fixture
def killable_dsn(killable) -> str:
    dsn = killable.database()
    ledger.add_spectra(dsn, 3_000)
    return dsn


def everything(count: int) -> set[tuple[int, int]]:
    return {(key, VERSION) for key in range(1, count + 1)}


def until_written(process: subprocess.Popen[bytes], task: Task, word: bytes) -> None:
    """Wait until a worker was told of a result that is stored or spooled."""
    while word not in Path(task.witness).read_bytes():
        assert process.poll() is None, f"it ended and was told of nothing {word.decode()}"
        time.sleep(0.02)


# The worker's.


def assert_every_result_is_accounted_for(task: Task, killable) -> None:
    """What was told of is in the database or the spool; what is lost is named; the rest is pending."""
    told = Told.read([Path(task.witness)])
    lost = {key for end in told.ends for key in end["lost_keys"]}
    made = sum(end["made"] for end in told.ends)
    assert lost
    assert made == len(told.stored) + len(told.spooled) + len(lost)
    killable.start()
    ledger.check(task.dsn, told, [Path(task.spool)])
    again = replace(task, generation=2)
    assert subprocess.run(again.command(), capture_output=True, timeout=300, check=False).returncode == 0
    ledger.check(task.dsn, Told.read([Path(task.witness)]), [Path(task.spool)], everything(3_000))


def run_over_a_kill(task: Task, killable, limit: int | None = None) -> int:
    """Run a worker, kill the server when it has stored something, and return the worker's exit code."""

    def small_files() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    with Path(task.witness).with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(
            task.command(),
            preexec_fn=small_files,  # noqa: PLW1509 (it makes one system call)
            stdout=log,
            stderr=log,
        )
    try:
        until_written(process, task, b"stored")
        killable.kill()
        return process.wait(300)
    finally:
        process.kill()
        process.wait()


def test_a_full_disk_of_the_spool_stops_the_worker_and_every_lost_result_is_named(
    killable, killable_dsn, tmp_path
):
    task = Task(
        killable_dsn, str(tmp_path / "0.witness"), str(tmp_path / "disk" / "spool"),
        batch_size=100, retry_for=0.2, pause=0.0005,
    )  # fmt: skip
    Path(task.witness).touch()
    with small_disk(tmp_path / "disk", "128k") as disk:
        assert run_over_a_kill(task, killable) == 1
        assert "the disk is full" in Path(task.witness).read_text()
        disk.resize("64m")
        assert_every_result_is_accounted_for(task, killable)


def test_files_that_may_not_grow_stop_the_worker_and_every_lost_result_is_named(
    killable, killable_dsn, tmp_path
):
    task = Task(
        killable_dsn, str(tmp_path / "0.witness"), str(tmp_path / "spool"),
        batch_size=1_000, retry_for=0.2, pause=0.0005,
    )  # fmt: skip
    Path(task.witness).touch()
    # A file of 1,000 results is larger than this, the witness is not.
    assert run_over_a_kill(task, killable, limit=180_000) == 1
    assert_every_result_is_accounted_for(task, killable)


# The server's.


async def in_tablespace(dsn: str, folder: Path) -> None:
    """Move the results to a tablespace of their own."""
    connection = await asyncpg.connect(dsn)
    name = f"small_{await connection.fetchval('select current_database()')}"
    await connection.execute(f"create tablespace {name} location '{folder}'")
    await connection.execute(f"alter table astra.the_cannon set tablespace {name}")
    await connection.close()


def test_a_full_tablespace_spools_the_results_until_there_is_room(killable, killable_dsn, tmp_path):
    async def store_in_little_room(disk, folder):
        await in_tablespace(killable_dsn, folder)
        async with astra_outputs.connect(killable_dsn) as outputs:
            spectra = [
                s async for s in outputs.pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra=VERSION)
            ]

            def pipeline(spectra):
                for spectrum in spectra:
                    yield result(spectrum, VERSION, 1)

            work = outputs.run(pipeline, spectra, v_astra=VERSION, batch_size=250, spool=tmp_path / "spool")
            told = Told()
            async for record in work:
                seen = told.spooled if record.outcome is Outcome.SPOOLED else told.stored
                seen[record.spectrum_pk, record.v_astra] = 1
            ledger_told = (work.report, told)
            disk.resize("64m")
            await outputs.replay(tmp_path / "spool")
        return ledger_told

    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp"))
    try:
        with small_disk(folder / "disk", "400k") as disk:
            place = folder / "disk" / "tables"
            place.mkdir()
            shutil.chown(place, killable.data_dir.stat().st_uid, killable.data_dir.stat().st_gid)
            report, told = asyncio.run(store_in_little_room(disk, place))
            assert report.counts[Outcome.SPOOLED] > 0
            assert report.counts[Outcome.INSERTED] > 0
            assert report.made == 3_000
            ledger.check(killable_dsn, told, [tmp_path / "spool"], everything(3_000))
            asyncio.run(drop(killable_dsn))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def drop(dsn: str) -> None:
    """Give the tablespace up before its disk goes."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("drop table astra.the_cannon cascade")
    await connection.execute(
        f"drop tablespace small_{await connection.fetchval('select current_database()')}"
    )
    await connection.close()


def test_a_save_to_a_full_tablespace_is_one_error_with_its_sqlstate(killable, killable_dsn):
    async def save(folder):
        await in_tablespace(killable_dsn, folder)
        async with astra_outputs.connect(killable_dsn) as outputs:
            spectra = [
                s async for s in outputs.pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra=VERSION)
            ]
            with pytest.raises(DatabaseError, match="No space left on device") as caught:
                await outputs.save_many((result(s, VERSION, 1) for s in spectra), batch_size=100)
            return caught.value

    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp"))
    try:
        with small_disk(folder / "disk", "300k"):
            place = folder / "disk" / "tables"
            place.mkdir()
            shutil.chown(place, killable.data_dir.stat().st_uid, killable.data_dir.stat().st_gid)
            error = asyncio.run(save(place))
            assert error.sqlstate == "53100"
            assert "records of this call were stored" in error.__notes__[0]
            asyncio.run(drop(killable_dsn))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_server_whose_whole_disk_is_full_loses_nothing_that_was_reported(tmp_path):
    """It crashes, since it cannot write its log; with more room it recovers."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp"))
    small = {"wal_keep_size": "0", "max_wal_size": "32MB", "min_wal_size": "32MB", "wal_recycle": "off"}
    try:
        with small_disk(folder, "512m") as disk, crash_server(folder, **small) as server:
            disk.folder.chmod(0o755)
            dsn = server.database()
            ledger.add_spectra(dsn, 3_000)
            task = Task(
                dsn, str(tmp_path / "0.witness"), str(tmp_path / "spool"), batch_size=100, retry_for=0.2
            )
            Path(task.witness).touch()
            usage = shutil.disk_usage(folder)
            filler = folder / "filler"
            with filler.open("wb") as file:
                left = usage.free - 8 * 2**20  # the next file of 16 MB of the log will not fit
                while left > 0:
                    left -= file.write(b"\0" * min(2**20, left))
            versions = tuple(8001 + 1000 * n for n in range(8))
            process = subprocess.Popen(
                replace(task, versions=versions).command(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            try:
                until_written(process, task, b"spooled")
                filler.unlink()
                server.stop()  # it may have given up by itself
                server.start()
                assert process.wait(300) == 0
            finally:
                process.kill()
                process.wait()
            keys = {(key, version) for key in range(1, 3_001) for version in versions}
            ledger.check(dsn, Told.read([Path(task.witness)]), [Path(task.spool)], keys)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_full_spool_is_an_error_that_says_how_to_make_room(tmp_path):
    from types import SimpleNamespace

    from astra_outputs.spool.folder import Spool
    from astra_outputs.work.timing import ServerClock

    record = result(SimpleNamespace(spectrum_pk=1, source_pk=None), VERSION, 1)
    with pytest.raises(SpoolFull, match=f"astra-outputs replay {tmp_path}"):
        Spool(tmp_path, limit=100).write([record], ServerClock().now())
