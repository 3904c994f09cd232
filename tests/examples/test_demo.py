"""The demonstration, run as a user runs it: what it prints, and what it leaves in its database."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import asyncpg
import pytest

from astra_outputs import embedded

EXAMPLE = Path(__file__).parents[2] / "examples" / "irfm"
sys.path.insert(0, str(EXAMPLE))

from demo import Stored, compare  # noqa: E402

STARS = 200

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="the embedded server is for Linux and macOS"),
]


def python(*arguments: str | Path, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COLUMNS": "160", "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if check:
        assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder that a user stands in."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def report(home: Path) -> str:
    """What the demonstration prints on a part of the stars."""
    return python(EXAMPLE / "demo.py", "--limit", str(STARS), cwd=home).stdout


@pytest.fixture
async def connection(home: Path, report: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the database that the demonstration left behind."""
    async with embedded.server(home / "demo" / "postgres") as server:
        connection = await asyncpg.connect(server.dsn, server_settings={"search_path": "astra"})
        yield connection
        await connection.close()


def test_psql_without_a_database_says_to_run_the_demonstration(tmp_path: Path):
    done = python(EXAMPLE / "psql.py", cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "run the demonstration first" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_no_stars_at_all_are_refused(tmp_path: Path):
    done = python(EXAMPLE / "demo.py", "--limit", "0", cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "--limit must be at least 1" in done.stderr


def test_a_single_star_is_enough(tmp_path: Path):
    told = python(EXAMPLE / "demo.py", "--limit", "1", cwd=tmp_path)
    assert "1 inserted" in told.stdout
    assert told.stderr == ""


def test_a_folder_that_holds_something_else_is_refused_and_left_alone(tmp_path: Path):
    other = tmp_path / "demo" / "postgres" / "thesis.tex"
    other.parent.mkdir(parents=True)
    other.write_text("years of work")
    done = python(EXAMPLE / "demo.py", "--limit", "5", cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "is not empty" in done.stderr
    assert "Traceback" not in done.stderr
    assert other.read_text() == "years of work"


NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
ROW = Stored(task_pk=7, created=NOON, modified=NOON)
LATER = replace(ROW, modified=NOON + timedelta(seconds=1))
RESULT = SimpleNamespace(spectrum_pk=1, v_astra_major_minor=8, task_pk=7)


@pytest.mark.parametrize(
    ("after", "complaint"),
    [
        ({(1, 8): replace(LATER, task_pk=8)}, "carries another task_pk"),
        ({(1, 8): ROW}, "only 0 of 1 results were replaced"),
        ({(1, 8): replace(LATER, created=LATER.modified)}, "only 0 of 1 results were replaced"),
        ({(1, 8): LATER, (2, 8): LATER}, "results that are not its own"),
        ({(1, 8): LATER}, "results that are not its own"),
    ],
)
def test_the_demonstration_stops_where_the_table_is_not_what_the_rules_promise(
    after: dict[tuple[int, int], Stored], complaint: str
):
    others = {(2, 8): ROW} if "not its own" in complaint else {}
    with pytest.raises(SystemExit, match=complaint):
        compare({(1, 8): ROW} | others, after, [RESULT])


def test_the_demonstration_goes_on_where_a_row_was_replaced_in_its_place():
    assert compare({(1, 8): ROW, (2, 8): ROW}, {(1, 8): LATER, (2, 8): ROW}, [RESULT]) == "all 1 the same"
    assert compare({(2, 8): ROW}, {(1, 8): LATER, (2, 8): ROW}, [RESULT]) == "new"


def test_each_run_is_told_with_its_outcome_and_the_rows_after_it(report: str):
    runs = re.findall(r"^(first run|the same again|patch release|minor release) +(.*)$", report, re.MULTILINE)
    told = {name: re.split(r" {2,}", rest.strip())[:4] for name, rest in runs}
    assert told == {
        "first run": ["0.8.0", "200 inserted", "new", "200"],
        "the same again": ["0.8.0", "200 replaced", "all 200 the same", "200"],
        "patch release": ["0.8.1", "200 replaced", "all 200 the same", "200"],
        "minor release": ["0.9.0", "200 inserted", "new", "400"],
    }


def test_a_wrong_source_is_told_in_the_words_of_the_error(report: str):
    (line,) = re.findall(r"^refused .*$", report, re.MULTILINE)
    given, stands = re.search(r"KeyMismatch: irfm.source_pk = (\d+): the spectrum says (\d+)", line).groups()
    assert int(given) == int(stands) + 1


def test_offsets_and_scatter_are_told_for_giants_and_dwarfs(report: str):
    found = re.findall(r"^(giants|dwarfs), .*? +(\d+) +([+-]\d+) K +(\d+) K *$", report, re.MULTILINE)
    assert [name for name, *_ in found] == ["giants", "dwarfs"]
    for _, stars, offset, scatter in found:
        assert int(stars) > 20
        assert abs(int(offset)) < 250
        assert 50 < int(scatter) < 500


def test_the_report_ends_with_the_way_to_go_on(report: str):
    assert report.rstrip().splitlines()[-1] == "go on     make psql"


def test_the_report_is_plain_where_nobody_watches(report: str):
    assert "\x1b" not in report
    assert "━" not in report


def test_the_plot_is_a_picture(home: Path, report: str):
    picture = (home / "demo" / "irfm.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 20_000


def test_the_exported_file_holds_the_released_version(home: Path, report: str):
    fits = pytest.importorskip("astropy.io.fits")
    assert re.search(
        r"^export +demo/irfm-0.9.fits: APOGEE 200 rows|BOSS 0, APOGEE 200 rows", report, re.MULTILINE
    )
    with fits.open(home / "demo" / "irfm-0.9.fits") as file:
        file.verify("exception")
        assert len(file["APOGEE"].data) == STARS
        assert file[0].header["V_ASTRA"] == "0.9"


def test_the_next_version_is_compared_with_the_released_one(home: Path, report: str):
    assert re.search(
        r"^irfm 0.9 to irfm 0.10, flag_giant_relation: \d+ spectra have both", report, re.MULTILINE
    )
    changed = {
        name: int(number) for name, number in re.findall(r"^(\w+) +\S* +\d+ +(\d+) ", report, re.MULTILINE)
    }
    assert changed["fe_h"] > 20
    assert changed["teff"] > 20
    assert "<html" in (home / "demo" / "report.html").read_text(encoding="utf-8")
    for name in ("kiel.png", "changes.png"):
        assert (home / "demo" / name).read_bytes().startswith(b"\x89PNG")


async def test_the_database_holds_what_the_report_tells(connection: asyncpg.Connection):
    versions = await connection.fetch(
        "select v_astra, v_astra_major_minor, count(*) from irfm group by 1, 2 order by 1"
    )
    assert [tuple(row) for row in versions] == [(8001, 8, STARS), (9000, 9, STARS), (10000, 10, STARS)]


async def test_both_releases_have_the_same_temperatures_under_other_keys(connection: asyncpg.Connection):
    different = await connection.fetchval(
        """
        select count(*) from irfm as one join irfm as other using (spectrum_pk)
        where one.v_astra = 8001 and other.v_astra = 9000
          and (one.teff is distinct from other.teff or one.task_pk = other.task_pk)
        """
    )
    assert different == 0


async def test_every_result_belongs_to_the_source_of_its_spectrum(connection: asyncpg.Connection):
    strangers = await connection.fetchval(
        """
        select count(*) from irfm
        join apogee_coadded_spectrum_in_ap_star as spectrum using (spectrum_pk)
        join source on source.pk = irfm.source_pk
        where spectrum.source_pk <> irfm.source_pk or source.sdss4_apogee_id <> spectrum.obj
        """
    )
    assert strangers == 0


async def test_temperatures_are_those_of_cool_stars_and_missing_ones_are_null(connection: asyncpg.Connection):
    lowest, highest, missing = await connection.fetchrow(
        "select min(teff), max(teff), count(*) filter (where teff is null) from irfm"
    )
    assert 3500 < lowest < highest < 8000
    assert 0 < missing < 3 * STARS
    assert await connection.fetchval("select count(*) from irfm where teff = 'NaN'") == 0


def test_a_second_run_says_what_it_found_and_begins_anew(home: Path, report: str):
    again = python(EXAMPLE / "demo.py", "--limit", "20", "--folder", "demo", cwd=home).stdout
    assert re.search(r"^found +600 results of an earlier demo", again, re.MULTILINE)
    assert "20 inserted" in again
    assert re.search(r"^minor release +0.9.0 +20 inserted +new +40 ", again, re.MULTILINE)


def test_psql_opens_the_schema_and_leaves_no_server(home: Path, report: str):
    told = python(EXAMPLE / "psql.py", "--", "-Atc", "select count(*) > 0 from irfm", cwd=home).stdout
    assert told == "t\n"
    assert not (home / "demo" / "postgres" / "postmaster.pid").exists()


def test_psql_passes_its_exit_code_on(home: Path, report: str):
    assert python(EXAMPLE / "psql.py", "--", "-c", "select nonsense", cwd=home, check=False).returncode == 1
