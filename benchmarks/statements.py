"""Every statement with the plan that PostgreSQL makes for it on a filled database, as a page of the documentation.

    python -m benchmarks.statements --rows 1000000

Fills a database of an embedded server, writes docs/plans.md, and fails where a statement that shall not read a whole
table does. A minute or two for 10⁶ rows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from astra_outputs import ApogeeCoaddedSpectrumInApStar, Source, TheCannon, embedded
from astra_outputs.cli.statements import numbered, statements_of
from astra_outputs.postgres import sql_files
from astra_outputs.postgres.sql import Statement, templates
from astra_outputs.reading.question import Question
from astra_outputs.saving.stage import IN_KEY_ORDER
from benchmarks.server import server

PAGE = Path(__file__).parents[1] / "docs" / "plans.md"
CLASSES = (TheCannon, ApogeeCoaddedSpectrumInApStar, Source)

ROWS = (
    (
        "insert into astra.source (sdss_id, gaia_dr3_source_id, sdss4_apogee_id, ra, dec, g_mag) "
        "select k, k * 7, '2M' || k, k % 360, k % 90, 10 + k % 8 from generate_series(1, {rows}) as k"
    ),
    "insert into astra.spectrum (pk, source_pk) select k, k from generate_series(1, 5 * {rows}) as k",
    (
        "insert into astra.apogee_coadded_spectrum_in_ap_star "
        "(spectrum_pk, source_pk, release, apred, obj, telescope, snr, modified, created) "
        "select k, k, 'dr19', '1.3', '2M' || k, 'apo25m', k % 300, '2026-01-01Z', '2026-01-01Z' "
        "from generate_series(1, {rows}) as k"
    ),
    (
        "insert into astra.the_cannon (spectrum_pk, source_pk, v_astra, teff, logg, fe_h) "
        "select k, k, 8001, 4000 + k % 3000, 2, 0 from generate_series(1, {rows}) as k where k % 10 <> 0"
    ),
)
TABLES = ("source", "spectrum", "apogee_coadded_spectrum_in_ap_star", "the_cannon")

READS_ALL = {
    "rows_under_a_condition": "it asks for all results, each in its newest version; what else is asked narrows it",
    "count_under_a_condition": "it counts them",
    "pending_count": "it counts spectra without a result, and looks at all; a page of them does not",
    "pending_count_of_share": "it counts them for one worker",
    **dict.fromkeys(templates("compare"), "it compares all results of two versions"),
}
"""Statements that read a whole table, since that is what they are asked for."""


@dataclass
class Planned:
    """A statement and its plan.

    Attributes
    ----------
    text : str
        The plan as psql prints it.
    whole : list of str
        The tables with rows of the survey that it reads from end to end.
    """

    table: str
    statement: Statement
    text: str = ""
    whole: list[str] = field(default_factory=list)


async def add_history(dsn: str) -> None:
    """Have the database keep the history of its results: a statement asks for it."""
    script = sql_files.schema_dir() / "add-ons" / "history.sql"
    command = [embedded.psql_program(), "-X", "-q", "-v", "schema=astra", "-f", script, dsn]
    await asyncio.to_thread(subprocess.run, command, check=True)


async def fill(connection: asyncpg.Connection, rows: int) -> None:
    """Fill the tables of the schema `astra` with so many stars, five spectra of all kinds each, results for nine in ten."""
    await connection.execute(
        "set session_replication_role = replica"
    )  # foreign keys hold by what is inserted
    for statement in ROWS:
        await connection.execute(statement.format(rows=rows))
    await connection.execute("set session_replication_role = origin")
    for table in TABLES:
        await connection.execute(f"vacuum (analyze) astra.{table}")


async def plans(connection: asyncpg.Connection) -> list[Planned]:
    """Return every statement that is sent for a result, a spectrum or a source, with its plan.

    The plan is the one for values that are not known, which a prepared statement keeps.
    """
    await connection.execute("set search_path = astra; set plan_cache_mode = force_generic_plan")
    found, seen = [], set()
    for record_class in CLASSES:
        for statement in listed(record_class):
            if statement.text not in seen:
                seen.add(statement.text)
                found.append(await _planned(connection, record_class.table, statement))
    return found


def listed(record_class: type[Any]) -> list[Statement]:
    """Return the statements of a class, each under a name of its own."""
    sent = statements_of(record_class, "astra", ApogeeCoaddedSpectrumInApStar)
    return list(numbered([*sent, *questions(record_class)]))


def questions(record_class: type[Any]) -> Iterator[Statement]:
    """Yield what `find` and `columns` send for questions that name rows."""
    if record_class is TheCannon:
        newest = Question.of(record_class, None, (), {"on": [1, 2, 3], "newest": True})
        says = "The newest results of some spectra: `find(TheCannon, on=spectra, newest=True)`."
        yield Statement(
            "find_on_spectra", says, newest.statement("astra", "result.task_pk, result.teff").text
        )
        joined = Question.of(record_class, None, (), {"on": [1, 2, 3]})
        text = joined.statement("astra", "result.task_pk, source.sdss_id", {"source"}).text
        yield Statement(
            "find_with_source", "Results with their stars: `find(..., on=spectra, source=True)`.", text
        )
    if record_class is Source:
        near = Question.of(record_class, None, (), {"near": (10.0, 20.0, 0.01)})
        says = "Stars around a position: `find(Source, near=(ra, dec, radius))`."
        yield Statement("find_near", says, near.statement("astra", "source.pk, source.sdss_id").text)


async def _planned(connection: asyncpg.Connection, table: str, statement: Statement) -> Planned:
    planned = Planned(table, statement)
    if re.match(r"\s*(create|alter|truncate|set)\b", statement.text):
        await connection.execute(statement.text)
        return planned
    count = len(set(re.findall(r"\$([0-9]+)", statement.text)))
    execute = statement.name + (f"({', '.join(['null'] * count)})" if count else "")
    async with connection.transaction():
        if statement.name == "save_again":
            await connection.execute(IN_KEY_ORDER)
        await connection.execute(f"prepare {statement.name} as {statement.text}")
        lines = await connection.fetch(f"explain (costs off) execute {execute}")
        tree = json.loads(await connection.fetchval(f"explain (format json, verbose) execute {execute}"))
        await connection.execute(f"deallocate {statement.name}")
    planned.text = "\n".join(line[0] for line in lines)
    planned.whole = sorted(set(_read_whole(tree[0]["Plan"])))
    return planned


def _read_whole(node: dict[str, Any]) -> Iterator[str]:
    kind, table = node["Node Type"], node.get("Relation Name", "")
    grows = node.get("Schema") == "astra" and table not in ("flag_definition", "schema_version")
    without_a_condition = kind in ("Index Scan", "Index Only Scan") and "Index Cond" not in node
    if grows and (kind == "Seq Scan" or without_a_condition):
        yield str(table)
    for child in node.get("Plans", ()):
        yield from _read_whole(child)


def unexpected(found: list[Planned]) -> list[str]:
    """Return what reads a whole table and shall not."""
    return [
        f"{one.statement.name} of {one.table} reads all of {', '.join(one.whole)}"
        for one in found
        if one.whole and one.statement.name not in READS_ALL
    ]


def page(found: list[Planned], rows: int, version: str) -> str:
    """Return the page of the documentation."""
    parts = [
        "# Statements and their plans",
        (
            f"Every statement that is sent for a result of The Cannon, a spectrum and a source, with the plan that PostgreSQL "
            f"{version} makes on {rows:,} of each. Written by `python -m benchmarks.statements --rows {rows}`; "
            "`astra-outputs statements` prints them for any table. A test sees to it that none but these reads a whole table:"
        ),
        "\n".join(f"- `{name}`: {reason}." for name, reason in READS_ALL.items()),
    ]
    for table in dict.fromkeys(one.table for one in found):
        parts.append(f"## {table}")
        for one in found:
            if one.table == table:
                parts += [
                    f"### {table}: {one.statement.name}",
                    one.statement.says,
                    _block("sql", one.statement.text),
                ]
                parts += [_block("text", one.text)] if one.text else []
    return "\n\n".join(parts) + "\n"


def _block(kind: str, text: str) -> str:
    return f"```{kind}\n{text.strip()}\n```"


async def run(dsn: str, rows: int) -> int:
    """Write the page; return the number of statements that read what they shall not."""
    connection = await asyncpg.connect(dsn)
    await sql_files.apply(connection, "astra")
    await add_history(dsn)
    await fill(connection, rows)
    found = await plans(connection)
    version = await connection.fetchval("show server_version")
    await connection.close()
    PAGE.write_text(page(found, rows, version.split()[0]), encoding="utf-8")
    wrong = unexpected(found)
    print("\n".join(wrong or [f"{len(found)} statements; {PAGE} is written"]))
    return len(wrong)


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with server(quick=True, fsync="off") as dsn:
        sys.exit(min(1, asyncio.run(run(dsn, rows))))


if __name__ == "__main__":
    main()
