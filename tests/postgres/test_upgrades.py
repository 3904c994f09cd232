"""Upgrades: from the first release on, in order, once, and to the tables that the files of today make."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

import astra_outputs
from astra_outputs import ASPCAP, TheCannon, embedded
from astra_outputs.catalog import check_with_database
from astra_outputs.discover import record_classes
from astra_outputs.errors import CannotStart, SchemaMismatch
from astra_outputs.postgres import sql_files
from astra_outputs.postgres.schema_version import upgrades

ROOT = Path(__file__).parents[2]
FIRST = ROOT / "tests" / "data" / "first_release"
UPGRADES = [upgrade.file for upgrade in upgrades()]
BEFORE = [upgrade.file for upgrade in upgrades() if upgrade.before]
AFTER = [upgrade.file for upgrade in upgrades() if not upgrade.before]
ASPCAP_OF_0_6 = sql_files.schema_dir() / "upgrades" / "aspcap"
Psql = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def psql(empty_database: str) -> Psql:
    """Apply files to the test's database: `psql(file, file, schema="astra")`; an error is yours to look at."""
    try:
        program = embedded.psql_program()
    except CannotStart as error:
        pytest.skip(str(error))

    def run(
        *files: Path, dsn: str = empty_database, expect: str = "", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        variables = {"schema": "astra"} | variables
        given = [part for name, value in variables.items() if value for part in ("-v", f"{name}={value}")]
        done = subprocess.CompletedProcess([], 0, "", "")
        for file in files:
            command = [program, "-X", "-q", *given, "-f", file, dsn]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert (expect in done.stderr and done.returncode != 0) if expect else done.stderr == "", (
                done.stderr
            )
        return done

    return run


@pytest.fixture
async def connection(empty_database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(empty_database)
    yield connection
    await connection.close()


INSTALL = sql_files.schema_dir() / "install.sql"
NO_NAN = sql_files.schema_dir() / "add-ons" / "no_nan.sql"

SOURCES_OF_SPECTRA = sql_files.schema_dir() / "add-ons" / "sources_of_spectra.sql"


async def version(connection: asyncpg.Connection, schema: str = "astra") -> int:
    return await connection.fetchval(f"select max(version) from {schema}.schema_version")


# Bad input first.


@pytest.mark.parametrize("file", UPGRADES, ids=lambda file: file.stem)
async def test_an_upgrade_without_a_schema_or_of_a_strange_one_does_nothing(
    file: Path, psql: Psql, connection: asyncpg.Connection
):
    psql(file, schema="", expect="no schema given")
    psql(file, schema="nowhere", expect="there are no tables of astra_outputs in schema nowhere")
    await connection.execute("create schema theirs; create table theirs.source (pk serial primary key)")
    psql(file, schema="theirs", expect="there are no tables of astra_outputs in schema theirs")
    assert await connection.fetchval("select count(*) from pg_tables where schemaname = 'theirs'") == 1


@pytest.mark.parametrize("number", range(2, len(UPGRADES) + 1))
async def test_an_upgrade_out_of_order_says_which_is_next_and_does_nothing(
    number: int, psql: Psql, connection: asyncpg.Connection
):
    psql(FIRST / "install.sql")
    before = await catalogue(connection)
    done = psql(UPGRADES[number - 1], expect=f"is of version 0: upgrade {number} comes later")
    assert "0001 is next" in done.stderr
    assert await catalogue(connection) == before


async def test_an_upgrade_applied_twice_says_so_and_does_nothing(psql: Psql, connection: asyncpg.Connection):
    psql(FIRST / "install.sql", *UPGRADES)
    before = await catalogue(connection)
    for number, file in enumerate(UPGRADES, 1):
        psql(file, expect=f"has upgrade {number} already: it is of version {len(UPGRADES)}")
    assert await catalogue(connection) == before


async def test_an_upgrade_stopped_by_who_may_not_leaves_nothing_half_done(
    psql: Psql, connection: asyncpg.Connection, empty_database: str
):
    psql(FIRST / "install.sql")
    before = await catalogue(connection)
    user = f"nosy_{uuid4().hex[:8]}"
    await connection.execute(
        f"create role {user} login password 'secret'; grant all on schema astra to {user}"
    )
    try:
        parts = urlsplit(empty_database)
        dsn = parts._replace(netloc=f"{user}:secret@{parts.netloc.rpartition('@')[2]}").geturl()
        psql(UPGRADES[0], dsn=dsn, expect="must be owner of table apogee_coadded_spectrum_in_apstar")
        await connection.execute(f"drop owned by {user}")
        assert await catalogue(connection) == before
    finally:
        await connection.execute(f"drop owned by {user}; drop role {user}")


async def test_the_tables_are_not_installed_over_those_of_an_earlier_release(
    psql: Psql, connection: asyncpg.Connection
):
    psql(FIRST / "install.sql")
    before = await catalogue(connection)
    done = psql(INSTALL, expect="schema astra is of version 0, and these files are of version 4")
    assert "from 0001 on" in done.stderr
    assert await catalogue(connection) == before


async def test_rows_with_nan_stop_the_last_step_by_name_until_they_are_mended(
    psql: Psql, connection: asyncpg.Connection
):
    psql(FIRST / "install.sql")
    await connection.execute(
        "set search_path to astra; with made as (insert into spectrum default values returning pk) "
        "insert into the_cannon (spectrum_pk, v_astra, teff, logg) select pk, 6000, 'NaN', 4.5 from made"
    )
    psql(*BEFORE)
    psql(AFTER[0], expect='check constraint "the_cannon_no_nan_check" of relation "the_cannon" is violated')
    psql(NO_NAN, table="the_cannon", expect='table "the_cannon" holds NaN: teff (1 rows)')
    psql(NO_NAN, table="the_cannon", mend="1")
    psql(AFTER[0])
    assert tuple(await connection.fetchrow("select teff, logg from the_cannon")) == (None, 4.5)


# The files.


def test_the_upgrades_are_numbered_from_one_without_a_gap():
    assert [upgrade.number for upgrade in upgrades()] == list(range(1, len(UPGRADES) + 1))
    files = {path.name for path in UPGRADES[0].parent.glob("*.sql")}
    assert files == {path.name for path in UPGRADES}


@pytest.mark.parametrize("file", UPGRADES, ids=lambda file: file.stem)
def test_an_upgrade_says_how_it_runs_what_it_locks_and_how_it_is_undone(file: Path):
    header, _, body = file.read_text().partition("\n\n\\set")
    assert f"psql -v schema=astra -f schema/upgrades/{file.name}" in header
    assert all(word in header for word in ("Transaction: ", "Locks: ", "Undo", "Run it as "))
    assert f"\\set number {int(file.name[:4])}\n\\set upgrade {file.stem}\n\\ir parts/begin.sql" in body
    assert body.rstrip().endswith("\\ir parts/end.sql")
    # Set in a file that is included it would come too late: one more statement would run.
    assert body.startswith(" ON_ERROR_STOP on")


def test_the_table_files_know_how_many_upgrades_there_are():
    folder = sql_files.schema_dir()
    begins = re.search(r"is null then (\d+) else 0", (folder / "schema_version.sql").read_text())
    needed = re.search(r"needed constant integer := (\d+)", (folder / "schema_is_current.sql").read_text())
    assert (int(begins[1]), int(needed[1])) == (len(UPGRADES), max(u.number for u in upgrades() if u.before))


# Where they lead.


async def test_the_first_release_with_all_upgrades_is_what_the_table_files_make(
    psql: Psql, connection: asyncpg.Connection
):
    async with roles(connection, psql) as apply_roles:
        psql(FIRST / "install.sql")
        apply_roles(FIRST / "roles.sql")
        psql(*UPGRADES, INSTALL)
        apply_roles(sql_files.schema_dir() / "add-ons" / "roles.sql")
        upgraded = await catalogue(connection)
        await connection.execute("drop schema astra cascade")
        psql(INSTALL)
        apply_roles(sql_files.schema_dir() / "add-ons" / "roles.sql")
        made = await catalogue(connection)
    assert {kind: set(upgraded[kind]) ^ set(made[kind]) for kind in made} == {kind: set() for kind in made}
    assert min(map(len, made.values())) > 1


async def test_rows_and_who_may_read_them_stay_through_the_upgrades(
    psql: Psql, connection: asyncpg.Connection
):
    psql(FIRST / "install.sql")
    await connection.execute(
        "set search_path to astra; with made as (insert into spectrum default values returning pk) "
        "insert into apogee_coadded_spectrum_in_apstar "
        "(spectrum_pk, release, apred, obj, telescope, spectrum_flags) "
        "select pk, 'dr17', 'dr17', 'a', 'apo25m', 1 from made"
    )
    async with roles(connection, psql) as apply_roles:
        apply_roles(FIRST / "roles.sql")
        reader = f"{apply_roles.prefix}_reader"
        psql(*BEFORE)
        for name in ("apogee_coadded_spectrum_in_apstar", "apogee_coadded_spectrum_in_ap_star"):
            await connection.execute(f"set role {reader}")
            assert await connection.fetchval(f"select obj from {name}") == "a"
            assert await connection.fetchval(f"select flag_bad from {name}_quality")
            flag = f"has_flag('{name}', 'spectrum_flags', spectrum_flags, 'bad_pixels')"
            assert await connection.fetchval(f"select {flag} from {name}")
            await connection.execute("reset role")
        psql(*AFTER)
        with pytest.raises(asyncpg.UndefinedTableError):
            await connection.fetch("select obj from apogee_coadded_spectrum_in_apstar")
        assert await connection.fetchval("select obj from apogee_coadded_spectrum_in_ap_star") == "a"


async def test_spectra_learn_their_sources_by_the_upgrade_and_later_ones_by_the_add_on(
    psql: Psql, connection: asyncpg.Connection
):
    psql(FIRST / "install.sql")
    add = (
        "with made as (insert into spectrum default values returning pk), "
        "star as (insert into source (sdss_id) values ($1::text::bigint) returning pk) "
        "insert into {table} (spectrum_pk, source_pk, release, apred, obj, telescope, spectrum_flags) "
        "select made.pk, star.pk, 'dr17', 'dr17', $1::text, 'apo25m', 1 from made, star returning source_pk"
    )
    await connection.execute("set search_path to astra; insert into spectrum default values")
    old = await connection.fetchval(add.format(table="apogee_coadded_spectrum_in_apstar"), "101")
    psql(*BEFORE)
    known = "select source_pk from spectrum order by pk"
    assert [row[0] for row in await connection.fetch(known)] == [None, old]
    new = await connection.fetchval(add.format(table="apogee_coadded_spectrum_in_ap_star"), "102")
    psql(*[SOURCES_OF_SPECTRA] * 2)
    assert [row[0] for row in await connection.fetch(known)] == [None, old, new]
    psql(SOURCES_OF_SPECTRA, schema="", expect="no schema given")


async def test_an_index_that_was_left_invalid_is_built_anew(psql: Psql, connection: asyncpg.Connection):
    psql(FIRST / "install.sql", *UPGRADES[:2])
    await connection.execute(
        "set search_path to astra; "
        "create index apogee_coadded_spectrum_in_ap_star_obj_idx on apogee_coadded_spectrum_in_ap_star (apred)"
    )
    psql(UPGRADES[2])
    assert await connection.fetchval(
        "select pg_get_indexdef('apogee_coadded_spectrum_in_ap_star_obj_idx'::regclass) like '%(obj)'"
    )


async def test_columns_of_aspcap_in_0_6_come_and_go(psql: Psql, connection: asyncpg.Connection):
    psql(INSTALL)
    before = await catalogue(connection)
    psql(*[ASPCAP_OF_0_6 / "columns_of_0_6_add.sql"] * 2)
    with_them = await check_with_database(connection, "astra", [ASPCAP])
    assert {(found.column, found.aspect) for found in with_them.differences} == {
        (name, "column") for name in columns_of_0_6()
    }
    assert not any(found.stops_writing for found in with_them.differences)
    psql(*[ASPCAP_OF_0_6 / "columns_of_0_6_drop.sql"] * 2)
    assert await catalogue(connection) == before


def columns_of_0_6() -> list[str]:
    lines = (ROOT / "tests" / "data" / "data_model" / "aspcap_retired.csv").read_text().splitlines()
    return [line.partition(",")[0] for line in lines[1:]]


# Connecting.


async def test_an_older_schema_is_refused_with_both_numbers_and_the_files(psql: Psql, empty_database: str):
    psql(FIRST / "install.sql")
    with pytest.raises(SchemaMismatch) as caught:
        async with astra_outputs.connect(empty_database):
            pass
    message = str(caught.value)
    assert "is of version 0, and this package needs 4" in message
    assert "psql -v schema=astra -f schema/upgrades/0001_pre_names_as_upstream.sql`, then 0002_pre" in message
    assert "secret" not in message


async def test_a_schema_between_two_upgrades_names_those_that_are_left(psql: Psql, empty_database: str):
    psql(FIRST / "install.sql", UPGRADES[0])
    with pytest.raises(
        SchemaMismatch, match=r"version 1, .* needs 4: .*/0002_pre_no_nan\.sql`, then 0003_pre"
    ):
        async with astra_outputs.connect(empty_database):
            pass


async def test_what_may_come_later_stops_nobody(
    psql: Psql, empty_database: str, caplog: pytest.LogCaptureFixture
):
    psql(FIRST / "install.sql", *BEFORE)
    async with astra_outputs.connect(empty_database) as outputs:
        assert outputs is not None
    assert caplog.records == []


async def test_a_newer_schema_is_told_and_used(
    psql: Psql, connection: asyncpg.Connection, empty_database: str, caplog: pytest.LogCaptureFixture
):
    psql(INSTALL)
    await connection.execute("insert into astra.schema_version (version, upgrade) values (99, '0099_post_x')")
    with caplog.at_level(logging.WARNING):
        async with astra_outputs.connect(empty_database):
            pass
    (record,) = [record for record in caplog.records if "newer" in record.getMessage()]
    assert (record.facts["version"], record.facts["known"]) == (99, len(UPGRADES))


async def test_a_schema_of_ones_own_tables_has_no_version_and_needs_none(
    connection: asyncpg.Connection, empty_database: str
):
    await connection.execute("create schema astra; create table astra.mine (pk bigint)")
    async with astra_outputs.connect(empty_database) as outputs:
        assert outputs is not None


async def test_who_may_not_read_the_version_is_let_in(
    psql: Psql, connection: asyncpg.Connection, empty_database: str
):
    psql(INSTALL)
    user = f"nosy_{uuid4().hex[:8]}"
    await connection.execute(f"create role {user} login password 'secret'")
    try:
        parts = urlsplit(empty_database)
        dsn = parts._replace(netloc=f"{user}:secret@{parts.netloc.rpartition('@')[2]}").geturl()
        async with astra_outputs.connect(dsn) as outputs:
            assert outputs is not None
    finally:
        await connection.execute(f"drop role {user}")


# Yesterday's package.

STORES = """
import asyncio, sys
import astra_outputs
from astra_outputs import TheCannon, ApogeeCoaddedSpectrumInApStar, Source

class Spectrum:
    spectrum_pk, source_pk = 1, None

async def main():
    async with astra_outputs.connect(sys.argv[1]) as outputs:
        result = TheCannon.from_spectrum(Spectrum, v_astra="0.8.1", teff=5777.0)
        await outputs.save(result)
        print((await outputs.get_result(TheCannon, Spectrum)).teff)
        try:
            await outputs.save(ApogeeCoaddedSpectrumInApStar(
                release="dr17", apred="dr17", obj="b", telescope="apo25m"))
        except astra_outputs.errors.SchemaMismatch as error:
            print("refused")

asyncio.run(main())
"""


@pytest.fixture
def first_package(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run Python code with the package of the first release: `first_package(code, argument)`."""
    archive = subprocess.run(
        ["git", "-C", ROOT, "archive", "1ed4d1c", "astra_outputs", "schema"], capture_output=True, check=False
    )
    if archive.returncode:
        pytest.skip("needs the history of this repository")
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
        files.extractall(tmp_path, filter="data")
    return lambda *arguments: subprocess.run(
        [sys.executable, "-c", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": ""},
    )


async def test_the_first_package_goes_on_storing_results_between_pre_and_post(
    psql: Psql, connection: asyncpg.Connection, empty_database: str, first_package: Any
):
    psql(FIRST / "install.sql")
    await connection.execute("insert into astra.spectrum default values")
    psql(*BEFORE)
    done = first_package(STORES, empty_database)
    assert done.stdout.split() == ["5777.0", "refused"], done.stderr
    async with astra_outputs.connect(empty_database) as outputs:  # and today's reads it
        assert (await outputs.get_by_id(TheCannon, 1)).teff == 5777.0


async def test_what_was_upgraded_is_what_the_record_classes_say(psql: Psql, connection: asyncpg.Connection):
    psql(FIRST / "install.sql", *UPGRADES, INSTALL)
    checked = await check_with_database(connection, "astra", record_classes())
    assert checked.differences == ()
    assert await version(connection) == len(UPGRADES)


# What a schema holds.


class ApplyRoles:
    """Applies a file of roles under names that no other test has."""

    def __init__(self, psql: Psql) -> None:
        self.prefix = f"t{uuid4().hex[:12]}"
        self._psql = psql

    def __call__(self, file: Path) -> None:
        self._psql(file, roles=self.prefix)


@asynccontextmanager
async def roles(connection: asyncpg.Connection, psql: Psql) -> AsyncIterator[ApplyRoles]:
    apply_roles = ApplyRoles(psql)
    try:
        yield apply_roles
    finally:
        await connection.execute("reset role")
        names = ", ".join(f"{apply_roles.prefix}_{kind}" for kind in ("owner", "reader", "writer", "loader"))
        await connection.execute(f"drop owned by {names} cascade; drop role {names}")


async def catalogue(connection: asyncpg.Connection) -> dict[str, list[str]]:
    """Columns, constraints, indexes, comments, privileges and the rest of schema `astra`, in no order of columns."""
    await connection.execute("set search_path to astra")
    kinds = {kind: sorted(map(repr, await connection.fetch(sql))) for kind, sql in CATALOGUE.items()}
    await connection.execute("reset search_path")
    return kinds


IN_ASTRA = "relnamespace = 'astra'::regnamespace"
ACL = "array(select acl::text from unnest({}) as acl order by 1)"
CATALOGUE = {
    "relations": f"""
        select relname, relkind, relowner::regrole, reloptions, obj_description(oid, 'pg_class'),
            {ACL.format("relacl")}, case when relkind = 'v' then pg_get_viewdef(oid) end
        from pg_class where {IN_ASTRA}
    """,
    "columns": f"""
        select relname, attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated,
            pg_get_expr(adbin, adrelid), col_description(c.oid, attnum), {ACL.format("attacl")}
        from pg_class as c join pg_attribute on attrelid = c.oid and attnum > 0 and not attisdropped
        left join pg_attrdef on adrelid = c.oid and adnum = attnum
        where {IN_ASTRA} and relkind in ('r', 'v')
    """,
    "constraints": """
        select conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated from pg_constraint
        where connamespace = 'astra'::regnamespace
    """,
    "indexes": f"""
        select indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid
        from pg_index join pg_class as c on c.oid = indrelid where {IN_ASTRA}
    """,
    "functions": f"""
        select proname, pg_get_functiondef(oid), proowner::regrole, obj_description(oid, 'pg_proc'),
            {ACL.format("proacl")}
        from pg_proc where pronamespace = 'astra'::regnamespace
    """,
    "triggers": f"""
        select tgname, pg_get_triggerdef(t.oid) from pg_trigger as t join pg_class as c on c.oid = tgrelid
        where {IN_ASTRA} and not tgisinternal
    """,
}
