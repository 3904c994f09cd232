"""`from_spectrum`: what a result takes from its spectrum, and every value that it refuses."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astra_outputs import (
    BitFlags,
    Double,
    Flags,
    Integer,
    PipelineOutputMixin,
    Real,
    RealArray,
    RequiredReal,
    Text,
    Timestamp,
    column,
    using_version,
)
from astra_outputs.errors import (
    AmbiguousFlag,
    InvalidRecord,
    KeyMismatch,
    MissingVersion,
    ReadOnlyColumn,
    UnknownColumn,
    WrongRecordClass,
)
from astra_outputs.model.column_types import LARGEST_REAL


class FitFlags(BitFlags):
    LOW_SNR = 0, "S/N is low"
    UNCONVERGED = 1, "Optimiser did not converge"


class GridFlags(BitFlags):
    UNCONVERGED = 4, "Grid search did not converge"


class Toy(PipelineOutputMixin):
    """Toy results."""

    teff: Real = column(unit="K", description="Effective temperature")
    ra: Double = column(unit="deg", description="Right ascension")
    n_iterations: Integer = column(description="Iterations of the optimiser")
    classification: Text = column(description="Class of the star")
    observed: Timestamp = column(description="Time of the observation")
    offsets: RealArray = column(unit="arcsec", description="Fibre offsets")
    result_flags: Flags = column(description="Flags of the fit", bits=FitFlags)
    grid_flags: Flags = column(description="Flags of the grid search", bits=GridFlags)


SPECTRUM = SimpleNamespace(spectrum_pk=11, source_pk=7)


def toy(**values: object) -> Toy:
    return Toy.from_spectrum(SPECTRUM, **{"v_astra": 6002, **values})


# Bad input first.


@pytest.mark.parametrize("name", ["source_pk", "spectrum_pk"])
def test_a_key_that_differs_from_the_spectrum_is_refused_naming_both_values(name: str) -> None:
    with pytest.raises(KeyMismatch, match=rf"{name} = 99.*{getattr(SPECTRUM, name)}") as caught:
        toy(**{name: 99})
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("name", ["source_pk", "spectrum_pk"])
def test_a_key_cannot_be_assigned_away_from_the_spectrum(name: str) -> None:
    result = toy()
    with pytest.raises(KeyMismatch, match="99"):
        setattr(result, name, 99)
    assert getattr(result, name) == getattr(SPECTRUM, name)


def test_an_object_that_is_not_a_spectrum_is_refused() -> None:
    with pytest.raises(TypeError, match="not a spectrum: it has no spectrum_pk"):
        Toy.from_spectrum(object(), v_astra=6002)


def test_a_spectrum_that_was_not_stored_is_refused() -> None:
    with pytest.raises(InvalidRecord, match="save it first"):
        Toy.from_spectrum(SimpleNamespace(spectrum_pk=None, source_pk=7), v_astra=6002)


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UnknownColumn, match=r"toy\.tef = 1\.0.*did you mean teff\?"):
        toy(tef=1.0)


def test_an_unknown_name_is_refused_on_assignment() -> None:
    with pytest.raises(UnknownColumn, match="did you mean teff"):
        toy().tef = 1.0


def test_no_version_is_an_error_and_never_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASTRA_OUTPUTS_V_ASTRA", raising=False)
    with pytest.raises(MissingVersion, match="using_version"):
        Toy.from_spectrum(SPECTRUM)


@pytest.mark.parametrize("name", ["task_pk", "created", "modified", "v_astra_major_minor"])
def test_a_column_of_the_database_cannot_be_assigned(name: str) -> None:
    with pytest.raises(ReadOnlyColumn, match=name):
        setattr(toy(), name, 1)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"teff": "5777"}, "must be a number, not str"),
        ({"teff": True}, "must be a number, not bool"),
        ({"teff": float("inf")}, "infinite"),
        ({"teff": np.float32("-inf")}, "infinite"),
        ({"teff": 3.5e38}, "does not fit real"),
        ({"teff": [1.0]}, "must be a number, not list"),
        ({"n_iterations": 3.7}, "not a whole number"),
        ({"n_iterations": np.float64(0.5)}, "not a whole number"),
        ({"n_iterations": True}, "must be a number, not bool"),
        ({"n_iterations": np.bool_(True)}, "must be a number, not bool"),
        ({"n_iterations": 2**31}, "does not fit integer"),
        ({"n_iterations": "3"}, "must be a number"),
        ({"classification": "DA\0"}, "NUL"),
        ({"classification": "\ud800"}, "surrogate"),
        ({"classification": 5}, "must be text"),
        ({"classification": b"\xff"}, "must be text"),
        ({"observed": datetime(2026, 1, 1)}, "no time zone"),  # noqa: DTZ001
        ({"observed": np.datetime64("2026-01-01T00:00:00")}, "no time zone"),
        ({"observed": "2026-01-01"}, "must be a datetime"),
        ({"observed": datetime.max.replace(tzinfo=UTC)}, "not between 0001-01-02 and 9999-12-30"),
        ({"observed": datetime.min.replace(tzinfo=UTC)}, "not between"),
        ({"offsets": [1.0, "x"]}, "element"),
        ({"offsets": "1.0"}, "must be a sequence"),
        ({"result_flags": -1}, "bits 0 to 62"),
        ({"result_flags": 2**63}, "bits 0 to 62"),
        ({"result_flags": None}, "NOT NULL"),
        ({"tag": None}, "NOT NULL"),
        ({"v_astra": -1}, "outside 0"),
        ({"v_astra": "0.6"}, "major.minor.patch"),
        ({"v_astra": 6002.0}, "must be an integer"),
        ({"flag_low_snr": 1}, "True or False"),
    ],
)
def test_a_value_that_the_column_cannot_hold_is_refused(values: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidRecord, match=reason):
        toy(**values)


@pytest.mark.parametrize(
    ("name", "value"),
    [("teff", "hot"), ("n_iterations", 3.7), ("observed", datetime(2026, 1, 1)), ("result_flags", -1)],  # noqa: DTZ001
)
def test_a_bad_value_is_refused_on_assignment_and_the_old_one_stays(name: str, value: object) -> None:
    result = toy()
    before = getattr(result, name)
    with pytest.raises(InvalidRecord, match=name):
        setattr(result, name, value)
    assert getattr(result, name) == before


def test_every_bad_value_of_a_record_is_named_at_once() -> None:
    with pytest.raises(InvalidRecord) as caught:
        toy(teff="hot", n_iterations=3.7)
    assert [problem.column for problem in caught.value.problems] == ["teff", "n_iterations"]


def test_a_missing_value_of_a_required_column_is_named() -> None:
    class Strict(PipelineOutputMixin):
        """Strict results."""

        teff: RequiredReal = column(unit="K", description="Effective temperature")

    with pytest.raises(InvalidRecord, match=r"strict\.teff.*must be given"):
        Strict.from_spectrum(SPECTRUM, v_astra=6002)
    with pytest.raises(InvalidRecord, match="NOT NULL"):
        Strict.from_spectrum(SPECTRUM, v_astra=6002, teff=float("nan"))


def test_a_record_is_not_built_from_something_else() -> None:
    with pytest.raises(WrongRecordClass, match="Toy"):
        Toy.model_validate(3)


def test_a_flag_that_two_columns_have_is_refused_with_the_qualified_names() -> None:
    with pytest.raises(AmbiguousFlag, match="flag_result_unconverged or flag_grid_unconverged"):
        toy(flag_unconverged=True)


# What is taken over, and converted.


def test_a_result_takes_both_keys_from_any_object_that_has_them() -> None:
    assert (toy().spectrum_pk, toy().source_pk) == (11, 7)


def test_an_explicit_none_counts_as_not_given() -> None:
    assert toy(source_pk=None).source_pk == 7


def test_a_spectrum_without_source_gives_a_result_without_source() -> None:
    assert Toy.from_spectrum(SimpleNamespace(spectrum_pk=1, source_pk=None), v_astra=6002).source_pk is None


def test_columns_are_none_and_flags_zero_where_nothing_is_given() -> None:
    result = toy()
    assert (result.teff, result.classification, result.result_flags, result.tag) == (None, None, 0, "")


@pytest.mark.parametrize(
    ("name", "given_value", "stored"),
    [
        ("teff", 5777, 5777.0),
        ("teff", float("nan"), None),
        ("teff", np.float32("nan"), None),
        ("teff", np.float32(5777.5), 5777.5),
        ("teff", np.array(5777.5), 5777.5),
        ("teff", np.ma.masked, None),
        ("teff", np.ma.array([1.0], mask=[True])[0], None),
        ("n_iterations", np.int64(3), 3),
        ("n_iterations", 3.0, 3),
        ("n_iterations", float("nan"), None),
        ("n_iterations", np.ma.masked, None),
        ("classification", "DA   ", "DA"),
        ("classification", np.str_("DA"), "DA"),
        ("classification", np.bytes_(b"DA  "), "DA"),
        ("offsets", np.array([1.0, np.nan]), [1.0, None]),
        ("v_astra", "0.6.2", 6002),
        ("v_astra", np.int64(6002), 6002),
    ],
)
@pytest.mark.filterwarnings("ignore:Warning. converting a masked element")
def test_a_value_of_numpy_becomes_a_plain_one(name: str, given_value: object, stored: object) -> None:
    value = getattr(toy(**{name: given_value}), name)
    assert value == stored
    assert type(value) is type(stored)


def test_the_version_comes_from_the_argument_then_the_context_then_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ASTRA_OUTPUTS_V_ASTRA", "0.5.1")
    assert Toy.from_spectrum(SPECTRUM).v_astra == 5001
    with using_version("0.6.2"):
        assert Toy.from_spectrum(SPECTRUM).v_astra == 6002
        assert Toy.from_spectrum(SPECTRUM, v_astra="0.7.0").v_astra == 7000
    assert Toy.from_spectrum(SPECTRUM).v_astra == 5001


def test_major_minor_follows_the_version_on_assignment() -> None:
    result = toy()
    result.v_astra = 7001
    assert result.v_astra_major_minor == 7


def test_a_record_prints_its_flags_by_name_and_leaves_out_what_is_not_given() -> None:
    text = repr(toy(flag_low_snr=True, teff=1.0, result_flags=1 << 17))
    assert "result_flags=low_snr | bit_17" in text
    assert "classification" not in text


def test_flags_are_set_read_and_cleared_by_name() -> None:
    result = toy(flag_low_snr=True)
    assert result.flag_low_snr
    result.result_flags |= FitFlags.UNCONVERGED
    assert result.flag_result_unconverged
    assert not result.flag_grid_unconverged
    result.flag_low_snr = False
    assert result.result_flags == FitFlags.UNCONVERGED
    assert type(result.result_flags) is int


def test_a_record_survives_pickle_unchanged() -> None:
    result = toy(teff=5777.0, observed=datetime.now(timezone(timedelta(hours=2))), flag_low_snr=True)
    assert pickle.loads(pickle.dumps(result)) == result


numbers = st.none() | st.floats() | st.integers() | st.booleans() | st.text(max_size=5)


@given(value=numbers)
def test_a_real_column_holds_none_or_a_finite_single_precision_number(value: object) -> None:
    try:
        stored = toy(teff=value).teff
    except InvalidRecord:
        return
    assert stored is None or (isinstance(stored, float) and abs(stored) <= LARGEST_REAL)


@given(value=numbers)
def test_an_integer_column_holds_none_or_a_32_bit_integer(value: object) -> None:
    try:
        stored = toy(n_iterations=value).n_iterations
    except InvalidRecord:
        return
    assert stored is None or (type(stored) is int and -(2**31) <= stored < 2**31)


@given(bits=st.integers(0, 2**63 - 1))
def test_unknown_bits_survive(bits: int) -> None:
    result = toy(result_flags=bits)
    result.flag_low_snr = True
    assert result.result_flags == bits | 1
