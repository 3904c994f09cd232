"""What partitions cost and bring at survey scale, and what it takes to make them of a filled table and back.

    python -m benchmarks.partitions --rows 10000000

Fills The Cannon's table on a server of its own (or in the schema `partitions_benchmark` of `--dsn`, as superuser) with
so many results of one version and a tenth as many of the next one, and spreads it over partitions by
schema/add-ons/partitions.sql while a writer goes on. The table as it was stays beside it, and the two take turns under
the one name: each operation is measured on one and on the other, round by round, so that a machine that is busy for a
while is so for both. Then the partitions are put together again, under a writer as well. Prints medians, and the
median of the rounds' ratios. Takes about 20 minutes and 20 GB for 10⁷ rows.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import statistics
import subprocess
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import asyncpg

import astra_outputs
from astra_outputs import embedded
from astra_outputs.postgres import sql_files
from benchmarks import marks
from benchmarks.operations import BATCH, operations, ready, result
from benchmarks.server import environment, server

SCHEMA = "partitions_benchmark"
ASIDE = "the_cannon_aside"
"""Name of the table whose turn it is not."""

NOT_MEASURED = f"""
alter table {SCHEMA}.apogee_coadded_spectrum_in_ap_star
    drop constraint apogee_coadded_spectrum_in_ap_star_natural_key;
drop index {SCHEMA}.apogee_coadded_spectrum_in_ap_star_obj_idx;
drop index {SCHEMA}.apogee_coadded_spectrum_in_ap_star_source_idx
"""
"""Indexes of spectra that no statement here looks at, and that take two thirds of the time of filling."""

SPECTRA = f"""
insert into {SCHEMA}.apogee_coadded_spectrum_in_ap_star
    (spectrum_pk, release, apred, obj, telescope, snr, v_rad, created, modified)
select k, 'dr19', '1.3', '2M' || k, 'apo25m', 100, 1, '2026-01-01Z', '2026-01-01Z'
from generate_series(1, $1::bigint) as k
"""
RESULTS = f"""
insert into {SCHEMA}.the_cannon
    (spectrum_pk, v_astra, teff, e_teff, logg, e_logg, fe_h, e_fe_h, c_fe, n_fe, o_fe, mg_fe, si_fe, rchi2, result_flags)
select k, $2, 4000 + k % 3000, 50, 2.5, 0.1, -0.3, 0.05, 0.1, 0.2, 0.3, 0.1, 0.2, 1.1, k % 8
from generate_series(1, $1::bigint) as k where k % 10000 <> 0
"""
RESULTS_FILE = Path(__file__).parent / "results" / "partitions.json"

Figures = dict[str, list[float]]


async def execute(dsn: str, *statements: str) -> None:
    """Run statements one by one, those that cannot be in a transaction among them."""
    connection = await asyncpg.connect(dsn)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


async def fill(dsn: str, rows: int) -> None:
    """Make the tables anew, with so many spectra, and results for nearly all of them: each side on a processor."""
    first, second = [await asyncpg.connect(dsn) for _ in range(2)]
    await first.execute(f"drop schema if exists {SCHEMA} cascade")
    await sql_files.apply(first, SCHEMA)
    await first.execute(NOT_MEASURED)
    for connection in (first, second):  # foreign keys hold by what is inserted
        await connection.execute("set session_replication_role = replica")

    async def spectra() -> None:
        await first.execute(f"insert into {SCHEMA}.spectrum (pk) select generate_series(1, {rows})")
        await first.execute(SPECTRA, rows)

    async def results() -> None:
        await second.execute(RESULTS, rows, 8001)
        await second.execute(RESULTS, rows // 10, 9001)

    await asyncio.gather(spectra(), results())
    for table in ("spectrum", "apogee_coadded_spectrum_in_ap_star", "the_cannon"):
        await first.execute(f"vacuum (analyze) {SCHEMA}.{table}")
    await first.execute("checkpoint")
    await first.close()
    await second.close()


async def seconds(work: Awaitable[Any]) -> float:
    """Return what some work takes."""
    begin = time.perf_counter()
    await work
    return time.perf_counter() - begin


async def measure(dsn: str, rows: int, times: int) -> dict[str, Figures]:
    """Return what each operation takes on the partitions and on the table aside, round by round, in seconds.

    Each time on connections of its own, which know the table that has the name.
    """
    found: dict[str, Figures] = {"partitions": {}, "plain": {}}
    turns = ["partitions", "plain"]  # the first has the name
    for name, (work, rounds) in operations(rows, times).items():
        for turn in range(rounds):
            for place in (0, 1):
                if place:
                    await change_places(dsn)
                    turns.reverse()
                async with astra_outputs.connect(dsn, schema=SCHEMA) as outputs:
                    await ready(outputs)
                    found[turns[0]].setdefault(name, []).append(await seconds(work(outputs, turn)))
        print(f"# {name}: {_ratio(found, name):.2f}", flush=True)
    for _ in turns:
        for name, value in (await upkeep(dsn)).items():
            found[turns[0]][name] = [value]
        await change_places(dsn)
        turns.reverse()
    if turns[0] != "partitions":
        await change_places(dsn)
    return found


async def change_places(dsn: str) -> None:
    """Give the name to the other table."""
    await execute(
        dsn,
        f"""
        alter table {SCHEMA}.the_cannon rename to the_cannon_turn;
        alter table {SCHEMA}.{ASIDE} rename to the_cannon;
        alter table {SCHEMA}.the_cannon_turn rename to {ASIDE}
        """,
    )


async def upkeep(dsn: str) -> dict[str, float]:
    """Return the time of a vacuum after the re-runs, and the sizes of the table and its indexes."""
    taken = await seconds(execute(dsn, f"vacuum (analyze) {SCHEMA}.the_cannon"))
    connection = await asyncpg.connect(dsn)
    size = await connection.fetchrow(f"""
        select sum(pg_table_size(relid))::float8 as rows, sum(pg_indexes_size(relid))::float8 as indexes
        from (
            select relid from pg_partition_tree('{SCHEMA}.the_cannon') where isleaf
            union
            select '{SCHEMA}.the_cannon'::regclass
        ) as parts
    """)
    await connection.close()
    return {"vacuum": taken, "bytes of rows": size["rows"], "bytes of indexes": size["indexes"]}


async def exchange(dsn: str, partitions: int, rows: int) -> dict[str, Any]:
    """Apply partitions.sql while a writer goes on; return what it said, and how long the writer waited at most."""
    waited: list[float] = []

    async def write() -> None:
        async with astra_outputs.connect(dsn, schema=SCHEMA) as outputs:
            while True:
                first = random.randrange(1, rows - BATCH)
                some = [result(k, 8_001) for k in range(first, first + BATCH)]
                begin = time.perf_counter()
                await outputs.save_many(some)
                waited.append(time.perf_counter() - begin)
                await asyncio.sleep(0.2)

    script = sql_files.schema_dir() / "add-ons" / "partitions.sql"
    command: list[Any] = [
        embedded.psql_program(),
        "-X",
        "-q",
        "-v",
        f"schema={SCHEMA}",
        "-v",
        "table=the_cannon",
    ]
    command += ["-v", f"partitions={partitions}", "-f", script, dsn]
    writer = asyncio.ensure_future(write())
    begin = time.perf_counter()
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    taken = time.perf_counter() - begin
    writer.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await writer
    if done.returncode:
        raise RuntimeError(done.stderr)
    said = [line.partition("NOTICE:  ")[2] for line in done.stderr.splitlines() if "NOTICE" in line]
    return {
        "seconds": taken,
        "said": said,
        "batches of the writer": len(waited),
        "its median, s": statistics.median(waited),
        "its longest, s": max(waited),
    }


def _ratio(found: dict[str, Figures], name: str) -> float:
    """Return how many times faster the partitions are, in the middle of the rounds."""
    rounds = zip(found["plain"][name], found["partitions"][name], strict=True)
    return statistics.median(plain / max(spread, 1e-9) for plain, spread in rounds)


async def run(dsn: str, rows: int, partitions: int, times: int) -> dict[str, Any]:
    """Fill, spread over partitions, measure both in turns, and put together again."""
    print(f"# {rows:,} rows, filled in {await seconds(fill(dsn, rows)):.0f} s", flush=True)
    there = await exchange(dsn, partitions, rows)
    print(f"to {partitions} partitions: {there}", flush=True)
    await execute(
        dsn,
        f"alter table {SCHEMA}.the_cannon_before rename to {ASIDE}",
        f"vacuum (analyze) {SCHEMA}.{ASIDE}",
        f"vacuum (analyze) {SCHEMA}.the_cannon",
        "checkpoint",
    )
    found = await measure(dsn, rows, times)
    await execute(dsn, f"drop table {SCHEMA}.{ASIDE}")
    back = await exchange(dsn, 0, rows)
    print(f"back: {back}\n", flush=True)
    where = {"environment": await environment(dsn), "rows": rows, "partitions": partitions}
    return {**where, "taken": found, "there": there, "back": back}


def tables(found: dict[str, Any]) -> str:
    """Return what was measured as Markdown: the operations, and the exchange in both directions."""
    taken, head = found["taken"], ("", "plain", f"{found['partitions']} partitions", "plain / partitions")
    rows = []
    for name in taken["plain"]:
        both = [statistics.median(taken[table][name]) for table in ("plain", "partitions")]
        said = [f"{one / 1e9:.2f} GB" if name.startswith("bytes") else f"{one:,.3f}" for one in both]
        rows.append((name, *said, f"{_ratio(taken, name):.2f}"))
    ways = {f"into {found['partitions']} partitions": found["there"], "into one table": found["back"]}
    exchanged = [
        (name, *(f"{way[what]:,.2f}" for what in ("seconds", "its median, s", "its longest, s")))
        for name, way in ways.items()
    ]
    moved = ("exchange under a writer", "seconds", "a batch of the writer, median", "longest")
    measured = marks.table(head, rows)
    return "\n\n".join(
        [
            f"{found['rows']:,} results of The Cannon, seconds:",
            measured,
            marks.table(moved, exchanged),
            marks.footnote(found["environment"]),
        ]
    )


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dsn", help="a server of yours, as superuser; one of its own if none is given")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--partitions", type=int, default=16)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--output", type=Path, default=RESULTS_FILE)
    parser.add_argument("--publish", action="store_true", help="write the tables into docs/scale.md")
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        dsn = given.dsn or stack.enter_context(server(max_wal_size="6GB"))
        found = asyncio.run(run(dsn, given.rows, given.partitions, given.times))
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(tables(found))
    if given.publish:
        marks.publish("partitions", tables(found))


if __name__ == "__main__":
    main()
