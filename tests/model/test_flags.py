"""Flags by name, in Python: declaring, setting, reading, printing them, and what they add up to."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from astra_outputs import (
    ASPCAP,
    ApogeeCoaddedSpectrumInApStar,
    AspcapFlags,
    BitFlags,
    Flags,
    PipelineOutputMixin,
    SnowWhite,
    SnowWhiteFlags,
    Source,
    TheCannon,
    column,
)
from astra_outputs.errors import AmbiguousFlag, InvalidRecord, UnknownColumn
from astra_outputs.records import (
    APOGEE_BAD,
    ASPCAP_BAD,
    AbundanceFlags,
    ApogeeSpectrumFlags,
    CoarseFerreFlags,
    InitialFlags,
    LimitedAbundanceFlags,
)


class EdgeFlags(BitFlags):
    """The first and the last bit that a flags column has."""

    FIRST = 0, "The first bit"
    LAST = 62, "The last bit"


class Edge(PipelineOutputMixin):
    """Results with the first and the last flag."""

    result_flags: Flags = column(description="Flags of the result", bits=EdgeFlags)


def make(record_class: type[PipelineOutputMixin], **values: Any) -> Any:
    spectrum = SimpleNamespace(spectrum_pk=1, source_pk=2)
    return record_class.from_spectrum(spectrum, v_astra="0.8.1", **values)


# Declaring


@pytest.mark.parametrize("bit", [-1, 63, 64])
def test_a_bit_outside_0_to_62_cannot_be_declared(bit: int) -> None:
    with pytest.raises(ValueError, match=f"bit {bit} is outside 0 to 62"):

        class Wrong(BitFlags):
            WRONG = bit, "Does not fit a signed 64-bit integer"


def test_the_first_and_the_last_bit_can_be_set_and_read() -> None:
    result = make(Edge, flag_first=True, flag_last=True)
    assert result.result_flags == 2**62 + 1
    assert result.flag_first
    assert result.flag_last


def test_a_member_is_worth_the_bit_that_it_stands_for() -> None:
    assert AspcapFlags.HIGH_RCHI2 == 1 << 25


def test_two_names_may_stand_for_one_bit() -> None:
    result = make(ASPCAP, flag_initial_guess_from_doppler_sdss4=True)
    assert result.initial_flags == InitialFlags.INITIAL_GUESS_FROM_DOPPLER == 2
    assert result.flag_initial_guess_from_doppler


# Bad names and values


def test_an_unknown_flag_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownColumn, match="did you mean flag_unconverged"):
        make(SnowWhite, flag_unconverge=True)


def test_an_unknown_flag_cannot_be_assigned_either() -> None:
    result = make(SnowWhite)
    with pytest.raises(UnknownColumn, match="did you mean flag_no_flux"):
        result.flag_no_fluxx = True


def test_a_flag_of_two_columns_is_refused_with_the_qualified_names_offered() -> None:
    with pytest.raises(AmbiguousFlag) as caught:
        make(ASPCAP, flag_ferre_fail=True)
    assert "write flag_result_ferre_fail or flag_coarse_ferre_ferre_fail" in str(caught.value)


def test_a_flag_of_two_columns_cannot_be_read_either() -> None:
    with pytest.raises(AmbiguousFlag, match="flag_result_ferre_fail"):
        _ = make(ASPCAP).flag_ferre_fail


def test_a_flag_of_two_columns_of_a_source_is_refused_too() -> None:
    with pytest.raises(AmbiguousFlag, match="flag_sdss4_apogee_target2_sdss4_apogee_telluric"):
        _ = Source(sdss_id=1).flag_sdss4_apogee_telluric


@pytest.mark.parametrize("value", [1, 0, "yes", None])
def test_a_flag_is_set_to_true_or_false_and_nothing_else(value: Any) -> None:
    with pytest.raises(InvalidRecord, match="must be True or False"):
        make(SnowWhite, flag_low_snr=value)


@pytest.mark.parametrize("value", [-1, 2**63])
def test_an_integer_that_is_no_set_of_bits_is_refused(value: int) -> None:
    with pytest.raises(InvalidRecord, match="bits 0 to 62"):
        make(SnowWhite, result_flags=value)


# Setting and reading


def test_a_flag_is_set_by_its_name() -> None:
    assert make(SnowWhite, flag_unconverged=True).result_flags == 2


def test_a_flag_by_name_is_added_to_the_value_of_its_column() -> None:
    assert make(SnowWhite, result_flags=1, flag_unconverged=True).result_flags == 3


@pytest.mark.parametrize("given", [np.uint64(2), np.int16(2), 2.0, True + 1])
def test_a_flag_by_name_is_added_to_a_value_of_any_kind_of_number(given: Any) -> None:
    assert make(SnowWhite, result_flags=given, flag_low_snr=True).result_flags == 2 | SnowWhiteFlags.LOW_SNR


@pytest.mark.parametrize("given", [2**63, -1, 1.5, "two", np.uint64(2**63)])
def test_a_flag_by_name_beside_a_bad_value_is_the_error_of_that_value(given: Any) -> None:
    with pytest.raises(InvalidRecord, match="result_flags"):
        make(SnowWhite, result_flags=given, flag_low_snr=True)


def test_a_mapping_of_columns_may_name_flags_too() -> None:
    row = {"spectrum_pk": 1, "v_astra": 6002, "flag_low_snr": True}
    assert SnowWhite.model_validate(row).result_flags == SnowWhiteFlags.LOW_SNR
    assert row["flag_low_snr"] is True


def test_a_flag_given_as_false_is_cleared() -> None:
    assert make(SnowWhite, result_flags=3, flag_low_snr=False).result_flags == 2


def test_a_qualified_name_sets_the_bit_of_its_column_alone() -> None:
    result = make(ASPCAP, flag_coarse_ferre_ferre_fail=True)
    assert (result.coarse_ferre_flags, result.result_flags) == (CoarseFerreFlags.FERRE_FAIL, 0)


def test_bits_are_added_by_an_operator() -> None:
    result = make(SnowWhite)
    result.result_flags |= SnowWhiteFlags.LOW_SNR
    result.result_flags |= SnowWhiteFlags.NO_FLUX
    assert result.result_flags == 17
    assert result.flag_low_snr
    assert not result.flag_unconverged


def test_bits_added_by_an_operator_are_stored_as_a_plain_integer() -> None:
    result = make(SnowWhite)
    result.result_flags |= SnowWhiteFlags.LOW_SNR
    assert type(result.model_dump()["result_flags"]) is int


def test_a_flag_is_cleared_on_a_record_by_assigning_false() -> None:
    result = make(SnowWhite, result_flags=3)
    result.flag_low_snr = False
    assert result.result_flags == 2


def test_a_flag_of_a_column_that_is_missing_reads_as_false() -> None:
    assert not make(ASPCAP, calibrated_flags=None).flag_as_dwarf_for_calibration


def test_a_flag_can_be_set_on_a_column_that_is_missing() -> None:
    result = make(ASPCAP, calibrated_flags=None)
    result.flag_as_giant_for_calibration = True
    assert result.calibrated_flags == 2


def test_an_abundance_has_flags_of_its_own_name() -> None:
    result = make(ASPCAP, flag_al_h_warn_teff=True)
    assert (result.al_h_flags, result.mg_h_flags) == (AbundanceFlags.WARN_TEFF, 0)


def test_an_abundance_without_upper_limits_has_no_flag_for_them() -> None:
    with pytest.raises(UnknownColumn):
        make(ASPCAP, flag_al_h_upper_limit_t1=True)


def test_limited_abundances_share_the_flags_of_all_abundances() -> None:
    shared = AbundanceFlags.bits()
    assert LimitedAbundanceFlags.bits()[-len(shared) :] == shared


def test_the_coarse_fit_shares_the_first_bits_of_the_result() -> None:
    assert CoarseFerreFlags.bits()[:21] == AspcapFlags.bits()[:21]


# Printing, and bits without a name


def test_a_record_prints_the_names_of_its_flags() -> None:
    assert "result_flags=low_snr | unconverged" in repr(make(SnowWhite, result_flags=3))


def test_a_record_prints_the_number_of_a_bit_without_a_name() -> None:
    assert "result_flags=low_snr | bit_40" in repr(make(SnowWhite, result_flags=2**40 + 1))


def test_a_bit_with_two_names_prints_both() -> None:
    text = repr(make(ASPCAP, initial_flags=2))
    assert "initial_flags=initial_guess_from_doppler/initial_guess_from_doppler_sdss4" in text


def test_a_bit_without_a_name_survives_when_another_is_set() -> None:
    result = make(SnowWhite, result_flags=2**40)
    result.flag_low_snr = True
    result.result_flags |= SnowWhiteFlags.NO_FLUX
    result.flag_low_snr = False
    assert result.result_flags == 2**40 + 16


# What flags add up to


@pytest.mark.parametrize("record_class", [SnowWhite, TheCannon, ASPCAP])
def test_any_quality_flag_is_a_warning(record_class: type[PipelineOutputMixin]) -> None:
    assert not make(record_class).flag_warn
    assert make(record_class, result_flags=2**60).flag_warn


@pytest.mark.parametrize("bit", AspcapFlags.bits(), ids=lambda bit: bit.name)
def test_a_result_of_aspcap_is_bad_if_one_of_the_grave_flags_is_set(bit: Any) -> None:
    grave = {
        *("suspicious_parameters", "high_v_sini", "high_v_micro", "unphysical_parameters", "high_rchi2"),
        *("low_snr", "high_std_v_rad", "teff_grid_edge_bad", "logg_grid_edge_bad", "ferre_fail"),
        *("missing_model_flux", "potential_ferre_timeout", "no_suitable_initial_guess", "spectrum_io_error"),
    }
    assert make(ASPCAP, result_flags=bit.mask).flag_bad == (bit.name in grave)


def test_a_failure_on_the_coarse_grid_alone_does_not_make_a_result_bad() -> None:
    assert not make(ASPCAP, flag_coarse_ferre_ferre_fail=True).flag_bad


@pytest.mark.parametrize("bit", ApogeeSpectrumFlags.bits(), ids=lambda bit: bit.name)
def test_an_apogee_spectrum_is_bad_if_one_of_the_grave_flags_is_set(bit: Any) -> None:
    spectrum = ApogeeCoaddedSpectrumInApStar(
        release="dr17", apred="dr17", obj="2M1", telescope="apo25m", spectrum_flags=bit.mask
    )
    grave = {"bad_pixels", "very_bright_neighbor", "bad_rv_combination", "rv_failure"}
    assert spectrum.flag_bad == (bit.name in grave)


def test_the_grave_flags_are_offered_as_masks() -> None:
    assert {name for name in AspcapFlags.names(ASPCAP_BAD) if name.startswith("high_")} == {
        "high_rchi2",
        "high_std_v_rad",
        "high_v_micro",
        "high_v_sini",
    }
    assert len(ApogeeSpectrumFlags.names(APOGEE_BAD)) == 4


# Errors by the survey's noise model


def test_the_noise_model_widens_the_formal_errors_of_a_white_dwarf() -> None:
    result = make(SnowWhite, raw_e_teff=200.0, raw_e_logg=0.1)
    result.apply_noise_model()
    assert result.e_teff == pytest.approx(400.0)
    assert result.e_logg == pytest.approx(0.25)


def test_the_noise_model_is_never_applied_unasked() -> None:
    result = make(SnowWhite, raw_e_teff=200.0, raw_e_logg=0.1)
    assert (result.e_teff, result.e_logg) == (None, None)


def test_the_noise_model_leaves_a_missing_error_missing() -> None:
    result = make(SnowWhite, raw_e_teff=200.0)
    result.apply_noise_model()
    assert (result.e_teff, result.e_logg) == (400.0, None)


def test_the_noise_model_keeps_an_error_that_came_without_a_formal_one() -> None:
    result = make(SnowWhite, e_logg=0.3)
    result.apply_noise_model()
    assert result.e_logg == 0.3


def test_the_noise_model_applied_twice_changes_nothing_more() -> None:
    result = make(SnowWhite, raw_e_teff=200.0, raw_e_logg=0.1)
    result.apply_noise_model()
    once = result.model_copy()
    result.apply_noise_model()
    assert result == once
