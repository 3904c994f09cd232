"""`astra-outputs export`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from every_form import EveryForm
from exported import command


def test_a_file_without_rows_is_one_line_and_an_error(database: str, tmp_path: Path) -> None:
    done = command(database, "aspcap", "--v-astra", "0.8", "-o", tmp_path / "a.fits")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "no row of aspcap" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["mwmAlStar", "--v-astra", "0.8"], "no table is named mwmAlStar: did you mean mwmAllStar?"),
        (["SnowWite", "-o", "a.fits"], "no table is named SnowWite: did you mean SnowWhite?"),
        (["aspcap", "-o", "."], ". is a folder; name a file in it"),
        (["aspcap"], "the file has no name: pass one (-o)"),
    ],
)
def test_what_names_nothing_is_one_line_with_what_may_be_meant(
    database: str, words: list[str], said: str
) -> None:
    done = command(database, *words)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert said in done.stderr


@pytest.mark.usefixtures("every_form")
async def test_results_are_exported_by_their_table_with_columns_and_a_condition(
    database: str, tmp_path: Path, outputs: Any
) -> None:
    file = tmp_path / "a.csv"
    options = ["every_form", "--records", "every_form.py", "-o", file, "--column", "a_small", "--json"]
    done = command(database, *options, "--where", "a_small > 1", "--order-by", "-task_pk")
    assert done.returncode == 0, done.stderr
    expected = await outputs.find(EveryForm, "a_small > 1", order_by="-task_pk")
    assert json.loads(done.stdout)["rows"] == {"every_form": len(expected)}
    assert file.read_text().split() == ["a_small", *(str(record.a_small) for record in expected)]
    again = command(database, *options)
    assert again.returncode == 1
    assert "--overwrite" in again.stderr


async def test_results_are_exported_by_the_place_of_their_sources(
    database: str, tmp_path: Path, every_form: list[EveryForm], connection: asyncpg.Connection
) -> None:
    here, there = every_form[0].source_pk, every_form[1].source_pk
    await connection.execute("update astra.source set ra = 359.9, dec = -30 where pk = $1", here)
    await connection.execute("update astra.source set ra = 10, dec = -30 where pk = $1", there)
    file = tmp_path / "a.csv"
    options = ["every_form", "--records", "every_form.py", "-o", file, "--column", "source_pk"]
    done = command(database, *options, "--near", "0.1", "-30", "0.3")
    assert done.returncode == 0, done.stderr
    assert file.read_text().split() == ["source_pk", str(here)]
    done = command(database, *options, "--overwrite", "--near", "0.1", "-91", "0.3")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "dec from -90 to 90" in done.stderr


@pytest.mark.usefixtures("every_form")
async def test_verify_exits_with_1_where_a_row_differs_and_names_it(
    database: str, tmp_path: Path, outputs: Any, connection: asyncpg.Connection
) -> None:
    pytest.importorskip("astropy")
    file = tmp_path / "a.fits"
    await outputs.export(EveryForm, file)
    options = [file, "--records", "every_form.py"]
    same = command(database, *options, name="verify")
    assert (same.returncode, "all are as in the database" in same.stdout) == (0, True), same.stderr
    await connection.execute("update astra.every_form set a_real = 12.5 where task_pk = 1")
    found = command(database, *options, "--json", name="verify")
    assert found.returncode == 1
    assert json.loads(found.stdout)["changed"] == {"1": ["a_real"]}
