"""The SQL that brings a schema of upstream Astra, or an earlier one of ours, to the SQL files."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import asyncpg
import pytest
import upstream

import astra_outputs
from astra_outputs import (
    ASPCAP,
    ApogeeNet,
    Clam,
    Corv,
    MDwarfType,
    Slam,
    SnowWhite,
    Source,
    Spectrum,
    TheCannon,
)
from astra_outputs.amend import script_for
from astra_outputs.catalog import check_with_database
from astra_outputs.catalog.times import times_out_of_order
from astra_outputs.discover import record_classes
from astra_outputs.errors import InvalidName, SchemaMismatch
from astra_outputs.postgres import sql_files

ROOT = Path(__file__).parents[2]
SCHEMA = "astra_080"
FEW = [Source, Spectrum, MDwarfType]
"""Tables enough where one is looked at."""


async def differences(
    connection: asyncpg.Connection, schema: str = SCHEMA, classes: list[Any] | None = None
) -> list[str]:
    checked = await check_with_database(connection, schema, classes or record_classes())
    return [str(one) for one in checked.differences]


# Bad input first.


async def test_a_schema_that_is_neither_is_refused_by_name(empty_database: str):
    connection = await asyncpg.connect(empty_database)
    try:
        with pytest.raises(SchemaMismatch, match="has no schema nowhere"):
            await script_for(connection, "nowhere", FEW)
        await connection.execute(
            "create schema shop; create table shop.source (pk int); create table shop.cart ()"
        )
        neither = r"neither Astra's nor one of ours: .* no table spectrum .*cart, source"
        with pytest.raises(SchemaMismatch, match=neither):
            await script_for(connection, "shop", FEW)
    finally:
        await connection.close()


async def test_times_without_a_zone_ask_for_one_and_a_strange_one_is_refused(in_theirs: asyncpg.Connection):
    with pytest.raises(SchemaMismatch, match="say in which one the workers wrote them, by --times-in UTC"):
        await script_for(in_theirs, SCHEMA, FEW)
    with pytest.raises(InvalidName, match="no time zone 'Denver'"):
        await script_for(in_theirs, SCHEMA, FEW, zone="Denver")


async def test_who_may_not_change_the_tables_leaves_nothing_half_done(
    theirs: str, in_theirs: asyncpg.Connection, psql: Any
):
    script = await script_for(in_theirs, SCHEMA, FEW, zone="UTC")
    user = f"nosy_{uuid4().hex[:8]}"
    await in_theirs.execute(f"create role {user}; grant usage on schema {SCHEMA} to {user}")
    try:
        before = await differences(in_theirs, SCHEMA, FEW)
        psql(theirs, f"set role {user};\n{script}", expect="must be owner of table")
        assert await differences(in_theirs, SCHEMA, FEW) == before
    finally:
        await in_theirs.execute(f"drop owned by {user}; drop role {user}")


async def test_a_row_that_our_rules_refuse_stops_it_by_name_and_leaves_all_as_it_was(
    theirs: str, in_theirs: asyncpg.Connection, psql: Any
):
    await in_theirs.execute(f"update {SCHEMA}.m_dwarf_type set rchi2 = 'NaN' where task_pk = 1")
    before = await differences(in_theirs, SCHEMA, FEW)
    script = await script_for(in_theirs, SCHEMA, FEW, zone="UTC")
    psql(theirs, script, expect='"m_dwarf_type_no_nan_check" of relation "m_dwarf_type" is violated by some')
    assert await differences(in_theirs, SCHEMA, FEW) == before


async def test_a_view_of_a_strange_name_does_not_end_a_comment(
    theirs: str, in_theirs: asyncpg.Connection, psql: Any
):
    name = 'bad\n;drop schema astra_080 cascade; --"x'
    quoted = '"' + name.replace('"', '""') + '"'
    await in_theirs.execute(f"create view {SCHEMA}.{quoted} as select pk from {SCHEMA}.source")
    psql(theirs, await script_for(in_theirs, SCHEMA, FEW, zone="UTC"))
    assert await in_theirs.fetchval(f"select count(*) from {SCHEMA}.{quoted}") == 3


# Where it leads.


async def test_a_schema_that_peewee_made_becomes_that_of_the_files(
    in_theirs: asyncpg.Connection, mended: str, in_mended: asyncpg.Connection
):
    assert await differences(in_mended) == []
    before, zone = await upstream.rows(in_theirs), ZoneInfo("America/Denver")
    assert await upstream.rows(in_mended) == {
        table: [tuple(upstream.in_ours(value, zone) for value in row) for row in found]
        for table, found in before.items()
    }
    assert any(upstream.isnan(value) for row in before["the_cannon"] for value in row)
    assert await in_mended.fetchval("select count(*) from public.hotter") > 0
    options = await in_mended.fetchval("select reloptions from pg_class where relname = 'hot'")
    assert options == ["security_barrier=true"]
    assert await script_for(in_mended, SCHEMA, record_classes()) == ""
    async with astra_outputs.connect(mended, schema=SCHEMA) as outputs:  # neither gate nor version stops it
        assert len(await outputs.find(TheCannon)) == 6


HAS = """
select
    relowner::regrole::text, relacl::text[], obj_description(oid),
    (select array_agg(pg_get_triggerdef(oid)) from pg_trigger where tgrelid = pg_class.oid),
    (select array_agg(rulename::text order by rulename) from pg_rewrite where ev_class = pg_class.oid),
    (select array_agg(pg_get_expr(adbin, adrelid)) from pg_attrdef where adrelid = pg_class.oid),
    (select array_agg(attacl::text) from pg_attribute where attrelid = pg_class.oid and attacl is not null),
    (select array_agg(indexrelid::regclass::text) from pg_index where indrelid = pg_class.oid)
from pg_class where oid = $1::regclass
"""
"""What a view has besides its definition."""


async def test_views_of_others_keep_their_owners_rights_and_all_else_that_they_had(
    in_theirs: asyncpg.Connection, in_mended: asyncpg.Connection
):
    await in_theirs.execute(upstream.VIEWS)
    for view in ("public.hot", "public.hotter"):
        before = await in_theirs.fetchrow(HAS, view)
        assert await in_mended.fetchrow(HAS, view) == before
    assert await in_theirs.fetchval("select relowner::regrole::text from pg_class where relname = 'hot'") == (
        "pg_read_all_data"
    )


async def test_rights_on_views_of_ours_outlive_a_change_of_their_tables(
    connection: asyncpg.Connection, database: str, psql: Any
):
    view = "astra.the_cannon_quality"
    await connection.execute(
        f"grant select on {view} to pg_monitor; drop view {view}; "
        "alter table astra.the_cannon alter column teff type double precision"
    )
    await sql_files.apply(connection, "astra")
    await connection.execute(f"grant select on {view} to pg_monitor")
    before = await connection.fetchrow(HAS, view)
    psql(database, await script_for(connection, "astra", record_classes()))
    assert await connection.fetchrow(HAS, view) == before
    assert await differences(connection, "astra") == []


async def test_what_is_made_of_columns_that_change_is_named_in_the_heading(in_theirs: asyncpg.Connection):
    await in_theirs.execute(
        "create function public.f() returns trigger language plpgsql as 'begin return new; end';"
        f"create trigger late before update on {SCHEMA}.slam for each row "
        "when (old.modified < new.modified) execute function public.f();"
        f"alter table {SCHEMA}.source add column twice double precision generated always as (ra * 2) stored;"
        f"create policy mine on {SCHEMA}.slam using (source_pk > 0);"
        f"create publication several for table {SCHEMA}.clam where (task_pk > 5);"
        "create function public.g() returns setof bigint begin atomic "
        f"select source_pk from {SCHEMA}.the_cannon; end;"
    )
    script = plain(await script_for(in_theirs, SCHEMA, record_classes(), zone="UTC"))
    heading = script.partition("begin;")[0]
    assert all(
        words in heading
        for words in (
            "trigger late on",
            "policy mine on",
            "twice of table astra_080.source",
            "publication several",
            "public.g()",
        )
    ), heading


def test_each_statement_says_its_lock_its_rewrite_and_its_undo(filled_and_mended: tuple[str, str]):
    script = filled_and_mended[1]
    parts = script.split("\n\n")
    statements = [part for part in parts if re.search(r"^(alter|drop|create|update) ", part, re.MULTILINE)]
    assert len(statements) > 100
    assert all(word in part for part in statements for word in ("-- Lock: ", "Rewrites:", "-- Undo: ")), (
        statements
    )
    # One rewrite a table, whatever changes in it.
    assert len(re.findall(r"^alter table \"the_cannon\"\n", script, re.MULTILINE)) == 1
    assert "the_cannon and its indexes, once" in plain(script)


def plain(script: str) -> str:
    return " ".join(" ".join(line.removeprefix("--").strip() for line in script.splitlines()).split())


async def test_what_undoes_the_columns_brings_them_back(
    in_theirs: asyncpg.Connection, in_mended: asyncpg.Connection, filled_and_mended: tuple[str, str]
):
    kinds = "select attname, format_type(atttypid, atttypmod) from pg_attribute where attrelid = $1::regclass"
    before = await in_theirs.fetch(kinds, f"{SCHEMA}.m_dwarf_type")
    assert await in_mended.fetch(kinds, f"{SCHEMA}.m_dwarf_type") != before
    parts = filled_and_mended[1].split("\n\n")
    part = plain(next(part for part in parts if part.startswith("-- columns of m_dwarf_type")))
    undo = re.search(r"Undo: (.*?); NULL does not", part)[1]
    await in_mended.execute(
        f"set search_path to {SCHEMA}; drop view m_dwarf_type_quality; "
        "alter table m_dwarf_type alter column task_pk drop identity"
    )
    await in_mended.execute(undo)
    assert await in_mended.fetch(kinds, f"{SCHEMA}.m_dwarf_type") == before
    times = f"select created, modified from {SCHEMA}.m_dwarf_type order by task_pk"
    assert await in_mended.fetch(times) == await in_theirs.fetch(times)


async def test_tables_that_may_be_left_out_stay_out_and_others_are_made(
    theirs: str, in_theirs: asyncpg.Connection, psql: Any
):
    await in_theirs.execute(f"drop table {SCHEMA}.slam; drop table {SCHEMA}.snow_white")
    classes = [*FEW, Slam, SnowWhite]
    psql(theirs, await script_for(in_theirs, SCHEMA, classes, zone="UTC"))
    assert await differences(in_theirs, SCHEMA, classes) == []
    assert await in_theirs.fetchval(f"select to_regclass('{SCHEMA}.slam') is null")
    assert await in_theirs.fetchval(f"select count(*) from {SCHEMA}.snow_white") == 0


async def test_columns_that_no_file_has_are_named_and_stay(
    theirs: str, in_theirs: asyncpg.Connection, psql: Any
):
    await in_theirs.execute(
        f"alter table {SCHEMA}.aspcap add column c_1_h_atm real, add column stuck integer not null default 1; "
        f"alter table {SCHEMA}.aspcap alter column stuck drop default"
    )
    classes = [Source, Spectrum, ASPCAP]
    script = await script_for(in_theirs, SCHEMA, classes, zone="UTC")
    psql(theirs, script)
    assert "stay as they are: aspcap.c_1_h_atm, aspcap.stuck" in plain(script)
    checked = await check_with_database(in_theirs, SCHEMA, classes)
    left = {(one.column, one.stops_writing) for one in checked.differences}
    assert left == {("c_1_h_atm", False), ("stuck", False)}


async def test_the_first_release_of_ours_becomes_that_of_the_files(empty_database: str, psql: Any):
    first = ROOT / "tests" / "data" / "first_release" / "install.sql"
    psql(empty_database, f"\\set schema astra\n\\i {first}\n")
    connection = await asyncpg.connect(empty_database)
    try:
        await connection.execute(
            "set search_path to astra; with made as (insert into spectrum default values returning pk) "
            "insert into the_cannon (spectrum_pk, v_astra, teff, logg) select pk, 6000, 'NaN', 4.5 from made; "
            "reset search_path"
        )
        script = await script_for(connection, "astra", record_classes())
        assert "in_apstar is called apogee_coadded_spectrum_in_ap_star now" in plain(script)
        assert "schema/upgrades/ lead to the same by short steps" in plain(script)
        psql(empty_database, script)
        assert await differences(connection, "astra") == []
        assert tuple(await connection.fetchrow("select teff, logg from astra.the_cannon")) == (None, 4.5)
        assert await script_for(connection, "astra", record_classes()) == ""
    finally:
        await connection.close()


async def test_small_differences_are_small_steps(connection: asyncpg.Connection, database: str, psql: Any):
    classes = [Source, Spectrum, Slam, Clam, Corv, ApogeeNet]
    assert await script_for(connection, "astra", classes) == ""
    await connection.execute(
        "set search_path to astra; alter table slam drop constraint slam_version_check; "
        "alter table slam alter column tag drop default; drop index slam_source_idx; "
        "alter table slam drop constraint slam_spectrum_version_key; "
        "alter table clam drop column v_astra_major_minor; "
        "alter table clam add unique (source_pk); alter table corv alter column teff type double precision; "
        "alter table corv drop column logg; alter table corv alter column tag drop not null; "
        "alter table apogee_net drop constraint apogee_net_no_nan_check; reset search_path"
    )
    script = await script_for(connection, "astra", classes)
    psql(database, script)
    found = await check_with_database(connection, "astra", classes)
    assert [str(one) for one in found.without(["comments"]).differences] == []
    assert "NaN becomes NULL in apogee_net" in plain(script)


async def test_partitions_are_no_difference(connection: asyncpg.Connection, database: str, psql: Any):
    add_on = ROOT / "schema" / "add-ons" / "partitions.sql"
    options = "\\set schema astra\n\\set table m_dwarf_type\n\\set partitions 2\n"
    psql(database, f"set client_min_messages = warning;\n{options}\\i {add_on}\n")
    assert await connection.fetchval("select relkind = 'p' from pg_class where relname = 'm_dwarf_type'")
    assert await script_for(connection, "astra", FEW) == ""


# The command.


async def test_the_command_prints_what_psql_applies(
    theirs: str, mended: str, run: Any, filled_and_mended: tuple[str, str]
):
    arguments = ("schema", "diff", "--schema", SCHEMA, "--times-in", "America/Denver", "--dsn")
    code, out, err = await asyncio.to_thread(run, *arguments, theirs)
    assert (code, err) == (0, "")
    steps = [part for part in filled_and_mended[1].split("\n\n") if part.startswith("-- columns of")]
    assert len(steps) == 24
    assert [step for step in steps if step not in out and "the_cannon" not in step] == []
    code, out, err = await asyncio.to_thread(run, *arguments, mended)
    assert (code, out, "is as the files say" in err) == (0, "", True)


# Clocks.


async def test_times_of_another_zone_are_found_out(mended: str, in_mended: asyncpg.Connection, run: Any):
    arguments = ("check", "--times", "--dsn", mended, "--schema", SCHEMA)
    assert await times_out_of_order(in_mended, SCHEMA, record_classes()) == []
    store = (
        f"insert into {SCHEMA}.clam (spectrum_pk, v_astra, created, modified) "
        "values ($1, 9000, now() + $2::interval, now() + $3::interval)"
    )
    for star, hours, later in ((1, 0, 0), (2, -7, -7), (3, 0, -7), (4, 2, 2)):
        await in_mended.execute(store, star, timedelta(hours=hours), timedelta(hours=later))
    code, out, _ = await asyncio.to_thread(run, *arguments)
    assert code == 1
    assert "1 rows go back by up to 7 h 00 min" in out  # a worker in Denver
    assert "1 rows were modified up to 7 h 00 min before they were created" in out
    assert "1 rows are of a time that has not come, by up to 2 h 00 min" in out  # one in Kyiv
