"""What other programs read of an exported file is what the database holds: fitsio, pandas, polars, STILTS."""

from __future__ import annotations

import asyncio
import csv
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from every_form import EveryForm

NUMBERS = {"a_real": np.float32, "a_double": np.float64}
WHOLE = ("an_integer", "a_bigint", "a_small", "a_status", "task_pk", "spectrum_pk", "v_astra")


def values(records: list[EveryForm], name: str) -> list[Any]:
    return [getattr(record, name) for record in records]


def numbers(records: list[EveryForm], name: str) -> Any:
    return np.array([np.nan if value is None else value for value in values(records, name)], NUMBERS[name])


@pytest.mark.parametrize("ending", ["fits", "fits.gz"])
async def test_fitsio_reads_the_same_values(
    outputs: Any, tmp_path: Path, every_form: list[EveryForm], ending: str
) -> None:
    fitsio = pytest.importorskip("fitsio")
    file = tmp_path / f"a.{ending}"
    await outputs.export(EveryForm, file, order_by="task_pk")
    with fitsio.FITS(str(file)) as opened:
        rows, header = opened["APOGEE"].read(), opened["APOGEE"].read_header()
    for name in NUMBERS:
        np.testing.assert_array_equal(rows[name], numbers(every_form, name))
    for name in WHOLE:
        place = next(n for n in range(1, header["TFIELDS"] + 1) if header[f"TTYPE{n}"].strip() == name)
        null = header.get(f"TNULL{place}")
        assert rows[name].tolist() == [null if v is None else v for v in values(every_form, name)], name
    assert rows["result_flags"].tolist() == values(every_form, "result_flags")
    reals = np.full((40, 10), np.nan, np.float32)
    for row, given in zip(reals, values(every_form, "some_reals"), strict=True):
        row[: len(given or ())] = [np.nan if value is None else value for value in given or ()]
    np.testing.assert_array_equal(rows["some_reals"], reals)


async def test_pandas_and_polars_read_the_same_values_from_parquet(
    outputs: Any, tmp_path: Path, every_form: list[EveryForm]
) -> None:
    pytest.importorskip("pyarrow")
    file = tmp_path / "a.parquet"
    await outputs.export(EveryForm, file, order_by="task_pk")
    frame = pytest.importorskip("pandas").read_parquet(file, dtype_backend="pyarrow")
    other = pytest.importorskip("polars").read_parquet(file)
    for name in (
        *NUMBERS,
        *WHOLE,
        "a_text",
        "a_boolean",
        "a_time",
        "some_bytes",
        "some_reals",
        "result_flags",
    ):
        expected = values(every_form, name)
        assert other[name].to_list() == expected, name
        found = [
            None if value is None or value is frame[name].dtype.na_value else value for value in frame[name]
        ]
        if name == "some_reals":
            found = [None if value is None else list(value) for value in found]
        assert [_plain(value) for value in found] == [_plain(value) for value in expected], name


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [None if entry is None or entry != entry else float(entry) for entry in value]  # noqa: PLR0124
    return value


async def test_pandas_and_polars_read_the_same_numbers_from_csv(
    outputs: Any, tmp_path: Path, every_form: list[EveryForm]
) -> None:
    file = tmp_path / "a.csv"
    await outputs.export(EveryForm, file, order_by="task_pk")
    frame = pytest.importorskip("pandas").read_csv(file, dtype=dict.fromkeys(WHOLE, "Int64"))
    other = pytest.importorskip("polars").read_csv(file, infer_schema_length=None)
    for name, kind in NUMBERS.items():
        np.testing.assert_array_equal(frame[name].astype(kind), numbers(every_form, name))
    for name in WHOLE:
        expected = values(every_form, name)
        assert other[name].to_list() == expected
        assert [
            None if gone else int(value) for value, gone in zip(frame[name], frame[name].isna(), strict=True)
        ] == expected


async def test_stilts_reads_the_same_values_units_and_descriptions(
    outputs: Any, tmp_path: Path, every_form: list[EveryForm]
) -> None:
    program = shutil.which("stilts")
    if program is None:
        pytest.skip("STILTS is not installed")
    file = tmp_path / "a.fits"
    await outputs.export(EveryForm, file, order_by="task_pk")
    ran = await asyncio.to_thread(
        subprocess.run,
        [program, "tpipe", f"in={file}#APOGEE", "ofmt=csv", f"out={tmp_path / 'a.csv'}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    with (tmp_path / "a.csv").open(newline="") as text:
        rows = list(csv.DictReader(text))
    for name, kind in NUMBERS.items():
        found = np.array([float(row[name] or "nan") for row in rows], kind)
        np.testing.assert_array_equal(found, numbers(every_form, name))
    for name in (*WHOLE, "result_flags"):
        assert [int(row[name]) if row[name] else None for row in rows] == values(every_form, name), name
    logical = {"": None, "true": True, "false": False}
    assert [logical[row["a_boolean"]] for row in rows] == values(every_form, "a_boolean")
    ran = await asyncio.to_thread(
        subprocess.run,
        [program, "tpipe", f"in={file}#APOGEE", "cmd=keepcols 'a_real ra'", "omode=meta"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "a_real(Float)/K - A real" in ran.stdout, ran.stderr
    assert "ra(Double)/deg - Right ascension" in ran.stdout
