"""Tables as libraries make them: what lies about its shape is refused by name, and the rest is stored."""

from __future__ import annotations

import warnings
from array import array as numbers
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.time import Time

from astra_outputs import Bytes, Json, SnowWhite
from astra_outputs.errors import InvalidRecord, UnknownColumn
from astra_outputs.model.column_type import type_of
from astra_outputs.model.column_types import TIMESTAMP
from astra_outputs.model.columns import Column
from astra_outputs.tables.fits_rec import FitsColumn
from astra_outputs.tables.read import cells_of
from astra_outputs.tables.rules import check

V = "0.8.1"


class Stream:
    """Something of a library that nobody here knows, which gives itself out as an Arrow stream."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._table.__arrow_c_stream__(requested_schema)


class Batch:
    """The same of one batch."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch

    def __arrow_c_array__(self, requested_schema: Any = None) -> Any:
        return self._batch.__arrow_c_array__(requested_schema)


def of_fits(values: dict[str, Any]) -> Any:
    formats = {"spectrum_pk": "K", "teff": "E", "classification": "4A"}
    return fits.BinTableHDU.from_columns(
        [fits.Column(name, formats[name], array=array) for name, array in values.items()]
    ).data


def rows(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]


SHAPES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "pandas": pd.DataFrame,
    "an index that is the key": lambda values: pd.DataFrame(values).set_index("spectrum_pk"),
    "an index of two levels": lambda values: pd.DataFrame(values).set_index(
        ["spectrum_pk", "classification"]
    ),
    "polars": pl.DataFrame,
    "arrow": pa.table,
    "record batch": pa.record_batch,
    "record batch reader": lambda values: pa.table(values).to_reader(),
    "arrow stream": lambda values: Stream(pa.table(values)),
    "arrow array": lambda values: Batch(pa.record_batch(values)),
    "astropy": Table,
    "fits": of_fits,
    "list of dictionaries": rows,
    "structured array": lambda values: np.array(
        list(zip(*values.values(), strict=True)),
        dtype=[("spectrum_pk", "i8"), ("teff", "f4"), ("classification", "U2")],
    ),
    "mapping": dict,
}


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_table_of_any_library_is_stored(outputs, connection, spectra, shape) -> None:
    keys = [spectrum.spectrum_pk for spectrum in await spectra(2)]
    table = SHAPES[shape]({"spectrum_pk": keys, "teff": [5000.0, 5100.0], "classification": ["DA", "DB"]})
    report = await outputs.save_table(SnowWhite, table, v_astra=V)
    assert str(report) == "2 inserted"
    stored = await connection.fetch(
        "select spectrum_pk, teff, classification from astra.snow_white order by 1"
    )
    assert [tuple(row) for row in stored] == [(keys[0], 5000, "DA"), (keys[1], 5100, "DB")]


@pytest.mark.parametrize(
    "table",
    [
        Table({"spectrum_pk": np.zeros(0, int), "classification": np.zeros(0, "U3")}),
        pd.DataFrame({"spectrum_pk": np.zeros(0, int), "classification": np.zeros(0, object)}),
        pl.DataFrame(
            {"spectrum_pk": [], "classification": []},
            schema={"spectrum_pk": pl.Int64, "classification": pl.String},
        ),
        pa.table({"spectrum_pk": pa.array([], pa.int64()), "classification": pa.array([], pa.string())}),
        pa.table({"spectrum_pk": pa.array([], pa.int64()), "teff": pa.array([], pa.float32())}).to_reader(),
        of_fits({"spectrum_pk": np.zeros(0, int), "classification": np.zeros(0, "S4")}),
        {"spectrum_pk": [], "classification": np.zeros(0, "S2"), "teff": []},
        {"spectrum_pk": np.zeros(0, int), "teff": 5.0},
        [],
    ],
    ids=lambda table: type(table).__name__,
)
async def test_a_table_without_rows_stores_none(outputs, table) -> None:
    assert str(await outputs.save_table(SnowWhite, table, v_astra=V)) == "no records"


def twice(values: dict[str, Any]) -> dict[str, Any]:
    frame = pd.concat([pd.DataFrame(values), pd.DataFrame({"teff": values["teff"]})], axis=1)
    return {
        "arrow": pa.table([*map(pa.array, values.values()), pa.array([1.0])], names=[*values, "teff"]),
        "pandas": frame,
        "pandas, as index": pd.DataFrame(values).set_index("teff", drop=False),
        "mapping": {**values, 1: 1.0, "1": 1.0},
    }


@pytest.mark.parametrize("kind", ["arrow", "pandas", "pandas, as index", "mapping"])
async def test_two_columns_of_one_name_are_refused(outputs, connection, spectrum, kind) -> None:
    table = twice({"spectrum_pk": [spectrum.spectrum_pk], "teff": [5000.0]})[kind]
    with pytest.raises(
        InvalidRecord, match=r"snow_white\.(teff|1) = None: two columns of the table have this name"
    ):
        await outputs.save_table(SnowWhite, table, v_astra=V)
    assert await connection.fetchval("select count(*) from astra.snow_white") == 0


async def test_a_named_index_that_is_no_column_is_refused_as_a_column_is(outputs, spectrum) -> None:
    frame = pd.DataFrame({"spectrum_pk": [spectrum.spectrum_pk]}, index=pd.Index([1], name="tef"))
    with pytest.raises(UnknownColumn, match="did you mean teff"):
        await outputs.save_table(SnowWhite, frame, v_astra=V)


class Delayed:
    """Rows that are computed later, as those of dask."""

    def compute(self) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (
            pl.LazyFrame({"spectrum_pk": [1]}),
            r"a LazyFrame has no rows yet: give save_table what its collect\(\)",
        ),
        (Delayed(), r"a Delayed has no rows yet: give save_table what its compute\(\)"),
        (
            fits.BinTableHDU.from_columns([]),
            "a BinTableHDU is a table with its header: give save_table its data",
        ),
        ([SnowWhite(spectrum_pk=1, v_astra=8001)], "save_many stores those"),
        ("stars.csv", "save_table takes"),
        (pd.Series([1], name="spectrum_pk"), "save_table takes"),
        (pl.Series("spectrum_pk", [1]), "save_table takes"),
        (pa.array([1]), "save_table takes"),
        (pa.chunked_array([[1]]), "save_table takes"),
        (np.zeros(3), "save_table takes"),
        ((row for row in ()), "save_table takes"),
        (None, "save_table takes"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_what_is_no_table_is_refused_with_what_to_give_instead(outputs, table, reason) -> None:
    with pytest.raises(TypeError, match=reason):
        await outputs.save_table(SnowWhite, table, v_astra=V)


async def test_rows_that_lack_a_key_of_the_others_have_none_there(outputs, connection, spectra) -> None:
    first, second = [spectrum.spectrum_pk for spectrum in await spectra(2)]
    table = [{"spectrum_pk": first, "teff": 5000.0}, {"spectrum_pk": second, "logg": 8.0}]
    await outputs.save_table(SnowWhite, table, v_astra=V)
    stored = await connection.fetch("select teff, logg from astra.snow_white order by spectrum_pk")
    assert [tuple(row) for row in stored] == [(5000, None), (None, 8)]


async def test_null_of_a_fits_table_is_null(outputs, connection, spectra, tmp_path: Path) -> None:
    keys = [spectrum.spectrum_pk for spectrum in await spectra(3)]
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column("spectrum_pk", "K", array=keys),
            fits.Column("teff", "I", array=np.array([-32768, 57, 58], "i2")),
            fits.Column("logg", "J", array=[7, -1, 8], null=-1),
            fits.Column("classification", "4A", array=["DA", "", "DB"]),
        ]
    )
    table.header.update(TSCAL2=100.0, TZERO2=5000.0, TNULL2=-32768)
    table.writeto(tmp_path / "a.fits")
    with fits.open(tmp_path / "a.fits") as units:
        await outputs.save_table(SnowWhite, units[1].data, v_astra=V)
        await outputs.save_table(SnowWhite, units[1].data[1:], v_astra="0.9.1")
    for version, first in ((8001, 0), (9001, 1)):
        query = "select teff, logg from astra.snow_white where v_astra = $1 order by spectrum_pk"
        stored = [tuple(row) for row in await connection.fetch(query, version)]
        assert stored == [(None, 7), (10_700, None), (10_800, 8)][first:]


def test_a_logical_null_of_a_fits_table_is_missing_however_the_file_was_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.fits"
    columns = [
        fits.Column("x", "L", array=[True, False, True]),
        fits.Column("y", "2L", array=[[True, False]] * 3),
    ]
    fits.BinTableHDU.from_columns(columns).writeto(path)
    with fits.open(path) as units:
        start = units[1].fileinfo()["datLoc"]
    raw = bytearray(path.read_bytes())
    raw[start], raw[start + 2] = 0, 0
    path.write_bytes(raw)
    for as_bytes in (False, True):
        with fits.open(path, logical_as_bytes=as_bytes) as units, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # which is about the very NULL
            x, y = (cells_of(FitsColumn(units[1].data, name)) for name in ("x", "y"))
            assert [x[row] for row in range(3)] == [None, False, True]
            assert [list(y[row]) for row in range(3)] == [[True, None], [True, False], [True, False]]


async def test_a_unit_of_a_fits_table_must_be_that_of_the_column(outputs, spectrum) -> None:
    columns = [
        fits.Column("spectrum_pk", "K", array=[spectrum.spectrum_pk]),
        fits.Column("teff", "E", unit="kK", array=[5.0]),
    ]
    with pytest.raises(InvalidRecord, match="is in kK, the column in K"):
        await outputs.save_table(SnowWhite, fits.BinTableHDU.from_columns(columns).data, v_astra=V)


def test_logical_arrays_of_any_length_that_lost_their_null_are_refused(tmp_path: Path) -> None:
    arrays = np.empty(2, object)
    arrays[:] = [np.array([True, False]), np.array([False])]
    fits.BinTableHDU.from_columns([fits.Column("x", "PL()", array=arrays)]).writeto(tmp_path / "a.fits")
    with fits.open(tmp_path / "a.fits") as units, pytest.raises(ValueError, match="logical_as_bytes=True"):
        cells_of(FitsColumn(units[1].data, "x"))


async def test_whole_numbers_of_polars_that_numpy_has_no_type_for_are_stored(
    outputs, connection, spectra
) -> None:
    keys = [spectrum.spectrum_pk for spectrum in await spectra(2)]
    frame = pl.DataFrame({"spectrum_pk": keys, "result_flags": pl.Series([1, 2], dtype=pl.Int128)})
    await outputs.save_table(SnowWhite, frame, v_astra=V)
    stored = await connection.fetch("select result_flags from astra.snow_white order by spectrum_pk")
    assert [row[0] for row in stored] == [1, 2]


def test_a_masked_time_of_astropys_is_missing_and_its_neighbours_are_not() -> None:
    times = Time(np.ma.array(["2024-01-01", "2024-01-02"], mask=[False, True]))
    cells = cells_of(times)
    assert [TIMESTAMP.convert(cells[row]) for row in range(2)] == [datetime(2024, 1, 1, tzinfo=UTC), None]


# Columns that are not what they seem.


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("teff", np.array([5, 6], "m8[ns]")),
        ("teff", pd.Series(pd.to_timedelta([5, 6], unit="s")).astype("m8[ns]")),
        ("result_flags", np.array([5, 6], "m8[ns]")),
        ("teff", np.array([True, False])),
        ("teff", np.array([5, 6], "c8")),
        ("teff", {5.0, 6.0}),
        ("teff", map(float, [5, 6])),
        ("classification", np.array([5, 6], "M8[ns]")),
    ],
    ids=lambda value: value if isinstance(value, str) else str(getattr(value, "dtype", type(value).__name__)),
)
async def test_a_column_of_what_is_no_number_is_refused_by_name(outputs, spectra, column, values) -> None:
    keys = [spectrum.spectrum_pk for spectrum in await spectra(2)]
    with pytest.raises(InvalidRecord, match=f"snow_white.{column} = "):
        await outputs.save_table(SnowWhite, {"spectrum_pk": keys, column: values}, v_astra=V)


@pytest.mark.parametrize(
    "values",
    [
        numbers("d", [5000.0, 5100.0]),
        memoryview(numbers("f", [5000.0, 5100.0])),
        deque([5000.0, 5100.0]),
        {0: 5000.0, 1: 5100.0}.values(),
        range(5000, 5101, 100),
        np.array([5000, 5100], np.longdouble),
        pa.array([5000.0, 5100.0]).dictionary_encode(),
    ],
    ids=lambda values: type(values).__name__,
)
async def test_a_sequence_of_any_kind_is_a_column_and_not_one_value_for_every_row(
    outputs, connection, spectra, values
) -> None:
    keys = [spectrum.spectrum_pk for spectrum in await spectra(2)]
    await outputs.save_table(SnowWhite, {"spectrum_pk": keys, "teff": values}, v_astra=V)
    stored = await connection.fetch("select teff from astra.snow_white order by spectrum_pk")
    assert [row["teff"] for row in stored] == [5000.0, 5100.0]


async def test_texts_of_arrow_are_texts_in_every_column(outputs, spectra) -> None:
    keys = [spectrum.spectrum_pk for spectrum in await spectra(2)]
    texts = pa.array(["0.8.1", "0.8.2"])
    assert str(await outputs.save_table(SnowWhite, {"spectrum_pk": keys, "v_astra": texts})) == "2 inserted"
    for kind, stored in ((Bytes, None), (Json, [b'\x01"0.8.1"', b'\x01"0.8.2"'])):
        checked = check(Column("x", type_of(kind), nullable=True), cells_of(texts))
        if stored is None:
            assert "must be bytes, not str" in checked.problem(0).reason
        else:
            assert list(checked.stored.spread(2)) == stored


def test_json_of_arrow_is_json() -> None:
    column = pa.array(['{"a": [1, null]}', None], pa.json_(pa.string()))
    checked = check(Column("x", type_of(Json), nullable=True), cells_of(column))
    assert checked.stored.spread(2)[0] == b'\x01{"a":[1,null]}'
    assert checked.stored.missing.tolist() == [False, True]


def test_what_astropy_masks_in_arrays_is_null_in_json() -> None:
    masked = pytest.importorskip("astropy.utils.masked").Masked
    values = masked(np.ones((2, 2)), mask=[[False, True], [False, False]])
    checked = check(Column("x", type_of(Json), nullable=True), cells_of(values))
    assert list(checked.stored.spread(2)) == [b"\x01[1.0,null]", b"\x01[1.0,1.0]"]
