"""What a row of each built-in table takes: bytes, log, seconds; kept beside the calculator `astra-outputs plan`.

    python -m benchmarks.planning                  every table, some minutes: writes astra_outputs/planning/measured.json
    python -m benchmarks.planning --check 1e7      loads so many rows, and holds the prediction against what it took

Every column of every row has a value, on a server as durable as in production, so that what is predicted is rather too
large. Each table is stored new and then replaced twice, the second of which counts; vacuumed; dumped and restored with the
programs that a DBA uses, into a database that has the sources and spectra.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import numpy as np

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar, PipelineOutputMixin, Source
from astra_outputs.discover import record_classes
from astra_outputs.embedded.programs import bin_dir
from astra_outputs.model.columns import Column
from astra_outputs.planning import Wanted, plan
from astra_outputs.planning.measured import FILE
from astra_outputs.postgres import sql_files
from benchmarks import marks
from benchmarks.measure import load_warning, say
from benchmarks.server import connected, environment, server

ROWS = 40_000
SMOKE = 400
CHECKED = (
    "the_cannon",
    "astro_nn",
    "slam",
    "snow_white",
    "clam",
    "apogee_net",
    "boss_net",
    "corv",
    "astro_nn_dist",
)
"""Tables that the check loads, each with as many rows."""
TOLERANCE = 0.2
"""How far a prediction may be off, as a share of what is measured."""
SPECTRA = "apogee_coadded_spectrum_in_ap_star"
DIGITS = 4


async def measure(dsn: str, rows: int) -> dict[str, Any]:
    """Return what a row of every built-in table takes."""
    await _apply(dsn)
    found = {}
    async with astra_outputs.connect(dsn) as outputs, connected(dsn) as connection:
        parents = {}
        sources = _sources(rows)
        for table, make in (("source", lambda: sources), (SPECTRA, lambda: _spectra(sources))):
            records = make()
            say(f"planning: {table}")
            parents[table] = await _stored(
                connection, table, lambda records=records: outputs.save_many(records), 2
            )
        # Its rows are stored by the same statement as those of the spectra.
        nothing = dict.fromkeys(("first", "again", "wal_first", "wal_again"), 0.0)
        parents["spectrum"] = nothing | await _sizes(connection, "spectrum")
        other = await _database_beside(dsn, connection)
        for table in ("source", "spectrum", SPECTRA):
            found[table] = await _looked_after(connection, dsn, other, table, parents[table], rows)
        for record_class in record_classes(()):
            if issubclass(record_class, PipelineOutputMixin):
                say(f"planning: {record_class.table}")
                # An array takes as long as a hundred numbers.
                arrays = sum(column.type.sql == "real[]" for column in record_class.columns())
                some = max(SMOKE, rows // (1 + arrays // 4))
                found[record_class.table] = await _measured(
                    outputs, connection, dsn, other, record_class, some
                )
    return {
        "environment": await environment(dsn),
        "rows": rows,
        "tables": {
            table: {name: float(f"{value:.{DIGITS}g}") for name, value in cost.items()}
            for table, cost in sorted(found.items())
        },
    }


async def check(dsn: str, rows: int) -> dict[str, Any]:
    """Load so many rows, in tables of every width; return what was predicted and what was measured."""
    spectra = max(1, rows // len(CHECKED))
    await _apply(dsn)
    async with connected(dsn) as connection:
        await connection.execute(f"insert into source (sdss_id) select generate_series(1, {spectra})")
        await connection.execute(f"insert into spectrum (source_pk) select generate_series(1, {spectra})")
        await connection.execute("vacuum (analyze) source, spectrum")
    classes = [one for one in record_classes(()) if one.table in CHECKED]
    part = 100_000
    seconds = 0.0
    async with astra_outputs.connect(dsn) as outputs, connected(dsn) as connection:
        for record_class in classes:
            assert issubclass(record_class, PipelineOutputMixin)
            say(f"planning: {spectra:,} rows of {record_class.table}")
            for first in range(1, spectra + 1, part):
                columns = columns_of(record_class, range(first, min(first + part, spectra + 1)))
                began = time.perf_counter()
                await outputs.save_table(record_class, columns, v_astra="0.8.0")
                seconds += time.perf_counter() - began
        names = ", ".join(f"'astra.{one.table}'" for one in classes)
        size = await connection.fetchval(
            f"select sum(pg_total_relation_size(name::regclass)) from unnest(array[{names}]) as name"
        )
    predicted = plan(Wanted(spectra, 1, [one.table for one in classes], patches=0))
    tables = [one for one in predicted.tables if one.name in CHECKED]
    return {
        "environment": await environment(dsn),
        "rows": spectra * len(classes),
        "seconds": {"predicted": sum(one.seconds for one in tables), "measured": seconds},
        "bytes": {"predicted": sum(one.heap + one.indexes for one in tables), "measured": float(size)},
    }


def checked(found: dict[str, Any]) -> str:
    """Return what the check found as Markdown."""
    numbers = {"seconds to load": (found["seconds"], 1), "GB of tables and indexes": (found["bytes"], 1e9)}
    rows = [
        (what, f"{one['predicted'] / unit:,.1f}", f"{one['measured'] / unit:,.1f}", f"{_share(one):.2f}")
        for what, (one, unit) in numbers.items()
    ]
    head = (f"{found['rows']:,} rows", "predicted", "measured", "predicted / measured")
    return f"{marks.table(head, rows)}\n\n{marks.footnote(found['environment'])}"


def _share(one: dict[str, float]) -> float:
    return one["predicted"] / one["measured"]


async def _apply(dsn: str) -> None:
    async with connected(dsn) as connection:
        await sql_files.apply(connection, "astra")
        await connection.execute("alter system set autovacuum = off")
        await connection.execute("select pg_reload_conf()")


async def _database_beside(dsn: str, connection: asyncpg.Connection) -> str:
    """Return the DSN of another database, into which tables are restored."""
    await connection.execute("create database restored")
    other = urlsplit(dsn)._replace(path="/restored").geturl()
    async with connected(other) as made:
        await made.execute("create schema astra")
    return other


async def _measured(
    outputs: Any,
    connection: asyncpg.Connection,
    dsn: str,
    other: str,
    record_class: type[PipelineOutputMixin],
    rows: int,
) -> dict[str, float]:
    """Store, replace, vacuum, dump and restore one table of results."""
    sources = [
        row["source_pk"]
        for row in await connection.fetch("select source_pk from spectrum order by pk limit $1", rows)
    ]
    columns, table = columns_of(record_class, range(1, rows + 1), sources), record_class.table
    versions = iter(("0.8.0", "0.8.1", "0.8.2"))
    taken = await _stored(
        connection, table, lambda: outputs.save_table(record_class, columns, v_astra=next(versions)), 3
    )
    return await _looked_after(connection, dsn, other, table, taken, rows)


async def _stored(
    connection: asyncpg.Connection, table: str, store: Callable[[], Awaitable[object]], times: int
) -> dict[str, float]:
    """Store rows several times; return what the first time took, and the last."""
    taken: dict[str, float] = {}
    for number in range(times):
        name = "again" if number else "first"
        await connection.execute("checkpoint")
        log, began = await _log(connection), time.perf_counter()
        await store()
        taken |= {name: time.perf_counter() - began, f"wal_{name}": await _log(connection) - log}
        if not number:
            taken |= await _sizes(connection, table)
    return taken


async def _sizes(connection: asyncpg.Connection, table: str) -> dict[str, float]:
    heap, indexes = await connection.fetchrow(
        "select pg_table_size($1::text::regclass), pg_indexes_size($1::text::regclass)", f"astra.{table}"
    )
    return {"heap": float(heap), "indexes": float(indexes)}


async def _looked_after(
    connection: asyncpg.Connection,
    dsn: str,
    other: str,
    table: str,
    taken: dict[str, float],
    rows: int,
) -> dict[str, float]:
    """Vacuum, dump and restore; return everything for one row.

    The time in which a program starts, and does nothing, is taken off: with more rows it is little.
    """
    began = time.perf_counter()
    await connection.execute(f"vacuum (analyze) astra.{table}")
    taken["vacuum"] = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / table
        nothing, emptied = Path(folder) / "nothing", "--exclude-table-data=*"
        dump = ("pg_dump", "-Fc", "-t", f"astra.{table}")
        starting = min(_run(*dump, emptied, "-f", nothing, dsn) for _ in range(3))
        dumping = min(_run(*dump, "-f", file, dsn) for _ in range(3))
        taken["dump"] = float(file.stat().st_size)
        # First the table without rows, then the table with them. A tenth at least is not the start.
        restoring = _run("pg_restore", "-d", other, nothing)
        restored = min(_run("pg_restore", "--clean", "-d", other, file) for _ in range(3))
        taken["dumping"] = max(dumping - starting, dumping / 10)
        taken["restoring"] = max(restored - restoring, restored / 10)
    names = (
        "heap",
        "indexes",
        "dump",
        "wal_first",
        "wal_again",
        "first",
        "again",
        "vacuum",
        "dumping",
        "restoring",
    )
    return {name: taken[name] / rows for name in names}


def _run(program: str, *arguments: object) -> float:
    """Run a program of PostgreSQL's; return the seconds that it took."""
    began = time.perf_counter()
    subprocess.run([bin_dir() / program, *map(str, arguments)], check=True, capture_output=True)
    return time.perf_counter() - began


async def _log(connection: asyncpg.Connection) -> float:
    return float(await connection.fetchval("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))


def columns_of(record_class: type[PipelineOutputMixin], keys: range, sources: Any = None) -> dict[str, Any]:
    """Return a value for every column of every row, and no two rows alike; sources have the spectra's numbers if not given."""
    draw = np.random.default_rng(keys.start)
    columns: dict[str, Any] = {}
    for column in record_class.columns():
        if column.written and column.name not in ("spectrum_pk", "source_pk", "v_astra"):
            columns[column.name] = _values(column, len(keys), draw)
    numbers = np.arange(keys.start, keys.stop)
    return columns | {"spectrum_pk": numbers, "source_pk": numbers if sources is None else sources}


def _values(column: Column, count: int, draw: np.random.Generator) -> Any:
    if column.type.sql in ("real", "double precision"):
        return draw.normal(5.0, 1.0, count).astype("f4" if column.type.sql == "real" else "f8")
    if column.type.sql in ("integer", "bigint"):
        return draw.integers(0, 1_000, count)
    if column.type.sql == "boolean":
        return draw.integers(0, 2, count).astype(bool)
    if column.type.sql == "text":
        return ["astra"] * count
    if column.type.sql == "real[]":
        return list(draw.normal(5.0, 1.0, (count, 8)).astype("f4"))
    return [column.type.example(number % 64) for number in range(count)]


def _sources(rows: int) -> list[Source]:
    """Return sources with all that is known of a star."""
    return [Source.model_validate(_filled(Source, 10**9 + number)) for number in range(rows)]


def _spectra(sources: list[Source]) -> list[ApogeeCoaddedSpectrumInApStar]:
    kind = ApogeeCoaddedSpectrumInApStar
    return [
        kind.model_validate(
            _filled(kind, number) | {"source_pk": source.pk, "obj": f"2M{number:016d}", "spectrum_pk": None}
        )
        for number, source in enumerate(sources)
    ]


def _filled(record_class: Any, number: int) -> dict[str, Any]:
    others = ("pk", "source_pk", "spectrum_pk", "created", "modified")
    values = {
        column.name: column.type.example(number % 64)
        for column in record_class.columns()
        if column.written and column.name not in others and not column.name.endswith("flags")
    }
    identifiers = {name for names in record_class.natural_keys for name in names}
    for name in identifiers & values.keys():
        if record_class is Source:
            values[name] = f"{number}" if isinstance(values[name], str) else number
    return values


def main() -> int:
    """Read the command line, and measure or check."""
    parser = argparse.ArgumentParser(
        description="Measure what a row of each table takes, for astra-outputs plan."
    )
    parser.add_argument("--rows", type=float, default=ROWS, help="rows of each table")
    parser.add_argument("--smoke", action="store_true", help="a few rows, written nowhere: does it run?")
    parser.add_argument("--check", type=float, help="load so many rows, and compare with what was predicted")
    parser.add_argument(
        "--publish", action="store_true", help="write what the check found into docs/scale.md"
    )
    options = parser.parse_args()
    warning = load_warning()
    if warning:
        say(warning)
    with server(quick=options.smoke) as dsn:
        if options.check:
            found = asyncio.run(check(dsn, int(options.check)))
            print(json.dumps(found, indent=2))
            if options.publish:
                marks.publish("plan", checked(found))
            within = [abs(_share(found[what]) - 1) <= TOLERANCE for what in ("seconds", "bytes")]
            return 0 if all(within) else 1
        found = asyncio.run(measure(dsn, SMOKE if options.smoke else int(options.rows)))
    if options.smoke:
        print(json.dumps(found["tables"], indent=2))
    else:
        FILE.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
