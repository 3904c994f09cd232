"""Parquet, CSV and ECSV: the values of the database, as the usual libraries read them."""

from __future__ import annotations

import csv
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from every_form import EveryForm

from astra_outputs import ApogeeCoaddedSpectrumInApStar, BossVisitSpectrum
from astra_outputs.errors import InvalidCondition, NoRows

ENDINGS = ["parquet", "csv", "ecsv"]


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    ("asked", "kind", "said"),
    [
        ({"v_astra": "0.9"}, NoRows, "no row of every_form"),
        (
            {"spectrum_class": (BossVisitSpectrum, ApogeeCoaddedSpectrumInApStar)},
            InvalidCondition,
            "holds one table",
        ),
    ],
)
async def test_what_such_a_file_cannot_hold_is_refused_and_leaves_no_file(
    outputs: Any,
    tmp_path: Path,
    every_form: Any,
    ending: str,
    asked: dict[str, Any],
    kind: type[Exception],
    said: str,
) -> None:
    with pytest.raises(kind, match=said):
        await outputs.export(EveryForm, tmp_path / f"a.{ending}", **asked)
    assert names_in(tmp_path) == []


async def test_parquet_has_the_values_nulls_units_and_meanings(
    outputs: Any, tmp_path: Path, every_form: list[EveryForm]
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "a.parquet"
    report = await outputs.export(EveryForm, file, v_astra="0.8", order_by="task_pk")
    assert report.rows == {"every_form": 40}
    table = parquet.read_table(file)
    assert table.schema.metadata[b"V_ASTRA"] == b"0.8"
    assert table.schema.field("a_real").metadata[b"unit"] == b"K"
    assert b"low_snr" in table.schema.field("result_flags").metadata[b"flags"]
    for name in ("a_real", "a_bigint", "a_text", "a_boolean", "a_time", "some_bytes", "some_reals"):
        assert table[name].to_pylist() == [getattr(record, name) for record in every_form], name
    assert table["snr"].to_pylist() == [record.spectrum.snr for record in every_form]


async def test_csv_has_every_digit_and_nothing_where_a_value_is_missing(
    outputs: Any, tmp_path: Path, every_form: list[EveryForm]
) -> None:
    file = tmp_path / "a.csv"
    await outputs.export(EveryForm, file, order_by="task_pk", upper=True)
    with file.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    for row, record in zip(rows, every_form, strict=True):
        for name in ("a_real", "a_double"):
            value = getattr(record, name)
            assert (np.float32 if name == "a_real" else float)(row[name.upper()] or "nan") == value or (
                value is None and row[name.upper()] == ""
            )
        assert row["A_TEXT"] == (record.a_text or "")
        assert row["A_BIGINT"] == ("" if record.a_bigint is None else str(record.a_bigint))
        assert row["A_BOOLEAN"] == {None: "", True: "true", False: "false"}[record.a_boolean]
        assert row["SOME_BYTES"] == (record.some_bytes or b"").hex()
        assert json.loads(row["SOME_REALS"] or "null") == record.some_reals
        assert row["A_TIME"] == (
            ""
            if record.a_time is None
            else f"{record.a_time.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
        )


async def test_ecsv_is_read_by_astropy_with_types_units_and_masks(
    outputs: Any, tmp_path: Path, every_form: list[EveryForm]
) -> None:
    tables = pytest.importorskip("astropy.table")
    pytest.importorskip("yaml")
    file = tmp_path / "a.ecsv"
    await outputs.export(EveryForm, file, order_by="task_pk", v_astra="0.8")
    with warnings.catch_warnings(action="error"):
        table = tables.Table.read(file)
    assert table.meta["V_ASTRA"] == "0.8"
    assert (str(table["a_real"].unit), table["a_real"].dtype) == ("K", np.float32)
    assert table["a_real"].description == "A real"
    for name in ("a_real", "a_double", "a_bigint", "an_integer", "a_boolean"):
        found = [None if value is np.ma.masked else value.item() for value in table[name]]
        assert found == [getattr(record, name) for record in every_form], name
    for value, record in zip(table["some_reals"], every_form, strict=True):
        if record.some_reals is not None:
            found = [None if np.isnan(number) else number for number in np.ma.filled(value, np.nan).tolist()]
            assert found == record.some_reals
