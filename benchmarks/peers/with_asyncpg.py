"""asyncpg by hand: what a careful author writes, knowing this one table."""

from __future__ import annotations

from operator import itemgetter
from typing import Any, ClassVar

import asyncpg

from benchmarks.peers.base import Peer
from benchmarks.tables import SCHEMA, Row


class WithAsyncpg(Peer):
    """What all ways have in common."""

    async def open(self) -> None:
        self.connection = await asyncpg.connect(self.setting.dsn, server_settings={"search_path": SCHEMA})
        self.values = itemgetter(*self.table.columns)
        places = ", ".join(f"${number}" for number in range(1, len(self.table.columns) + 1))
        self.upsert = self.table.upsert(f"values ({places})")

    async def close(self) -> None:
        await self.connection.close()


class Executemany(WithAsyncpg):
    label: ClassVar[str] = "asyncpg executemany"
    returns_keys: ClassVar[bool] = False

    async def save_batch(self, batch: list[Row]) -> list[Any]:
        async with self.connection.transaction():
            await self.connection.executemany(self.upsert, list(map(self.values, batch)))
        return []


class Fetchmany(WithAsyncpg):
    label: ClassVar[str] = "asyncpg fetchmany"

    async def save_batch(self, batch: list[Row]) -> list[Any]:
        async with self.connection.transaction():
            rows = list(map(self.values, batch))
            found: list[Any] = await self.connection.fetchmany(self.upsert + self.table.RETURNING, rows)
            return found


class Unnest(WithAsyncpg):
    label: ClassVar[str] = "asyncpg unnest"

    async def open(self) -> None:
        await super().open()
        arrays = ", ".join(
            f"${number}::{self.table.sql_type(name)}[]" for number, name in enumerate(self.table.columns, 1)
        )
        self.statement = self.table.upsert(f"select * from unnest({arrays})") + self.table.RETURNING

    async def save_batch(self, batch: list[Row]) -> list[Any]:
        columns = map(list, zip(*map(self.values, batch), strict=True))
        found: list[Any] = await self.connection.fetch(self.statement, *columns)
        return found


class CopyAndMerge(WithAsyncpg):
    label: ClassVar[str] = "asyncpg COPY and merge"

    async def open(self) -> None:
        await super().open()
        columns = ", ".join(self.table.columns)
        await self.connection.execute(
            f"create temporary table stage on commit delete rows as select {columns} from {self.table.name} limit 0"
        )
        self.merge = self.table.upsert(f"select {columns} from stage") + self.table.RETURNING

    async def save_batch(self, batch: list[Row]) -> list[Any]:
        async with self.connection.transaction():
            rows = list(map(self.values, batch))
            await self.connection.copy_records_to_table("stage", records=rows, columns=self.table.columns)
            found: list[Any] = await self.connection.fetch(self.merge)
            return found
