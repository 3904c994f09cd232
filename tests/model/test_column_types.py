"""Every type of columns, by all ways: made by the scaffold, checked, stored as records and as a table, spooled."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import astra_outputs
from astra_outputs import InvalidRecord, Json, PipelineOutputMixin, RealArray, column
from astra_outputs.catalog import check_files, check_with_database
from astra_outputs.model import column_types
from astra_outputs.model.column_type import type_of
from astra_outputs.model.column_types import JSON, TYPES
from astra_outputs.postgres import sql_files
from astra_outputs.scaffold.new_column import parse_column
from astra_outputs.scaffold.new_pipeline import new_pipeline, write
from astra_outputs.spool.file_format import decode, encode

PACKAGE = Path(astra_outputs.__file__).parent
V = "0.8.1"


class Noted(PipelineOutputMixin):
    """Results with what differs from one to the next."""

    notes: Json = column(description="What the fit says of itself")
    flux: RealArray = column(description="The flux")


def noted(notes: Any, **values: Any) -> Noted:
    return Noted(spectrum_pk=1, v_astra=V, notes=notes, **values)


# Bad input first.


@pytest.mark.parametrize(
    ("notes", "reason"),
    [
        ({"fit": {"chi2": [1.0, float("nan")]}}, r"has nan at the top.fit.chi2\[1\]"),
        ([np.float32("nan")], r"has nan at the top\[0\]"),
        ({"limit": float("-inf")}, "has -inf at the top.limit"),
        (float("inf"), "has inf at the top"),
        ({1: "one"}, "has the key 1 at the top: JSON has only texts as keys"),
        ({"a": {None: 1}}, "has the key None at the top.a"),
        ({"a\0": 1}, "NUL"),
        (["a\0"], "NUL"),
        ("\ud83d\ude00", "surrogate"),
        ({"when": datetime.now(UTC)}, "has a datetime at the top.when"),
        ({"set": {1, 2}}, "has a set"),
        (b"bytes", "has a bytes"),
        (2**5000, "a number that JSON does not hold"),
    ],
)
def test_what_json_does_not_have_is_refused_with_its_place(notes, reason):
    with pytest.raises(InvalidRecord, match=reason):
        noted(notes)


def test_json_that_contains_itself_is_refused():
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(InvalidRecord, match="nested more than 100 deep"):
        noted(endless)


@pytest.mark.parametrize("missing", [None, float("nan"), np.float32("nan"), np.ma.masked])
def test_json_that_is_missing_is_null(missing):
    assert noted(missing).notes is None


def test_what_is_kept_is_a_copy_of_plain_values():
    given = {"numpy": np.float64(0.5), "array": np.arange(2), "tuple": (1, np.True_), "masked": np.ma.masked}
    record = noted(given)
    given["tuple"] = "changed"
    assert record.notes == {"numpy": 0.5, "array": [0, 1], "tuple": [1, True], "masked": None}
    assert type(record.notes["numpy"]) is float


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**4000), 2**4000)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(value=JSON_VALUES.filter(lambda value: value is not None))
@settings(max_examples=200, deadline=None)
def test_json_comes_back_from_a_spool_as_it_was(value):
    record = noted(value)
    content = encode([record], datetime.now(UTC)).content
    (back,) = decode(content, lambda *_: Noted).records
    assert same(back.notes, value)


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal, 1 and 1.0 and True being different."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


async def test_postgres_stores_json_as_it_was_given(connection):
    values = [
        1e23,
        -1.5e300,
        5e-324,
        2**64,
        1.0,
        0,
        "1e+23",
        'a "quoted" 1e+23',
        {"é": ["\\", "\u2028", {}]},
        [],
    ]
    for value in values:
        stored = await connection.fetchval("select $1::jsonb", JSON.parameter(value))
        assert same(JSON.from_server(stored), value), value
        binary = await connection.fetchval("select $1::bytea", JSON.payload(value))
        assert binary[:1] == b"\x01"
        assert json.loads(binary[1:]) == value


# A list may change after it was checked: what is sent is what would be stored if it was given now.


def changed_in_place(flux: Any, notes: Any) -> Noted:
    record = noted({}, flux=[1.0])
    record.flux.append(flux)
    record.notes["new"] = notes
    return record


def test_a_list_changed_in_place_is_spooled_as_if_it_was_given_now():
    record = changed_in_place(np.float32(0.5), np.int64(3))
    record.flux.append(float("nan"))
    (back,) = decode(encode([record], datetime.now(UTC)).content, lambda *_: Noted).records
    assert (back.flux, back.notes) == ([1.0, 0.5, None], {"new": 3})


@pytest.fixture
async def noted_table(connection, tmp_path):
    files = new_pipeline(
        "noted",
        [parse_column("notes:jsonb"), parse_column("flux:real[]")],
        "Notes",
        tmp_path / "p",
        frozenset(),
    )
    await connection.execute("set search_path to astra")
    await connection.execute(next(sql for path, sql in files.items() if path.suffix == ".sql"))


async def test_a_list_changed_in_place_is_stored_as_if_it_was_given_now(
    outputs, spectra, noted_table, connection
):
    (spectrum, other) = await spectra(2)
    record = changed_in_place(float("nan"), np.int64(3))
    record.__dict__.update(spectrum_pk=spectrum.spectrum_pk, source_pk=spectrum.source_pk)
    await outputs.save(record)
    row = await connection.fetchrow("select flux, notes from noted")
    assert (row["flux"], json.loads(row["notes"])) == ([1.0, None], {"new": 3})
    for flux, notes in ((float("inf"), 1), (1.0, float("inf"))):
        wrong = changed_in_place(flux, notes)
        wrong.__dict__.update(spectrum_pk=other.spectrum_pk, source_pk=other.source_pk)
        with pytest.raises(InvalidRecord, match=r"noted\.(flux|notes)"):
            await outputs.save(wrong)
    assert await connection.fetchval("select count(*) from noted") == 1


# Every type, the ones to come included: this file does not name them.


@pytest.fixture
def every_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A pipeline with a column of every type, as `new-pipeline` writes it; and its SQL file."""
    columns = [parse_column(f"c_{index}:{name}") for index, name in enumerate(TYPES)]
    files = new_pipeline("every_type", columns, "Every type", tmp_path / "mine", frozenset())
    write(files)
    path = tmp_path / "mine" / "every_type.py"
    spec = spec_from_file_location("every_type", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, module.__name__, module)  # where Pydantic looks for the annotations
    spec.loader.exec_module(module)
    return module.EveryType, path.with_suffix(".sql")


def values_of(number: int) -> dict[str, Any]:
    kinds = map(type_of, TYPES.values())
    return {f"c_{index}": kind.example(number / 8) for index, kind in enumerate(kinds)}


async def test_a_column_of_every_type_is_stored_by_every_way(outputs, connection, spectra, every_type):
    record_class, sql = every_type
    await sql_files.apply(connection, "astra", files=[sql])
    assert (await check_with_database(connection, "astra", [record_class])).differences == ()
    stored = await spectra(403)
    one, few, many, table = stored[:1], stored[1:3], stored[3:400], stored[400:]
    for group in (few, many):
        await outputs.save_many(
            [record_class.from_spectrum(s, values_of(s.spectrum_pk), v_astra=V) for s in group]
        )
    await outputs.save(record_class.from_spectrum(one[0], values_of(one[0].spectrum_pk), v_astra=V))
    rows = [values_of(spectrum.spectrum_pk) for spectrum in table]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    keys = {"spectrum_pk": [s.spectrum_pk for s in table], "source_pk": [s.source_pk for s in table]}
    await outputs.save_table(record_class, keys | columns, v_astra=V)
    for spectrum in one + few + many[::40] + table:
        result = await outputs.get_result(record_class, spectrum)
        assert {name: getattr(result, name) for name in rows[0]} == values_of(spectrum.spectrum_pk)


def test_a_column_of_every_type_is_checked_and_spooled(every_type):
    record_class, _ = every_type
    assert check_files([record_class]).differences == ()
    record = record_class(spectrum_pk=1, v_astra=V, **values_of(1))
    empty = record_class(spectrum_pk=2, v_astra=V)
    back = decode(encode([record, empty], datetime.now(UTC)).content, lambda *_: record_class).records
    assert back == [record, empty]


@pytest.mark.parametrize("kind", list(map(type_of, TYPES.values())), ids=list(TYPES))
def test_a_type_agrees_with_itself(kind):
    value = kind.example(3 / 8)
    assert kind.convert(value) == kind.require(value) == value
    assert kind.convert(None) is None
    payload = kind.payload(value)
    assert isinstance(payload, bytes) != bool(kind.wire)
    assert bool(kind.wire) == bool(kind.dtype)
    if kind.wire:
        assert np.array(payload, kind.dtype).astype(kind.wire).item() == payload
    if kind.padded:
        assert not payload.endswith(b"\0")


def test_the_newest_type_is_known_to_one_module():
    # It came in after all others, and end to end: what a type is stands in one place.
    saying = [path for path in PACKAGE.rglob("*.py") if "jsonb" in path.read_text(encoding="utf-8")]
    assert saying == [Path(column_types.__file__)]
