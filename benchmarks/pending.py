"""What it costs to find the spectra that wait for a pipeline, at survey scale.

    python -m benchmarks.pending --spectra 10000000 --dsn postgresql://postgres@localhost/scratch
    python -m benchmarks.pending --spectra 2000000 --partitions 16

Makes the schema anew in the database given, or on a server of its own (foreign keys are not checked while it is filled: it
takes a superuser), gives nine in ten spectra a result, then all but one in ten thousand, and prints
plans and times. With `--partitions` the table is then spread, and one page is explained
step by step, in one table and in partitions: where the time goes (few are pending, so that one page reads all).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import time

import asyncpg

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar, TheCannon, embedded
from astra_outputs.postgres import sql_files
from astra_outputs.reading.pending import FIRST, PAGE, pending_count, pending_page
from benchmarks.server import server

SCHEMA = "pending_benchmark"
SPECTRA = f"""
insert into {SCHEMA}.apogee_coadded_spectrum_in_ap_star
    (spectrum_pk, release, apred, obj, telescope, snr, v_rad, created, modified)
select k, 'dr19', '1.3', '2M' || k, 'apo25m', 100, 1, '2026-01-01Z', '2026-01-01Z'
from generate_series(1, $1::bigint) as k
"""
RESULTS = f"""
insert into {SCHEMA}.the_cannon (spectrum_pk, v_astra, teff, logg, fe_h)
select k, 8001, 5000, 4, 0 from generate_series($1::bigint, $2::bigint) as k where k % 10000 <> 0
"""


async def fill(connection: asyncpg.Connection, spectra: int) -> None:
    """Make the tables anew, with so many spectra."""
    await connection.execute(f"drop schema if exists {SCHEMA} cascade")
    await sql_files.apply(connection, SCHEMA)
    await connection.execute("set session_replication_role = replica")
    await connection.execute(f"insert into {SCHEMA}.spectrum (pk) select generate_series(1, {spectra})")
    await connection.execute(SPECTRA, spectra)


async def add_results(connection: asyncpg.Connection, first: int, last: int) -> None:
    """Store a result for each key from the first to the last, but every 10,000th."""
    await connection.execute(RESULTS, first, last)
    for table in ("the_cannon", "apogee_coadded_spectrum_in_ap_star"):
        await connection.execute(f"vacuum (analyze) {SCHEMA}.{table}")


async def explain(connection: asyncpg.Connection, title: str, text: str, *values: int) -> None:
    """Print the plan of a statement, as it was run."""
    rows = await connection.fetch(
        "explain (analyze, buffers, costs off, timing off, summary on) " + text, *values
    )
    print(f"\n## {title}\n")
    print("\n".join(row[0] for row in rows))


async def profile(connection: asyncpg.Connection, title: str, text: str) -> None:
    """Print how long each step of a page takes, the second time, in milliseconds."""
    for _ in range(2):
        rows = await connection.fetch("explain (analyze, costs off, buffers off) " + text, 8, FIRST, PAGE)
    print(f"\n## {title}: {rows[-1][0]}\n")
    print("\n".join(row[0] for row in rows if "actual" in row[0]))


async def spread(dsn: str, connection: asyncpg.Connection, partitions: int) -> None:
    """Explain a page in one table, and once the results are in partitions."""
    kinds = TheCannon, ApogeeCoaddedSpectrumInApStar, SCHEMA, False
    await profile(connection, "One table", pending_page(*kinds))
    script = sql_files.schema_dir() / "add-ons" / "partitions.sql"
    words = ("-v", f"schema={SCHEMA}", "-v", "table=the_cannon", "-v", f"partitions={partitions}")
    command = [embedded.psql_program(), "-X", "-q", *words, "-f", script, dsn]
    await asyncio.to_thread(subprocess.run, command, check=True)
    await connection.execute(f"vacuum (analyze) {SCHEMA}.the_cannon")
    await profile(connection, f"{partitions} partitions", pending_page(*kinds, partitioned=True))


async def walk(dsn: str, shard: tuple[int, int] | None) -> None:
    """Print how long it takes to count and to read what is pending."""
    async with astra_outputs.connect(dsn, schema=SCHEMA) as outputs:
        options = {"v_astra": "0.8.1", "shard": shard}
        begin = time.perf_counter()
        counted = await outputs.count_pending(TheCannon, ApogeeCoaddedSpectrumInApStar, **options)
        middle = time.perf_counter()
        found, first = 0, middle
        async for _ in outputs.pending(TheCannon, ApogeeCoaddedSpectrumInApStar, **options):
            found += 1
            if found == 1:
                first = time.perf_counter()
        end = time.perf_counter()
    print(
        f"shard {shard}: counted {counted:,} in {middle - begin:.2f} s; first after {first - middle:.3f} s, "
        f"all {found:,} after {end - middle:.2f} s"
    )


async def run(dsn: str, options: argparse.Namespace) -> None:
    """Fill the tables and print plans and times."""
    connection = await asyncpg.connect(dsn)
    spectra = options.spectra
    plain, shared = (
        pending_page(TheCannon, ApogeeCoaddedSpectrumInApStar, SCHEMA, shared) for shared in (False, True)
    )
    count = pending_count(TheCannon, ApogeeCoaddedSpectrumInApStar, SCHEMA, shared=False)
    if not options.keep:
        await fill(connection, spectra)
        await add_results(connection, 1, spectra * 9 // 10)
    if not options.keep:
        print(f"# {spectra:,} spectra, nine in ten with a result")
        await explain(connection, "A page in the middle", plain, 8, spectra // 2, PAGE)
        await explain(connection, "A page where nothing is made", plain, 8, spectra * 95 // 100, PAGE)
        await explain(connection, "The same for share 3 of 16", shared, 8, spectra * 95 // 100, PAGE, 3, 16)
        await walk(dsn, (3, 16))
        await add_results(connection, spectra * 9 // 10 + 1, spectra)
    print(f"\n# {spectra:,} spectra, all but one in ten thousand with a result")
    await explain(connection, "The first page", plain, 8, FIRST, PAGE)
    await explain(connection, "The first page of share 3 of 16", shared, 8, FIRST, PAGE, 3, 16)
    await explain(connection, "The count", count, 8)
    await walk(dsn, None)
    await walk(dsn, (3, 16))
    if options.partitions:
        await spread(dsn, connection, options.partitions)
    await connection.close()


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--dsn", help="a database of yours, as superuser; on a server of its own if none is given"
    )
    parser.add_argument("--spectra", type=int, default=1_000_000)
    parser.add_argument("--keep", action="store_true", help="use the tables of the run before")
    parser.add_argument(
        "--partitions", type=int, help="spread the results at the end, and explain a page of both"
    )
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        asyncio.run(run(options.dsn or stack.enter_context(server(reading=True)), options))


if __name__ == "__main__":
    main()
