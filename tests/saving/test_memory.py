"""A stream of any length takes the memory of a few batches, and so does what is told of a table."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from shares import at_full_size

from astra_outputs import Outcome
from astra_outputs.saving.batch import Batch, Done
from astra_outputs.tables.save import _Saving

MIB = 2**20


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.parametrize("connections", [1, 2])
async def test_a_stream_of_records_takes_no_more_memory_than_its_first_batches(
    outputs, connection, other_pipeline, connections: int
) -> None:
    count = at_full_size(300_000, 100_000)
    await connection.execute("insert into astra.spectrum (pk) select generate_series(1, $1::bigint)", count)
    process, seen = psutil.Process(), []

    def stream() -> Iterator[object]:
        for key in range(1, count + 1):
            if key % 10_000 == 0:
                seen.append(process.memory_info().rss)
            spectrum = SimpleNamespace(spectrum_pk=key, source_pk=None)
            yield other_pipeline.from_spectrum(spectrum, v_astra="0.6.2", teff=float(key))

    report = await outputs.save_many(stream(), connections=connections)
    assert report.counts == {Outcome.INSERTED: count}
    assert max(seen) - seen[0] < 20 * MIB


@pytest.mark.parametrize("connections", [1, 3])
async def test_what_is_told_of_a_table_is_taken_over_batch_by_batch(
    monkeypatch, outputs, connection, other_pipeline, connections: int
) -> None:
    await connection.execute("insert into astra.spectrum (pk) select generate_series(1, 200)")
    waiting, most = 0, 0
    batches, settle = _Saving._batches, _Saving._settle

    async def counted(saving: _Saving, rows: Any) -> AsyncIterator[Batch]:
        nonlocal waiting, most
        async for batch in batches(saving, rows):
            waiting += 1
            most = max(most, waiting)
            yield batch

    def settled(saving: _Saving, done: Done) -> None:
        nonlocal waiting
        waiting -= 1
        settle(saving, done)

    monkeypatch.setattr(_Saving, "_batches", counted)
    monkeypatch.setattr(_Saving, "_settle", settled)
    table = {"spectrum_pk": range(1, 201), "teff": 5000.0}
    report = await outputs.save_table(
        other_pipeline, table, v_astra="0.6.2", batch_size=5, connections=connections
    )
    assert report.counts == {Outcome.INSERTED: 200}
    assert waiting == 0
    assert most <= 3 * connections + 2
