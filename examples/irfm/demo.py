"""The whole path on real stars: from a spectrum to a stored, replaced, re-versioned result.

    python examples/irfm/demo.py [--limit STARS] [--folder FOLDER]

Starts a private PostgreSQL whose data stay in the folder, and stops it at the end; `psql.py` starts it
again. What is told of keys, counts and flags was asked of the database, on a connection of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import TypeVar

import asyncpg
from comparison import pairs, plot, samples
from irfm import IRFM, Star, infer
from products import write_products
from rich.console import Console
from rich.progress import track
from rich.table import Table
from stars import CatalogueStar, read_stars

from astra_outputs import Outputs, connect, embedded, using_version
from astra_outputs.errors import AstraOutputsError, KeyMismatch
from astra_outputs.postgres import sql_files

SCHEMA = "astra"
RUNS = (
    ("first run", "0.8.0"),
    ("the same again", "0.8.0"),
    ("patch release", "0.8.1"),
    ("minor release", "0.9.0"),
)
FOLDER = Path("demo")

T = TypeVar("T")

console = Console(highlight=False, soft_wrap=True)


def say(subject: str, text: str) -> None:
    """Print one line of the report."""
    console.print(f"[bold]{subject:<10}[/]", end="")
    console.print(text, markup=False)


def table_of(texts: Sequence[str], numbers: Sequence[str] = ()) -> Table:
    """Return an empty table with columns of texts, then of numbers."""
    table = Table(*texts, box=None, pad_edge=False)
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def show(table: Table) -> None:
    """Print a table of the report, with room around it."""
    console.print()
    console.print(table)
    console.print()


def watch(items: Iterable[T], what: str, total: int) -> Iterable[T]:
    """Pass the items on, under a progress bar where somebody watches."""
    return track(
        items, f"{what:<20}", total, console=console, transient=True, disable=not console.is_terminal
    )


def keep(items: Iterable[T], kept: list[T]) -> Iterator[T]:
    """Pass the items on, and keep them."""
    for item in items:
        kept.append(item)
        yield item


async def prepare(connection: asyncpg.Connection) -> None:
    """Make the schema anew: the tables of the package, and the pipeline's own."""
    say("database", f"PostgreSQL {connection.get_server_version().major}, private to this folder")
    if await connection.fetchval("select to_regclass($1) is not null", f"{SCHEMA}.irfm"):
        found = await connection.fetchval("select count(*) from irfm")
        say("found", f"{found:,} results of an earlier demo: schema {SCHEMA} is dropped and made anew")
    await connection.execute(f"drop schema if exists {SCHEMA} cascade")
    file = sql_files.sql_file(IRFM)
    await sql_files.apply(connection, SCHEMA, extra=[file])
    say("schema", f"{SCHEMA}, made from the package's schema/ and {file.name} of the pipeline's author")


async def load(outputs: Outputs, stars: Sequence[CatalogueStar]) -> list[Star]:
    """Store sources and spectra; returns what the pipeline needs of each star."""
    start = perf_counter()
    sources = {star.source.sdss4_apogee_id: star.source for star in stars}.values()
    await outputs.save_many(watch(sources, "sources", len(sources)))
    for star in stars:
        star.spectrum.source_pk = star.source.pk
    spectra = [star.spectrum for star in stars]
    await outputs.save_many(watch(spectra, "co-added spectra", len(spectra)))
    seconds = perf_counter() - start
    say(
        "stars",
        f"{len(sources):,} sources and {len(spectra):,} co-added spectra of SDSS DR12, stored in {seconds:.1f} s",
    )
    return [
        Star(
            star.spectrum,
            star.source,
            star.published.logg,
            star.published.m_h,
            star.published.e_m_h,
            star.a_k,
        )
        for star in stars
    ]


@dataclass(frozen=True)
class Stored:
    """What the table holds of one result besides its values."""

    task_pk: int
    created: datetime
    modified: datetime

    def replaces(self, earlier: Stored) -> bool:
        """Whether this is the earlier row with new values: same key, same creation, stored later."""
        same = (self.task_pk, self.created) == (earlier.task_pk, earlier.created)
        return same and self.modified > earlier.modified


Rows = dict[tuple[int, int], Stored]
"""The rows of the table by their unique key: spectrum and major.minor."""


async def stored(connection: asyncpg.Connection) -> Rows:
    """Return the rows of the table by their unique key, spectrum and major.minor."""
    rows = await connection.fetch(
        "select spectrum_pk, v_astra_major_minor, task_pk, created, modified from irfm"
    )
    return {(spectrum, version): Stored(*rest) for spectrum, version, *rest in rows}


def compare(before: Rows, after: Rows, results: Sequence[IRFM]) -> str:
    """Say what a run did to the table; refuses to go on if that is not what the rules promise."""
    touched = {(result.spectrum_pk, result.v_astra_major_minor): result for result in results}
    if any(after[key].task_pk != result.task_pk for key, result in touched.items()):
        raise SystemExit("a result carries another task_pk than the table")
    if any(after.get(key) != row for key, row in before.items() if key not in touched):
        raise SystemExit("a run changed results that are not its own")
    earlier = touched.keys() & before.keys()
    if not earlier:
        return "new"
    replaced = sum(after[key].replaces(before[key]) for key in earlier)
    if replaced != len(touched):
        raise SystemExit(f"only {replaced:,} of {len(touched):,} results were replaced in their own row")
    return f"all {replaced:,} the same"


async def run(outputs: Outputs, connection: asyncpg.Connection, stars: Sequence[Star]) -> list[IRFM]:
    """Run the pipeline again and again, and show what that does to the table; returns the last results."""
    table = table_of(("run", "v_astra", "outcome", "task_pk"), ("rows after", "seconds"))
    results: list[IRFM] = []
    before: Rows = {}
    for name, version in RUNS:
        start, results = perf_counter(), []
        made = keep(infer(stars), results)
        with using_version(version):
            report = await outputs.save_many(watch(made, name, len(stars)))
        seconds, after = perf_counter() - start, await stored(connection)
        verdict = compare(before, after, results)
        table.add_row(name, version, str(report), verdict, f"{len(after):,}", f"{seconds:.2f}")
        before = after
    show(table)
    return results


def refuse(star: Star) -> None:
    """Show what a result gets that names another source than its spectrum does."""
    wrong = (star.spectrum.source_pk or 0) + 1
    try:
        IRFM.from_spectrum(star.spectrum, v_astra="0.9.0", source_pk=wrong)
    except KeyMismatch as error:
        say("refused", f"a wrong source_pk gets {type(error).__name__}: {error}")
    else:
        raise SystemExit("a wrong source_pk was accepted")


async def count_flags(connection: asyncpg.Connection) -> None:
    """Show how many results of the last run carry each flag, by the names that the database has."""
    rows = await connection.fetch(
        """
        select name, count(*) filter (where result_flags >> bit & 1 = 1), meaning
        from irfm cross join flag_definition
        where table_name = 'irfm' and v_astra_major_minor = (select max(v_astra_major_minor) from irfm)
        group by bit, name, meaning
        order by bit
        """
    )
    table = table_of(("flag", "meaning"), ("results",))
    for name, count, meaning in rows:
        table.add_row(name, meaning, f"{count:,}")
    show(table)


def judge(results: Sequence[IRFM], stars: Sequence[CatalogueStar], file: Path) -> None:
    """Show how the temperatures compare with the published ones, and draw them."""
    found = pairs(zip(results, (star.published for star in stars), strict=True))
    table = table_of(("temperatures against",), ("stars", "median offset", "scatter (1.4826 MAD)"))
    for sample in samples(found):
        if sample.stars:
            offset, scatter = f"{sample.offset:+.0f} K", f"{sample.scatter:.0f} K"
            table.add_row(sample.name, f"{len(sample.stars):,}", offset, scatter)
    console.print(table)
    console.print(
        "\n2MASS saturates on bright stars, and many of these are bright. DR12 has calibrated parameters for\n"
        "giants only, so that dwarfs are held against the uncalibrated fit.\n"
    )
    plot(found, file)
    say("plot", str(file))


async def publish(outputs: Outputs, catalogue: Sequence[CatalogueStar], folder: Path) -> None:
    """Show what leaves the database: a file, pictures, and how the next version differs."""
    told, comparison = await write_products(outputs, catalogue, folder)
    for subject, text in told:
        say(subject, text)
    console.print(f"\n{comparison}\n", markup=False)


async def demonstrate(dsn: str, catalogue: Sequence[CatalogueStar], folder: Path) -> list[IRFM]:
    """Do all that needs the database; returns the results of the last run."""
    connection = await asyncpg.connect(dsn, server_settings={"search_path": SCHEMA})
    try:
        await prepare(connection)
        async with connect(dsn, schema=SCHEMA) as outputs:
            stars = await load(outputs, catalogue)
            results = await run(outputs, connection, stars)
            refuse(stars[0])
            await count_flags(connection)
            await publish(outputs, catalogue, folder)
    finally:
        await connection.close()
    return results


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description="From real stars to stored, replaced, re-versioned results.")
    parser.add_argument("--limit", type=int, help="take only so many stars, spread over the catalogue")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where database, files and pictures go")
    options = parser.parse_args()
    if options.limit is not None and options.limit < 1:
        parser.error("--limit must be at least 1")
    start = perf_counter()
    try:
        catalogue = read_stars(limit=options.limit)
        with embedded.server(options.folder / "postgres") as server:
            results = asyncio.run(demonstrate(server.dsn, catalogue, options.folder))
        judge(results, catalogue, options.folder / "irfm.png")
    except AstraOutputsError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped, and the server with it; run it again to begin anew")
    say("done", f"in {perf_counter() - start:.1f} s; the server is stopped, its data are in {options.folder}")
    again = f"python {Path(__file__).with_name('psql.py')} --folder {options.folder}"
    say("go on", "make psql" if options.folder == FOLDER else again)


if __name__ == "__main__":
    main()
