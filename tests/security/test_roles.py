"""Least privilege: what each role of schema/add-ons/roles.sql may do, and what the server itself refuses it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
from on_citus import CITUS_DSN, distribute_table

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar, Outcome, Outputs, Source, TheCannon, embedded
from astra_outputs.errors import CannotStart, PermissionDenied, UnknownReference
from astra_outputs.postgres import sql_files
from astra_outputs.spool.folder import Spool

KINDS = ("owner", "reader", "writer", "loader")


class Roles:
    """The roles of the test's schema, with a user in each, on one database."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        # Roles belong to the server, which other tests use at the same time.
        self.prefix = f"t{uuid4().hex[:12]}"

    def psql(
        self, file: str, *variables: str, dsn: str | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a file of schema/ with psql."""
        try:
            psql = embedded.psql_program()
        except CannotStart as error:
            pytest.skip(str(error))
        command = [psql, "-X", "-q", *variables, "-f", sql_files.schema_dir() / file, dsn or self.dsn]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, **environment}
        )

    def apply(self, *variables: str, dsn: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run roles.sql."""
        given = variables or ("-v", "schema=astra", "-v", f"roles={self.prefix}")
        return self.psql("add-ons/roles.sql", *given, dsn=dsn)

    def name(self, kind: str) -> str:
        return f"{self.prefix}_{kind}"

    def dsn_of(self, user: str) -> str:
        parts = urlsplit(self.dsn)
        return parts._replace(netloc=f"{user}:secret@{parts.netloc.rpartition('@')[2]}").geturl()

    @asynccontextmanager
    async def connection(self, kind: str) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(self.dsn_of(f"{self.prefix}_{kind}_user"))
        try:
            yield connection
        finally:
            await connection.close()

    def outputs(self, kind: str) -> Outputs:
        return astra_outputs.connect(self.dsn_of(f"{self.prefix}_{kind}_user"), retry_for=10.0)


@pytest.fixture
async def roles(database: str, connection: asyncpg.Connection) -> AsyncIterator[Roles]:
    """The roles, applied to the test's database, and dropped afterwards."""
    roles = Roles(database)
    done = roles.apply()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for kind in KINDS:
        await connection.execute(
            f"create role {roles.name(kind)}_user login password 'secret' in role {roles.name(kind)}"
        )
    yield roles
    names = ", ".join(roles.name(kind) + user for kind in KINDS for user in ("", "_user"))
    await connection.execute(f"reassign owned by {names} to current_user")
    await connection.execute(f"drop owned by {names}")
    await connection.execute(f"drop role {names}")


@pytest.fixture
def stray_role(connection: asyncpg.Connection, database: str) -> Iterator[str]:
    """A name for a role that the test makes, dropped afterwards."""
    name = f"t{uuid4().hex[:12]}"
    yield name
    subprocess.run(
        [
            embedded.psql_program(),
            "-X",
            "-q",
            "-c",
            f"drop owned by {name}",
            "-c",
            f"drop role {name}",
            database,
        ],
        check=True,
        capture_output=True,
    )


@pytest.fixture
async def result(outputs: Outputs, spectrum: Any) -> TheCannon:
    """One stored result."""
    return await outputs.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.2", teff=5777.0))


# Bad calls of the file.


def test_the_file_wants_the_name_of_a_schema(database: str) -> None:
    done = Roles(database).apply("-v", "roles=whoever")
    assert done.returncode != 0
    assert "psql -v schema=astra" in done.stderr


async def test_a_missing_schema_is_refused_and_no_role_is_left(database: str, connection: Any) -> None:
    roles = Roles(database)
    done = roles.apply("-v", "schema=nowhere", "-v", f"roles={roles.prefix}")
    assert done.returncode != 0
    assert "there is no schema nowhere" in done.stderr
    assert await connection.fetchval("select count(*) from pg_roles where rolname ^@ $1", roles.prefix) == 0


def test_a_name_that_postgresql_would_cut_is_refused(database: str) -> None:
    done = Roles(database).apply("-v", "schema=astra", "-v", "roles=" + 57 * "r")
    assert done.returncode != 0
    assert "too long for a role" in done.stderr


async def test_a_user_of_a_roles_name_is_not_taken_for_it(database: str, connection: Any) -> None:
    roles = Roles(database)
    await connection.execute(f"create role {roles.name('writer')} login")
    try:
        done = roles.apply()
        assert done.returncode != 0
        assert f"role {roles.name('writer')} exists and is a user" in done.stderr
    finally:
        await connection.execute(f"drop role {roles.name('writer')}")


# What a worker must never do. Each statement is one that the owner can run.

FORBIDDEN = {
    "a key of its choice": "insert into astra.the_cannon (task_pk, spectrum_pk, v_astra)"
    " overriding system value values (99, {spectrum}, 9000)",
    "another key for a row": "update astra.the_cannon set task_pk = default",
    "a time of creation": "insert into astra.the_cannon (spectrum_pk, v_astra, created)"
    " values ({spectrum}, 9000, now())",
    "another time of creation": "update astra.the_cannon set created = now()",
    "another spectrum's key": "update astra.the_cannon set spectrum_pk = spectrum_pk",
    "another spectrum's key by upsert": "insert into astra.the_cannon (spectrum_pk, v_astra)"
    " values ({spectrum}, 6002) on conflict (spectrum_pk, v_astra_major_minor)"
    " do update set spectrum_pk = excluded.spectrum_pk",
    "another spectrum's key by merge": "merge into astra.the_cannon t using (select 1) s on true"
    " when matched then update set spectrum_pk = t.spectrum_pk",
    "another version": "update astra.the_cannon set v_astra = 9001",
    "another version by upsert": "insert into astra.the_cannon (spectrum_pk, v_astra) values ({spectrum}, 6002)"
    " on conflict (spectrum_pk, v_astra_major_minor) do update set v_astra = 9001",
    "another version by merge": "merge into astra.the_cannon t using (select 1) s on true"
    " when matched then update set v_astra = 9001",
    "a time that never comes": "update astra.the_cannon set modified = 'infinity'",
    "a time before all others": "update astra.the_cannon set modified = '-infinity'",
    "a time that has not come": "update astra.the_cannon set modified = now() + interval '1 minute'",
    "delete": "delete from astra.the_cannon",
    "delete by merge": "merge into astra.the_cannon using (select 1) s on true when matched then delete",
    "truncate": "truncate astra.the_cannon",
    "drop": "drop table astra.the_cannon cascade",
    "alter": "alter table astra.the_cannon alter teff set not null",
    "no constraint": "alter table astra.the_cannon drop constraint the_cannon_spectrum_version_key",
    "no triggers": "alter table astra.the_cannon disable trigger all",
    "a table": "create table astra.mine (a integer)",
    "an index": "create index on astra.the_cannon (teff)",
    "a trigger": "create trigger mine before insert on astra.the_cannon for each row"
    " execute function suppress_redundant_updates_trigger()",
    "a function": "create function astra.mine() returns integer language sql return 1",
    "a schema": "create schema mine",
    "a comment": "comment on table astra.the_cannon is 'mine'",
    "a source": "insert into astra.source (sdss_id) values (77)",
    "another source": "update astra.source set ra = 0",
    "no source": "delete from astra.source where false",
    "a spectrum": "insert into astra.spectrum (pk) values (77)",
    "a number of a spectrum": "select nextval('astra.spectrum_pk_seq')",
    "another spectrum": "update astra.apogee_coadded_spectrum_in_ap_star set snr = 0",
    "no spectrum": "delete from astra.spectrum where false",
    "a flag": "insert into astra.flag_definition values ('the_cannon', 'result_flags', 5, 'mine', '')",
    "the owner's rights": "set role {prefix}_owner",
    "the loader's rights": "set role {prefix}_loader",
    "a role": "create role {prefix}_mine",
    "a file of the server": "copy astra.the_cannon (spectrum_pk, v_astra) from program 'true'",
    "no write-ahead log": "alter table astra.the_cannon set unlogged",
}


REFUSED_TO_ALL = {
    "another key for a row",
    "another spectrum's key by merge",
    "another version by merge",
    "delete by merge",
    "a time that has not come",
}
"""What Citus can do for nobody; and a time within a minute, since servers' clocks differ."""


@pytest.mark.parametrize("what", FORBIDDEN)
async def test_the_server_refuses_the_writer(
    roles: Roles, result: TheCannon, connection: asyncpg.Connection, what: str
) -> None:
    statement = FORBIDDEN[what]
    if CITUS_DSN and what in REFUSED_TO_ALL:
        pytest.skip("on Citus this is otherwise")
    sql = statement.format(spectrum=result.spectrum_pk, prefix=roles.prefix)
    async with roles.connection("writer") as writer:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await writer.execute(sql)

    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(sql)  # nothing but the missing right stood in the way
    await transaction.rollback()


async def test_the_writer_is_told_which_right_it_lacks_to_save_a_source(roles: Roles) -> None:
    async with roles.outputs("writer") as outputs:
        with pytest.raises(PermissionDenied, match=r"source.*schema/add-ons/roles\.sql"):
            await outputs.save(Source(sdss_id=1))


async def test_the_writer_cannot_save_a_spectrum(roles: Roles, spectrum: Any) -> None:
    async with roles.outputs("writer") as outputs:
        with pytest.raises(PermissionDenied):
            await outputs.save(spectrum)


@pytest.mark.parametrize(
    "sql",
    [
        "insert into astra.the_cannon (spectrum_pk, v_astra) values ({spectrum}, 9000)",
        "update astra.the_cannon set teff = 1",
        "update astra.source set ra = 0",
        "delete from astra.the_cannon",
        "create table astra.mine (a integer)",
    ],
)
@pytest.mark.parametrize("kind", ["reader"])
async def test_the_server_refuses_the_reader(roles: Roles, result: TheCannon, kind: str, sql: str) -> None:
    async with roles.connection(kind) as reader:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.execute(sql.format(spectrum=result.spectrum_pk))


@pytest.mark.parametrize(
    "sql",
    [
        "insert into astra.the_cannon (spectrum_pk, v_astra) values ({spectrum}, 9000)",
        "update astra.the_cannon set teff = 1",
        "update astra.apogee_coadded_spectrum_in_ap_star set spectrum_pk = spectrum_pk",
        "update astra.source set pk = pk",
        "update astra.spectrum set pk = pk",
        "delete from astra.source where false",
        "truncate astra.source cascade",
    ],
)
async def test_the_server_refuses_the_loader(roles: Roles, result: TheCannon, sql: str) -> None:
    async with roles.connection("loader") as loader:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await loader.execute(sql.format(spectrum=result.spectrum_pk))


async def test_who_is_in_no_role_sees_nothing(roles: Roles, connection: Any, stray_role: str) -> None:
    await connection.execute(f"create role {stray_role} login password 'secret'")
    stranger = await asyncpg.connect(roles.dsn_of(stray_role))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await stranger.fetch("select * from astra.the_cannon")
    await stranger.close()


# What each of them may do.


async def test_the_writer_stores_and_replaces_one_result(roles: Roles, spectrum: Any) -> None:
    async with roles.outputs("writer") as outputs:
        first = await outputs.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.2", teff=5000.0))
        again = await outputs.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.3", teff=6000.0))
        stored = await outputs.get_result(TheCannon, spectrum)
    assert (first.outcome, again.outcome) == (Outcome.INSERTED, Outcome.REPLACED)
    assert stored is not None
    assert (stored.task_pk, stored.created, stored.teff) == (first.task_pk, first.created, 6000.0)


@pytest.mark.parametrize("n", [3, 150], ids=["at once", "by copy and merge"])
async def test_the_writer_stores_many_results(
    roles: Roles, spectra: Any, n: int, connection: asyncpg.Connection
) -> None:
    # On a server where not everybody may make temporary tables.
    await connection.execute(
        "do $$ begin execute format('revoke temporary on database %I from public', current_database()); end $$"
    )
    assert roles.apply().returncode == 0
    kept = await spectra(n)
    async with roles.outputs("writer") as outputs:
        for teff, expected in ((5000.0, Outcome.INSERTED), (6000.0, Outcome.REPLACED)):
            results = [TheCannon.from_spectrum(spectrum, v_astra="0.6.2", teff=teff) for spectrum in kept]
            report = await outputs.save_many(results, atomic=teff == 6000.0)
            assert report.counts == {expected: n}


@pytest.mark.parametrize("n", [3, 150], ids=["at once", "by copy and merge"])
async def test_the_guards_work_for_the_writer(roles: Roles, spectra: Any, n: int) -> None:
    kept = await spectra(n)

    def results(version: str) -> list[TheCannon]:
        return [TheCannon.from_spectrum(spectrum, v_astra=version, teff=5000.0) for spectrum in kept]

    async with roles.outputs("writer") as outputs:
        await outputs.save_many(results("0.6.2"))
        same = await outputs.save_many(results("0.6.2"), skip_unchanged=True)
        older = await outputs.save_many(results("0.6.1"), keep_newer=True)
    assert same.counts == {Outcome.UNCHANGED: n}
    assert older.counts == {Outcome.KEPT: n}


async def test_the_writer_sees_what_is_pending(roles: Roles, spectra: Any) -> None:
    first, second = await spectra(2)
    async with roles.outputs("writer") as outputs:
        await outputs.save(TheCannon.from_spectrum(first, v_astra="0.6.2"))
        pending = [
            spectrum.spectrum_pk
            async for spectrum in outputs.pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra="0.6.2")
        ]
    assert pending == [second.spectrum_pk]


async def test_the_writer_stores_a_table(roles: Roles, spectra: Any) -> None:
    kept = await spectra(20)
    columns = {
        "spectrum_pk": [spectrum.spectrum_pk for spectrum in kept],
        "source_pk": [spectrum.source_pk for spectrum in kept],
        "teff": [5000.0] * 20,
    }
    async with roles.outputs("writer") as outputs:
        for outcome in (Outcome.INSERTED, Outcome.REPLACED):
            report = await outputs.save_table(TheCannon, columns, v_astra="0.6.2")
            assert report.counts == {outcome: 20}


async def test_the_good_rows_of_the_writer_are_stored_without_the_bad(roles: Roles, spectra: Any) -> None:
    good = [TheCannon.from_spectrum(spectrum, v_astra="0.6.2") for spectrum in await spectra(20)]
    async with roles.outputs("writer") as outputs:
        report = await outputs.save_many(
            [*good, TheCannon(spectrum_pk=999_999, v_astra="0.6.2")], on_error="collect"
        )
    assert report.counts == {Outcome.INSERTED: 20, Outcome.REJECTED: 1}


async def test_the_writer_runs_a_pipeline_and_replays_its_spool(
    roles: Roles, spectra: Any, tmp_path: Path
) -> None:
    def pipeline(spectra: Any) -> Iterator[TheCannon]:
        for spectrum in spectra:
            yield TheCannon.from_spectrum(spectrum, teff=5000.0)

    kept = await spectra(20)
    async with roles.outputs("writer") as outputs:
        await outputs.run(pipeline, kept, v_astra="0.8.1", spool=tmp_path)
        spooled = [TheCannon.from_spectrum(one, v_astra="0.9.0", teff=1.0) for one in kept]
        Spool(tmp_path).write(spooled, datetime.now(UTC))
        await outputs.replay(tmp_path)
        assert await outputs.get_result(TheCannon, kept[0], v_astra="0.8.1") is not None
        assert await outputs.get_result(TheCannon, kept[0], v_astra="0.9.0") is not None


async def test_the_writer_is_still_told_of_an_unknown_spectrum(roles: Roles, spectrum: Any) -> None:
    spectrum.__dict__["spectrum_pk"] = 999_999
    async with roles.outputs("writer") as outputs:
        with pytest.raises(UnknownReference, match="999999"):
            await outputs.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.2"))


@pytest.mark.parametrize("n", [1, 150], ids=["one", "by copy and merge"])
async def test_the_loader_stores_sources_and_spectra(roles: Roles, n: int) -> None:
    async with roles.outputs("loader") as outputs:
        for outcome in (Outcome.INSERTED, Outcome.REPLACED):
            sources = [Source(sdss_id=number, sdss4_apogee_id=f"2M{number}") for number in range(1, n + 1)]
            assert (await outputs.save_many(sources)).counts == {outcome: n}
            spectra = [
                ApogeeCoaddedSpectrumInApStar(
                    source_pk=source.pk, release="dr17", apred="dr17", obj=source.sdss4_apogee_id,
                    telescope="apo25m", field="f",
                )
                for source in sources
            ]  # fmt: skip
            assert (await outputs.save_many(spectra)).counts == {outcome: n}


async def test_the_reader_reads_results_views_and_flags(roles: Roles, result: TheCannon) -> None:
    async with roles.outputs("reader") as outputs:
        assert await outputs.get_by_id(TheCannon, result.task_pk or 0) == result
    async with roles.connection("reader") as reader:
        assert await reader.fetchval("select flag_warn from astra.the_cannon_quality") is False
        names = "select astra.flag_names('the_cannon', 'result_flags', 1)"
        assert await reader.fetchval(names) == ["fitting_failure"]


# Running the file again.


async def test_a_table_that_was_added_is_the_writers_after_another_run(
    roles: Roles, spectrum: Any, other_pipeline: Any
) -> None:
    async with roles.outputs("writer") as outputs:
        with pytest.raises(PermissionDenied):
            await outputs.save(other_pipeline.from_spectrum(spectrum, v_astra="0.6.2"))
        assert roles.apply().returncode == 0
        saved = await outputs.save(other_pipeline.from_spectrum(spectrum, v_astra="0.6.2"))
    assert saved.outcome is Outcome.INSERTED


async def test_the_owner_may_add_tables_and_run_the_file(
    roles: Roles, connection: asyncpg.Connection, spectrum: Any, other_pipeline: Any
) -> None:
    await connection.execute("drop table astra.other_pipeline")
    async with roles.connection("owner") as owner:
        await owner.execute(f"set role {roles.name('owner')}")
        await sql_files.apply(owner, "astra", extra=[sql_files.sql_file(other_pipeline)])
    await distribute_table(connection, "other_pipeline")
    done = roles.apply(dsn=roles.dsn_of(f"{roles.prefix}_owner_user"))
    assert (done.returncode, done.stderr) == (0, "")
    async with roles.outputs("writer") as outputs:
        await outputs.save(other_pipeline.from_spectrum(spectrum, v_astra="0.6.2"))


async def test_the_owner_may_bring_the_tables_up_to_date(roles: Roles) -> None:
    async with roles.connection("owner") as owner:
        await owner.execute(f"set role {roles.name('owner')}")
        await sql_files.apply(owner, "astra")
    done = roles.psql(
        "install.sql",
        *("-v", "schema=astra"),
        dsn=roles.dsn_of(f"{roles.prefix}_owner_user"),
        PGOPTIONS=f"-c role={roles.name('owner')}",
    )
    assert (done.returncode, done.stderr) == (0, "")


async def test_rights_that_somebody_added_are_taken_away(
    roles: Roles, connection: asyncpg.Connection, result: TheCannon
) -> None:
    writer = roles.name("writer")
    await connection.execute(f"grant delete, update (spectrum_pk) on astra.the_cannon to {writer}")
    await connection.execute(f"grant create on schema astra to {writer}")
    assert roles.apply().returncode == 0
    async with roles.connection("writer") as worker:
        for sql in (FORBIDDEN["delete"], FORBIDDEN["another spectrum's key"], FORBIDDEN["a table"]):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await worker.execute(sql)


async def test_what_everybody_was_given_is_taken_away(
    roles: Roles, connection: asyncpg.Connection, result: TheCannon, stray_role: str
) -> None:
    await connection.execute(f"create role {stray_role} login password 'secret'")
    for right in ("all on astra.the_cannon", "all on schema astra", "update (teff) on astra.the_cannon"):
        await connection.execute(f"grant {right} to public")
    await connection.execute("grant all on sequence astra.spectrum_pk_seq to public")
    assert roles.apply().returncode == 0
    stranger = await asyncpg.connect(roles.dsn_of(stray_role))
    for sql in (
        "select 1 from astra.the_cannon",
        FORBIDDEN["delete"],
        "update astra.the_cannon set teff = 1",
        FORBIDDEN["a table"],
        FORBIDDEN["a number of a spectrum"],
        "select astra.has_flag('the_cannon', 'result_flags', 1, 'low_snr')",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await stranger.execute(sql)
    await stranger.close()
    left = await connection.fetchval(
        "select count(*) from pg_class c, aclexplode(c.relacl) a where relnamespace = 'astra'::regnamespace"
        " and a.grantee = 0"
    )
    assert left == 0


async def test_the_writer_stores_a_patch_and_a_new_version(roles: Roles, spectrum: Any) -> None:
    async with roles.outputs("writer") as outputs:
        outcomes = [
            (await outputs.save(TheCannon.from_spectrum(spectrum, v_astra=version))).outcome
            for version in ("0.8.0", "0.8.1", "0.9.0")
        ]
    assert outcomes == [Outcome.INSERTED, Outcome.REPLACED, Outcome.INSERTED]


async def test_everything_in_the_schema_is_the_owners(roles: Roles, connection: asyncpg.Connection) -> None:
    owners = await connection.fetch(
        "select nspowner::regrole::text from pg_namespace where nspname = 'astra'"
        " union select relowner::regrole::text from pg_class where relnamespace = 'astra'::regnamespace"
        " union select proowner::regrole::text from pg_proc where pronamespace = 'astra'::regnamespace"
    )
    assert [row[0] for row in owners] == [roles.name("owner")]


async def test_no_superuser_is_needed(
    database: str, connection: asyncpg.Connection, stray_role: str, spectrum: Any
) -> None:
    """On a managed server the owner of the database may create roles, and is not a superuser."""
    roles = Roles(database)
    await connection.execute(f"create role {stray_role} login createrole password 'secret'")
    await connection.execute(
        "do $$ begin execute format('alter database %I owner to "
        + stray_role
        + "', current_database()); end $$"
    )
    await connection.execute("drop schema astra cascade")
    dba = await asyncpg.connect(roles.dsn_of(stray_role))
    await sql_files.apply(dba, "astra")
    for _ in range(2):
        done = roles.apply(dsn=roles.dsn_of(stray_role))
        assert (done.returncode, done.stderr) == (0, "")
    names = ", ".join(map(roles.name, KINDS))
    assert await dba.fetchval("select has_schema_privilege($1, 'astra', 'create')", roles.name("owner"))
    assert not await dba.fetchval(
        "select has_database_privilege($1, current_database(), 'create')", roles.name("owner")
    )
    await dba.close()
    await connection.execute(f"reassign owned by {names} to current_user")
    await connection.execute(f"drop owned by {names}")
    await connection.execute(f"drop role {names}")
    await connection.execute(f"reassign owned by {stray_role} to current_user")
