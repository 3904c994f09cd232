"""TLS: a server is believed that proves its name, and no other; what stands in the way is told.

The embedded PostgreSQL is built without TLS, so that these tests need another one (on Debian: postgresql).
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import asyncpg
import pytest

import astra_outputs
from astra_outputs import Outputs, Source, embedded
from astra_outputs.embedded import instance
from astra_outputs.embedded.owner import Owner
from astra_outputs.errors import CannotConnect
from astra_outputs.postgres import sql_files

trustme = pytest.importorskip("trustme")

PASSWORD = "hush-8f2c"
USER_OF_CERTIFICATE = "carol"


def programs() -> Path:
    """The programs of a PostgreSQL that knows TLS."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: -int(place.parent.name))
    for place in [*places, Path(shutil.which("postgres") or "none").resolve().parent]:
        needed = [place / "initdb", place / "postgres"]
        if all(map(Path.exists, needed)) and b"SSL_CTX_new" in needed[1].read_bytes():
            return place
    pytest.skip("no PostgreSQL with TLS is installed (on Debian: apt-get install postgresql)")


class Server(NamedTuple):
    """A server on 127.0.0.1, and what a client needs to believe it and to be believed."""

    port: int
    ca: Path
    certificate: Path
    key: Path

    def dsn(self, host: str = "localhost", user: str = "postgres", **options: object) -> str:
        given = {"sslmode": "verify-full", "sslrootcert": self.ca, **options}
        return f"postgresql://{user}:{PASSWORD}@{host}:{self.port}/postgres?{urlencode(given)}"


@contextmanager
def port_of_ones_own() -> Iterator[int]:
    """Give a port that nobody else is given meanwhile, and that a server takes by its number."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        if sys.platform != "linux":  # elsewhere not even a server could take it
            held.close()
        yield port


@contextmanager
def started(folder: Path, *, tls: bool = True, until: datetime | None = None) -> Iterator[Server]:
    """Start a server whose certificate is for `localhost`; over the network it lets in with TLS alone."""
    owner, ca = Owner.of(folder / "data"), trustme.CA()
    proof = ca.issue_cert("localhost", not_after=until)
    user = ca.issue_cert("user@example.org", common_name=USER_OF_CERTIFICATE)
    hba = "local all all trust\n"
    hba += (
        f"hostssl all {USER_OF_CERTIFICATE} 127.0.0.1/32 cert\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
    )
    files = {
        "server.key": proof.private_key_pem.bytes(),
        "server.pem": b"".join(blob.bytes() for blob in proof.cert_chain_pems),
        "ca.pem": ca.cert_pem.bytes(),
        "hba.conf": hba.encode(),
        "user.key": user.private_key_pem.bytes(),
        "user.pem": b"".join(blob.bytes() for blob in user.cert_chain_pems),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)
        owner.take(folder / name)
    found = programs()
    with port_of_ones_own() as port, pytest.MonkeyPatch.context() as patch:
        settings = {"listen_addresses": "127.0.0.1", "port": str(port), "hba_file": f"{folder}/hba.conf"}
        if tls:
            settings |= {
                "ssl": "on",
                "ssl_key_file": f"{folder}/server.key",
                "ssl_cert_file": f"{folder}/server.pem",
                "ssl_ca_file": f"{folder}/ca.pem",
            }
        patch.setattr(instance, "bin_dir", lambda: found)
        with embedded.server(**settings) as postgres:
            with ThreadPoolExecutor() as thread:  # the test may be running an event loop in this one
                thread.submit(
                    asyncio.run, prepare(postgres.dsn.replace("port=5432", f"port={port}"))
                ).result()
            yield Server(port, folder / "ca.pem", folder / "user.pem", folder / "user.key")


async def prepare(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(f"alter role postgres password '{PASSWORD}'")
    await connection.execute(f"create role {USER_OF_CERTIFICATE} login superuser")
    await sql_files.apply(connection, "astra")
    await connection.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with started(tmp_path_factory.mktemp("tls")) as server:
        yield server


@pytest.fixture(scope="module")
def other_ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate of an authority that has not signed the server's."""
    file = tmp_path_factory.mktemp("other") / "ca.pem"
    trustme.CA().cert_pem.write_to_path(file)
    return file


async def refusal(dsn: str, **options: Any) -> str:
    """What `connect` says, in which the password never stands."""
    with pytest.raises(CannotConnect) as caught:
        async with astra_outputs.connect(dsn, retry_for=0, **options):
            pass
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


# Who is not believed.


async def test_another_host_name_is_refused(server: Server) -> None:
    said = await refusal(server.dsn(host="127.0.0.1"))
    assert "certificate" in said
    assert "127.0.0.1" in said
    assert "a host name that the certificate is for" in said
    assert "start the server" not in said


async def test_an_unknown_authority_is_refused(server: Server, other_ca: Path) -> None:
    said = await refusal(server.dsn(sslrootcert=other_ca))
    assert "certificate is refused" in said
    assert "sslrootcert" in said


async def test_an_authority_that_the_system_does_not_know_is_refused(server: Server) -> None:
    assert "certificate is refused" in await refusal(server.dsn(), ssl=ssl.create_default_context())


async def test_an_expired_certificate_is_refused(tmp_path: Path) -> None:
    with started(tmp_path, until=datetime.now(UTC) - timedelta(days=1)) as server:
        assert "certificate has expired" in await refusal(server.dsn())


async def test_a_server_without_tls_is_refused(tmp_path: Path) -> None:
    with started(tmp_path, tls=False) as server:
        said = await refusal(server.dsn())
    assert "rejected SSL upgrade" in said


async def test_a_missing_file_of_the_authority_is_named(server: Server, tmp_path: Path) -> None:
    assert str(tmp_path / "none.pem") in await refusal(server.dsn(sslrootcert=tmp_path / "none.pem"))


async def test_an_unknown_mode_is_refused(server: Server) -> None:
    assert "verify-ful" in await refusal(server.dsn(sslmode="verify-ful"))


async def test_a_server_that_wants_tls_refuses_a_plain_connection(server: Server) -> None:
    assert "no encryption" in await refusal(server.dsn(sslmode="disable"))


async def test_a_wrong_password_over_tls_is_told(server: Server) -> None:
    dsn = server.dsn().replace(PASSWORD, "another")
    assert "check the user and the password" in await refusal(dsn)


# Who is.


async def encrypted(outputs: Outputs) -> str:
    """The version of TLS of the connection, as the server sees it."""
    async with outputs.store.database.acquire() as connection:
        query = "select version from pg_stat_ssl where pid = pg_backend_pid() and ssl"
        return str(await connection.fetchval(query))


async def test_the_right_name_and_authority_are_believed(server: Server) -> None:
    async with astra_outputs.connect(server.dsn()) as outputs:
        assert await encrypted(outputs) == "TLSv1.3"
        saved = await outputs.save(Source(sdss_id=1))
        assert await outputs.get_by_id(Source, saved.pk or 0) == saved


@pytest.mark.parametrize(
    ("mode", "under_another_name", "by_another_authority"),
    [
        ("prefer", True, True),
        ("require", True, False),
        ("verify-ca", True, False),
        ("verify-full", False, False),
    ],
)
async def test_a_mode_believes_whom_the_page_on_security_says(
    server: Server, other_ca: Path, mode: str, under_another_name: bool, by_another_authority: bool
) -> None:
    async def is_believed(**options: Any) -> bool:
        try:
            async with astra_outputs.connect(server.dsn(sslmode=mode, **options), retry_for=0) as outputs:
                return await encrypted(outputs) == "TLSv1.3"
        except CannotConnect:
            return False

    assert await is_believed()
    assert await is_believed(host="127.0.0.1") == under_another_name
    assert await is_believed(sslrootcert=other_ca) == by_another_authority


async def test_batches_are_copied_over_tls(server: Server) -> None:
    async with astra_outputs.connect(server.dsn()) as outputs:
        report = await outputs.save_many([Source(sdss_id=number) for number in range(100, 120)])
    assert len(report) == 20


async def test_the_authority_may_be_named_by_the_environment(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"PGHOST": "localhost", "PGPORT": server.port, "PGUSER": "postgres", "PGPASSWORD": PASSWORD}
    settings |= {"PGDATABASE": "postgres", "PGSSLMODE": "verify-full", "PGSSLROOTCERT": server.ca}
    for name, value in settings.items():
        monkeypatch.setenv(name, str(value))
    async with astra_outputs.connect() as outputs:
        assert await encrypted(outputs) == "TLSv1.3"


async def test_a_context_of_the_callers_is_used(server: Server) -> None:
    context = ssl.create_default_context(cafile=server.ca)
    dsn = server.dsn().partition("?")[0]
    async with astra_outputs.connect(dsn, ssl=context) as outputs:
        assert await encrypted(outputs) == "TLSv1.3"


async def test_a_user_may_be_proved_by_a_certificate_instead_of_a_password(server: Server) -> None:
    proof = {"sslcert": server.certificate, "sslkey": server.key}
    async with astra_outputs.connect(server.dsn(user=USER_OF_CERTIFICATE, **proof)) as outputs:
        assert await encrypted(outputs) == "TLSv1.3"
    assert "certificate" in await refusal(server.dsn(user=USER_OF_CERTIFICATE))


def test_the_command_line_verifies_as_well(server: Server, other_ca: Path) -> None:
    def check(dsn: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "astra_outputs", "check", "--dsn", dsn]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert "agree" in check(server.dsn()).stdout
    done = check(server.dsn(sslrootcert=other_ca))
    assert done.returncode == 1
    assert "certificate is refused" in done.stderr
    assert PASSWORD not in done.stderr
