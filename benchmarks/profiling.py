"""Where the client's time of one way goes: a profile of its functions, in microseconds a row.

    python -m benchmarks.profiling save_many --width 200 --table plain --phase new

It is CPU time: waiting for the server does not count. The profiler costs time of its own with each call, so compare
lines with each other; the CPU of client and server above them is that of the same rows stored without it.
"""

from __future__ import annotations

import asyncio
import cProfile
import pstats
import time
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.measure import Series
from benchmarks.peers import MODULES
from benchmarks.race import PHASES, Race, race
from benchmarks.server import server, set_autovacuum
from benchmarks.tables import KINDS, PIPELINES, Table
from benchmarks.tuning import GUESS

ROOT = Path(__file__).parents[1]


def main(
    way: Annotated[str, typer.Argument(help=f"One of {', '.join(MODULES)}.")] = "save_many",
    *,
    width: Annotated[int, typer.Option(help="Labels of the table.")] = 60,
    table: Annotated[str, typer.Option(help=f"Kind of table: {', '.join(KINDS)}.")] = PIPELINES,
    phase: Annotated[str, typer.Option(help=f"What the table holds: {', '.join(PHASES)}.")] = "existing",
    rows: Annotated[int, typer.Option(help="Rows of a sample.")] = 20_000,
    batch: Annotated[int, typer.Option(help="Rows of a batch.")] = GUESS,
    rounds: Annotated[int, typer.Option(help="Samples that are added up.")] = 3,
    lines: Annotated[int, typer.Option(help="Functions that are listed.")] = 25,
) -> None:
    """Store rows in one way and print which functions of the client took how long."""
    for what, name, known in (
        ("way", way, MODULES),
        ("kind of table", table, KINDS),
        ("phase", phase, PHASES),
    ):
        if name not in known:
            raise typer.BadParameter(f"no such {what}: {name}; there are {', '.join(known)}")
    (kind,) = (kind for kind in KINDS if kind == table)

    async def measure(dsn: str) -> None:
        await set_autovacuum(dsn, on=False)
        async with race(dsn, Table(width, kind), rows, [way]) as racing:
            if way in racing.errors:
                raise SystemExit(f"{way}: {racing.errors[way]}")
            await _print(racing, way, phase, batch, rounds, lines)

    with server() as dsn:
        asyncio.run(measure(dsn))


async def _print(racing: Race, way: str, phase: str, batch: int, rounds: int, lines: int) -> None:
    plain, profiled, profiler = Series(), Series(), cProfile.Profile(time.process_time)
    for _ in range(rounds):
        await racing.run(way, phase, batch, plain)
        await racing.run(way, phase, batch, profiled, profiler)
    for series in (plain, profiled):
        if series.error is not None:
            raise SystemExit(f"{way}: {series.error}")
    stored = rounds * plain.rows
    client, server_side = (1e6 * sum(times) / stored for times in (plain.client, plain.server))
    print(f"{way}, {racing.table.kind} table, {racing.table.width} columns, {phase}, batches of {batch:,}:")
    print(f"client {client:.2f} µs a row, server {server_side:.2f}, without the profiler\n")
    print(f"{'own':>8} {'with calls':>11} {'calls':>9}  function (µs a row, calls a row)")
    stats = pstats.Stats(profiler).stats  # type: ignore[attr-defined]  # what its methods print
    by_own = sorted(stats.items(), key=lambda entry: -entry[1][2])
    for (file, line, name), (_, calls, own, within, _) in by_own[:lines]:
        figures = f"{1e6 * own / stored:8.3f} {1e6 * within / stored:11.3f} {calls / stored:9.4f}"
        print(f"{figures}  {name} {_place(file, line)}")


def _place(file: str, line: int) -> str:
    if file == "~":
        return ""
    path = Path(file)
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else Path(*path.parts[-2:])
    return f"({shown}:{line})"


if __name__ == "__main__":
    typer.run(main)
