"""The example pipeline: its temperatures, its flags, and the star file that it is shown on."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astra_outputs import Source, using_version
from astra_outputs.catalog import check_files
from astra_outputs.postgres import sql_files

EXAMPLE = Path(__file__).parents[2] / "examples" / "irfm"
sys.path.insert(0, str(EXAMPLE))

from irfm import DWARFS, GIANTS, IRFM, Relation, Star, infer, within  # noqa: E402
from stars import read_stars  # noqa: E402

PHOTOMETRY = {"j_mag": 7.5, "e_j_mag": 0.03, "k_mag": 7.0, "e_k_mag": 0.04}


def result_of(*, spectrum: Any = None, photometry: dict[str, Any] | None = None, **star: Any) -> IRFM:
    """Run the pipeline on one star: (J - Ks)0 = 0.5, solar, a dwarf, unless said otherwise."""
    spectrum = spectrum or SimpleNamespace(spectrum_pk=1, source_pk=2)
    source = Source(sdss4_apogee_id="2M00000000+0000000", **(PHOTOMETRY | (photometry or {})))
    given = {"logg": 4.5, "fe_h": 0.0, "e_fe_h": None, "a_k": 0.0} | star
    with using_version("0.8.0"):
        (result,) = infer([Star(spectrum, source, **given)])
    return result


# --- what is missing or out of range ------------------------------------------------------------------


@pytest.mark.parametrize("name", PHOTOMETRY)
def test_a_star_without_photometry_has_no_temperature_and_says_so(name: str):
    result = result_of(photometry={name: None})
    assert (result.teff, result.e_teff, result.j_k_0) == (None, None, None)
    assert result.flag_missing_photometry
    assert not result.flag_dwarf_relation


@pytest.mark.parametrize("name", ["logg", "fe_h"])
def test_a_star_without_gravity_or_metallicity_has_a_colour_but_no_temperature(name: str):
    result = result_of(**{name: None})
    assert result.teff is None
    assert result.j_k_0 == pytest.approx(0.5)
    assert result.flag_missing_parameters


@pytest.mark.parametrize(("logg", "k_mag"), [(4.5, 7.5 - 0.09), (4.5, 7.5 - 0.81), (2.0, 7.5 - 0.91)])
def test_a_colour_outside_the_range_gives_no_temperature(logg: float, k_mag: float):
    result = result_of(logg=logg, photometry={"k_mag": k_mag})
    assert result.teff is None
    assert result.flag_colour_out_of_range


def test_the_same_colour_may_be_in_range_for_a_giant_and_not_for_a_dwarf():
    red = {"k_mag": 7.5 - 0.85}
    assert result_of(logg=4.5, photometry=red).teff is None
    assert result_of(logg=2.0, photometry=red).teff is not None


@pytest.mark.parametrize(("logg", "fe_h"), [(4.5, 0.51), (4.5, -3.51), (2.0, 0.21), (2.0, -4.01)])
def test_a_metallicity_outside_the_range_is_flagged_and_the_temperature_given(logg: float, fe_h: float):
    result = result_of(logg=logg, fe_h=fe_h)
    assert result.flag_metallicity_out_of_range
    assert result.teff is not None


def test_the_ends_of_a_range_belong_to_it():
    assert within(GIANTS.colours, 0.1)
    assert within(GIANTS.colours, 0.9)
    assert not result_of(logg=2.0, fe_h=0.2).flag_metallicity_out_of_range


@pytest.mark.parametrize(
    ("j_mag", "k_mag", "saturated"),
    [(4.49, 4.0, True), (4.5, 4.0, False), (4.5, 3.49, True), (4.5, 3.5, False)],
)
def test_stars_brighter_than_the_saturation_of_2mass_are_flagged(j_mag: float, k_mag: float, saturated: bool):
    assert result_of(photometry={"j_mag": j_mag, "k_mag": k_mag}).flag_saturated_photometry is saturated


@pytest.mark.parametrize(
    ("name", "error", "uncertain"),
    [("e_j_mag", 0.11, True), ("e_k_mag", 0.11, True), ("e_j_mag", 0.1, False)],
)
def test_photometry_with_a_large_error_is_flagged(name: str, error: float, uncertain: bool):
    result = result_of(photometry={name: error})
    assert result.flag_uncertain_photometry is uncertain
    assert result.teff is not None


@pytest.mark.parametrize("a_k", [None, -0.1])
def test_no_extinction_or_a_negative_one_counts_as_zero_and_is_flagged(a_k: float | None):
    result = result_of(a_k=a_k)
    assert result.a_k == 0
    assert result.j_k_0 == pytest.approx(0.5)
    assert result.flag_extinction_taken_as_zero


# --- temperatures worked out by hand ------------------------------------------------------------------


def test_a_solar_dwarf_has_the_temperature_worked_out_by_hand():
    # X = 0.4, Z = 0: 0.6524 + 0.5813 * 0.4 + 0.1225 * 0.16
    #               = 0.6524 + 0.23252 + 0.0196 = 0.90452; 5040 / 0.90452 = 5572.016...
    result = result_of(photometry={"j_mag": 7.4})
    assert result.teff == pytest.approx(5572.016, abs=0.001)
    assert result.flag_dwarf_relation
    assert not result.flag_giant_relation


def test_a_metal_poor_reddened_giant_has_the_temperature_worked_out_by_hand():
    # J - Ks = 0.75, A_K = 0.1: X = 0.75 - 0.15 = 0.6; Z = -1.
    # 0.6517 + 0.6312 * 0.6 + 0.0168 * 0.36 + 0.0381 * 0.6 - 0.0256 + 0.0013
    # = 0.6517 + 0.37872 + 0.006048 + 0.02286 - 0.0256 + 0.0013 = 1.035028; 5040 / 1.035028 = 4869.433...
    result = result_of(logg=2.0, fe_h=-1.0, a_k=0.1, photometry={"j_mag": 7.75})
    assert result.teff == pytest.approx(4869.433, abs=0.001)
    assert result.flag_giant_relation
    assert not result.flag_dwarf_relation


def test_the_error_is_the_one_worked_out_by_hand():
    # The dwarf above: e_X = 0.05 (3-4-5), d(5040/T)/dX = 0.5813 + 2 * 0.1225 * 0.4 = 0.6793, so
    # e_T = T**2 / 5040 * 0.6793 * 0.05 = 5572.016**2 / 5040 * 0.033965 = 209.231...
    # With e_Z = 0.2: d/dZ = -0.0646 * 0.4 + 0.0370 = 0.01116, times 0.2 = 0.002232;
    # (0.033965**2 + 0.002232**2)**0.5 = 0.0340383; e_T = 6160.236 * 0.0340383 = 209.683
    photometry = {"j_mag": 7.4}
    assert result_of(photometry=photometry).e_teff == pytest.approx(209.231, abs=0.002)
    assert result_of(photometry=photometry, e_fe_h=0.2).e_teff == pytest.approx(209.682, abs=0.002)


def test_a_star_at_the_dividing_gravity_is_a_dwarf():
    assert result_of(logg=3.5).flag_dwarf_relation
    assert result_of(logg=3.49).flag_giant_relation


def exactly(relation: Relation, x: float, z: float) -> Fraction:
    """5040 / Teff in exact arithmetic, from the coefficients as printed, written down a second time."""
    printed = {
        "dwarf": "0.6524 0.5813 0.1225 -0.0646 0.0370 0.0016",
        "giant": "0.6517 0.6312 0.0168 -0.0381 0.0256 0.0013",
    }["dwarf" if relation is DWARFS else "giant"]
    terms = (1, Fraction(x), Fraction(x) ** 2, Fraction(x) * Fraction(z), Fraction(z), Fraction(z) ** 2)
    return sum((Fraction(b) * term for b, term in zip(printed.split(), terms, strict=True)), Fraction())


RELATIONS = st.sampled_from([DWARFS, GIANTS])
SHARES = st.floats(0, 1)


def inside(limits: tuple[float, float], share: float) -> float:
    return limits[0] + share * (limits[1] - limits[0])


@given(RELATIONS, SHARES, SHARES)
def test_temperatures_agree_with_exact_arithmetic(relation: Relation, colour: float, metallicity: float):
    x, z = inside(relation.colours, colour), inside(relation.metallicities, metallicity)
    assert relation.teff(x, z) == pytest.approx(float(5040 / exactly(relation, x, z)), rel=1e-12)


@given(RELATIONS, SHARES, SHARES, SHARES)
def test_redder_stars_are_cooler(relation: Relation, colour: float, other: float, metallicity: float):
    blue, red = sorted((inside(relation.colours, colour), inside(relation.colours, other)))
    z = inside(relation.metallicities, metallicity)
    assert relation.teff(red, z) <= relation.teff(blue, z)


@given(RELATIONS, SHARES, SHARES)
def test_the_error_is_positive_and_follows_the_slope(relation: Relation, colour: float, metallicity: float):
    x, z = inside(relation.colours, colour), inside(relation.metallicities, metallicity)
    step = 1e-6
    slope_x = (relation.teff(x + step, z) - relation.teff(x - step, z)) / (2 * step)
    slope_z = (relation.teff(x, z + step) - relation.teff(x, z - step)) / (2 * step)
    assert relation.e_teff(x, z, 0.02, 0.0) == pytest.approx(abs(slope_x) * 0.02, rel=1e-6)
    assert relation.e_teff(x, z, 0.0, 0.1) == pytest.approx(abs(slope_z) * 0.1, rel=1e-5, abs=1e-6)
    assert relation.e_teff(x, z, 0.02, 0.1) >= relation.e_teff(x, z, 0.02, 0.0) > 0


# --- the record class and its table -------------------------------------------------------------------


def test_no_star_is_left_out():
    spectra = [SimpleNamespace(spectrum_pk=number, source_pk=None) for number in range(1, 4)]
    source = Source(sdss4_apogee_id="2M00000000+0000000")
    with using_version("0.8.0"):
        results = list(infer(Star(spectrum, source) for spectrum in spectra))
    assert [result.spectrum_pk for result in results] == [1, 2, 3]


def test_the_authors_sql_file_is_found_beside_the_record_class():
    assert sql_files.sql_file(IRFM) == (EXAMPLE / "irfm.sql").resolve()


def test_the_record_class_and_the_sql_file_say_the_same_down_to_each_flag():
    checked = check_files([IRFM])
    assert [str(difference) for difference in checked.differences] == []
    assert (checked.columns, checked.flags) == (19, 9)


# --- the star file ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with (EXAMPLE / "stars.csv").open(newline="", encoding="ascii") as file:
        return list(csv.DictReader(file))


def test_the_star_file_is_small_enough_to_ship():
    assert (EXAMPLE / "stars.csv").stat().st_size < 2**20


def test_every_spectrum_of_the_catalogue_is_there_once(rows: list[dict[str, str]]):
    assert len(rows) == 3244
    assert len({row["apstar_id"] for row in rows}) == 3244
    assert len({row["apogee_id"] for row in rows}) == 3015


def test_what_is_missing_is_empty_and_not_a_mark(rows: list[dict[str, str]]):
    marks = [
        (name, text)
        for row in rows
        for name, text in row.items()
        if "nan" in text or text.startswith("-9999")
    ]
    assert marks == []
    assert sum(row["teff"] != "" for row in rows) == 773
    assert sum(row["raw_teff"] != "" for row in rows) == 3070


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [
        ("ra", 0, 360),
        ("dec", -33, 88),
        ("l", 0, 360),
        ("b", -90, 90),
        ("snr", 14, 4456),
        ("n_visits", 1, 37),
        ("v_rad", -705, 757),
        ("j_mag", 1.2, 11.1),
        ("k_mag", 0.3, 11.2),
        ("e_j_mag", 0.01, 0.5),
        ("e_h_mag", 0.01, 0.5),
        ("e_k_mag", 0.01, 0.5),
        ("a_k", -0.4, 1.3),
        ("teff", 3700, 7100),
        ("e_teff", 91, 92),
        ("logg", 0, 4),
        ("m_h", -2.7, 0.6),
        ("raw_teff", 3500, 8000),
        ("raw_logg", 0, 5),
        ("raw_m_h", -2.5, 0.5),
        ("raw_e_m_h", 0, 0.6),
    ],
)
def test_values_are_within_what_the_survey_can_measure(
    rows: list[dict[str, str]], name: str, lowest: float, highest: float
):
    values = [float(row[name]) for row in rows if row[name]]
    assert values
    assert lowest <= min(values)
    assert max(values) <= highest


def test_the_stars_become_records_with_distinct_keys():
    stars = read_stars()
    assert len({tuple(star.spectrum.key().values()) for star in stars}) == 3244
    assert len({id(star.source) for star in stars}) == 3015


def test_calibrated_parameters_come_before_those_of_the_fit():
    published = [star.published for star in read_stars()]
    assert sum(entry.calibrated for entry in published) == 773
    assert sum(entry.teff is None for entry in published) == 174
    assert all((entry.teff is None) == (entry.logg is None) == (entry.m_h is None) for entry in published)


def test_the_scatter_of_a_single_visit_is_not_measured():
    assert all(
        (star.spectrum.std_v_rad is None) == (star.spectrum.n_visits == 1) for star in read_stars(limit=300)
    )


def test_the_script_makes_the_shipped_file_from_the_catalogue(tmp_path: Path):
    catalogue = os.environ.get("ASTRA_OUTPUTS_TEST_CATALOGUE")
    if catalogue is None:
        pytest.skip("ASTRA_OUTPUTS_TEST_CATALOGUE names no APOGEE-allStar-v603-Hipparcos.fits.gz")
    copy = tmp_path / "make_stars.py"
    copy.write_text((EXAMPLE / "make_stars.py").read_text(encoding="utf-8"), encoding="utf-8")
    subprocess.run([sys.executable, copy, catalogue], check=True)
    assert (tmp_path / "stars.csv").read_bytes() == (EXAMPLE / "stars.csv").read_bytes()
