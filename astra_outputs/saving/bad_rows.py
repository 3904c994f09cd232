"""Store the good rows of a batch that the database refused, and find the bad ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from astra_outputs.errors import AstraOutputsError, UnknownReference
from astra_outputs.postgres.database import Connection
from astra_outputs.postgres.sqlstates import is_about_rows
from astra_outputs.saving.report import Rejected
from astra_outputs.saving.rows import Rows
from astra_outputs.saving.statements import Statements
from astra_outputs.saving.writing import Stored

Missing = dict[str, set[int]]
"""Keys that are not stored, by the column that refers to them."""


async def sift(
    rows: Rows, store: Callable[[Rows], Awaitable[Stored]], missing: Callable[[Rows], Awaitable[Missing]]
) -> tuple[list[Stored], list[Rejected]]:
    """Store every row that the database takes.

    Parameters
    ----------
    rows : Rows
    store : Callable
        Stores some of the rows in one transaction.
    missing : Callable
        Asks the database which sources and spectra of the rows are not stored.

    Returns
    -------
    stored : list[Stored]
    rejected : list[Rejected]
        The rows that are at fault, each with what the database said.

    Raises
    ------
    AstraOutputsError
        If it is not a row that is at fault: a lost connection, a missing right, another table.
    """
    try:
        return [await store(rows)], []
    except AstraOutputsError as error:
        if not is_about_rows(error):
            raise
        if isinstance(error, UnknownReference):
            orphans = _orphans(rows, await missing(rows))
            if orphans:
                rest = rows.pick([place for place in range(len(rows.records)) if place not in orphans])
                rejected = [_rejected(rows, place, reason) for place, reason in orphans.items()]
                stored, others = await sift(rest, store, missing) if rest.records else ([], [])
                return stored, rejected + others
        if len(rows.records) == 1:
            return [], [_rejected(rows, 0, str(error))]
    # One bad row in n takes about log2(n) rounds to find, instead of n.
    middle = len(rows.records) // 2
    stored, rejected = await sift(rows.pick(range(middle)), store, missing)
    more, others = await sift(rows.pick(range(middle, len(rows.records))), store, missing)
    return stored + more, rejected + others


async def missing_references(connection: Connection, statements: Statements, rows: Rows) -> Missing:
    """Ask which sources and spectra that rows refer to are not stored: one query a column."""
    missing = {}
    for name, query in statements.missing_references.items():
        wanted = set(rows.sent(name)) - {None}
        missing[name] = {row[0] for row in await connection.fetch(query, sorted(wanted))}
    return missing


def _orphans(rows: Rows, missing: Missing) -> dict[int, str]:
    orphans = {}
    for name, keys in missing.items():
        for place, key in enumerate(rows.sent(name) if keys else ()):
            if key in keys:
                table = rows.records[0].column(name).references
                orphans[place] = f"{name} = {key} is not in {table}: save the source or spectrum first"
    return orphans


def _rejected(rows: Rows, place: int, reason: str) -> Rejected:
    return Rejected(rows.positions[place], rows.key_of(place), reason)
