"""The record classes against the facts of the survey's data model, in `tests/data/data_model/`.

The facts are upstream's. Where a record class departs from them on purpose, it is listed here.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from astra_outputs import (
    ASPCAP,
    ApogeeCoaddedSpectrumInApStar,
    ApogeeCombinedSpectrum,
    ApogeeNet,
    ApogeeRestFrameVisitSpectrum,
    ApogeeVisitSpectrum,
    ApogeeVisitSpectrumInApStar,
    AstroNN,
    AstroNNdist,
    BossCombinedSpectrum,
    BossNet,
    BossRestFrameVisitSpectrum,
    BossVisitSpectrum,
    Clam,
    Corv,
    LineForest,
    MDwarfType,
    NMFRectify,
    Record,
    Slam,
    SnowWhite,
    Source,
    Spectrum,
    TheCannon,
    ThePayne,
)
from astra_outputs.discover import record_classes
from astra_outputs.model.columns import REQUIRED, Column
from astra_outputs.names import table_of
from astra_outputs.records import SpectrumMixin

FACTS = Path(__file__).parents[1] / "data" / "data_model"
RECORD_CLASSES = record_classes()
WITHOUT_NAMED_BITS = {Spectrum, ApogeeVisitSpectrumInApStar, MDwarfType, Corv, LineForest}
FLAG_CLASSES = [cls for cls in RECORD_CLASSES if cls not in WITHOUT_NAMED_BITS]

PIPELINES = (
    *(ASPCAP, ApogeeNet, AstroNN, AstroNNdist, BossNet, Clam, Corv, LineForest, MDwarfType, NMFRectify),
    *(Slam, SnowWhite, TheCannon, ThePayne),
)

VISIT_BITS = {ApogeeCoaddedSpectrumInApStar, ApogeeCombinedSpectrum, ApogeeRestFrameVisitSpectrum}
"""These are made of visits and have their bits, all of them."""

KEYS = {"pk", "task_pk", "source_pk", "spectrum_pk", "drp_spectrum_pk"}
"""64 bits: an upsert uses up a number of the sequence for each row, stored or not."""

COORDINATES = {"ra", "dec", "l", "b", "input_ra", "input_dec"}
"""Double precision: single resolves only about 0.1 arcsec."""

JULIAN_DATES = {"jd"}
"""Double precision: single resolves only about a quarter of a day."""

OF_OURS = {Spectrum: {"source_pk"}}
"""What upstream does not have: of which source a spectrum is, to which results are held."""

UNDER_IDENTIFIERS = KEYS | {"spectrum_flags", "created", "modified"}
"""Columns that have no category upstream, or are filed among the metadata, are shown first."""

TIMES = {"created", "modified"}
"""Upstream shows those of a spectrum wherever its class happens to declare them."""

SQL_TYPES = {"bitfield": "bigint", "timestamptz": "timestamp with time zone"}

every_table = pytest.mark.parametrize("record_class", RECORD_CLASSES, ids=lambda cls: cls.table)
every_table_with_flags = pytest.mark.parametrize("record_class", FLAG_CLASSES, ids=lambda cls: cls.table)


def read(name: str) -> list[dict[str, str]]:
    with (FACTS / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def flags_of(table: str) -> list[dict[str, str]]:
    """The facts of the named bits: in one file those of the first tables, in another those of the others."""
    first = [fact for fact in read("flags") if fact["table"] == table]
    return first or [fact for fact in read("flags_more") if fact["table"] == table]


def numbered(fact: dict[str, str]) -> bool:
    """Whether this is the number of a spectrum, which the table gives where the record has none."""
    return fact["column"] == "spectrum_pk" and fact["category"] == "Spectrum Identifiers"


def facts_of(record_class: type[Record]) -> list[tuple[dict[str, str], Column]]:
    return [(fact, record_class.column(fact["column"])) for fact in read(record_class.table)]


@pytest.mark.parametrize(
    ("class_name", "table"),
    [
        ("ApogeeCoaddedSpectrumInApStar", "apogee_coadded_spectrum_in_ap_star"),
        ("ASPCAP", "aspcap"),
        ("AstroNN", "astro_nn"),
        ("MDwarfType", "m_dwarf_type"),
        ("NMFRectify", "nmf_rectify"),
        ("LineForest2", "line_forest2"),
    ],
)
def test_a_table_is_named_after_its_class_as_upstream_names_it(class_name: str, table: str):
    assert table_of(class_name) == table


@every_table
def test_a_record_class_has_the_columns_of_the_data_model(record_class: type[Record]) -> None:
    expected = sorted(
        {fact["column"] for fact in read(record_class.table)} | OF_OURS.get(record_class, set())
    )
    assert sorted(column.name for column in record_class.columns()) == expected


@every_table
def test_a_column_has_the_type_of_the_data_model(record_class: type[Record]) -> None:
    def expected(fact: dict[str, str]) -> str:
        if fact["column"] in KEYS:
            return "bigint"
        if fact["column"] in COORDINATES | JULIAN_DATES:
            return "double precision"
        if record_class is Corv and fact["column"] == "v_astra":
            return "integer"  # a text there, as in no other pipeline
        return SQL_TYPES.get(fact["type"], fact["type"])

    assert {column.name: column.type.sql for _, column in facts_of(record_class)} == {
        fact["column"]: expected(fact) for fact, _ in facts_of(record_class)
    }


@every_table
def test_a_column_may_be_null_where_the_data_model_says_so(record_class: type[Record]) -> None:
    # "Not measured" is NULL and never NaN, so a column whose default is NaN upstream may be NULL.
    assert {column.name: column.nullable for _, column in facts_of(record_class)} == {
        fact["column"]: fact["nullable"] == "yes" or fact["default"] == "NaN" or numbered(fact)
        for fact, _ in facts_of(record_class)
    }


@every_table
def test_a_column_has_the_default_of_the_data_model(record_class: type[Record]) -> None:
    def expected(fact: dict[str, str]) -> Any:
        match fact["default"]:
            case "" if numbered(fact):
                return None
            case "" | "NaN":
                return None if fact["nullable"] == "yes" or fact["default"] == "NaN" else REQUIRED
            case "now()":
                return "statement_timestamp()"  # several batches of one transaction differ
            case "serial primary key":
                return "identity"
            case "current software version":
                return REQUIRED  # from_spectrum asks for it: never a silent default
            case text if text.startswith("'"):
                return text.strip("'")
            case "generated: v_astra / 1000":
                return "v_astra / 1000"
            case text if text.lstrip("-").isdecimal():
                return int(text)
            case text:
                return text

    assert {
        column.name: column.generated or column.server_default or column.default
        for _, column in facts_of(record_class)
    } == {fact["column"]: expected(fact) for fact, _ in facts_of(record_class)}


@every_table
def test_a_column_has_the_unit_of_the_data_model(record_class: type[Record]) -> None:
    assert {column.name: column.unit or "" for _, column in facts_of(record_class)} == {
        fact["column"]: fact["unit"] for fact, _ in facts_of(record_class)
    }


@every_table
def test_a_column_is_in_the_category_of_the_data_model(record_class: type[Record]) -> None:
    def expected(fact: dict[str, str]) -> str:
        spectrum = issubclass(record_class, SpectrumMixin)
        moved = fact["category"] in ("", "Spectrum Identifiers") or fact["column"] == "task_pk"
        moved = moved or (spectrum and fact["column"] in TIMES)
        assert not moved or fact["column"] in UNDER_IDENTIFIERS
        return "Identifiers" if moved else fact["category"]

    assert {column.name: column.category for _, column in facts_of(record_class)} == {
        fact["column"]: expected(fact) for fact, _ in facts_of(record_class)
    }


@every_table
def test_a_column_refers_to_the_table_of_the_data_model(record_class: type[Record]) -> None:
    assert {column.name: column.references or "" for _, column in facts_of(record_class)} == {
        fact["column"]: fact["references"] for fact, _ in facts_of(record_class)
    }


@every_table
def test_a_description_fits_a_fits_comment(record_class: type[Record]) -> None:
    assert {
        column.name: column.description
        for column in record_class.columns()
        if not 0 < len(column.description) <= 47
    } == {}


@every_table_with_flags
def test_a_flags_column_has_the_bits_of_the_data_model(record_class: type[Record]) -> None:
    upstream = "apogee_visit_spectrum" if record_class in VISIT_BITS else record_class.table
    expected = sorted((fact["column"], int(fact["bit"]), fact["flag_name"]) for fact in flags_of(upstream))
    assert expected
    assert (
        sorted(
            (column, bit.bit, f"flag_{bit.name}")
            for column, bits in record_class.flag_names.bits.items()
            for bit in bits
        )
        == expected
    )


@every_table_with_flags
def test_a_bit_says_what_it_means(record_class: type[Record]) -> None:
    assert [bit for bits in record_class.flag_names.bits.values() for bit in bits if not bit.meaning] == []


@pytest.mark.parametrize(
    ("record_class", "keys"),
    [
        (Source, {("sdss_id",), ("gaia_dr3_source_id",), ("gaia_dr2_source_id",), ("sdss4_apogee_id",)}),
        (Spectrum, set()),
        (
            ApogeeCoaddedSpectrumInApStar,
            {("release", "apred", "apstar", "obj", "telescope", "field", "prefix")},
        ),
        (BossVisitSpectrum, {("release", "run2d", "fieldid", "mjd", "catalogid")}),
        (
            ApogeeVisitSpectrum,
            {("release", "apred", "mjd", "plate", "telescope", "field", "fiber", "prefix", "reduction")},
        ),
        (
            ApogeeVisitSpectrumInApStar,
            {
                (
                    *("release", "apred", "apstar", "obj", "telescope", "field", "prefix"),
                    *("plate", "mjd", "fiber"),
                )
            },
        ),
        # The cell of the sky, which may be missing, follows from the star.
        (BossCombinedSpectrum, {("release", "filetype", "v_astra", "run2d", "sdss_id", "telescope")}),
        (ApogeeCombinedSpectrum, {("release", "filetype", "v_astra", "apred", "sdss_id", "telescope")}),
        (
            BossRestFrameVisitSpectrum,
            {("release", "filetype", "v_astra", "run2d", "fieldid", "mjd", "catalogid")},
        ),
        (
            ApogeeRestFrameVisitSpectrum,
            {
                (
                    *("release", "v_astra", "sdss_id", "apred", "mjd", "plate", "telescope", "field"),
                    *("fiber", "prefix", "reduction"),
                )
            },
        ),
        *((cls, {("spectrum_pk", "v_astra_major_minor")}) for cls in PIPELINES),
    ],
)
def test_a_row_is_identified_as_in_the_data_model(
    record_class: type[Record], keys: set[tuple[str, ...]]
) -> None:
    assert set(record_class.natural_keys) == keys
