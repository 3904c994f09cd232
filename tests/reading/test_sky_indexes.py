"""`near` finds the same sources by the plain index, by q3c and by pg_sphere, and uses the one that is there."""

from __future__ import annotations

import random
from typing import Any

import asyncpg
import pytest

from astra_outputs import Source
from astra_outputs.reading.near import within
from astra_outputs.reading.question import Question

INDEXES = {
    "q3c": "create index source_q3c_idx on astra.source (q3c_ang2ipix(ra, dec))",
    "pg_sphere": "create index source_spoint_idx on astra.source using gist (spoint(radians(ra), radians(dec)))",
}
CIRCLES = [
    *((10.0, 20.0, 1e-4), (10.0, 20.0, 0.5), (359.99, -89.9, 0.3), (0.0, 90.0, 5.0), (0.01, 0.0, 3.0)),
    *((180.0, -45.0, 9.9), (77.0, 12.0, 60.0), (5.0, 5.0, 180.0)),
]


@pytest.fixture
async def sources(outputs: Any) -> list[Source]:
    draw = random.Random(7)
    around = [
        (ra + draw.gauss(0, 1) * radius, max(-90, min(90, dec + draw.gauss(0, 1) * radius)))
        for ra, dec, radius in CIRCLES
        for _ in range(25)
    ]
    anywhere = [(draw.uniform(0, 360), draw.uniform(-90, 90)) for _ in range(200)]
    places = [(ra % 360, dec) for ra, dec in [*around, *anywhere, (10.0, 20.0), (0.0, 90.0)]]
    stored = [Source(sdss_id=n, ra=ra, dec=dec) for n, (ra, dec) in enumerate(places, 1)]
    stored.append(Source(sdss_id=10**6))
    await outputs.save_many(stored)
    return stored


async def install(connection: asyncpg.Connection, extension: str) -> None:
    known = "select count(*) from pg_available_extensions where name = $1"
    if not await connection.fetchval(known, extension):
        pytest.skip(f"this PostgreSQL has no {extension}")
    await connection.execute(f"create extension {extension}")


@pytest.mark.parametrize("extension", INDEXES)
async def test_an_index_of_an_extension_is_used_and_finds_the_same_sources(
    outputs: Any, connection: asyncpg.Connection, sources: Any, extension: str
) -> None:
    before = [await outputs.find(Source, near=circle, order_by="pk") for circle in CIRCLES]
    assert any(before[:4])
    await install(connection, extension)
    assert await Question.of(Source, None, (), {"near": CIRCLES[0]}).suited_to(
        outputs.store.database
    ) == Question.of(Source, None, (), {"near": CIRCLES[0]}), "without an index the extension is of no use"
    await connection.execute(INDEXES[extension])
    await connection.execute("analyze astra.source")
    for circle, expected in zip(CIRCLES, before, strict=True):
        found = await outputs.find(Source, near=circle, order_by="pk")
        assert [source.pk for source in found] == [source.pk for source in expected], circle
        columns = await outputs.columns(Source, near=circle, columns=["pk"], order_by="pk").to_numpy()
        assert columns["pk"].tolist() == [source.pk for source in expected], circle
    question = await Question.of(Source, "sdss_id > $1", (0,), {"near": CIRCLES[1]}).suited_to(
        outputs.store.database
    )
    await connection.execute("set enable_seqscan = off")
    plan = await connection.fetch(
        f"explain {question.statement('astra', 'source.pk').text}", *question.values
    )
    index = INDEXES[extension].split()[2]
    assert any(index in line for (line,) in plan), plan
    await connection.execute(f"drop index astra.{index}")
    assert len(await outputs.find(Source, near=CIRCLES[1])) == len(before[1])


@pytest.mark.parametrize("extension", INDEXES)
def test_a_circle_of_an_extension_is_checked_exactly_as_well(extension: str) -> None:
    plain, indexed = within((1, 2, 3), "source"), within((1, 2, 3), "source", (extension, 'a"b'))
    assert "".join(map(str, plain.pieces)).partition("power(")[2].count("sind") == 2
    assert '"a""b".' in str(indexed.pieces[0])
    assert any("power(sind" in str(piece) for piece in indexed.pieces)
    assert within((1, 2, 30), "source", (extension, "public")) == within((1, 2, 30), "source")
