"""Sends the rows of a batch on one connection: many by COPY and merge, few as one array of rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

import asyncpg
import numpy as np

from astra_outputs.postgres.database import Connection
from astra_outputs.postgres.remembered import remembered
from astra_outputs.saving.encode import Rows
from astra_outputs.saving.keys import Indexes
from astra_outputs.saving.reruns import SomeAreNew
from astra_outputs.saving.returned import Part, Stored, matched
from astra_outputs.saving.size import TooLarge, too_large
from astra_outputs.saving.stage import Stage
from astra_outputs.saving.statements import Statements

COPY_FROM_VALUES = 10_000
"""Batches of so many values go by COPY and merge, smaller ones at once, as one array of rows.

The two cross between 200 and 400 rows of 26 columns, at 200 of 66, and beyond 80 of 206 (benchmarks/small.py).
"""

COPY_FROM_VALUES_ROW_BY_ROW = 2_500
"""The same where there is no type for such an array, and small batches go row by row."""

IDLE = nullcontext()
"""Nobody waits for the server to be at work."""

Work = Sequence[tuple[Statements, Part]]


async def store_parts(
    connection: Connection,
    work: Work,
    check: Callable[[list[Stored]], None] | None = None,
    at_work: AbstractContextManager[None] = IDLE,
    *,
    rerun: bool = False,
) -> list[Stored]:
    """Store the parts of a batch in one transaction; inside one of the caller's, in a savepoint of that.

    Parameters
    ----------
    connection : asyncpg.Connection
    work : sequence of (Statements, Part)
    check : Callable, optional
        Called with what is stored before the transaction ends; what it raises undoes all.
    at_work : context manager
        Entered while the server works and there is time for something else.
    rerun : bool
        Whether all rows are expected to be stored already.

    Raises
    ------
    SomeAreNew
        If they are not; then nothing is stored.
    """
    inside = connection.is_in_transaction()
    if not inside:
        await _make_row_types(connection, work)
    # What the order of an UPDATE needs would stay on in a caller's transaction.
    rerun = rerun and not inside and all(statements.may_update for statements, _ in work)
    if len(work) == 1 and not inside and check is None and _is_one_statement(connection, *work[0]):
        return [await _store(connection, None, *work[0], at_work, rerun=False)]
    copied = list(dict.fromkeys(one for one, part in work if _goes_by_copy(connection, one, part)))
    async with Stage(connection, copied, rerun=rerun) as stage:
        stored = [await _store(connection, stage, *one, at_work, rerun=rerun) for one in work]
        if check is not None:
            check(stored)
        return stored


async def _store(
    connection: Connection,
    stage: Stage | None,
    statements: Statements,
    part: Part,
    at_work: AbstractContextManager[None],
    *,
    rerun: bool,
) -> Stored:
    returned: Sequence[Sequence[Any]]
    if stage is not None and _goes_by_copy(connection, statements, part):
        try:
            await stage.fill(statements, part.columns, _as_slice(part.rows))
        except TooLarge as error:
            key = part.keys.named(int(np.flatnonzero(part.rows == error.row)[0]))
            raise too_large(statements.record_class.table, error.column, error.size, key) from None
        with at_work:
            text = statements.update_stored if rerun else statements.upsert_stage
            (arrays,) = await connection.fetch(text)
        returned = [values or () for values in arrays]
        if rerun and len(returned[0]) < len(part):
            raise SomeAreNew
    else:
        rows = part.columns.rows(part.rows)
        with at_work:
            if len(part) == 1:
                (row,) = rows
                found = await connection.fetch(statements.upsert_row, *row)
            elif statements.row_type in remembered(connection):
                found = await connection.fetch(statements.upsert_rows, list(rows))
            else:
                found = await connection.fetchmany(statements.upsert_each, rows)
        returned = list(zip(*found, strict=True)) if found else [()] * len(statements.returned)
    return await matched(connection, statements, part, returned)


async def _make_row_types(connection: Connection, work: Work) -> None:
    """Make the types of the rows that are to be sent at once, where they are not there and will stay."""
    there = remembered(connection)
    if not there.lasts:
        return
    for statements, part in work:
        few = len(part) > 1 and len(part) * len(statements.columns) < COPY_FROM_VALUES
        if few and _may_go_at_once(part) and statements.row_type not in there:
            # It is there where a call was cancelled just when it had been made.
            with suppress(asyncpg.DuplicateObjectError, asyncpg.DuplicateTableError):
                await connection.execute(statements.create_row_type)
            there.update([statements.row_type])


def _goes_by_copy(connection: Connection, statements: Statements, part: Part) -> bool:
    if not _may_go_at_once(part):
        return True
    at_once = statements.row_type in remembered(connection)
    values = len(part) * len(statements.columns)
    return values >= (COPY_FROM_VALUES if at_once else COPY_FROM_VALUES_ROW_BY_ROW)


def _may_go_at_once(part: Part) -> bool:
    return part.columns.go_at_once and part.columns.fit_a_message


def _is_one_statement(connection: Connection, statements: Statements, part: Part) -> bool:
    """Tell whether no transaction is needed around what the driver sends at once."""
    if statements.makes_spectra or _goes_by_copy(connection, statements, part):
        return False
    if statements.traits.may_drop_rows and len(part) > 1:
        return False
    return len(part) == 1 or not statements.guards


def _as_slice(rows: Indexes) -> Rows:
    """Return neighbouring rows as a slice, which needs no copy."""
    first = int(rows[0]) if len(rows) else 0
    neighbours = np.array_equal(rows, np.arange(first, first + len(rows)))
    return slice(first, first + len(rows)) if neighbours else rows
