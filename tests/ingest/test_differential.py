"""Every table that astropy ships for its own tests, read here and by `Table.read`: no difference that docs/wild.md does not explain."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import astropy
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from astra_outputs.errors import UnreadableFile
from astra_outputs.ingest.files import Choices, open_table
from astra_outputs.ingest.values import plain

PACKAGE = Path(astropy.__file__).parent
CATALOGUES = Path(__file__).parents[2] / "examples" / "catalogues"
SMALL = 2_000_000
"""Bytes."""


def files(*endings: str) -> list[Path]:
    found = [*PACKAGE.rglob("*"), *CATALOGUES.rglob("*")]
    return sorted(path for path in found if path.name.endswith(endings) and path.stat().st_size < SMALL)


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE if PACKAGE in path.parents else CATALOGUES))


def tables_of(path: Path) -> dict[int, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with fits.open(path) as units:
            kinds = (fits.BinTableHDU, fits.TableHDU)
            return {
                number: unit
                for number, unit in enumerate(units)
                if isinstance(unit, kinds) and not isinstance(unit, fits.CompImageHDU)
            }


def fits_tables() -> Iterator[Any]:
    for path in files(".fits", ".fits.gz"):
        try:
            tables = tables_of(path)
        except (OSError, TypeError, ValueError, fits.VerifyError):
            continue  # made to be no FITS file
        for number in tables:
            yield pytest.param(path, number, id=f"{name(path)}[{number}]")


def ours(path: Path, **choices: Any) -> tuple[tuple[str, ...], list[dict[str, Any]], list[str]]:
    with open_table(path, Choices(**choices)) as table:
        rows = list(table.rows(table.columns))
    good = [{column: plain(value) for column, value in row.values.items()} for row in rows if not row.problem]
    return table.columns, good, [row.problem for row in rows if row.problem]


def theirs(path: Path, **options: Any) -> Table:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Table.read(path, **options)


def same(mine: Any, other: Any) -> bool:
    """Tell whether two values are one; text of a text file stands for what it spells."""
    mine, other = plain(mine), plain(other)
    if isinstance(mine, list) and isinstance(other, list):
        return len(mine) == len(other) and all(map(same, mine, other))
    mine, other = (value.strip() if isinstance(value, str) else value for value in (mine, other))
    missing = [value is None or value == "" or value != value for value in (mine, other)]  # noqa: PLR0124
    if any(missing):
        return all(missing)
    if isinstance(mine, bytes) or isinstance(other, bytes):
        mine, other = (value.decode() if isinstance(value, bytes) else value for value in (mine, other))
    if isinstance(mine, str) and isinstance(other, str):
        return bool(mine == other)
    if isinstance(mine, str):
        return str(other) == mine or math.isclose(float(mine), other, rel_tol=1e-15)
    return bool(mine == other)


def differences(path: Path, table: Table, **choices: Any) -> list[tuple[int, str, Any, Any]]:
    columns, rows, problems = ours(path, **choices)
    assert (list(columns), len(rows), problems) == (table.colnames, len(table), [])
    return [
        (number, column, row[column], other)
        for number, row in enumerate(rows)
        for column in columns
        if not same(row[column], other := value_of(table[column], number))
    ]


def value_of(column: Any, row: int) -> Any:
    """Return one value of astropy's table; an array that is masked as a whole is missing."""
    mask = getattr(column, "mask", None)
    return None if mask is not None and np.ndim(mask) == 1 and mask[row] else column[row]


@pytest.mark.parametrize(("path", "hdu"), list(fits_tables()))
def test_a_fits_table_is_read_as_astropy_reads_it_but_for_null(path, hdu) -> None:
    # Of an ASCII table whose TNULL is a text Table.read says TypeError; its data can be read nevertheless.
    table = Table(fits.getdata(path, hdu)) if path.name == "ascii.fits" else theirs(path, hdu=hdu)
    explained = {
        # TNULL and blanks of an integer of an ASCII table are NULL, which astropy makes 0.
        "ascii.fits": {None},
        # A zero byte of a logical column is NULL, which Table.read makes False.
        "logical_null.fits": {None},
        "vla_logical_null.fits": {None},
        "vla_logical_all_zero.fits": {None},
    }
    for row, column, mine, _ in differences(path, table, hdu=hdu):
        assert None in explained.get(path.name, set()), (row, column, mine)
        assert mine is None or None in mine


@pytest.mark.parametrize("path", files(".csv"), ids=name)
def test_a_csv_file_is_read_as_astropy_reads_it(path) -> None:
    if path.name == "simple_csv_missing.csv":
        # Rows with fewer fields than the header are filled up by Table.read, and refused here.
        (problem,) = ours(path)[2]
        assert problem.startswith("has 1 fields, and the header 3")
        return
    # "ascii.csv" knows no comments, which stand before the names in some, or are the names.
    kind = {"dr12_labels.csv": "ascii.commented_header"}.get(path.name, "ascii.basic")
    commented = path.read_text(encoding="utf-8").startswith("#")
    table = theirs(path, format=kind, delimiter=",") if commented else theirs(path, format="ascii.csv")
    assert differences(path, table) == []


@pytest.mark.parametrize("path", files(".ecsv", ".vot", ".xml", ".xml.gz"), ids=name)
def test_what_astropy_reads_for_us_arrives_unchanged(path) -> None:
    kind = "ascii.ecsv" if path.suffix == ".ecsv" else "votable"
    try:
        table = theirs(path, format=kind, **({} if kind == "ascii.ecsv" else {"use_names_over_ids": True}))
    except Exception:  # noqa: BLE001 (some are made to be refused)
        with pytest.raises(UnreadableFile):
            ours(path)
        return
    elsewhere = path.name == "parquet_binary.xml"  # the rows are in another file, which is not fetched
    if not table.colnames or elsewhere:
        with pytest.raises(UnreadableFile, match="in another file" if elsewhere else "it is empty"):
            ours(path)
        return
    assert differences(path, table) == []


@pytest.mark.parametrize(
    ("file", "format"),
    [
        ("cds.dat", "ascii.cds"),
        ("ipac.dat", "ascii.ipac"),
        ("ipac.dat.bz2", "ascii.ipac"),
        ("ipac.dat.xz", "ascii.ipac"),
        ("short.rdb", "ascii.rdb"),
        ("short.rdb.gz", "ascii.rdb"),
        ("commented_header.dat", "ascii.commented_header"),
        ("fixed_width_2_line.txt", "ascii.fixed_width_two_line"),
        ("sextractor.dat", "ascii.sextractor"),
        ("short.tab", "ascii.tab"),
    ],
)
def test_other_formats_of_text_are_read_by_astropy(file, format) -> None:  # noqa: A002
    path = PACKAGE / "io" / "ascii" / "tests" / "data" / file
    assert differences(path, theirs(path, format=format), format=format) == []


def test_the_comparison_finds_a_difference() -> None:
    path = PACKAGE / "io" / "fits" / "tests" / "data" / "tb.fits"
    table = theirs(path, hdu=1)
    table["c3"][1] = np.float32(3.5)
    assert [(row, column) for row, column, *_ in differences(path, table)] == [(1, "c3")]
    assert len(list(fits_tables())) >= 20
    assert len(files(".csv")) >= 6
