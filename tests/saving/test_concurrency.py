"""Many writers at once: nothing is lost, nothing deadlocks, and there is one row a key."""

from __future__ import annotations

import asyncio
import random
import sys
from itertools import pairwise
from pathlib import Path

import asyncpg
import pytest
from on_citus import CITUS_DSN
from waiting import waiting

from astra_outputs import Outcome, TheCannon

WRITERS = 8

WRITER = """
import asyncio, random, sys
from types import SimpleNamespace
import astra_outputs
from astra_outputs import TheCannon

async def main(dsn, number, keys, rounds, order):
    draw = random.Random(number)
    spectra = [SimpleNamespace(spectrum_pk=key, source_pk=None) for key in keys]
    async with astra_outputs.connect(dsn, connections=2) as outputs:
        await outputs.save(TheCannon.from_spectrum(spectra[number], v_astra=5001))
        print("ready", flush=True)
        sys.stdin.readline()
        for turn in range(rounds):
            if order == "shuffled":
                draw.shuffle(spectra)
            stamp = float(100 * number + turn)
            records = [TheCannon.from_spectrum(s, v_astra=6002, teff=stamp, logg=stamp) for s in spectra]
            report = await outputs.save_many(records, batch_size=50, connections=1 + turn % 2)
            assert len(report) == len(records)
        print(sum(record.task_pk for record in records), flush=True)

dsn, number, first, last, rounds, order = sys.argv[1:]
asyncio.run(main(dsn, int(number), range(int(first), int(last) + 1), int(rounds), order))
"""


async def deadlocks(connection: asyncpg.Connection) -> int:
    """How many there were in sessions that ended, or that have had nothing to do for ten seconds; of others, most."""
    await connection.execute("select pg_stat_force_next_flush()")
    return await connection.fetchval(
        "select deadlocks from pg_stat_database where datname = current_database()"
    )


async def until_a_deadlock_is_counted(connection: asyncpg.Connection) -> None:
    async with asyncio.timeout(120):
        while not await deadlocks(connection):  # noqa: ASYNC110 (nobody announces what a session counts)
            await asyncio.sleep(0.01)


async def sessions(connection: asyncpg.Connection) -> set[int]:
    found = await connection.fetch(
        "select pid from pg_stat_activity where datname = current_database() and backend_type = 'client backend'"
    )
    return {row["pid"] for row in found}


@pytest.mark.parametrize("order", ["sorted", "shuffled"])
async def test_processes_on_the_same_spectra_lose_nothing_and_never_deadlock(
    database: str, connection, spectra, order: str, tmp_path: Path
) -> None:
    keys = sorted(spectrum.spectrum_pk for spectrum in await spectra(200))
    assert keys == list(range(keys[0], keys[-1] + 1))
    script = tmp_path / "writer.py"
    script.write_text(WRITER)
    before = await sessions(connection)
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, str(script), database, str(number), str(keys[0]), str(keys[-1]), "4", order,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )
        for number in range(WRITERS)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        assert process.stdin is not None
        assert await process.stdout.readline() == b"ready\n", (await process.communicate())[1].decode()
    for process in processes:
        process.stdin.write(b"go\n")
    ended = [await process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * WRITERS, ended

    rows = await connection.fetch("select * from astra.the_cannon where v_astra = 6002 order by spectrum_pk")
    assert [row["spectrum_pk"] for row in rows] == keys
    # Each row is of one writer's last round, whole: its two values are never of two writers.
    assert all(row["teff"] == row["logg"] and row["teff"] % 100 == 3 for row in rows)
    # Every writer was told the key of the one row.
    assert {int(out.split()[-1]) for out, _ in ended} == {sum(row["task_pk"] for row in rows)}
    if CITUS_DSN:  # whose own sessions stay, and end a deadlock now and then (docs/scale.md)
        return
    async with asyncio.timeout(120):
        while await sessions(connection) - before:  # they count what they have seen when they end
            pass
    assert await deadlocks(connection) == 0


@pytest.mark.usefixtures("plain_tables")
async def test_the_same_rows_in_two_orders_do_deadlock_without_us(database: str, connection, spectra) -> None:
    """What the sorting is for: the plain statement of two writers, one of them the other way round."""
    first, second = [spectrum.spectrum_pk for spectrum in await spectra(2)]
    insert = (
        "insert into astra.the_cannon (spectrum_pk, v_astra) values ($1, 6002) "
        "on conflict (spectrum_pk, v_astra_major_minor) do update set v_astra = excluded.v_astra"
    )
    other = await asyncpg.connect(database)
    try:
        await connection.execute("begin")
        await other.execute("begin")
        await connection.execute(insert, first)
        await other.execute(insert, second)
        ends = await asyncio.gather(
            connection.execute(insert, second), other.execute(insert, first), return_exceptions=True
        )
        assert [isinstance(end, asyncpg.DeadlockDetectedError) for end in ends].count(True) == 1
        await connection.execute("rollback")
    finally:
        await other.close()
    await until_a_deadlock_is_counted(connection)


@pytest.mark.usefixtures("plain_tables")
async def test_every_writer_locks_its_rows_in_the_order_of_their_keys(outputs, connection, spectra) -> None:
    stored = await spectra(100)
    await connection.execute(
        "create table public.seen (place bigint generated always as identity, spectrum_pk bigint);"
        "create function public.note() returns trigger language plpgsql as $$ begin "
        "insert into public.seen (spectrum_pk) values (new.spectrum_pk); return new; end $$;"
        "create trigger note before insert or update on astra.the_cannon for each row execute function public.note()"
    )
    few, half = stored[:5], stored[::2]
    # New rows, stored ones, and new rows among those, where the call before had stored ones only.
    for v_astra, some in [
        (5001, few),
        (5002, few),
        (6001, half),
        (6002, half),
        (6003, stored),
        (6004, stored),
    ]:
        records = [TheCannon.from_spectrum(spectrum, v_astra=v_astra) for spectrum in some]
        random.Random(v_astra).shuffle(records)
        await outputs.save_many(records)
        seen = await connection.fetch("delete from public.seen returning place, spectrum_pk")
        # Where a stored row is met by an insertion, both triggers are fired.
        keys = list(dict.fromkeys(row["spectrum_pk"] for row in sorted(seen)))
        assert len(keys) == len(some)
        assert all(one < next_one for one, next_one in pairwise(keys))


@pytest.mark.usefixtures("plain_tables")
async def test_a_deadlock_with_another_program_is_tried_again(
    outputs, database: str, connection, spectra
) -> None:
    stored = await spectra(3)
    records = [TheCannon.from_spectrum(spectrum, v_astra=6002, teff=1.0) for spectrum in stored]
    await outputs.save_many(records)
    first, second, third = (record.task_pk for record in records)
    lock = "select 1 from astra.the_cannon where task_pk = $1 for update"
    other, theirs = await asyncpg.connect(database), await asyncpg.connect(database)
    # Who waits last finds the deadlock and is ended by the server. So they wait first, while another holds us up.
    await theirs.execute("set deadlock_timeout = '1h'")
    async with asyncio.timeout(120):
        holding_up, transaction = other.transaction(), theirs.transaction()
        await holding_up.start()
        await other.execute(lock, second)
        await transaction.start()
        await theirs.execute(lock, third)
        again = [TheCannon.from_spectrum(spectrum, v_astra=6002, teff=2.0) for spectrum in stored]
        saving = asyncio.create_task(outputs.save_many(again))
        while await waiting(connection) < 1:
            assert not saving.done()
        locking = asyncio.create_task(theirs.execute(lock, first))
        while await waiting(connection) < 2:
            assert not saving.done()
        await holding_up.rollback()
        await locking
        await transaction.rollback()
        assert (await saving).counts == {Outcome.REPLACED: 3}
    await other.close()
    await theirs.close()
    await until_a_deadlock_is_counted(connection)  # or more: the second try may be as unlucky as the first
    assert await connection.fetchval("select min(teff) from astra.the_cannon") == 2.0


@pytest.mark.parametrize("connections", [2, 4])
async def test_several_connections_store_every_record_and_tell_it(
    outputs, connection, spectra, connections: int
) -> None:
    stored = await spectra(230)
    records = [
        TheCannon.from_spectrum(spectrum, v_astra=6002, teff=float(n)) for n, spectrum in enumerate(stored)
    ]
    random.Random(1).shuffle(records)
    report = await outputs.save_many(iter(records), batch_size=20, connections=connections)
    assert report.counts == {Outcome.INSERTED: 230}
    rows = await connection.fetch("select task_pk, spectrum_pk, teff from astra.the_cannon")
    assert {(r["task_pk"], r["spectrum_pk"], r["teff"]) for r in rows} == {
        (r.task_pk, r.spectrum_pk, r.teff) for r in records
    }


async def test_several_connections_are_used_at_the_same_time(outputs, connection, spectra) -> None:
    """Two batches that wait for the same lock wait together."""
    stored = await spectra(4)
    records = [TheCannon.from_spectrum(spectrum, v_astra=6002) for spectrum in stored]
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("lock table astra.the_cannon in exclusive mode")
    saving = asyncio.create_task(outputs.save_many(records, batch_size=1, connections=3))
    async with asyncio.timeout(120):
        while await waiting(connection) < 3:
            assert not saving.done()
    await transaction.rollback()
    assert len(await saving) == 4


@pytest.mark.parametrize("connections", [1, 3])
async def test_the_last_of_two_batches_with_the_same_key_stays(outputs, spectra, connections: int) -> None:
    stored = await spectra(6)
    records = [
        TheCannon.from_spectrum(spectrum, v_astra=6002, teff=float(turn))
        for turn in range(9)
        for spectrum in stored
    ]
    await outputs.save_many(records, batch_size=6, connections=connections, duplicates="last")
    assert {(await outputs.get_result(TheCannon, spectrum)).teff for spectrum in stored} == {8.0}
