"""Where a DSN points to, read as libpq reads it: a URI, or `host=... dbname=...`, or a service of a file.

No message repeats a piece of a DSN that was not told for certain from the password.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from configparser import ConfigParser
from configparser import Error as UnreadableFile
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from astra_outputs.errors import CannotConnect

FORM = "postgresql://user@host:5432/database"
"""How a DSN is written."""

SOMEWHERE = "the server of the given DSN"
"""Stands for the address where a piece of it may be a piece of the password."""

UNREADABLE = (
    "the DSN cannot be read; write %40 for @, %2F for /, %3A for :, %3F for ? and %23 for # in a password"
)

SQLALCHEMY = re.compile(
    r"postgres(?:ql)?\+(asyncpg|psycopg|psycopg_async|psycopg2|psycopg2cffi|pg8000|pygresql)://"
)
OTHERS = ("postgis", "pgsql", "psql", "pq", "asyncpg", "psycopg", "psycopg2", "jdbc:postgresql", "timescale")
"""What stands before `://` in the DSNs of other libraries."""

KEYWORDS = frozenset(
    [
        "application_name",
        "client_encoding",
        "connect_timeout",
        "dbname",
        "fallback_application_name",
        "gsslib",
        "host",
        "hostaddr",
        "krbsrvname",
        "options",
        "passfile",
        "password",
        "port",
        "service",
        "sslcert",
        "sslcrl",
        "sslkey",
        "sslmode",
        "sslnegotiation",
        "sslpassword",
        "sslrootcert",
        "ssl_max_protocol_version",
        "ssl_min_protocol_version",
        "target_session_attrs",
        "user",
    ]
)
IGNORED = frozenset(
    [
        "client_encoding",
        "connect_timeout",
        "fallback_application_name",
        "gssdelegation",
        "gssencmode",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "load_balance_hosts",
        "max_protocol_version",
        "min_protocol_version",
        "replication",
        "requiressl",
        "scram_client_key",
        "scram_server_key",
        "service",
        "sslcompression",
        "sslsni",
        "tcp_user_timeout",
    ]
)
"""Keywords of libpq that tune what the driver does in its own way, or that are dealt with here."""

DEMANDS = ("channel_binding", "require_auth", "requirepeer", "sslcertmode", "sslcrldir")
"""Keywords that ask for safety which the driver does not give."""

LENIENT = frozenset({"prefer", "disable", "allow", ""})

_PAIR = re.compile(r"\s*(\w+)\s*=\s*('(?:[^'\\]|\\.)*'|(?:[^\s'\\]|\\.)*)(?=\s|$)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True)
class Address:
    """What a DSN says.

    Attributes
    ----------
    dsn : str or None
        The same as the driver reads it; None where the `PG*` variables say it all.
    where : str
        Host, port and database, printable.
    timeout : float or None
        Seconds that a connection may take (`connect_timeout`).
    application_name : str or None
    """

    dsn: str | None = field(repr=False)
    where: str
    timeout: float | None = None
    application_name: str | None = None


def read(dsn: str | None) -> Address:
    """Return what a DSN says; the service of `PGSERVICE`, or the `PG*` variables, where none is given.

    Raises
    ------
    CannotConnect
        If it cannot be read, or is written for another library; the message says what to write.
    """
    service = os.environ.get("PGSERVICE")
    if not dsn and not service:
        return Address(None, "the server that the PG* variables name")
    if not dsn:
        return _address({"service": str(service)})
    scheme, mark, _ = dsn.partition("://")
    if mark and scheme in ("postgresql", "postgres"):
        return _of_uri(dsn)
    if "=" in dsn and not (mark and "=" not in scheme):
        return _address(_pairs(dsn))
    raise CannotConnect(f"{SOMEWHERE}: {_misspelt(dsn)}")


def where(dsn: str | None) -> str:
    """Return where a DSN points to, without user name, password and options."""
    try:
        return read(dsn).where
    except CannotConnect:
        return SOMEWHERE


def _misspelt(dsn: str) -> str:
    sqlalchemy = SQLALCHEMY.match(dsn)
    if sqlalchemy:
        return f"`+{sqlalchemy[1]}` is for SQLAlchemy alone; leave it out: {FORM}"
    other = next((scheme for scheme in OTHERS if dsn.startswith(f"{scheme}://")), None)
    if other:
        return f"`{other}://` is another library's; write {FORM}"
    return f"it is no DSN of PostgreSQL; write {FORM}, or host=... dbname=..."


def _of_uri(uri: str) -> Address:
    try:
        parts = urlsplit(uri)
        hosts = [urlsplit(f"//{host}") for host in parts.netloc.rpartition("@")[2].split(",")]
        named = [(host.hostname or "") + (f":{host.port}" if host.port else "") for host in hosts]
        query = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    except ValueError:
        raise CannotConnect(f"{SOMEWHERE}: {UNREADABLE}") from None
    if parts.netloc.count("@") > 1 or "#" in uri or "[" in parts.netloc.rpartition("@")[0]:
        raise CannotConnect(f"{SOMEWHERE}: {UNREADABLE}")
    # Behind a slash or a question mark in the password, what looks like the host is the user.
    certain = "@" not in parts.path and "@" not in parts.query
    host, database = ",".join(named) or query.get("host"), parts.path.strip("/") or query.get("dbname", "")
    printable = (
        _where(host, "" if ":" in (host or "") else _colon(query.get("port")), database)
        if certain
        else SOMEWHERE
    )
    path = "" if parts.path == "/" else parts.path
    given = _with_service(query, printable)
    if "service" in query and certain and not host:
        printable = _where(given.get("host"), _colon(given.get("port")), database or given.get("dbname", ""))
    return _built(f"postgresql://{parts.netloc}{path}", given, printable)


def _address(pairs: Mapping[str, str]) -> Address:
    given = _with_service(pairs, SOMEWHERE)
    printable = _where(given.get("host"), _colon(given.get("port")), given.get("dbname", ""))
    return _built("postgresql://", given, printable)


def _pairs(text: str) -> dict[str, str]:
    """Return what `host=... dbname=...` says."""
    found, at = {}, 0
    text = text.rstrip()
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None or pair[1] not in KEYWORDS | IGNORED | {*DEMANDS}:
            raise CannotConnect(
                f"{SOMEWHERE}: it is no list of keyword=value that PostgreSQL knows; put quotation marks around a "
                "value with blanks or an odd sign: host=... dbname=... password='...'"
            )
        value = pair[2][1:-1] if pair[2].startswith("'") else pair[2]
        found[pair[1]] = _ESCAPED.sub(r"\1", value)
        at = pair.end()
    if "hostaddr" in found:
        found.setdefault("host", found["hostaddr"])
    found.pop("hostaddr", None)
    return {name: value for name, value in found.items() if value}


def _with_service(given: Mapping[str, str], printable: str) -> dict[str, str]:
    """Return what is given, and beneath it what the file of services says of the named one."""
    name = given.get("service")
    if not name:
        return dict(given)
    system = os.environ.get("PGSYSCONFDIR", "/etc/postgresql-common")
    own = os.environ.get("PGSERVICEFILE") or "~/.pg_service.conf"
    for file in (Path(own).expanduser(), Path(system) / "pg_service.conf"):
        services = ConfigParser(interpolation=None, strict=False)
        try:
            services.read(file, encoding="utf-8")
        except (UnreadableFile, UnicodeDecodeError, OSError):
            raise CannotConnect(f"{printable}: {file} is no file of services: [name], host=...") from None
        if name in services:
            return {**services[name], **given}
    raise CannotConnect(f"{printable}: no service of that name is in {own}, nor in {system}/pg_service.conf")


def _built(uri: str, given: Mapping[str, str], printable: str) -> Address:
    """Return the address; the driver takes everything but the host, user and database of a URI as its options."""
    for name in DEMANDS:
        if given.get(name, "") not in LENIENT:
            raise CannotConnect(f"{printable}: the driver cannot keep what {name} asks for; leave it out")
    try:
        seconds = float(given.get("connect_timeout") or 0)
    except ValueError:
        raise CannotConnect(f"{printable}: connect_timeout is a number of seconds") from None
    left_out = IGNORED | {*DEMANDS, "application_name"}
    options = urlencode(
        {name: value for name, value in given.items() if name not in left_out}, quote_via=quote
    )
    return Address(
        f"{uri}?{options}" if options else uri,
        printable,
        timeout=seconds if seconds > 0 else None,
        application_name=given.get("application_name") or given.get("fallback_application_name"),
    )


def _colon(port: str | None) -> str:
    return f":{port}" if port and port.isdecimal() else ""


def _where(host: str | None, port: str, database: str) -> str:
    if not host or host.startswith("/"):
        host, port = "the local socket", ""
    return f"{host}{port}" + (f"/{database}" if database else "")
