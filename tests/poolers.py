"""A PgBouncer in transaction mode before a server, for as long as a test runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from astra_outputs.embedded.owner import Owner


def through(dsn: str, pooler: str) -> str:
    """Return the DSN of the same database through a pooler."""
    return urlsplit(dsn)._replace(netloc="postgres@", query=pooler).geturl()


@contextmanager
def pgbouncer(server_dsn: str, connections: int, **settings: object) -> Iterator[str]:
    """Run one with so many connections to the server; gives its socket's folder, as the query of a DSN."""
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("pgbouncer is not installed (on Debian: apt-get install pgbouncer)")
    folder = Path(tempfile.mkdtemp(prefix="astra-outputs-", dir="/tmp"))
    # PgBouncer does not run as root, and must enter the server's folder.
    owner = Owner.of(folder / "nobody's")
    config = folder / "pgbouncer.ini"
    words = {
        "unix_socket_dir": folder,
        "listen_port": 6432,
        "auth_type": "any",
        "pool_mode": "transaction",
        "default_pool_size": connections,
        **settings,
    }
    lines = [
        "[databases]",
        f"* = {_options_of(server_dsn)}",
        "[pgbouncer]",
        *(f"{k} = {v}" for k, v in words.items()),
    ]
    config.write_text("\n".join([*lines, ""]))
    owner.take(folder)
    owner.take(config)
    command = [*owner.prefix(config, *_socket_of(server_dsn)), program, config]
    said: list[str] = []
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        # It tells of each client, and would stand still with all its clients once nobody reads on.
        listener = Thread(target=said.extend, args=(process.stderr,))
        try:
            for line in process.stderr:
                said.append(line)
                if "process up" in line:
                    break
            else:
                pytest.fail(f"PgBouncer did not start: {''.join(said)}")
            listener.start()
            yield f"host={folder}&port=6432"
        finally:
            process.terminate()
            if listener.ident:
                listener.join()
    shutil.rmtree(folder, ignore_errors=True)


def _socket_of(dsn: str) -> list[Path]:
    """Where the server's socket is, if it has one."""
    hosts = parse_qs(urlsplit(dsn).query).get("host", [])
    return [Path(host, "socket") for host in hosts if host.startswith("/")]


def _options_of(dsn: str) -> str:
    """A DSN as PgBouncer writes it, without the database."""
    parts, environment = urlsplit(dsn), os.environ.get
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    found = {
        "host": parts.hostname or query.get("host") or environment("PGHOST"),
        "port": parts.port or query.get("port") or environment("PGPORT", "5432"),
        "user": parts.username or query.get("user") or environment("PGUSER", "postgres"),
        "password": parts.password or environment("PGPASSWORD"),
    }
    return " ".join(f"{name}='{unquote(str(value))}'" for name, value in found.items() if value)
