"""Store records on one connection, and match what comes back by key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

import asyncpg

from astra_outputs.errors import DatabaseError, KeyMismatch, Problem
from astra_outputs.model.column_types import UNIX_EPOCH
from astra_outputs.postgres.database import Connection
from astra_outputs.postgres.pooler import made_on
from astra_outputs.saving import merging
from astra_outputs.saving.report import KEPT, NAMES, UNCHANGED
from astra_outputs.saving.rows import Rows
from astra_outputs.saving.statements import Statements

COPY_FROM_VALUES = 10_000
"""Batches of so many values go by COPY and merge, smaller ones at once, as one array of rows.

The two cross between 200 and 400 rows of 26 columns, at 200 of 66, and beyond 80 of 206 (measured).
"""

COPY_FROM_VALUES_ROW_BY_ROW = 2_500
"""The same where there is no type for such an array, and small batches go row by row."""

IDLE = nullcontext()
"""Nobody waits for the server to be at work."""

TIMES = ("created", "modified")


@dataclass
class Stored:
    """What the database says of some records; `tell` tells the records once that is certain.

    Attributes
    ----------
    rows : Rows
    outcomes : bytes
        One for each row, as the report keeps them.
    columns : dict[str, Sequence]
        The columns that the database decides.
    """

    rows: Rows
    outcomes: bytes
    columns: dict[str, Sequence[Any]]

    def tell(self) -> None:
        """Tell the records what is stored; to be called when their transaction has ended well."""
        records = list(map(attrgetter("__dict__"), self.rows.records))
        # One column after the other: a sixth of the time of one `_stored` a record (measured).
        for name, values in self.columns.items():
            for record, value in zip(records, values, strict=True):
                record[name] = value
        for record, code in zip(records, self.outcomes, strict=True):
            record["outcome"] = NAMES[code]


async def save_one(connection: Connection, statements: Statements, rows: Rows) -> Stored:
    """Store one record: one statement, one round trip.

    A spectrum takes a transaction besides, which ends badly if the record brings another number
    than the stored one. So does a record inside the caller's transaction, a savepoint: what is
    refused must not end that.
    """
    if statements.makes_spectra or connection.is_in_transaction():
        return (await save_rows(connection, [(statements, rows)]))[0]
    return await _save(connection, statements, rows, IDLE)


async def save_rows(
    connection: Connection,
    parts: Sequence[tuple[Statements, Rows]],
    check: Callable[[list[Stored]], None] | None = None,
    at_work: AbstractContextManager[None] = IDLE,
    *,
    again: bool = False,
) -> list[Stored]:
    """Store rows in one transaction; inside one of the caller's, in a savepoint of that.

    Parameters
    ----------
    connection : asyncpg.Connection
    parts : sequence of (Statements, Rows)
    check : Callable, optional
        Called with what is stored before the transaction ends; what it raises undoes all.
    at_work : context manager
        Entered while the server works and there is time for something else.
    again : bool
        Whether all rows are expected to be stored already.

    Raises
    ------
    SomeAreNew
        If they are not; then nothing is stored.
    """
    inside = connection.is_in_transaction()
    if not inside:
        await _make_row_types(connection, parts)
    # What `merging.replace` needs would stay on in a caller's transaction.
    again = again and not inside and all(merging.may_replace(statements) for statements, _ in parts)
    if len(parts) == 1 and not inside and check is None and _is_one_statement(connection, *parts[0]):
        return [await _save(connection, *parts[0], at_work)]
    copied = [statements for statements, rows in parts if _goes_by_copy(connection, statements, rows)]
    async with merging.transaction(connection, copied, again=again):
        stored: list[Stored] = []
        for statements, rows in parts:
            if stored and statements in copied:  # parts of one class share the temporary table
                await connection.execute(statements.empty_stage)
            stored.append(await _save(connection, statements, rows, at_work, again=again))
        if check is not None:
            check(stored)
        return stored


async def _make_row_types(connection: Connection, parts: Sequence[tuple[Statements, Rows]]) -> None:
    """Make the types of the rows that are to be sent at once, where they are not there and will stay."""
    made = made_on(connection)
    if made is None:
        return
    for statements, rows in parts:
        if statements.row_type not in made and len(rows.records) > 1 and len(rows.values) < COPY_FROM_VALUES:
            # It is there where a call was cancelled just when it had been made.
            with suppress(asyncpg.DuplicateObjectError, asyncpg.DuplicateTableError):
                await connection.execute(statements.create_row_type)
            made.add(statements.row_type)


def _at_once(connection: Connection, statements: Statements) -> bool:
    """Tell whether rows can be sent as one array."""
    return statements.row_type in (made_on(connection) or ())


def _goes_by_copy(connection: Connection, statements: Statements, rows: Rows) -> bool:
    at_once = _at_once(connection, statements)
    return len(rows.values) >= (COPY_FROM_VALUES if at_once else COPY_FROM_VALUES_ROW_BY_ROW)


def _is_one_statement(connection: Connection, statements: Statements, rows: Rows) -> bool:
    """Tell whether no transaction is needed around what the driver sends at once."""
    if statements.makes_spectra:
        return False
    if len(rows.records) == 1:
        return True
    return not (statements.guards or _goes_by_copy(connection, statements, rows))


async def _save(
    connection: Connection,
    statements: Statements,
    rows: Rows,
    at_work: AbstractContextManager[None],
    *,
    again: bool = False,
) -> Stored:
    """Store rows; where they go by COPY, through a stage that is there and empty."""
    if _goes_by_copy(connection, statements, rows):
        await connection.copy_records_to_table(
            statements.stage, records=rows.sent_by_row(), columns=statements.columns
        )
        with at_work:
            (arrays,) = await connection.fetch(merging.merge(statements, again=again, by_column=True))
        returned = [values or () for values in arrays]
        if again and len(returned[0]) < len(rows.records):
            raise merging.SomeAreNew
        return await _matched(connection, statements, rows, returned)
    with at_work:
        if len(rows.records) == 1:
            found = await connection.fetch(statements.upsert_row, *rows.values)
            if found:  # what a single save spends here is felt
                return _alone(statements, rows, found[0])
        elif _at_once(connection, statements):
            found = await connection.fetch(statements.upsert_rows, list(rows.sent_by_row()))
        else:
            found = await connection.fetchmany(statements.upsert_row, rows.sent_by_row())
    returned = list(zip(*found, strict=True)) if found else [()] * len(statements.returned)
    return await _matched(connection, statements, rows, returned)


async def _matched(
    connection: Connection, statements: Statements, rows: Rows, returned: Sequence[Sequence[Any]]
) -> Stored:
    """Match returned rows, one sequence a column, to records by key.

    Those that a guard left as they were are asked for.
    """
    found = dict(zip(statements.returned, returned, strict=True))
    keys = [found[name] for name in statements.key]
    columns = {name: _times(found[name]) if name in TIMES else found[name] for name in statements.stored}
    stored = Stored(rows, bytes(found["inserted"]), columns)
    if len(stored.outcomes) < len(rows.records):
        held = await _held_back(connection, statements, rows, set(zip(*keys, strict=True)))
        keys = [[*some, *others] for some, others in zip(keys, held.rows.columns, strict=True)]
        columns = {name: [*values, *held.columns[name]] for name, values in columns.items()}
        stored = Stored(rows, stored.outcomes + held.outcomes, columns)
    # They nearly always come in the order sent, which nobody promises.
    if any(list(some) != list(others) for some, others in zip(keys, rows.columns, strict=True)):
        stored = _in_order(stored, keys)
    if statements.makes_spectra:
        _refuse_other_spectrum(stored)
    return stored


def _alone(statements: Statements, rows: Rows, row: asyncpg.Record) -> Stored:
    columns = {name: _times((row[name],)) if name in TIMES else (row[name],) for name in statements.stored}
    stored = Stored(rows, bytes((row["inserted"],)), columns)
    if statements.makes_spectra:
        _refuse_other_spectrum(stored)
    return stored


def _in_order(stored: Stored, keys: Sequence[Sequence[Any]]) -> Stored:
    """Bring what was returned for these keys, one sequence a column, into the order of the rows."""
    places = {key: place for place, key in enumerate(zip(*keys, strict=True))}
    order = [places[key] for key in zip(*stored.rows.columns, strict=True)]
    columns: dict[str, Sequence[Any]] = {
        name: [values[place] for place in order] for name, values in stored.columns.items()
    }
    return Stored(stored.rows, bytes(stored.outcomes[place] for place in order), columns)


async def _held_back(
    connection: Connection, statements: Statements, rows: Rows, written: set[tuple[Any, ...]]
) -> Stored:
    """Return what is stored where a guard kept it."""
    keys = list(zip(*rows.columns, strict=True))
    kept = rows.pick([place for place, key in enumerate(keys) if key not in written])
    found = await connection.fetch(statements.stored_rows, *map(list, kept.columns))
    width = len(statements.key)
    places = {key: place for place, key in enumerate(zip(*kept.columns, strict=True))}
    kept = kept.pick([places.pop(tuple(row[:width])) for row in found])
    if places:
        key = ", ".join(map(str, next(iter(places))))
        raise DatabaseError(
            f"{statements.record_class.table}: the server neither stored nor kept the row with the key ({key}); "
            "look for a trigger that leaves rows out"
        )
    guards = statements.guards
    outcomes = bytes([UNCHANGED if guards.skip_unchanged else KEPT]) * len(found)
    if guards.keep_newer and guards.skip_unchanged:
        versions = zip(found, kept.sent("v_astra"), strict=True)
        outcomes = bytes(KEPT if row["v_astra"] > v_astra else UNCHANGED for row, v_astra in versions)
    return Stored(kept, outcomes, {name: [row[name] for row in found] for name in statements.stored})


def _times(values: Sequence[float]) -> Sequence[datetime]:
    """Return seconds since 1970 as points in time; in a batch most of them are the same."""
    times = {seconds: UNIX_EPOCH + timedelta(microseconds=round(seconds * 1e6)) for seconds in set(values)}
    return list(map(times.__getitem__, values))


def _refuse_other_spectrum(stored: Stored) -> None:
    """A stored spectrum keeps its number: a record that brings another one is in error."""
    for given, number in zip(stored.rows.sent("spectrum_pk"), stored.columns["spectrum_pk"], strict=True):
        if given is not None and given != number:
            problem = Problem("spectrum_pk", given, f"is stored as spectrum {number}; leave spectrum_pk out")
            raise KeyMismatch(stored.rows.records[0].table, (problem,))
