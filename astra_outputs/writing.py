"""Store one batch of records in one transaction, and match what comes back by key."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

import asyncpg

from astra_outputs.database import Connection
from astra_outputs.errors import KeyMismatch, Problem
from astra_outputs.records.base import Outcome, Record
from astra_outputs.statements import Statements

COPY_FROM = 8
"""Batches of at least this many records go by COPY and merge, smaller ones row by row."""

INSERTED, REPLACED = Outcome.INSERTED, Outcome.REPLACED


class Saved(NamedTuple):
    """What the database says of one record; `take_over` tells the record once that is certain."""

    record: Record
    outcome: Outcome
    columns: dict[str, Any]

    def take_over(self) -> None:
        """Tell the record what is stored; to be called when its transaction has ended well."""
        self.record._stored(self.outcome, **self.columns)


def sorted_by_key(records: Sequence[Record], key: tuple[str, ...]) -> list[Record]:
    """Return the records in the order of their keys, in which every writer locks its rows."""
    return sorted(records, key=attrgetter(*key))


async def save_one(connection: Connection, statements: Statements, record: Record) -> Saved:
    """Store one record: one statement, one round trip.

    A spectrum takes a transaction besides, which ends badly if the record brings another number
    than the stored one.
    """
    if statements.makes_spectra:
        return (await save_batch(connection, statements, [record]))[0]
    row = await connection.fetchrow(statements.upsert_row, *_values(statements)(record.__dict__))
    return (await _matched(connection, statements, [record], [] if row is None else [row]))[0]


async def save_batch(
    connection: Connection, statements: Statements, records: Sequence[Record]
) -> list[Saved]:
    """Store records that have different keys, in one transaction, in the order of their keys.

    Inside a transaction of the caller's it is a savepoint of that one.
    """
    records = sorted_by_key(records, statements.key)
    rows = list(map(_values(statements), map(_dict, records)))
    async with connection.transaction():
        if len(records) < COPY_FROM:
            stored = await connection.fetchmany(statements.upsert_row, rows)
        else:
            stored = await _copy_and_merge(connection, statements, rows)
        return await _matched(connection, statements, records, stored)


async def _copy_and_merge(
    connection: Connection, statements: Statements, rows: list[tuple[Any, ...]]
) -> list[asyncpg.Record]:
    await connection.execute(statements.create_stage)
    await connection.copy_records_to_table(statements.stage, records=rows, columns=statements.columns)
    stored: list[asyncpg.Record] = await connection.fetch(statements.merge_stage)
    return stored


async def _matched(
    connection: Connection, statements: Statements, records: Sequence[Record], rows: Sequence[asyncpg.Record]
) -> list[Saved]:
    """Match rows to records by key; ask for those that a guard left as they were."""
    width, names = len(statements.key), statements.stored
    key_of = attrgetter(*statements.key) if width > 1 else _single(statements.key[0])
    by_key = {key_of(record): record for record in records}
    saved = []
    for row in rows:
        record = by_key.pop(tuple(row[:width]))
        columns = {name: row[name] for name in names}
        saved.append(Saved(record, INSERTED if row["inserted"] else REPLACED, columns))
    if by_key:
        saved += await _held_back(connection, statements, by_key)
    if statements.makes_spectra:
        _refuse_other_spectrum(saved)
    return saved


async def _held_back(
    connection: Connection, statements: Statements, by_key: dict[tuple[Any, ...], Record]
) -> list[Saved]:
    """Return the stored columns of the rows that a guard kept."""
    width, names = len(statements.key), statements.stored
    columns = list(map(list, zip(*by_key, strict=True)))
    saved = []
    for row in await connection.fetch(statements.stored_rows, *columns):
        record = by_key[tuple(row[:width])]
        newer = statements.guards.keep_newer and row["v_astra"] > record.__dict__["v_astra"]
        outcome = Outcome.KEPT if newer else Outcome.UNCHANGED
        saved.append(Saved(record, outcome, {name: row[name] for name in names}))
    return saved


def _refuse_other_spectrum(saved: Sequence[Saved]) -> None:
    """A stored spectrum keeps its number: a record that brings another one is in error."""
    for record, _, columns in saved:
        given, stored = record.__dict__["spectrum_pk"], columns["spectrum_pk"]
        if given is not None and given != stored:
            problem = Problem("spectrum_pk", given, f"is stored as spectrum {stored}; leave spectrum_pk out")
            raise KeyMismatch(record.table, (problem,))


def _values(statements: Statements) -> itemgetter[Any]:
    return itemgetter(*statements.columns)


def _single(name: str) -> Any:
    value = attrgetter(name)
    return lambda record: (value(record),)


_dict = attrgetter("__dict__")
