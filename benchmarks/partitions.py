"""What partitions cost and bring at survey scale, and what it takes to make them of a filled table and back.

    python benchmarks/partitions.py --rows 10000000

Fills The Cannon's table on a server of its own (or in the schema `partitions_benchmark` of `--dsn`, as superuser) with
so many results of one version and a tenth as many of the next one, measures the plain table, spreads it over
partitions by schema/add-ons/partitions.sql while a writer goes on, measures that, puts it together again, and measures
the plain table once more. Prints a table; `plain` is the mean of the two. Takes 20 minutes and 20 GB for 10⁷ rows.
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
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar, Outputs, TheCannon, embedded
from astra_outputs.postgres import sql_files
from benchmarks.server import environment, server

SCHEMA = "partitions_benchmark"
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
BATCH = 2_000
RESULTS_FILE = Path(__file__).parent / "results" / "partitions.json"

Figures = dict[str, float]


def result(spectrum_pk: int, version: int) -> TheCannon:
    """Return a result as a pipeline would make it."""
    return TheCannon(
        spectrum_pk=spectrum_pk, v_astra=version, teff=4_000.0 + spectrum_pk % 3_000, e_teff=51.0, logg=2.5,
        e_logg=0.1, fe_h=-0.3, e_fe_h=0.05, c_fe=0.1, n_fe=0.2, o_fe=0.3, mg_fe=0.1, si_fe=0.2, rchi2=1.1,
        result_flags=spectrum_pk % 8,
    )  # fmt: skip


async def fill(connection: asyncpg.Connection, rows: int) -> None:
    """Make the tables anew, with so many spectra, and results for nearly all of them."""
    await connection.execute(f"drop schema if exists {SCHEMA} cascade")
    await sql_files.apply(connection, SCHEMA)
    await connection.execute(
        "set session_replication_role = replica"
    )  # foreign keys hold by what is inserted
    await connection.execute(f"insert into {SCHEMA}.spectrum (pk) select generate_series(1, {rows})")
    await connection.execute(SPECTRA, rows)
    await connection.execute(RESULTS, rows, 8001)
    await connection.execute(RESULTS, rows // 10, 9001)
    await connection.execute("set session_replication_role = origin")
    for table in ("spectrum", "apogee_coadded_spectrum_in_ap_star", "the_cannon"):
        await connection.execute(f"vacuum (analyze) {SCHEMA}.{table}")
    await connection.execute("checkpoint")


async def seconds(work: Callable[[], Awaitable[Any]], times: int = 1) -> float:
    """Return the median time of some work."""
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        await work()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


async def measure(dsn: str, rows: int, new_version: int, times: int) -> Figures:
    """Return what each operation takes on the table as it is, in seconds, and sizes in bytes."""
    random.seed(7)
    found: Figures = {}
    saved = min(20 * BATCH, rows // 4)
    async with astra_outputs.connect(dsn, schema=SCHEMA) as outputs:

        async def save(version: int, first: int) -> None:
            await outputs.save_many(
                (result(k, version) for k in range(first, first + saved)), batch_size=BATCH
            )

        await save(8_001, 1)  # learns that these are re-runs
        found["re-run, batches of 2,000"] = await seconds(
            lambda: save(8_001, random.randrange(1, rows - saved)), times
        )
        firsts = iter(range(1, rows, saved))
        found["new rows, batches of 2,000"] = await seconds(
            lambda: save(new_version, next(firsts)), min(times, 3)
        )
        one = iter(range(rows // 2, rows))
        found["100 single saves"] = await seconds(lambda: _singly(outputs, one), times)
        found.update(await read(outputs, rows, times))
    async with astra_outputs.connect(
        dsn, schema=SCHEMA, server_settings={"enable_partitionwise_join": "on"}
    ) as outputs:
        found["newest of each, enable_partitionwise_join"] = await seconds(lambda: newest(outputs), 2)
    found.update(await upkeep(dsn))
    return found


async def _singly(outputs: Outputs, keys: Any) -> None:
    for _ in range(100):
        await outputs.save(result(next(keys), 8_001))


async def newest(outputs: Outputs) -> None:
    """Read two columns of the newest result of each spectrum."""
    await outputs.columns(TheCannon, newest=True, columns=["spectrum_pk", "teff"]).to_numpy()


async def read(outputs: Outputs, rows: int, times: int) -> Figures:
    """Return what reading takes."""
    asked = {"v_astra": "0.8.1"}
    kinds = (TheCannon, ApogeeCoaddedSpectrumInApStar)

    async def pending() -> None:
        async for _ in outputs.pending(*kinds, **asked):
            pass

    async def by_key() -> None:
        for _ in range(200):
            await outputs.get_result(TheCannon, random.randrange(1, rows), v_astra="0.8")

    async def by_id() -> None:
        for _ in range(200):
            await outputs.get_by_id(TheCannon, random.randrange(1, rows))

    async def find() -> None:
        for _ in range(20):
            await outputs.find(TheCannon, on=random.sample(range(1, rows), 100), newest=True)

    names = ["spectrum_pk", "teff", "logg", "fe_h", "result_flags"]
    return {
        "all that is pending": await seconds(pending, 2),
        "count of what is pending": await seconds(lambda: outputs.count_pending(*kinds, **asked), 2),
        "newest of each": await seconds(lambda: newest(outputs), 2),
        "200 results by spectrum and version": await seconds(by_key, times),
        "200 results by task_pk": await seconds(by_id, times),
        "20 times 100 spectra, newest": await seconds(find, times),
        "five columns of all": await seconds(lambda: outputs.columns(TheCannon, columns=names).to_numpy(), 2),
        "five columns of all, two connections": await seconds(
            lambda: outputs.columns(TheCannon, columns=names, connections=2).to_numpy(), 2
        ),
        "a condition without an index": await seconds(
            lambda: outputs.columns(TheCannon, "teff > 6998").count(), 2
        ),
    }


async def upkeep(dsn: str) -> Figures:
    """Return the time of a vacuum after the re-runs, and the sizes of the table and its indexes."""
    connection = await asyncpg.connect(dsn)
    try:
        taken = await seconds(lambda: connection.execute(f"vacuum (analyze) {SCHEMA}.the_cannon"))
        size = await connection.fetchrow(f"""
            select sum(pg_table_size(relid))::float8 as rows, sum(pg_indexes_size(relid))::float8 as indexes
            from (
                select relid from pg_partition_tree('{SCHEMA}.the_cannon') where isleaf
                union
                select '{SCHEMA}.the_cannon'::regclass
            ) as parts
        """)
    finally:
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
    connection = await asyncpg.connect(dsn)
    await connection.execute(f"drop table {SCHEMA}.the_cannon_before")
    await connection.execute(f"vacuum (analyze) {SCHEMA}.the_cannon")
    await connection.execute("checkpoint")
    await connection.close()
    said = [line.partition("NOTICE:  ")[2] for line in done.stderr.splitlines() if "NOTICE" in line]
    return {
        "seconds": taken,
        "said": said,
        "batches of the writer": len(waited),
        "its median, s": statistics.median(waited),
        "its longest, s": max(waited),
    }


async def run(dsn: str, rows: int, partitions: int, times: int) -> dict[str, Any]:
    """Measure plain, partitioned, and plain again."""
    connection = await asyncpg.connect(dsn)
    taken = await seconds(lambda: fill(connection, rows))
    await connection.close()
    print(f"# {rows:,} rows, filled in {taken:.0f} s", flush=True)
    before = await measure(dsn, rows, 10_001, times)
    there = await exchange(dsn, partitions, rows)
    print(f"to {partitions} partitions: {there}", flush=True)
    spread = await measure(dsn, rows, 11_001, times)
    back = await exchange(dsn, 0, rows)
    print(f"back: {back}\n", flush=True)
    after = await measure(dsn, rows, 12_001, times)
    plain = {name: (before[name] + after[name]) / 2 for name in before}
    print(f"| | plain | {partitions} partitions | plain / partitions |\n| --- | --- | --- | --- |")
    for name, value in plain.items():
        print(f"| {name} | {value:,.3f} | {spread[name]:,.3f} | {value / max(spread[name], 1e-9):.2f} |")
    return {
        "environment": await environment(dsn),
        "rows": rows,
        "before": before,
        "spread": spread,
        "after": after,
        "there": there,
        "back": back,
    }


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dsn", help="a server of yours, as superuser; one of its own if none is given")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--partitions", type=int, default=16)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--output", type=Path, default=RESULTS_FILE)
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        dsn = given.dsn or stack.enter_context(server())
        found = asyncio.run(run(dsn, given.rows, given.partitions, given.times))
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
