"""What questions cost in a table of ten million results: plans and times, for the page on reading.

`python -m benchmarks.plans` fills the tables by `generate_series` on a server of its own, without foreign keys and
with indexes built at the end, and prints what PostgreSQL says of each statement that `find`, `columns`, `newest`
and `compare` send. Half of the results are of an older version. `--rows 300000` shows the same in little; `--publish`
writes docs/questions.md.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import AsyncExitStack
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import typer

from astra_outputs import SnowWhite, connect
from astra_outputs.compare.sides import Side, Sides
from astra_outputs.postgres import sql_files
from astra_outputs.postgres.sql import listed
from astra_outputs.reading.layout import Layout
from astra_outputs.reading.outputs import chosen
from astra_outputs.reading.question import Asked, Question
from benchmarks.measure import say
from benchmarks.server import connected, environment, server
from benchmarks.tables import SCHEMA

PAGE = Path(__file__).parents[1] / "docs" / "questions.md"
INTRODUCTION = """\
Times and plans of what `find`, `columns` and `compare` send, on {rows:,} results of Snow White, half of them of an older
version, with their spectra and sources. Written by `python -m benchmarks.plans --publish`. The time is the server's, of
the second run of two; for `compare` it is that of the whole call. What is asked of all results reads the whole table; so
does a condition on a column without an index, as the hottest thousand and a thousandth of all. Two other ways to find the
newest of all stand beside, for four columns and without spectra and sources: they read the rows in the order of their keys,
in which they lie on the disk here, as rows of a survey of several versions do not."""
RESULTS_OF_A_SOURCE = 4
VERSIONS = ("8000", "7000")
COLUMNS = ["task_pk", "teff", "logg", "result_flags", "spectrum.snr", "source.g_mag"]

Asking = tuple[str | None, tuple[Any, ...], Asked]

QUESTIONS: dict[str, Asking] = {
    "by spectrum, newest": (None, (), {"on": [17, 100_017, 1_000_017], "newest": True}),
    "by source": ("result.source_pk = $1", (17,), {}),
    "near a position": (None, (), {"near": (10.0, 20.0, 0.1)}),
    "hottest thousand, newest": (
        "teff > $1",
        (99_000,),
        {"newest": True, "order_by": "-teff", "limit": 1_000},
    ),
    "a thousandth of all, newest": ("task_pk % 1000 = 7", (), {"newest": True}),
    "all of one version": (None, (), {"v_astra": "0.8"}),
    "newest of all": (None, (), {"newest": True}),
}
"""What is asked, by what it is called."""

COMPARED: dict[str, tuple[list[str] | None, str | None, tuple[Any, ...]]] = {
    "compare a thousand spectra": (["teff", "logg", "result_flags"], "spectrum_pk <= $1", (1_000,)),
    "compare one column of all": (["teff"], None, ()),
    "compare all columns of all": (None, None, ()),
}
"""Which columns are compared between the two versions, and under which condition."""

OTHERWISE = {
    "newest of all, by distinct on": (
        "select distinct on (spectrum_pk) task_pk, teff, logg, result_flags from snow_white "
        "order by spectrum_pk, v_astra_major_minor desc"
    ),
    "newest of all, by a window": (
        "select * from (select task_pk, teff, logg, result_flags, max(v_astra_major_minor) over (partition by "
        "spectrum_pk) as newest, v_astra_major_minor from snow_white) as all_of_them "
        "where v_astra_major_minor = newest"
    ),
}
"""The same in other words, for comparison."""


async def run(dsn: str, rows: int) -> dict[str, Any]:
    """Return plans and times by question."""
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(connected(dsn))
        begun = time.monotonic()
        await fill(connection, rows)
        filled = time.monotonic() - begun
        say(f"{rows:,} results, filled in {filled:,.0f} s")
        found: dict[str, Any] = {}
        for name, (condition, values, asked) in QUESTIONS.items():
            question = Question.of(SnowWhite, condition, values, asked)
            layout = Layout.of(chosen(question.scope, COLUMNS))
            columns = question.statement(SCHEMA, layout.selected, layout.tables).text
            records = question.statement(
                SCHEMA, listed((column.name for column in SnowWhite.columns()), question.scope.main)
            ).text
            found[name] = {
                "find": await explained(connection, records, question.values),
                "columns": await explained(connection, columns, question.values),
            }
        for name, text in OTHERWISE.items():
            found[name] = {"columns": await explained(connection, text, ())}
        found |= await compared(dsn, connection)
        return {
            "environment": await environment(dsn),
            "rows": rows,
            "filled_s": filled,
            "questions": found,
        }


async def compared(dsn: str, connection: asyncpg.Connection) -> dict[str, Any]:
    """Return the time of each comparison, second of two, and the plan by which its two sides meet."""
    found = {}
    async with connect(dsn, schema=SCHEMA) as outputs:
        for name, (columns, condition, values) in COMPARED.items():
            for _ in range(2):
                begun = time.monotonic()
                await outputs.compare(SnowWhite, "0.7", "0.8", condition, *values, columns=columns)
                taken = 1e3 * (time.monotonic() - begun)
            new = Side.of(SnowWhite, "0.8", condition, values)
            sides = Sides.of(Side.of(SnowWhite, "0.7"), new, columns)
            text = sides.statement("changed_values", SCHEMA, ["teff"], "sum(new.teff - old.teff)").text
            plan = await explained(connection, text, sides.values)
            found[name] = {"compare": {"ms": taken, "plan": plan["plan"]}}
    return found


async def fill(connection: asyncpg.Connection, rows: int) -> None:
    """Make the tables anew, with so many results, two versions of each spectrum."""
    await connection.execute(f"drop schema if exists {SCHEMA} cascade")
    await sql_files.apply(connection, SCHEMA)
    await connection.execute(f"set search_path to {SCHEMA}")
    spectra, sources = rows // 2, max(1, rows // RESULTS_OF_A_SOURCE)
    statements = {
        "source": f"""
            insert into source (pk, sdss_id, ra, dec, g_mag) overriding system value
            select k, k, (k::bigint * 137.508) % 360, degrees(asin(2 * ((k * 0.618034) % 1) - 1)), 8 + (k::bigint * 7919) % 1300 / 100.0
            from generate_series(1, {sources}) as k""",
        "spectrum": f"insert into spectrum (pk) overriding system value select generate_series(1, {spectra})",
        "boss_visit_spectrum": f"""
            insert into boss_visit_spectrum (pk, spectrum_pk, source_pk, release, filetype, run2d, fieldid, mjd,
                catalogid, healpix, spec_file, snr)
            overriding system value
            select k, k, 1 + k % {sources}, 'sdss5', 'specFull', 'v6', k % 20000, 59000 + k % 1000, k, 1, 'spec', k % 500
            from generate_series(1, {spectra}) as k""",
        "snow_white": f"""
            insert into snow_white (spectrum_pk, source_pk, v_astra, teff, logg, result_flags, tag)
            select k, 1 + k % {sources}, version, 4000 + (k::bigint * 7919) % 96001 + version / 8000 * (k % 3), 7 + (k % 200) / 100.0, k % 4, ''
            from generate_series(1, {spectra}) as k, unnest(array[{", ".join(VERSIONS)}]) as version""",
    }
    for table, statement in statements.items():
        async with connection.transaction():
            keys = await _without_keys(connection, table)
            await connection.execute(statement)
            for definition in keys:
                await connection.execute(definition)
        await connection.execute(f"vacuum (freeze, analyze) {table}")


async def _without_keys(connection: asyncpg.Connection, table: str) -> list[str]:
    """Drop keys and indexes of a table; return what makes them anew, foreign keys left out."""
    definitions = []
    constraints = await connection.fetch(
        "select conname, contype, pg_get_constraintdef(oid) as definition from pg_constraint "
        "where conrelid = $1::text::regclass and contype in ('p', 'u', 'f') order by contype",
        table,
    )
    for name, kind, definition in constraints:
        await connection.execute(f'alter table {table} drop constraint "{name}" cascade')
        if kind != b"f":
            definitions.append(f'alter table {table} add constraint "{name}" {definition}')
    indexes = await connection.fetch(
        "select indexname, indexdef from pg_indexes where schemaname = $1 and tablename = $2", SCHEMA, table
    )
    for name, definition in indexes:
        await connection.execute(f'drop index "{name}"')
        definitions.append(definition)
    return definitions


async def explained(connection: asyncpg.Connection, text: str, values: tuple[Any, ...]) -> dict[str, Any]:
    """Return the time of a statement's second run [ms], and its plan as text."""
    for _ in range(2):
        lines = [
            line
            for (line,) in await connection.fetch(
                f"explain (analyze, buffers, costs off, timing off) {text.rstrip().rstrip(';')}", *values
            )
        ]
    taken = next(line for line in reversed(lines) if line.startswith("Execution Time"))
    return {"ms": float(taken.split()[2]), "plan": lines}


def main(
    *,
    rows: Annotated[int, typer.Option(help="Results in the table.", min=1_000)] = 10**7,
    output: Annotated[Path | None, typer.Option(help="File to which all is written, as JSON.")] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Write docs/questions.md.")] = False,
) -> None:
    """Print plans and times of questions to a large table."""
    with server(quick=rows < 10**6, reading=True) as dsn:
        found = asyncio.run(run(dsn, rows))
    print(page(found))
    if publish:
        PAGE.write_text(page(found), encoding="utf-8")
    if output is not None:
        output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def page(found: dict[str, Any]) -> str:
    """Return the page of the docs: a table of times, and the plans."""
    where = found["environment"]
    lines = [
        "# What questions cost",
        "",
        INTRODUCTION.format(rows=found["rows"]),
        "",
        "| question | find: ms | columns: ms | compare: ms |",
        "| --- | --: | --: | --: |",
    ]
    for name, ways in found["questions"].items():
        times = [f"{ways[way]['ms']:,.1f}" if way in ways else "" for way in ("find", "columns", "compare")]
        lines.append(f"| {name} | {' | '.join(times)} |")
    server = f"PostgreSQL {where['postgresql']}, shared_buffers {where['settings']['shared_buffers']}"
    lines += ["", f"<sub>{where['date']}; {where['machine']}; {server}; commit {where['commit']}.</sub>"]
    for name, ways in found["questions"].items():
        lines += ["", f"## {name[0].upper()}{name[1:]}"]
        plans: dict[str, list[str]] = {}
        for way, said in ways.items():
            plan = takewhile(lambda line: not line.startswith("Planning"), said["plan"])
            plans.setdefault("\n".join(plan), []).append(way)
        for text, whose in plans.items():
            lines += ["", f"`{'`, `'.join(whose)}`:", "", "```text", text, "```"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    typer.run(main)
