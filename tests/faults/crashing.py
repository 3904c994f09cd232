"""A PostgreSQL that waits for the disk at every commit, and that a test may kill and start again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import psutil

from astra_outputs import embedded
from astra_outputs.embedded.instance import PATIENCE, EmbeddedServer
from astra_outputs.postgres import sql_files

SETTINGS = {"max_connections": "60", "shared_buffers": "64MB", "fsync": "on", "synchronous_commit": "on"}
"""As durable as in production, and small."""

PREFIX = "astra-faults-"


class CrashServer:
    """A server on one data folder, whose address stays the same however often it is started.

    Attributes
    ----------
    kills : int
        How often it was killed.
    """

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.data_dir, self._settings = data_dir, {**SETTINGS, **settings}
        self._server: EmbeddedServer | None = None
        self._names, self._has_template = count(), False
        self.kills = 0

    def start(self) -> None:
        """Start it; after a kill it recovers first."""
        assert self._server is None
        # Another server's unfinished stop must not be ours: each start makes a server of its own.
        server = embedded.server(self.data_dir, **self._settings)
        server.__enter__()
        self._server = server

    def stop(self) -> None:
        """Shut it down in order."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    @property
    def running(self) -> bool:
        """Whether it was started and not killed since."""
        return self._server is not None

    def kill(self) -> None:
        """Kill -9 the postmaster and every process of it, all at the same moment."""
        assert self._server is not None
        postmaster = psutil.Process(self._server.pid)
        postmaster.suspend()  # or it would start one more while the others are counted
        processes = [postmaster, *postmaster.children(recursive=True)]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        _, alive = psutil.wait_procs(processes, timeout=PATIENCE)
        assert not alive, f"these outlive kill -9: {alive}"
        self.stop()
        self.kills += 1

    def suspend(self) -> None:
        """Let it hang: it takes no byte and answers nothing, and connections to it stay open."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._server is not None
        postmaster = psutil.Process(self._server.pid)
        postmaster.send_signal(number)
        for process in postmaster.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def kill_backends(self, number: int = 1) -> int:
        """Kill -9 processes that serve a client; the postmaster then restarts all the others by itself."""
        assert self._server is not None
        killed = 0
        for process in psutil.Process(self._server.pid).children():
            with suppress(psutil.NoSuchProcess):
                if killed < number and "postgres: postgres" in " ".join(process.cmdline()):
                    process.send_signal(signal.SIGKILL)
                    killed += 1
        return killed

    def dsn_of(self, database: str) -> str:
        """Return the DSN of one database; the server must run."""
        assert self._server is not None
        return self._server.dsn_of(database)

    def database(self) -> str:
        """Make a database with the schema, and return its DSN."""
        if not self._has_template:
            self._psql("postgres", "-c", "create database template")
            self._psql("template", "-v", "schema=astra", "-f", str(sql_files.schema_dir() / "install.sql"))
            self._has_template = True
        name = f"faults_{os.getpid()}_{next(self._names)}"
        self._psql("postgres", "-c", f"create database {name} template template")
        return self.dsn_of(name)

    def _psql(self, database: str, *words: str) -> None:
        command = [
            embedded.psql_program(),
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            *words,
            self.dsn_of(database),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@contextmanager
def crash_server(within: Path | None = None, *, keep: bool = False, **settings: str) -> Iterator[CrashServer]:
    """Run a server on a new folder, which is deleted afterwards unless it is to be kept.

    The folder is in /tmp by default, since the path of a socket must be short.
    """
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp")) if within is None else within
    server = CrashServer(folder / "data", **settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        if not keep and within is None:
            shutil.rmtree(folder, ignore_errors=True)
