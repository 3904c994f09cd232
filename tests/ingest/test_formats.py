"""Files as they are found: each format, what it says of NULL, and what is wrong with it."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from astropy.io import fits
from astropy.table import MaskedColumn, Table
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from astra_outputs.errors import InvalidMapping, UnreadableFile
from astra_outputs.ingest import read_mapping, text_files
from astra_outputs.ingest.files import Choices, open_table
from astra_outputs.ingest.origin import Origin
from astra_outputs.ingest.values import value_of
from astra_outputs.model.column_types import TIMESTAMP
from astra_outputs.model.columns import Column

Columns = list[fits.Column]


def read(path: Path, **choices: Any) -> tuple[list[dict[str, Any]], list[tuple[int, str]]]:
    """Return the values of the good rows, and number and problem of the bad ones."""
    with open_table(path, Choices(**choices)) as table:
        names = [name for name in table.columns if table.columns.count(name) == 1]
        rows = list(table.rows(names))
    return [row.values for row in rows if not row.problem], [
        (row.number, row.problem) for row in rows if row.problem
    ]


def column(path: Path, name: str = "x", **choices: Any) -> list[Any]:
    return [row[name] for row in read(path, **choices)[0]]


def write_fits(
    path: Path, *columns: fits.Column, kind: Any = fits.BinTableHDU, name: str = "", **cards: Any
) -> Path:
    table = kind.from_columns(columns, name=name)
    table.header.update(cards)
    table.writeto(path, overwrite=True)
    return path


def patch(path: Path, offset: int, *new: bytes) -> None:
    """Overwrite bytes of the first table of a FITS file, one row after the other."""
    with fits.open(path) as units:
        start, width = units[1].fileinfo()["datLoc"] + offset, units[1].header["NAXIS1"]
    raw = bytearray(path.read_bytes())
    for row, field in enumerate(new):
        raw[start + row * width : start + row * width + len(field)] = field
    path.write_bytes(raw)


# FITS: NULL as the standard has it.


def test_tnull_is_the_value_before_it_is_scaled_in_every_part_of_a_file(tmp_path) -> None:
    path = write_fits(
        tmp_path / "a.fits",
        fits.Column("x", "I", array=np.arange(2_500) % 100),
        fits.Column("u", "J", bzero=2**31, array=np.arange(2_500, dtype="u4")),
        fits.Column("pair", "2I", array=np.array([[7, 57]] * 2_500)),
        fits.Column("any", "PI()", array=np.array([np.array([7, 57], "i2")] * 2_500, dtype=object)),
        TSCAL1=100.0,
        TZERO1=5000.0,
        TNULL1=7,
        TNULL2=-(2**31),
        TNULL3=7,
        TNULL4=7,
    )
    rows, _ = read(path)
    assert [rows[at]["x"] for at in (6, 7, 57, 2_407, 2_457)] == [5600, None, 10_700, None, 10_700]
    assert [rows[at]["u"] for at in (0, 1, 2_499)] == [None, 1, 2_499]
    assert list(rows[1_500]["pair"]) == [None, 57]
    assert rows[1_500]["any"] == [None, 57]


def test_scaled_arrays_of_any_length_are_refused_since_astropy_scales_the_first_alone(tmp_path) -> None:
    arrays = np.array([np.array([7, 57], "i2")] * 2, dtype=object)
    path = write_fits(tmp_path / "a.fits", fits.Column("x", "PI()", array=arrays), TSCAL1=2.0)
    with pytest.raises(UnreadableFile, match="x holds scaled arrays"):
        read(path)


def test_unsigned_numbers_of_64_bits_are_exact(tmp_path) -> None:
    numbers = np.array([0, 2**63 + 1, 2**64 - 1], "u8")
    path = write_fits(tmp_path / "a.fits", fits.Column("x", "K", bzero=2**63, array=numbers))
    assert column(path) == [0, 2**63 + 1, 2**64 - 1]


def test_a_logical_byte_of_zero_is_null(tmp_path) -> None:
    logical = fits.Column("x", "L", array=[True, False, True, False])
    path = write_fits(tmp_path / "a.fits", logical, fits.Column("pair", "2L", array=[[True, False]] * 4))
    patch(path, 0, b"\0", b"T", b"F", b"\0")
    patch(path, 2, b"\0")
    assert column(path) == [None, True, False, None]
    assert list(read(path)[0][0]["pair"]) == [True, None]


def test_a_logical_null_in_an_array_of_any_length_is_null() -> None:
    data = Path(fits.__file__).parent / "tests" / "data"
    if not (data / "vla_logical_null.fits").exists():
        pytest.skip("this version of astropy does not bring the file")
    assert column(data / "vla_logical_null.fits", "flag") == [[True, None, True], [False, True]]
    legacy = column(data / "vla_logical_pre_fix.fits", "flag")
    assert legacy == [[True, False, True], [False, True], [], [True, True, False, False]]


def test_blanks_and_tnull_of_an_ascii_table_are_null_and_what_is_no_number_stays_a_text(tmp_path) -> None:
    columns = [
        fits.Column("x", "I5", array=[1, 2, 3, 4]),
        fits.Column("f", "D10.3", array=[1.5, 2.5, 3.5, 4.5]),
    ]
    path = write_fits(tmp_path / "a.fits", *columns, kind=fits.TableHDU, TNULL2="-99")
    patch(path, 0, b"     ", b"    2", b"    0")
    patch(path, 5, b"          ", b"  1.25D+02", b"       -99")
    assert column(path) == [None, 2, 0, 4]
    found = column(path, "f")
    assert [None if value is None or np.isnan(value) else value for value in found] == [None, 125, None, 4.5]
    patch(path, 0, b"  abc")
    assert column(path) == ["abc", "2", "0", "4"]


def test_a_nul_ends_a_text_of_a_fits_file(tmp_path) -> None:
    path = write_fits(tmp_path / "a.fits", fits.Column("x", "6A", array=["ab", "é"[:0], "c"]))
    patch(path, 0, b"ab\0cd\0", b"\0\0\0\0\0\0", b"  c   ")
    assert [text.strip() for text in column(path)] == ["ab", "", "c"]


def test_bytes_that_are_no_text_reach_only_their_own_row(tmp_path) -> None:
    path = write_fits(tmp_path / "a.fits", fits.Column("x", "3A", array=["ab", "cd"]))
    patch(path, 0, b"\xff\xfe ")
    assert column(path)[1] in ("cd", b"cd")


# FITS: which table.


@pytest.fixture
def several(tmp_path) -> Path:
    def table(name: str, values: list[int]) -> fits.BinTableHDU:
        return fits.BinTableHDU.from_columns([fits.Column("x", "J", array=values)], name=name)

    named = table("", [4])
    named.header["INSTRMNT"] = "LCO"
    image = fits.ImageHDU(np.zeros((2, 2)), name="IMAGE")
    units = [fits.PrimaryHDU(), table("BOSS", []), image, table("APOGEE", [5]), named, table("twice", [1])]
    path = tmp_path / "several.fits"
    fits.HDUList([*units, table("TWICE", [2])]).writeto(path)
    return path


@pytest.mark.parametrize(
    ("hdu", "values"), [("APOGEE", [5]), ("apogee ", [5]), (3, [5]), ("LCO", [4]), (1, [])]
)
def test_a_map_chooses_a_table_by_name_or_number(several, hdu, values) -> None:
    assert column(several, hdu=hdu) == values


@pytest.mark.parametrize(
    ("hdu", "reason"),
    [
        (
            None,
            r"several tables: choose one in the map, as hdu = \"NAME\"; its tables are 1 \(BOSS\), 3 \(APOGEE\)",
        ),
        ("ALLSTAR", r"hdu = 'ALLSTAR' in the map, but it has no such table; its tables are 1 \(BOSS\)"),
        (2, "no such table"),
        (0, "no such table"),
        ("twice", "several tables of that name: choose by number"),
    ],
)
def test_a_choice_that_is_none_is_refused_with_the_tables_that_there_are(several, hdu, reason) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        read(several, hdu=hdu)


def test_a_fits_file_without_a_table_is_refused(tmp_path) -> None:
    fits.PrimaryHDU(np.zeros(3)).writeto(tmp_path / "a.fits")
    with pytest.raises(UnreadableFile, match="it has no table"):
        read(tmp_path / "a.fits")


def test_a_truncated_fits_file_is_refused_before_its_first_row(tmp_path) -> None:
    path = write_fits(tmp_path / "a.fits", fits.Column("x", "K", array=np.arange(5_000)))
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(UnreadableFile, match=r"it is cut off: 20,000 bytes of at least 45,760"):
        read(path)


# Text: a fault of one row is a fault of that row.


@pytest.mark.parametrize(
    ("lines", "good", "bad"),
    [
        ('1,"5" dome\n2,b\n', ["2"], [1]),
        ('1,"open\n2,b\n3,c\n', ["2", "3"], [1]),
        ('1,"open\n2,"b"x\n3,c\n', ["3"], [1, 2]),
        ('1,"open,2\n2,"b"\n', ["2"], [1]),
        ('1,"two\nlines"\n2,b\n', ["1", "2"], []),
        ('1,"a ""b"", c"\n\n2,b', ["1", "2"], []),
        ("1\n2,b\n3,c,d\n", ["2"], [1, 3]),
        ('1,"last', [], [1]),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_bad_row_of_a_text_file_leaves_the_others_as_they_are(tmp_path, lines, good, bad, end) -> None:
    path = tmp_path / "a.csv"
    path.write_text(("x,y\n" + lines).replace("\n", end), newline="")
    rows, problems = read(path)
    assert ([row["x"] for row in rows], [number for number, _ in problems]) == (good, bad)


def test_many_open_quotation_marks_take_no_more_than_their_own_rows(tmp_path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,y\n" + "".join(f'{number},"a\n{number},b\n' for number in range(2_000)))
    rows, problems = read(path)
    assert len(rows) + len(problems) == 4_000
    assert len(rows) >= 2_000


def test_a_quotation_mark_without_another_keeps_no_more_than_some_lines_in_memory(tmp_path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('x,y\n1,"a\n' + "2,b\n" * 100_000)
    with open_table(path) as table:
        tracemalloc.start()
        problems = [row.number for row in table.rows(["x"]) if row.problem]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert problems == [1]
    assert peak < 1_000_000


def test_a_line_without_an_end_is_refused_in_bounded_memory(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(text_files, "WIDEST", 1 << 16)
    path = tmp_path / "a.csv"
    path.write_text("x,y\n1," + "a" * 20_000_000 + "\n2,b\n")
    tracemalloc.start()
    rows, problems = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert ([row["x"] for row in rows], problems) == (
        ["2"],
        [(1, "is a line of more than 65,536 characters")],
    )
    assert peak < 2_000_000
    path.write_text("x" * 20_000_000)
    with pytest.raises(UnreadableFile, match="first line has more than"):
        read(path)


def test_columns_without_a_name_or_of_one_name_harm_none_that_are_mapped_otherwise(tmp_path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(",x,,b,b\n0,1,2,3,4\n")
    assert column(path) == ["1"]


@pytest.mark.parametrize(
    "text",
    [
        "# made by hand, 2020\n# on a Monday\nx,y\n1,2\n",
        "#x,y\n1,2\n",
        "# a list\n# of stars\n#x , y\n1,2\n",
        "# %ECSV 1.0\n# ---\n# delimiter: ','\n# datatype:\n# - {name: x, datatype: int64}\nx,y\n1,2\n",
        "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: x, datatype: int64}\nx y\n1 2\n",
    ],
)
def test_comments_before_the_names_of_the_columns_are_passed_over(tmp_path, text) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    assert read(path) == ([{"x": "1", "y": "2"}], [])


def test_comments_without_an_end_are_refused_in_bounded_memory(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(text_files, "WIDEST", 1 << 16)
    path = tmp_path / "a.csv"
    for text in ("# a\n" * 30_000, "#" * 10_000_000):
        path.write_text(text)
        tracemalloc.start()
        with pytest.raises(UnreadableFile, match="begin with # before its first row"):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
        tracemalloc.stop()


FIELDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=8)


@given(
    rows=st.lists(st.tuples(FIELDS, FIELDS), max_size=8),
    delimiter=st.sampled_from(",;|\t"),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_what_a_csv_writer_writes_is_read_as_it_was(rows, delimiter, end) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows([("x", "y"), *rows])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(text.getvalue().encode())
        found, problems = read(path, delimiter=delimiter)
    assert (found, problems) == ([{"x": x, "y": y} for x, y in rows], [])


@given(st.binary(max_size=200) | st.text('",;#\n\rx1 ', max_size=60).map(str.encode))
@settings(max_examples=300)
def test_any_bytes_are_rows_or_refused_in_words(content) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(content)
        try:
            rows, problems = read(path)
        except UnreadableFile:
            return
    assert len(rows) + len(problems) <= len(content.splitlines()) + content.count(b"\r") + 1


def test_null_in_a_csv_file_of_gaia_is_missing(tmp_path) -> None:
    path = tmp_path / "GaiaSource.csv.gz"
    path.write_bytes(gzip.compress(b"# %ECSV 1.0\n# delimiter: ','\nx,y\n1,null\nnull,2\n"))
    assert read(path)[0] == [{"x": "1", "y": None}, {"x": None, "y": "2"}]


# Text: other delimiters and encodings.


@pytest.mark.parametrize(
    ("name", "text", "choices"),
    [
        ("a.tsv", "x\ty\n1\té\n", {}),
        ("a.tab", "x\ty\n1\té\n", {}),
        ("a.csv", "x;y\n1;é\n", {"delimiter": ";"}),
        ("a.txt", "x|y\n1|é\n", {"delimiter": "|"}),
        ("a.dat", "x,y\n1,é\n", {"format": "csv"}),
        ("a.csv", "\ufeffx,y\n1,é\n", {}),
        ("a.csv", "\ufeffx,y\n1,é\n", {"encoding": "UTF8"}),
        ("a.csv", ("x,y\n1,é\n", "latin-1"), {"encoding": "latin-1"}),
        ("a.csv", ("x,y\n1,é\n", "utf-16"), {"encoding": "utf-16"}),
        ("a.dat", "x y\n1   é\n", {"format": "ascii.basic"}),
        (
            "a.ecsv",
            "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: x, datatype: int64}\n# - {name: y, datatype: string}\nx y\n1 é\n",
            {},
        ),
    ],
)
def test_a_text_file_is_read_as_its_name_and_the_map_say(tmp_path, name, text, choices) -> None:
    path = tmp_path / name
    text, encoding = text if isinstance(text, tuple) else (text, "utf-8")
    path.write_bytes(text.encode(encoding))
    (row,), problems = read(path, **choices)
    assert (str(row["x"]), row["y"], problems) == ("1", "é", [])


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", "x,y\n1,2\n".encode("utf-16"), 'UTF-16: say so in the map, as encoding = "utf-16"'),
        ("a.csv", "x,y\n1,2\n".encode("utf-16-le"), "holds NUL bytes"),
        ("a.csv", b"x;y\n1;2\n", "say in the map what stands between the fields, as delimiter = ';'"),
        ("a.csv", b"x\ty\n1\t2\n", r"delimiter = '\\\\t'"),
        ("a.csv", gzip.compress(b"x,y\n", mtime=0), "let its name end in .gz"),
        ("a.csv.gz", gzip.compress(b"x,y\n" + b"1,2\n" * 9_999, mtime=0)[:-20], "cannot be read"),
        ("a.csv.gz", b"x,y\n1,2\n", "cannot be read"),
        ("a.csv", b"PK\x03\x04....", "a ZIP archive or a workbook"),
        ("a.csv", b"<!DOCTYPE html>", "a web page"),
        ("a.fits", b"PAR1", 'a file of format "parquet"'),
        ("a.parquet", b"SIMPLE  =", 'a file of format "fits"'),
        ("a.csv", b'"x,y\n1,2\n', "the line with the names of its columns cannot be read"),
        ("a.csv", b"", "it is empty"),
        ("a.vot", b"<VOTABLE", "cannot be read"),
        ("a.ecsv", b"x y\n1 2\n", "cannot be read"),
        ("a.arrow", b"ARROW1\0\0", "cannot be read"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_says_what_it_is(tmp_path, name, content, reason) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=reason) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "choices", "reason"),
    [
        ("csv", {"hdu": 1}, "hdu = 1 in the map chooses among tables, and this file is one table"),
        ("ecsv", {"hdu": "A"}, "this file is one table"),
        ("parquet", {"hdu": 1}, "this file is one table"),
        ("parquet", {"delimiter": ";"}, "delimiter in the map is for text, and this file is parquet"),
        ("fits", {"encoding": "latin-1"}, "encoding in the map is for text, and this file is fits"),
    ],
)
def test_what_a_map_says_and_a_file_has_no_use_for_is_refused(tmp_path, kind, choices, reason) -> None:
    (tmp_path / f"a.{kind}").write_bytes(b"")
    with pytest.raises(UnreadableFile, match=reason):
        read(tmp_path / f"a.{kind}", **choices)


def test_a_fits_file_that_is_cut_off_before_its_table_says_what_astropy_says(tmp_path) -> None:
    path = write_fits(tmp_path / "a.fits", fits.Column("x", "K", array=np.arange(5_000)))
    path.write_bytes(path.read_bytes()[:4_000])
    with pytest.raises(UnreadableFile, match="it has no table; astropy says: "):
        read(path)


def test_names_of_columns_reach_a_terminal_without_its_control_characters(tmp_path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\x1b[31mx;y\n1;2\n")
    with pytest.raises(UnreadableFile) as caught:
        read(path)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("ending", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)]
)
@pytest.mark.parametrize("kind", ["csv", "fits", "parquet"])
def test_a_packed_file_is_read_as_what_it_holds(tmp_path, ending, pack, kind) -> None:
    plain = tmp_path / f"a.{kind}"
    writers: dict[str, Callable[[], object]] = {
        "csv": lambda: plain.write_text("x\n1\n2\n"),
        "fits": lambda: write_fits(plain, fits.Column("x", "J", array=[1, 2])),
        "parquet": lambda: parquet.write_table(pa.table({"x": [1, 2]}), plain),
    }
    writers[kind]()
    path = tmp_path / f"b.{kind}{ending}"
    path.write_bytes(pack(plain.read_bytes()))
    assert [int(value) for value in column(path)] == [1, 2]


# Parquet, Arrow and what astropy reads.


def test_a_folder_of_parquet_files_is_one_table(tmp_path) -> None:
    for part, values in (("a", [1, 2]), ("b", [3])):
        (tmp_path / f"kind={part}").mkdir()
        parquet.write_table(pa.table({"x": values}), tmp_path / f"kind={part}" / "0.parquet")
    assert [(row["x"], row["kind"]) for row in read(tmp_path)[0]] == [(1, "a"), (2, "a"), (3, "b")]


def test_files_keep_floats_of_few_bytes_where_they_tell_no_whole_numbers_apart(tmp_path) -> None:
    numbers = np.array([1, 2**24, np.nan], "f4")
    parquet.write_table(pa.table({"x": pa.array(numbers, mask=np.isnan(numbers))}), tmp_path / "a.parquet")
    write_fits(
        tmp_path / "a.fits",
        fits.Column("x", "E", array=numbers),
        fits.Column("y", "2E", array=[numbers[:2]] * 3),
    )
    for name in ("a.parquet", "a.fits"):
        one, large, none = column(tmp_path / name)
        assert (one, large, type(large)) == (1, 2**24, np.float32)
        assert none is None or np.isnan(none)
    assert column(tmp_path / "a.fits", "y")[0][1].dtype.itemsize == 4


def test_elements_of_arrays_keep_that_they_are_floats_of_few_bytes_where_it_matters(tmp_path) -> None:
    small, large = np.array([1, 2], "f4"), np.array([1, 2**24], "f4")
    lists = pa.array([large.tolist(), None, [None]], pa.list_(pa.float32()))
    halves = pa.array([[np.float16(2048)], None, []], pa.large_list(pa.float16()))
    parquet.write_table(pa.table({"x": lists, "y": halves}), tmp_path / "a.parquet")
    write_fits(
        tmp_path / "a.fits", fits.Column("x", "PE()", array=np.array([large, small[:1]], dtype=object))
    )
    for name in ("a.parquet", "a.fits"):
        assert type(column(tmp_path / name)[0][1]) is np.float32
    assert column(tmp_path / "a.parquet")[1:] == [None, [None]]
    assert type(column(tmp_path / "a.parquet", "y")[0][0]) is np.float16
    assert column(tmp_path / "a.fits")[1] == [1]


def test_a_folder_without_parquet_files_is_refused(tmp_path) -> None:
    with pytest.raises(UnreadableFile, match="no Parquet files"):
        read(tmp_path)


@pytest.mark.parametrize("folder", [False, True])
def test_a_damaged_part_of_a_parquet_file_is_named_before_the_first_row(tmp_path, folder: bool) -> None:
    path = tmp_path / "b.parquet"
    table = pa.table({"x": np.arange(6_000), "y": np.arange(6_000) / 2})
    parquet.write_table(table, path, row_group_size=2_000, write_page_checksum=True, use_dictionary=False)
    start = parquet.read_metadata(path).row_group(2).column(1).data_page_offset
    raw = bytearray(path.read_bytes())
    raw[start + 500] ^= 1
    path.write_bytes(raw)
    if folder:
        parquet.write_table(table, tmp_path / "a.parquet")
    place = tmp_path if folder else path
    with open_table(place) as opened:
        rows = opened.rows(["x", "y"])
        with pytest.raises(
            UnreadableFile, match=r"rows 4,001 to 6,000 are damaged .* nothing of the file is stored"
        ):
            next(rows)
        # Columns that nobody asks for harm nobody.
        assert len(list(opened.rows(["x"]))) == (12_000 if folder else 6_000)


def test_the_end_of_an_arrow_stream_that_is_missing_is_named_before_the_first_row(tmp_path) -> None:
    batch = pa.record_batch({"x": pa.array(np.arange(1_000))})
    with pa.OSFile(str(tmp_path / "a.arrow"), "wb") as file, pa.ipc.new_stream(file, batch.schema) as writer:
        for _ in range(3):
            writer.write_batch(batch)
    whole = (tmp_path / "a.arrow").read_bytes()
    (tmp_path / "a.arrow").write_bytes(whole[:-500])
    with pytest.raises(UnreadableFile, match="rows from 2,001 on are damaged"):
        read(tmp_path / "a.arrow")


@pytest.mark.parametrize("dictionary", [False, True])
def test_bytes_that_are_no_text_are_the_fault_of_their_row_alone(tmp_path, dictionary: bool) -> None:
    texts = pa.Array.from_buffers(pa.string(), 3, pa.array([b"a", b"\xe9t\xe9", b"c"]).buffers())
    if dictionary:
        texts = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2]), texts)
    schema = pa.schema([("x", texts.type)])
    with pa.OSFile(str(tmp_path / "a.arrow"), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        writer.write_batch(pa.record_batch({"x": texts}))
    assert column(tmp_path / "a.arrow") == [b"a", b"\xe9t\xe9", b"c"]


def test_an_arrow_stream_in_a_file_is_read(tmp_path) -> None:
    table = pa.table({"x": [1, None]})
    with pa.OSFile(str(tmp_path / "a.arrow"), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    assert column(tmp_path / "a.arrow") == [1, None]


def test_nanoseconds_are_cut_off(tmp_path) -> None:
    times = pa.array([1_500_000_000_123_456_789], pa.timestamp("ns", "UTC"))
    parquet.write_table(pa.table({"x": times}), tmp_path / "a.parquet")
    (value,) = column(tmp_path / "a.parquet")
    assert value.isoformat() == "2017-07-14T02:40:00.123456+00:00"


@pytest.mark.parametrize(
    "kind", [pa.timestamp("ms", "UTC"), pa.timestamp("s"), pa.date32(), pa.timestamp("us", "UTC")], ids=str
)
def test_a_time_so_far_away_that_python_has_none_is_the_fault_of_its_row(tmp_path, kind) -> None:
    far = pa.array([2**31 - 1 if kind == pa.date32() else 2**61, None, 0], pa.int64())
    times = far.cast(pa.int32()).cast(kind) if kind == pa.date32() else far.cast(kind)
    with (
        pa.OSFile(str(tmp_path / "a.arrow"), "wb") as file,
        pa.ipc.new_file(file, pa.schema({"x": kind})) as writer,
    ):
        writer.write_table(pa.table({"x": times}))
    first, *others = column(tmp_path / "a.arrow")
    assert (
        others
        == pa.array([None, 0], pa.int32() if kind == pa.date32() else pa.int64()).cast(kind).to_pylist()
    )
    column_of_times = Column("x", TIMESTAMP, nullable=True)
    value = value_of(first, Origin.model_validate({"from": "x", "zone": "UTC"}), column_of_times, [])
    with pytest.raises(ValueError, match="is not between 0001-01-02 and 9999-12-30"):
        TIMESTAMP.convert(value)


def test_a_votable_is_read_with_its_nulls_and_arrays(tmp_path) -> None:
    table = Table({"y": np.arange(8.0).reshape(2, 2, 2), "t": ["a", ""]})
    table["x"] = MaskedColumn([1, 2], mask=[False, True])
    table.write(tmp_path / "a.vot", format="votable")
    rows, _ = read(tmp_path / "a.vot")
    assert [row["x"] for row in rows] == [1, None]
    assert np.asarray(rows[1]["y"]).tolist() == [[4, 5], [6, 7]]


def test_a_format_that_astropy_knows_may_be_named(tmp_path) -> None:
    Table({"x": [1, 2]}).write(tmp_path / "a.tbl", format="ascii.ipac")
    assert column(tmp_path / "a.tbl", format="ascii.ipac") == [1, 2]
    with pytest.raises(UnreadableFile, match=r"astropy knows no format ascii\.nonsense"):
        read(tmp_path / "a.tbl", format="ascii.nonsense")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("encoding = 'klingon'", "no encoding is called"),
        ("delimiter = ';;'", "delimiter"),
        ("hdu = -1", "hdu"),
        ("format = 'fitz'", "must be one of csv"),
    ],
)
def test_a_choice_that_cannot_be_is_refused_with_the_map(tmp_path, line, reason) -> None:
    path = tmp_path / "map.toml"
    path.write_text(f'{line}\nspectra = "x"\n[source]\n[spectrum]\n[result]\n')
    with pytest.raises(InvalidMapping, match=reason):
        read_mapping(path)
