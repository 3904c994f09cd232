"""Compares the version of a database schema with the upgrades that this package brings (`schema/upgrades/`)."""

from __future__ import annotations

import logging
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from astra_outputs.errors import SchemaMismatch
from astra_outputs.events import tell
from astra_outputs.postgres.database import Connection
from astra_outputs.postgres.sql import qualified, templates
from astra_outputs.postgres.sql_files import schema_dir
from astra_outputs.postgres.sqlstates import NO_SCHEMA

log = logging.getLogger("astra_outputs.postgres")

_NAME = re.compile(r"(?P<number>\d{4})_(?P<when>pre|post)_\w+\.sql")


class Upgrade(NamedTuple):
    """One file of `schema/upgrades/`, to be applied before (pre) or after (post) the package that needs it."""

    number: int
    before: bool
    file: Path


@cache
def upgrades() -> tuple[Upgrade, ...]:
    """Return the upgrades that this package brings, in the order of their numbers."""
    named = ((_NAME.fullmatch(path.name), path) for path in (schema_dir() / "upgrades").glob("*.sql"))
    return tuple(
        sorted(Upgrade(int(found["number"]), found["when"] == "pre", path) for found, path in named if found)
    )


async def check(connection: Connection, schema: str, where: str) -> None:
    """Refuse a schema that is not there or needs an upgrade; warn where it is newer than this package.

    A schema that nobody made with `install.sql`, with tables of your own alone, has no version and passes; so
    does one whose version this user may not read.

    Parameters
    ----------
    connection : asyncpg.Connection
    schema : str
    where : str
        The server and database, for messages.

    Raises
    ------
    SchemaMismatch
        If the schema does not exist, or is older than this package needs; the message says what to apply.
    """
    statements = templates("schema_version")
    has = await connection.fetchrow(statements["what_a_schema_has"].text, schema)
    assert has is not None  # noqa: S101 (one row, whatever there is)
    if not has["is_there"]:
        raise SchemaMismatch(
            f"{where} has no schema {schema}: "
            f"apply it with `psql -v schema={schema} -f schema/install.sql`, or name another schema",
            sqlstate=NO_SCHEMA,
        )
    if has["may_read"]:
        statement = statements["version_of_a_schema"].fill(table=qualified(schema, "schema_version"))
        compare(await connection.fetchval(statement) or 0, schema, where)
    elif has["has_tables"] and not has["has_version"]:
        compare(0, schema, where)  # of the first release, which had no number


def compare(version: int, schema: str, where: str) -> None:
    """Refuse a schema of this version if it is too old for this package; warn if it is newer.

    Raises
    ------
    SchemaMismatch
        If an upgrade is missing without which this package would not run.
    """
    missing = [upgrade for upgrade in upgrades() if upgrade.before and upgrade.number > version]
    if missing:
        steps = [
            upgrade.file.name for upgrade in upgrades() if version < upgrade.number <= missing[-1].number
        ]
        raise SchemaMismatch(
            f"schema {schema} of {where} is of version {version}, and this package needs {missing[-1].number}: "
            f"apply `psql -v schema={schema} -f schema/upgrades/{steps[0]}`"
            + "".join(f", then {step}" for step in steps[1:])
        )
    newest = max((upgrade.number for upgrade in upgrades()), default=version)
    if version > newest:
        tell(
            log,
            logging.WARNING,
            "schema is newer than this package; upgrade the package when you can",
            schema=schema,
            database=where,
            version=version,
            known=newest,
        )
