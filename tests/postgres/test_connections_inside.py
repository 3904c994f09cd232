"""One more connection inside what holds them all: it works with those that are left, or is refused, and never waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar, TheCannon
from astra_outputs.errors import NoConnectionLeft, PipelineFailed

VERSION = "0.8.1"


def results(spectra: list[Any], teff: float = 1.0) -> list[TheCannon]:
    return [TheCannon.from_spectrum(spectrum, v_astra=VERSION, teff=teff) for spectrum in spectra]


def pipeline(spectra: Iterator[Any]) -> Iterator[TheCannon]:
    for spectrum in spectra:
        yield TheCannon.from_spectrum(spectrum, v_astra=VERSION, teff=2.0)


@pytest.mark.parametrize("connections", [2, 3])
async def test_an_atomic_stream_may_read_columns_on_as_many_connections_as_there_are(
    database: str, spectra: Any, connections: int
) -> None:
    stored = await spectra(30)
    async with asyncio.timeout(60), astra_outputs.connect(database, connections=connections) as outputs:
        await outputs.save_many(results(stored[:10]))

        async def stream() -> AsyncIterator[TheCannon]:
            for result in results(stored, 2.0):
                if result.spectrum_pk == stored[15].spectrum_pk:
                    columns = outputs.columns(TheCannon, columns=["teff"], connections=connections)
                    assert (await columns.to_numpy())["teff"].tolist() == [1.0] * 10
                yield result

        assert len(await outputs.save_many(stream(), atomic=True, batch_size=5)) == 30


@pytest.mark.parametrize("connections", [1, 2])
async def test_a_save_inside_an_answer_that_holds_all_connections_is_refused(
    database: str, spectra: Any, connections: int
) -> None:
    stored = await spectra(5)
    async with asyncio.timeout(60), astra_outputs.connect(database, connections=connections) as outputs:
        await outputs.save_many(results(stored))
        columns = outputs.columns(TheCannon, columns=["teff"], connections=connections)
        async with columns.reading():
            with pytest.raises(NoConnectionLeft, match=f"connections={connections + 1}"):
                await outputs.save_many(results(stored))
        await outputs.save_many(results(stored))


async def test_two_answers_at_once_share_the_connections_that_there_are(database: str, spectra: Any) -> None:
    stored = await spectra(5)
    async with asyncio.timeout(60), astra_outputs.connect(database, connections=3) as outputs:
        await outputs.save_many(results(stored))
        asked = [outputs.columns(TheCannon, columns=["teff"], connections=3).to_numpy() for _ in range(6)]
        assert all(answer["teff"].tolist() == [1.0] * 5 for answer in await asyncio.gather(*asked))


async def test_a_run_over_a_stream_that_holds_the_only_connection_is_refused(
    database: str, spectra: Any, tmp_path: Path
) -> None:
    await spectra(5)
    async with asyncio.timeout(60), astra_outputs.connect(database, connections=1) as outputs:
        stream = outputs.stream(ApogeeCoaddedSpectrumInApStar)
        with pytest.raises(NoConnectionLeft, match="connections=2"):
            await outputs.run(pipeline, stream, v_astra=VERSION, spool=tmp_path)


async def test_a_run_gives_the_connection_of_its_stream_back_also_where_it_is_left_half_way(
    database: str, spectra: Any, tmp_path: Path
) -> None:
    await spectra(20)

    def that_fails(some: Iterator[Any]) -> Iterator[TheCannon]:
        yield TheCannon.from_spectrum(next(some), v_astra=VERSION, teff=2.0)
        raise RuntimeError("no more")

    async with asyncio.timeout(60), astra_outputs.connect(database, connections=2) as outputs:
        for work in (pipeline, that_fails):
            stream = outputs.stream(ApogeeCoaddedSpectrumInApStar)
            try:
                await outputs.run(work, stream, v_astra=VERSION, spool=tmp_path)
            except PipelineFailed:
                assert work is that_fails
            # Both are wanted at once.
            async with outputs.store.database.several(2) as lent:
                assert len(lent) == 2
        assert len(await outputs.find(TheCannon)) == 20
