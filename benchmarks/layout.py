"""What full re-runs do to a table: its size, its indexes, the share of heap-only updates, the speed.

Every variant of the storage settings gets a table of its own. All are filled with the same rows, and
then re-run in turn, whole, by COPY and merge with the bytes encoded beforehand, so that the server's
work is what differs.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from statistics import median
from typing import Any

import asyncpg

from benchmarks.measure import Series, say
from benchmarks.peers import Setting, load
from benchmarks.server import connected, one_row, set_autovacuum
from benchmarks.tables import Table, create_parents, fill, load_seed, rows_of

FILLFACTORS = (100, 90, 80, 70, 60, 50)


@dataclass(frozen=True)
class Variant:
    """One way of laying a table out, and who vacuums it."""

    fillfactor: int
    source_index: bool = True
    vacuum: str = "after each re-run"
    """Who vacuums: "after each re-run", "never", or settings of autovacuum."""
    batch: int = 2_000
    rest: bool = False
    """Whether autovacuum has ended before the next re-run begins, as if that were hours later."""

    @property
    def name(self) -> str:
        index = "" if self.source_index else ", no index on source_pk"
        batch = "" if self.batch == 2_000 else f", batches of {self.batch:,}"
        pace = "" if "=" not in self.vacuum else ", hours apart" if self.rest else ", back to back"
        return f"fillfactor {self.fillfactor}{index}{batch}, vacuum {self.vacuum}{pace}".replace(
            "vacuum auto", "auto"
        )

    @property
    def settings(self) -> str:
        own = f", {self.vacuum}" if "=" in self.vacuum else ", autovacuum_enabled = off"
        return f"fillfactor = {self.fillfactor}{own}"


def variants(fillfactors: tuple[int, ...] = FILLFACTORS) -> list[Variant]:
    """Return what is compared."""
    found = [Variant(factor) for factor in fillfactors]
    found += [Variant(factor, vacuum="never") for factor in fillfactors]
    found += [Variant(factor, source_index=False) for factor in (100, 50)]
    found += [Variant(factor, batch=200) for factor in (100, 90, 70, 50)]
    return found


def autovacuums(fillfactors: tuple[int, ...] = (100, 50)) -> list[Variant]:
    """Return the settings of autovacuum that are compared."""
    default, often = (f"autovacuum_vacuum_scale_factor = {share}" for share in (0.2, 0.05))
    found = [
        Variant(factor, vacuum=vacuum, rest=True) for factor in fillfactors for vacuum in (default, often)
    ]
    found += [Variant(factor, vacuum=default) for factor in fillfactors]
    return [*found, Variant(fillfactors[-1], vacuum=f"{default}, autovacuum_analyze_scale_factor = 100")]


async def run(dsn: str, sizes: dict[int, int], reruns: int, chosen: list[Variant]) -> dict[str, Any]:
    """Return, by width and variant, what came of the re-runs; all variants take turns."""
    found: dict[str, Any] = {}
    for width, count in sizes.items():
        say(f"layout: {width} columns, {len(chosen)} variants of {count:,} rows, {reruns} re-runs")
        found[str(width)] = {
            "rows": count,
            "variants": await _width(dsn, Table(width), count, reruns, chosen),
        }
    return {"reruns": reruns, "widths": found}


async def run_autovacuum(
    dsn: str, sizes: dict[int, int], reruns: int, chosen: list[Variant]
) -> dict[str, Any]:
    """Return the same under autovacuum: each variant by itself, so that it is vacuumed while it works."""
    found: dict[str, Any] = {}
    await set_autovacuum(dsn, on=True)
    for width, count in sizes.items():
        say(f"autovacuum: {width} columns, {len(chosen)} variants of {count:,} rows, {reruns} re-runs")
        each = [await _width(dsn, Table(width), count, reruns, [variant]) for variant in chosen]
        found[str(width)] = {"rows": count, "variants": [entry for entries in each for entry in entries]}
    await set_autovacuum(dsn, on=False)
    return {"reruns": reruns, "widths": found}


class Contender:
    """A variant's table, and what was seen of it."""

    def __init__(self, variant: Variant, table: Table, rows: list[dict[str, Any]], dsn: str) -> None:
        self.variant, self.table, self.series = variant, table, Series()
        self.sizes: list[list[float]] = []
        self.wal: list[float] = []
        self._dsn, self._rows = dsn, rows

    async def make(self, connection: asyncpg.Connection) -> None:
        """Create and fill the table, and connect."""
        await connection.execute(
            self.table.create(self.variant.settings, source_index=self.variant.source_index)
        )
        await load_seed(connection, self.table, self._rows)
        await fill(connection, self.table)
        await connection.execute(f"drop table {self.table.seed}")
        await self._note(connection)
        self.peer = load("encoded_copy", Setting(self._dsn, self.table, self.variant.batch))
        await self.peer.open()
        self.prepared = self.peer.prepare(self._rows)

    async def rerun(self, connection: asyncpg.Connection) -> None:
        """Store every row again."""
        before = await connection.fetchval("select pg_current_wal_insert_lsn() - '0/0'")
        await self.series.add(lambda: self.peer.save(self.prepared), len(self._rows))
        after = await connection.fetchval("select pg_current_wal_insert_lsn() - '0/0'")
        self.wal.append(float(after - before) / len(self._rows))
        if self.variant.vacuum == "after each re-run":
            await connection.execute(f"vacuum {self.table.name}")
        if self.variant.rest:
            await _autovacuum_ended(connection, self.table.name)
        await self._note(connection)

    async def _note(self, connection: asyncpg.Connection) -> None:
        query = "select pg_table_size($1::text::regclass), pg_indexes_size($1::text::regclass)"
        self.sizes.append([size / 2**20 for size in await one_row(connection, query, self.table.name)])

    async def summary(self, connection: asyncpg.Connection) -> dict[str, Any]:
        """Return what is written down, and drop the table."""
        await self.peer.close()
        await asyncio.sleep(1.1)  # a backend reports its counters at most once a second, or when it ends
        await connection.execute("select pg_stat_clear_snapshot()")
        counters = await one_row(
            connection,
            "select n_tup_upd, n_tup_hot_upd, autovacuum_count from pg_stat_user_tables where relid = $1::text::regclass",
            self.table.name,
        )
        await connection.execute(f"drop table {self.table.name}")
        (heap, indexes), (heap_last, indexes_last) = self.sizes[0], self.sizes[-1]
        return {
            "variant": self.variant.name,
            **self.series.summary(),
            "first_rerun": round(self.series.rates()[0]),
            "later_reruns": round(median(self.series.rates()[1:] or self.series.rates())),
            "hot": round(counters["n_tup_hot_upd"] / max(1, counters["n_tup_upd"]), 3),
            "autovacuums": counters["autovacuum_count"],
            "wal_bytes_a_row": round(median(self.wal)),
            "table_mib": [round(heap, 2), round(heap_last, 2)],
            "indexes_mib": [round(indexes, 2), round(indexes_last, 2)],
        }


async def _autovacuum_ended(connection: asyncpg.Connection, table: str) -> None:
    """Wait until autovacuum, which looks every second, has had its time and has nothing left to do."""
    working = "select count(*) from pg_stat_activity where backend_type = 'autovacuum worker' and strpos(query, $1) > 0"
    idle = 0
    while idle < 5:  # a worker that finds nothing is gone at once
        await asyncio.sleep(0.5)
        idle = 0 if await connection.fetchval(working, table) else idle + 1


@dataclass(frozen=True)
class NamedTable(Table):
    """A table of its own for one variant."""

    number: int = 0

    @property
    def name(self) -> str:
        return f"layout{self.width}_{self.number}"


async def _width(
    dsn: str, table: Table, count: int, reruns: int, chosen: list[Variant]
) -> list[dict[str, Any]]:
    rows = rows_of(table, count)
    async with connected(dsn) as connection:
        await create_parents(connection, count)
        contenders = [
            Contender(variant, NamedTable(table.width, number=number), rows, dsn)
            for number, variant in enumerate(chosen)
        ]
        for contender in contenders:
            await contender.make(connection)
        await connection.execute("checkpoint")
        for _ in range(reruns):
            for contender in contenders:
                await contender.rerun(connection)
        return [await contender.summary(connection) for contender in contenders]
