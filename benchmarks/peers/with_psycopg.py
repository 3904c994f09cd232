"""psycopg 3: executemany in pipeline mode, and COPY and merge."""

from __future__ import annotations

from operator import itemgetter
from typing import Any, ClassVar

import psycopg

from benchmarks.peers.base import Peer
from benchmarks.tables import SCHEMA, Row


class WithPsycopg(Peer):
    """What both ways have in common."""

    async def open(self) -> None:
        options = f"-c search_path={SCHEMA}"
        self.connection = await psycopg.AsyncConnection.connect(self.setting.dsn, options=options)
        self.values = itemgetter(*self.table.columns)

    async def close(self) -> None:
        await self.connection.close()


class Executemany(WithPsycopg):
    label: ClassVar[str] = "psycopg executemany"
    slow: ClassVar[bool] = True

    async def open(self) -> None:
        await super().open()
        places = ", ".join(["%s"] * len(self.table.columns))
        self.statement = self.table.upsert(f"values ({places})") + self.table.RETURNING

    async def save_batch(self, batch: list[Row]) -> list[Any]:
        pairs: list[Any] = []
        async with self.connection.transaction(), self.connection.cursor() as cursor:
            await cursor.executemany(self.statement, map(self.values, batch), returning=True)
            while True:
                pairs += await cursor.fetchall()
                if not cursor.nextset():
                    return pairs


class CopyAndMerge(WithPsycopg):
    label: ClassVar[str] = "psycopg COPY and merge"

    async def open(self) -> None:
        await super().open()
        columns = ", ".join(self.table.columns)
        await self.connection.execute(
            f"create temporary table stage on commit delete rows as select {columns} from {self.table.name} limit 0"
        )
        await self.connection.commit()
        self.copy = f"copy stage ({columns}) from stdin (format binary)"
        self.types = [self.table.sql_type(name) for name in self.table.columns]
        self.merge = self.table.upsert(f"select {columns} from stage") + self.table.RETURNING

    async def save_batch(self, batch: list[Row]) -> list[Any]:
        async with self.connection.transaction(), self.connection.cursor() as cursor:
            async with cursor.copy(self.copy) as copy:
                copy.set_types(self.types)
                for row in batch:
                    await copy.write_row(self.values(row))
            await cursor.execute(self.merge)
            return await cursor.fetchall()
