"""What results cost that Citus distributes, beside a plain table: re-runs by batches, and single saves.

    python -m benchmarks.citus --citus postgresql://postgres@127.0.0.1:5700/postgres \
        --plain postgresql://postgres@127.0.0.1:5709/postgres

Two servers of one version and with the same settings, on one machine; databases are made on both and dropped afterwards.
50,000 results of The Cannon, every label measured, are stored again in batches of 2,000 and of 10,000, from records and
from a table, then 500 single ones one after the other; a median of five rounds, in turn. Beside them what is the least
that a single save can take, the bare statement, prepared by the driver, of the same columns and without a look at the
spectrum's source; and the first save of a connection. Ends with 1 where a goal is missed: a re-run by 10,000 in at most
2.0 times the plain table's time with 4 shards and 5 with 32, a single save 2.2.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import astra_outputs
from astra_outputs import TheCannon
from astra_outputs.embedded.programs import psql_program
from astra_outputs.postgres import sql_files
from astra_outputs.saving.one_row import values_of
from benchmarks import marks
from benchmarks.measure import load_warning, say
from benchmarks.planning import columns_of
from benchmarks.server import connected, environment

GOALS = {"4": {"rerun": 2.0, "single": 2.2}, "32": {"rerun": 5.0}}
BATCHES = (2_000, 10_000)
ROUNDS = 5
FURTHER = (
    "apogee_visit_spectrum apogee_visit_spectrum_in_ap_star apogee_combined_spectrum apogee_rest_frame_visit_spectrum "
    "boss_combined_spectrum boss_rest_frame_visit_spectrum apogee_net boss_net astro_nn astro_nn_dist the_payne slam clam "
    "m_dwarf_type line_forest nmf_rectify corv targeting_carton"
)
"""Tables that are left out: each takes a while to be cut into shards."""

SENT = [column.name for column in TheCannon.columns() if column.written]
KEY = ("spectrum_pk", "v_astra_major_minor")
BARE = (
    f"insert into the_cannon ({', '.join(SENT)}) values ({', '.join(f'${n}' for n in range(1, len(SENT) + 1))}) "
    f"on conflict ({', '.join(KEY)}) do update set "
    + ", ".join(f"{name} = excluded.{name}" for name in SENT if name not in KEY)
)


async def measure(where: dict[str, str], rows: int, singles: int) -> dict[str, dict[str, float]]:
    """Return the seconds of each way, by table and way."""
    columns = columns_of(TheCannon, range(1, rows + 1))
    records = [
        TheCannon.model_validate(
            {name: _plain(values[at]) for name, values in columns.items()} | {"v_astra": 8001}
        )
        for at in range(rows)
    ]
    taken: dict[str, dict[str, list[float]]] = {name: {} for name in where}
    for name, dsn in where.items():
        say(f"citus: {name}")
        async with connected(dsn) as connection:
            await connection.execute(f"insert into source (sdss_id) select generate_series(1, {rows})")
            await connection.execute(f"insert into spectrum (source_pk) select generate_series(1, {rows})")
        async with astra_outputs.connect(dsn) as outputs:
            await outputs.save_table(TheCannon, columns, v_astra=8001)
    for number in range(ROUNDS + 1):  # the first warms up
        for name, dsn in where.items():
            say(f"citus: {name}, round {number}")
            async with connected(dsn) as connection, astra_outputs.connect(dsn) as outputs:
                await connection.execute("vacuum the_cannon")
                for way, work in _ways(connection, outputs, columns, records, singles).items():
                    began = time.perf_counter()
                    await work()
                    if number:
                        taken[name].setdefault(way, []).append(time.perf_counter() - began)
    return {name: {way: median(seconds) for way, seconds in ways.items()} for name, ways in taken.items()}


def _ways(
    connection: Any, outputs: Any, columns: dict[str, Any], records: list[TheCannon], singles: int
) -> dict[str, Callable[[], Awaitable[object]]]:
    async def one_by_one() -> None:
        for record in records[:singles]:
            await outputs.save(record)

    async def bare() -> None:
        statement, values = await connection.prepare(BARE), values_of(TheCannon)
        for record in records[:singles]:
            await statement.fetchrow(*values(record.__dict__))

    ways: dict[str, Callable[[], Awaitable[object]]] = {
        "first": lambda: outputs.save(records[0]),
        "single": one_by_one,
        "bare statement": bare,
    }
    for size in BATCHES:
        ways[f"records by {size:,}"] = lambda size=size: outputs.save_many(records, batch_size=size)
        ways[f"table by {size:,}"] = lambda size=size: outputs.save_table(
            TheCannon, columns, v_astra=8001, batch_size=size
        )
    return ways


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


@contextmanager
def _database(server: str, shards: int | None) -> Iterator[str]:
    """Give the DSN of a new database with the schema, distributed over so many shards if any."""
    name = f"astra_outputs_bench_{uuid4().hex[:8]}"
    _psql(server, "-c", f"create database {name}")
    dsn = urlsplit(server)._replace(path=f"/{name}").geturl()
    try:
        folder = sql_files.schema_dir()
        if shards is not None:
            _psql(dsn, "-c", "create extension citus")
        _psql(dsn, "-v", "schema=astra", "-v", f"without={FURTHER}", "-f", folder / "install.sql")
        if shards is not None:
            _psql(dsn, "-v", "schema=astra", "-v", f"shards={shards}", "-f", folder / "add-ons" / "citus.sql")
        yield dsn
    finally:
        _psql(server, "-c", f"drop database {name} with (force)")


def _psql(dsn: str, *words: object) -> None:
    subprocess.run([psql_program(), "-X", "-q", *map(str, words), dsn], check=True, capture_output=True)


def ratios(found: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return the times of each number of shards in those of the plain table."""
    plain = found["plain"]
    return {
        name: {way: round(seconds / plain[way], 2) for way, seconds in ways.items()}
        for name, ways in found.items()
        if name != "plain"
    }


def table(found: dict[str, dict[str, float]]) -> str:
    """Return what was measured as Markdown."""
    head = ("", "plain, s", *(f"{name} shards, s" for name in GOALS), *(f"{name} / plain" for name in GOALS))
    times = ratios(found)
    rows = [
        (
            way,
            *(f"{found[name][way]:.3f}" for name in ("plain", *GOALS)),
            *(f"{times[name][way]:.2f}" for name in GOALS),
        )
        for way in found["plain"]
    ]
    return marks.table(head, rows)


def missed(found: dict[str, dict[str, float]]) -> list[str]:
    """Return the goals that are missed, in words."""
    wrong = []
    for shards, goals in GOALS.items():
        for way, ratio in ratios(found).get(shards, {}).items():
            goal = goals.get("single" if way == "single" else "rerun" if way.endswith("by 10,000") else "")
            if goal is not None and ratio > goal:
                wrong.append(f"{shards} shards, {way}: {ratio} times the plain table, not {goal}")
    return wrong


def main() -> int:
    """Read the command line, measure, and say what came of it."""
    parser = argparse.ArgumentParser(description="Measure distributed results beside a plain table.")
    parser.add_argument("--citus", required=True, help="DSN of a coordinator that has no other servers")
    parser.add_argument("--plain", required=True, help="DSN of a server without Citus, of the same version")
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--singles", type=int, default=500)
    parser.add_argument("--publish", action="store_true", help="write the table into docs/scale.md")
    options = parser.parse_args()
    warning = load_warning()
    if warning:
        say(warning)
    with ExitStack() as stack:
        where = {"plain": stack.enter_context(_database(options.plain, None))}
        for shards in (4, 32):
            where[str(shards)] = stack.enter_context(_database(options.citus, shards))
        on_what = asyncio.run(environment(where["plain"]))
        found = asyncio.run(measure(where, options.rows, options.singles))
    print(json.dumps({"seconds": found, "ratios": ratios(found)}, indent=2))
    if options.publish:
        marks.publish("citus", f"{table(found)}\n\n{marks.footnote(on_what)}")
    for wrong in missed(found):
        print(wrong)
    return 1 if missed(found) else 0


if __name__ == "__main__":
    raise SystemExit(main())
