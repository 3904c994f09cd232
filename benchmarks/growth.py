"""Re-runs of the same number of rows, in a table that grows from ten thousand rows to ten million."""

from __future__ import annotations

import json
import random
from statistics import median
from typing import Any

import asyncpg

from benchmarks.measure import Series, say, turns
from benchmarks.peers import Peer, Setting, load
from benchmarks.peers.with_asyncpg import CopyAndMerge
from benchmarks.server import connected, one_row
from benchmarks.tables import Row, Table, create_parents, rows_of

WAYS = ("save_many", "asyncpg_copy")
COSTS = {
    "pages_hit": "Shared Hit Blocks",
    "pages_read": "Shared Read Blocks",
    "pages_dirtied": "Shared Dirtied Blocks",
    "wal_bytes": "WAL Bytes",
    "full_page_images": "WAL FPI",
}
"""What PostgreSQL's EXPLAIN says of a merge, by our name."""
ORDERS = {
    "in order": "the next spectra in order of their keys, from a random place: how a re-run goes through a table",
    "scattered": "spectra from all over the table: the worst that a queue of tasks can do",
}


async def run(dsn: str, sizes: list[int], sample: int, batch: int, rounds: int) -> dict[str, Any]:
    """Return rows a second of a re-run by size of the table, and what pages a row costs."""
    table, found = Table(20), {}
    async with connected(dsn) as connection:
        await create_parents(connection, sizes[0])
        await connection.execute(table.create())
        peers = {name: load(name, Setting(dsn, table, batch)) for name in WAYS}
        for peer in peers.values():
            await peer.open()
        for size in sizes:
            say(f"growing the table to {size:,} rows")
            await _grow(connection, table, size)
            found[str(size)] = await _size(connection, table, peers, size, sample, rounds)
        for peer in peers.values():
            await peer.close()
        await connection.execute(f"drop table {table.name}, {table.seed}")
    return {"sample": sample, "batch": batch, "orders": ORDERS, "sizes": found}


async def _grow(connection: asyncpg.Connection, table: Table, size: int) -> None:
    """Append rows on the server; they are as wide as those that are saved."""
    await create_parents(connection, size)
    columns, labels = ", ".join(table.columns), ", ".join("random()::real" for _ in table.labels)
    async with connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        await connection.execute(
            f"insert into {table.name} ({columns}) select pk, pk, 8001, 0.25, 0.125, '', {labels} "
            f"from spectrum where pk > (select coalesce(max(spectrum_pk), 0) from {table.name}) order by pk"
        )
    await connection.execute(f"vacuum (freeze, analyze) {table.name}")
    await connection.execute("checkpoint")


async def _size(
    connection: asyncpg.Connection, table: Table, peers: dict[str, Peer], size: int, sample: int, rounds: int
) -> dict[str, Any]:
    draw, sample = random.Random(size), min(sample, size)
    names = [f"{way}, {order}" for way in peers for order in ORDERS]
    series = {name: Series() for name in names}
    costs: dict[str, list[dict[str, float]]] = {order: [] for order in ORDERS}
    say(f"{size:,} rows: {rounds} rounds of {sample:,}")
    for number, name in turns(names, rounds + 1):
        way, order = name.split(", ")
        peer, prepared = peers[way], peers[way].prepare(_rows(table, draw, size, sample, order, number))
        if number == 0:  # the first time finds pages cold, and each due for a full image in the log
            await peer.save(prepared)
            continue
        await series[name].add(lambda peer=peer, prepared=prepared: peer.save(prepared), sample)
        if isinstance(peer, CopyAndMerge):
            batch = min(peer.batch, sample)
            costs[order].append(await _explained(peer, _rows(table, draw, size, batch, order, number)))
        await connection.execute(f"vacuum {table.name}")
    heap, indexes = await one_row(
        connection,
        "select pg_table_size($1::text::regclass), pg_indexes_size($1::text::regclass)",
        table.name,
    )
    return {
        "table_mib": round(heap / 2**20, 1),
        "indexes_mib": round(indexes / 2**20, 1),
        "ways": {name: found.summary() for name, found in series.items()},
        "cost_of_a_row": {order: _medians(found) for order, found in costs.items()},
    }


def _rows(table: Table, draw: random.Random, size: int, count: int, order: str, seed: int) -> list[Row]:
    """Return new results of some of the stored spectra."""
    rows = rows_of(table, count, seed=seed)
    start = draw.randrange(1, size - count + 2)
    keys = draw.sample(range(1, size + 1), count) if order == "scattered" else range(start, start + count)
    for row, key in zip(rows, keys, strict=True):
        row["spectrum_pk"] = row["source_pk"] = key
    return rows


async def _explained(peer: CopyAndMerge, rows: list[Row]) -> dict[str, float]:
    """Return the pages and the log that the merge of one more batch takes, a row."""
    connection = peer.connection
    async with connection.transaction():
        records = list(map(peer.values, rows))
        await connection.copy_records_to_table("stage", records=records, columns=peer.table.columns)
        text = await connection.fetchval(f"explain (analyze, buffers, wal, format json) {peer.merge}")
    plan = json.loads(text)[0]["Plan"]
    return {name: plan.get(key, 0) / len(rows) for name, key in COSTS.items()}


def _medians(costs: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(median(cost[name] for cost in costs), 3) for name in COSTS}
