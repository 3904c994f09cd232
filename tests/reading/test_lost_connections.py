"""A connection that is lost while an answer is read: made anew while nothing was given away, else an error."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from proxy import Proxy, proxied

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar
from astra_outputs.errors import ConnectionLost

pytest.importorskip("pyarrow")


@pytest.fixture
async def proxy(database: str) -> AsyncIterator[Proxy]:
    async with proxied(database) as proxy:
        yield proxy


def once(word: bytes) -> Any:
    """Cut the first time that a word passes."""
    seen: list[bytes] = []

    def cut(content: bytes) -> bool:
        if word in content and not seen:
            seen.append(content)
            return True
        return False

    return cut


async def streamed(outputs: Any) -> list[int]:
    return [spectrum.pk async for spectrum in outputs.stream(ApogeeCoaddedSpectrumInApStar, order_by="pk")]


async def as_arrow(outputs: Any) -> list[int]:
    columns = outputs.columns(ApogeeCoaddedSpectrumInApStar, columns=["pk"], order_by="pk")
    return (await columns.to_arrow())["pk"].to_pylist()


async def as_numpy(outputs: Any) -> list[int]:
    columns = outputs.columns(ApogeeCoaddedSpectrumInApStar, columns=["pk"], order_by="pk")
    return (await columns.to_numpy())["pk"].tolist()


async def as_batches(outputs: Any) -> list[int]:
    columns = outputs.columns(ApogeeCoaddedSpectrumInApStar, columns=["pk"], order_by="pk")
    return [pk async for batch in columns.batches() for pk in batch["pk"].to_pylist()]


WAYS = [streamed, as_arrow, as_numpy, as_batches]


@pytest.mark.parametrize("read", WAYS)
async def test_a_connection_that_went_away_while_it_was_idle_is_made_anew(
    proxy: Proxy, spectra: Any, read: Any
) -> None:
    stored = [spectrum.pk for spectrum in await spectra(5)]
    async with astra_outputs.connect(proxy.dsn, connections=1) as outputs:
        assert await read(outputs) == stored
        proxy.cut()
        assert await read(outputs) == stored


@pytest.mark.parametrize(
    ("read", "word"),
    [
        (streamed, b"order by"),
        (as_batches, b"REPEATABLE READ"),
        (as_arrow, b"copy (".upper()),
        (as_numpy, b"COPY ("),
    ],
)
async def test_one_that_is_lost_before_the_first_rows_is_made_anew(
    proxy: Proxy, spectra: Any, read: Any, word: bytes
) -> None:
    stored = [spectrum.pk for spectrum in await spectra(5)]
    async with astra_outputs.connect(proxy.dsn, connections=1) as outputs:
        proxy.cut_before_server_hears = once(word)
        assert await read(outputs) == stored
    assert proxy.cuts == 1


async def test_one_that_is_lost_after_rows_were_given_is_an_error(
    proxy: Proxy, spectra: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("astra_outputs.reading.find.Finding.stream.__defaults__", (2,))
    await spectra(5)
    async with astra_outputs.connect(proxy.dsn, connections=1) as outputs:
        given = []
        with pytest.raises(ConnectionLost):  # noqa: PT012
            async for spectrum in outputs.stream(ApogeeCoaddedSpectrumInApStar, order_by="pk"):
                given.append(spectrum.pk)
                proxy.take_down()
        assert len(given) == 2, "the first page"
        proxy.bring_back()
        assert len(await outputs.find(ApogeeCoaddedSpectrumInApStar)) == 5
