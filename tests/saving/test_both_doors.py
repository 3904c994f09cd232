"""Saving through both doors: records and tables are stored, refused, kept and told apart alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, NamedTuple

import asyncpg
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from on_citus import CITUS_DSN, add_table

import astra_outputs
from astra_outputs import (
    BigInt,
    Boolean,
    Double,
    Integer,
    Outcome,
    Outputs,
    PipelineOutputMixin,
    Real,
    RequiredInteger,
    Text,
    Timestamp,
    column,
)
from astra_outputs.errors import DatabaseError, DuplicateKey, UnknownReference
from astra_outputs.saving import columns, transfer
from astra_outputs.saving.report import Rejected
from astra_outputs.saving.statements import statements

SPECTRA = 60
FAR = 999_999
"""The key of a spectrum that is not stored."""

Row = dict[str, Any]


class EveryType(PipelineOutputMixin):
    """Results with columns of most types."""

    a_real: Real = column(description="A real")
    a_double: Double = column(description="A double")
    an_integer: Integer = column(description="An integer")
    a_bigint: BigInt = column(description="A bigint")
    a_text: Text = column(description="A text")
    a_boolean: Boolean = column(description="A Boolean")
    a_time: Timestamp = column(description="A time")
    a_status: RequiredInteger = column(description="A status", default=-1)


VALUES = ("a_real", "a_double", "an_integer", "a_bigint", "a_text", "a_boolean", "a_time", "a_status")


class Told(NamedTuple):
    """What a door says of each row, in the order given."""

    outcomes: list[Outcome]
    task_pks: list[int | None]
    modified: list[datetime | None]
    rejected: list[Rejected]


async def by_records(outputs: Outputs, rows: Sequence[Row], **options: Any) -> Told:
    records = [
        EveryType.from_spectrum(
            SimpleNamespace(spectrum_pk=row["spectrum_pk"], source_pk=None),
            {name: value for name, value in row.items() if name != "spectrum_pk"},
        )
        for row in rows
    ]
    report = await outputs.save_many(records, **options)
    # What each record says of itself is what the report says of it.
    assert [Outcome(record.outcome) for record in records] == list(report)
    pks, modified = [one.task_pk for one in records], [one.modified for one in records]
    return Told(list(report), pks, modified, report.rejected)


async def by_table(outputs: Outputs, rows: Sequence[Row], **options: Any) -> Told:
    names = dict.fromkeys(name for row in rows for name in row)
    report = await outputs.save_table(
        EveryType, {name: [row.get(name) for row in rows] for name in names}, **options
    )
    pks = [int(pk) or None for pk in report.task_pk]
    modified = [None if np.isnat(time) else time.item().replace(tzinfo=UTC) for time in report.modified]
    return Told(list(report), pks, modified, report.rejected)


Door = Callable[..., Any]


@pytest.fixture(params=[by_records, by_table], ids=["records", "table"])
def door(request: pytest.FixtureRequest) -> Door:
    return request.param


@pytest.fixture(params=["at once", "by COPY"])
async def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records go as few rows do, and as many do; a table always by COPY."""
    threshold = {"at once": 10**9, "by COPY": 1}[request.param]
    monkeypatch.setattr(columns, "MANY", threshold)
    monkeypatch.setattr(transfer, "COPY_FROM_VALUES", threshold)


@pytest.fixture
async def table(connection: asyncpg.Connection, way: None) -> asyncpg.Connection:
    """A connection to the database, where the table is and some spectra."""
    await add_table(connection, EveryType)
    for name in ("source", "spectrum"):
        await connection.execute(f"insert into astra.{name} (pk) select generate_series(1, {SPECTRA})")
    return connection


def row(spectrum_pk: int, v_astra: str = "0.6.2", **values: Any) -> Row:
    return {"spectrum_pk": spectrum_pk, "v_astra": v_astra, **values}


async def stored(connection: asyncpg.Connection) -> dict[int, asyncpg.Record]:
    rows = await connection.fetch("select * from astra.every_type order by spectrum_pk")
    assert len({one["spectrum_pk"] for one in rows}) == len(rows)
    return {one["spectrum_pk"]: one for one in rows}


async def tells_of_each_row_what_is_stored(
    connection: asyncpg.Connection, rows: list[Row], told: Told
) -> None:
    found = await stored(connection)
    for one, outcome, pk, modified in zip(rows, *told[:3], strict=True):
        if outcome is Outcome.REJECTED:
            assert (pk, modified) == (None, None)
        else:
            there = found[one["spectrum_pk"]]
            assert (pk, modified) == (there["task_pk"], there["modified"])


# Bad input first.


@pytest.mark.parametrize("batch_size", [2, 100])
async def test_the_same_key_twice_is_refused_naming_it(door, outputs, table, batch_size) -> None:
    rows = [row(9), row(4), row(7), row(9, "0.6.9"), row(4, "0.7.0")]
    with pytest.raises(DuplicateKey) as caught:
        await door(outputs, rows, batch_size=batch_size)
    assert caught.value.key == {"spectrum_pk": 9, "v_astra_major_minor": 6}
    assert 9 not in await stored(table) or batch_size == 2


@pytest.mark.parametrize("batch_size", [2, 100])
async def test_the_second_of_two_rows_with_a_key_is_listed(door, outputs, table, batch_size) -> None:
    rows = [row(9, a_double=1.0), row(4), row(7), row(9, a_double=2.0), row(3), row(4)]
    told = await door(outputs, rows, batch_size=batch_size, on_error="collect")
    assert [one.position for one in told.rejected] == [3, 5]
    assert [one.key["spectrum_pk"] for one in told.rejected] == [9, 4]
    assert told.outcomes == [Outcome.INSERTED] * 3 + [Outcome.REJECTED, Outcome.INSERTED, Outcome.REJECTED]
    found = await stored(table)
    assert (found[9]["a_double"], sorted(found)) == (1.0, [3, 4, 7, 9])


async def test_a_spectrum_that_is_not_stored_leaves_nothing_of_its_batch(door, outputs, table) -> None:
    with pytest.raises(UnknownReference, match=str(FAR)):
        await door(outputs, [row(1), row(FAR), row(2)])
    assert await stored(table) == {}


async def test_what_was_stored_before_a_failure_stays_unless_it_is_atomic(door, outputs, table) -> None:
    rows = [*map(row, range(1, 21)), row(FAR)]
    with pytest.raises(UnknownReference) as caught:
        await door(outputs, rows, batch_size=5, atomic=True)
    assert await stored(table) == {}
    assert caught.value.__notes__[0].startswith("0 ")
    with pytest.raises(UnknownReference) as caught:
        await door(outputs, rows, batch_size=5)
    assert len(await stored(table)) == 20
    assert caught.value.__notes__[0].startswith("20 ")


@pytest.mark.parametrize(
    "options",
    [{}, {"atomic": True}, {"batch_size": 1}, {"batch_size": 7}, {"batch_size": 7, "connections": 3}],
)
async def test_every_bad_row_is_listed_and_every_good_one_stored(door, outputs, table, options) -> None:
    # The highest key first, so that no row stands in a batch where it stood in the call.
    rows = [row(key, an_integer=key, a_status=key) for key in range(30, 0, -1)]
    rows[4]["spectrum_pk"], rows[11]["a_status"], rows[29]["spectrum_pk"] = FAR, 1_000, FAR + 1
    told = await door(outputs, rows, on_error="collect", **options)
    assert [(one.position, one.key["spectrum_pk"]) for one in told.rejected] == [
        (4, FAR),
        (11, 19),
        (29, FAR + 1),
    ]
    assert f"spectrum_pk = {FAR} is not in spectrum" in told.rejected[0].reason
    assert "every_type_status_check" in told.rejected[1].reason
    bad = {4, 11, 29}
    assert told.outcomes == [
        Outcome.REJECTED if index in bad else Outcome.INSERTED for index in range(len(rows))
    ]
    found = await stored(table)
    assert {key: one["an_integer"] for key, one in found.items()} == {
        one["spectrum_pk"]: one["an_integer"] for index, one in enumerate(rows) if index not in bad
    }
    await tells_of_each_row_what_is_stored(table, rows, told)


async def test_a_row_that_gave_way_to_a_refused_one_is_refused_with_it(door, outputs, table) -> None:
    rows = [row(key, a_status=status) for key, status in ((5, 0), (1, 1), (3, 2), (1, 1_000))]
    told = await door(outputs, rows, on_error="collect", duplicates="last")
    assert [one.position for one in told.rejected] == [1, 3]
    assert "which was refused" in told.rejected[0].reason
    assert sorted(await stored(table)) == [3, 5]
    await tells_of_each_row_what_is_stored(table, rows, told)


async def test_an_error_that_no_row_is_to_blame_for_is_raised_all_the_same(door, outputs, table) -> None:
    await door(outputs, [row(1)])
    await table.execute("alter table astra.every_type rename column a_text to other")
    with pytest.raises(DatabaseError):
        await door(outputs, [row(2), row(3)], on_error="collect")
    assert list(await stored(table)) == [1]


@pytest.mark.usefixtures("plain_tables")
async def test_a_stage_that_cannot_be_made_does_not_end_the_callers_transaction(door, outputs, table) -> None:
    stage = statements(EveryType, "astra", ("spectrum_pk", "v_astra_major_minor")).stage
    rows = [row(key, a_text="x" * 1_001) for key in range(1, 4)]
    async with (
        table.transaction(),
        astra_outputs.connect(connection=table, schema="astra") as inside,
    ):
        await inside.save_table(EveryType, {"spectrum_pk": [9], "v_astra": ["0.6.2"]})
        await table.execute(f"drop table pg_temp.{stage}; create temporary view {stage} as select 1 as one")
        with pytest.raises(DatabaseError, match=stage):
            await inside.save_table(EveryType, {"spectrum_pk": [8], "v_astra": ["0.6.2"]})
        await table.execute(f"drop view pg_temp.{stage}")
        await door(inside, rows)
    assert sorted(await stored(table)) == [1, 2, 3, 9]


# What is stored, and what is told of it.


@pytest.mark.parametrize("batch_size", [1, 3, 100])
@pytest.mark.parametrize("connections", [1, 3])
async def test_of_rows_with_one_key_the_last_is_kept(door, outputs, table, batch_size, connections) -> None:
    rows = [row(key, a_double=float(n)) for n, key in enumerate([9, 4, 9, 7, 4, 9, 2, 4])]
    told = await door(outputs, rows, duplicates="last", batch_size=batch_size, connections=connections)
    found = await stored(table)
    assert {key: one["a_double"] for key, one in found.items()} == {9: 5.0, 4: 7.0, 7: 3.0, 2: 6.0}
    assert told.task_pks == [found[one["spectrum_pk"]]["task_pk"] for one in rows]
    assert Outcome.REJECTED not in told.outcomes


@pytest.mark.parametrize(
    "options", [{}, {"batch_size": 7}, {"atomic": True}, {"connections": 3, "batch_size": 7}]
)
async def test_inserted_and_replaced_rows_are_told_apart_in_any_order(door, outputs, table, options) -> None:
    await door(outputs, [row(key) for key in range(2, 41, 2)])
    keys = [(key * 7) % 41 for key in range(1, 41)]
    rows = [row(key, a_bigint=key) for key in keys]
    told = await door(outputs, rows, **options)
    assert told.outcomes == [Outcome.INSERTED if key % 2 else Outcome.REPLACED for key in keys]
    assert {key: one["a_bigint"] for key, one in (await stored(table)).items()} == {key: key for key in keys}
    await tells_of_each_row_what_is_stored(table, rows, told)
    again = await door(outputs, rows, **options)
    assert again.outcomes == [Outcome.REPLACED] * 40
    assert again.task_pks == told.task_pks
    await tells_of_each_row_what_is_stored(table, rows, again)


@pytest.mark.parametrize("batch_size", [1, 7, 100])
async def test_rows_that_a_guard_holds_back_are_told_what_is_stored(door, outputs, table, batch_size) -> None:
    before = [row(key, "0.6.9" if key % 3 == 0 else "0.6.2", a_double=1.0) for key in range(1, 31)]
    await door(outputs, before)
    keys = [(key * 11) % 37 for key in range(1, 37)]
    rows = [row(key, a_double=1.0 if key % 2 else 2.0) for key in keys]
    told = await door(outputs, rows, keep_newer=True, skip_unchanged=True, batch_size=batch_size)

    def expected(key: int) -> Outcome:
        if key > 30:
            return Outcome.INSERTED
        if key % 3 == 0:
            return Outcome.KEPT
        return Outcome.UNCHANGED if key % 2 else Outcome.REPLACED

    assert told.outcomes == list(map(expected, keys))
    await tells_of_each_row_what_is_stored(table, rows, told)
    for key, one in (await stored(table)).items():
        replaced = expected(key) in (Outcome.REPLACED, Outcome.INSERTED) and key % 2 == 0
        assert one["a_double"] == (2.0 if replaced else 1.0)


async def test_values_that_are_missing_here_and_there_stay_missing_there(door, outputs, table) -> None:
    rows = [
        row(1, a_boolean=None, an_integer=0, a_bigint=None, a_text=""),
        row(2, a_boolean=False, an_integer=None, a_bigint=2**63 - 1, a_text=None),
        row(3, a_boolean=True, an_integer=-(2**31), a_bigint=-(2**63), a_text="ü" * 3_000),
    ]
    await door(outputs, rows)
    found = await stored(table)
    for one in rows:
        assert {name: found[one["spectrum_pk"]][name] for name in one if name != "v_astra"} == {
            name: value for name, value in one.items() if name != "v_astra"
        }


# Any rows, in batches of any size.

reals = st.floats(width=32, allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20).map(
    str.strip  # a record strips its texts: FITS pads with blanks
)
times = st.integers(-62_135_510_400 * 10**6, 253_402_128_000 * 10**6).map(
    lambda microseconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
)
some_values = st.fixed_dictionaries(
    {
        "a_real": st.none() | reals,
        "a_double": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "an_integer": st.none() | st.integers(-(2**31), 2**31 - 1),
        "a_bigint": st.none() | st.integers(-(2**63), 2**63 - 1),
        "a_text": st.none() | texts | texts.map(lambda text: text * 400),
        "a_boolean": st.none() | st.booleans(),
        "a_time": st.none() | times,
        "a_status": st.integers(-(2**31), 999),
    }
)
some_rows = st.lists(
    st.tuples(st.integers(1, SPECTRA), some_values), min_size=1, max_size=30, unique_by=lambda one: one[0]
)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        signs = math.copysign(1, one) == math.copysign(1, other)
        return one == other and (signs or CITUS_DSN is not None)  # docs/scale.md
    return type(one) is type(other) and one == other


NOTHING = {**dict.fromkeys(VALUES), "a_status": 0}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@example(rows=[(1, {**NOTHING, "a_real": -0.0}), (2, {**NOTHING, "a_real": 0.0})], batch_size=2)
@given(rows=some_rows, batch_size=st.integers(1, 50))
async def test_any_rows_are_stored_as_they_were_given(door, outputs, table, rows, batch_size) -> None:
    given_rows = [row(key, **values) for key, values in rows]
    told = await door(outputs, given_rows, batch_size=batch_size)
    await tells_of_each_row_what_is_stored(table, given_rows, told)
    found = await stored(table)
    for one in given_rows:
        there = found[one["spectrum_pk"]]
        wrong = {name: (one[name], there[name]) for name in VALUES if not same(one[name], there[name])}
        assert not wrong
