"""Every rule holds at every door by which a value comes in."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from astra_outputs import (
    ApogeeCoaddedSpectrumInApStar,
    AstraOutputsError,
    BigInt,
    BitFlags,
    Boolean,
    Bytes,
    Flags,
    Integer,
    InvalidColumn,
    InvalidName,
    InvalidRecord,
    Json,
    KeyMismatch,
    NotHere,
    PipelineOutputMixin,
    ReadOnlyColumn,
    Real,
    RealArray,
    Text,
    TheCannon,
    Timestamp,
    WrongRecordClass,
    column,
)
from astra_outputs.model.given import is_missing
from astra_outputs.scaffold.names import check_column_name
from astra_outputs.tables.rows import table_rows

V = 8001
SPECTRUM = SimpleNamespace(spectrum_pk=11, source_pk=7)


class DoorFlags(BitFlags):
    LOW_SNR = 0, "S/N is low"


class Door(PipelineOutputMixin):
    """Results with a column of many types."""

    real: Real = column(unit="K", description="A real")
    integer: Integer = column(description="An integer")
    bigint: BigInt = column(description="A bigint")
    text: Text = column(description="A text")
    truth: Boolean = column(description="A Boolean")
    time: Timestamp = column(description="A time")
    raw: Bytes = column(description="Bytes")
    reals: RealArray = column(description="Reals")
    notes: Json = column(description="Notes")
    result_flags: Flags = column(description="Flags", bits=DoorFlags)


def by_table(name: str, value: Any) -> Any:
    values = np.empty(1, object)
    values[0] = value
    rows = table_rows(Door, {"spectrum_pk": [11], name: values}, V)
    rows.refuse()
    checked = rows.columns[name]
    if checked.stored.missing is not None and checked.stored.missing[0]:
        return None
    return checked.column.type.convert(value)  # what is stored of it was tried by itself


def by_assignment(name: str, value: Any) -> Any:
    record = Door.from_spectrum(SPECTRUM, v_astra=V)
    setattr(record, name, value)
    return getattr(record, name)


def record_door(make: Callable[..., Door]) -> Callable[[str, Any], Any]:
    return lambda name, value: getattr(make(**{name: value}), name)


DOORS: dict[str, Callable[[str, Any], Any]] = {
    "spectrum": record_door(lambda **values: Door.from_spectrum(SPECTRUM, values, v_astra=V)),
    "class": record_door(lambda **values: Door(spectrum_pk=11, v_astra=V, **values)),
    "mapping": record_door(lambda **values: Door.model_validate({"spectrum_pk": 11, "v_astra": V, **values})),
    "copy": record_door(lambda **values: Door.from_spectrum(SPECTRUM, v_astra=V).model_copy(update=values)),
    "assignment": by_assignment,
    "table": by_table,
}
every_door = pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)

LARGE = 5853498713190525696
"""An identifier of Gaia's."""


@every_door
@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("bigint", float(LARGE), "does not tell|such do not tell whole numbers apart"),
        ("bigint", np.float64(LARGE), "such do not tell whole numbers apart"),
        ("bigint", -(2.0**53), "such do not tell whole numbers apart"),
        ("bigint", np.float32(2**24), "16,777,216 or more"),
        ("integer", np.float16(2048), "2,048 or more"),
        ("integer", Decimal("3.7"), "not a whole number"),
        ("integer", Fraction(1, 2), "not a whole number"),
        ("integer", Decimal("Infinity"), "not a whole number"),
        ("bigint", 2.0**63, "does not fit bigint"),
        ("result_flags", 2.0**62, "such do not tell whole numbers apart"),
        ("truth", 1.0, "must be True or False"),
        ("text", 1.5, "must be text"),
        ("time", np.datetime64("2024-01-01T00:00:00.000000001"), "has no time zone, as no datetime64 has"),
        ("time", np.datetime64("2024-01-01"), "has no time zone"),
        ("reals", {1.0, 2.0}, "must be a sequence"),
        ("reals", [[1.0]], "has an element that must be a number"),
        ("reals", [np.inf], "has an element that is infinite"),
        ("real", np.True_, "must be a number, not bool"),
        ("real", np.array(True), "must be a number, not bool"),
        ("real", np.complex64(3), "must be a number, not complex"),
        ("real", np.timedelta64(5, "ns"), "is a timedelta64"),
        ("bigint", np.timedelta64(5, "ns"), "is a timedelta64"),
        ("bigint", np.datetime64(5, "ns"), "is a datetime64"),
        ("real", np.timedelta64(5, "s"), "must be a number, not timedelta"),
        ("real", pd.Timedelta(5), "must be a number, not Timedelta"),
        ("real", Fraction(10**400), "does not fit real"),
        ("real", Decimal("1e400"), "does not fit real"),
        ("real", Decimal("Infinity"), "is infinite"),
        ("bigint", Decimal("1E+1000000"), "does not fit bigint"),
        pytest.param("bigint", 10**5000, "<int>.*does not fit bigint", id="5,001 digits"),
        ("bigint", np.longdouble(2) ** 60, "such do not tell whole numbers apart"),
        ("reals", [np.True_], "has an element that must be a number, not bool"),
        ("reals", [np.complex64(3)], "has an element that must be a number, not complex"),
        ("reals", bytearray(b"ab"), "must be a sequence of numbers, not bytearray"),
        ("reals", object(), "must be a sequence of numbers, not object"),
        ("raw", np.array([True]), "numpy.packbits"),
        ("raw", np.ma.array([1, 2], np.uint8, mask=[False, True]), "has masked elements"),
        ("raw", memoryview(np.array([1.0])), "must be bytes, not memoryview"),
        ("time", np.array(["2024-01-01", "2024-01-02"], "M8[s]"), "must be a single time"),
        ("time", pd.DatetimeIndex(["2024-01-01"], tz="UTC"), "must be a single time"),
        ("time", np.datetime64(10**17, "s"), "is not between"),
        ("notes", np.array([1.0, 10**5000], object), "more than 4,096 bits"),
    ],
)
def test_what_a_column_does_not_hold_is_refused(door, name, value, reason):
    with pytest.raises(InvalidRecord, match=reason):
        door(name, value)


MISSING = {
    "None": None,
    "NaN": float("nan"),
    "float64": np.float64("nan"),
    "float32": np.float32("nan"),
    "Decimal": Decimal("NaN"),
    "NA": pd.NA,
    "pandas NaT": pd.NaT,
    "NumPy NaT": np.datetime64("NaT", "us"),
    "masked": np.ma.masked,
    "masked scalar": np.ma.array(1.0, mask=True),
}


@every_door
@pytest.mark.parametrize("value", MISSING.values(), ids=MISSING)
@pytest.mark.parametrize(
    "name", ["real", "integer", "bigint", "text", "truth", "time", "raw", "reals", "notes"]
)
@pytest.mark.filterwarnings("ignore:Warning. converting a masked element")
def test_not_measured_is_none_in_every_type(door, name, value):
    assert door(name, value) is None


@every_door
def test_not_measured_is_none_among_the_elements_of_an_array(door):
    values = list(MISSING.values())
    assert door("reals", [1.0, *values]) == [1.0, *[None] * len(values)]


@every_door
def test_what_astropy_masks_is_none_whatever_stands_below(door):
    masked = pytest.importorskip("astropy.utils.masked").Masked
    gone, there = masked(5.0, mask=True), masked(5.0, mask=False)
    for name in ("real", "integer", "bigint", "text", "truth", "time", "raw", "reals", "notes"):
        assert door(name, gone) is None
    assert (door("real", there), door("integer", there)) == (5.0, 5)
    assert door("reals", [gone, there]) == door("reals", masked([1.0, 5.0], mask=[True, False])) == [None, 5]
    assert door("notes", {"a": masked([1.0, 5.0], mask=[True, False])}) == {"a": [None, 5]}


@every_door
def test_a_quantity_without_dimension_and_scale_is_its_number_and_any_other_is_refused(door):
    units = pytest.importorskip("astropy.units")
    one = units.Quantity(5.0)
    assert (door("real", one), door("integer", one), door("reals", [one])) == (5.0, 5, [5.0])
    assert door("reals", units.Quantity([1.0, 2.0])) == door("notes", units.Quantity([1.0, 2.0])) == [1, 2]
    for name, given in (("real", 5.0), ("integer", 5.0), ("reals", [5.0]), ("notes", [5.0])):
        for unit in (units.percent, units.K, units.mag):
            with pytest.raises(InvalidRecord, match="carries a unit"):
                door(name, given * unit)
    column = pytest.importorskip("astropy.table").MaskedColumn([1.0, 2.0], mask=[True, False])
    assert door("reals", column) == door("notes", column) == [None, 2.0]  # its unit is None
    with pytest.raises(InvalidRecord, match=r"must be a sequence|not Time"):
        door("reals", pytest.importorskip("astropy.time").Time("2024-01-01"))


@every_door
def test_a_time_of_pandas_loses_its_nanoseconds_at_the_door(door):
    got = door("time", pd.Timestamp("2024-01-01T00:00:00.123456789", tz="UTC"))
    assert (got, type(got)) == (datetime(2024, 1, 1, microsecond=123456, tzinfo=UTC), datetime)


@every_door
@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("bigint", LARGE, LARGE),
        ("bigint", np.uint64(LARGE), LARGE),
        ("bigint", Decimal(LARGE), LARGE),
        ("bigint", 2.0**53 - 1, 2**53 - 1),
        ("integer", Decimal(3), 3),
        ("integer", Fraction(6, 2), 3),
        ("integer", np.float32(2**24 - 1), 2**24 - 1),
        ("real", Decimal("0.5"), 0.5),
        ("real", Fraction(1, 2), 0.5),
        ("real", np.longdouble(0.5), 0.5),
        ("integer", np.longdouble(3), 3),
        ("notes", np.longdouble(0.5), 0.5),
        ("notes", np.array([0.5], np.longdouble), [0.5]),
    ],
)
def test_numbers_of_every_kind_are_numbers(door, name, value, stored):
    got = door(name, value)
    assert (got, type(got)) == (stored, type(stored))


def test_scalars_of_arrow_are_plain_values():
    pa = pytest.importorskip("pyarrow")
    values = {"integer": 3, "text": "x", "truth": True, "reals": [1.0, None], "notes": {"a": 1}, "real": None}
    record = Door(spectrum_pk=1, v_astra=V, **{name: pa.scalar(value) for name, value in values.items()})
    assert {name: getattr(record, name) for name in values} == values
    for number in (pa.scalar(2.0**24, pa.float32()), pa.scalar(np.float16(2048), pa.float16())):
        with pytest.raises(InvalidRecord, match="such do not tell whole numbers apart"):
            Door(spectrum_pk=1, v_astra=V, integer=number)


# JSON.


def test_a_record_comes_back_from_json():
    values = {
        "time": datetime(2024, 1, 1, tzinfo=UTC),
        "raw": b"ab\xff\xfe>?",
        "reals": [1.0, None],
        "notes": {"a": "b"},
    }
    record = Door(spectrum_pk=1, v_astra=V, flag_low_snr=True, real=0.5, **values)
    assert (
        Door.model_validate_json(record.model_dump_json(exclude={"task_pk", "created", "modified"})) == record
    )


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("real", "Infinity", "is infinite"),
        ("integer", "true", "must be a number, not bool"),
        ("time", '"2024-01-01T00:00:00"', "has no time zone"),
        ("time", '"yesterday"', "must be a datetime, not str"),
        ("raw", '"%"', "must be bytes, not str"),
        ("v_astra", "8", "would be 0.0.8"),
        ("rael", "1", "did you mean real"),
        ("REAL", "1", "did you mean real"),
        ("real", "", "is not JSON"),
    ],
)
def test_json_is_held_to_the_rules_of_a_record(name, value, reason):
    text = f'{{"spectrum_pk": 1, "v_astra": {V}, "{name}": {value}}}'
    with pytest.raises(InvalidRecord, match=reason):
        Door.model_validate_json(text)
    with pytest.raises(WrongRecordClass, match="give a dictionary"):
        Door.model_validate_json("[1]")


def test_json_says_nan_and_flags_as_keywords_do():
    text = f'{{"spectrum_pk": 1, "v_astra": {V}, "real": NaN, "flag_low_snr": true}}'
    assert Door.model_validate_json(text) == Door(spectrum_pk=1, v_astra=V, real=None, flag_low_snr=True)


def test_texts_that_pydantic_reads_are_refused_in_words():
    with pytest.raises(InvalidRecord, match="must be a number, not str"):
        Door.model_validate_strings({"spectrum_pk": "1", "v_astra": "0.8.1", "real": "hot"})


# Times of astropy.


@every_door
def test_a_time_of_astropys_is_taken_with_its_scale(door):
    time = pytest.importorskip("astropy.time")
    noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
    assert door("time", time.Time("2024-01-01T12:00:00")) == noon
    assert door("time", time.Time("2024-01-01T12:00:37", scale="tai")) == noon
    assert door("time", time.Time(60310.5, format="mjd")) == noon
    assert door("time", time.Time("2024-01-01T12:01:09.184", scale="tdb")) - noon < timedelta(seconds=0.01)


def test_a_time_of_astropys_that_says_too_little_is_refused():
    time = pytest.importorskip("astropy.time")
    for value, reason in (
        (time.Time("2024-01-01", scale="local"), "has no time in UTC"),
        (time.Time(["2024-01-01", "2024-01-02"]), "must be a single time"),
        (time.TimeDelta(1, format="jd"), "must be a single time|must be a datetime|has no time in UTC"),
    ):
        with pytest.raises(InvalidRecord, match=reason):
            Door(spectrum_pk=1, v_astra=V, time=value)


# Columns of the database.


@pytest.mark.parametrize("name", ["task_pk", "created", "modified"])
def test_a_column_of_the_database_is_not_given_with_a_spectrum(name):
    value = datetime.now(UTC) if name != "task_pk" else 5
    for given in ({name: value}, {name: value, "flag_low_snr": True}):
        with pytest.raises(ReadOnlyColumn, match=f"door.{name} = "):
            Door.from_spectrum(SPECTRUM, given, v_astra=V)
    assert getattr(Door.from_spectrum(SPECTRUM, {name: None}, v_astra=V), name) is None


@pytest.mark.parametrize("missing", MISSING.values(), ids=MISSING)
def test_a_key_that_is_missing_is_not_given(missing):
    given = {"source_pk": missing, "spectrum_pk": missing, "task_pk": missing}
    result = Door.from_spectrum(SPECTRUM, given, v_astra=V)
    assert (result.spectrum_pk, result.source_pk, result.task_pk) == (11, 7, None)


@pytest.mark.parametrize("given", [pd.NA, float("nan"), np.array([7, 8]), pd.Series([7]), "7", 8])
def test_another_key_is_refused_whatever_it_is(given):
    result = Door.from_spectrum(SPECTRUM, v_astra=V, source_pk=np.int64(7))
    with pytest.raises(KeyMismatch, match="the result belongs to source_pk 7"):
        result.source_pk = given
    if not is_missing(given):
        with pytest.raises(KeyMismatch, match="the spectrum says 7"):
            Door.from_spectrum(SPECTRUM, v_astra=V, source_pk=given)


# Spectra of every kind.


class Row:
    """As a row of asyncpg or astropy: items, no attributes."""

    def __init__(self, **values: Any) -> None:
        self._values = values

    def __getitem__(self, name: str) -> Any:
        return self._values[name]


FRAME = pd.DataFrame({"spectrum_pk": [11], "source_pk": [7]})
SPECTRA = {
    "record": ApogeeCoaddedSpectrumInApStar(
        spectrum_pk=11, source_pk=7, release="dr17", apred="dr17", obj="x", telescope="apo25m"
    ),
    "mapping": {"spectrum_pk": 11, "source_pk": 7},
    "items": Row(spectrum_pk=11, source_pk=7),
    "structured array": np.array([(11, 7)], [("spectrum_pk", "i8"), ("source_pk", "i4")])[0],
    "data frame": FRAME.iloc[0],
    "itertuples": next(FRAME.itertuples()),
    "Peewee": SimpleNamespace(spectrum_pk=11, source_id=7, source=SimpleNamespace(pk=8)),
    "key column named source": SimpleNamespace(spectrum_pk=11, source=7),
    "row in a row": SimpleNamespace(spectrum_pk=11, source=SimpleNamespace(pk=7)),
    "a result": Door(spectrum_pk=11, source_pk=7, v_astra=V),
}


@pytest.mark.parametrize("spectrum", SPECTRA.values(), ids=SPECTRA)
def test_a_result_is_made_of_a_spectrum_of_every_library(spectrum):
    result = Door.from_spectrum(spectrum, v_astra=V)
    assert (result.spectrum_pk, result.source_pk) == (11, 7)
    assert type(result.spectrum_pk) is type(result.source_pk) is int


def test_a_row_of_astropy_is_a_spectrum():
    table = pytest.importorskip("astropy.table")
    row = table.Table({"spectrum_pk": [11], "source_pk": np.ma.masked_equal([7], 7)})[0]
    result = Door.from_spectrum(row, v_astra=V)
    assert (result.spectrum_pk, result.source_pk) == (11, None)


async def test_a_row_of_asyncpg_is_a_spectrum(connection):
    row = await connection.fetchrow("select 11::bigint as spectrum_pk, 7::bigint as source_pk")
    assert Door.from_spectrum(row, v_astra=V).source_pk == 7


@pytest.mark.parametrize(
    ("spectrum", "reason"),
    [
        (11, "11 is not a spectrum: it has no spectrum_pk; give the spectrum as it was read or saved"),
        (None, "None is not a spectrum"),
        ([SPECTRUM], "a list is not a spectrum"),
        (ApogeeCoaddedSpectrumInApStar, "the class ApogeeCoaddedSpectrumInApStar is not a spectrum"),
        ({"spectrum_pk": 11}, "a dict is not a spectrum: it has no source_pk"),
        (SimpleNamespace(pk=1), "a SimpleNamespace is not a spectrum: it has no spectrum_pk"),
    ],
)
def test_what_is_no_spectrum_is_refused_with_what_to_give(spectrum, reason):
    with pytest.raises(WrongRecordClass, match=reason):
        Door.from_spectrum(spectrum, v_astra=V)


def test_a_spectrum_without_a_number_was_not_stored():
    with pytest.raises(InvalidRecord, match="save it first"):
        Door.from_spectrum({"spectrum_pk": None, "source_pk": 7}, v_astra=V)


# Names that hide what records call so.


@pytest.mark.parametrize(
    "name",
    ["key", "outcome", "pk", "table", "title", "columns", "natural_keys", "from_row", "model_dump", "model_x",
     "flag_x", "copy", "v_astra_major_minor"],
)  # fmt: skip
def test_a_column_does_not_hide_what_records_call_so(name):
    body = {"__annotations__": {name: Real}, name: column(description="d"), "__module__": __name__}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(InvalidName, match=f"{name} would hide"):
            type("Mine", (PipelineOutputMixin,), body)
    with pytest.raises(
        ValueError, match=f"{name} (would hide|is a column that every pipeline has|is a reserved word)"
    ):
        check_column_name(name)


def test_names_that_only_other_libraries_have_are_free():
    class Free(PipelineOutputMixin):
        """Results with a column named as a method of Peewee's."""

        query: Real = column(description="d")

    assert Free(spectrum_pk=1, v_astra=V, query=2.0).query == 2.0


# What users of other libraries write.


class FloatField:
    """As Peewee's and Django's."""


@pytest.mark.parametrize(
    ("use", "spelling"),
    [
        (lambda: Door(spectrum_pk=1, v_astra=V).save(), r"await outputs.save\(record\)"),
        (lambda: TheCannon.get_by_id(1), r"await outputs.get_by_id\(TheCannon, 1\)"),
        (lambda: TheCannon.select, r"await outputs.find\(TheCannon, ...\)"),
        (lambda: TheCannon.objects, r"await outputs.find\(TheCannon, ...\)"),
        (lambda: Door.create(teff=1.0), r"await outputs.save\(Door\(...\)\)"),
    ],
)
def test_what_other_libraries_have_is_answered_with_the_spelling_here(use, spelling):
    with pytest.raises(NotHere, match=spelling) as caught:
        use()
    assert isinstance(caught.value, AttributeError)
    assert isinstance(caught.value, AstraOutputsError)


def test_an_attribute_that_nobody_has_is_missing_as_ever():
    with pytest.raises(AttributeError, match="nothing"):
        _ = Door.nothing
    with pytest.raises(AttributeError, match="nothing"):
        _ = Door(spectrum_pk=1, v_astra=V).nothing
    assert not hasattr(Door, "save")


@pytest.mark.parametrize(
    ("body", "spelling"),
    [
        ({"teff": FloatField()}, r"X.teff is not a column: write it as `teff: Real = column\("),
        ({"teff": column(description="d")}, "X.teff is not a column"),
        ({"__annotations__": {"teff": float}, "teff": 1.0}, "X.teff is not a column"),
        ({"__annotations__": {"teff": Real}, "teff": None}, "X.teff is not a column"),
    ],
)
def test_a_column_that_is_written_as_elsewhere_is_answered_with_the_spelling_here(body, spelling):
    with pytest.raises(InvalidColumn, match=spelling):
        type("X", (PipelineOutputMixin,), {"__module__": __name__, **body})
