"""Peers on one table with the same rows: each proves what it stores, and then takes its turns by the clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from cProfile import Profile
from dataclasses import dataclass
from typing import Any

import asyncpg

from benchmarks.cpu import ServerCpu
from benchmarks.measure import Series, reason, say
from benchmarks.peers import Peer, Setting, load
from benchmarks.server import connected
from benchmarks.tables import Row, Table, create_parents, fill, load_seed, rows_of

PHASES = {"existing": "true", "new": "false", "half": "spectrum_pk % 2 = 0"}
"""What the table holds before a measurement, by phase."""
PROOF = 1_000
"""Rows in a batch while a peer proves what it stores."""
PROVED = 6 * PROOF
"""Rows in that proof; one batch of the slow."""


class WrongRows(AssertionError):
    """A peer did not store what it was given: its speed means nothing."""


class Race:
    """One table, its rows, and the peers that store them.

    Attributes
    ----------
    table : Table
        What they write to.
    peers : dict[str, Peer]
        Those that proved that they store what they are given.
    errors : dict[str, str]
        Why the others do not.
    """

    def __init__(self, connection: asyncpg.Connection, table: Table, rows: list[Row]) -> None:
        self.table, self.peers, self.errors = table, dict[str, Peer](), dict[str, str]()
        self._connection, self._rows = connection, rows
        self._server_cpu = ServerCpu(connection)
        self._prepared: dict[Any, Any] = {}

    async def enter(self, name: str, setting: Setting, *, slow: bool) -> None:
        """Open a peer and let it store its rows twice: a warm-up, and a proof that it does."""
        peer = None
        try:
            peer = load(name, setting)
            if peer.slow and not slow:
                return
            await peer.open()
            peer.batch = PROOF
            rows = self._rows[: PROOF if peer.slow else PROVED]
            batches = Batches(peer.prepare(rows), len(rows))
            await fill(self._connection, self.table, PHASES["new"])
            for _ in ("inserted", "replaced"):
                await self._prove(peer, batches, await peer.save(batches.prepared))
            self.peers[name] = peer
        except Exception as error:  # noqa: BLE001 (one that fails is reported, and does not stop the others)
            self.errors[name] = reason(error)
            say(f"[red]{name} left out:[/] {self.errors[name]}")
            if peer is not None:
                await _close(peer)

    async def run(
        self, name: str, phase: str, batch: int, series: Series, profiler: Profile | None = None
    ) -> None:
        """Let a peer store its rows once, in batches of a size, by the clock; and under a profiler, if given."""
        peer = self.peers[name]
        peer.batch = batch
        batches = self._batches(peer)
        await fill(self._connection, self.table, PHASES[phase])
        series.server_cpu = self._server_cpu.seconds

        async def save() -> Any:
            with profiler or nullcontext():
                return await peer.save(batches.prepared)

        try:
            await series.add(save, batches.rows)
        except Exception as error:  # noqa: BLE001 (it is reported; the others go on)
            series.error = reason(error)

    async def close(self) -> None:
        """Disconnect everybody."""
        for peer in self.peers.values():
            await _close(peer)

    def _batches(self, peer: Peer) -> Batches:
        """Return a peer's rows, prepared; peers that prepare them in one way share them."""
        way = type(peer).prepare, 0 if peer.cuts_batches else peer.batch, peer.slow
        if way not in self._prepared:
            mine = self._rows[: peer.batch] if peer.slow else self._rows
            self._prepared[way] = Batches(peer.prepare(mine), len(mine))
        found: Batches = self._prepared[way]
        return found

    async def _prove(self, peer: Peer, batches: Batches, saved: Any) -> None:
        """Refuse a peer unless all its rows are stored as given, and the keys are those stored."""
        table = self.table
        mine, given = ("(" + ", ".join(f"{one}.{name}" for name in table.columns) + ")" for one in ("r", "s"))
        same = await self._connection.fetchval(
            f"select count(*) from {table.name} r join {table.seed} s using (spectrum_pk) where {mine} is not distinct from {given}"
        )
        if same != batches.rows:
            raise WrongRows(f"{same} of {batches.rows} rows are stored as given")
        if peer.returns_keys:
            stored = dict(await self._connection.fetch(f"select spectrum_pk, task_pk from {table.name}"))
            if peer.keys(batches.prepared, saved) != stored:
                raise WrongRows("the keys returned are not those stored")


@dataclass(frozen=True)
class Batches:
    """Rows in the form in which a peer takes them."""

    prepared: Any
    rows: int


@asynccontextmanager
async def race(
    dsn: str, table: Table, count: int, names: Sequence[str], *, slow: bool = True
) -> AsyncIterator[Race]:
    """Make a table for so many rows, and let peers enter the race for it, the slow ones if they may."""
    rows = rows_of(table, count)
    async with connected(dsn) as connection:
        await create_parents(connection, count)
        await connection.execute(table.create())
        await load_seed(connection, table, rows)
        await connection.execute("checkpoint")
        found = Race(connection, table, rows)
        try:
            for name in names:
                await found.enter(name, Setting(dsn, table), slow=slow)
            yield found
        finally:
            await found.close()
            await connection.execute(f"drop table {table.name}, {table.seed}")


async def _close(peer: Peer) -> None:
    try:
        await peer.close()
    except Exception as error:  # noqa: BLE001 (it failed before it was open)
        say(f"{peer.label}: {reason(error)}")
