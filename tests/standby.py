"""A server and a standby that follows it, by the embedded server's own programs."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import asyncpg
import psutil

from astra_outputs import embedded
from astra_outputs.embedded.instance import PATIENCE, PLAIN, EmbeddedServer
from astra_outputs.embedded.owner import Owner

SETTINGS = {
    "max_connections": "40",
    "shared_buffers": "32MB",
    "max_wal_size": "256MB",
    "fsync": "off",
    "wal_level": "replica",
    "max_wal_senders": "5",
    "hot_standby": "on",
}


class Pair:
    """Two servers, of which the second follows the first.

    Attributes
    ----------
    first, second : EmbeddedServer
        As they began: the second takes writes once it is promoted.
    """

    def __init__(self, first: EmbeddedServer, second: EmbeddedServer) -> None:
        self.first, self.second = first, second

    def dsn(self, database: str = "postgres", **options: str) -> str:
        """Return a DSN that names both, the first one first."""
        hosts = [
            str(server.dsn.partition("host=")[2].partition("&")[0]) for server in (self.first, self.second)
        ]
        given = {"host": ",".join(hosts), "port": "5432,5432", **options}
        return f"postgresql://postgres@/{database}?{urlencode(given)}"

    async def wait_for_each_other(self) -> None:
        """Have commits on the first wait until the second has applied them."""
        connection = await asyncpg.connect(self.first.dsn)
        await connection.execute("alter system set synchronous_standby_names = '*'")
        await connection.execute("alter system set synchronous_commit = 'remote_apply'")
        await connection.execute("select pg_reload_conf()")
        while not await connection.fetchval("select bool_or(sync_state = 'sync') from pg_stat_replication"):
            pass
        await connection.close()

    async def cut_off(self) -> None:
        """Let the second hear no more of the first."""
        connection = await asyncpg.connect(self.second.dsn)
        await connection.execute("alter system set primary_conninfo = ''")
        await connection.execute("select pg_reload_conf()")
        while await connection.fetchval("select exists (select from pg_stat_wal_receiver)"):
            pass
        await connection.close()

    def kill_first(self) -> None:
        """Kill -9 the first, with each of its processes."""
        postmaster = psutil.Process(self.first.pid)
        postmaster.suspend()
        processes = [postmaster, *postmaster.children(recursive=True)]
        for process in processes:
            process.kill()
        psutil.wait_procs(processes, timeout=PATIENCE)
        self.first.stop()

    async def promote(self) -> None:
        """Have the second take writes from now on, waiting for nobody."""
        connection = await asyncpg.connect(self.second.dsn)
        await connection.execute("alter system set synchronous_standby_names = ''")
        await connection.execute("select pg_reload_conf()")
        assert await connection.fetchval("select pg_promote(true, 60)")
        await connection.close()


@contextmanager
def pair() -> Iterator[Pair]:
    """Run a server, and a standby made of it by pg_basebackup, while the block lasts."""
    programs = embedded.bin_dir()
    folder = Path(tempfile.mkdtemp(prefix="astra-standby-", dir="/dev/shm" if _is_roomy() else "/tmp"))
    folder.chmod(0o755)
    try:
        with embedded.server(folder / "a", **SETTINGS) as first:
            owner = Owner.of(folder / "a")
            (folder / "b").mkdir(mode=0o700)
            owner.take(folder / "b")
            made = subprocess.run(
                [
                    *owner.prefix(programs, folder / "b"),
                    programs / "pg_basebackup",
                    *("-D", folder / "b", "-R", "--checkpoint=fast", "--wal-method=stream", "--no-sync"),
                    *("-d", first.dsn),
                ],
                capture_output=True,
                text=True,
                check=False,
                cwd="/",
                env=os.environ | PLAIN,
            )
            assert made.returncode == 0, made.stderr
            for lock in (folder / "b").glob(".s.PGSQL.*"):  # copied with all else
                lock.unlink()
            with embedded.server(folder / "b", **SETTINGS) as second:
                yield Pair(first, second)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_roomy() -> bool:
    return Path("/dev/shm").is_dir() and shutil.disk_usage("/dev/shm").free > 2 * 1024**3
