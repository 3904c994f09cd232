"""What a result was before it was replaced, where the schema keeps its history (schema/add-ons/history.sql)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from astra_outputs.errors import InvalidRecord, Problem, SchemaMismatch, WrongRecordClass, shorten
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.record import Record
from astra_outputs.postgres.sql import Statement, listed, qualified, templates
from astra_outputs.postgres.sqlstates import NO_TABLE

if TYPE_CHECKING:
    from astra_outputs.postgres.database import Database

P = TypeVar("P", bound=PipelineOutputMixin)

TABLE = "result_history"
"""The table that schema/add-ons/history.sql makes."""

ALWAYS = frozenset({"modified"})
"""Columns that every replacement sets anew; they are not listed as changed."""


@dataclass(frozen=True)
class Change(Generic[P]):
    """One time that a result was replaced or deleted.

    Attributes
    ----------
    event : str
        "replaced" or "deleted".
    time : datetime
    user : str
        Who did it: the user of the connection, which behind a pooler may be the pooler's.
    before : PipelineOutputMixin
        The result as it was until then.
    changed : Mapping[str, tuple[Any, Any]]
        The columns that got another value, with the old and the new one; `modified` is left out.
        Empty if the result was deleted.
    """

    event: str
    time: datetime
    user: str
    before: P
    changed: Mapping[str, tuple[Any, Any]]


async def history_of(database: Database, result: P) -> list[Change[P]]:
    """Return how a stored result came to be what it is; see `Outputs.history`."""
    if not isinstance(result, PipelineOutputMixin):
        raise WrongRecordClass(f"history is kept of a pipeline's results, not of {shorten(result)}")
    if result.task_pk is None:
        problem = Problem("task_pk", None, "the result was not stored: save it or get it first")
        raise InvalidRecord(result.table, (problem,))
    return await history(database, type(result), result.task_pk)


async def history(database: Database, record_class: type[P], task_pk: int) -> list[Change[P]]:
    """Return the history of the result with this key, which may be deleted by now.

    Raises
    ------
    WrongRecordClass
        If it is not a pipeline's record class.
    SchemaMismatch
        If the schema keeps no history.
    """
    if not issubclass(record_class, PipelineOutputMixin):
        raise WrongRecordClass(f"history is kept of a pipeline's results, not of {record_class.table}")
    text, values = kept_rows(record_class, database.schema), (record_class.table, task_pk)
    try:
        rows = await database.run(
            lambda connection: connection.fetch(text, *values), where=record_class.table
        )
    except SchemaMismatch as error:
        if error.sqlstate != NO_TABLE:
            raise
        raise SchemaMismatch(
            f"{database.where}: schema {database.schema} keeps no history; the DBA may switch it on with "
            f"`psql -v schema={database.schema} -f schema/add-ons/history.sql`",
            sqlstate=NO_TABLE,
            table=TABLE,
        ) from error
    return _changes(record_class, rows)


def _changes(record_class: type[P], rows: Iterable[Iterable[Any]]) -> list[Change[P]]:
    names = [column.name for column in record_class.columns()]
    changes: list[Change[P]] = []
    after: dict[str, Any] = {}
    for _, event, time, user, *values in rows:
        before = dict(zip(names, values, strict=True))
        if event is not None:
            # Where the result was deleted, nothing came after.
            pairs = {name: (before[name], after[name]) for name in after if name not in ALWAYS}
            changed = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
            changes.append(Change(event, time, user, _record(record_class, before), changed))
        after = before
    return changes


def _record(record_class: type[P], row: Mapping[str, Any]) -> P:
    """Return a row as a record; a column that the table got later has its default."""
    required = {column.name for column in record_class.columns() if not column.nullable}
    return record_class.from_row(
        {name: value for name, value in row.items() if value is not None or name not in required}
    )


@lru_cache(maxsize=256)
def kept_rows(record_class: type[PipelineOutputMixin], schema: str) -> str:
    """Return the statement that reads a result, and before that every row that it replaced, newest first.

    Its parameters: the table's name and the key of the result. One statement sees all as at one moment.
    """
    return _filled(record_class, schema).text


def statements_of(record_class: type[Record], schema: str) -> list[Statement]:
    """Return the statement that reads a result's history; none for another table."""
    return [_filled(record_class, schema)] if issubclass(record_class, PipelineOutputMixin) else []


def _filled(record_class: type[PipelineOutputMixin], schema: str) -> Statement:
    names = [column.name for column in record_class.columns()]
    table = qualified(schema, record_class.table)
    return templates("history")["history"].statement(
        columns=listed(names, "stored"),
        table=table,
        old_columns=listed(names, "old"),
        kept=qualified(schema, TABLE),
        row=table,
    )
