"""schema/add-ons/partitions.sql: tables of results spread over partitions and put together again, under writers."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar, Outcome, TheCannon
from astra_outputs.catalog import differences_with_database
from astra_outputs.discover import record_classes
from astra_outputs.reading.pending import pending_page
from astra_outputs.reading.question import Question

Partitioned = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.usefixtures("plain_tables", "plain")


@pytest.fixture
def plain(plain_tables: None, database: str, partitioned: Partitioned) -> None:
    """Begin with a table without partitions, whatever the other tests run on."""
    assert partitioned(database, 0, "the_cannon").returncode == 0


async def number_of(connection: asyncpg.Connection, table: str = "the_cannon") -> int:
    return await connection.fetchval(
        "select count(*) from pg_inherits where inhparent = $1::text::regclass", f"astra.{table}"
    )


def results(spectra: list[Any], version: str, **values: Any) -> list[TheCannon]:
    return [TheCannon.from_spectrum(s, v_astra=version, teff=float(s.spectrum_pk), **values) for s in spectra]


# What cannot be done.


@pytest.mark.parametrize("partitions", ["1", "1025", "-4", "many", ""])
async def test_a_number_of_partitions_that_makes_no_sense_is_refused(
    database: str, connection: asyncpg.Connection, partitioned: Partitioned, partitions: str
) -> None:
    done = partitioned(database, partitions, "the_cannon")
    assert done.returncode > 0
    assert "is no number of partitions" in done.stderr
    assert await number_of(connection) == 0


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"table": "the_canon"}, 'there is no table "the_canon"'),
        ({"table": "source; drop table astra.source"}, "there is no table"),
        ({"schema": "nowhere"}, "there is no such schema"),
    ],
)
async def test_a_table_that_is_not_there_is_refused(
    database: str, partitioned: Partitioned, given: dict[str, str], reason: str
) -> None:
    done = partitioned(database, 4, **given)
    assert done.returncode > 0
    assert reason in done.stderr


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (
            "create table astra.mine (task_pk bigint references astra.the_cannon (task_pk))",
            "other tables refer to the_cannon: mine",
        ),
        ("create unique index one_tag on astra.the_cannon (tag)", "lack spectrum_pk: one_tag"),
        ("create materialized view astra.hot as select teff from astra.the_cannon", "read the_cannon: hot"),
        ("alter table astra.the_cannon enable row level security", "has row security"),
        ("create table astra.the_cannon_before ()", "the_cannon_before is still there"),
    ],
)
async def test_what_would_be_lost_is_refused_before_anything_is_done(
    database: str, connection: asyncpg.Connection, partitioned: Partitioned, before: str, reason: str
) -> None:
    await connection.execute(before)
    done = partitioned(database, 4, "the_cannon")
    assert done.returncode > 0
    assert reason in done.stderr
    assert await connection.fetchval("select to_regclass('astra.the_cannon_becoming')") is None


async def test_somebody_elses_table_is_refused(
    database: str, connection: asyncpg.Connection, partitioned: Partitioned
) -> None:
    role = urlsplit(database).path.strip("/")  # of this test's own
    await connection.execute(f'create role "{role}" login; grant usage on schema astra to "{role}"')
    try:
        parts = urlsplit(database)
        theirs = parts._replace(netloc=f"{role}@{parts.netloc.rpartition('@')[2]}").geturl()
        done = partitioned(theirs, 4, "the_cannon")
        assert done.returncode > 0
        assert "table the_cannon is not yours" in done.stderr
    finally:
        await connection.execute(f'drop owned by "{role}"; drop role "{role}"')


async def test_one_on_its_way_to_another_number_is_refused(
    database: str, connection: asyncpg.Connection, partitioned: Partitioned
) -> None:
    await connection.execute(
        "create table astra.the_cannon_becoming (spectrum_pk bigint) partition by hash (spectrum_pk);"
        "create table astra.half partition of astra.the_cannon_becoming for values with (modulus 2, remainder 0)"
    )
    done = partitioned(database, 4, "the_cannon")
    assert done.returncode > 0
    assert "on its way to another number of partitions" in done.stderr


# What becomes of a table.


async def test_all_tables_of_results_are_spread_and_pass_the_check(
    database: str, connection: asyncpg.Connection, partitioned: Partitioned
) -> None:
    for _ in range(2):
        done = partitioned(database, 3)
        assert done.returncode == 0, done.stderr
    assert "the_cannon is as asked for already" in done.stderr
    for record_class in record_classes(()):
        expected = 3 if "task_pk" in record_class.model_fields else 0
        assert await number_of(connection, record_class.table) == expected
    assert not await differences_with_database(connection, "astra", record_classes(()))


async def test_rows_rights_triggers_views_names_and_numbers_come_along_both_ways(
    database: str, connection: asyncpg.Connection, partitioned: Partitioned, spectra: Any, outputs: Any
) -> None:
    stored = await spectra(40)
    await outputs.save_many(results(stored, "0.7.0"))
    role = urlsplit(database).path.strip("/")
    await connection.execute(
        f'create role "{role}"; grant select on astra.the_cannon to "{role}";'
        f'grant update (teff) on astra.the_cannon to "{role}" with grant option;'
        "alter table astra.the_cannon add constraint the_cannon_old_check check (v_astra > 8000) not valid;"
        "comment on constraint the_cannon_old_check on astra.the_cannon is 'Nothing older';"
        "create function astra.noticed() returns trigger language plpgsql as 'begin return null; end';"
        "create trigger noticed after update on astra.the_cannon for each row execute function astra.noticed();"
        "create view astra.hot with (security_barrier = true) as "
        "select task_pk, teff from astra.the_cannon where teff > 20"
    )
    try:
        before = await facts(connection)
        rows = await connection.fetch("select * from astra.the_cannon order by task_pk")
        for partitions in (4, 3, 0):
            done = partitioned(database, partitions, "the_cannon")
            assert done.returncode == 0, done.stderr
            assert await number_of(connection) == partitions
            assert await facts(connection) == before
            assert await connection.fetch("select * from astra.the_cannon order by task_pk") == rows
            assert await connection.fetchval("select count(*) from astra.the_cannon_before") == len(rows)
            await connection.execute("drop table astra.the_cannon_before")
            with pytest.raises(asyncpg.CheckViolationError):
                await connection.execute("update astra.the_cannon set teff = 1")
            assert await connection.fetchval("select count(*) from astra.hot") > 0
        report = await outputs.save_many(results(stored, "0.9.0"))
        assert report.counts == {Outcome.INSERTED: len(stored)}
        numbers = await connection.fetchrow("select count(distinct task_pk), count(*) from astra.the_cannon")
        assert tuple(numbers) == (80, 80)
    finally:
        await connection.execute(f'drop owned by "{role}"; drop role "{role}"')


async def facts(connection: asyncpg.Connection) -> list[Any]:
    """What a table has besides rows, by name."""
    return await connection.fetch("""
        select 'constraint' as kind, conname as name, case contype when 'p' then '' else pg_get_constraintdef(oid) end as text
        from pg_constraint where conrelid = 'astra.the_cannon'::regclass and conparentid = 0 and contype <> 'n'
        union all
        select 'comment', conname, obj_description(oid, 'pg_constraint')
        from pg_constraint where conrelid = 'astra.the_cannon'::regclass and contype <> 'n'
        union all
        select 'index', indexrelid::regclass::text, '' from pg_index where indrelid = 'astra.the_cannon'::regclass
        union all
        select 'trigger', tgname, pg_get_triggerdef(oid)
        from pg_trigger where tgrelid = 'astra.the_cannon'::regclass and not tgisinternal
        union all
        select 'view', 'hot', pg_get_viewdef('astra.hot'::regclass) || reloptions::text
        from pg_class where oid = 'astra.hot'::regclass
        union all
        select 'right', coalesce(attname, ''), a.privilege_type || a.grantee::regrole || a.is_grantable
        from (
            select '' as attname, relacl as acl, relowner as owner
            from pg_class where oid = 'astra.the_cannon'::regclass
            union all
            select attname, attacl, 0 from pg_attribute where attrelid = 'astra.the_cannon'::regclass
        ) as rights cross join lateral aclexplode(acl) as a
        where a.grantee <> owner
        union all
        select 'sequence', pg_get_serial_sequence('astra.the_cannon', 'task_pk'), ''
        union all
        select 'description', '', obj_description('astra.the_cannon'::regclass, 'pg_class')
        order by 1, 2, 3
    """)


# Under writers.


async def test_writers_lose_nothing_while_their_table_is_exchanged_back_and_forth(
    database: str, connection: asyncpg.Connection, partitioned: Partitioned, spectra: Any, outputs: Any
) -> None:
    stored = await spectra(400)
    await outputs.save_many(results(stored, "0.6.0"))
    told: dict[tuple[int, int], float] = {}

    async def write(share: int, first: int, begun: asyncio.Event, ended: asyncio.Event) -> int:
        generation = first
        async with astra_outputs.connect(database) as writer:
            while not ended.is_set():
                generation += 1
                version = 6_000 + 1_000 * (generation % 4 or generation)  # now and then a new one
                chosen = stored[share::2][generation % 3 :: 3] if generation % 2 else stored[share::40]
                values = {"v_astra": version, "teff": float(generation)}
                made = [TheCannon.from_spectrum(spectrum, **values) for spectrum in chosen]
                if generation % 5:
                    await writer.save_many(made)
                else:
                    del made[1:]
                    await writer.save(made[0])
                assert {one.outcome for one in made} <= {Outcome.INSERTED, Outcome.REPLACED}
                told.update({(one.spectrum_pk, version): float(generation) for one in made})
                begun.set()
        return generation - first

    async def delete() -> None:
        for spectrum in stored:
            await connection.execute(
                "delete from astra.the_cannon where spectrum_pk = $1 and v_astra = 1000", spectrum.spectrum_pk
            )

    for turn, partitions in enumerate((4, 0, 5)):
        await connection.execute(
            "insert into astra.the_cannon (spectrum_pk, v_astra) select spectrum_pk, 1000 "
            "from astra.apogee_coadded_spectrum_in_ap_star"
        )
        ended, begun = asyncio.Event(), [asyncio.Event() for _ in range(2)]
        writers = [
            asyncio.ensure_future(write(share, 1_000 * turn, begun[share], ended)) for share in range(2)
        ]
        async with asyncio.timeout(120):  # from then on until it has ended each is always storing something
            for one in begun:
                await one.wait()
        deleting = asyncio.ensure_future(delete())
        try:
            done = await asyncio.to_thread(partitioned, database, partitions, "the_cannon", batch=1)
        finally:
            ended.set()  # at once: what was lost is not written again
            generations = await asyncio.gather(*writers)
            await deleting
        assert done.returncode == 0, done.stderr
        assert min(generations) > 1
        rows = await connection.fetch("select spectrum_pk, v_astra, teff, task_pk from astra.the_cannon")
        found = {(row["spectrum_pk"], row["v_astra"]): row["teff"] for row in rows}
        assert len(found) == len(rows) == len({row["task_pk"] for row in rows})
        assert not any(v_astra == 1000 for _, v_astra in found), "what was deleted stays deleted"
        assert {key: found.get(key) for key in told} == told
        await connection.execute("drop table astra.the_cannon_before")


async def test_what_reads_all_of_a_table_takes_its_partitions_as_they_are_read_fastest(
    database: str, connection: asyncpg.Connection, partitioned: Partitioned, spectra: Any
) -> None:
    assert partitioned(database, 4, "the_cannon").returncode == 0
    stored = await spectra(60)
    async with astra_outputs.connect(connection=connection) as outputs:
        await outputs.save_many(results(stored[:50], "0.7.0") + results(stored[:40], "0.8.0"))
        asked = (TheCannon, ApogeeCoaddedSpectrumInApStar)
        pending = [spectrum async for spectrum in outputs.pending(*asked, v_astra="0.8.0")]
        assert [s.spectrum_pk for s in pending] == [s.spectrum_pk for s in stored[40:]]
        assert outputs.store.database.partitioned == {TheCannon: True}
        found = await outputs.find(TheCannon, on=[*stored, *stored], newest=True, order_by="spectrum_pk")
        assert [row.spectrum_pk for row in found] == [s.spectrum_pk for s in stored[:50]]
        for some, way in ((9, "select unnest"), (8, "= any")):
            asked_on = Question.of(TheCannon, None, (), {"on": stored[:some]})
            suited = await asked_on.suited_to(outputs.store.database)
            assert way in suited.statement("astra", "result.task_pk").text
        async with connection.transaction():
            newest = outputs.columns(TheCannon, newest=True, columns=["spectrum_pk", "v_astra"])
            assert sorted((await newest.to_numpy())["v_astra"]) == [7_000] * 10 + [8_000] * 40
            assert await connection.fetchval("show enable_partitionwise_join") == "on"
            plan = await planned(
                connection, Question.of(TheCannon, None, (), {"newest": True}).count("astra").text
            )
            assert plan.count("Anti Join") == 4
        assert await connection.fetchval("show enable_partitionwise_join") == "off"
    await connection.execute("analyze astra.the_cannon; analyze astra.apogee_coadded_spectrum_in_ap_star")
    # A table this small is read whole at less cost; the test asks for the plan of a large one.
    await connection.execute("set enable_seqscan = off; set enable_hashjoin = off; set enable_sort = off")
    text = pending_page(*asked, "astra", shared=False, partitioned=True)
    plan = await planned(connection, text, 8, 0, 10)
    assert "Merge Append" in plan
    if connection.get_server_version().major >= 16:  # which knows that a spectrum has one result of a version
        assert "Materialize" not in plan


async def planned(connection: asyncpg.Connection, text: str, *values: Any) -> str:
    return "\n".join(row[0] for row in await connection.fetch(f"explain (costs off) {text}", *values))


async def test_a_table_that_is_being_copied_cannot_be_emptied_and_what_was_interrupted_goes_on(
    database: str, connection: asyncpg.Connection, partitioned: Partitioned, spectra: Any, outputs: Any
) -> None:
    stored = await spectra(10)
    await outputs.save_many(results(stored, "0.7.0"))
    async with connection.transaction():  # a reader that does not end keeps the tables from being exchanged
        await connection.fetch("select from astra.the_cannon")
        running = asyncio.ensure_future(asyncio.to_thread(partitioned, database, 4, "the_cannon"))
        async with outputs.store.database.acquire() as watching:
            server_process = await waiting_for_the_exchange(watching)
            with pytest.raises(asyncpg.RaiseError, match="cannot be emptied"):
                async with connection.transaction():
                    await connection.execute("truncate astra.the_cannon")
            await watching.execute("select pg_terminate_backend($1)", server_process)
        done = await running
    assert done.returncode > 0
    assert await number_of(connection) == 0
    # All is copied by now: what is written is repeated, or lost.
    await outputs.save_many(results(stored, "0.8.0"))
    await outputs.save_many(results(stored, "0.7.1", logg=1.0))
    await outputs.save(results(stored, "0.7.2", logg=2.0)[0])
    await connection.execute("update astra.the_cannon set v_astra = 5000 where v_astra = 7002")
    await connection.execute("delete from astra.the_cannon where v_astra = 8000 and spectrum_pk % 2 = 0")
    rows = await connection.fetch("select * from astra.the_cannon order by task_pk")
    done = partitioned(database, 4, "the_cannon")
    assert done.returncode == 0, done.stderr
    assert await number_of(connection) == 4
    assert await connection.fetch("select * from astra.the_cannon order by task_pk") == rows
    assert {row["v_astra"] for row in rows} == {5000, 7001, 8000}


async def waiting_for_the_exchange(connection: asyncpg.Connection) -> int:
    """Return the process that waits to exchange the tables, as soon as it does."""
    for _ in range(3_000):
        found = await connection.fetchval(
            "select pid from pg_locks where not granted and mode = 'AccessExclusiveLock' "
            "and database = (select oid from pg_database where datname = current_database())"
        )
        if found:
            return found
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waits for the exchange")
