"""Flags that follow from a result's values: set when it is made, as the survey sets them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astra_outputs import (
    ApogeeNet,
    ApogeeNetFlags,
    AstroNN,
    AstroNNdist,
    AstroNNFlags,
    BossNet,
    BossNetFlags,
    MDwarfType,
    Slam,
    SlamFlags,
)

SPECTRUM = SimpleNamespace(spectrum_pk=1, source_pk=1)
SLAM = {"success": True, "status": 0, "optimality": True, "chi2": 1.0, "rchi2": 1.0}
WARM_DWARF = {"g_mag": 15.0, "bp_mag": 16.0, "rp_mag": 13.5, "plx": 1.0}


def made(record_class: Any, **values: Any) -> Any:
    return record_class.from_spectrum(SPECTRUM, v_astra=8000, **values)


@pytest.mark.parametrize("record_class", [ApogeeNet, BossNet])
@pytest.mark.parametrize(
    ("values", "flags"),
    [
        ({"teff": 1699.0}, {"unreliable_teff", "unreliable_fe_h"}),  # too cool for a metallicity as well
        ({"teff": 100_001.0}, {"unreliable_teff"}),
        ({"teff": 1700.0}, {"unreliable_fe_h"}),
        ({"teff": 100_000.0}, set()),
        ({"teff": 5000.0, "logg": -1.01}, {"unreliable_logg"}),
        ({"teff": 5000.0, "logg": 10.01}, {"unreliable_logg", "unreliable_fe_h"}),
        ({"teff": 5000.0, "logg": -1.0}, set()),
        ({"teff": 5000.0, "logg": 5.0}, set()),
        ({"teff": 5000.0, "logg": 5.01}, {"unreliable_fe_h"}),
        ({"teff": 5000.0, "fe_h": -4.01}, {"unreliable_fe_h"}),
        ({"teff": 5000.0, "fe_h": 2.01}, {"unreliable_fe_h"}),
        ({"teff": 5000.0, "fe_h": 2.0}, set()),
        ({"teff": 3199.0}, {"unreliable_fe_h"}),
        ({"teff": 3200.0}, set()),
    ],
)
def test_a_network_flags_labels_outside_its_range(record_class: Any, values: dict[str, float], flags: set):
    result = made(record_class, **values)
    assert set(ApogeeNetFlags.names(result.result_flags)) == flags
    assert result.flag_bad is bool(flags)
    assert result.flag_warn is ("unreliable_fe_h" in flags)


@pytest.mark.parametrize(
    ("values", "flags"),
    [
        ({}, {"runtime_exception"}),
        ({"teff": 3899.0, "logg": 4.5}, {"suspicious_fe_h"}),
        ({"teff": 3900.0, "logg": 4.5}, set()),
        ({"teff": 3899.0, "logg": 3.0}, set()),
        ({"teff": 3899.0, "logg": 6.0}, {"unreliable_fe_h"}),
        ({"teff": 3899.0}, set()),
    ],
)
def test_bossnet_flags_what_is_missing_or_suspicious(values: dict[str, float], flags: set):
    result = made(BossNet, **values)
    assert set(BossNetFlags.names(result.result_flags)) == flags
    assert result.flag_bad is bool(flags - {"suspicious_fe_h"})
    assert result.flag_warn is bool(flags & {"suspicious_fe_h", "unreliable_fe_h"})


@pytest.mark.parametrize(
    ("values", "flags"),
    [
        ({"raw_e_logg": 0.21, "raw_logg": 2.0}, {"uncertain_logg"}),
        ({"raw_e_logg": 0.2, "raw_logg": 0.0}, set()),
        ({"raw_e_logg": 0.21, "raw_logg": 0.0}, {"uncertain_logg"}),
        ({"raw_e_logg": 0.21, "raw_logg": -4.0}, set()),
        ({"raw_e_logg": 0.21}, set()),
        ({"raw_e_teff": 300.5}, {"uncertain_teff"}),
        ({"raw_e_teff": 300.0}, set()),
        ({"raw_e_fe_h": 0.13, "raw_fe_h": -1.0}, {"uncertain_fe_h"}),
        ({"raw_e_fe_h": 0.11, "raw_fe_h": -1.0}, set()),
    ],
)
def test_astronn_flags_great_formal_errors(values: dict[str, float], flags: set):
    result = made(AstroNN, **values)
    assert set(AstroNNFlags.names(result.result_flags)) == flags
    assert (result.flag_warn, result.flag_bad) == (bool(flags), False)


def test_astronn_is_bad_where_all_three_labels_are_uncertain():
    errors = {"raw_e_logg": 1.0, "raw_logg": 1.0, "raw_e_teff": 999.0, "raw_e_fe_h": 1.0, "raw_fe_h": 1.0}
    assert made(AstroNN, **errors).flag_bad


@pytest.mark.parametrize(
    ("photometry", "outside"),
    [
        ({}, False),
        ({"bp_mag": 17.0}, True),  # BP-RP 3.5
        ({"bp_mag": 16.99}, False),
        ({"bp_mag": 15.0}, True),  # BP-RP 1.5
        ({"bp_mag": None}, False),
        ({"g_mag": 17.0}, True),  # M_G 12
        ({"g_mag": 11.0}, True),  # M_G 6
        ({"g_mag": 17.0, "plx": -1.0}, False),
        ({"g_mag": 17.0, "plx": None}, False),
        ({"g_mag": 11.0, "plx": 10.0}, False),  # M_G 11
    ],
)
def test_slam_looks_at_the_photometry_of_the_source(photometry: dict[str, Any], outside: bool):
    source = SimpleNamespace(**{**WARM_DWARF, **photometry})
    spectrum = SimpleNamespace(spectrum_pk=1, source_pk=1, source=source)
    result = Slam.from_spectrum(spectrum, SLAM, v_astra=8000, teff=3500.0)
    assert result.flag_outside_photometry_range is outside
    assert (result.flag_warn, result.flag_bad) == (outside, outside)
    later = made(Slam, **SLAM)
    later.apply_flag_rules(source)
    assert later.flag_outside_photometry_range is outside


@pytest.mark.parametrize(
    ("teff", "outside"), [(2799.0, True), (2800.0, False), (4500.0, False), (4501.0, True)]
)
def test_slam_flags_a_temperature_outside_its_range(teff: float, outside: bool):
    result = made(Slam, teff=teff, **SLAM)
    assert SlamFlags.names(result.result_flags) == ["teff_outside_bounds"] * outside
    assert (result.flag_warn, result.flag_bad) == (False, outside)


def test_a_missing_extinction_of_astronndist_only_warns():
    result = made(AstroNNdist, flag_missing_extinction=True)
    assert (result.flag_warn, result.flag_bad) == (True, False)
    assert made(AstroNNdist, flag_no_result=True).flag_bad


def test_any_flag_makes_an_m_dwarf_type_bad():
    values = {"spectral_type": "M", "sub_type": 3.0, "rchi2": 1.0}
    assert not made(MDwarfType, **values).flag_bad
    assert made(MDwarfType, result_flags=1 << 7, **values).flag_bad


# Given flags stay, and what was made before is left alone


@given(st.integers(0, 2**63 - 1))
def test_a_rule_never_takes_a_flag_away(flags: int):
    result = made(ApogeeNet, teff=5000.0, result_flags=flags)
    assert result.result_flags & flags == flags


def test_a_result_that_was_made_before_keeps_its_flags():
    stored = {"spectrum_pk": 1, "v_astra": 8000, "teff": 100.0, "result_flags": 0}
    assert ApogeeNet.model_validate(stored).result_flags == 0


# Errors


def test_formal_errors_of_apogeenet_are_the_errors_unless_given():
    result = made(ApogeeNet, e_teff=40.0, e_logg=0.1, raw_e_logg=0.2)
    assert (result.raw_e_teff, result.raw_e_logg, result.raw_e_fe_h) == (40.0, 0.2, None)


def test_the_noise_model_of_apogeenet_starts_from_the_formal_errors():
    result = made(ApogeeNet, e_teff=40.0, e_logg=0.2, e_fe_h=0.05)
    for _ in range(2):  # twice is the same as once
        result.apply_noise_model()
        assert (result.e_teff, result.e_logg, result.e_fe_h) == pytest.approx((60.0, 0.26, 0.06))
