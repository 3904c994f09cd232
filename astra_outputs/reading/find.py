"""Records under a condition: all at once, or as a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Container, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from astra_outputs.errors import DatabaseError, InvalidCondition
from astra_outputs.model.record import Record
from astra_outputs.postgres.database import Database
from astra_outputs.postgres.sqlstates import OUTSIDE_TRANSACTION, is_about_condition
from astra_outputs.reading.question import Question
from astra_outputs.reading.readable import check_readable
from astra_outputs.reading.rows import Rows
from astra_outputs.reading.scope import SOURCE, SPECTRUM

R = TypeVar("R", bound=Record)

PAGE = 1_000
"""Rows that a stream takes from its cursor at once."""


@dataclass(frozen=True)
class Finding(Generic[R]):
    """A question whose answer is records.

    Attributes
    ----------
    question : Question
    rows : Rows
        How its rows become records.
    along : dict[str, Rows]
        The spectrum and the source, where they come along.
    """

    question: Question
    rows: Rows[R]
    along: dict[str, Rows[Any]]

    @classmethod
    def of(cls, record_class: type[R], question: Question, *, spectrum: bool, source: bool) -> Finding[R]:
        """Return what is to be found, with spectra and sources or without.

        Raises
        ------
        InvalidCondition
            If the rows have no spectrum, or no source.
        """
        scope = question.scope
        wanted = [SPECTRUM] * spectrum + [SOURCE] * source
        for alias in wanted:
            if scope.table(alias) is scope.record_class:
                raise InvalidCondition(
                    f"{alias}=True is for rows that belong to one, not for {alias}s themselves"
                )
        along = {alias: Rows(scope.table(alias), alias) for alias in wanted}
        return cls(question, Rows(record_class, scope.main), along)

    def text(self, schema: str, may_be_nan: Mapping[type[Record], Container[str]]) -> str:
        """Return the statement; of each table the numbers that may be NaN are given."""
        every = (self.rows, *self.along.values())
        columns = ", ".join(rows.columns(may_be_nan[rows.record_class]) for rows in every)
        return self.question.statement(schema, columns, self.along).text

    async def all(self, database: Database) -> list[R]:
        """Return all of the records."""
        text, values = await self._asked(database)
        with blaming_the_condition():
            rows = await database.run(
                lambda connection: connection.fetch(text, *values), where=self.rows.record_class.table
            )
        return self._records(rows)

    async def stream(self, database: Database, page: int = PAGE) -> AsyncIterator[R]:
        """Yield the records, held back by the reader: a page of them is in memory.

        Until the first page is there, a lost connection is made anew; later it is an error, since other
        rows would follow those that were given.
        """
        text, values = await self._asked(database)
        where = self.rows.record_class.table

        async def fetched(inside: Database, cursor: Any) -> list[Any]:
            with blaming_the_condition():
                return await inside.run(lambda _: cursor.fetch(page), where=where)

        async def begun() -> tuple[AsyncExitStack, Database, Any, list[Any]]:
            async with AsyncExitStack() as stack:
                inside = await stack.enter_async_context(_in_transaction(database))
                with blaming_the_condition():
                    cursor = await inside.run(
                        lambda connection: connection.cursor(text, *values), where=where
                    )
                rows = await fetched(inside, cursor)
                return stack.pop_all(), inside, cursor, rows

        stack, inside, cursor, rows = await database.repeat(begun, where=where)
        async with stack:
            while True:
                was_full = len(rows) == page
                for record in self._records(rows):
                    yield record
                if not was_full:
                    return
                rows = await fetched(inside, cursor)

    async def _asked(self, database: Database) -> tuple[str, tuple[Any, ...]]:
        """Return the statement and its values, once the tables are known to be as the records say."""
        may_be_nan = {
            rows.record_class: await check_readable(database, rows.record_class)
            for rows in (self.rows, *self.along.values())
        }
        asked = replace(self, question=await self.question.suited_to(database))
        return asked.text(database.schema, may_be_nan), asked.question.values

    def _records(self, rows: list[Any]) -> list[R]:
        """Return the records of rows, each in the place of its row: both at once would take twice the memory."""
        record_of, first = self.rows.record, self.rows.width
        both = len(self.along) == 2
        for place, row in enumerate(rows):
            record = rows[place] = record_of(row)
            start = first
            for alias, others in self.along.items():
                record.__dict__[alias] = others.record(row, start)
                start += others.width
            if both:
                _pass_on(record.__dict__)
        return rows


def _pass_on(result: dict[str, Any]) -> None:
    """Give the source of a result to its spectrum as well, where both came along and the spectrum is of that source."""
    spectrum, source = result.get(SPECTRUM), result.get(SOURCE)
    if spectrum is not None and source is not None and spectrum.source_pk == source.pk:
        spectrum.__dict__[SOURCE] = source


@asynccontextmanager
async def _in_transaction(database: Database) -> AsyncIterator[Database]:
    """Lend a database on which a cursor stays open.

    On a caller's own connection in the caller's transaction: one of ours would take back, where the reader
    stops half-way, what was saved meanwhile.
    """
    if database.borrowed:
        yield database
        return
    async with database.transaction() as inside:
        yield inside


@contextmanager
def blaming_the_condition() -> Iterator[None]:
    """Raise as InvalidCondition what the server, or the driver, has to say of the condition."""
    try:
        yield
    except DatabaseError as error:
        if error.sqlstate == OUTSIDE_TRANSACTION:
            raise InvalidCondition(
                "a stream on your own connection needs a transaction: `async with connection.transaction():`"
            ) from error
        if not is_about_condition(error):
            raise
        raise InvalidCondition(str(error)) from error
