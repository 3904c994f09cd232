"""A stream of any length takes the memory of a few batches."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import psutil
import pytest
from shares import at_full_size

from astra_outputs import Outcome

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
