"""Passwords appear nowhere: in no error with all that led to it, no log, no repr, no output."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import sys
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

import astra_outputs
from astra_outputs import Source, TheCannon
from astra_outputs.cli import main
from astra_outputs.errors import CannotConnect, PermissionDenied
from astra_outputs.postgres.database import Database

SECRET = "hu5h-S3CR3T"

NOWHERE = {
    "no server": f"postgresql://user:{SECRET}@127.0.0.1:1/survey",
    "no socket": f"postgresql://user:{SECRET}@/survey?host=/nowhere",
    "no host": f"postgresql://user:{SECRET}@no-such-host.invalid/survey",
    "the password as an option": f"postgresql://127.0.0.1:1/survey?user=user&password={SECRET}",
    "another scheme": f"mysql://user:{SECRET}@127.0.0.1:1/survey",
    "no scheme": f"user:{SECRET}@127.0.0.1:1/survey",
    "words": f"host=127.0.0.1 port=1 user=user password={SECRET}",
    "a slash in the password": f"postgresql://user:a/{SECRET}@127.0.0.1:1/survey",
    "an at sign in the password": f"postgresql://user:a@{SECRET}@127.0.0.1:1/survey",
    "an at sign and a slash": f"postgresql://user:a@b/{SECRET}@127.0.0.1:1/survey",
    "a hash in the password": f"postgresql://user:#{SECRET}@127.0.0.1:1/survey",
    "a question mark in the password": f"postgresql://user:?{SECRET}@127.0.0.1:1/survey",
    "a bracket in the password": f"postgresql://user:[{SECRET}@127.0.0.1:1/survey",
    "a colon in the password": f"postgresql://user:a:{SECRET}@127.0.0.1:1/survey",
    "the password for a port": f"postgresql://user@127.0.0.1:{SECRET}/survey",
    "the password for a host": f"postgresql://{SECRET}:@user:1/survey",
    "an unknown mode of TLS": f"postgresql://user:{SECRET}@127.0.0.1:1/survey?sslmode=nonsense",
    "no file of the authority": f"postgresql://user:{SECRET}@127.0.0.1:1/survey?sslmode=verify-full&sslrootcert=/none",
}
nowhere = pytest.mark.parametrize("dsn", NOWHERE.values(), ids=NOWHERE)


@pytest.fixture
def overheard(capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Everything that was logged at DEBUG, by whomever, or printed."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s %(args)s %(exc_text)s"))
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lambda: stream.getvalue() + "".join(capfd.readouterr())
    root.removeHandler(handler)
    root.setLevel(level)


def with_password(dsn: str) -> str:
    """The DSN with a password, which a server that trusts its users does not ask for."""
    parts = urlsplit(dsn)
    user = parts.username or "postgres"
    netloc = f"{user}:{parts.password or SECRET}@{parts.netloc.rpartition('@')[2]}"
    return parts._replace(netloc=netloc).geturl()


@nowhere
async def test_no_error_shows_it_nor_what_led_to_it(dsn: str, overheard: Callable[[], str]) -> None:
    with pytest.raises(CannotConnect) as caught:
        async with astra_outputs.connect(dsn, retry_for=0, timeout=5):
            pass
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert SECRET not in repr(caught.value)
    assert SECRET not in overheard()


@nowhere
def test_no_repr_shows_it(dsn: str) -> None:
    for thing in (astra_outputs.connect(dsn), Database(dsn), astra_outputs.connect(password=SECRET)):
        assert SECRET not in repr(thing)
        assert SECRET not in f"{thing} {[thing]}"


@nowhere
@pytest.mark.parametrize("how", ["option", "environment"])
def test_the_command_line_does_not_print_it(
    dsn: str, how: str, overheard: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in os.environ:
        if name.startswith(("PG", "ASTRA_OUTPUTS_")):
            monkeypatch.delenv(name)
    if how == "environment":
        monkeypatch.setenv("ASTRA_OUTPUTS_DSN", dsn)
    given = ["--dsn", dsn] if how == "option" else []
    for command in (["check"], ["history", "the_cannon", "1"], ["replay", "."]):
        monkeypatch.setattr(sys, "argv", ["astra-outputs", *command, *given])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 1
    assert SECRET not in overheard()


@pytest.fixture
async def user(connection: asyncpg.Connection, database: str) -> AsyncIterator[str]:
    """DSN, with its password, of a user without any right; the user may not even log in until told so."""
    role, parts = f"t{uuid4().hex[:12]}", urlsplit(database)
    await connection.execute(f"create role {role} nologin password '{SECRET}'")
    yield parts._replace(netloc=f"{role}:{SECRET}@{parts.netloc.rpartition('@')[2]}").geturl()
    await connection.execute(f"drop role {role}")


async def test_a_user_who_is_not_let_in_does_not_read_it(user: str, overheard: Callable[[], str]) -> None:
    with pytest.raises(CannotConnect) as caught:
        async with astra_outputs.connect(user, retry_for=0):
            pass
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert SECRET not in overheard()


async def test_a_user_who_lacks_a_right_does_not_read_it(
    user: str, overheard: Callable[[], str], connection: asyncpg.Connection, spectrum: Any
) -> None:
    await connection.execute(f"alter role {urlsplit(user).username} login")
    async with astra_outputs.connect(user) as outputs:
        with pytest.raises(PermissionDenied) as caught:
            await outputs.get_result(TheCannon, spectrum)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert SECRET not in overheard()


async def test_no_work_shows_it(
    database: str,
    overheard: Callable[[], str],
    spectrum: Any,
    connection: asyncpg.Connection,
    tmp_path: Path,
) -> None:
    def pipeline(spectra: Any) -> Iterator[Any]:
        for one in spectra:
            yield TheCannon.from_spectrum(one, teff=5000.0)

    async with astra_outputs.connect(with_password(database)) as outputs:
        await outputs.save(Source(sdss_id=77))
        await outputs.save_many([Source(sdss_id=number) for number in range(100, 120)])
        # A connection that is lost in a save is found again, and a word is logged about it.
        async with connection.transaction():
            await connection.execute("lock table astra.source in exclusive mode")
            saving = asyncio.ensure_future(outputs.save(Source(sdss_id=78)))
            while not await connection.fetchval(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity"
                " where datname = current_database() and wait_event_type = 'Lock'"
            ):
                pass
        await saving
        await outputs.run(pipeline, [spectrum], v_astra="0.8.1", spool=tmp_path)
    said = overheard()
    assert "trying again" in said
    assert SECRET not in said
    assert not holds(tmp_path, SECRET)


def holds(folder: Path, text: str) -> bool:
    """Whether a file in a folder holds a text."""
    return any(text.encode() in file.read_bytes() for file in folder.rglob("*") if file.is_file())
