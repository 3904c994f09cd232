"""The add-on that keeps what was replaced: what it keeps, how it is read, and that nobody can change it."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

import astra_outputs
from astra_outputs import (
    BigInt,
    Boolean,
    Bytes,
    Double,
    Flags,
    Integer,
    NullableFlags,
    Outputs,
    PipelineOutputMixin,
    Real,
    RealArray,
    RequiredInteger,
    Source,
    Text,
    TheCannon,
    Timestamp,
    column,
    embedded,
)
from astra_outputs.cli import main
from astra_outputs.errors import CannotStart, InvalidRecord, SchemaMismatch, WrongRecordClass
from astra_outputs.postgres import sql_files

pytestmark = pytest.mark.usefixtures("plain_tables")  # Citus keeps no history: the add-on says so
PAGE = Path(__file__).parents[2] / "docs" / "history.md"


def psql(dsn: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    try:
        program = embedded.psql_program()
    except CannotStart as error:
        pytest.skip(str(error))
    return subprocess.run([program, "-X", "-q", *arguments, dsn], capture_output=True, text=True, check=False)


def switch_on(dsn: str, *variables: str) -> subprocess.CompletedProcess[str]:
    """Apply history.sql."""
    given = variables or ("-v", "schema=astra")
    return psql(dsn, *given, "-f", sql_files.schema_dir() / "add-ons/history.sql")


async def switch_off(connection: asyncpg.Connection) -> None:
    """Do what history.sql says to undo it."""
    text = (sql_files.schema_dir() / "add-ons/history.sql").read_text()
    for statement in re.findall(r"^--     (drop .*)$", text, re.MULTILINE):
        await connection.execute(statement)


@pytest.fixture
def kept(database: str) -> str:
    """DSN of a database that keeps the history of its results."""
    done = switch_on(database)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return database


@pytest.fixture
def result(spectrum: Any) -> Callable[..., TheCannon]:
    def result(teff: float | None, version: str = "0.6.2", **values: Any) -> TheCannon:
        return TheCannon.from_spectrum(spectrum, v_astra=version, teff=teff, **values)

    return result


# Bad calls.


def test_the_file_wants_the_name_of_a_schema(database: str) -> None:
    done = switch_on(database, "-v", "other=astra")
    assert done.returncode != 0
    assert "psql -v schema=astra" in done.stderr


async def test_a_schema_without_history_says_how_to_switch_it_on(outputs: Outputs, result: Any) -> None:
    stored = await outputs.save(result(5000.0))
    with pytest.raises(
        SchemaMismatch, match=r"keeps no history.*-v schema=astra -f schema/add-ons/history\.sql"
    ):
        await outputs.history(stored)


async def test_a_result_that_was_never_stored_is_refused(kept: str, outputs: Outputs, result: Any) -> None:
    with pytest.raises(InvalidRecord, match="save it or get it first"):
        await outputs.history(result(5000.0))


async def test_a_source_has_no_history(kept: str, outputs: Outputs) -> None:
    source = await outputs.save(Source(sdss_id=1))
    with pytest.raises(WrongRecordClass, match="pipeline's results"):
        await outputs.history(source)  # type: ignore[type-var]


# What is kept.


async def test_a_new_result_has_no_history(kept: str, outputs: Outputs, result: Any) -> None:
    stored = await outputs.save(result(5000.0))
    assert await outputs.history(stored) == []


async def test_a_replaced_result_is_kept_with_who_when_and_what(
    kept: str, outputs: Outputs, connection: asyncpg.Connection, result: Any
) -> None:
    first = (await outputs.save(result(5000.5, "0.6.1", logg=4.25, tag="it's"))).model_copy()
    second = await outputs.save(result(6000.5, "0.6.2", logg=4.25, tag="it's", flag_fitting_failure=True))
    (change,) = await outputs.history(second)
    assert change.event == "replaced"
    assert change.time == second.modified
    assert change.user == await connection.fetchval("select session_user")
    assert change.before == first
    assert change.changed == {
        "v_astra": (6001, 6002),
        "teff": (5000.5, 6000.5),
        "result_flags": (0, 1),
    }


async def test_the_latest_change_comes_first(kept: str, outputs: Outputs, result: Any) -> None:
    for teff in (1.0, 2.0, 3.0, 4.0):
        stored = await outputs.save(result(teff))
    changes = await outputs.history(stored)
    assert [change.changed["teff"] for change in changes] == [(3.0, 4.0), (2.0, 3.0), (1.0, 2.0)]


async def test_a_value_that_was_measured_for_the_first_time_or_lost_is_a_change(
    kept: str, outputs: Outputs, result: Any
) -> None:
    for teff in (None, 5000.0, None):
        stored = await outputs.save(result(teff))
    changes = await outputs.history(stored)
    assert [change.changed for change in changes] == [{"teff": (5000.0, None)}, {"teff": (None, 5000.0)}]


async def test_the_same_again_is_kept_as_a_change_of_nothing(
    kept: str, outputs: Outputs, result: Any
) -> None:
    await outputs.save(result(5000.0))
    stored = await outputs.save(result(5000.0))
    (change,) = await outputs.history(stored)
    assert change.changed == {}


async def test_what_a_guard_left_as_it_was_has_no_history(kept: str, outputs: Outputs, result: Any) -> None:
    await outputs.save(result(5000.0))
    await outputs.save(result(5000.0), skip_unchanged=True)
    stored = await outputs.save(result(6000.0, "0.6.1"), keep_newer=True)
    assert await outputs.history(stored) == []


async def test_another_version_is_no_replacement(kept: str, outputs: Outputs, result: Any) -> None:
    await outputs.save(result(5000.0, "0.6.2"))
    stored = await outputs.save(result(6000.0, "0.7.0"))
    assert await outputs.history(stored) == []


async def test_every_row_of_a_batch_is_kept(kept: str, outputs: Outputs, spectra: Any) -> None:
    stars = await spectra(40)
    for teff in (5000.0, 6000.0):
        results = [TheCannon.from_spectrum(star, v_astra="0.6.2", teff=teff + star.pk) for star in stars]
        await outputs.save_many(results)
    for stored in results:
        (change,) = await outputs.history(stored)
        assert change.before.teff == (stored.teff or 0) - 1000.0


class EveryType(PipelineOutputMixin):
    """Results with a column of every type."""

    a_real: Real = column(description="A real")
    a_double: Double = column(description="A double")
    an_integer: Integer = column(description="An integer")
    a_bigint: BigInt = column(description="A bigint")
    a_text: Text = column(description="A text")
    a_boolean: Boolean = column(description="A boolean")
    a_time: Timestamp = column(description="A time")
    some_bytes: Bytes = column(description="Some bytes")
    some_reals: RealArray = column(description="Some reals")
    a_status: RequiredInteger = column(description="A status", default=-1)
    result_flags: Flags = column(description="Flags of the result")
    other_flags: NullableFlags = column(description="Other flags")


@pytest.fixture
async def every_type(connection: asyncpg.Connection, database: str) -> type[EveryType]:
    await sql_files.apply(connection, "astra", files=[sql_files.sql_file(EveryType)])
    assert switch_on(database).returncode == 0
    return EveryType


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_type_of_column_comes_back_as_it_was(
    every_type: Any, outputs: Outputs, spectrum: Any, filled: Any, seed: int
) -> None:
    first = (await outputs.save(filled(every_type, spectrum, seed))).model_copy()
    second = await outputs.save(filled(every_type, spectrum, seed + 1))
    (change,) = await outputs.history(second)
    assert change.before == first
    assert change.changed.keys() >= EveryType.__annotations__.keys()


@pytest.mark.parametrize(
    "values",
    [
        {"a_real": 0.1, "a_double": 0.1, "some_reals": [0.1, None, 3e38]},
        {"a_real": -(2 - 2**-23) * 2.0**127, "a_double": 1.7976931348623157e308, "a_bigint": 2**63 - 1},
        {"a_real": 1e-45, "a_double": 5e-324, "a_bigint": -(2**63), "result_flags": 2**62},
        {"a_text": "\"\\'{}\n\u202e\U0001f4ab", "some_bytes": bytes(range(256)), "some_reals": []},
        {"a_time": datetime(1, 1, 2, tzinfo=UTC)},
        {"a_time": datetime(9999, 12, 30, 23, 59, 59, 999999, tzinfo=UTC)},
    ],
)
async def test_extreme_values_come_back_as_they_were(
    every_type: Any, outputs: Outputs, spectrum: Any, values: dict[str, Any]
) -> None:
    first = await outputs.save(every_type.from_spectrum(spectrum, v_astra="0.6.2", **values))
    stored = await outputs.get_by_id(every_type, first.task_pk)
    second = await outputs.save(every_type.from_spectrum(spectrum, v_astra="0.6.2"))
    (change,) = await outputs.history(second)
    assert change.before == stored


async def test_a_deleted_result_is_kept_whole(
    kept: str, outputs: Outputs, connection: asyncpg.Connection, result: Any
) -> None:
    await outputs.save(result(5000.0))
    stored = await outputs.save(result(6000.0))
    await connection.execute("delete from astra.the_cannon")
    deleted, replaced = await outputs.history(stored)
    assert (deleted.event, deleted.before, deleted.changed) == ("deleted", stored, {})
    assert (replaced.event, replaced.changed) == ("replaced", {"teff": (5000.0, 6000.0)})


async def test_what_is_undone_leaves_no_history(
    kept: str, connection: asyncpg.Connection, outputs: Outputs, result: Any
) -> None:
    stored = await outputs.save(result(5000.0))
    transaction = connection.transaction()
    await transaction.start()
    async with astra_outputs.connect(connection=connection) as inside:
        await inside.save(result(6000.0))
        assert len(await inside.history(stored)) == 1
    await transaction.rollback()
    assert await outputs.history(stored) == []


# Tables that come, go and change.


async def test_a_table_that_was_added_is_kept_after_another_run(
    kept: str, outputs: Outputs, spectrum: Any, other_pipeline: Any
) -> None:
    async def save(teff: float) -> Any:
        return await outputs.save(other_pipeline.from_spectrum(spectrum, v_astra="0.6.2", teff=teff))

    await save(5000.0)
    assert await outputs.history(await save(6000.0)) == []
    assert switch_on(kept).returncode == 0
    (change,) = await outputs.history(await save(7000.0))
    assert change.changed == {"teff": (6000.0, 7000.0)}


async def test_rows_kept_before_a_column_was_added_or_dropped_are_still_read(
    kept: str, outputs: Outputs, connection: asyncpg.Connection, spectrum: Any, other_pipeline: Any
) -> None:
    await connection.execute("alter table astra.other_pipeline drop column result_flags, add extra integer")
    assert switch_on(kept).returncode == 0
    for teff in (5000.0, 6000.0):
        await connection.execute(
            "insert into astra.other_pipeline (spectrum_pk, v_astra, teff, extra) values ($1, 6002, $2, 3)"
            " on conflict (spectrum_pk, v_astra_major_minor) do update set teff = excluded.teff",
            spectrum.spectrum_pk,
            teff,
        )
    await connection.execute(
        "alter table astra.other_pipeline drop column extra,"
        " add column result_flags bigint not null default 0"
    )
    stored = await outputs.get_result(other_pipeline, spectrum)
    (change,) = await outputs.history(stored)
    assert (change.before.teff, change.before.result_flags) == (5000.0, 0)


async def test_two_schemas_keep_their_histories_apart(
    kept: str, outputs: Outputs, connection: asyncpg.Connection, result: Any
) -> None:
    await sql_files.apply(connection, "other")
    assert switch_on(kept, "-v", "schema=other").returncode == 0
    await outputs.save(result(5000.0))
    await outputs.save(result(6000.0))
    assert await connection.fetchval("select count(*) from astra.result_history") == 1
    assert await connection.fetchval("select count(*) from other.result_history") == 0


async def test_it_is_undone_as_the_file_says(
    kept: str, outputs: Outputs, connection: asyncpg.Connection, result: Any
) -> None:
    await outputs.save(result(5000.0))
    await outputs.save(result(6000.0))
    await switch_off(connection)
    left = "select count(*) from pg_trigger where tgrelid = 'astra.the_cannon'::regclass and not tgisinternal"
    assert await connection.fetchval(left) == 0
    assert await connection.fetchval("select to_regclass('astra.result_history')") is None
    await outputs.save(result(7000.0))
    assert switch_on(kept).returncode == 0


async def test_room_is_made_as_the_file_says(
    kept: str, outputs: Outputs, connection: asyncpg.Connection, result: Any
) -> None:
    for teff in (5000.0, 6000.0, 7000.0):
        await outputs.save(result(teff))
    text = (sql_files.schema_dir() / "add-ons/history.sql").read_text()
    (block,) = re.findall(r"^--     begin;.*?commit;$", text, re.MULTILINE | re.DOTALL)
    await connection.execute(
        re.sub(r"^--", "", block, flags=re.MULTILINE).replace("interval '3 years'", "interval '0'")
    )
    assert await connection.fetchval("select count(*) from astra.result_history") == 0
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await connection.execute("delete from astra.result_history")


async def test_the_query_on_the_page_about_history_works(
    kept: str, outputs: Outputs, connection: asyncpg.Connection, result: Any
) -> None:
    for teff in (5000.0, 6000.0, 7000.0):
        stored = await outputs.save(result(teff))
    (query,) = re.findall(r"^    (select kept\..*?;)$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    rows = await connection.fetch(query.replace("4711", str(stored.task_pk)))
    assert [row["teff"] for row in rows] == [6000.0, 5000.0]


def test_the_page_and_the_file_undo_it_in_the_same_way() -> None:
    def drops(text: str) -> set[str]:
        return set(re.findall(r"^(?:--)? +(drop .*;)$", text, re.MULTILINE))

    assert (
        drops(PAGE.read_text())
        == drops((sql_files.schema_dir() / "add-ons/history.sql").read_text())
        != set()
    )


# Nobody changes it.


@pytest.mark.parametrize(
    "sql",
    [
        "update astra.result_history set replaced_by = 'somebody else'",
        "delete from astra.result_history",
        "delete from astra.result_history where false",
        "truncate astra.result_history",
        "truncate astra.the_cannon",
        "truncate astra.source cascade",
    ],
)
async def test_even_the_owner_does_not_lose_it_by_accident(
    kept: str, outputs: Outputs, connection: asyncpg.Connection, result: Any, sql: str
) -> None:
    await outputs.save(result(5000.0))
    stored = await outputs.save(result(6000.0))
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="history is kept"):
        await connection.execute(sql)
    assert len(await outputs.history(stored)) == 1


class Users:
    """A writer, a reader and an owner by schema/add-ons/roles.sql."""

    def __init__(self, dsn: str) -> None:
        self.dsn, self.prefix = dsn, f"t{uuid4().hex[:12]}"

    def roles(self) -> None:
        file = sql_files.schema_dir() / "add-ons/roles.sql"
        done = psql(self.dsn, "-v", "schema=astra", "-v", f"roles={self.prefix}", "-f", file)
        assert (done.returncode, done.stderr) == (0, "")

    def outputs(self, kind: str) -> Outputs:
        return astra_outputs.connect(self.dsn, server_settings={"role": f"{self.prefix}_{kind}"})

    async def connection(self, kind: str) -> asyncpg.Connection:
        return await asyncpg.connect(self.dsn, server_settings={"role": f"{self.prefix}_{kind}"})


@pytest.fixture
async def users(kept: str, connection: asyncpg.Connection) -> AsyncIterator[Users]:
    users = Users(kept)
    users.roles()
    yield users
    names = ", ".join(f"{users.prefix}_{kind}" for kind in ("owner", "reader", "writer", "loader"))
    await connection.execute(f"reassign owned by {names} to current_user")
    await connection.execute(f"drop owned by {names}")
    await connection.execute(f"drop role {names}")


async def test_what_a_writer_replaces_is_kept_and_a_reader_reads_it(users: Users, spectra: Any) -> None:
    stars = await spectra(20)
    async with users.outputs("writer") as outputs:
        for teff in (5000.0, 6000.0):
            results = [TheCannon.from_spectrum(star, v_astra="0.6.2", teff=teff) for star in stars]
            await outputs.save_many(results)
    async with users.outputs("reader") as outputs:
        (change,) = await outputs.history(results[0])
    assert change.changed == {"teff": (5000.0, 6000.0)}


FORGERIES = {
    "a row": "insert into astra.result_history (table_name, task_pk, event, replaced_by, old_row)"
    " values ('the_cannon', 1, 'replaced', 'somebody', '{}')",
    "another row": "update astra.result_history set replaced_by = 'somebody'",
    "no row": "delete from astra.result_history",
    "no rows": "truncate astra.result_history",
    "no table": "drop table astra.result_history",
    "no trigger": "drop trigger keep_replaced on astra.the_cannon",
    "a trigger asleep": "alter table astra.the_cannon disable trigger keep_replaced",
    "all triggers asleep": "set session_replication_role = replica",
    "another function": "create or replace function astra.keep_replaced() returns trigger language plpgsql"
    " as $$ begin return null; end $$",
    "rows from another table": "create temporary table the_cannon as select 1::bigint as task_pk;"
    " create trigger mine after update on pg_temp.the_cannon referencing old table as old_rows"
    " for each statement execute function astra.keep_replaced()",
}


@pytest.mark.parametrize("kind", ["writer", "loader", "reader"])
@pytest.mark.parametrize("sql", FORGERIES.values(), ids=FORGERIES)
async def test_the_server_refuses_to_forge_history(users: Users, kind: str, sql: str) -> None:
    user = await users.connection(kind)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await user.execute(sql)
    await user.close()


async def test_a_writers_own_temporary_table_does_not_take_the_history(
    users: Users, outputs: Outputs, spectrum: Any
) -> None:
    stored = await outputs.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.2", teff=5000.0))
    user = await users.connection("writer")
    await user.execute(
        "create temporary table result_history (table_name text, task_pk bigint, event text, replaced_by text,"
        " old_row json); grant all on result_history to public"
    )
    await user.execute("set search_path to pg_temp, astra; update astra.the_cannon set teff = 6000")
    assert await user.fetchval("select count(*) from pg_temp.result_history") == 0
    await user.close()
    assert len(await outputs.history(stored)) == 1


async def test_the_trigger_has_no_more_rights_than_the_owner_of_the_schema(
    users: Users, connection: asyncpg.Connection
) -> None:
    await switch_off(connection)
    assert switch_on(users.dsn).returncode == 0  # as a superuser
    owners = await connection.fetch(
        "select distinct proowner::regrole::text from pg_proc where proname in ('keep_replaced', 'refuse_history_change')"
        " union select relowner::regrole::text from pg_class where relname = 'result_history'"
    )
    assert [row[0] for row in owners] == [f"{users.prefix}_owner"]


async def test_a_user_is_named_by_who_logged_in(
    users: Users, outputs: Outputs, connection: asyncpg.Connection, spectrum: Any
) -> None:
    async with users.outputs("writer") as writer:
        for teff in (5000.0, 6000.0):
            stored = await writer.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.2", teff=teff))
    (change,) = await outputs.history(stored)
    assert change.user == await connection.fetchval("select session_user")


# The command line.


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run the command in a thread of its own, since it has an event loop of its own."""
    for name in os.environ:
        if name.startswith(("PG", "ASTRA_OUTPUTS_")):
            monkeypatch.delenv(name)

    async def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["astra-outputs", "history", *arguments])
        with pytest.raises(SystemExit) as ended:
            await asyncio.to_thread(main)
        return (int(ended.value.code or 0), *capsys.readouterr())

    return run


@pytest.mark.parametrize("arguments", [["the_cannon"], ["the_cannon", "1", "--spectrum", "1"]])
async def test_a_result_must_be_named_in_one_way(run: Any, arguments: list[str]) -> None:
    code, _, err = await run(*arguments)
    assert code == 2
    assert "task_pk, or by --spectrum" in re.sub(r"[\s│]+", " ", err)


async def test_an_unknown_table_is_told_the_nearest(run: Any) -> None:
    code, _, err = await run("the_canon", "1")
    assert code == 2
    assert "did you mean the_cannon?" in re.sub(r"[\s│]+", " ", err)


async def test_a_table_of_sources_has_no_history(run: Any, kept: str) -> None:
    code, _, err = await run("source", "1", "--dsn", kept)
    assert (code, err) == (
        1, "astra-outputs: history is kept of a pipeline's results, not of source\n"
    )  # fmt: skip


async def test_a_schema_without_history_is_one_line(run: Any, database: str) -> None:
    code, _, err = await run("the_cannon", "1", "--dsn", database)
    assert code == 1
    assert "schema astra keeps no history" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("by", ["task_pk", "spectrum", "spectrum and version"])
async def test_the_changes_are_printed(run: Any, kept: str, outputs: Outputs, result: Any, by: str) -> None:
    for teff in (5000.0, 6000.0, 7000.0):
        stored = await outputs.save(result(teff, "0.6.2", tag=f"run {teff:.0f}"))
    names = {
        "task_pk": [str(stored.task_pk)],
        "spectrum": ["--spectrum", str(stored.spectrum_pk)],
        "spectrum and version": ["--spectrum", str(stored.spectrum_pk), "--v-astra", "0.6.0"],
    }
    code, out, err = await run("the_cannon", *names[by], "--dsn", kept)
    assert (code, err) == (0, "")
    rows = [re.split(r"\s*[│┃]\s*", line.strip("│ \n")) for line in out.splitlines() if line.startswith("│")]
    user = rows[0][1]
    time = f"{stored.modified:%Y-%m-%d %H:%M:%S}+00:00"
    assert rows[0] == [time, user, "replaced", "tag", "run 6000", "run 7000"]
    assert [row[-3:] for row in rows[1:]] == [
        ["teff", "6000.0", "7000.0"],
        ["tag", "run 5000", "run 6000"],
        ["teff", "5000.0", "6000.0"],
    ]


async def test_a_result_that_was_never_replaced_says_so(
    run: Any, kept: str, outputs: Outputs, result: Any
) -> None:
    stored = await outputs.save(result(5000.0))
    code, out, _ = await run("the_cannon", str(stored.task_pk), "--dsn", kept)
    assert code == 0
    assert out == "nothing is kept of it: it was not replaced since history is kept\n"


async def test_a_spectrum_without_a_result_is_told_so(run: Any, kept: str) -> None:
    code, _, err = await run("the_cannon", "--spectrum", "99", "--dsn", kept)
    assert code == 2
    assert "no such result of spectrum 99" in re.sub(r"[\s│]+", " ", err)
