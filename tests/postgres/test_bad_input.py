"""What a user meets who is refused by the server, or who stops a save with Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
import struct
import subprocess
import sys

import asyncpg
import pytest

import astra_outputs
from astra_outputs import Source, embedded
from astra_outputs.errors import CannotConnect, PermissionDenied
from astra_outputs.postgres import sql_files

INTERRUPTED = """
import asyncio, sys
import astra_outputs
from astra_outputs import Source

def endless():
    number = 0
    while True:
        number += 1
        if number == 500:
            print("working", flush=True)
        yield Source(sdss_id=number)

async def main():
    async with astra_outputs.connect(sys.argv[1]) as outputs:
        await outputs.save_many(endless(), batch_size=100)

try:
    asyncio.run(main())
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.fixture(scope="module")
def guarded_server(tmp_path_factory: pytest.TempPathFactory):
    """A server that asks for a password, and knows one user who may enter but read nothing."""
    hba = tmp_path_factory.mktemp("guarded") / "pg_hba.conf"
    hba.write_text("local all postgres trust\nlocal all all scram-sha-256\n")
    for folder in (hba, *hba.parents[:3]):
        folder.chmod(folder.stat().st_mode | (0o5 if folder.is_dir() else 0o4))
    with embedded.server(hba_file=str(hba)) as server:
        yield server


@pytest.fixture
async def guest(guarded_server: embedded.EmbeddedServer) -> str:
    """DSN of a user with a password, in a database with the schema."""
    connection = await asyncpg.connect(guarded_server.dsn)
    await connection.execute("drop schema if exists astra cascade; create schema astra")
    await connection.execute("drop role if exists guest; create role guest login password 'open sesame'")
    await sql_files.apply(connection, "astra", [sql_files.sql_file(Source)])
    await connection.execute("grant usage on schema astra to guest")
    await connection.close()
    return guarded_server.dsn.replace("postgres@", "guest:{password}@", 1)


async def test_a_wrong_password_is_one_clear_error_that_does_not_show_it(guest: str) -> None:
    with pytest.raises(CannotConnect, match="check the user and the password") as caught:
        async with astra_outputs.connect(guest.format(password="hush")):
            pass
    assert caught.value.sqlstate == "28P01"
    assert "hush" not in str(caught.value)


async def test_a_missing_right_says_which_table_and_whom_to_ask(guest: str) -> None:
    async with astra_outputs.connect(guest.format(password="open%20sesame")) as outputs:
        with pytest.raises(PermissionDenied, match=r"source.*schema/add-ons/roles.sql"):
            await outputs.get_by_id(astra_outputs.Source, 1)


async def test_ctrl_c_leaves_whole_batches_and_a_clean_exit(database, connection) -> None:
    command = [sys.executable, "-c", INTERRUPTED, database]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ) as process:  # noqa: ASYNC220
        assert process.stdout is not None
        assert process.stdout.readline() == b"working\n"
        process.send_signal(signal.SIGINT)
        try:
            _, said = process.communicate(timeout=120)
        finally:
            process.kill()
    assert process.returncode == 130
    assert said == b""
    stored, last = await connection.fetchrow("select count(*), max(sdss_id) from astra.source")
    assert stored > 0
    assert stored % 100 == 0
    assert last == stored


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


async def test_a_server_that_goes_away_while_it_is_connected_to_is_no_server() -> None:
    """It lets a client in, says that it ends the connection, and does not hang up yet."""
    ended = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"
    gone, serving = asyncio.Event(), set[asyncio.Task[None] | None]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        try:
            (length,) = struct.unpack("!i", await reader.readexactly(4))
            await reader.readexactly(length - 4)
            says = [
                message(b"S", b"server_version\x0018.0\0"),
                message(b"K", b"\0" * 8),
                message(b"Z", b"I"),
            ]
            writer.write(b"".join([message(b"R", b"\0\0\0\0"), *says, message(b"E", ended)]))
            await gone.wait()
        finally:  # also of a client that left before it had said anything
            writer.transport.abort()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(CannotConnect, match="the connection was lost"):
            await astra_outputs.connect(
                f"postgresql://me@127.0.0.1:{port}/survey?sslmode=disable", retry_for=1, timeout=20
            ).__aenter__()
        gone.set()
        await asyncio.gather(*(task for task in serving if task), return_exceptions=True)
