"""Adoption by copy: the rows of a schema that Peewee made and filled, in tables of ours, value by value."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

import asyncpg
import pytest
import upstream
from waiting import waiting

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar, MDwarfType, Slam, Source, Spectrum, TheCannon
from astra_outputs.adopt import Adoption, AdoptionReport, Aside, adopt
from astra_outputs.catalog import check_with_database
from astra_outputs.discover import record_classes
from astra_outputs.errors import DatabaseError, FileExists, InvalidName, PermissionDenied, SchemaMismatch
from astra_outputs.postgres.database import Database
from astra_outputs.postgres.frozen import frozen_as, sql_that_freezes

ZONE = ZoneInfo("America/Denver")
FEW = [Source, Spectrum, ApogeeCoaddedSpectrumInApStar, MDwarfType]


async def adopted(
    source: str, target: str, tmp_path: Path, classes: Any = None, zone: str | None = ZONE.key, **options: Any
) -> AdoptionReport:
    """Adopt schema `astra_080` of one database into `astra` of another; refused rows are in `aside.jsonl`."""
    there, here = Database(source, schema="astra_080"), Database(target, schema="astra")
    await there.open()
    await here.open()
    try:
        with Aside(tmp_path / "aside.jsonl", "a test") as aside:
            adoption = Adoption(classes or record_classes(), zone, options.pop("batch_size", 1000))
            return await adopt(there, here, adoption, aside, **options)
    finally:
        await there.close()
        await here.close()


def kept_aside(tmp_path: Path) -> list[dict[str, Any]]:
    lines = (tmp_path / "aside.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines[1:]]


@pytest.fixture
async def here(database: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to our tables."""
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


async def is_all_here(there: asyncpg.Connection, here: asyncpg.Connection) -> None:
    """Fail unless every value of theirs is here, times as moments and NaN as NULL."""
    theirs = await upstream.rows(there)
    assert await upstream.rows(here, "astra") == {
        table: [tuple(upstream.in_ours(value, ZONE) for value in row) for row in found]
        for table, found in theirs.items()
    }


# Bad input first.


async def test_what_is_neither_theirs_nor_ours_is_refused_before_a_row_is_stored(
    theirs: str, in_theirs: asyncpg.Connection, database: str, here: asyncpg.Connection, tmp_path: Path
):
    await in_theirs.execute("alter table astra_080.slam rename column v_astra to version")
    with pytest.raises(SchemaMismatch, match="slam of schema astra_080 has no column v_astra"):
        await adopted(theirs, database, tmp_path)
    with pytest.raises(SchemaMismatch, match="have no zone: say in which one"):
        await adopted(theirs, database, tmp_path, FEW, None)
    with pytest.raises(InvalidName, match="no time zone 'Mars'"):
        await adopted(theirs, database, tmp_path, FEW, "Mars")
    await here.execute("alter table astra.m_dwarf_type drop column spectral_type cascade")
    with pytest.raises(SchemaMismatch, match=r"(?s)cannot take the rows of m_dwarf_type:.*spectral_type"):
        await adopted(theirs, database, tmp_path, FEW)
    assert await here.fetchval("select count(*) from astra.source") == 0


async def test_a_schema_that_is_neither_is_refused(empty_database: str, database: str, tmp_path: Path):
    with pytest.raises(SchemaMismatch, match="has no schema astra_080"):
        await adopted(empty_database, database, tmp_path)
    connection = await asyncpg.connect(empty_database)
    await connection.execute("create schema astra_080; create table astra_080.cart (pk int)")
    await connection.close()
    with pytest.raises(SchemaMismatch, match="neither Astra's nor one of ours"):
        await adopted(empty_database, database, tmp_path)
    with pytest.raises(SchemaMismatch, match="has no schema astra: apply it with"):
        await adopted(database, empty_database, tmp_path)


async def test_tables_that_hold_stars_of_their_own_are_not_mixed_with_theirs(
    theirs: str, database: str, spectra: Any, tmp_path: Path
):
    await spectra(1)
    with pytest.raises(SchemaMismatch, match="has sources or spectra of its own, whose numbers would meet"):
        await adopted(theirs, database, tmp_path, FEW)


async def test_missing_rights_are_named_before_a_row_is_stored(
    theirs: str, in_theirs: asyncpg.Connection, database: str, here: asyncpg.Connection, tmp_path: Path
):
    user = f"nosy_{uuid4().hex[:8]}"
    await here.execute(f"create role {user} login password 'secret'")
    try:
        as_nosy = [
            urlsplit(dsn)._replace(netloc=f"{user}:secret@{urlsplit(dsn).netloc.rpartition('@')[2]}").geturl()
            for dsn in (theirs, database)
        ]
        with pytest.raises(
            PermissionDenied, match=r"select on apogee_coadded.*Run it as a user who may read"
        ):
            await adopted(as_nosy[0], database, tmp_path, FEW)
        await here.execute(
            f"grant usage on schema astra to {user}; grant select on all tables in schema astra to {user}"
        )
        with pytest.raises(
            PermissionDenied, match=r"insert, update on apogee_coadded.*as the owner of the tables"
        ):
            await adopted(theirs, as_nosy[1], tmp_path, FEW)
        assert await here.fetchval("select count(*) from astra.source") == 0
    finally:
        await here.execute(f"drop owned by {user}; drop role {user}")


async def test_rows_that_our_rules_refuse_are_listed_and_all_others_are_taken(
    theirs: str, in_theirs: asyncpg.Connection, database: str, here: asyncpg.Connection, tmp_path: Path
):
    await in_theirs.execute(
        "set search_path to astra_080; update m_dwarf_type set rchi2 = 'NaN' where task_pk = 1; "
        "update m_dwarf_type set t_elapsed = 'Infinity' where task_pk = 3; "
        "update source set sdss_id = -5 where pk = 2; update source set gaia_dr2_source_id = -1 where pk = 3"
    )
    report = await adopted(theirs, database, tmp_path, FEW)
    assert not report.complete
    found = {
        (one["table"], one["row"].get("task_pk", one["row"].get("pk"))): one for one in kept_aside(tmp_path)
    }
    assert found.keys() == {
        ("source", 2), ("apogee_coadded_spectrum_in_ap_star", 2),
        ("m_dwarf_type", 1), ("m_dwarf_type", 3), ("m_dwarf_type", 4),
    }  # fmt: skip
    assert found["m_dwarf_type", 1]["reasons"][0].startswith("rchi2 = nan: must have a value")
    assert found["m_dwarf_type", 3]["reasons"][0].startswith("t_elapsed = inf")
    assert found["source", 2]["reasons"] == [
        "sdss_id = -5: is no identifier: those are positive numbers; where there is none leave it out"
    ]
    assert found["m_dwarf_type", 4]["reasons"] == ["source_pk = 2: this source was kept aside"]
    assert found["m_dwarf_type", 4]["row"]["spectral_type"]
    counts = {one.table: (one.copied, one.aside, one.different) for one in report.tables}
    assert counts["m_dwarf_type"] == (3, 3, 0)
    assert await here.fetchval("select gaia_dr2_source_id is null from astra.source where pk = 3")
    # Mended there, and adopted again.
    await in_theirs.execute(
        "update m_dwarf_type set rchi2 = 1, t_elapsed = 1; update source set sdss_id = 5 where pk = 2"
    )
    assert (await adopted(theirs, database, tmp_path, FEW)).complete
    assert not (tmp_path / "aside.jsonl").exists()
    assert await here.fetchval("select count(*) from astra.m_dwarf_type") == 6


async def test_rows_that_only_the_database_refuses_are_found_in_their_batch(
    theirs: str, database: str, here: asyncpg.Connection, tmp_path: Path
):
    await here.execute(
        "alter table astra.m_dwarf_type add constraint no_five_no_nan_check check (task_pk <> 5)"
    )
    report = await adopted(theirs, database, tmp_path, FEW)
    (refused,) = kept_aside(tmp_path)
    assert refused["row"]["task_pk"] == 5
    assert "no_five_no_nan_check" in refused["reasons"][0]
    assert report.tables[-1].copied == 5


async def test_another_file_is_not_written_over(theirs: str, database: str, tmp_path: Path):
    (tmp_path / "aside.jsonl").write_text("precious")
    with pytest.raises(FileExists, match="is something else already"):
        await adopted(theirs, database, tmp_path, FEW)
    assert (tmp_path / "aside.jsonl").read_text() == "precious"


async def test_a_pooler_is_not_gone_through(theirs: str, database: str, tmp_path: Path):
    class Another(asyncpg.Connection):  # of which it is not known what stays on it, as of a pooler's
        pass

    there = Database(theirs, schema="astra_080")
    here = Database(database, schema="astra", connection_class=Another)
    await there.open()
    await here.open()
    try:
        with (
            Aside(tmp_path / "aside.jsonl", "a test") as aside,
            pytest.raises(DatabaseError, match="a pooler"),
        ):
            await adopt(there, here, Adoption(FEW, "UTC"), aside)
    finally:
        await there.close()
        await here.close()


async def test_tables_that_are_left_out_here_are_named_and_stay_there(
    theirs: str, in_theirs: asyncpg.Connection, database: str, here: asyncpg.Connection, tmp_path: Path
):
    await here.execute("drop table astra.m_dwarf_type cascade; drop table astra.slam cascade")
    await in_theirs.execute("drop table astra_080.slam")
    report = await adopted(theirs, database, tmp_path, [*FEW, Slam])
    assert report.complete
    assert "m_dwarf_type" in report.left_behind
    assert [one.table for one in report.tables] == [
        "source",
        "spectrum",
        "apogee_coadded_spectrum_in_ap_star",
    ]


async def test_two_at_once_are_one_too_many(
    theirs: str, database: str, here: asyncpg.Connection, tmp_path: Path
):
    await here.execute("select pg_advisory_lock(5317209464110858)")
    with pytest.raises(DatabaseError, match=r"another adoption into .* is under way"):
        await adopted(theirs, database, tmp_path, FEW)


async def test_a_version_that_is_frozen_here_stays_and_says_so(
    theirs: str, in_theirs: asyncpg.Connection, database: str, here: asyncpg.Connection, tmp_path: Path
):
    await adopted(theirs, database, tmp_path, FEW)
    await here.execute(sql_that_freezes(frozen_as(MDwarfType, "0.8", "DR20"), "astra"))
    assert (await adopted(theirs, database, tmp_path, FEW)).complete  # nothing is to be changed
    await in_theirs.execute(
        "set search_path to astra_080; update m_dwarf_type set rchi2 = 99, modified = modified + interval '1 hour'"
    )
    report = await adopted(theirs, database, tmp_path, FEW)
    assert (report.tables[-1].replaced, report.tables[-1].aside) == (3, 3)
    assert {reason for one in kept_aside(tmp_path) for reason in one["reasons"]} == {
        "Version 0.8 of m_dwarf_type is published as DR20 and stays as it is"
    }
    assert (
        await here.fetchval("select count(*) from astra.m_dwarf_type where rchi2 = 99 and v_astra < 8000")
        == 3
    )
    assert await here.fetchval("select count(*) from astra.m_dwarf_type where rchi2 = 99") == 3


# Where it leads.


async def test_every_value_of_every_table_is_taken_over(
    theirs: str, in_theirs: asyncpg.Connection, database: str, here: asyncpg.Connection, tmp_path: Path
):
    await in_theirs.execute(
        "create table astra_080.mwm_best (pk int); alter table astra_080.aspcap add column c_1_h_atm real"
    )
    seen: list[str] = []
    report = await adopted(theirs, database, tmp_path, progress=lambda now: seen.append(str(now.tables[-1])))
    assert report.complete
    assert report.left_behind == ["aspcap.c_1_h_atm", "mwm_best"]
    assert report.warnings == []
    assert len(seen) == len(report.tables) == 24
    await is_all_here(in_theirs, here)
    checked = await check_with_database(here, "astra", record_classes())
    assert checked.differences == ()
    async with astra_outputs.connect(database) as outputs:
        todo = outputs.pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra="0.8.0")
        assert [one.spectrum_pk async for one in todo] == []  # nothing is pending that was done
    again = await adopted(theirs, database, tmp_path, batch_size=2)
    assert {(one.copied, one.replaced, one.kept, one.read - one.equal) for one in again.tables} == {
        (0, 0, 0, 0)
    }


async def test_killed_in_the_middle_it_goes_on_where_it_was(
    theirs: str, in_theirs: asyncpg.Connection, database: str, here: asyncpg.Connection, tmp_path: Path
):
    arguments = ["adopt", "--from", theirs, "--schema", "astra_080", "--into", "astra", "--dsn", database]
    arguments += ["--times-in", ZONE.key, "--aside", str(tmp_path / "aside.jsonl"), "--batch-size", "1"]
    # The third star waits for us, and with it the adoption.
    await here.execute("begin; lock table astra.clam in exclusive mode")
    killed = await asyncio.create_subprocess_exec(sys.executable, "-m", "astra_outputs", *arguments)
    other = await asyncpg.connect(database)
    try:
        async with asyncio.timeout(120):
            while not await waiting(other):  # noqa: ASYNC110 (another process is waited for)
                await asyncio.sleep(0.05)
        killed.send_signal(signal.SIGKILL)
        await killed.wait()
    finally:
        await other.close()
    await here.execute("rollback")
    assert await here.fetchval("select count(*) from astra.boss_net") > 0
    assert await here.fetchval("select count(*) from astra.the_cannon") == 0
    taken = (
        "select count(*) from pg_locks where locktype = 'advisory' "
        "and database = (select oid from pg_database where datname = current_database())"
    )
    async with asyncio.timeout(120):
        while await here.fetchval(taken):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    report = await adopted(theirs, database, tmp_path)
    assert report.complete
    assert {one.table for one in report.tables if one.equal} >= {"source", "spectrum", "boss_net"}
    await is_all_here(in_theirs, here)


async def test_who_writes_there_and_here_meanwhile_loses_nothing(
    theirs: str, in_theirs: asyncpg.Connection, database: str, here: asyncpg.Connection, tmp_path: Path
):
    peewee = upstream.database_of(theirs, ZONE.key)
    slam = upstream.models_of(peewee)["slam"]

    def write_there(star: int) -> None:
        rows = [upstream.row("slam", 50 + star, spectrum_pk=star, source_pk=star, v_astra=9000)]
        assert slam.insert_many(rows).execute()
        assert slam.update(tag="again").where(slam.v_astra == 8000, slam.spectrum_pk == star).execute() == 1

    async with astra_outputs.connect(database) as outputs:
        written: list[int] = []
        done: list[asyncio.Task[Any]] = []

        async def write_here(star: int) -> None:
            spectrum = await outputs.get_by_id(ApogeeCoaddedSpectrumInApStar, star)
            await outputs.save(TheCannon.from_spectrum(spectrum, v_astra="0.8.1", teff=1.0 + star))

        def meanwhile(report: AdoptionReport) -> None:
            now = report.tables[-1]
            if (
                now.table == "m_dwarf_type" and len(written) < 3
            ):  # behind the spectra, before slam and the_cannon
                written.append(len(written) + 1)
                write_there(written[-1])
                done.append(asyncio.create_task(write_here(written[-1])))

        first = await adopted(theirs, database, tmp_path, batch_size=1, progress=meanwhile)
        await asyncio.gather(*done)
        assert first.complete
        second = await adopted(theirs, database, tmp_path)
    peewee.close()
    assert second.complete
    assert sum(one.kept for one in second.tables) == 3
    assert await here.fetchval("select count(*) from astra.slam where tag = 'again'") == 3
    assert await here.fetchval("select count(*) from astra.slam where v_astra = 9000") == 3
    ours = await here.fetch(
        "select task_pk, teff from astra.the_cannon where v_astra = 8001 order by spectrum_pk"
    )
    assert [row["teff"] for row in ours] == [2.0, 3.0, 4.0]
    assert await here.fetchval("select count(*) from astra.the_cannon") == 6


async def test_times_of_another_zone_are_told(
    theirs: str, in_theirs: asyncpg.Connection, database: str, tmp_path: Path
):
    await in_theirs.execute(
        "update astra_080.m_dwarf_type set created = created - interval '7 hours' where task_pk = 5"
    )
    report = await adopted(theirs, database, tmp_path, FEW)
    assert [warning for warning in report.warnings if "go back by up to 6 h 5" in warning] != []


async def test_the_command_says_what_it_did(
    theirs: str, database: str, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("astra_outputs.cli.adopt.EVERY", 3_600)
    arguments = (
        "adopt",
        "--schema",
        "astra_080",
        "--times-in",
        "UTC",
        "--aside",
        str(tmp_path / "aside.jsonl"),
    )
    code, out, err = await asyncio.to_thread(run, *arguments, "--from", theirs, "--dsn", database)
    assert (code, err) == (0, "")
    assert "the_cannon: 6 rows read, 6 copied; 450 values equal" in out
    code, out, err = await asyncio.to_thread(run, *arguments, "--json", "--from", theirs, "--dsn", database)
    assert json.loads(out)["complete"] is True
    monkeypatch.setattr("astra_outputs.cli.adopt.EVERY", 0)
    code, out, err = await asyncio.to_thread(run, *arguments, "--json", "--from", theirs, "--dsn", database)
    assert (json.loads(out)["complete"], "the_cannon: 6 rows read" in err) == (True, True)
    code, _, err = await asyncio.to_thread(
        run, *arguments, "--from", theirs, "--into", "astra_080", "--dsn", theirs
    )
    assert (code, "are the same tables" in err) == (2, True)
