"""Eight processes that save results of the same spectra at the same time."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from statistics import median
from typing import Any

import asyncpg

from astra_outputs.errors import AstraOutputsError
from benchmarks.measure import reason, say
from benchmarks.peers import Setting, load
from benchmarks.server import connected
from benchmarks.tables import Table, create_parents, fill, load_seed, rows_of

WORKERS = 8
WAYS = {
    "save_many, input sorted by key": ("save_many", True),
    "save_many, input in any order": ("save_many", False),
    "asyncpg COPY and merge, input in any order": ("asyncpg_copy", False),
}
"""Who saves, and whether its input comes sorted."""


@dataclass(frozen=True)
class Task:
    """What one process does."""

    dsn: str
    way: str
    width: int
    rows: int
    in_order: bool
    batch: int
    number: int


async def run(dsn: str, rows: int, batch: int, rounds: int, workers: int = WORKERS) -> dict[str, Any]:
    """Return rows a second of all processes together, deadlocks, and what the table holds after."""
    table = Table(20)
    async with connected(dsn) as connection:
        await create_parents(connection, rows)
        await connection.execute(table.create())
        await load_seed(connection, table, rows_of(table, rows))
        samples: dict[str, list[dict[str, Any]]] = {label: [] for label in WAYS}
        for _ in range(rounds):
            for label, (way, in_order) in WAYS.items():
                say(f"{workers} processes: {label}")
                tasks = [Task(dsn, way, table.width, rows, in_order, batch, n) for n in range(workers)]
                await fill(connection, table)
                samples[label].append(await _race(connection, table, tasks))
    return {
        "workers": workers,
        "rows_of_each": rows,
        "batch": batch,
        "ways": {label: _summary(found) for label, found in samples.items()},
    }


def _summary(samples: list[dict[str, Any]]) -> dict[str, Any]:
    rates = [sample["rows_per_second"] for sample in samples]
    return {
        "rounds": len(samples),
        "rows_per_second": round(median(rates)),
        "spread": [round(min(rates)), round(max(rates))],
        "deadlocks": sum(sample["deadlocks"] for sample in samples),
        "failed_workers": sum(sample["failed_workers"] for sample in samples),
        "errors": sorted({error for sample in samples for error in sample["errors"]}),
        "one_row_a_key": all(sample["one_row_a_key"] for sample in samples),
    }


async def _race(connection: asyncpg.Connection, table: Table, tasks: list[Task]) -> dict[str, Any]:
    before = await _deadlocks(connection)
    context = multiprocessing.get_context("spawn")
    ready = (context.Barrier(len(tasks)),)
    with ProcessPoolExecutor(len(tasks), context, _wait_for, ready) as processes:
        reports = await asyncio.gather(
            *(asyncio.wrap_future(processes.submit(_work, task)) for task in tasks)
        )
    failed = [error for _, _, error in reports if error]
    saved = sum(task.rows for task in tasks) * (len(tasks) - len(failed)) / len(tasks)
    wall = max(end for _, end, _ in reports) - min(start for start, _, _ in reports)
    rows, keys = await connection.fetchrow(f"select count(*), count(distinct spectrum_pk) from {table.name}")
    return {
        "rows_per_second": saved / wall,
        "deadlocks": await _deadlocks(connection) - before,
        "failed_workers": len(failed),
        "errors": failed,
        "one_row_a_key": rows == keys == tasks[0].rows,
    }


async def _deadlocks(connection: asyncpg.Connection) -> int:
    # A backend reports its counters when it ends, and this one sees them when it drops its copy.
    await connection.execute("select pg_stat_clear_snapshot()")
    query = "select deadlocks from pg_stat_database where datname = current_database()"
    return int(await connection.fetchval(query))


_start_line: Any = None
"""Where a process waits until all are ready; set in each process."""


def _wait_for(barrier: Any) -> None:
    global _start_line  # noqa: PLW0603 (a barrier can only be handed over as a process starts)
    _start_line = barrier


def _work(task: Task) -> tuple[float, float, str | None]:
    """Save every row once, in batches; returns when that began and ended, and why it failed."""
    return asyncio.run(_save(task))


async def _save(task: Task) -> tuple[float, float, str | None]:
    rows = rows_of(Table(task.width), task.rows, seed=task.number)
    if not task.in_order:
        random.Random(task.number).shuffle(rows)
    peer = load(task.way, Setting(task.dsn, Table(task.width), task.batch))
    try:
        await peer.open()
        prepared = peer.prepare(rows)
        _start_line.wait(timeout=300)
    except BaseException:
        _start_line.abort()  # nobody waits for one that does not come
        raise
    error = None
    start = time.monotonic()  # one clock for all processes of a machine
    try:
        await peer.save(prepared)
    except (asyncpg.PostgresError, AstraOutputsError) as refused:
        error = reason(refused)
    end = time.monotonic()
    await peer.close()
    return start, end, error
