"""A batch of more bytes than one message to the server may hold, at its real size.

With lowered limits it is tried in `tests/saving/test_large_batches.py`.
"""

from __future__ import annotations

import time
from types import SimpleNamespace

import asyncpg
import pytest
from shares import FULL_SIZE

import astra_outputs
from astra_outputs import InvalidRecord, Outcome, PipelineOutputMixin, Text, column
from astra_outputs.postgres import sql_files

pytestmark = pytest.mark.skipif(not FULL_SIZE, reason="takes 3 GB of memory: make soak")

ROWS = 280
LONG = [f"{number:04d}" * 2**20 for number in range(3)]
"""Three texts of 4 MiB; not one alone, which is sent once for all rows."""


class LongValues(PipelineOutputMixin):
    """Results with a text of any length."""

    notes: Text = column(description="What the fit says of itself")


@pytest.fixture
async def dsn(database: str) -> str:
    connection = await asyncpg.connect(database)
    await sql_files.apply(connection, "astra", files=[sql_files.sql_file(LongValues)])
    for name in ("source", "spectrum"):
        await connection.execute(f"insert into astra.{name} (pk) select generate_series(1, {ROWS})")
    await connection.close()
    return database


def record(spectrum_pk: int, notes: str) -> LongValues:
    spectrum = SimpleNamespace(spectrum_pk=spectrum_pk, source_pk=None)
    return LongValues.from_spectrum(spectrum, v_astra="0.8.1", notes=notes)


async def test_a_batch_beyond_a_gibibyte_is_stored_through_both_doors(dsn: str) -> None:
    keys = range(1, ROWS + 1)
    async with astra_outputs.connect(dsn, schema="astra", retry_for=5.0) as outputs:
        saved = await outputs.save_many([record(key, LONG[key % 3]) for key in keys])
        assert saved.counts == {Outcome.INSERTED: ROWS}
        rows = {"spectrum_pk": list(keys), "notes": [LONG[(key + 1) % 3] for key in keys]}
        assert (await outputs.save_table(LongValues, rows, v_astra="0.8.1")).counts == {
            Outcome.REPLACED: ROWS
        }
        stored = [await outputs.get_result(LongValues, key) for key in (1, ROWS)]
    assert [one is not None and one.notes == LONG[(one.spectrum_pk + 1) % 3] for one in stored] == [True] * 2


async def test_a_record_beyond_a_gibibyte_is_refused_at_once_and_nothing_is_tried_again(dsn: str) -> None:
    async with astra_outputs.connect(dsn, schema="astra", retry_for=600.0) as outputs:
        before = time.monotonic()
        for save in (outputs.save, lambda one: outputs.save_many([one, record(2, "short")])):
            with pytest.raises(InvalidRecord, match=r"spectrum_pk = 1, .* takes 1\.1 GiB"):
                await save(record(1, "x" * (1100 * 2**20)))
        assert time.monotonic() - before < 300
        await outputs.save(record(1, "short"))
