"""Saving tables: the same rows and the same refusals as records, whatever library the table is of."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import asyncpg
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from on_citus import CITUS_DSN, add_table
from pydantic import field_validator
from waiting import waiting

import astra_outputs
from astra_outputs import (
    BigInt,
    BitFlags,
    Boolean,
    Bytes,
    Double,
    Flags,
    Integer,
    NullableFlags,
    Outcome,
    PipelineOutputMixin,
    Real,
    RealArray,
    RequiredInteger,
    Source,
    Text,
    TheCannon,
    Timestamp,
    column,
)
from astra_outputs.errors import (
    AmbiguousFlag,
    DuplicateKey,
    InvalidRecord,
    MissingVersion,
    ReadOnlyColumn,
    UnknownColumn,
    UnknownReference,
    WrongRecordClass,
)

V = "0.6.2"
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


class EveryFlags(BitFlags):
    """Flags of a result."""

    LOW_SNR = 0, "S/N is low"
    HIGHEST = 62, "The highest bit"


class OtherFlags(BitFlags):
    """Flags of something else."""

    LOW_SNR = 3, "S/N is low"
    ODD = 5, "Something is odd"


class EveryType(PipelineOutputMixin):
    """Results with a column of every type."""

    a_real: Real = column(unit="K", description="A real")
    a_double: Double = column(description="A double")
    an_integer: Integer = column(description="An integer")
    a_bigint: BigInt = column(description="A bigint")
    a_text: Text = column(description="A text")
    a_boolean: Boolean = column(description="A Boolean")
    a_time: Timestamp = column(description="A time")
    some_bytes: Bytes = column(description="Some bytes")
    some_reals: RealArray = column(description="Some reals")
    a_status: RequiredInteger = column(description="A status", default=-1)
    result_flags: Flags = column(description="Flags", bits=EveryFlags)
    other_flags: NullableFlags = column(description="Flags", bits=OtherFlags)


class Strict(PipelineOutputMixin):
    """Results with a rule of their own."""

    teff: Real = column(unit="K", description="Effective temperature")

    @field_validator("teff")
    @classmethod
    def positive(cls, value: Any) -> Any:
        return value


@pytest.fixture
async def keys(outputs, connection) -> list[int]:
    """The keys of 40 spectra, each of the source with the same key."""
    await add_table(connection, EveryType)
    await add_parents(connection, 40)
    return list(range(1, 41))


async def add_parents(connection: asyncpg.Connection, count: int) -> None:
    for table in ("source", "spectrum"):
        await connection.execute(f"insert into astra.{table} (pk) select generate_series(1, {count})")


async def rows_of(connection: asyncpg.Connection, table: str = "every_type") -> list[dict[str, Any]]:
    """Return what is stored, without what no two runs have in common."""
    rows = await connection.fetch(f"select * from astra.{table} order by spectrum_pk, v_astra")
    own = {"task_pk", "created", "modified"}
    return [{name: value for name, value in row.items() if name not in own} for row in rows]


async def count(connection: asyncpg.Connection, table: str = "every_type") -> int:
    return await connection.fetchval(f"select count(*) from astra.{table}")


# Bad input first.


@pytest.mark.parametrize(
    ("name", "values", "row", "reason"),
    [
        ("a_real", np.array([1.0, np.inf]), 1, "is infinite"),
        ("a_real", np.array([1.0, 3.5e38]), 1, "does not fit real"),
        ("a_real", np.array([-3.5e38, 1.0]), 0, "does not fit real"),
        ("a_real", np.array([np.nan, -np.inf], np.float32), 1, "is infinite"),
        ("a_real", np.array([True, False]), 0, "must be a number, not bool"),
        ("a_real", np.array(["1", "2"]), 0, "must be a number, not str"),
        ("a_real", np.array([1j, 2j]), 0, "must be a number, not complex"),
        ("a_real", np.array([[1.0], [2.0]]), 0, "must be a number, not ndarray"),
        ("a_real", [1.0, "x"], 1, "must be a number, not str"),
        ("a_double", np.array([1.0, np.inf], np.float32), 1, "is infinite"),
        ("an_integer", np.array([1.0, 1.5]), 1, "is not a whole number"),
        ("an_integer", np.array([1, 2**31]), 1, "does not fit integer"),
        ("an_integer", np.array([1.0, 2.0**31]), 1, "does not fit integer"),
        ("an_integer", np.array([-(2**31) - 1, 0]), 0, "does not fit integer"),
        ("an_integer", np.array([np.nan, np.inf]), 1, "is not a whole number"),
        ("a_bigint", np.array([0, 2**63], np.uint64), 1, "does not fit bigint"),
        ("a_bigint", np.array([0.0, 2.0**63]), 1, "does not fit bigint"),
        ("a_text", np.array([1, 2]), 0, "must be text, not int"),
        ("a_text", np.array(["a", "b\0c"]), 1, "NUL"),
        ("a_text", ["a", "\ud800"], 1, "surrogate"),
        ("a_text", np.array([b"a", b"\xff"]), 1, "must be text, not bytes"),
        ("a_boolean", np.array([0, 1]), 0, "must be True or False, not int"),
        ("a_time", np.array(["2026-01-01", "2026-01-02"], "M8[us]"), 0, "has no time zone"),
        ("a_time", np.array(["2026-01-01", "NaT"], "M8[ns]"), 0, "has no time zone"),
        ("a_time", [NOON, datetime(2026, 1, 1)], 1, "has no time zone"),  # noqa: DTZ001
        ("some_bytes", ["a", "b"], 0, "must be bytes, not str"),
        ("some_reals", [[1.0], [1e39]], 1, "has an element that does not fit real"),
        ("a_status", np.array([1.0, np.nan]), 1, "must have a value"),
        ("a_status", np.ma.masked_equal([7, 8], 8), 1, "must have a value"),
        ("a_status", [1, None], 1, "must have a value"),
        ("result_flags", np.array([0, -1]), 1, "does not fit a flags column"),
        ("tag", ["a", None], 1, "must have a value"),
        ("spectrum_pk", np.ma.masked_equal([7, 8], 8), 1, "must have a value"),
        ("spectrum_pk", np.array([1.0, np.nan]), 1, "must have a value"),
        ("source_pk", np.array([1.0, 1.5]), 1, "is not a whole number"),
        ("flag_odd", np.array([0, 1]), 0, "must be True or False"),
        ("flag_odd", [True, None], 1, "must be True or False"),
        ("v_astra", np.array([6002, -1]), 1, "outside 0 to"),
        ("v_astra", np.array([6002.0, 6003.0]), 0, "must be an integer"),
        ("v_astra", np.array(["0.6.2", "0.6"]), 1, "no patch number"),
        ("v_astra", [6002, None], 1, "must have a value"),
    ],
)
async def test_a_value_that_its_column_does_not_take_is_named_by_row_and_column(
    outputs, connection, keys, name, values, row, reason
) -> None:
    table = {"spectrum_pk": np.array([1, 2]), "v_astra": V, name: values}
    with pytest.raises(InvalidRecord, match=reason) as caught:
        await outputs.save_table(EveryType, table)
    problem = caught.value.problems[0]
    assert (problem.column, problem.row) == (name, row)
    assert f"every_type.{name} = " in str(caught.value)
    assert f" in row {row}: " in str(caught.value)
    assert await count(connection) == 0


async def test_many_refused_values_are_counted_and_the_first_are_listed(outputs, keys) -> None:
    reals = np.arange(40.0)
    reals[5:] = np.inf
    with pytest.raises(InvalidRecord) as caught:
        await outputs.save_table(EveryType, {"spectrum_pk": keys, "a_real": reals}, v_astra=V)
    assert [problem.row for problem in caught.value.problems] == list(range(5, 15))
    assert caught.value.more == 25
    assert str(caught.value).startswith("35 problems\n")
    assert str(caught.value).endswith("and 25 more")


async def test_one_bad_cell_in_a_million_rows_is_found_before_anything_is_written(
    outputs, connection, keys
) -> None:
    bad = np.full(10**6, 4.5, np.float32)
    bad[777_777] = np.inf
    table = {"spectrum_pk": np.arange(1, 10**6 + 1), "a_real": bad}
    with pytest.raises(InvalidRecord, match=r"every_type.a_real = inf in row 777777: is infinite"):
        await outputs.save_table(EveryType, table, v_astra=V)
    assert await count(connection) == 0


@pytest.mark.parametrize(
    ("table", "kind", "reason"),
    [
        ({"a_reel": [1.0, 2.0]}, UnknownColumn, "did you mean a_real"),
        ({"flag_od": [True, False]}, UnknownColumn, "did you mean flag_odd"),
        ({"flag_low_snr": [True, False]}, AmbiguousFlag, "flag_result_low_snr or flag_other_low_snr"),
        ({"a_real": np.array([1.0])}, InvalidRecord, "a_real.*has 1 values, spectrum_pk has 2"),
        ({"a_real": (np.ones(2), np.ones(3, bool))}, InvalidRecord, r"a_real.*mask of shape \(3,\)"),
        ({"spectrum_pk": 7}, InvalidRecord, "must be an array"),
        ({"task_pk": [1, 2]}, ReadOnlyColumn, "task_pk = 1: belongs to the database"),
        ({"v_astra_major_minor": [6, 6]}, ReadOnlyColumn, "belongs to the database"),
        ({"v_astra": [6002, 6003]}, InvalidRecord, "given twice"),
        ({"a_real": "5777"}, InvalidRecord, "a_real = '5777': must be a number"),
    ],
)
async def test_a_column_that_does_not_fit_the_table_is_refused(outputs, keys, table, kind, reason) -> None:
    with pytest.raises(kind, match=reason):
        await outputs.save_table(EveryType, {"spectrum_pk": [1, 2]} | table, v_astra=V, on_error="collect")


async def test_a_table_without_spectra_is_refused(outputs, keys) -> None:
    with pytest.raises(InvalidRecord, match="spectrum_pk = None: must be given"):
        await outputs.save_table(EveryType, {"a_real": [1.0]}, v_astra=V)


async def test_a_version_is_never_guessed(outputs, keys) -> None:
    with pytest.raises(MissingVersion):
        await outputs.save_table(EveryType, {"spectrum_pk": [1]})


@pytest.mark.parametrize("table", [[1, 2], "table", 7, None, np.zeros(3)])
async def test_what_is_no_table_is_refused(outputs, table) -> None:
    with pytest.raises(TypeError, match="save_table takes an Arrow table"):
        await outputs.save_table(TheCannon, table, v_astra=V)


@pytest.mark.parametrize(
    ("record_class", "reason"),
    [(Source, "save_many stores sources"), (dict, "save_many"), (Strict, "rules of its own.*positive")],
)
async def test_a_class_that_tables_cannot_fill_is_refused(outputs, record_class, reason) -> None:
    with pytest.raises(WrongRecordClass, match=reason):
        await outputs.save_table(record_class, {"spectrum_pk": [1]}, v_astra=V)


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 0},
        {"duplicates": "first"},
        {"on_error": "ignore"},
        {"connections": 0},
        {"connections": 99},
    ],
)
async def test_an_option_that_makes_no_sense_is_refused(outputs, options) -> None:
    with pytest.raises(ValueError, match="must be"):
        await outputs.save_table(TheCannon, {"spectrum_pk": []}, v_astra=V, **options)


@pytest.mark.parametrize("on_error", ["raise", "collect"])
@pytest.mark.parametrize("batch_size", [2, 100])
async def test_the_same_key_twice_is_refused_naming_both_rows(
    outputs, connection, keys, batch_size, on_error
) -> None:
    table = {"spectrum_pk": [9, 4, 7, 9, 4], "v_astra": ["0.6.2", "0.6.2", "0.6.2", "0.6.9", "0.7.0"]}
    if on_error == "raise":
        with pytest.raises(DuplicateKey, match="records 0 and 3") as caught:
            await outputs.save_table(EveryType, table, batch_size=batch_size)
        assert caught.value.key == {"spectrum_pk": 9, "v_astra_major_minor": 6}
        assert await count(connection) == 0
    else:
        report = await outputs.save_table(EveryType, table, batch_size=batch_size, on_error="collect")
        assert next(str(rejected) for rejected in report.rejected).startswith(
            "record 3 (spectrum_pk = 9, v_astra"
        )
        assert report.counts == {Outcome.INSERTED: 4, Outcome.REJECTED: 1}


@pytest.mark.parametrize("size", [1, 3, 30])
async def test_an_unknown_spectrum_leaves_nothing_of_its_batch(outputs, connection, keys, size) -> None:
    with pytest.raises(UnknownReference, match="999999") as caught:
        await outputs.save_table(EveryType, {"spectrum_pk": [*keys[:size], 999_999]}, v_astra=V)
    assert caught.value.__notes__ == ["0 rows of this table were stored"]
    assert await count(connection) == 0


@pytest.mark.parametrize("connections", [1, 3])
async def test_a_failure_leaves_whole_batches_and_says_how_many_rows(
    outputs, connection, keys, connections
) -> None:
    with pytest.raises(UnknownReference) as caught:
        await outputs.save_table(
            EveryType, {"spectrum_pk": [*keys, 999_999]}, v_astra=V, batch_size=4, connections=connections
        )
    stored = await count(connection)
    assert stored > 0
    assert caught.value.__notes__ == [f"{stored} rows of this table were stored"]


async def test_an_atomic_call_that_fails_leaves_nothing(outputs, connection, keys) -> None:
    with pytest.raises(UnknownReference) as caught:
        await outputs.save_table(
            EveryType, {"spectrum_pk": [*keys, 999_999]}, v_astra=V, batch_size=4, atomic=True
        )
    assert caught.value.__notes__ == ["0 rows of this table were stored"]
    assert await count(connection) == 0


@pytest.mark.parametrize("options", [{}, {"atomic": True}, {"batch_size": 3}, {"connections": 2}])
async def test_bad_rows_are_listed_and_the_others_stored_where_it_is_asked_to(
    outputs, connection, keys, options
) -> None:
    spectra, reals, status = np.array(keys), np.arange(40.0), np.arange(40)
    reals[3] = np.inf  # refused by the record
    spectra[5] = 888_888  # no such spectrum
    status[7] = 1000  # refused by a constraint that only the database knows
    table = {"spectrum_pk": spectra, "a_real": reals, "a_status": status}
    report = await outputs.save_table(EveryType, table, v_astra=V, on_error="collect", **options)
    assert [(bad.position, bad.key["spectrum_pk"]) for bad in report.rejected] == [
        (3, 4),
        (5, 888_888),
        (7, 8),
    ]
    assert "a_real = inf in row 3: is infinite" in report.rejected[0].reason
    assert "spectrum_pk = 888888 is not in spectrum.pk" in report.rejected[1].reason
    assert "every_type_status_check" in report.rejected[2].reason
    assert report.counts == {Outcome.INSERTED: 37, Outcome.REJECTED: 3}
    assert np.flatnonzero(report.where(Outcome.REJECTED)).tolist() == [3, 5, 7]
    assert (report.task_pk == 0).tolist() == [n in (3, 5, 7) for n in range(40)]
    assert np.isnat(report.created).sum() == 3
    assert await count(connection) == 37


async def test_a_refused_key_is_listed_without_one(outputs, keys) -> None:
    report = await outputs.save_table(EveryType, {"spectrum_pk": [1, None]}, v_astra=V, on_error="collect")
    assert [(bad.position, bad.key) for bad in report.rejected] == [(1, {})]


async def test_a_cancelled_call_leaves_whole_batches_and_a_usable_repository(
    outputs, connection, keys
) -> None:
    async with connection.transaction():
        await connection.execute("insert into astra.every_type (spectrum_pk, v_astra) values (20, 6002)")
        task = asyncio.create_task(
            outputs.save_table(EveryType, {"spectrum_pk": keys}, v_astra=V, batch_size=10)
        )
        while not await waiting(connection):
            assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await count(connection) == 11
    assert (await outputs.save_table(EveryType, {"spectrum_pk": keys}, v_astra=V)).counts == {
        Outcome.INSERTED: 29,
        Outcome.REPLACED: 11,
    }


# What is stored.


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "a_real": st.floats(width=32) | st.floats() | st.none() | st.integers(-(2**70), 2**70),
    "a_double": st.floats() | st.none() | st.integers(-(2**70), 2**70),
    "an_integer": st.integers(-(2**32), 2**32) | st.floats() | st.none() | st.integers(-9, 9).map(float),
    "a_bigint": st.integers(-(2**64), 2**64) | st.sampled_from([2.0**63, -(2.0**63)]) | st.none(),
    "a_text": st.text(st.characters(codec=None, exclude_categories=()), max_size=5)
    | st.binary(max_size=3)
    | st.none(),
    "a_boolean": st.booleans() | st.none() | st.integers(0, 1),
    "a_time": st.none()
    | st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7))]))
    | st.datetimes(),
    "some_bytes": st.binary(max_size=5) | st.none() | st.text(max_size=1),
    "some_reals": st.lists(st.floats(width=32) | st.none(), max_size=3) | st.none() | st.floats(),
    "a_status": st.integers(-(2**31), 999) | st.none(),
    "result_flags": st.integers(-1, 2**63),
    "other_flags": st.integers(0, 2**63 - 1) | st.none(),
    "flag_odd": st.booleans(),
    "flag_highest": st.booleans() | st.none(),
    "tag": st.text("ab \0é", max_size=4),
    "source_pk": st.integers(1, 40) | st.none(),
}
DTYPES: dict[str, list[str]] = {
    "a_real": ["f2", "f4", "f8", ">f4", "i8", "u8", "i2"],
    "a_double": ["f4", "f8", ">f8", "i8", "u8"],
    "an_integer": ["i4", "i8", "u4", "u8", "f4", "f8", "f2", ">i4", "?"],
    "a_bigint": ["i8", "u8", "f8", "f4"],
    "a_text": ["U5", ">U5", "S5", "i8"],
    "a_boolean": ["?", "i1"],
    "result_flags": ["i8", "u8", "f8"],
    "a_status": ["i2", "f8"],
    "flag_odd": ["?"],
}


@st.composite
def columns(draw: Any, length: int) -> dict[str, Any]:
    """Draw columns as lists of Python values or as NumPy arrays, some of them masked."""
    table = {}
    for name in draw(st.lists(st.sampled_from(sorted(VALUES)), unique=True, max_size=6)):
        strategy = VALUES[name]
        dtype = draw(st.sampled_from([None, *DTYPES.get(name, [])]))
        if dtype is None:
            table[name] = draw(st.lists(strategy, min_size=length, max_size=length))
            continue
        values = draw(st.binary(min_size=length * 20, max_size=length * 20))
        kind = np.dtype(dtype)
        if kind.kind in "US":
            letters = draw(st.lists(st.text("ab \tx\0", max_size=5), min_size=length, max_size=length))
            array = np.array(letters, kind)
        elif kind.kind == "b":
            array = np.frombuffer(values, np.uint8)[:length] % 2 == 1
        elif draw(st.booleans()):
            array = np.frombuffer(values, kind, length).copy()
        else:
            array = np.array(draw(st.lists(st.integers(0, 100), min_size=length, max_size=length)), kind)
        mask = draw(st.none() | st.lists(st.booleans(), min_size=length, max_size=length))
        table[name] = array if mask is None else np.ma.masked_array(array, mask)
    return table


def built(table: dict[str, Any], length: int) -> tuple[list[EveryType], set[tuple[int, str, str]]]:
    """Return the records of a table, or what they refuse: row, column, reason."""
    records, refused = [], set()
    for row in range(length):
        values = {name: cells[row] for name, cells in table.items() if name != "source_pk"}
        source_pk = table["source_pk"][row] if "source_pk" in table else None
        spectrum = type("Spectrum", (), {"spectrum_pk": row + 1, "source_pk": source_pk})
        try:
            records.append(EveryType.from_spectrum(spectrum, v_astra=V, **values))
        except InvalidRecord as error:
            refused |= {(row, problem.column, problem.reason) for problem in error.problems}
    return records, refused


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_a_table_is_stored_and_refused_as_its_records_are(outputs, connection, keys, data) -> None:
    await connection.execute("alter table astra.every_type drop constraint if exists every_type_status_check")
    length = data.draw(st.integers(1, 6))
    table = data.draw(columns(length))
    records, refused = built(table, length)
    given = {"spectrum_pk": np.arange(1, length + 1)} | table
    await connection.execute("truncate astra.every_type")
    if refused:
        with pytest.raises(InvalidRecord) as caught:
            await outputs.save_table(EveryType, given, v_astra=V)
        named = {(problem.row, problem.column, problem.reason) for problem in caught.value.problems}
        assert len(named) + caught.value.more >= len(refused)
        flags = {"flag_odd", "flag_highest"}
        # A record names a bad flag alone; a table names all that is wrong.
        assert {bad for bad in refused if bad[1] in flags} <= named or caught.value.more
        assert {row for row, _, _ in named} <= {row for row, _, _ in refused}
        report = await outputs.save_table(EveryType, given, v_astra=V, on_error="collect")
        assert {bad.position for bad in report.rejected} == {row for row, _, _ in refused}
    else:
        await outputs.save_table(EveryType, given, v_astra=V)
    stored = await rows_of(connection)
    await connection.execute("truncate astra.every_type")
    await outputs.save_many(records)
    assert stored == await rows_of(connection)


async def test_every_row_gets_its_outcome_and_key_in_the_order_given(outputs, connection, keys) -> None:
    await outputs.save_table(EveryType, {"spectrum_pk": keys[::2]}, v_astra=V)
    spectra = np.array(keys)[np.random.default_rng(1).permutation(40)]
    report = await outputs.save_table(EveryType, {"spectrum_pk": spectra}, v_astra="0.6.3", batch_size=7)
    assert list(report) == [Outcome.REPLACED if pk % 2 else Outcome.INSERTED for pk in spectra]
    rows = {row["task_pk"]: row for row in await connection.fetch("select * from astra.every_type")}
    assert [rows[pk]["spectrum_pk"] for pk in report.task_pk.tolist()] == spectra.tolist()
    for pk, created, modified in zip(report.task_pk, report.created, report.modified, strict=True):
        assert rows[pk]["created"] == created.item().replace(tzinfo=UTC)
        assert rows[pk]["modified"] == modified.item().replace(tzinfo=UTC)


@pytest.mark.parametrize("connections", [1, 2, 4])
@pytest.mark.parametrize("batch_size", [3, 1000])
async def test_any_number_of_connections_stores_the_same(
    outputs, connection, keys, connections, batch_size
) -> None:
    table = {"spectrum_pk": keys[::-1], "a_real": np.arange(40.0)}
    options = {"v_astra": V, "connections": connections, "batch_size": batch_size}
    first = await outputs.save_table(EveryType, table, **options)
    again = await outputs.save_table(EveryType, table, **options)
    assert (first.counts, again.counts) == ({Outcome.INSERTED: 40}, {Outcome.REPLACED: 40})
    assert first.task_pk.tolist() == again.task_pk.tolist()
    assert [row["a_real"] for row in await rows_of(connection)] == list(range(39, -1, -1))


async def test_versions_of_one_spectrum_are_different_rows(outputs, connection, keys) -> None:
    table = {
        "spectrum_pk": [5, 5, 5, 4],
        "v_astra": ["1.0.0", "0.6.2", 7001, 6002],
        "a_real": [1.0, 2.0, 3.0, 4.0],
    }
    report = await outputs.save_table(EveryType, table)
    assert report.counts == {Outcome.INSERTED: 4}
    again = await outputs.save_table(EveryType, {name: cells[::-1] for name, cells in table.items()})
    assert again.task_pk.tolist() == report.task_pk.tolist()[::-1]


async def test_keys_of_any_size_are_told_apart(outputs, connection, keys) -> None:
    spectra = [-(2**63), -1, 0, 2**63 - 1]
    await connection.executemany("insert into astra.spectrum (pk) values ($1)", [(pk,) for pk in spectra])
    table = {"spectrum_pk": [*spectra, *spectra], "v_astra": [6002] * 4 + [2_147_483_647] * 4}
    report = await outputs.save_table(EveryType, table, keep_newer=True)
    again = await outputs.save_table(EveryType, table, skip_unchanged=True)
    assert again.counts == {Outcome.UNCHANGED: 8}
    assert again.task_pk.tolist() == report.task_pk.tolist()


async def test_the_last_of_two_with_the_same_key_stays_where_it_is_asked_to(
    outputs, connection, keys
) -> None:
    table = {"spectrum_pk": [3, 1, 3, 2, 3], "a_real": [1.0, 2.0, 3.0, 4.0, 5.0]}
    report = await outputs.save_table(EveryType, table, v_astra=V, duplicates="last")
    kept, new = Outcome.KEPT, Outcome.INSERTED
    assert list(report) == [kept, new, kept, new, new]
    assert report.task_pk[0] == report.task_pk[2] == report.task_pk[4] > 0
    assert [row["a_real"] for row in await rows_of(connection)] == [2.0, 4.0, 5.0]


async def test_a_row_that_gives_way_to_a_refused_one_is_refused_with_it(outputs, keys) -> None:
    table = {"spectrum_pk": [3, 3], "a_status": [1, 1000]}
    report = await outputs.save_table(EveryType, table, v_astra=V, duplicates="last", on_error="collect")
    assert list(report) == [Outcome.REJECTED] * 2
    assert report.rejected[0].reason == "gave way to row 1, which was refused"


@pytest.mark.parametrize("batch_size", [4, 100])
async def test_guards_hold_back_what_they_should(outputs, connection, keys, batch_size) -> None:
    versions = np.where(np.arange(40) < 20, 6003, 6002)
    first = await outputs.save_table(
        EveryType, {"spectrum_pk": keys, "a_real": [1.0] * 40}, v_astra=versions, batch_size=batch_size
    )
    reals = np.where(np.arange(40) < 30, 1.0, 2.0)
    report = await outputs.save_table(
        EveryType,
        {"spectrum_pk": keys, "a_real": reals},
        v_astra=V,
        keep_newer=True,
        skip_unchanged=True,
        batch_size=batch_size,
    )
    assert list(report) == [Outcome.KEPT] * 20 + [Outcome.UNCHANGED] * 10 + [Outcome.REPLACED] * 10
    assert report.task_pk.tolist() == first.task_pk.tolist()
    assert (report.modified[:30] == first.modified[:30]).all()
    assert (report.modified[30:] > first.modified[30:]).all()


async def test_a_table_inside_a_callers_transaction_is_part_of_it(outputs, connection, keys) -> None:
    async with astra_outputs.connect(connection=connection) as mine:
        transaction = connection.transaction()
        await transaction.start()
        await mine.save_table(EveryType, {"spectrum_pk": keys}, v_astra=V, batch_size=9)
        report = await mine.save_table(EveryType, {"spectrum_pk": keys}, v_astra=V, batch_size=9)
        assert report.counts == {Outcome.REPLACED: 40}
        await transaction.rollback()
        with pytest.raises(ValueError, match="connections must be at most 1"):
            await mine.save_table(EveryType, {"spectrum_pk": keys}, v_astra=V, connections=2)
    assert await count(connection) == 0


async def test_a_column_that_is_not_given_is_stored_as_in_a_record(outputs, connection, keys) -> None:
    await outputs.save_table(EveryType, {"spectrum_pk": [1]}, v_astra=V)
    by_table = await rows_of(connection)
    await outputs.save(
        EveryType.from_spectrum(type("S", (), {"spectrum_pk": 1, "source_pk": None}), v_astra=V)
    )
    assert by_table == await rows_of(connection)


async def test_one_value_stands_for_every_row(outputs, connection, keys) -> None:
    table = {"spectrum_pk": [1, 2], "tag": " run 3 ", "a_time": NOON, "a_real": None, "flag_odd": True}
    await outputs.save_table(EveryType, table, v_astra=V)
    for row in await rows_of(connection):
        assert (row["tag"], row["a_time"], row["a_real"], row["other_flags"]) == ("run 3", NOON, None, 32)


async def test_the_configured_version_is_used_where_none_is_given(outputs, connection, keys) -> None:
    with astra_outputs.using_version("0.8.1"):
        await outputs.save_table(EveryType, {"spectrum_pk": [1]})
    assert (await rows_of(connection))[0]["v_astra"] == 8001


async def test_flags_by_name_set_and_clear_bits_of_their_column(outputs, connection, keys) -> None:
    table = {
        "spectrum_pk": [1, 2, 3],
        "other_flags": [32 + 1, 32 + 1, None],
        "flag_odd": [True, False, True],
        "flag_other_low_snr": np.array([False, True, False]),
        "flag_highest": [True, False, False],
    }
    await outputs.save_table(EveryType, table, v_astra=V)
    rows = await rows_of(connection)
    assert [row["other_flags"] for row in rows] == [32 + 1, 8 + 1, 32]
    assert [row["result_flags"] for row in rows] == [2**62, 0, 0]


async def test_an_empty_table_is_an_empty_report(outputs, keys) -> None:
    report = await outputs.save_table(EveryType, {"spectrum_pk": []}, v_astra=V)
    assert (len(report), str(report), report.task_pk.tolist()) == (0, "no records", [])


async def test_overlapping_writers_lose_nothing_and_never_deadlock(database, connection, keys) -> None:
    shuffled = [np.random.default_rng(seed).permutation(keys) for seed in range(4)]
    # Without a second try a deadlock would reach the caller; on Citus, which stores in shards side by side, it may.
    async with astra_outputs.connect(database, retry_for=60 if CITUS_DSN else 0) as writers:
        reports = [
            await asyncio.gather(
                *(
                    writers.save_table(EveryType, {"spectrum_pk": pks}, v_astra=V, batch_size=7)
                    for pks in shuffled
                )
            )
            for _ in range(3)
        ]
    assert sum(report.counts.get(Outcome.INSERTED, 0) for report in reports[0]) == 40
    assert all(report.counts == {Outcome.REPLACED: 40} for again in reports[1:] for report in again)
    assert await count(connection) == 40


@pytest.mark.parametrize(
    "statement",
    [
        "insert into astra.every_type (spectrum_pk, v_astra, a_real) values (20, 6002, 1)",
        "update astra.every_type set a_real = 1, v_astra = 6009 where spectrum_pk = 20",
    ],
)
async def test_a_row_that_someone_else_stores_at_the_same_time_is_replaced(
    outputs, connection, keys, statement
) -> None:
    if statement.startswith("update"):
        await connection.execute("insert into astra.every_type (spectrum_pk, v_astra) values (20, 6001)")
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(statement)
    task = asyncio.create_task(outputs.save_table(EveryType, {"spectrum_pk": keys, "a_real": 2.0}, v_astra=V))
    while not await waiting(connection):
        assert not task.done()
    await transaction.commit()
    report = await task
    assert [row for row, outcome in enumerate(report) if outcome is Outcome.REPLACED] == [19]
    assert [(row["a_real"], row["v_astra"]) for row in await rows_of(connection)] == [(2.0, 6002)] * 40


async def test_a_batch_of_new_rows_among_stored_ones_is_stored_whole(outputs, connection, keys) -> None:
    table = {"spectrum_pk": keys, "a_real": np.arange(40.0)}
    for share in (1, 3, 20, 39):
        await connection.execute("truncate astra.every_type")
        stored = keys[::2][:share]
        await outputs.save_table(EveryType, {"spectrum_pk": stored, "a_real": -1.0}, v_astra=V)
        report = await outputs.save_table(EveryType, table, v_astra=V, batch_size=8)
        inserted, replaced = Outcome.INSERTED, Outcome.REPLACED
        assert list(report) == [replaced if pk in stored else inserted for pk in keys]
        assert [row["a_real"] for row in await rows_of(connection)] == list(range(40))


# Where tables come from.


EXPECTED = {
    "a_real": [1.5, None, None],
    "an_integer": [1, None, 3],
    "a_bigint": [2**62 + 1, None, 3],
    "a_text": ["a", None, "µm"],
    "a_boolean": [True, None, False],
    "a_time": [NOON, None, NOON - timedelta(days=20_000, microseconds=1)],
}


def from_arrow() -> Any:
    pa = pytest.importorskip("pyarrow")
    kinds = {"a_real": pa.float32(), "a_time": pa.timestamp("us", "America/New_York")}
    columns = {name: pa.array(values, kinds.get(name)) for name, values in EXPECTED.items()}
    table = pa.table(
        {"spectrum_pk": pa.array([1, 2, 3]), **columns, "a_double": pa.array([1.0, np.nan, 2.0])}
    )
    # Chunks and offsets, as tables read from files have them.
    return pa.concat_tables([table.slice(0, 1), table.slice(1)])


def from_arrow_batch() -> Any:
    pa = pytest.importorskip("pyarrow")
    longer = pa.concat_tables([from_arrow().slice(2), from_arrow()]).combine_chunks()
    return longer.to_batches()[0].slice(1)  # the values begin in the middle of their buffers


def from_arrow_dictionary() -> Any:
    table = from_arrow()
    return table.set_column(table.column_names.index("a_text"), "a_text", table["a_text"].dictionary_encode())


def from_pandas() -> Any:
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(
        {
            "spectrum_pk": [1, 2, 3],
            "a_real": np.array([1.5, np.nan, np.nan], np.float32),
            "an_integer": pandas.array(EXPECTED["an_integer"], "Int32"),
            "a_bigint": pandas.array(EXPECTED["a_bigint"], "Int64"),
            "a_text": EXPECTED["a_text"],
            "a_boolean": pandas.array(EXPECTED["a_boolean"], "boolean"),
            "a_time": pandas.to_datetime(EXPECTED["a_time"], utc=True).tz_convert("Asia/Tokyo"),
        }
    )


def from_pandas_of_arrow() -> Any:
    pandas = pytest.importorskip("pandas")
    return from_arrow().to_pandas(types_mapper=pandas.ArrowDtype)


def from_polars() -> Any:
    polars = pytest.importorskip("polars")
    return polars.DataFrame({"spectrum_pk": [1, 2, 3], **EXPECTED}).with_columns(
        polars.col("a_real").cast(polars.Float32)
    )


def from_astropy() -> Any:
    table = pytest.importorskip("astropy.table")
    units = pytest.importorskip("astropy.units")
    mask = [False, True, False]
    return table.Table(
        {
            "spectrum_pk": [1, 2, 3],
            "a_real": table.Column([1.5, np.nan, np.nan], unit=units.K, dtype=">f4"),
            "an_integer": table.MaskedColumn([1, 2, 3], mask=mask),
            "a_bigint": table.MaskedColumn([2**62 + 1, 2, 3], mask=mask),
            "a_text": table.MaskedColumn(["a", "x", "µm"], mask=mask),
            "a_boolean": table.MaskedColumn([True, True, False], mask=mask),
            "a_time": table.Column(EXPECTED["a_time"], dtype=object),
        }
    )


def from_pairs() -> Any:
    mask = np.array([False, True, False])
    return {
        "spectrum_pk": np.array([1, 2, 3]),
        "a_real": (np.array([1.5, 1e300, np.nan]), mask),
        "an_integer": (np.array([1.0, 0.5, 3.0]), mask),
        "a_bigint": (np.array([2**62 + 1, 0, 3]), mask),
        "a_text": (np.array(["a", "\0", "µm"]), mask),
        "a_boolean": (np.array([True, False, False]), mask),
        "a_time": EXPECTED["a_time"],
    }


def from_structured() -> Any:
    pairs = from_pairs()
    names = ["spectrum_pk", "a_real"]
    array = np.zeros(3, [(name, "f8") for name in names])
    array["spectrum_pk"], array["a_real"] = pairs["spectrum_pk"], [1.5, np.nan, np.nan]
    return array


@pytest.mark.parametrize(
    "make",
    [
        from_arrow,
        from_arrow_batch,
        from_arrow_dictionary,
        from_pandas,
        from_pandas_of_arrow,
        from_polars,
        from_astropy,
        from_pairs,
        from_structured,
    ],
)
async def test_a_table_of_any_library_is_stored_as_it_is(
    outputs, connection, keys, make: Callable[[], Any]
) -> None:
    table = make()
    assert (await outputs.save_table(EveryType, table, v_astra=V)).counts == {Outcome.INSERTED: 3}
    rows = await rows_of(connection)
    for name in EXPECTED if make is not from_structured else ["a_real"]:
        assert [row[name] for row in rows] == EXPECTED[name], name


@pytest.mark.parametrize("texts", [["x", "run 3", None, "", " tag "], ["x", "é", None, "", "a"], [None] * 5])
@pytest.mark.parametrize("kind", ["string", "large_string", "string_view"])
async def test_arrow_texts_are_read_from_the_middle_of_their_buffers(
    outputs, connection, keys, texts, kind
) -> None:
    pa = pytest.importorskip("pyarrow")
    sent = {"spectrum_pk": [1, 2, 3, 4], "a_text": pa.array(texts, kind).slice(1)}
    await outputs.save_table(EveryType, sent, v_astra=V)
    assert [row["a_text"] for row in await rows_of(connection)] == [
        text and text.strip() for text in texts[1:]
    ]


async def test_units_that_astropy_knows_of_must_be_those_of_the_column(outputs, connection, keys) -> None:
    units = pytest.importorskip("astropy.units")
    good = {"spectrum_pk": [1, 2], "a_real": [1.0, 2.0] * units.K, "a_double": [1.0, 2.0] * units.one}
    await outputs.save_table(EveryType, good, v_astra=V)
    for bad in ({"a_real": [1.0, 2.0] * units.m}, {"a_double": [1.0, 2.0] * units.m}):
        with pytest.raises(InvalidRecord, match="is in m, the column in"):
            await outputs.save_table(EveryType, {"spectrum_pk": [1, 2]} | bad, v_astra=V)


async def test_arrow_times_are_cut_to_microseconds_and_kept_within_what_python_knows(
    outputs, connection, keys
) -> None:
    pa = pytest.importorskip("pyarrow")
    moments = pa.array([-1, 1_999], pa.timestamp("ns", "UTC"))
    await outputs.save_table(EveryType, {"spectrum_pk": [1, 2], "a_time": moments}, v_astra=V)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert [row["a_time"] - epoch for row in await rows_of(connection)] == [
        timedelta(microseconds=-1),
        timedelta(microseconds=1),
    ]
    far = pa.array([10**12], pa.timestamp("s", "UTC"))
    with pytest.raises(InvalidRecord, match=r"a_time.* in row 0: is not between"):
        await outputs.save_table(EveryType, {"spectrum_pk": [1], "a_time": far}, v_astra=V)
    naive = pa.array([0], pa.timestamp("us"))
    with pytest.raises(InvalidRecord, match=r"a_time.* in row 0: has no time zone"):
        await outputs.save_table(EveryType, {"spectrum_pk": [1], "a_time": naive}, v_astra=V)


def test_no_library_is_imported_for_a_table_of_another_one() -> None:
    code = """
import sys, numpy
import astra_outputs, astra_outputs.repository
assert "numpy" in sys.modules and not any(n.startswith("astra_outputs.tables") for n in sys.modules)
from astra_outputs import TheCannon
from astra_outputs.tables.rows import table_rows
table_rows(TheCannon, {"spectrum_pk": numpy.arange(3), "teff": [1.0, 2.0, None]}, "0.6.2").refuse()
assert not {"pyarrow", "pandas", "polars", "astropy"} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_numpy_is_loaded_where_rows_are_sent_and_not_before() -> None:
    code = """
import sys
import astra_outputs, astra_outputs.repository
assert "numpy" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
