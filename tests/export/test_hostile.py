"""Exports in hostile surroundings: killed, without libraries or room, while rows change, where numbers look otherwise."""

from __future__ import annotations

import asyncio
import csv
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import psycopg2
import pytest
from every_form import EveryForm
from exported import ROOT, names_in, read

import astra_outputs
from astra_outputs.errors import CannotWrite, MissingExtra


@pytest.mark.parametrize(
    ("ending", "library", "extra"),
    [
        ("fits", "astropy", "fits"),
        ("fits.gz", "astropy", "fits"),
        ("ecsv", "astropy", "fits"),
        ("parquet", "pyarrow", "arrow"),
    ],
)
async def test_a_library_that_is_not_installed_is_named_with_its_extra(
    outputs: Any, tmp_path: Path, monkeypatch: Any, ending: str, library: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    said = rf"need {library}: pip install 'astra-outputs\[{extra}\]'"
    with pytest.raises(MissingExtra, match=said):
        await outputs.export(EveryForm, tmp_path / f"a.{ending}")
    assert names_in(tmp_path) == []
    if ending != "ecsv":
        (tmp_path / f"a.{ending}").write_bytes(b"anything")
        with pytest.raises(MissingExtra, match=said):
            await outputs.verify(tmp_path / f"a.{ending}")


EXPORTED = """
import asyncio, sys, astra_outputs
from every_form import EveryForm

def hold(done, rows):
    print(done, flush=True)
    sys.stdin.read()

async def main():
    async with astra_outputs.connect(sys.argv[1]) as outputs:
        await outputs.export(EveryForm, sys.argv[2], progress=hold, overwrite=True)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
@pytest.mark.parametrize("ending", ["fits", "fits.gz", "parquet", "csv"])
@pytest.mark.usefixtures("every_form")
def test_an_export_that_is_killed_after_its_rows_leaves_what_was_there(
    database: str, tmp_path: Path, ending: str
) -> None:
    file = tmp_path / f"a.{ending}"
    file.write_bytes(b"the old one")
    command = [sys.executable, "-c", EXPORTED, database, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"40\n"
        child.send_signal(signal.SIGKILL)
    assert file.read_bytes() == b"the old one"
    (partial,) = set(names_in(tmp_path)) - {file.name}
    assert partial.startswith(f".{file.name}."), "what is left is hidden, and says what it was to be"


@pytest.mark.skipif(sys.platform != "linux", reason="a limit stands for a full disk")
@pytest.mark.parametrize("ending", ["fits", "fits.gz", "parquet", "csv"])
@pytest.mark.usefixtures("every_form")
def test_an_export_to_a_full_disk_says_so_and_leaves_nothing(
    database: str, tmp_path: Path, ending: str
) -> None:
    limited = "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limited += "resource.setrlimit(resource.RLIMIT_FSIZE, (3_000, 3_000))\n"
    done = subprocess.run(
        [sys.executable, "-c", limited + EXPORTED, database, str(tmp_path / f"a.{ending}")],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
    )
    assert CannotWrite.__name__ in done.stderr.splitlines()[-1], done.stderr
    assert "nothing of it is left" in done.stderr
    assert names_in(tmp_path) == []


async def test_rows_that_change_while_they_are_read_are_as_they_were_when_they_were_counted(
    database: str, tmp_path: Path, every_form: list[EveryForm], monkeypatch: Any
) -> None:
    monkeypatch.setattr("astra_outputs.reading.wire.rows_of", lambda _: 7)
    monkeypatch.setattr("astra_outputs.reading.wire.BLOCK", 1)
    changes: list[int] = []
    other = psycopg2.connect(database)
    other.autocommit = True

    def change(done: int, rows: int) -> None:
        with other.cursor() as cursor:
            cursor.execute("update astra.every_form set a_real = 99, a_text = repeat('x', 1000)")
            cursor.execute("delete from astra.every_form where task_pk = %s", (every_form[-1].task_pk,))
        changes.append(done)
        assert rows == 40

    async with astra_outputs.connect(database) as outputs:
        await outputs.export(EveryForm, tmp_path / "a.fits", order_by="task_pk", progress=change)
    other.close()
    assert len(changes) > 1, "all rows came at once"
    table = read(tmp_path / "a.fits")
    assert [None if value is table["a_real"].fill_value else value for value in table["task_pk"]] == [
        record.task_pk for record in every_form
    ]
    found = table["a_real"].filled(float("nan")) if hasattr(table["a_real"], "filled") else table["a_real"]
    assert [None if value != value else float(value) for value in found] == [  # noqa: PLR0124
        record.a_real for record in every_form
    ]


async def test_neither_the_servers_nor_the_programs_locale_changes_a_file(
    outputs: Any, database: str, tmp_path: Path, every_form: list[EveryForm], connection: asyncpg.Connection
) -> None:
    condition, moment = "a_double is distinct from $1 and a_time is distinct from $2", every_form[0].created
    given = (1.1 + 2**-50, moment)
    columns = ["task_pk", "a_real", "a_double", "a_time", "a_text", "some_reals"]
    here, there = tmp_path / "here.csv", tmp_path / "there.csv"
    await outputs.export(EveryForm, here, condition, *given, order_by="task_pk", columns=columns)
    name = urlsplit(database).path.removeprefix("/")
    for setting in ("datestyle = 'German, DMY'", "extra_float_digits = -10", "timezone = 'Asia/Kathmandu'"):
        await connection.execute(f'alter database "{name}" set {setting}')
    key = every_form[3].task_pk
    await connection.execute("update astra.every_form set a_double = $1 where task_pk = $2", given[0], key)
    script = """
import asyncio, locale, sys, astra_outputs
from datetime import datetime
from every_form import EveryForm
for name in ("de_DE.UTF-8", ""):
    try:
        locale.setlocale(locale.LC_ALL, name)
        break
    except locale.Error:
        pass

async def main():
    async with astra_outputs.connect(sys.argv[1]) as outputs:
        given = float(sys.argv[4]), datetime.fromisoformat(sys.argv[5])
        columns = sys.argv[6:]
        await outputs.export(EveryForm, sys.argv[2], sys.argv[3], *given, order_by="task_pk", columns=columns)

asyncio.run(main())
"""
    words = [database, str(there), condition, repr(given[0]), str(moment), *columns]
    environment = {
        **os.environ,
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "TZ": "Asia/Kathmandu",
    }
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", script, *words],
        check=False,
        cwd=ROOT,
        env=environment,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    rows = list(csv.reader(here.read_text(encoding="utf-8").splitlines(keepends=True)))
    assert list(csv.reader(there.read_text(encoding="utf-8").splitlines(keepends=True))) == [
        row for row in rows if row[0] != str(key)
    ]
