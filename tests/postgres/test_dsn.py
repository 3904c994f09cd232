"""DSNs as libpq takes them; those of other libraries, and what cannot be read, are refused without a secret."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

import astra_outputs
from astra_outputs import Outputs, Source
from astra_outputs.errors import CannotConnect, OtherEventLoop
from astra_outputs.postgres.dsn import SOMEWHERE, read, where

SECRET = "S3cr3t"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGSERVICE", "PGSERVICEFILE", "PGSYSCONFDIR", "ASTRA_OUTPUTS_DSN"):
        monkeypatch.delenv(name, raising=False)


# What is refused.


@pytest.mark.parametrize(
    ("dsn", "remedy"),
    [
        (f"postgresql+asyncpg://user:{SECRET}@host/db", "leave it out: postgresql://user@host:5432/database"),
        (f"postgresql+psycopg2://user:{SECRET}@host/db", r"`\+psycopg2` is for SQLAlchemy"),
        (f"postgres+psycopg://user:{SECRET}@host/db", "leave it out"),
        (f"jdbc:postgresql://host/db?user=user&password={SECRET}", "another library's"),
        (f"postgis://user:{SECRET}@host/db", "write postgresql://user@host"),
        (f"mysql://user:{SECRET}@host/db", "no DSN of PostgreSQL; write postgresql://"),
        ("survey", "no DSN of PostgreSQL"),
        (f"host=host password=my {SECRET}", "quotation marks around a value with blanks"),
        (f"host=host passwort={SECRET}", "no list of keyword=value"),
        (f"host=host password='{SECRET}", "no list of keyword=value"),
        (f"postgresql://user:a#{SECRET}@host/db", "write %40 for @.*%23 for #"),
        (f"postgresql://user:p@{SECRET}x#y@host:1/x", "write %40 for @"),
        (f"postgresql://user:a@{SECRET}@host/db", "write %40 for @"),
        (f"postgresql://user:{SECRET}@host/db?require_auth=scram-sha-256", "cannot keep what require_auth"),
        (f"postgresql://user:{SECRET}@host/db?connect_timeout=soon", "connect_timeout is a number"),
        (f"service=nowhere password={SECRET}", "no service of that name"),
    ],
)
async def test_what_cannot_be_read_is_refused_with_what_to_write(dsn: str, remedy: str) -> None:
    with pytest.raises(CannotConnect, match=remedy) as caught:
        async with astra_outputs.connect(dsn, retry_for=0):
            pass
    assert SECRET.lower() not in str(caught.value).lower()
    assert SECRET.lower() not in repr(astra_outputs.connect(dsn)).lower()


@given(st.text(st.sampled_from("aZ09@:/?#[]%=& '\\"), max_size=12))
def test_no_address_shows_a_piece_of_a_password_however_it_is_written(text: str) -> None:
    secret = "QqQ"  # letters that stand nowhere else, whatever case the parser makes of them
    for dsn in (
        f"postgresql://user:{text}{secret}@host:5432/db",
        f"postgresql://user:{secret}{text}@host:5432/db",
        f"host=host password={text}{secret}",
        f"host=host password={secret}{text} dbname=db",
    ):
        assert secret.lower() not in where(dsn).lower()
        assert secret.lower() not in said_of(dsn).lower()


def said_of(dsn: str) -> str:
    try:
        return repr(read(dsn))
    except CannotConnect as error:
        return str(error)


# What is taken.


def options(dsn: str) -> dict[str, str]:
    found = read(dsn).dsn
    assert found is not None
    return dict(parse_qsl(urlsplit(found).query))


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        ("host=db.example.org dbname=survey", {"host": "db.example.org", "dbname": "survey"}),
        ("  host = h   port=6432 ", {"host": "h", "port": "6432"}),
        (r"host=h password='it\'s \\ a 100%'", {"host": "h", "password": r"it's \ a 100%"}),
        (r"host=h password=a\ b", {"host": "h", "password": "a b"}),
        ("host=h password=''", {"host": "h"}),
        ("hostaddr=127.0.0.1 dbname=d", {"host": "127.0.0.1", "dbname": "d"}),
        ("host=h sslmode=verify-full sslrootcert=/a/b", {"host": "h", "sslmode": "verify-full", "sslrootcert": "/a/b"}),
        ("host=h keepalives_idle=30 connect_timeout=3", {"host": "h"}),
        ("postgresql://u@h/d?keepalives=1&connect_timeout=3&sslmode=require", {"sslmode": "require"}),
        ("postgresql://u@h/d?options=-c%20work_mem%3D1MB", {"options": "-c work_mem=1MB"}),
    ],
)  # fmt: skip
def test_a_dsn_is_read_as_libpq_reads_it(dsn: str, expected: dict[str, str]) -> None:
    assert options(dsn) == expected


def test_its_timeout_and_its_name_of_the_program_are_kept() -> None:
    address = read("postgresql://u@h/d?connect_timeout=3&application_name=night")
    assert (address.timeout, address.application_name) == (3.0, "night")
    assert read("host=h connect_timeout=0").timeout is None


@pytest.mark.parametrize(
    ("dsn", "shown"),
    [
        ("postgresql://user:pw@host:6432/survey", "host:6432/survey"),
        ("host=host port=6432 dbname=survey user=user password=pw", "host:6432/survey"),
        ("postgresql:///survey?host=/var/run/postgresql", "the local socket/survey"),
        ("postgresql://user:12/34@host/survey", SOMEWHERE),
        ("postgresql://user:12?a=34@host/survey", SOMEWHERE),
    ],
)
def test_where_it_points_to_is_printed_where_that_is_certain(dsn: str, shown: str) -> None:
    assert where(dsn) == shown


@pytest.fixture
def service(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A file of services with one for the test's database; what it says."""
    parts = urlsplit(database)
    said = {
        "dbname": parts.path.strip("/"),
        "user": parts.username or "postgres",
        **dict(parse_qsl(parts.query)),
    }
    said |= {"host": parts.hostname} if parts.hostname else {}
    said |= {"port": str(parts.port)} if parts.port else {}
    said |= {"password": parts.password or "100%"}
    lines = [f"{name}={value}" for name, value in said.items()]
    (tmp_path / "services").write_text("\n".join(["[survey]", *lines]))
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    return said


async def opens(dsn: str | None) -> None:
    async with astra_outputs.connect(dsn, retry_for=0) as outputs:
        assert await outputs.get_by_id(Source, 1) is None


@pytest.mark.parametrize(
    "dsn", ["service=survey", "postgresql://?service=survey", "postgresql:///?service=survey"]
)
async def test_a_service_is_looked_up_in_its_file(service: Any, dsn: str) -> None:
    await opens(dsn)


async def test_the_service_of_the_environment_is_taken_where_nothing_else_is_said(
    service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSERVICE", "survey")
    await opens(None)


async def test_what_a_dsn_says_goes_before_what_its_service_says(service: Any) -> None:
    with pytest.raises(CannotConnect, match="no_such_database"):
        await opens("service=survey dbname=no_such_database")


async def test_keywords_and_values_lead_to_the_database(service: dict[str, str]) -> None:
    await opens(" ".join(f"{name}='{value}'" for name, value in service.items()))


async def test_what_the_driver_does_not_know_keeps_nobody_out(database: str) -> None:
    mark = "&" if "?" in database else "?"
    await opens(f"{database}{mark}connect_timeout=30&keepalives=1&fallback_application_name=night")


async def test_the_servers_see_the_name_of_the_program(database: str) -> None:
    mark = "&" if "?" in database else "?"
    async with astra_outputs.connect(f"{database}{mark}application_name=night") as outputs:
        name = await outputs.store.database.run(
            lambda connection: connection.fetchval("select current_setting('application_name')")
        )
    assert name == "night"


# Event loops.


async def test_a_repository_of_another_event_loop_is_refused_in_words(outputs: Outputs) -> None:
    def elsewhere() -> None:
        asyncio.run(outputs.save(Source(sdss_id=1)))

    with pytest.raises(OtherEventLoop, match="belongs to another event loop: enter one"):
        await asyncio.to_thread(elsewhere)
    assert (await outputs.save(Source(sdss_id=1))).pk
