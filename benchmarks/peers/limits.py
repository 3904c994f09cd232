"""The limits: a client that costs nothing, and no client at all."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Sequence
from typing import Any, ClassVar

from benchmarks.measure import chunks
from benchmarks.peers.with_asyncpg import CopyAndMerge, WithAsyncpg
from benchmarks.tables import Row, Table

HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
TRAILER = struct.pack("!h", -1)
NULL = struct.pack("!i", -1)
FORMATS = {"bigint": "!iq", "integer": "!ii", "real": "!if", "double precision": "!id"}
SIZES = {"bigint": 8, "integer": 4, "real": 4, "double precision": 8}


def encoded(table: Table, rows: Sequence[Row]) -> bytes:
    """Return rows in PostgreSQL's binary COPY format, as its documentation of COPY describes it."""
    types = [(name, table.sql_type(name)) for name in table.columns]
    parts = [HEADER]
    for row in rows:
        parts.append(struct.pack("!h", len(types)))
        for name, kind in types:
            value = row[name]
            if value is None:
                parts.append(NULL)
            elif kind == "text":
                text = value.encode()
                parts += (struct.pack("!i", len(text)), text)
            else:
                parts.append(struct.pack(FORMATS[kind], SIZES[kind], value))
    return b"".join([*parts, TRAILER])


class EncodedCopy(CopyAndMerge):
    """The bytes of every batch are ready before the clock starts."""

    label: ClassVar[str] = "limit: bytes encoded beforehand"

    def prepare(self, rows: list[Row]) -> Any:
        return [encoded(self.table, batch) for batch in chunks(rows, self.batch)]

    async def save_batch(self, batch: bytes) -> list[Any]:
        async with self.connection.transaction():
            await self.connection.copy_to_table(
                "stage", source=_once(batch), columns=self.table.columns, format="binary"
            )
            found: list[Any] = await self.connection.fetch(self.merge)
            return found


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


class ServerAlone(WithAsyncpg):
    """The rows lie on the server already."""

    label: ClassVar[str] = "limit: server alone"
    returns_keys: ClassVar[bool] = False

    async def open(self) -> None:
        await super().open()
        columns = ", ".join(self.table.columns)
        rows = f"select {columns} from {self.table.seed} where spectrum_pk between $1 and $2"
        self.statement = self.table.upsert(rows)

    async def save_batch(self, batch: list[Row]) -> list[Any]:
        await self.connection.execute(self.statement, batch[0]["spectrum_pk"], batch[-1]["spectrum_pk"])
        return []
