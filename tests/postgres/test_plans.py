"""No statement reads a whole table that grows, but those that are asked for all of it; the page of plans is of today."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from astra_outputs.errors import CannotStart

ROOT = Path(__file__).resolve().parents[2]
ROWS = 20_000
"""Enough that the planner takes an index where there is one; `python -m benchmarks.statements` takes a million."""


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command that writes the page."""
    monkeypatch.setattr(sys, "path", [str(ROOT), *sys.path])
    return import_module("benchmarks.statements")


@pytest.fixture
async def filled_with_rows(
    plain_tables: None, database: str, connection: asyncpg.Connection, made: Any
) -> asyncpg.Connection:
    try:
        await made.add_history(database)
    except CannotStart as error:
        pytest.skip(str(error))
    await made.fill(connection, ROWS)
    return connection


async def test_no_statement_reads_a_whole_table_but_those_that_are_asked_for_all_of_it(
    filled_with_rows: asyncpg.Connection, made: Any
) -> None:
    found = await made.plans(filled_with_rows)
    assert made.unexpected(found) == []
    assert {one.statement.name for one in found if one.whole} <= made.READS_ALL.keys()
    assert {one.statement.name for one in found} >= made.READS_ALL.keys()
    assert any(one.whole for one in found), "what reads a whole table is seen"


@pytest.mark.parametrize(
    ("index", "noticed"),
    [
        ("the_cannon drop constraint the_cannon_spectrum_version_key", "pending_page of the_cannon"),
        ("spectrum drop constraint spectrum_pkey cascade", "missing_spectrum_pk of the_cannon"),
    ],
)
async def test_an_index_that_is_gone_is_noticed(
    filled_with_rows: asyncpg.Connection, made: Any, monkeypatch: pytest.MonkeyPatch, index: str, noticed: str
) -> None:
    await filled_with_rows.execute(f"alter table astra.{index}")
    # A statement that needs the constraint itself is refused, not slow.
    statements = made.statements_of
    monkeypatch.setattr(
        made,
        "statements_of",
        lambda *given: [one for one in statements(*given) if "on conflict" not in one.text],
    )
    said = "\n".join(made.unexpected(await made.plans(filled_with_rows)))
    assert noticed in said


def test_the_page_of_plans_has_the_statements_of_today(made: Any) -> None:
    page = made.PAGE.read_text(encoding="utf-8")
    assert "on 1,000,000 of each" in page
    shown = set(re.findall(r"```sql\n(.*?)\n```", page, re.DOTALL))
    for record_class in made.CLASSES:
        for statement in made.listed(record_class):
            assert statement.text.strip() in shown, f"{statement.name}: run `python -m benchmarks.statements`"
