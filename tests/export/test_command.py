"""`astra-outputs export`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from every_form import EveryForm

ROOT = Path(__file__).parents[1]


def command(database: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "astra_outputs", "export", *map(str, arguments), "--dsn", database]
    return subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT)


def test_a_file_without_rows_is_one_line_and_an_error(database: str, tmp_path: Path) -> None:
    done = command(database, "aspcap", "--v-astra", "0.8", "-o", tmp_path / "a.fits")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "no row of aspcap" in done.stderr
    assert list(tmp_path.iterdir()) == []


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
