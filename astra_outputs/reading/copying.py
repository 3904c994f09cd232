"""Rows of one answer by binary COPY: on one connection, or on several that see the same and share its pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import asyncpg

from astra_outputs.errors import SchemaMismatch
from astra_outputs.model.column_type import type_of
from astra_outputs.model.column_types import TYPES
from astra_outputs.postgres.boundaries import begin, end
from astra_outputs.postgres.database import Database
from astra_outputs.postgres.patience import GONE
from astra_outputs.postgres.sql import literal, qualified, quote, templates
from astra_outputs.postgres.sqlstates import translated
from astra_outputs.reading.find import blaming_the_condition
from astra_outputs.reading.layout import Layout
from astra_outputs.reading.outputs import Output
from astra_outputs.reading.partitioned import is_partitioned
from astra_outputs.reading.question import Question

if TYPE_CHECKING:
    from astra_outputs.postgres.database import Connection
    from astra_outputs.reading.wire import Batch

FEWEST_PAGES = 1_000
"""Pages of a table below which one connection reads it all: 8 MB."""

MANY_COLUMNS = 30
"""Columns whose rows take so much of the server's memory, while they are written, that it may be given back each time."""

AHEAD = 2
"""Batches that are taken from the wire before the reader has asked for them."""

Pages = tuple[int, int | None]
"""The first page of a share, and the first one after it; None for the last share."""


@dataclass(frozen=True)
class Copying:
    """An answer that is read by COPY.

    Attributes
    ----------
    question : Question
    layout : Layout
    connections : int
        Most connections to read on.
    """

    question: Question
    layout: Layout
    connections: int = 1

    @asynccontextmanager
    async def opened(self, database: Database) -> AsyncIterator[Opened]:
        """Lend the answer, read in one snapshot, while the block lasts.

        Until it is lent, a lost connection is made anew.
        """
        table = self.question.scope.record_class.table
        question = await self.question.suited_to(database)
        spread = question.newest and await is_partitioned(database, self.question.scope.record_class)

        async def begun() -> tuple[AsyncExitStack, Opened, int]:
            async with AsyncExitStack() as stack:
                with blaming_the_condition(), translated(table):
                    wanted = self.connections if self._may_be_shared(database) else 1
                    connections = await _transactions(database, wanted, stack)
                    many = len(self.layout.types) >= MANY_COLUMNS
                    names = ["join_partitions"] * spread + ["keep_memory"] * many
                    first = "; ".join(templates("reading")[name].text for name in names)
                    for connection in connections if first else ():
                        await connection.execute(first)
                    text = await self._text(connections[0], database.schema, question)
                    shares = await self._shares(connections, database.schema)
                answer = Opened(text, connections[: len(shares)], shares, borrowed=database.borrowed)
                return stack.pop_all(), answer, len(connections)

        stack, answer, lent = await database.repeat(begun, where=table)
        async with stack:
            with database.held(lent):
                yield answer

    def _may_be_shared(self, database: Database) -> bool:
        """Tell whether several connections may read shares of the rows.

        Not where the rows have an order or a limit; not through a pooler, which may hand out another
        server's connections; not on a connection of the caller's.
        """
        return (
            database.direct
            and not database.borrowed
            and not self.question.order
            and self.question.limit is None
        )

    async def _text(self, connection: Connection, schema: str, question: Question) -> _Text:
        """Return the statement with values as literals, after the server has said of which types all is."""
        layout = self.layout
        text = question.statement(schema, layout.selected, layout.tables).text
        # Without a name, as through a pooler no other is safe.
        prepared = await connection.prepare(text, name="")
        known = {
            name: kind.sql for kind in map(type_of, TYPES.values()) for name in (kind.sql, *kind.spellings)
        }
        names = [attribute.type.name for attribute in prepared.get_attributes()]
        found = [known.get(name, name) for name in names]
        for (name, wanted), kind in zip(layout.types, found, strict=True):
            if kind != wanted:
                raise SchemaMismatch(
                    f"{name} is {kind} in the database and {wanted} in the record class; run `astra-outputs check`",
                    table=question.scope.record_class.table,
                )
        stand_ins = await _literals(connection, prepared.get_parameters(), question.values)
        return _Text(question, schema, layout, stand_ins)

    async def _shares(self, connections: Sequence[Connection], schema: str) -> list[Pages]:
        if len(connections) == 1:
            return [(0, None)]
        table = literal(qualified(schema, self.question.scope.record_class.table))
        pages: int = await connections[0].fetchval(templates("reading")["pages"].fill(table=table))
        if pages < FEWEST_PAGES:
            return [(0, None)]
        return shares_of(pages, len(connections))


def shares_of(pages: int, shares: int) -> list[Pages]:
    """Return ranges of pages, as even as they come; the last has no end."""
    starts = [pages * share // shares for share in range(shares)]
    return list(zip(starts, [*starts[1:], None], strict=True))


@dataclass(frozen=True)
class _Text:
    """The statement of an answer, for all of its rows or for a share of the pages."""

    question: Question
    schema: str
    layout: Layout
    stand_ins: Sequence[str]

    def of(self, pages: Pages) -> str:
        start, end = pages
        row = self.question.scope.main
        also = f"{row}.ctid >= '({start},0)'::tid" if start else ""
        if end is not None:
            also += " and " * bool(also) + f"{row}.ctid < '({end},0)'::tid"
        return self.question.statement(
            self.schema, self.layout.selected, self.layout.tables, stand_ins=self.stand_ins, also=also
        ).text


class Opened:
    """An answer whose snapshot is taken.

    Attributes
    ----------
    shares : sequence of (int, int or None)
        The pages that each connection reads.
    """

    def __init__(
        self, text: _Text, connections: Sequence[Connection], shares: Sequence[Pages], *, borrowed: bool
    ) -> None:
        self.shares = shares
        self._text, self._connections, self._borrowed = text, connections, borrowed
        self._left = False

    async def count(self) -> int:
        """Return how many rows there will be."""
        question = self._text.question
        found: int = await self._connections[0].fetchval(
            question.count(self._text.schema).text, *question.values
        )
        return found if question.limit is None else min(found, question.limit)

    async def measured(self, outputs: Sequence[Output], measures: Sequence[str]) -> list[Any]:
        """Return how many rows there will be, and then aggregates of columns of theirs.

        Parameters
        ----------
        outputs : sequence of Output
            The columns, known as `answer."name"` to the aggregates.
        measures : sequence of str
            The aggregates, as SQL.
        """
        text, question = self._text, self._text.question
        if question.limit is None:
            question = replace(question, order=())
        columns = ", ".join(f"{output.named.sql} as {quote(output.name)}" for output in outputs)
        rows = question.statement(text.schema, columns or "1", {output.named.alias for output in outputs})
        statement = templates("reading")["measured_rows"].fill(
            measures=", ".join(["count(*)", *measures]), rows=rows.text
        )
        with blaming_the_condition(), translated(question.scope.record_class.table):
            return list(await self._connections[0].fetchrow(statement, *question.values) or ())

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """Yield the rows as they come; those of different shares take turns as it happens."""
        queue: asyncio.Queue[Batch | None] = asyncio.Queue(AHEAD)
        reading = [
            asyncio.ensure_future(self._read(connection, pages, queue))
            for connection, pages in zip(self._connections, self.shares, strict=True)
        ]
        end = asyncio.ensure_future(self._end(reading, queue))
        batch: Batch | None = None
        try:
            while (batch := await queue.get()) is not None:
                yield batch
        finally:
            if batch is not None or not end.done():
                self._leave()
                while not end.done():
                    await queue.get()
        error = await end
        if error is not None:
            raise error

    async def _read(self, connection: Connection, pages: Pages, queue: asyncio.Queue[Batch | None]) -> None:
        from astra_outputs.reading.wire import Decoder

        decoder = Decoder(self._text.layout)
        refused: list[SchemaMismatch] = []

        async def take(chunk: bytes) -> None:
            # Raises nothing and is never cancelled: where it was the last chunk already, the driver would
            # wait for ever for the server's word that it stopped.
            try:
                for batch in () if self._left or refused else decoder.feed(chunk):
                    await queue.put(batch)
            except SchemaMismatch as error:
                refused.append(error)

        with blaming_the_condition(), translated(self._text.question.scope.record_class.table):
            await connection.copy_from_query(self._text.of(pages), output=take, format="binary")
        if refused:
            raise refused[0]
        for batch in () if self._left else decoder.finish():
            await queue.put(batch)

    async def _end(
        self, reading: Sequence[asyncio.Future[None]], queue: asyncio.Queue[Batch | None]
    ) -> BaseException | None:
        """Wait until all have read, or one has failed; return its error."""
        done, others = await asyncio.wait(reading, return_when=asyncio.FIRST_EXCEPTION)
        if others:
            self._leave()
            await asyncio.wait(others)
        errors = [share.exception() for share in (*done, *others)]
        await queue.put(None)
        return next((error for error in errors if error is not None), None)

    def _leave(self) -> None:
        """Read no more: connections of our own are ended; on a caller's what still comes is thrown away."""
        self._left = True
        if not self._borrowed:
            for connection in self._connections:
                connection.terminate()


async def _transactions(database: Database, wanted: int, stack: AsyncExitStack) -> list[Connection]:
    """Lend connections, each in a transaction that sees what the first one sees."""
    connections = await stack.enter_async_context(database.several(wanted))
    snapshot = ""
    for place, connection in enumerate(connections):
        if not (database.borrowed and connection.is_in_transaction()):
            await stack.enter_async_context(_transaction(connection))
        if place:
            await connection.execute(f"set transaction snapshot {literal(snapshot)}")
        elif len(connections) > 1:
            snapshot = await connection.fetchval(templates("reading")["share_snapshot"].text)
    return connections


@asynccontextmanager
async def _transaction(connection: Connection) -> AsyncIterator[None]:
    """Have a snapshot, and nothing to keep in the end."""
    transaction = connection.transaction(isolation="repeatable_read", readonly=True)
    try:
        await begin(transaction)
    except asyncpg.InterfaceError as error:
        if connection.is_closed():  # it went away since it was last used
            raise ConnectionResetError("the connection was lost") from error
        raise
    try:
        yield
    finally:
        with suppress(*GONE):  # the connection was ended
            await end(transaction.rollback())


async def _literals(connection: Connection, types: Sequence[Any], values: Sequence[Any]) -> list[str]:
    """Return values as the server itself writes them, each with its type."""
    if not values:
        return []
    written = []
    for number, kind in enumerate(types, start=1):
        name = f"{quote(kind.schema)}.{quote(kind.name.removesuffix('[]'))}{'[]' * kind.name.endswith('[]')}"
        written.append(f"coalesce(quote_literal(${number}::{name}::text), 'null') || {literal('::' + name)}")
    await connection.execute(templates("reading")["all_digits"].text)
    text = templates("reading")["literals"].fill(values=", ".join(written))
    return list(await connection.fetchrow(text, *values) or ())
