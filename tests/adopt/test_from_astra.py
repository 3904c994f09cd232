"""The page for those who come from Astra: every line of it runs, theirs by Peewee and ours, on one database."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import upstream

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "from-astra.md").read_text(encoding="utf-8")


def blocks() -> Iterator[tuple[str, str]]:
    """Yield each block of code of the page, and whose it is: the paragraph above it says so."""
    for paragraph, code in re.findall(
        r"([^\n`][^\n]*(?:\n[^\n`][^\n]*)*)\n\n```python\n(.*?)```", PAGE, re.DOTALL
    ):
        yield ("theirs" if paragraph.startswith("In Astra") else "ours"), code


async def execute(code: str, names: dict[str, Any]) -> None:
    """Run a block as a notebook does, in which `await` may stand outside of a function."""
    compiled = compile(code, "from-astra.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    done = eval(compiled, names)
    if inspect.isawaitable(done):
        await done


async def test_every_line_of_the_page_runs(
    database: str,
    outputs: Any,
    spectra: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    psql: Any,
    connection: asyncpg.Connection,
):
    monkeypatch.chdir(tmp_path)
    addon = ROOT / "schema" / "add-ons" / "nan_is_null.sql"
    psql(database, f"\\set schema astra\n\\i {addon}\n")
    (one, *_) = await spectra(3)
    peewee = upstream.database_of(database, zone="UTC")
    models = upstream.models_of(peewee, "astra", upstream.utc_now)
    theirs: dict[str, Any] = {model.__name__: model for model in models.values()}
    theirs |= {"spectrum": one, "task": upstream.task}
    ours: dict[str, Any] = {"outputs": outputs, "spectrum": one}
    ran = {"theirs": 0, "ours": 0}
    for whose, code in blocks():
        ran[whose] += 1
        if whose == "ours":
            await execute(code, ours)
        else:
            await asyncio.to_thread(exec, code, theirs)
            ours |= {name: theirs[name] for name in ("keys", "todo") if name in theirs}
    peewee.close()
    assert ran == {"theirs": 6, "ours": 7}
    rows = await connection.fetch("select v_astra, teff from astra.the_cannon order by v_astra, spectrum_pk")
    assert [tuple(row) for row in rows] == [(8000, 5700.0)] * 3 + [(9000, 5700.0)] * 3


def test_the_page_has_every_call_of_the_first_models():
    for call in ("get_by_id", "from_spectrum", "save()", "on_conflict", "insert_many", "returning", "@task"):
        assert call in PAGE
