"""What a client needs of memory while a million records stream through it."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import astra_outputs
from astra_outputs import PipelineOutputMixin
from benchmarks.measure import say
from benchmarks.server import connected
from benchmarks.tables import SCHEMA, V_ASTRA, SpectrumKeys, Table, create_parents

MIB = 2**20


async def run(dsn: str, records: int, batch: int) -> dict[str, Any]:
    """Return resident memory after the first batch and at its greatest, of a process of its own."""
    say(f"memory: {records:,} records stream through one process")
    table = Table(20)
    async with connected(dsn) as connection:
        await create_parents(connection, records)
        await connection.execute(table.create())
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as processes:
        found = await asyncio.wrap_future(processes.submit(_work, dsn, records, batch))
    async with connected(dsn) as connection:
        stored = await connection.fetchval(f"select count(*) from {table.name}")
        await connection.execute(f"drop table {table.name}, {table.seed}")
    return {"records": records, "stored": stored, "batch": batch, **found}


def _work(dsn: str, records: int, batch: int) -> dict[str, Any]:
    return asyncio.run(_stream(dsn, records, batch))


async def _stream(dsn: str, records: int, batch: int) -> dict[str, Any]:
    import psutil

    table, process = Table(20), psutil.Process()
    build, marks = table.record_class.from_spectrum, []
    every = max(batch, records // 50)
    values = dict.fromkeys(table.labels, 1.5)

    def results() -> Iterator[PipelineOutputMixin]:
        for pk in range(1, records + 1):
            if pk == batch + 1 or pk % every == 0:
                marks.append((pk, process.memory_info().rss / MIB))
            yield build(SpectrumKeys(pk, pk), v_astra=V_ASTRA, **values)

    async with astra_outputs.connect(dsn, schema=SCHEMA) as outputs:
        report = await outputs.save_many(results(), batch_size=batch)
    marks.append((records, process.memory_info().rss / MIB))
    first = marks[0][1]
    peak = max(size for _, size in marks)
    return {
        "outcomes": len(report),
        "first_batch_mib": round(first, 1),
        "peak_mib": round(peak, 1),
        "growth_mib": round(peak - first, 1),
        "samples": [[pk, round(size, 1)] for pk, size in marks],
    }
