"""SQLAlchemy: Core's insertmanyvalues, and the ORM's bulk upsert."""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from benchmarks.peers.base import Peer
from benchmarks.tables import KEY, SCHEMA, Row, Table

TYPES = {
    "bigint": sa.BigInteger,
    "integer": sa.Integer,
    "real": sa.REAL,
    "double precision": sa.Double,
    "text": sa.Text,
}


def table_of(table: Table, metadata: sa.MetaData) -> sa.Table:
    """Return the table as SQLAlchemy sees it."""
    times = [
        sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.statement_timestamp())
        for name in ("created", "modified")
    ]
    return sa.Table(
        table.name,
        metadata,
        sa.Column("task_pk", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("v_astra_major_minor", sa.Integer, sa.Computed("v_astra / 1000", persisted=True)),
        *times,
        *(sa.Column(name, TYPES[table.sql_type(name)]) for name in table.columns),
        schema=SCHEMA,
    )


class Core(Peer):
    """Core: one statement with many rows of values, as many as the driver's parameters allow.

    On asyncpg, with which it is several times faster than with psycopg.
    """

    label: ClassVar[str] = "SQLAlchemy Core"

    async def open(self) -> None:
        url = self.setting.dsn.replace("postgresql://", "postgresql+asyncpg://")
        self.engine = create_async_engine(url, pool_size=1)
        self.metadata = sa.MetaData()
        self.target = table_of(self.table, self.metadata)
        self.statement = self._upsert(self.target)

    async def close(self) -> None:
        await self.engine.dispose()

    def _upsert(self, target: Any) -> Any:
        upsert = insert(target)
        upsert = upsert.on_conflict_do_update(
            index_elements=list(KEY), set_={name: upsert.excluded[name] for name in self.table.replaced}
        )
        return upsert.returning(self.target.c.spectrum_pk, self.target.c.task_pk)

    async def save_batch(self, batch: list[Row]) -> list[Any]:
        async with self.engine.begin() as connection:
            return list(await connection.execute(self.statement, batch))


class Orm(Core):
    """ORM: a mapped class, and a session that returns the stored objects' keys."""

    label: ClassVar[str] = "SQLAlchemy ORM"
    slow: ClassVar[bool] = True

    async def open(self) -> None:
        await super().open()
        registry = orm.registry(metadata=self.metadata)
        mapped = type("Result", (), {})
        registry.map_imperatively(mapped, self.target)
        self.registry = registry
        upsert = insert(mapped)
        upsert = upsert.on_conflict_do_update(
            index_elements=list(KEY), set_={name: upsert.excluded[name] for name in self.table.replaced}
        )
        self.statement = upsert.returning(mapped)

    async def close(self) -> None:
        self.registry.dispose()
        await super().close()

    async def save_batch(self, batch: list[Row]) -> list[Any]:
        # Without `render_nulls` each pattern of NULLs among the values is a statement of its own.
        options = {"populate_existing": True, "render_nulls": True}
        async with AsyncSession(self.engine) as session, session.begin():
            results = await session.scalars(self.statement, batch, execution_options=options)
            return [(result.spectrum_pk, result.task_pk) for result in results]
