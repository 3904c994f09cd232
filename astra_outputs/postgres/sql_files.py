"""The SQL files: where they are, in which order they go, and how to apply them without psql.

A DBA applies `schema/install.sql` with psql. `apply` does the same through a connection, for
demonstrations, tests and laptops.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from astra_outputs.errors import MissingFile
from astra_outputs.names import check_name
from astra_outputs.postgres.boundaries import transaction
from astra_outputs.postgres.sql import quote

if TYPE_CHECKING:
    from astra_outputs.model.record import Record
    from astra_outputs.postgres.database import Connection

FOLDERS = (".", "schema", "schema/tables", "sql")
"""Where an author may keep a SQL file, seen from the module of the record class or one level up."""

_PACKAGE = Path(__file__).resolve().parents[1]
_PIECE = re.compile(
    r"""'[^']*'|"[^"]*"|\$(\w*)\$.*?\$\1\$|begin\s+atomic\b.*?;\s*end\b|--[^\n]*|/\*.*?\*/|;|\w+|\s+|.""",
    re.DOTALL | re.IGNORECASE,
)
_INCLUDE = re.compile(r"^\\ir\s+'?([^'\s]+)'?\s*$", re.MULTILINE)

# All that apply the schema wait for each other: `create ... if not exists` is no lock, and of two at
# once one would fail in the catalogue. Any number does, as long as it is always the same.
_LOCK = 5_317_209_464_110_857


def schema_dir() -> Path:
    """Return the folder that holds `install.sql`: the packaged one, else the working tree's.

    Raises
    ------
    MissingFile
        If the installation holds no SQL.
    """
    places = (_PACKAGE / "schema", _PACKAGE.parent / "schema")
    for place in places:
        if (place / "install.sql").is_file():
            return place
    looked = " and ".join(map(str, places))
    raise MissingFile(f"no install.sql in {looked}: install astra-outputs again")


def install_files() -> tuple[Path, ...]:
    """Return the files that `install.sql` includes, in its order.

    Raises
    ------
    MissingFile
        If it includes a file that does not exist.
    """
    install = schema_dir() / "install.sql"
    files = tuple(install.parent / name for name in _INCLUDE.findall(install.read_text(encoding="utf-8")))
    for file in files:
        if not file.is_file():
            raise MissingFile(f"{install} includes {file.relative_to(install.parent)}, which does not exist")
    return files


def sql_file(record_class: type[Record]) -> Path:
    """Return the SQL file of a record class.

    It is named after the table and lies beside the module that defines the class, in a folder
    `schema/`, `schema/tables/` or `sql/` there, or in any of these one level up; else it is one of
    the tables that this package brings.

    Raises
    ------
    MissingFile
        If there is none; the message lists where it was looked for.

    Examples
    --------
    >>> sql_file(TheCannon).name
    'the_cannon.sql'
    """
    name = f"{record_class.table}.sql"
    module = getattr(sys.modules.get(record_class.__module__), "__file__", None)
    home = Path(module).resolve().parent if module else Path.cwd()  # a notebook's classes have no module
    places = [(base / folder).resolve() for base in (home, home.parent) for folder in FOLDERS]
    places.append(schema_dir() / "tables")
    for place in dict.fromkeys(places):
        if (place / name).is_file():
            return place / name
    looked = "\n  ".join(str(place) for place in dict.fromkeys(places))
    raise MissingFile(f"{record_class.__name__} has no {name}; put it into one of these folders:\n  {looked}")


async def apply(
    connection: Connection, schema: str, files: Iterable[Path] | None = None, extra: Iterable[Path] = ()
) -> None:
    """Create the tables in one database schema, in one transaction; twice does no harm.

    Parameters
    ----------
    connection : asyncpg.Connection
        Its user may create the schema. A transaction open on it is joined, not ended.
    schema : str
        Name of the database schema, made if it does not exist.
    files : iterable of Path, optional
        SQL files in the order in which they depend on each other; those of `install.sql` if not given.
    extra : iterable of Path
        More files, applied after these: `extra=[sql_file(MyPipeline)]`.

    Raises
    ------
    asyncpg.PostgresError
        If a file does not run; nothing is kept of any of them, and a note names the file.
    """
    todo = [*(install_files() if files is None else files), *extra]
    scripts = [(file, file.read_text(encoding="utf-8")) for file in todo]
    name = quote(check_name(schema, "schema"))
    async with transaction(connection):
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
        before = await connection.fetchval("select current_setting('search_path')")
        # Asked first: `if not exists` wants the right to create even where the schema is there.
        if await connection.fetchval("select to_regnamespace($1) is null", name):
            await connection.execute(f"create schema {name}")
        await connection.execute("select set_config('search_path', $1, true)", name)
        for file, script in scripts:
            try:
                await run_script(connection, script)
            except Exception as error:
                error.add_note(f"in {file}")
                raise
        # The caller's own transaction, if there is one, goes on with the path that it had.
        await connection.execute("select set_config('search_path', $1, true)", before)


async def run_script(connection: Connection, script: str) -> None:
    """Run a script of SQL: at once, or one statement after the other on Citus, which takes no several at once."""
    citus = await connection.fetchval("select exists(select from pg_extension where extname = 'citus')")
    for statement in statements_of(script) if citus else [script]:
        await connection.execute(statement)


def statements_of(script: str) -> list[str]:
    """Return the statements of a script of SQL, one by one, without the comments between them."""
    statements = [""]
    for piece in _PIECE.finditer(script):
        if piece[0] == ";":
            statements.append("")
        elif not piece[0].startswith(("--", "/*")):
            statements[-1] += piece[0]
    return [statement.strip() for statement in statements if statement.strip()]
