"""One record at a time, and batches of ten and a hundred."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from operator import itemgetter
from statistics import median, quantiles
from typing import Any

import asyncpg

import astra_outputs
from benchmarks.measure import Series, chunks, reason, say, turns
from benchmarks.peers import BY_HAND, Setting, load
from benchmarks.server import connected
from benchmarks.tables import SCHEMA, Table, create_parents, fill, load_seed, rows_of

SINGLE = {20: 1_000, 60: 1_000, 200: 1_000}
"""Saves of one record, by width."""
BATCHES = ("save_many", "asyncpg_fetchmany", "asyncpg_executemany", *BY_HAND)


async def single(dsn: str, counts: dict[int, int]) -> dict[str, Any]:
    """Return the latency of one save beside a bare prepared upsert, alternating save by save.

    Waiting for the disk at each commit hides what the client costs, so it is measured without as well.
    """
    found: dict[str, Any] = {}
    for width, count in counts.items():
        table = Table(width)
        say(f"{width} columns: {count} single saves")
        await _prepare(dsn, table, count)
        found[str(width)] = {
            f"synchronous_commit={commit}": await _latencies(dsn, table, count, commit)
            for commit in ("on", "off")
        }
    return found


async def _prepare(dsn: str, table: Table, count: int) -> None:
    async with connected(dsn) as connection:
        await create_parents(connection, count)
        await connection.execute(table.create())
        await load_seed(connection, table, rows_of(table, count))
        await fill(connection, table)


async def _latencies(dsn: str, table: Table, count: int, commit: str) -> dict[str, Any]:
    rows = rows_of(table, count, seed=2)
    records = [table.record_class.model_validate(row) for row in rows]
    values = list(map(itemgetter(*table.columns), rows))
    settings = {"synchronous_commit": commit}
    options = {"server_settings": settings}
    async with (
        connected(dsn, **settings) as connection,
        astra_outputs.connect(dsn, schema=SCHEMA, **options) as outputs,
    ):
        places = ", ".join(f"${number}" for number in range(1, len(table.columns) + 1))
        returning = " returning task_pk, created, modified, created = modified"
        bare = await connection.prepare(table.upsert(f"values ({places})") + returning)
        await outputs.save(records[0])
        await bare.fetchrow(*values[0])
        taken: dict[str, list[float]] = {"save": [], "bare": []}
        for record, row in zip(records, values, strict=True):
            taken["save"].append(await _clock(lambda record=record: outputs.save(record)))
            taken["bare"].append(await _clock(lambda row=row: bare.fetchrow(*row)))
    ratios = [ours / theirs for ours, theirs in zip(taken["save"], taken["bare"], strict=True)]
    return {
        "saves": count,
        **{name: _in_microseconds(times) for name, times in taken.items()},
        "ratio": round(median(taken["save"]) / median(taken["bare"]), 3),
        "ratio_of_pairs": round(median(ratios), 3),
    }


async def _clock(work: Callable[[], Awaitable[Any]]) -> float:
    start = time.perf_counter()
    await work()
    return time.perf_counter() - start


def _in_microseconds(times: list[float]) -> dict[str, float]:
    return {"median": round(1e6 * median(times), 1), "p95": round(1e6 * quantiles(times, n=20)[-1], 1)}


async def batches(dsn: str, widths: tuple[int, ...], total: int, rounds: int) -> dict[str, Any]:
    """Return the time a row in batches of 10 and 100, without waiting for the disk."""
    found: dict[str, Any] = {}
    for width in widths:
        table = Table(width)
        say(f"{width} columns: batches of 10 and 100")
        await _prepare(dsn, table, total)
        async with connected(dsn) as connection:
            found[str(width)] = {
                str(size): await _batches(connection, dsn, table, size, total, rounds) for size in (10, 100)
            }
    return found


async def _batches(
    connection: asyncpg.Connection, dsn: str, table: Table, size: int, total: int, rounds: int
) -> dict[str, Any]:
    rows = rows_of(table, total, seed=2)
    hasty = (
        f"{dsn}&options=-c%20synchronous_commit%3Doff"
        if "?" in dsn
        else f"{dsn}?options=-c%20synchronous_commit%3Doff"
    )
    peers = {}
    for name in BATCHES:
        try:
            peers[name] = load(name, Setting(hasty, table, size))
        except ImportError as error:
            say(f"[red]{name} left out:[/] {reason(error)}")
    for peer in peers.values():
        await peer.open()
    # Each call is a batch of its own: what is asked is what a small call costs.
    prepared = {name: [peer.prepare(batch) for batch in chunks(rows, size)] for name, peer in peers.items()}
    series = {name: Series() for name in peers}

    async def save_all(name: str) -> None:
        for batch in prepared[name]:
            await peers[name].save(batch)

    for name in peers:
        await save_all(name)
    for _, name in turns(list(peers), rounds):
        await fill(connection, table)
        await series[name].add(lambda name=name: save_all(name), total)
    for peer in peers.values():
        await peer.close()
    return {name: {"label": peers[name].label, **found.summary()} for name, found in series.items()}
