"""The SQL files: which one belongs to a record class, and how they are applied without psql."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from waiting import waiting

from astra_outputs import PipelineOutputMixin, TheCannon, embedded
from astra_outputs.errors import MissingFile
from astra_outputs.postgres import sql_files

# What psql and `apply` must agree on: every column, constraint, index and comment of a schema.
CATALOGUE = """
    select c.relname, a.attname, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull, a.attidentity,
           a.attgenerated, pg_get_expr(d.adbin, d.adrelid) as default, col_description(c.oid, a.attnum) as comment,
           obj_description(c.oid) as title,
           (select array_agg(pg_get_constraintdef(oid) order by conname) from pg_constraint where conrelid = c.oid) as rules,
           (select array_agg(pg_get_indexdef(indexrelid) order by indexrelid) from pg_index where indrelid = c.oid) as indexes
    from pg_class as c
    join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0
    left join pg_attrdef as d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relnamespace = 'astra'::regnamespace and c.relkind = 'r'
    order by c.relname, a.attnum
"""


@pytest.fixture
async def empty(empty_database: str):
    connection = await asyncpg.connect(empty_database)
    yield connection
    await connection.close()


def define(folder: Path) -> type[PipelineOutputMixin]:
    """Write a module with a record class into a folder, as an outside author would, and import it."""
    module = folder / "wherever.py"
    module.write_text(
        "from astra_outputs import PipelineOutputMixin\nclass Wherever(PipelineOutputMixin):\n    'Results.'\n"
    )
    spec = importlib.util.spec_from_file_location(f"wherever_{uuid4().hex}", module)
    loaded = importlib.util.module_from_spec(spec)
    importlib.util.sys.modules[spec.name] = loaded
    spec.loader.exec_module(loaded)
    return loaded.Wherever


async def tables(connection: asyncpg.Connection) -> int:
    return await connection.fetchval(
        "select count(*) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
    )


# Bad input first.


def test_a_record_class_without_sql_is_refused_saying_where_the_file_may_lie(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"Wherever has no wherever\.sql") as caught:
        sql_files.sql_file(define(tmp_path))
    assert str(tmp_path / "sql") in str(caught.value)
    assert str(tmp_path.parent / "schema" / "tables") in str(caught.value)


def test_an_included_file_that_does_not_exist_is_refused(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "install.sql").write_text("\\ir tables/lost.sql\n")
    monkeypatch.setattr(sql_files, "schema_dir", lambda: tmp_path)
    with pytest.raises(MissingFile, match=r"install\.sql includes tables/lost\.sql"):
        sql_files.install_files()


def test_an_installation_without_sql_is_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sql_files, "_PACKAGE", tmp_path / "package")
    with pytest.raises(MissingFile, match=r"no install\.sql in"):
        sql_files.schema_dir()


async def test_a_file_that_does_not_run_is_named_and_leaves_nothing(empty, tmp_path: Path) -> None:
    broken = tmp_path / "broken.sql"
    broken.write_text("create table half_made (a bigint); create table (")
    with pytest.raises(asyncpg.PostgresSyntaxError) as caught:
        await sql_files.apply(empty, "astra", extra=[broken])
    assert caught.value.__notes__ == [f"in {broken}"]
    assert await tables(empty) == 0
    assert await empty.fetchval("select to_regnamespace('astra')") is None


# Where the files are.


@pytest.mark.parametrize(
    "place", [".", "schema", "schema/tables", "sql", "..", "../schema", "../schema/tables", "../sql"]
)
def test_the_sql_file_lies_beside_the_module_or_one_level_up(tmp_path: Path, place: str) -> None:
    package = tmp_path / "package"
    package.mkdir()
    file = (package / place).resolve() / "wherever.sql"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    assert sql_files.sql_file(define(package)) == file


def test_the_nearest_sql_file_counts(tmp_path: Path) -> None:
    package = tmp_path / "package"
    (package / "sql").mkdir(parents=True)
    for folder in (package / "sql", tmp_path):
        (folder / "wherever.sql").touch()
    assert sql_files.sql_file(define(package)) == package / "sql" / "wherever.sql"


def test_a_built_in_table_has_its_file_in_the_schema_folder() -> None:
    assert sql_files.sql_file(TheCannon) == sql_files.schema_dir() / "tables" / "the_cannon.sql"


def test_every_table_is_installed_exactly_once() -> None:
    installed = sorted(file for file in sql_files.install_files() if file.parent.name == "tables")
    assert installed == sorted((sql_files.schema_dir() / "tables").glob("*.sql"))


# Applying them.


@pytest.mark.usefixtures("plain_tables")
async def test_apply_makes_what_psql_makes(empty, connection) -> None:
    await sql_files.apply(empty, "astra")
    await empty.execute("set search_path to astra")  # names are printed as seen from the schema
    await connection.execute("set search_path to astra")
    assert await empty.fetch(CATALOGUE) == await connection.fetch(CATALOGUE)


async def test_apply_twice_keeps_the_rows(empty) -> None:
    await sql_files.apply(empty, "astra")
    await empty.execute("insert into astra.source (sdss_id) values (7)")
    await sql_files.apply(empty, "astra")
    assert await empty.fetchval("select sdss_id from astra.source") == 7


async def test_psql_applies_the_schema_twice_without_harm(database: str, connection, install) -> None:
    await connection.execute("insert into astra.source (sdss_id) values (7)")
    install(database)
    assert await connection.fetchval("select sdss_id from astra.source") == 7


async def test_two_that_apply_the_schema_at_once_wait_for_each_other(empty_database: str) -> None:
    command = [
        embedded.psql_program(),
        "-X",
        "-q",
        "-v",
        "schema=astra",
        "-f",
        sql_files.schema_dir() / "install.sql",
    ]
    watch = await asyncpg.connect(empty_database)
    await watch.execute("begin; select pg_advisory_xact_lock(5317209464110857)")
    both = [await asyncio.create_subprocess_exec(*command, empty_database) for _ in range(2)]
    async with asyncio.timeout(120):
        while await waiting(watch) < 2:
            pass
    await watch.execute("commit")
    assert [await one.wait() for one in both] == [0, 0]
    assert await watch.fetchval("select count(*) from astra.source") == 0
    await watch.close()


async def test_an_authors_table_is_applied_along_with_the_others(empty, tmp_path: Path) -> None:
    file = tmp_path / "wherever.sql"
    file.write_text("create table if not exists wherever (spectrum_pk bigint references spectrum (pk));")
    await sql_files.apply(empty, "astra", extra=[file])
    assert await empty.fetchval("select count(*) from astra.wherever") == 0


@pytest.mark.parametrize("schema", ["Astra 0.8", 'we"ird', "select", "a;drop schema public"])
async def test_any_name_is_a_schema(empty, schema: str) -> None:
    await sql_files.apply(empty, schema)
    homes = await empty.fetch("select distinct schemaname from pg_tables where tablename = 'the_cannon'")
    assert [home["schemaname"] for home in homes] == [schema]


async def test_a_callers_transaction_is_joined_and_keeps_its_search_path(empty) -> None:
    before = await empty.fetchval("show search_path")
    transaction = empty.transaction()
    await transaction.start()
    await sql_files.apply(empty, "astra")
    assert await empty.fetchval("show search_path") == before
    await transaction.rollback()
    assert await tables(empty) == 0


async def test_two_that_apply_at_once_wait_for_each_other(empty_database: str) -> None:
    connections = [await asyncpg.connect(empty_database) for _ in range(4)]
    try:
        await asyncio.gather(*(sql_files.apply(connection, "astra") for connection in connections))
        assert await connections[0].fetchval("select to_regclass('astra.aspcap') is not null")
    finally:
        for connection in connections:
            await connection.close()


async def test_a_schema_that_exists_needs_no_right_to_make_one(empty) -> None:
    role = f"astra_outputs_test_{uuid4().hex[:12]}"
    await empty.execute(f"create role {role}; create schema astra authorization {role}")
    try:
        await empty.execute(f"set role {role}")
        await sql_files.apply(empty, "astra")
        await empty.execute("reset role")
        assert await empty.fetchval("select tableowner from pg_tables where tablename = 'source'") == role
    finally:
        await empty.execute(f"reset role; drop owned by {role} cascade; drop role {role}")
