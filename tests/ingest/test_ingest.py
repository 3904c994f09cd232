"""Catalogue files become rows by a map: what is refused, and that real values arrive unchanged."""

from __future__ import annotations

import csv
import gzip
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from astra_outputs import BossVisitSpectrum, SnowWhite, Source
from astra_outputs.cli import app, main
from astra_outputs.errors import InvalidMapping, MissingExtra, MissingVersion, UnreadableFile
from astra_outputs.ingest import ingest, read_mapping
from astra_outputs.ingest.files import open_table
from astra_outputs.ingest.known import put_on_top
from astra_outputs.model.outcome import Outcome

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


def parquet(folder: Path, **columns: list[Any]) -> Path:
    import pyarrow as pa
    from pyarrow import parquet

    path = folder / "stars.parquet"
    parquet.write_table(pa.table(columns), path)
    return path


@pytest.fixture
def command(monkeypatch):
    """Run `astra-outputs ingest` in this process, and return what it exits with."""

    def run(path: Path, map_file: Path, *options: str) -> int:
        words = ["astra-outputs", "ingest", str(path), "--into", "snow_white", "--map", str(map_file)]
        monkeypatch.setattr("sys.argv", [*words, *options])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    return run


async def store(outputs, path: Path, map_file: Path, **options):
    return await ingest(outputs, [path], read_mapping(map_file), BossVisitSpectrum, SnowWhite, **options)


# Bad maps.


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("logg =", "loggg =", "loggg is not a column of snow_white; did you mean logg"),
        ("[spectrum]", "[spectra2]", "spectra2"),
        ("bit = 31", "bit = 64", "flag_low_snr.bit"),
        ("times = 1000", 'transform = "cube"', "teff.transform"),
        ('v_astra = "0.8.1"', 'v_astra = "0.8"', "major.minor.patch"),
        ("times = 1000", "time = 1000", "result.teff.time"),
        ('logg = "logg"', "logg = {}", "give either"),
        ('logg = "logg"', "logg = [", "map.toml"),
        ("flag_low_snr", "flag_low_snrr", "did you mean flag_low_snr"),
        (", bit = 31", "", "say by which bit"),
        ('require = ["teff"]', 'require = ["e_teff"]', "require names e_teff"),
        ('require = ["teff"]', 'merge = "ra"', "merge names ra"),
        ('require = ["teff"]', 'update = "some"', "update"),
        ('sdss_id = "id"', 'sdss_id = "id"\npk = "id"', "pk is not a column"),
        ('logg = "logg"', 'spectrum_pk = "logg"', "keys and versions are set by ingest"),
    ],
)
async def test_a_map_that_does_not_fit_is_refused_naming_the_place(files, old, new, reason) -> None:
    assert old in MAP
    with pytest.raises(InvalidMapping, match=reason):
        await store(None, *files("1,10,8,DA,0\n", MAP.replace(old, new)))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "map.toml: there is no such map; a map is a TOML file"),
        (b"\xff\xfe", "map.toml: "),
        (b"spectra = 1", "source: Field required"),
    ],
)
def test_a_map_that_is_not_there_or_none_is_refused_naming_it(tmp_path, content, reason) -> None:
    path = tmp_path / "map.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidMapping, match=reason):
        read_mapping(path)


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
        (
            "id,teff_kk,class,logg,logg,bits\n1,10,DA,8,8,0\n",
            "stars.csv",
            "several of its columns are named logg",
        ),
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
        ("2,10,8,D\udce9,0", "classification", "encoding"),
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


async def test_a_spectrum_that_belongs_to_another_source_stays_there(outputs, connection, files) -> None:
    path, map_file = files("1,10,8,DA,0\n")
    await store(outputs, path, map_file)
    mapping = MAP.replace('sdss_id = "id"', 'sdss_id = "logg"')
    report = await store(outputs, *files("1,11,7,DA,0\n2,11,8,DA,0\n", mapping))
    (refused,) = report.refused
    assert (refused.row, refused.column) == (1, "source_pk")
    assert "belongs to source_pk" in refused.reason
    rows = await connection.fetch("select teff, source_pk from astra.snow_white order by teff")
    assert [row["teff"] for row in rows] == [10000, 11000]


@pytest.mark.parametrize("array", [None, [8.0], 8.0, "78"])
async def test_an_element_that_is_not_there_is_refused_by_row(files, tmp_path, array) -> None:
    path = parquet(tmp_path, id=[1, 2], teff_kk=[10.0, 11.0], logg=[[7.0, 8.0]] * 2)
    if array is not None:
        path = parquet(tmp_path, id=[1], teff_kk=[10.0], logg=[array])
    mapping = MAP.replace('"logg"', '{ from = "logg", element = 1 }')
    mapping = mapping.replace('classification = "class"', "").replace("flag_low_snr", "# ")
    report = await store(None, path, files("", mapping)[1])
    assert [refused.reason for refused in report.refused] == (
        [] if array is None else ["has no element 1, counted from 0"]
    )


# What is missing on the machine, or on the disk.


@pytest.mark.parametrize(
    ("name", "library", "extra"), [("a.fits", "astropy", "fits"), ("a.parquet", "pyarrow", "arrow")]
)
def test_a_library_that_is_not_installed_is_named_with_its_extra(
    tmp_path, monkeypatch, name, library, extra
) -> None:
    (tmp_path / name).write_bytes(b"any")
    for module in [module for module in sys.modules if module.partition(".")[0] == library]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtra, match=rf'{library} is not installed.*astra-outputs\[{extra}\]"'):
        read_rows(tmp_path / name)


def test_a_file_that_is_no_list_of_refused_rows_is_not_written_over(files, command, capsys) -> None:
    path, map_file = files("1,10,8,DA,0\n")
    notes = path.with_name("notes.txt")
    notes.write_text("keep me\n")
    assert command(path, map_file, "--dry-run", "--report", str(notes)) == 1
    assert "is something else already" in capsys.readouterr().err
    assert notes.read_text() == "keep me\n"


def test_rows_that_were_refused_before_a_file_was_not_found_are_listed(files, command, capsys) -> None:
    path, map_file = files("2,hot,8,DA,0\n")
    assert command(path, map_file, "--dry-run", str(path.with_name("nowhere.csv"))) == 1
    assert "there is no such file" in capsys.readouterr().err
    assert "is not a number" in path.with_name("stars.csv.refused.csv").read_text()


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


async def test_the_number_of_a_row_is_a_key_where_the_file_has_none(outputs, connection, files) -> None:
    mapping = MAP.replace('catalogid = "id"', "catalogid = { row = true }").replace(
        "[result]", "[result]\ntag = { row = true }"
    )
    await store(outputs, *files("7,10,8,DA,0\n7,12,8,DB,0\n", mapping))
    query = "select catalogid, tag from astra.boss_visit_spectrum join astra.snow_white using (spectrum_pk) order by 1"
    assert [tuple(row) for row in await connection.fetch(query)] == [(1, "1"), (2, "2")]


async def test_what_is_known_of_a_source_stays_where_the_file_says_nothing(
    outputs, connection, files
) -> None:
    await connection.execute("insert into astra.source (sdss_id, ra) values (1, 12.5)")
    await store(outputs, *files("1,10,8,DA,0\n"))
    assert await connection.fetchval("select ra from astra.source") == 12.5


@pytest.mark.parametrize("update", ["all", "given"])
async def test_a_second_catalogue_replaces_a_result_or_only_what_it_says(
    outputs, connection, files, update
) -> None:
    await store(outputs, *files("1,10,8,DA,-2147483648\n"))
    mapping = MAP.replace('require = ["teff"]', f'update = "{update}"')
    report = await store(outputs, *files("1,,7,,\n2,11,,DB,\n", mapping))
    assert report.outcomes == {Outcome.REPLACED: 1, Outcome.INSERTED: 1}
    rows = await connection.fetch(
        "select teff, logg, classification, result_flags from astra.snow_white order by task_pk"
    )
    kept = (10_000, 7, "DA", 1) if update == "given" else (None, 7, None, 0)
    assert [tuple(row) for row in rows] == [kept, (11_000, None, "DB", 0)]


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


async def test_rows_whose_identifier_is_none_are_refused_and_not_merged(files) -> None:
    mapping = MAP.replace('require = ["teff"]', 'merge = "sdss_id"')
    report = await store(
        None,
        *files("-1,10,8,DA,0\n-1,11,8,DA,0\n-9999,1,1,DA,0\n,1,1,DA,0\n2.5,1,1,DA,0\n2,9,8,DB,0\n", mapping),
    )
    assert (report.merged, report.checked) == (0, 1)
    assert [(refused.row, refused.value) for refused in report.refused] == [
        (1, -1),
        (2, -1),
        (3, None),
        (4, None),
        (5, 2.5),
    ]
    assert "by which rows are merged" in report.refused[0].reason


ROWS = {"id": [1, 2], "teff_kk": [10.0, None], "logg": [8.0, 8.0], "class": ["DA", "DB"], "bits": [0, 0]}


def write_parquet(path: Path) -> None:
    parquet(path.parent, **ROWS).rename(path)


def write_arrow(path: Path) -> None:
    import pyarrow as pa

    table = pa.table(ROWS)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def write_csv(path: Path) -> None:
    path.write_bytes(gzip.compress(HEADER.encode() + b"1,10,8,DA,0\n\n2,,8,DB,0\n"))


def write_fits(path: Path) -> None:
    from astropy.io import fits

    columns = [
        fits.Column("id", "J", array=[1, 2]),
        fits.Column("teff_kk", "J", array=[10, -1], null=-1),
        fits.Column("logg", "E", array=[8, 8]),
        fits.Column("class", "4A", array=["DA", "DB"]),
        fits.Column("bits", "J", array=[0, 0]),
    ]
    file = path.with_suffix("")
    fits.BinTableHDU.from_columns(columns).writeto(file)
    path.write_bytes(gzip.compress(file.read_bytes()))


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.csv.gz", write_csv),
        ("a.fits.gz", write_fits),
        ("a.parquet", write_parquet),
        ("a.arrow", write_arrow),
    ],
)
async def test_every_format_is_read_alike(outputs, connection, files, tmp_path, name, write) -> None:
    write(tmp_path / name)
    report = await store(outputs, tmp_path / name, files("")[1])
    assert (report.refused, report.passed_over, report.outcomes) == ([], 1, {Outcome.INSERTED: 1})
    row = await connection.fetchrow("select teff, logg, classification, source_pk from astra.snow_white")
    assert tuple(row) == (10000, 8, "DA", await connection.fetchval("select pk from astra.source"))


def test_a_new_record_that_says_nothing_of_a_column_leaves_it_as_it_is() -> None:
    known = Source(sdss_id=1, ra=12.5, dec=3.0)
    put_on_top(known, Source(sdss_id=1, ra=None, dec=4.0))
    assert (known.ra, known.dec) == (12.5, 4.0)


async def test_two_rows_of_one_source_fill_it_together(outputs, connection, files) -> None:
    mapping = MAP.replace(
        'sdss_id = "id"',
        'sdss_id = "logg"\nra = "class"\nflag_sdss4_apogee_faint = { from = "bits", bit = 0 }',
    )
    mapping = mapping.replace('classification = "class"', "")
    path, map_file = files("1,10,8,1.5,1\n2,11,8,,0\n", mapping)
    for _ in range(2):
        assert (await store(outputs, path, map_file)).refused == []
        row = await connection.fetchrow("select ra, sdss4_apogee_target1_flags from astra.source")
        assert tuple(row) == (1.5, 1)


async def test_a_mark_that_went_through_single_precision_is_still_a_mark(files, tmp_path) -> None:
    import pyarrow as pa

    single = pa.array([-9999.99, 8.0, float("nan")], pa.float32())
    path = parquet(tmp_path, id=[1, 2, 3], teff_kk=[10.0, 10.0, 10.0], logg=single)
    mapping = MAP.replace("missing = [-9999]", "missing = [-9999.99]").replace('["teff"]', '["logg"]')
    mapping = mapping.replace('classification = "class"', "").replace("flag_low_snr", "# ")
    report = await store(None, path, files("", mapping)[1])
    assert (report.passed_over, report.checked) == (2, 1)


@pytest.mark.parametrize(
    ("option", "stored"),
    [
        ('transform = "sqrt"', 3),
        ('transform = "exp10"', 10**9),
        ("times = 2, plus = 1", 19),
        ("between = [0, 8]", None),
        ("values = { 9 = 4.5 }", 4.5),
        ("missing = [9]", None),
    ],
)
async def test_a_number_is_read_as_its_options_say(outputs, connection, files, option, stored) -> None:
    mapping = MAP.replace('logg = "logg"', f'logg = {{ from = "logg", {option} }}')
    assert (await store(outputs, *files("1,10,9,DA,0\n", mapping))).refused == []
    assert await connection.fetchval("select logg from astra.snow_white") == stored


async def test_a_mask_takes_over_the_bits_of_a_negative_number(outputs, connection, files) -> None:
    mapping = MAP.replace("flag_low_snr", "result_flags").replace("bit = 31", "mask = 0x80000001")
    await store(outputs, *files("1,10,9,DA,-2147483645\n", mapping))
    assert await connection.fetchval("select result_flags from astra.snow_white") == 0x80000001


async def test_a_long_file_is_never_in_memory_as_a_whole(files) -> None:
    lengths, peaks = (2_000, 12_000), []
    for length in lengths:
        path, map_file = files("".join(f"{number},10,8,DA,0\n" for number in range(1, length + 1)))
        tracemalloc.start()
        assert (await store(None, path, map_file)).checked == length
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # What grows is what tells a spectrum that comes twice.
    assert (peaks[1] - peaks[0]) / (lengths[1] - lengths[0]) < 300


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
        "reason": 'is not a number; if it stands for "not measured", list it as missing in the map',
    }
    assert listed == [expected]
    path.write_text(HEADER + "1,10,8,DA,0\n")
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    assert not (path.parent / "stars.csv.refused.csv").exists()
    assert app.info.name == "astra-outputs"
