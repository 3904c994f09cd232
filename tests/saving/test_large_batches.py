"""More bytes than one message to the server may hold: a batch is sent in pieces, a row is refused by name.

The limits are lowered here; `tests/faults/test_large_batches.py` reaches them in `make soak`.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest
from on_citus import add_table

from astra_outputs import Bytes, Json, Outcome, PipelineOutputMixin, RealArray, Text, column
from astra_outputs.errors import InvalidRecord
from astra_outputs.saving import encode, size

SPECTRA = 20


class LongValues(PipelineOutputMixin):
    """Results with columns of any length."""

    notes: Text = column(description="What the fit says of itself")
    state: Json = column(description="What it ended with")
    image: Bytes = column(description="A picture")
    residuals: RealArray = column(description="What is left")


@pytest.fixture
async def table(connection: asyncpg.Connection) -> asyncpg.Connection:
    await add_table(connection, LongValues)
    for name in ("source", "spectrum"):
        await connection.execute(f"insert into astra.{name} (pk) select generate_series(1, {SPECTRA})")
    return connection


def record(spectrum_pk: int, **values: Any) -> LongValues:
    spectrum = SimpleNamespace(spectrum_pk=spectrum_pk, source_pk=spectrum_pk)
    return LongValues.from_spectrum(spectrum, v_astra="0.8.1", **values)


LONG: dict[str, Any] = {
    "notes": "é" * 3_000,
    "state": {"steps": [0.5] * 1_000},
    "image": b"\0" * 3_000,
    "residuals": [0.25] * 3_000,
}


@pytest.mark.parametrize("name", LONG)
async def test_a_batch_that_no_message_holds_goes_row_by_row_into_the_table(
    outputs, table, monkeypatch, name
) -> None:
    monkeypatch.setattr(size, "MESSAGE", 100_000)
    found = "select count(*) from pg_type where typname like 'row\\_long\\_values%'"
    report = await outputs.save_many([record(key, **{name: LONG[name]}) for key in range(1, 21)])
    assert report.counts == {Outcome.INSERTED: 20}
    assert await table.fetchval(found) == 0
    for stored in [await outputs.get_result(LongValues, key) for key in (1, 20)]:
        assert getattr(stored, name) == LONG[name]
    # What one message holds is sent as one: the rows have a type then.
    await outputs.save_many([record(key, **{name: LONG[name]}) for key in range(1, 4)])
    assert await table.fetchval(found) == 1


@pytest.fixture
def small_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL as it would be with rows of 20 kB."""
    monkeypatch.setattr(size, "MESSAGE", 10_000)
    monkeypatch.setattr(size, "ROW", 20_000)
    monkeypatch.setattr(encode, "ROW", 20_000)
    monkeypatch.setattr(encode, "BLOCK", 1_000)


async def test_a_record_that_no_message_holds_is_refused_and_its_neighbours_are_stored(
    outputs, table, small_rows
) -> None:
    records = [record(key, notes="x" * (30_000 if key == 7 else 10)) for key in range(20, 0, -1)]
    with pytest.raises(InvalidRecord, match=r"spectrum_pk = 7, v_astra_major_minor = 8.*below 1 GiB"):
        await outputs.save_many(records)
    assert await table.fetchval("select count(*) from astra.long_values") == 0
    report = await outputs.save_many(records, on_error="collect")
    assert [(one.position, one.key["spectrum_pk"]) for one in report.rejected] == [(13, 7)]
    assert "below 1 GiB" in report.rejected[0].reason
    assert await table.fetchval("select count(*) from astra.long_values") == 19


async def test_a_row_of_a_table_that_no_message_holds_is_refused_and_its_neighbours_are_stored(
    outputs, table, small_rows
) -> None:
    keys = list(range(1, 21))
    rows = {"spectrum_pk": keys, "notes": ["x" * (30_000 if key == 7 else 10) for key in keys]}
    with pytest.raises(InvalidRecord, match=r"spectrum_pk = 7, v_astra_major_minor = 8.*below 1 GiB"):
        await outputs.save_table(LongValues, rows, v_astra="0.8.1")
    report = await outputs.save_table(LongValues, rows, v_astra="0.8.1", on_error="collect")
    assert [one.key["spectrum_pk"] for one in report.rejected] == [7]
    assert await table.fetchval("select count(*) from astra.long_values") == 19


async def test_a_single_record_that_no_message_holds_is_refused_where_the_connection_was_lost(
    outputs, table, small_rows
) -> None:
    # The server ends a connection over a message that is too large; here a missing spectrum fails it.
    with pytest.raises(InvalidRecord, match=r"long_values.notes.*spectrum_pk = 99.*below 1 GiB"):
        await outputs.save(record(99, notes="x" * 30_000))
