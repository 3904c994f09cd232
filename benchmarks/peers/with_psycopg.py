"""psycopg 3: executemany in pipeline mode, and COPY and merge.

COPY and merge goes through psycopg's blocking connection, with rows read back in binary: the fastest of its
ways, by a tenth to a third of the client's time. A program with an event loop would have to wait for it in a thread.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any, ClassVar

import psycopg

from benchmarks.peers.base import Peer
from benchmarks.tables import SCHEMA, Row

OPTIONS = f"-c search_path={SCHEMA}"


class Executemany(Peer):
    label: ClassVar[str] = "psycopg executemany"
    slow: ClassVar[bool] = True

    async def open(self) -> None:
        self.connection = await psycopg.AsyncConnection.connect(self.setting.dsn, options=OPTIONS)
        self.values = itemgetter(*self.table.columns)
        places = ", ".join(["%s"] * len(self.table.columns))
        self.statement = self.table.upsert(f"values ({places})") + self.table.RETURNING

    async def close(self) -> None:
        await self.connection.close()

    async def save_batch(self, batch: list[Row]) -> list[Any]:
        pairs: list[Any] = []
        async with self.connection.transaction(), self.connection.cursor() as cursor:
            await cursor.executemany(self.statement, map(self.values, batch), returning=True)
            while True:
                pairs += await cursor.fetchall()
                if not cursor.nextset():
                    return pairs


class CopyAndMerge(Peer):
    label: ClassVar[str] = "psycopg COPY and merge"

    async def open(self) -> None:
        self.connection = psycopg.connect(self.setting.dsn, options=OPTIONS)
        self.values = itemgetter(*self.table.columns)
        columns = ", ".join(self.table.columns)
        self.connection.execute(
            f"create temporary table stage on commit delete rows as select {columns} from {self.table.name} limit 0"
        )
        self.connection.commit()
        self.copy = f"copy stage ({columns}) from stdin (format binary)"
        self.types = [self.table.sql_type(name) for name in self.table.columns]
        self.merge = self.table.upsert(f"select {columns} from stage") + self.table.RETURNING

    async def close(self) -> None:
        self.connection.close()

    async def save_batch(self, batch: list[Row]) -> list[Any]:
        with self.connection.transaction(), self.connection.cursor(binary=True) as cursor:
            with cursor.copy(self.copy) as copy:
                copy.set_types(self.types)
                write, values = copy.write_row, self.values
                for row in batch:
                    write(values(row))
            return cursor.execute(self.merge).fetchall()
