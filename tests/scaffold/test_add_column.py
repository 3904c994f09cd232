"""A column is added in three places at once: record class, SQL file and an upgrade; and they agree."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest

from astra_outputs import embedded
from astra_outputs.errors import CannotStart
from astra_outputs.postgres import sql_files


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run commands in a folder with one package, `mine`, each in a process of its own: modules change."""

    def run(*arguments: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "astra_outputs", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    made = run(
        "new-pipeline",
        "star_teff",
        "--column",
        "some_flags:flags",
        "--column",
        "teff:real:K",
        "--into",
        "mine",
    )
    assert made.code == 0, made.err
    return run


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*.[ps][yq]*")
        if path.is_file()
    }


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("star_teff", "teff:real:K"), "star_teff has a column teff already"),
        (("star_teff", "task_pk:bigint"), "task_pk"),
        (("star_teff", "logg:real", "logg:real"), "logg is given twice"),
        (("star_teff", "logg"), "'logg' has no type"),
        (("star_teff", "logg:float"), "logg has the unknown type 'float'"),
        (("star_teff", "Logg:real"), "Logg"),
        (("star_teff", "more_flags:flags"), "flags need names for their bits"),
        (("aspcap", "logg_too:real"), "aspcap is a table of the survey"),
        (("source", "logg_too:real"), "source holds no results of a pipeline"),
        (("star_tef", "logg:real"), "did you mean star_teff?"),
    ],
)
def test_a_column_that_makes_no_sense_is_refused_and_nothing_is_written(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], reason: str
) -> None:
    before = files(tmp_path)
    done = run("add-column", *arguments)
    assert (done.code, reason in done.err) == (2, True), done.err
    assert files(tmp_path) == before


def test_files_of_another_form_are_left_alone(run: Run, tmp_path: Path) -> None:
    sql = tmp_path / "mine" / "star_teff.sql"
    sql.write_text(sql.read_text().replace("    teff real,", "    TEFF REAL,"))
    before = files(tmp_path)
    done = run("add-column", "star_teff", "logg:real:dex")
    assert (done.code, "there is no line of teff to add one behind" in done.err) == (2, True)
    assert files(tmp_path) == before


def test_record_class_and_sql_file_agree_after_columns_were_added(run: Run, tmp_path: Path) -> None:
    done = run("add-column", "star_teff", "logg:real:dex", "seen:timestamp", "fe_h:real:dex:It's [Fe/H]")
    assert done.code == 0, done.err
    assert run("add-column", "StarTeff", "n_lines:integer").code == 0
    checked = run("check", "--records", "mine")
    assert (checked.code, "agree" in checked.out) == (0, True), checked.out
    names = sorted(path.name for path in (tmp_path / "mine" / "upgrades").iterdir())
    assert names == ["0001_pre_star_teff_logg_seen_fe_h.sql", "0002_pre_star_teff_n_lines.sql"]
    assert "n_lines: Integer" in (tmp_path / "mine" / "star_teff.py").read_text()


async def test_the_upgrades_make_of_the_old_table_what_the_file_makes_anew(
    run: Run, tmp_path: Path, connection: asyncpg.Connection, database: str
) -> None:
    try:
        psql = embedded.psql_program()
    except CannotStart as error:
        pytest.skip(str(error))
    sql = tmp_path / "mine" / "star_teff.sql"
    await sql_files.apply(connection, "astra", files=[sql])
    assert run("add-column", "star_teff", "logg:real:dex", "seen:timestamp").code == 0
    assert run("add-column", "star_teff", "counts:jsonb::What was counted").code == 0
    for path in sorted((tmp_path / "mine" / "upgrades").iterdir()) * 2:
        command = [psql, "-X", "-q", "-v", "schema=astra", "-f", path, database]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: ASYNC221
        assert (done.returncode, done.stderr) == (0, "")
    checked = run("check", "--records", "mine", "--dsn", database)
    assert (checked.code, "agree" in checked.out) == (0, True), checked.out
    # The view of the table and its flags has the new columns, too.
    await connection.fetch("select flag_warn, teff, logg, seen, counts from astra.star_teff_quality")
