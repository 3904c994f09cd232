"""How the temporary table of a batch is merged into the table of its results, and the transaction around it.

Most saves are re-runs, whose rows are stored already. An UPDATE takes three quarters of the server's time of
INSERT ... ON CONFLICT DO UPDATE, which takes each row's lock first and tries an insertion. So a batch whose
rows are expected to be there is an UPDATE. Where it does not find all of them the transaction is undone, and in
another one the upsert takes all: to add the others afterwards would lock rows out of the order of their keys,
and so would two writers of the same spectra meet in a deadlock.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from typing import TypeVar

import asyncpg
from sqlglot import exp

from astra_outputs.model.record import Record
from astra_outputs.postgres.database import Connection
from astra_outputs.postgres.pooler import in_time, made_on
from astra_outputs.saving.report import INSERTED
from astra_outputs.saving.statements import Statements, _column, _name, _returned, _sql

T = TypeVar("T")

IN_KEY_ORDER = "set local enable_hashjoin to off; set local enable_mergejoin to off"
"""Leaves the UPDATE one plan: row by row of the temporary table, so that locks are taken in key order."""


class SomeAreNew(Exception):
    """Not all rows of a batch are stored, as they were expected to be."""


class Reruns:
    """Expects of the next batch of a table what became of the last one, whichever call it was in.

    Only the time depends on it.
    """

    def __init__(self) -> None:
        self._last: dict[type[Record], bool] = {}

    async def store(self, record_class: type[Record], work: Callable[[bool], Awaitable[T]]) -> T:
        """Store a batch by `work(again)`, which raises `SomeAreNew` where it was wrong to expect a re-run."""
        if self._last.get(record_class, True):
            with suppress(SomeAreNew):
                return await work(True)
        return await work(False)

    def learn(self, record_class: type[Record], outcomes: bytes) -> None:
        """Take note of what became of a batch."""
        self._last[record_class] = INSERTED not in outcomes


def may_replace(statements: Statements) -> bool:
    """Tell whether `replace` does what `upsert_all` does where all rows are there."""
    return statements.is_result and not statements.guards


@asynccontextmanager
async def transaction(
    connection: Connection, stages: Sequence[Statements], *, again: bool
) -> AsyncIterator[None]:
    """Open a transaction in which the temporary tables of these statements are there, and empty.

    It takes one round trip to begin and one to commit. Inside one of the caller's it is a savepoint of that.
    """
    if connection.is_in_transaction():
        async with connection.transaction():
            for statements in stages:
                await connection.execute(f"{statements.create_stage}; {statements.empty_stage}")
            yield
        return
    made = made_on(connection)
    there = set() if made is None else made
    begin = ["BEGIN", *(statements.create_stage for statements in stages if statements.stage not in there)]
    try:
        await connection.execute("; ".join([*begin, IN_KEY_ORDER] if again else begin))
        yield
    except BaseException:
        # What led here says more than that the connection is gone, too.
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await in_time(connection, connection.execute("ROLLBACK"))
        raise
    await connection.execute("COMMIT")
    there.update(statements.stage for statements in stages)


def merge(statements: Statements, *, again: bool, by_column: bool = False) -> str:
    """Return the statement that stores the rows of the temporary table, in a `transaction`.

    Parameters
    ----------
    statements : Statements
    again : bool
        Whether all rows are expected to be stored already. Whoever runs the statement raises
        `SomeAreNew` where fewer rows come back than were sent.
    by_column : bool
        Whether to return one row, of an array for each of the columns `returned`, and times as seconds.
        A driver's row for each takes the client a microsecond more (measured).
    """
    return (replace if again else upsert_all)(statements, by_column=by_column)


@lru_cache(maxsize=1024)
def upsert_all(statements: Statements, *, by_column: bool = False) -> str:
    """Store every row of the temporary table; returns the columns `returned`."""
    upsert = statements._upsert(_rows(statements), seconds=by_column)
    return _sql(_gathered(statements, upsert) if by_column else upsert)


@lru_cache(maxsize=1024)
def replace(statements: Statements, *, by_column: bool = False) -> str:
    """Replace the stored rows that have the key of a row of the temporary table; returns as `upsert_all`."""
    names = statements._replaced
    values = [exp.EQ(this=_column(name), expression=_column(name, "sent")) for name in names]
    now = _parsed(statements.record_class.column("modified").server_default)
    values.append(exp.EQ(this=_column("modified"), expression=now))
    returned = [_returned(name, "kept", seconds=by_column) for name in statements.returned[:-1]]
    update = exp.Update(
        this=_kept(statements),
        expressions=values,
        from_=exp.From(this=_sent(statements)),
        where=exp.Where(this=_same_key(statements)),
        returning=exp.Returning(expressions=[*returned, exp.alias_(exp.false(), "inserted", quoted=True)]),
    )
    return _sql(_gathered(statements, update) if by_column else update)


@lru_cache(maxsize=1024)
def held_back(statements: Statements) -> str:
    """Return what is stored under the keys of the rows of the temporary table, and its version."""
    query = exp.select(*(_column(name, "kept") for name in (*statements.returned[:-1], "v_astra")))
    return _sql(query.from_(_kept(statements)).join(_sent(statements), on=_same_key(statements)))


def _gathered(statements: Statements, saving: exp.Expression) -> exp.Select:
    """Make one row of all that a statement returns, with an array for each column."""
    arrays = [exp.alias_(exp.ArrayAgg(this=_column(name)), name, quoted=True) for name in statements.returned]
    if isinstance(saving, exp.Select):  # of spectra: reads what it saved already
        return saving.select(*arrays, append=False)
    return exp.select(*arrays).from_("saved").with_("saved", as_=saving)


def _rows(statements: Statements) -> exp.Select:
    values = statements._with_spectrum([_column(name, "sent") for name in statements.columns])
    return exp.select(*values).from_(_sent(statements))


def _same_key(statements: Statements) -> exp.Condition:
    major_minor = _parsed(statements.record_class.column("v_astra_major_minor").generated)
    for column in major_minor.find_all(exp.Column):
        column.replace(_column(column.name, "sent"))
    return exp.and_(
        _column("spectrum_pk", "kept").eq(_column("spectrum_pk", "sent")),
        _column("v_astra_major_minor", "kept").eq(major_minor),
    )


def _parsed(expression: str | None) -> exp.Condition:
    tree: exp.Condition = exp.maybe_parse(expression or "null", into=exp.Condition, dialect="postgres")
    return tree


def _kept(statements: Statements) -> exp.Expr:
    # A table may be called as the other one is: each gets a name of its own.
    return statements._table.as_(_name("kept"), table=True)


def _sent(statements: Statements) -> exp.Expr:
    stage = exp.Table(this=_name(statements.stage), db=_name("pg_temp"))
    return stage.as_(_name("sent"), table=True)
