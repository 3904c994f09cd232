"""How the temporary table of a batch is merged into the table of its results.

Most saves are re-runs, whose rows are stored already. An UPDATE takes three quarters of the server's time of
INSERT ... ON CONFLICT DO UPDATE, which takes each row's lock first and tries an insertion. So a batch whose
rows are expected to be there is an UPDATE. Where it does not find all of them it is undone, and the upsert
takes all: to add the others afterwards would lock rows out of the order of their keys, and so would two
writers of the same spectra meet in a deadlock.

Times are returned as they are, or as `seconds`; see `Statements.returned`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sized
from functools import lru_cache
from typing import TypeVar

from sqlglot import exp

from astra_outputs.database import Connection
from astra_outputs.records.base import Record
from astra_outputs.report import INSERTED
from astra_outputs.statements import Statements, _column, _name, _returned, _sql

Fetched = TypeVar("Fetched", bound=Sized)

IN_KEY_ORDER = "set local enable_hashjoin to off; set local enable_mergejoin to off"
"""Leaves the UPDATE one plan: row by row of the temporary table, so that locks are taken in key order."""


class Reruns:
    """Expects of the next batch of a table what became of the last one, whichever call it was in.

    Only the time depends on it.
    """

    def __init__(self) -> None:
        self._last: dict[type[Record], bool] = {}

    def expected(self, record_class: type[Record]) -> bool:
        """Tell whether all rows of the next batch are expected to be stored already."""
        return self._last.get(record_class, True)

    def learn(self, record_class: type[Record], outcomes: bytes) -> None:
        """Take note of what became of a batch."""
        self._last[record_class] = INSERTED not in outcomes


def may_replace(statements: Statements) -> bool:
    """Tell whether `replace` does what `upsert_all` does where all rows are there."""
    return statements.is_result and not statements.guards


async def merge(
    connection: Connection,
    statements: Statements,
    length: int,
    fetch: Callable[[str], Awaitable[Fetched]],
    *,
    seconds: bool,
    again: bool,
) -> Fetched:
    """Store the rows of the temporary table, in a transaction of our own.

    Parameters
    ----------
    connection : asyncpg.Connection
    statements : Statements
    length : int
        Number of the rows.
    fetch : Callable
        Runs a statement, and returns what it returns.
    seconds : bool
    again : bool
        Whether all rows are expected to be stored already.
    """
    if again:
        await connection.execute("savepoint all_are_there")
        replaced = await fetch(replace(statements, seconds=seconds))
        if len(replaced) == length:
            return replaced
        await connection.execute("rollback to savepoint all_are_there")
    return await fetch(upsert_all(statements, seconds=seconds))


@lru_cache(maxsize=1024)
def upsert_all(statements: Statements, *, seconds: bool = False) -> str:
    """Store every row of the temporary table; returns the columns `returned`."""
    return _sql(statements._upsert(_rows(statements), seconds=seconds))


@lru_cache(maxsize=1024)
def replace(statements: Statements, *, seconds: bool = False) -> str:
    """Replace the stored rows that have the key of a row of the temporary table; returns as `upsert_all`."""
    names = statements._replaced
    values = [exp.EQ(this=_column(name), expression=_column(name, "sent")) for name in names]
    now = _parsed(statements.record_class.column("modified").server_default)
    values.append(exp.EQ(this=_column("modified"), expression=now))
    returned = [_returned(name, "kept", seconds=seconds) for name in statements.returned[:-1]]
    update = exp.Update(
        this=_kept(statements),
        expressions=values,
        from_=exp.From(this=_sent(statements)),
        where=exp.Where(this=_same_key(statements)),
        returning=exp.Returning(expressions=[*returned, exp.alias_(exp.false(), "inserted", quoted=True)]),
    )
    return _sql(update)


@lru_cache(maxsize=1024)
def held_back(statements: Statements) -> str:
    """Return what is stored under the keys of the rows of the temporary table, and its version."""
    query = exp.select(*(_column(name, "kept") for name in (*statements.returned[:-1], "v_astra")))
    return _sql(query.from_(_kept(statements)).join(_sent(statements), on=_same_key(statements)))


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
