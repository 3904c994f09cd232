"""Catalogue files become rows by a map: what is refused, and that real values arrive unchanged."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from astra_outputs import BossVisitSpectrum, SnowWhite
from astra_outputs.cli import app, main
from astra_outputs.errors import InvalidMapping, MissingVersion, UnreadableFile
from astra_outputs.ingest import ingest, read_mapping
from astra_outputs.ingest.files import open_table
from astra_outputs.records.base import Outcome

MAP = """
spectra = "boss_visit_spectrum"
v_astra = "0.8.1"
missing = [-9999]
require = ["teff"]

[source]
sdss_id = "id"

[spectrum]
release = { value = "synthetic" }
run2d = { value = "unknown" }
mjd = { value = 0 }
fieldid = { value = 0 }
catalogid = "id"
healpix = { value = 0 }
spec_file = { value = "" }

[result]
teff = { from = "teff_kk", times = 1000 }
logg = "logg"
classification = "class"
flag_low_snr = { from = "bits", bit = 31 }
"""
HEADER = "id,teff_kk,logg,class,bits\n"


@pytest.fixture
def files(tmp_path: Path):
    """Write a CSV file and a map, and return both: `files(rows, map=...)`."""

    def write(rows: str, mapping: str = MAP, name: str = "stars.csv") -> tuple[Path, Path]:
        path, map_file = tmp_path / name, tmp_path / "map.toml"
        text = rows if rows.startswith("id") or not rows else HEADER + rows
        path.write_text(text, errors="surrogateescape")
        map_file.write_text(mapping)
        return path, map_file

    return write


def read_rows(path: Path) -> list[dict[str, Any]]:
    with open_table(path) as table:
        return [row.values for row in table.rows(table.columns)]


async def store(outputs, path: Path, map_file: Path, **options):
    return await ingest(outputs, [path], read_mapping(map_file), BossVisitSpectrum, SnowWhite, **options)


# Bad maps.


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("logg =", "loggg =", "loggg is not a column of snow_white; did you mean logg"),
        ("[spectrum]", "[spectra2]", "spectra2"),
        ('v_astra = "0.8.1"', 'v_astra = "0.8"', "major.minor.patch"),
        ("times = 1000", "time = 1000", "result.teff.time"),
        ('logg = "logg"', "logg = {}", "give either"),
        ('logg = "logg"', "logg = [", "map.toml"),
        ("flag_low_snr", "flag_low_snrr", "did you mean flag_low_snr"),
        (", bit = 31", "", "say by which bit"),
        ('require = ["teff"]', 'require = ["e_teff"]', "require names e_teff"),
        ('require = ["teff"]', 'merge = "ra"', "merge names ra"),
        ('sdss_id = "id"', 'sdss_id = "id"\npk = "id"', "pk is not a column"),
        ('logg = "logg"', 'spectrum_pk = "logg"', "keys and versions are set by ingest"),
    ],
)
async def test_a_map_that_does_not_fit_is_refused_naming_the_place(files, old, new, reason) -> None:
    assert old in MAP
    with pytest.raises(InvalidMapping, match=reason):
        await store(None, *files("1,10,8,DA,0\n", MAP.replace(old, new)))


async def test_a_map_without_version_is_refused(files, monkeypatch) -> None:
    monkeypatch.delenv("ASTRA_OUTPUTS_V_ASTRA", raising=False)
    with pytest.raises(MissingVersion):
        await store(None, *files("1,10,8,DA,0\n", MAP.replace('v_astra = "0.8.1"', "")))


# Bad files.


@pytest.mark.parametrize(
    ("rows", "name", "reason"),
    [
        ("", "stars.csv", "it is empty"),
        (HEADER, "stars.csv", "has no rows"),
        ("id,teff_kk,logg,logg,bits\n1,10,8,8,0\n", "stars.csv", "two of its columns are named 'logg'"),
        ("1,10,8,DA,0\n", "stars.txt", "name it .csv"),
        ("1,10,8,DA,0\n", "stars.fits", "cannot be read"),
        ("1,10,8,DA,0\n", "stars.parquet", "cannot be read"),
        (
            "id,teff_k\n1,10\n",
            "stars.csv",
            r"has no column teff_kk \(did you mean teff_k\?\); no column logg",
        ),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused_naming_it(files, rows, name, reason) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        await store(None, *files(rows, name=name))


def test_a_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="there is no such file"):
        read_rows(Path("nowhere.csv"))


# Bad rows.


@pytest.mark.parametrize(
    ("bad", "column", "reason"),
    [
        ("2,hot,8,DA,0", "teff", "is not a number"),
        ("2,inf,8,DA,0", "teff", "infinite"),
        ("2,10,8,DA,x", "flag_low_snr", "is not a number"),
        ("2,10,8,DA,0.5", "flag_low_snr", "whole number of bits"),
        ("x,10,8,DA,0", "sdss_id", "is not a number"),
        (",10,8,DA,0", "sdss_id", "has no key"),
        ("2.5,10,8,DA,0", "sdss_id", "not a whole number"),
        ("1,11,8,DA,0", "", "the same spectrum as row 1"),
        ("2,10,8", "", "has 3 fields, and the header 5"),
        ("2,1_0,8,DA,0", "teff", "is not a number"),
        ("2,10,8,D\udce9,0", "classification", "surrogate"),
    ],
)
@pytest.mark.parametrize("dry", [True, False])
async def test_a_bad_row_is_refused_with_its_reason_and_the_others_are_stored(
    outputs, connection, files, bad, column, reason, dry
) -> None:
    path, map_file = files(f"1,10,8,DA,0\n{bad}\n3,12,8,DB,0\n")
    report = await store(None if dry else outputs, path, map_file)
    assert {(refused.file, refused.row) for refused in report.refused} == {("stars.csv", 2)}
    assert report.refused[0].column == column
    assert reason in report.refused[0].reason
    assert (report.checked, sum(report.outcomes.values())) == ((2, 0) if dry else (0, 2))
    assert await connection.fetchval("select count(*) from astra.snow_white") == (0 if dry else 2)


async def test_what_the_database_refuses_is_reported_by_row(outputs, connection, files) -> None:
    await connection.execute("alter table astra.snow_white add constraint cool check (teff < 11000)")
    report = await store(outputs, *files("1,10,8,DA,0\n2,12,8,DA,0\n"))
    (refused,) = report.refused
    assert refused.row == 2
    assert "cool" in refused.reason


# What is stored.


async def test_values_are_scaled_named_and_left_out_as_the_map_says(outputs, connection, files) -> None:
    report = await store(outputs, *files("1,10.5,-9999,DA,-2147483648\n2,-9999,8,DB,0\n3,12,,DB,0\n"))
    assert (report.read, report.passed_over) == (3, 1)
    rows = await connection.fetch("select * from astra.snow_white order by teff")
    assert [(row["teff"], row["logg"], row["result_flags"]) for row in rows] == [
        (10500, None, 1),
        (12000, None, 0),
    ]


async def test_a_second_run_replaces_what_the_first_stored(outputs, connection, files) -> None:
    path, map_file = files("1,10,8,DA,0\n2,12,8,DB,0\n")
    await store(outputs, path, map_file)
    before = await connection.fetch("select task_pk from astra.snow_white order by 1")
    assert (await store(outputs, path, map_file)).outcomes == {Outcome.REPLACED: 2}
    assert await connection.fetch("select task_pk from astra.snow_white order by 1") == before


async def test_what_is_known_of_a_source_stays_where_the_file_says_nothing(
    outputs, connection, files
) -> None:
    await connection.execute("insert into astra.source (sdss_id, ra) values (1, 12.5)")
    await store(outputs, *files("1,10,8,DA,0\n"))
    assert await connection.fetchval("select ra from astra.source") == 12.5


async def test_rows_of_one_star_become_one_result_and_contradictions_are_reported(
    outputs, connection, files
) -> None:
    mapping = MAP.replace('require = ["teff"]', 'merge = "sdss_id"')
    report = await store(outputs, *files("1,10,,DA,0\n1,,8,DB,0\n", mapping))
    assert report.merged == 1
    (refused,) = report.refused
    assert (refused.row, refused.column, refused.value) == (2, "classification", "DB")
    row = await connection.fetchrow("select teff, logg, classification from astra.snow_white")
    assert tuple(row) == (10000, 8, "DA")


async def test_parquet_is_read_as_csv_is(outputs, connection, files, tmp_path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    _, map_file = files("")
    path = tmp_path / "stars.parquet"
    columns = {
        "id": [1, 2],
        "teff_kk": [10.0, None],
        "logg": [8.0, 8.0],
        "class": ["DA", "DB"],
        "bits": [0, 0],
    }
    pq.write_table(pa.table(columns), path)
    report = await store(outputs, path, map_file)
    assert (report.passed_over, report.outcomes) == (1, {Outcome.INSERTED: 1})


def test_the_command_stores_the_good_rows_lists_the_bad_ones_and_fails(
    database, files, monkeypatch, capsys
) -> None:
    path, map_file = files("1,10,8,DA,0\n2,hot,8,DB,0\n")
    command = ["astra-outputs", "ingest", str(path), "--into", "snow_white", "--map", str(map_file)]
    monkeypatch.setattr("sys.argv", [*command, "--dsn", database])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 1
    assert "1 results inserted, 1 refused" in capsys.readouterr().out
    listed = list(csv.DictReader((path.parent / "stars.csv.refused.csv").read_text().splitlines()))
    expected = {
        "file": "stars.csv",
        "row": "2",
        "column": "teff",
        "value": "hot",
        "reason": "is not a number",
    }
    assert listed == [expected]
    path.write_text(HEADER + "1,10,8,DA,0\n")
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    assert not (path.parent / "stars.csv.refused.csv").exists()
    assert app.info.name == "astra-outputs"
