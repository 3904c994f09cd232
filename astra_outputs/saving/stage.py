"""`Stage`: the temporary tables through which a batch goes, and the transaction around them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

import asyncpg

from astra_outputs.postgres.boundaries import begin, end
from astra_outputs.postgres.database import Connection
from astra_outputs.postgres.patience import GONE
from astra_outputs.postgres.pooler import in_time
from astra_outputs.postgres.remembered import remembered
from astra_outputs.saving.columns import Columns
from astra_outputs.saving.encode import HEADER, TRAILER, Rows
from astra_outputs.saving.reruns import SomeAreNew
from astra_outputs.saving.statements import Statements

IN_KEY_ORDER = "set local enable_hashjoin to off; set local enable_mergejoin to off"
"""Leaves the UPDATE one plan: row by row of the temporary table, so that locks are taken in key order."""


class Stage:
    """A transaction in which the temporary tables of some statements are there, and empty.

    It takes one round trip to begin and one to commit. Inside one of the caller's it is a savepoint of that.

    Parameters
    ----------
    connection : asyncpg.Connection
    tables : sequence of Statements
        What will be filled; none for a transaction without COPY.
    rerun : bool
        Whether the rows are expected to be stored already.
    """

    def __init__(self, connection: Connection, tables: Sequence[Statements], *, rerun: bool) -> None:
        self._connection, self._tables, self._rerun = connection, tables, rerun
        self._filled: set[str] = set()
        self._savepoint: asyncpg.transaction.Transaction | None = None

    async def __aenter__(self) -> Self:
        connection = self._connection
        if connection.is_in_transaction():
            self._savepoint = connection.transaction()
            await begin(self._savepoint)
            try:
                for statements in self._tables:
                    await connection.execute(f"{statements.create_stage}; {statements.empty_stage}")
            except BaseException:
                await end(self._savepoint.rollback())
                raise
            return self
        there = remembered(connection)
        first = ["begin", *(one.create_stage for one in self._tables if one.stage not in there)]
        try:
            await connection.execute("; ".join([*first, IN_KEY_ORDER] if self._rerun else first))
        except BaseException:
            await self._undo()
            raise
        return self

    async def fill(self, statements: Statements, columns: Columns, rows: Rows) -> None:
        """Send rows by COPY into the temporary table."""
        if statements.stage in self._filled:  # parts of one class share it
            await self._connection.execute(statements.empty_stage)
        self._filled.add(statements.stage)
        encoder = columns.encoder
        await self._connection.copy_to_table(
            statements.stage,
            schema_name="pg_temp",
            source=_blocks(encoder.blocks(rows)),
            columns=encoder.names,
            format="binary",
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._savepoint is not None:
            await end(self._savepoint.rollback() if kind else self._savepoint.commit())
        elif kind is not None:
            await self._undo(forget=kind is SomeAreNew)
        else:
            await end(self._connection.execute("commit"))
            remembered(self._connection).update(one.stage for one in self._tables)

    async def _undo(self, *, forget: bool = False) -> None:
        # The plan of an UPDATE that found a table (nearly) empty reads all of it for each row, and would stay.
        text = "rollback; discard plans" if forget else "rollback"
        # What led here says more than that the connection is gone, too.
        with suppress(*GONE):
            await end(in_time(self._connection, self._connection.execute(text)))


async def _blocks(blocks: object) -> AsyncIterator[bytes]:
    """Yield what COPY takes; a block is encoded while the one before is on its way."""
    yield HEADER
    for block in blocks:  # type: ignore[attr-defined]
        yield block  # a buffer will do for bytes
    yield TRAILER
