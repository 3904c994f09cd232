"""The one server of a run: PostgreSQL out of the wheel, as durable as in production."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import asyncpg

from astra_outputs import embedded
from benchmarks.tables import SCHEMA

SETTINGS = {
    # Nothing is bought by risk: these are PostgreSQL's defaults, which an embedded server with
    # temporary data would otherwise give up.
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "wal_level": "replica",
    "max_wal_senders": "10",
    # What any DBA would set on a database of this kind.
    "shared_buffers": "2GB",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "1h",
    "max_connections": "50",
}
QUICK = {"shared_buffers": "128MB", "max_wal_size": "1GB"}
READING = {"shared_buffers": "12GB"}
"""Of a table larger than a quarter of this a scan leaves nothing in memory, and the disk would be compared."""


@contextmanager
def server(*, quick: bool = False, reading: bool = False, **settings: str) -> Iterator[str]:
    """Give the DSN of a new server, deleted afterwards."""
    sized = QUICK if quick else READING if reading else {}
    with embedded.server(**{**SETTINGS, **sized, **settings}) as postgres:
        yield postgres.dsn


@asynccontextmanager
async def connected(dsn: str, **settings: str) -> AsyncIterator[asyncpg.Connection]:
    """Lend a connection that finds the tables without naming their schema."""
    connection = await asyncpg.connect(dsn, server_settings={"search_path": SCHEMA, **settings})
    try:
        yield connection
    finally:
        await connection.close()


async def one_row(connection: asyncpg.Connection, query: str, *values: Any) -> asyncpg.Record:
    """Return the only row of a query that has one."""
    (row,) = await connection.fetch(query, *values)
    return row


async def set_autovacuum(dsn: str, *, on: bool) -> None:
    """Let autovacuum look every second, or not at all.

    Tables are vacuumed before every measurement, and not in the middle of someone's.
    """
    async with connected(dsn) as connection:
        await connection.execute(f"alter system set autovacuum = {'on' if on else 'off'}")
        await connection.execute("alter system set autovacuum_naptime = '1s'")
        await connection.execute("select pg_reload_conf()")


async def environment(dsn: str) -> dict[str, Any]:
    """Return what a reader has to know of a measurement: when, with what, on what."""
    async with connected(dsn) as connection:
        settings = {name: await connection.fetchval(f"show {name}") for name in SETTINGS}
        postgres = await connection.fetchval("show server_version")
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
        "python": platform.python_version(),
        "postgresql": postgres.split()[0],
        "machine": f"{os.cpu_count()} cores ({_processor()}), {_memory()} GiB, {platform.system()}",
        "load": round(os.getloadavg()[0], 2),
        "packages": {name: version(name) for name in ("asyncpg", "pydantic", "pydantic-core")},
        "settings": settings,
    }


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=10"]
    folder = Path(__file__).parent
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
