"""What it costs that a result belongs to the source of its spectrum: by the statement that stores it, or by a key.

    python -m benchmarks.sources

The same results go into schemas of one database that take turns within each round:

- free: nothing is looked up, and another source is stored;
- statement: as this package does it, by `spectrum.source_pk` in the statement that stores;
- key: nothing is looked up, and a foreign key of both columns refuses another source (a missing one stays missing,
  and whoever makes rows of `spectrum` with a key alone can store no result that has a source).

What is compared are the ratios to `free` within each round: of the time, and of the CPU time of client and server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Annotated

import asyncpg
import typer

import astra_outputs
from astra_outputs import SnowWhite, TheCannon
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.postgres import sql_files
from benchmarks.cpu import ServerCpu
from benchmarks.history import one_by_one, results_of, stored_spectra
from benchmarks.measure import Series, load_warning, ratio, say, turns
from benchmarks.server import server

RESULTS: tuple[type[PipelineOutputMixin], ...] = (SnowWhite, TheCannon)
FREE, STATEMENT, KEY = SCHEMAS = ("free", "statement", "key")
SINGLES = 300
PHASES = ("new results", "re-run", "one by one")


def main(
    rows: Annotated[int, typer.Option(help="Results in each table.")] = 10_000,
    rounds: Annotated[int, typer.Option(help="Versions of them, each stored and replaced.")] = 11,
    quick: Annotated[bool, typer.Option(help="Tiny sizes: does it run?")] = False,
) -> None:
    """Measure, and print a table in Markdown."""
    if quick:
        rows, rounds = 200, 2
    with server(quick=quick) as dsn:
        found = asyncio.run(run(dsn, rows, rounds))
    print(f"{rows:,} results a table, {rounds} rounds; {load_warning() or 'a quiet machine'}\n")
    print("| table | what | by | time | CPU of client and server |")
    print("| --- | --- | --- | --- | --- |")
    for (table, phase), series in found.items():
        free = series[FREE]
        for name in (STATEMENT, KEY):
            time = ratio(series[name].seconds, free.seconds)
            cpu = ratio(_cpu(series[name]), _cpu(free))
            print(f"| `{table}` | {phase} | {name} | {time:.3f} | {cpu:.3f} |")


def _cpu(series: Series) -> Sequence[float]:
    return [mine + theirs for mine, theirs in zip(series.client, series.server, strict=True)]


async def run(dsn: str, rows: int, rounds: int) -> dict[tuple[str, str], dict[str, Series]]:
    """Return what was measured, by table and phase, and by schema."""
    found: dict[tuple[str, str], dict[str, Series]] = {}
    connection = await asyncpg.connect(dsn)
    cpu = ServerCpu(connection)
    for schema in SCHEMAS:
        await sql_files.apply(connection, schema)
    async with AsyncExitStack() as stack:
        outputs = {
            schema: await stack.enter_async_context(astra_outputs.connect(dsn, schema=schema))
            for schema in SCHEMAS
        }
        spectra = {schema: await stored_spectra(into, rows) for schema, into in outputs.items()}
        await _leave_it_to_nobody(connection)
        await _leave_it_to_a_key(connection)
        for record_class in RESULTS:
            say(f"{record_class.table}: {rows:,} results, {rounds} rounds")
            for phase in PHASES:
                found[record_class.table, phase] = {name: Series(server_cpu=cpu.seconds) for name in SCHEMAS}
            for number, schema in turns(SCHEMAS, rounds):
                for patch, phase in enumerate(PHASES):
                    save = one_by_one if phase == "one by one" else astra_outputs.Outputs.save_many
                    some = spectra[schema][:SINGLES] if phase == "one by one" else spectra[schema]
                    results = results_of(record_class, some, f"0.{number}.{patch}")
                    await found[record_class.table, phase][schema].add(
                        lambda save=save, schema=schema, results=results: save(outputs[schema], results),
                        len(results),
                    )
                await connection.execute(f"vacuum {schema}.{record_class.table}")
    await connection.close()
    return found


async def _leave_it_to_nobody(connection: asyncpg.Connection) -> None:
    """Take the column away that the statement asks: the next one that is made does not."""
    await connection.execute(f"alter table {FREE}.spectrum drop column source_pk")


async def _leave_it_to_a_key(connection: asyncpg.Connection) -> None:
    """Call the column otherwise, so that no statement asks it, and let a foreign key of both refer to it."""
    await connection.execute(
        f"alter table {KEY}.spectrum rename column source_pk to of_source;"
        f"alter table {KEY}.spectrum add constraint spectrum_source_key unique (pk, of_source)"
    )
    for record_class in RESULTS:
        await connection.execute(
            f"alter table {KEY}.{record_class.table} add constraint own_source_fkey "
            f"foreign key (spectrum_pk, source_pk) references {KEY}.spectrum (pk, of_source)"
        )


if __name__ == "__main__":
    typer.run(main)
