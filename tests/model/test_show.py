"""How records are shown: printed, in notebooks, by `help`, and in the tables of other libraries."""

from __future__ import annotations

import html
import inspect
import pydoc
import struct
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astra_outputs import (
    BitFlags,
    Flags,
    Json,
    Outcome,
    PipelineOutputMixin,
    Real,
    RealArray,
    ReplayReport,
    RunReport,
    SaveReport,
    Text,
    TheCannon,
    column,
)
from astra_outputs.ingest.report import IngestReport
from astra_outputs.model.column_type import shortest_real
from astra_outputs.model.outcome import assign

SPECTRUM = SimpleNamespace(spectrum_pk=11, source_pk=7)


class ShownFlags(BitFlags):
    LOW_SNR = 0, "S/N is low"


class Shown(PipelineOutputMixin):
    """Results that are looked at."""

    teff: Real = column(unit="K", description="Effective temperature")
    a_long_name_of_a_column_that_goes_on_and_on_and_on: Real = column(
        unit="km/s", description="A description of nearly forty-seven characters"
    )
    flux: RealArray = column(description="Flux")
    note: Text = column(description="A <note>")
    notes: Json = column(description="Notes")
    result_flags: Flags = column(description="Flags", bits=ShownFlags)


def made(**values: Any) -> Shown:
    return Shown.from_spectrum(SPECTRUM, v_astra=8001, **values)


SINGLE = float(np.float32(0.162))
"""What a real column gives back for 0.162."""


# Numbers as they were given.


@pytest.mark.parametrize(
    ("number", "shortest"),
    [(SINGLE, 0.162), (0.162, 0.162), (0.1234567891234, 0.1234567891234), (5777.0, 5777.0), (1e-45, 1e-45),
     (float(np.float32(3.4028235e38)), 3.4028235e38), (-0.0, -0.0), (16777217.0, 16777217.0)],
)  # fmt: skip
def test_a_real_is_printed_as_it_was_given(number, shortest):
    assert repr(shortest_real(number)) == repr(shortest)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_what_is_printed_is_stored_as_the_same(number):
    assert struct.pack("f", shortest_real(number)) == struct.pack("f", number)


def test_a_record_prints_what_was_given_and_keeps_what_is_stored():
    record = made(teff=SINGLE, flux=[SINGLE, None], flag_low_snr=True)
    text = repr(record)
    assert "teff=0.162," in text
    assert "flux=[0.162, None]" in text
    assert "result_flags=low_snr" in text
    assert record.teff == SINGLE


# Notebooks.


def test_a_notebook_shows_values_units_and_descriptions_and_runs_nothing():
    record = made(teff=SINGLE, note="<script>alert(1)</script>", flux=[0.5] * 10_000)
    assign(record, Outcome.INSERTED)
    page = record._repr_html_()
    assert "Shown (inserted)" in page
    assert "<td>teff</td><td>0.162</td><td>K</td><td>Effective temperature</td>" in page
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "A &lt;note&gt;" in page
    assert len(page) < 3000


@pytest.mark.parametrize("report", [SaveReport(), RunReport(), ReplayReport(), IngestReport()])
def test_reports_are_shown_in_notebooks_as_they_are_printed(report):
    page = report._repr_html_()
    assert page == f"<pre>{html.escape(str(report))}</pre>"


# Editors.


def test_a_signature_names_columns_types_units_and_meanings_in_80_columns():
    text = str(inspect.signature(Shown))
    assert "    spectrum_pk: int,  # Key of the spectrum\n" in text
    assert "    teff: float | None = None,  # K, Effective temperature\n" in text
    assert "    notes: Any | None = None,  # Notes\n" in text
    assert "    **flags: bool,  # by name, as flag_low_snr=True\n" in text
    assert "task_pk" not in text
    assert max(map(len, text.splitlines())) <= 76


def test_a_signature_can_be_bound():
    bound = inspect.signature(Shown).bind(spectrum_pk=1, v_astra=8001, teff=1.0, flag_low_snr=True)
    assert bound.arguments["teff"] == 1.0
    with pytest.raises(TypeError, match="spectrum_pk"):
        inspect.signature(Shown).bind(v_astra=8001)


@pytest.mark.parametrize("record_class", [Shown, TheCannon])
def test_help_says_what_the_columns_are(record_class):
    text = pydoc.plain(pydoc.render_doc(record_class))
    heading = text[: text.index("Method resolution order")]
    assert "teff: float | None = None,  # K, Effective temperature" in heading
    assert max(len(line) for line in heading.splitlines() if line.startswith(" |")) <= 80


# Tables of other libraries.


@pytest.fixture
def records() -> list[Shown]:
    return [made(teff=5000.0, note="a"), made(teff=None, note="b", flag_low_snr=True)]


def test_a_data_frame_of_records_has_their_columns(records):
    frame = pd.DataFrame(records)
    assert list(frame.columns) == [entry.name for entry in Shown.columns()]
    assert frame["teff"].isna().tolist() == [False, True]
    assert frame["teff"].dtype == float
    assert frame["note"].tolist() == ["a", "b"]
    assert frame["result_flags"].tolist() == [0, 1]
    assert frame["v_astra_major_minor"].tolist() == [8, 8]


def test_a_polars_frame_of_records_has_their_columns(records):
    assert pl.DataFrame(records)["teff"].to_list() == [5000.0, None]


def test_a_table_of_astropys_has_their_columns(records):
    table = pytest.importorskip("astropy.table")
    rows = table.Table(rows=records)
    assert rows.colnames == [entry.name for entry in Shown.columns()]
    assert list(rows["teff"]) == [5000.0, None]


def test_a_record_reads_as_a_mapping_of_its_columns(records):
    assert dict(records[0])["teff"] == records[0]["teff"] == 5000.0
    assert {**records[0]}["v_astra_major_minor"] == 8
    for name in ("tef", "flag_low_snr", "outcome"):
        with pytest.raises(KeyError):
            _ = records[0][name]


async def test_records_are_no_table_to_save(outputs, records):
    for given_records in (records, records[0]):
        with pytest.raises(TypeError, match="save_many stores those"):
            await outputs.save_table(Shown, given_records)
