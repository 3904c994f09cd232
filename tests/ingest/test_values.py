"""What the options of a map make of a value: the same of every kind of number, text and array."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astra_outputs import Boolean, Bytes, Flags, Integer, Json, Real, RealArray, Text, Timestamp
from astra_outputs.errors import InvalidMapping
from astra_outputs.ingest.mapping import Mapping
from astra_outputs.ingest.origin import Origin
from astra_outputs.ingest.values import value_of
from astra_outputs.model.column_type import type_of
from astra_outputs.model.columns import Column
from astra_outputs.records import ApogeeCoaddedSpectrumInApStar, SnowWhite


def value(given: Any, kind: Any = Real, missing: tuple[Any, ...] = (), **options: Any) -> Any:
    column = None if kind is None else Column("x", type_of(kind), nullable=True)
    return value_of(given, Origin.model_validate({"from": "X", **options}), column, list(missing))


# Kinds of the number 4.
KINDS = [
    4,
    4.0,
    "4",
    "4.0",
    " 4 ",
    b"4",
    b"4\0\0",
    bytearray(b"4.0"),
    Decimal(4),
    Decimal("4.00"),
    Fraction(4),
    np.int16(4),
    np.uint64(4),
    np.float16(4),
    np.float32(4),
    np.longdouble(4),
    np.array(4.0),
    np.str_("4"),
    np.bytes_(b"4"),
    np.ma.array(4.0, mask=False),
]


@pytest.mark.parametrize("given", KINDS, ids=repr)
@pytest.mark.parametrize(
    ("options", "kind", "expected"),
    [
        ({"times": 1000}, Real, 4000),
        ({"times": 1000, "plus": 0.5}, Real, 4000.5),
        ({"between": [0, 3]}, Real, None),
        ({"between": [4, 5]}, Real, 4),
        ({"missing": [4]}, Real, None),
        ({"missing": [-9999]}, Real, 4),
        ({"values": {"4": 7.5, "5": 8.5}}, Real, 7.5),
        ({"values": {"4": "four"}}, Text, "four"),
        ({"mask": 6}, Integer, 4),
        ({"mask": 3}, Flags, 0),
        ({"bit": 2}, None, True),
        ({"bit": [0, 1]}, None, False),
        ({"transform": "sqrt"}, Real, 2),
        ({"transform": "exp10"}, Integer, 10_000),
        ({}, Integer, 4),
    ],
    ids=lambda value: repr(value) if isinstance(value, dict) else "",
)
def test_an_option_holds_for_every_kind_of_number(given, options, kind, expected) -> None:
    assert value(given, kind, **options) == expected


@pytest.mark.parametrize(
    "array",
    [
        [4, 9.0, None],
        (4, Decimal(9), float("nan")),
        np.array([4, 9, np.nan], np.float32),
        np.ma.array([4, 9, 1], mask=[0, 0, 1]),
        np.array([Decimal(4), b"9", None], object),
        ["4", "9", ""],
    ],
    ids=repr,
)
def test_options_hold_for_each_element_of_an_array_column(array) -> None:
    assert value(array, RealArray, times=10) == [40, 90, None]
    assert value(array, RealArray, between=[5, 10]) == [None, 9, None]
    assert value(array, RealArray, missing=[9]) == [4, None, None]
    assert value(array, RealArray, transform="sqrt") == [2, 3, None]
    assert value(array, RealArray, values={"4": 1.0, "9": 2.0}) == [1, 2, None]


def test_an_element_is_chosen_in_one_dimension_and_in_two() -> None:
    covariances = np.arange(6.0).reshape(2, 3)
    assert value(covariances, element=[1, 2], transform="exp10") == 1e5
    assert value(covariances, RealArray, element=1, times=2) == [6, 8, 10]
    assert value([1, 2], element=1) == 2
    for element, problem in (
        ([2, 0], "no element 2, 0"),
        ([0, 0, 0], "no element 0, 0, 0"),
        (1, "array of 3"),
    ):
        with pytest.raises(ValueError, match=problem):
            value(covariances, element=element)
    with pytest.raises(ValueError, match="array of 2 by 3"):
        value(covariances, RealArray)
    with pytest.raises(ValueError, match=r"array of 2 values: say which, as element = 0"):
        value([1, 2], None, bit=0)


@pytest.mark.parametrize(
    ("given", "kind", "reason"),
    [
        (True, Real, "is not a number, but bool"),
        (1 + 2j, Real, "is not a number, but complex"),
        ("hot", Real, "is not a number"),
        (b"\xff", Text, "not text in UTF-8"),
        (b"\xff", Real, "not text in UTF-8"),
        (-1.0, Real, None),
    ],
    ids=repr,
)
def test_what_is_no_number_is_refused_where_one_is_computed(given, kind, reason) -> None:
    options = {} if kind is Text else {"transform": "sqrt"}
    with pytest.raises(ValueError, match=reason or "has no sqrt"):
        value(given, kind, **options)


@pytest.mark.parametrize(
    "given", ["nan", "", "  ", None, float("nan"), Decimal("NaN"), np.ma.masked, b"", np.nan]
)
@pytest.mark.parametrize("kind", [Real, Integer, Text, Boolean, None])
def test_what_is_missing_is_missing_whatever_the_options(given, kind) -> None:
    if given == "nan" and kind is not Real:
        return  # a text as any other
    options = {Real: {"times": 2}, Integer: {"mask": 3}, None: {"bit": 3}}.get(kind, {})
    found = value(given, kind, **options)
    assert found is None or found != found  # noqa: PLR0124 (the record stores NaN as NULL)


def test_a_mark_that_is_a_text_stands_for_that_text() -> None:
    assert [value(given, Text, missing=("null",)) for given in ("null", b"null ", "NULL")] == [
        None,
        None,
        "NULL",
    ]


def test_a_truth_value_is_no_mark_of_a_number() -> None:
    assert value(True, Boolean, missing=(1,)) is True
    assert value(np.True_, Boolean, missing=(True,)) is None
    assert value(True, Text, values={"true": "yes", "false": "no"}) == "yes"
    assert [value(given, Boolean) for given in ("T", 1, 1.0, Decimal(0), b"false", np.False_)] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]


def test_a_truth_value_has_no_bits() -> None:
    with pytest.raises(ValueError, match="map it by values"):
        value(True, None, bit=3)


def test_the_part_of_a_text_that_a_pattern_takes_is_read_as_a_value_is() -> None:
    assert value("Teff = 5000 K", pattern="= (.*) K") == 5000
    assert value("id: ", Text, pattern="id:(.*)") is None
    assert value("n=-9999", missing=(-9999,), pattern="n=(.*)") is None
    with pytest.raises(ValueError, match="does not match"):
        value("b", Text, pattern="(a)|b")


def test_a_text_for_json_is_read_as_json_and_an_array_is_one_of_json() -> None:
    assert value('{"a": [1, null]}', Json) == value(b'{"a": [1, null]} ', Json) == {"a": [1, None]}
    assert [value(text, Json) for text in ("3", '"x"', "null", " ")] == [3, "x", None, None]
    assert value(np.array([1.0, np.nan, -9.0]), Json, missing=(-9,)) == [1.0, None, None]
    assert value({"a": np.float32("nan"), "b": [b"x"]}, Json, missing=()) == {"a": None, "b": ["x"]}
    for text in ("hot", "[", "[" * 100_000):
        with pytest.raises(ValueError, match="is no JSON"):
            value(text, Json)


def test_bytes_stay_bytes_where_the_column_holds_bytes() -> None:
    assert value(b"\xff\0", Bytes) == b"\xff\0"
    assert value(np.array([255, 0], np.uint8), Bytes) == b"\xff\0"


@given(st.integers(-(2**63), 2**64 - 1))
def test_a_whole_number_stays_exact(number) -> None:
    for same in (number, str(number), Decimal(number), str(number).encode()):
        assert value(same, Integer) == number
        assert value(same, Text, pattern="(.+)") == str(number)
        assert value(same, Integer, times=2, plus=1) == 2 * number + 1


def test_a_float_beyond_2_53_is_no_whole_number() -> None:
    for options, kind in (({"bit": 1}, None), ({"mask": 1}, Flags), ({}, Text), ({"pattern": "(.+)"}, Text)):
        with pytest.raises(ValueError, match=r"beyond 2\*\*53"):
            value(5.853498713190526e18, kind, **options)


def test_a_float_beyond_2_53_is_no_whole_number_either_once_it_is_computed() -> None:
    for large in (
        585349871319052569.0,
        "5.85349871319052569e17",
        Decimal("5.85349871319052569e17") + Decimal("0.5"),
    ):
        with pytest.raises(ValueError, match=r"beyond 2\*\*53"):
            value(large, Integer, times=10)
    for options in ({"times": 1e15}, {"plus": 1e17}, {"transform": "exp10"}):
        with pytest.raises(ValueError, match=r"beyond 2\*\*53"):
            value(25.0, Integer, **options)


@given(st.integers(-(2**63), 2**63 - 1), st.sampled_from([0.1, 0.25, 0.3, 10.0, -7.0]))
def test_a_whole_number_is_computed_exactly_or_refused(number, times) -> None:
    exactly = number * Fraction(repr(times))
    if exactly.denominator == 1:
        assert value(number, Integer, times=times) == exactly
    else:
        with pytest.raises(ValueError, match="does not become a whole number"):
            value(number, Integer, times=times)


def test_a_number_that_is_too_large_to_compute_with_is_the_fault_of_its_row() -> None:
    for options in ({"times": 2.5}, {"transform": "sqrt"}, {"transform": "exp10"}):
        with pytest.raises(ValueError, match=r"too large|has no"):
            value("9" * 400, Real, **options)


def test_a_product_that_is_whole_but_for_rounding_is_whole() -> None:
    assert value(0.29, Integer, times=100) == 29
    assert value(0.295, Integer, times=100) == 29.5  # which the record refuses


def mapping(**result: Any) -> Mapping:
    parts = {"source": {"sdss_id": "ID"}, "spectrum": {"release": {"value": "x"}}, "result": result}
    return Mapping.model_validate({"spectra": "apogee_coadded_spectrum_in_ap_star", **parts})


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"classification": {"from": "X", "times": 2}}, "classification is text: times is for numbers"),
        ({"classification": {"from": "X", "between": [0, 1]}}, "between is for numbers"),
        ({"classification": {"from": "X", "mask": 1}}, "mask is for whole numbers"),
        ({"teff": {"from": "X", "mask": 1}}, "mask is for whole numbers"),
        ({"teff": {"from": "X", "values": {"1": "hot"}}}, "values has 'hot', which must be a number"),
        ({"teff": {"value": "hot"}}, "teff = 'hot' must be a number"),
        ({"teff": {"from": "X", "zone": "UTC"}}, "teff is real: zone is for times"),
        ({"flag_low_snr": {"from": "X", "values": {"1": 2}}}, "is a flag: its values are true or false"),
    ],
)
def test_an_option_that_its_column_has_no_use_for_is_refused_with_the_map(result, reason) -> None:
    with pytest.raises(InvalidMapping, match=reason):
        mapping(**result).check(ApogeeCoaddedSpectrumInApStar, SnowWhite)


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ({"from": "X", "values": {"1": 2.0}, "times": 2}, "values leaves nothing to do for times"),
        ({"from": "X", "bit": 1, "between": [0, 1]}, "bit leaves nothing to do for between"),
        ({"value": 1.0, "times": 2}, "times says how a value of the file is read"),
        ({"value": 1.0, "row": True}, "give either"),
        ({"from": "X", "element": [-1]}, "element"),
        ({"from": "X", "between": [9, 0]}, "nothing is between 9.0 and 0.0"),
        ({"from": "X", "between": [0, float("nan")]}, "nothing is between"),
        ({"from": "X", "times": float("inf")}, "finite"),
    ],
)
def test_options_that_leave_each_other_nothing_to_do_are_refused(option, reason) -> None:
    with pytest.raises(ValueError, match=reason):
        mapping(teff=option)


# Times.

# Kinds of noon of the last day of January, without a zone.
NOONS = [
    "2026-01-31T12:00:00",
    " 2026-01-31 12:00 ",
    b"2026-01-31T12:00:00",
    datetime(2026, 1, 31, 12),  # noqa: DTZ001
    np.datetime64("2026-01-31T12:00:00"),
    np.datetime64("2026-01-31T12:00:00.000000000"),
]


@pytest.mark.parametrize("given", NOONS, ids=repr)
def test_a_time_without_a_zone_is_refused_unless_the_map_says_its_zone(given: Any) -> None:
    with pytest.raises(ValueError, match='has no time zone: say it in the map, as zone = "UTC"'):
        value(given, Timestamp)
    for zone, hour in (("UTC", 12), ("America/New_York", 17), ("+02:00", 10), ("-00:30", 12.5)):
        noon = value(given, Timestamp, zone=zone)
        assert noon == datetime(2026, 1, 31, int(hour), int(60 * (hour % 1)), tzinfo=UTC)


@pytest.mark.parametrize("given", ["2026-01-31", date(2026, 1, 31), np.datetime64("2026-01-31")], ids=repr)
def test_a_day_is_its_first_moment_in_the_zone_of_the_map(given: Any) -> None:
    assert value(given, Timestamp, zone="+01:00") == datetime(2026, 1, 30, 23, tzinfo=UTC)


def test_a_time_that_says_its_zone_keeps_it() -> None:
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert value("2026-01-31T12:00:00Z", Timestamp, zone="America/New_York") == noon
    assert value(noon, Timestamp, zone="America/New_York") == noon


@pytest.mark.parametrize("given", ["2026-11-01T01:30:00", "2026-03-08T02:30:00"])
def test_a_time_that_clocks_showed_twice_or_never_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="is no time of America/New_York, or two"):
        value(given, Timestamp, zone="America/New_York")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "25:00", 2, True])
def test_a_zone_that_is_none_is_refused_with_the_map(zone: Any) -> None:
    with pytest.raises(ValueError, match="no time zone is called"):
        value("2026-01-31T12:00:00", Timestamp, zone=zone)


def test_no_time_has_no_zone_to_miss() -> None:
    assert [value(none, Timestamp) for none in ("", None, np.datetime64("NaT"))] == [None] * 3


# Floats of few bytes.


@pytest.mark.parametrize("number", [np.float32(2**24), np.float16(2048), np.array(2.0**25, "f4")], ids=repr)
def test_a_float_of_few_bytes_is_no_large_whole_number(number: Any) -> None:
    for kind in (Integer, Text, Flags):
        with pytest.raises(ValueError, match="not told apart"):
            value(number, kind)
    with pytest.raises(ValueError, match="not told apart"):
        value(number, None, bit=3)
    with pytest.raises(ValueError, match="not told apart"):
        value([1, number], Integer, element=1)
    assert value(number, Real) == float(number)
    assert value(number, Integer, missing=(float(number),)) is None
    assert value(number, Integer, between=[0, 9]) is None
    assert value(number, Integer, values={str(int(number)): 3}) == 3
    assert value(number.dtype.type(7), Integer) == 7
