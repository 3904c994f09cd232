"""What keeping the history costs a re-run: the same results into a schema that keeps it and one that does not.

    python -m benchmarks.history

Both schemas lie in one database. They take turns within each round, and what is compared is the ratio of
the times of a round, so that a machine that is slow for a while is slow for both.
"""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import dataclass, field
from typing import Annotated, Any

import asyncpg
import typer

import astra_outputs
from astra_outputs import ASPCAP, ApogeeCoaddedSpectrumInApStar, Outputs, SnowWhite, Source, TheCannon
from astra_outputs.embedded import psql_program
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.version import parse_version
from astra_outputs.postgres import sql_files
from benchmarks.measure import Series, load_warning, ratio, say, turns
from benchmarks.server import server

RESULTS: tuple[type[PipelineOutputMixin], ...] = (SnowWhite, TheCannon, ASPCAP)
SCHEMAS = ("plain", "kept")
SINGLES = 300


@dataclass
class Cost:
    """What was measured of one table: the time of each round, by schema."""

    inserts: dict[str, Series] = field(default_factory=lambda: {name: Series() for name in SCHEMAS})
    batches: dict[str, Series] = field(default_factory=lambda: {name: Series() for name in SCHEMAS})
    singles: dict[str, Series] = field(default_factory=lambda: {name: Series() for name in SCHEMAS})
    bytes_per_row: float = 0.0


def main(
    rows: Annotated[int, typer.Option(help="Results in each table.")] = 10_000,
    rounds: Annotated[int, typer.Option(help="Versions of them, each stored and replaced.")] = 15,
    quick: Annotated[bool, typer.Option(help="Tiny sizes: does it run?")] = False,
) -> None:
    """Measure, and print a table in Markdown."""
    if quick:
        rows, rounds = 200, 2
    with server(quick=quick) as dsn:
        costs = asyncio.run(run(dsn, rows, rounds))
    print(
        f"{rows:,} results a table, {rounds} rounds, batches of 2,000; {load_warning() or 'a quiet machine'}\n"
    )
    print("| table | columns | new results | re-run, in batches | re-run, one by one | bytes kept a row |")
    print("| --- | --- | --- | --- | --- | --- |")
    for record_class, cost in costs.items():
        factors = " | ".join(f"{slower(part):.2f}" for part in (cost.inserts, cost.batches, cost.singles))
        width = len(record_class.columns())
        print(f"| `{record_class.table}` | {width} | {factors} | {cost.bytes_per_row:,.0f} |")


def slower(series: dict[str, Series]) -> float:
    """Return how many times as long it takes with the history kept."""
    return ratio(series["kept"].seconds, series["plain"].seconds)


async def run(dsn: str, rows: int, rounds: int) -> dict[type[PipelineOutputMixin], Cost]:
    """Return what was measured of each table."""
    connection = await asyncpg.connect(dsn)
    for schema in SCHEMAS:
        await sql_files.apply(connection, schema)
    await asyncio.to_thread(_keep_history, dsn)
    costs = {}
    async with (
        astra_outputs.connect(dsn, schema="plain") as plain,
        astra_outputs.connect(dsn, schema="kept") as kept,
    ):
        outputs = {"plain": plain, "kept": kept}
        spectra = {name: await stored_spectra(into, rows) for name, into in outputs.items()}
        for record_class in RESULTS:
            say(f"{record_class.table}: {rows:,} results, {rounds} rounds")
            costs[record_class] = await _table(connection, outputs, spectra, record_class, rounds)
    await connection.close()
    return costs


async def stored_spectra(outputs: Outputs, count: int) -> list[ApogeeCoaddedSpectrumInApStar]:
    """Store spectra, each of a source of its own."""
    sources = [Source(sdss_id=number) for number in range(1, count + 1)]
    await outputs.save_many(sources)
    spectra = [
        ApogeeCoaddedSpectrumInApStar(
            source_pk=source.pk, release="dr17", apred="1", obj=f"{source.pk}", telescope="apo25m", field="f"
        )
        for source in sources
    ]
    await outputs.save_many(spectra)
    return spectra


async def _table(
    connection: asyncpg.Connection,
    outputs: dict[str, Outputs],
    spectra: dict[str, list[ApogeeCoaddedSpectrumInApStar]],
    record_class: type[PipelineOutputMixin],
    rounds: int,
) -> Cost:
    cost, table = Cost(), record_class.table
    for number, name in turns(SCHEMAS, rounds):
        # A minor release adds results, a patch release replaces them.
        for patch, series in enumerate((cost.inserts, cost.batches, cost.singles)):
            chosen = spectra[name][:SINGLES] if series is cost.singles else spectra[name]
            results = results_of(record_class, chosen, f"0.{number}.{patch}")
            save = one_by_one if series is cost.singles else Outputs.save_many
            await series[name].add(
                lambda save=save, name=name, results=results: save(outputs[name], results), len(results)
            )
        await connection.execute(f"vacuum {name}.{table}")
    cost.bytes_per_row = await connection.fetchval(
        "select pg_total_relation_size('kept.result_history')::float8 / count(*) from kept.result_history"
    )
    # The next table's rows are counted alone.
    await connection.execute(
        "alter table kept.result_history disable trigger user; truncate kept.result_history"
    )
    await connection.execute("alter table kept.result_history enable trigger user; checkpoint")
    return cost


async def one_by_one(outputs: Outputs, results: list[Any]) -> None:
    """Store each in a call of its own."""
    for result in results:
        await outputs.save(result)


def results_of(record_class: type[PipelineOutputMixin], spectra: list[Any], version: str) -> list[Any]:
    """Return results with a value in every column of real numbers, another one in each version."""
    names = [column.name for column in record_class.columns() if column.written and column.type.sql == "real"]
    seed = float(parse_version(version))
    return [
        record_class.from_spectrum(
            spectrum,
            v_astra=version,
            **{name: seed + place * 1.37 + spectrum.pk * 0.01 for place, name in enumerate(names)},
        )
        for spectrum in spectra
    ]


def _keep_history(dsn: str) -> None:
    file = sql_files.schema_dir() / "add-ons/history.sql"
    subprocess.run([psql_program(), "-X", "-q", "-v", "schema=kept", "-f", file, dsn], check=True)


if __name__ == "__main__":
    typer.run(main)
