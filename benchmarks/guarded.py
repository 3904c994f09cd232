"""What it costs that the server refuses for whoever asks: a frozen version, and what a writer must never do.

    python -m benchmarks.guarded

The same results go into a table without either, into one with another version frozen, and into one with the trigger of
`schema/add-ons/roles.sql`. They lie in one database and take turns within each round. What is compared is the CPU time of
the server, where it can be seen, else the time by the clock, as the ratio of each round.
"""

from __future__ import annotations

import asyncio
import subprocess
from contextlib import AsyncExitStack
from typing import Annotated

import asyncpg
import typer

import astra_outputs
from astra_outputs import TheCannon
from astra_outputs.embedded import psql_program
from astra_outputs.postgres import sql_files
from astra_outputs.postgres.frozen import frozen_as, sql_that_freezes
from benchmarks.cpu import ServerCpu
from benchmarks.history import results_of, stored_spectra
from benchmarks.measure import Series, load_warning, ratio, turns
from benchmarks.server import server

PLAIN, *GUARDED = SCHEMAS = ("plain", "frozen", "roles")
KINDS = {"new results": {}, "re-run, as an update": {}, "re-run, as an upsert": {"keep_newer": True}}
"""Kinds of writing, with the options of `save_many`: a guard makes an upsert of a re-run."""


def main(
    rows: Annotated[int, typer.Option(help="Results in each table.")] = 10_000,
    rounds: Annotated[int, typer.Option(help="Versions of them, each stored and replaced.")] = 11,
    quick: Annotated[bool, typer.Option(help="Tiny sizes: does it run?")] = False,
) -> None:
    """Measure, and print a table in Markdown."""
    if quick:
        rows, rounds = 200, 2
    with server(quick=quick) as dsn:
        cost = asyncio.run(run(dsn, rows, rounds))
    print(f"{rows:,} results of The Cannon, {rounds} rounds; {load_warning() or 'a quiet machine'}\n")
    print(f"| writing | {' | '.join(GUARDED)} |")
    print("| --- |" + " --: |" * len(GUARDED))
    for kind, series in cost.items():
        print(f"| {kind} | {' | '.join(_times(series[name], series[PLAIN]) for name in GUARDED)} |")


def _times(guarded: Series, plain: Series) -> str:
    if plain.server and min(plain.server) > 0:
        return f"{ratio(guarded.server, plain.server):.3f}"
    return f"{ratio(guarded.seconds, plain.seconds):.3f} (by the clock)"


async def run(dsn: str, rows: int, rounds: int) -> dict[str, dict[str, Series]]:
    """Return the samples of each kind of writing, by schema."""
    connection = await asyncpg.connect(dsn)
    cpu = ServerCpu(connection)
    cost = {kind: {name: Series(server_cpu=cpu.seconds) for name in SCHEMAS} for kind in KINDS}
    for schema in SCHEMAS:
        await sql_files.apply(connection, schema)
    await connection.execute(sql_that_freezes(frozen_as(TheCannon, "9.9", "DR99"), "frozen"))
    _make_roles(dsn)
    async with AsyncExitStack() as stack:
        outputs = {
            name: await stack.enter_async_context(astra_outputs.connect(dsn, schema=name)) for name in SCHEMAS
        }
        spectra = {name: await stored_spectra(into, rows) for name, into in outputs.items()}
        for number, name in turns(SCHEMAS, rounds):
            for patch, (kind, options) in enumerate(KINDS.items()):
                results = results_of(TheCannon, spectra[name], f"0.{number}.{patch}")
                await cost[kind][name].add(
                    lambda name=name, results=results, options=options: outputs[name].save_many(
                        results, **options
                    ),
                    rows,
                )
            await connection.execute(f"vacuum {name}.the_cannon")
    await connection.close()
    return cost


def _make_roles(dsn: str) -> None:
    file = sql_files.schema_dir() / "add-ons/roles.sql"
    subprocess.run([psql_program(), "-X", "-q", "-v", "schema=roles", "-f", file, dsn], check=True)


if __name__ == "__main__":
    typer.run(main)
