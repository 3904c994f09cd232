"""Rows read by their key: one, the newest of one spectrum, or many at once."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from astra_outputs.errors import WrongRecordClass
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.record import Record
from astra_outputs.postgres.sql import Statement, listed, qualified, quote, templates
from astra_outputs.reading.readable import check_readable

if TYPE_CHECKING:
    from astra_outputs.postgres.database import Database

R = TypeVar("R", bound=Record)


async def row_by_id(database: Database, record_class: type[R], pk: int) -> R | None:
    """Return the row with this `task_pk` (or `pk`); None if there is none.

    Raises
    ------
    WrongRecordClass
        If it is no record class.
    """
    return await row_by_key(database, record_class, {_checked(record_class).primary_key: pk})


async def row_by_key(
    database: Database, record_class: type[R], key: Mapping[str, Any], *, newest: bool = False
) -> R | None:
    """Return the row with these values, as a record; None if there is none.

    Parameters
    ----------
    database : Database
    record_class : type[Record]
    key : mapping
        Columns and their values; one row has them, or with `newest` several versions of one.
    newest : bool
        Take the one with the greatest `v_astra`.

    Raises
    ------
    WrongRecordClass
        If it is no record class.
    """
    await check_readable(database, _checked(record_class))
    text = select_row(record_class, database.schema, tuple(key), newest=newest)
    row = await database.run(
        lambda connection: connection.fetchrow(text, *key.values()), where=record_class.table
    )
    return None if row is None else record_class.from_row(dict(row))


async def rows_by_keys(
    database: Database, record_class: type[R], names: tuple[str, ...], keys: Sequence[tuple[Hashable, ...]]
) -> dict[tuple[Hashable, ...], R]:
    """Return what is stored under many keys, one query for all, by key.

    Parameters
    ----------
    database : Database
    record_class : type[Record]
    names : tuple[str, ...]
        The columns of the key.
    keys : sequence of tuple
        The values of these columns, for each row.
    """
    await check_readable(database, record_class)
    text = select_rows(record_class, database.schema, names)
    arrays = [[key[place] for key in keys] for place in range(len(names))]
    rows = await database.run(lambda connection: connection.fetch(text, *arrays), where=record_class.table)
    return {tuple(row[name] for name in names): record_class.from_row(dict(row)) for row in rows}


def _checked(record_class: type[R]) -> type[R]:
    if not hasattr(record_class, "natural_keys"):
        raise WrongRecordClass(f"{record_class!r} is not a record class")
    return record_class


@lru_cache(maxsize=1024)
def select_row(
    record_class: type[Record], schema: str, names: tuple[str, ...], *, newest: bool = False
) -> str:
    """Return the statement that reads one row; its parameters: the values of the named columns."""
    return _row(record_class, schema, names, newest=newest).text


@lru_cache(maxsize=1024)
def select_rows(record_class: type[Record], schema: str, names: tuple[str, ...]) -> str:
    """Return the statement that reads many rows; its parameters: an array for each of the named columns."""
    return _rows(record_class, schema, names).text


def statements_of(record_class: type[Record], schema: str) -> list[Statement]:
    """Return the statements by which rows of a table are read by key."""
    found = [_row(record_class, schema, (record_class.primary_key,))]
    if issubclass(record_class, PipelineOutputMixin):
        found.append(_row(record_class, schema, ("spectrum_pk",), newest=True))
    return [*found, *(_rows(record_class, schema, names) for names in record_class.natural_keys)]


def _row(
    record_class: type[Record], schema: str, names: tuple[str, ...], *, newest: bool = False
) -> Statement:
    return templates("by_key")["newest_by_key" if newest else "row_by_key"].statement(
        columns=listed(column.name for column in record_class.columns()),
        table=qualified(schema, record_class.table),
        key=" and ".join(f"{quote(name)} = ${place}" for place, name in enumerate(names, start=1)),
    )


def _rows(record_class: type[Record], schema: str, names: tuple[str, ...]) -> Statement:
    types = (record_class.column(name).type.sql for name in names)
    return templates("by_key")["rows_by_keys"].statement(
        columns=listed((column.name for column in record_class.columns()), "stored"),
        table=qualified(schema, record_class.table),
        arrays=", ".join(f"${place}::{kind}[]" for place, kind in enumerate(types, start=1)),
        key=listed(names),
        matches=" and ".join(f"stored.{quote(name)} = wanted.{quote(name)}" for name in names),
    )
