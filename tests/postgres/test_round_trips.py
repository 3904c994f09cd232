"""How often each operation asks the server, and with how many statements: one for a save, and nothing hidden."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from on_citus import CITUS_DSN
from proxy import Proxy

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar, Source, TheCannon


class Counting(Proxy):
    """Counts what the server says: each time that it waits for the client again, and each statement that it ends."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.seen: Counter[str] = Counter()
        self._rest = b""
        self.cut_before_client_hears = self._count

    def _count(self, content: bytes) -> bool:
        """Take note of the server's messages: a letter, a length, and so many bytes."""
        self._rest += content
        while len(self._rest) >= 5:
            end = 1 + int.from_bytes(self._rest[1:5], "big")
            if len(self._rest) < end:
                break
            self.seen[chr(self._rest[0])] += 1
            self._rest = self._rest[end:]
        return False

    @property
    def counts(self) -> tuple[int, int]:
        """Round trips and statements. ReadyForQuery, and CopyInResponse; CommandComplete, or a suspended portal."""
        return self.seen["Z"] + self.seen["G"], self.seen["C"] + self.seen["s"]


@pytest.fixture
async def counting(database: str) -> AsyncIterator[Counting]:
    proxy = Counting(database)
    await proxy.start()
    yield proxy
    await proxy.stop()


Count = Callable[[Callable[[], Awaitable[Any]]], Awaitable[tuple[int, int]]]


@pytest.fixture
def count(counting: Counting) -> Count:
    async def count_one(work: Callable[[], Awaitable[Any]]) -> tuple[int, int]:
        counting.seen.clear()
        await work()
        return counting.counts

    return count_one


async def listed(rows: AsyncIterator[Any]) -> list[Any]:
    return [row async for row in rows]


@pytest.mark.usefixtures("plain_tables")
async def test_each_operation_asks_the_server_as_often_as_the_docs_say(
    counting: Counting, count: Count, spectra: Any
) -> None:
    stored = await spectra(400)

    def results(number: int, version: str) -> list[TheCannon]:
        return [TheCannon.from_spectrum(s, v_astra=version, teff=5_000.0) for s in stored[:number]]

    async with astra_outputs.connect(counting.dsn, connections=1) as outputs:
        one, *_ = results(1, "0.7.0")
        few, many = results(30, "0.7.0"), results(400, "0.7.0")
        table = {"spectrum_pk": [s.spectrum_pk for s in stored], "v_astra": 7_000, "teff": 4_000.0}
        operations: dict[str, Callable[[], Awaitable[Any]]] = {
            "save": lambda: outputs.save(one),
            "save of a spectrum": lambda: outputs.save(stored[0]),
            "save_many of 30": lambda: outputs.save_many(few),
            "save_many of 400": lambda: outputs.save_many(many),
            "save_many of 400 in batches of 200": lambda: outputs.save_many(many, batch_size=200),
            "save_table of 400": lambda: outputs.save_table(TheCannon, table),
            "get_by_id": lambda: outputs.get_by_id(TheCannon, one.task_pk),
            "get_result": lambda: outputs.get_result(TheCannon, stored[0], v_astra="0.7"),
            "newest result": lambda: outputs.get_result(TheCannon, stored[0]),
            "find": lambda: outputs.find(TheCannon, "teff > $1", 0),
            "find with source": lambda: outputs.find(TheCannon, on=stored[:3], source=True),
            "find of stars": lambda: outputs.find(Source, "sdss_id < $1", 10),
            "stream of 400": lambda: listed(outputs.stream(TheCannon)),
            "columns": lambda: outputs.columns(TheCannon, columns=["teff"]).to_numpy(),
            "columns, 30 and more": lambda: outputs.columns(TheCannon).to_numpy(),
            "pending": lambda: listed(
                outputs.pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra="0.9.0")
            ),
            "count_pending": lambda: outputs.count_pending(
                TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra="0.9.0"
            ),
        }
        for (
            operation
        ) in operations.values():  # the gate looks, statements are prepared, temporary tables made
            for _ in range(2):
                await operation()
        found = {name: await count(operation) for name, operation in operations.items()}
    assert found == documented()
    assert found["save"] == (1, 1)


async def test_a_save_is_one_statement_wherever_the_rows_are(
    counting: Counting, count: Count, spectrum: Any, partitioned: Any, database: str
) -> None:
    if not CITUS_DSN:
        assert partitioned(database, 2, table="the_cannon").returncode == 0
    async with astra_outputs.connect(counting.dsn, connections=1) as outputs:
        for version in ("0.7.0", "0.7.1"):
            await outputs.save(TheCannon.from_spectrum(spectrum, v_astra=version))
        result = TheCannon.from_spectrum(spectrum, v_astra="0.8.0")
        assert await count(lambda: outputs.save(result)) == (1, 1)


def documented() -> dict[str, tuple[int, int]]:
    """Return what the table of docs/scale.md says."""
    text = (Path(__file__).resolve().parents[2] / "docs" / "scale.md").read_text(encoding="utf-8")
    _, _, table = text.partition("| operation | round trips | statements |")
    rows = re.findall(r"^\| (.+?) \| (\d+) \| (\d+) \|", table.partition("\n\n")[0], re.MULTILINE)
    return {name: (int(trips), int(statements)) for name, trips, statements in rows}
