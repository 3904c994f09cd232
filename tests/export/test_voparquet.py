"""What astronomers' programs find in an exported Parquet file: units and descriptions, in a VOTable and for astropy."""

from __future__ import annotations

import asyncio
import csv
import io
import shutil
import subprocess
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from every_form import EveryForm

from astra_outputs import ApogeeCoaddedSpectrumInApStar
from astra_outputs.export.votable import Longest, votable
from astra_outputs.reading.outputs import chosen
from astra_outputs.reading.scope import Scope

parquet = pytest.importorskip("pyarrow.parquet")

READABLE = ("task_pk", "a_real", "a_double", "an_integer", "some_reals", "spectrum.telescope", "source.ra")
"""Columns that astropy's reader of VOParquet takes: not times, and neither texts nor truth values that are missing."""


def embedded(file: Path) -> bytes:
    """Return the VOTable of a file."""
    said = parquet.ParquetFile(file).metadata.metadata
    assert said[b"IVOA.VOTable-Parquet.version"] == b"1.0"
    content: bytes = said[b"IVOA.VOTable-Parquet.content"]
    return content


async def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(subprocess.run, words, capture_output=True, text=True, check=False)


def test_a_description_with_what_no_xml_has_is_xml_all_the_same() -> None:
    votables = pytest.importorskip("astropy.io.votable")
    (output,) = chosen(Scope.of(ApogeeCoaddedSpectrumInApStar), ["telescope"])
    written = votable("a", [("telescope", output, Longest(3))], [("RELEASE", "<\0\x1b\ud800&>", "")])
    (info,) = votables.parse(io.BytesIO(written.encode()), verify="exception").get_first_table().infos
    assert info.value == "<\ufffd\ufffd\ufffd&>"


async def test_a_votable_says_type_unit_and_meaning_of_every_column(
    outputs: Any, tmp_path: Path, every_form: Any
) -> None:
    votables = pytest.importorskip("astropy.io.votable")
    file = tmp_path / "a.parquet"
    await outputs.export(EveryForm, file, v_astra="0.8", upper=True)
    content = embedded(file)
    with warnings.catch_warnings(action="error"):
        table = votables.parse(io.BytesIO(content), verify="exception").get_first_table()
        fields = {field.name: field for field in table.fields}
        units = {name: field.unit for name, field in fields.items() if field.unit is not None}
    assert table.name == "every_form"
    assert {info.name: info.value for info in table.infos}["V_ASTRA"] == "0.8"
    assert [field.name for field in table.fields] == parquet.read_schema(file).names
    assert (str(units["A_REAL"]), str(units["A_DOUBLE"])) == ("K", "km / s")
    forms = {name: (field.datatype, field.arraysize) for name, field in fields.items()}
    assert {name: forms[name] for name in ("A_REAL", "A_DOUBLE", "AN_INTEGER", "A_BIGINT", "A_BOOLEAN")} == {
        "A_REAL": ("float", None),
        "A_DOUBLE": ("double", None),
        "AN_INTEGER": ("int", None),
        "A_BIGINT": ("long", None),
        "A_BOOLEAN": ("boolean", None),
    }
    longest = max(len(record.a_text or "") for record in every_form)
    assert forms["A_TEXT"] == ("unicodeChar", f"{longest}*")
    assert forms["TELESCOPE"] == ("char", "6*")
    assert (forms["SOME_REALS"], forms["SOME_BYTES"]) == (("float", "*"), ("unsignedByte", "*"))
    assert (forms["A_TIME"], fields["A_TIME"].xtype) == (("char", "*"), "timestamp")
    assert fields["SPECTRUM_CREATED"].description.endswith("(created of the spectrum)")
    program = shutil.which("stilts")
    if program is not None:
        (tmp_path / "a.vot").write_bytes(content)
        linted = await run(program, "votlint", tmp_path / "a.vot")
        assert (linted.stdout, linted.returncode) == ("", 0)


async def test_astropy_finds_units_and_descriptions_in_both_of_its_ways(
    outputs: Any, tmp_path: Path, every_form: list[EveryForm]
) -> None:
    tables, units = pytest.importorskip("astropy.table"), pytest.importorskip("astropy.units")
    pytest.importorskip("pandas")
    file, times = tmp_path / "a.parquet", tmp_path / "b.parquet"
    await outputs.export(EveryForm, file, columns=READABLE, order_by="task_pk", v_astra="0.8")
    await outputs.export(EveryForm, times, columns=["task_pk", "a_time", "a_boolean"], order_by="task_pk")
    with warnings.catch_warnings(action="error"):
        warnings.filterwarnings("ignore", "No table::len")  # how long texts are, which it then sees
        read = [tables.Table.read(file, format=form) for form in ("parquet", "parquet.votable")]
        other = tables.Table.read(times)
    for table in read:
        assert table["a_real"].unit == units.K
        assert table["a_double"].unit == units.km / units.s
        assert table["ra"].unit == units.deg
        assert table["a_real"].description == "A real"
        assert table.meta["V_ASTRA"] == "0.8"
        assert table["task_pk"].tolist() == [record.task_pk for record in every_form]
        expected = [np.nan if record.a_real is None else record.a_real for record in every_form]
        np.testing.assert_array_equal(np.ma.filled(table["a_real"], np.nan), np.float32(expected))
    assert other["a_time"].description == "A time"
    assert other["a_boolean"].tolist() == [record.a_boolean for record in every_form]


@pytest.mark.parametrize(
    ("unit", "spelt"), [("dex", "[-]"), ("Angstrom", "Angstrom"), ("%", "%"), ("degC", "")]
)
def test_a_unit_is_one_that_astropy_knows_or_stands_behind_the_meaning(unit: str, spelt: str) -> None:
    known = pytest.importorskip("astropy.units")
    from astra_outputs.export.wording import unit_of

    assert unit_of(unit, "cds") == spelt
    if spelt:
        with warnings.catch_warnings(action="error"):
            assert known.Unit(spelt, format="cds") == known.Unit(unit)


async def test_stilts_reads_the_same_values_and_units_from_parquet(
    outputs: Any, tmp_path: Path, every_form: list[EveryForm]
) -> None:
    program = shutil.which("stilts")
    if program is None:
        pytest.skip("STILTS is not installed")
    file = tmp_path / "a.parquet"
    await outputs.export(EveryForm, file, order_by="task_pk")
    ran = await run(program, "tpipe", f"in={file}", "ifmt=parquet", "ofmt=csv", f"out={tmp_path / 'a.csv'}")
    if "No table handler available for parquet" in ran.stderr:
        pytest.skip("this STILTS was built without Parquet, as Debian's is")
    assert ran.returncode == 0, ran.stderr
    with (tmp_path / "a.csv").open(newline="") as text:
        rows = list(csv.DictReader(text))
    for name in ("task_pk", "an_integer", "a_bigint", "result_flags"):
        expected = [getattr(record, name) for record in every_form]
        assert [int(row[name]) if row[name] else None for row in rows] == expected, name
    reals = [np.float32(row["a_real"] or "nan") for row in rows]
    expected = [np.nan if record.a_real is None else record.a_real for record in every_form]
    np.testing.assert_array_equal(reals, np.float32(expected))
    said = await run(program, "tpipe", f"in={file}", "ifmt=parquet", "cmd=keepcols 'a_real'", "omode=meta")
    assert "a_real(Float)/K - A real" in said.stdout, said.stderr


async def test_batches_are_gathered_to_row_groups_worth_a_reader_s_look(
    outputs: Any, tmp_path: Path, every_form: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("astra_outputs.reading.wire.ROWS", 3)
    monkeypatch.setattr("astra_outputs.reading.wire.LEAST_ROWS", 3)
    monkeypatch.setattr("astra_outputs.export.parquet_file.GROUP", 10)
    file = tmp_path / "a.parquet"
    await outputs.export(EveryForm, file, v_astra="0.8")
    known = parquet.ParquetFile(file).metadata
    groups = [known.row_group(number).num_rows for number in range(known.num_row_groups)]
    assert set(groups[:-1]) <= {12}
    assert len(groups) > 1
    stored = {record.task_pk for record in await outputs.find(EveryForm, v_astra="0.8")}
    assert set(parquet.read_table(file)["task_pk"].to_pylist()) == stored
