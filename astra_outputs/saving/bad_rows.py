"""Store the good rows of a batch that the database refused, and find the bad ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import numpy as np

from astra_outputs.errors import AstraOutputsError, UnknownReference
from astra_outputs.model.version import major_minor
from astra_outputs.postgres.database import Connection, Database
from astra_outputs.postgres.sqlstates import frozen_by, is_about_rows, is_other_source
from astra_outputs.saving.own_source import other_sources
from astra_outputs.saving.report import Rejected
from astra_outputs.saving.returned import Part, Stored
from astra_outputs.saving.statements import Statements

Faults = dict[int, str]
"""Reasons why rows were refused, by their index in a part."""

Missing = dict[str, set[int]]
"""Keys that are not stored, by the column that refers to them."""


async def sift(
    part: Part,
    start: int,
    store: Callable[[Part], Awaitable[Stored]],
    find_faults: Callable[[Part, AstraOutputsError], Awaitable[Faults]],
) -> tuple[list[Stored], list[Rejected]]:
    """Store every row that the database takes.

    Parameters
    ----------
    part : Part
    start : int
        Position in the call of the batch's first row.
    store : Callable
        Stores some of the rows in one transaction.
    find_faults : Callable
        Asks the database which of the rows are at fault; see `faults`.

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
        return [await store(part)], []
    except AstraOutputsError as error:
        if not is_about_rows(error):
            raise
        known = await find_faults(part, error)
        if not known and len(part) == 1:
            return [], [_rejected(part, start, 0, str(error))]
    # One bad row in n takes about log2(n) rounds to find, instead of n.
    indexes = np.arange(len(part))
    rest = [indexes[~np.isin(indexes, list(known))]] if known else np.array_split(indexes, 2)
    stored: list[Stored] = []
    rejected = [_rejected(part, start, index, reason) for index, reason in known.items()]
    for some in rest:
        if len(some):
            more, refused = await sift(part.take(some), start, store, find_faults)
            stored += more
            rejected += refused
    return stored, rejected


async def faults(database: Database, statements: Statements, part: Part, error: AstraOutputsError) -> Faults:
    """Return the rows that an error is about, each with the reason, as far as one look at the database tells them."""
    if isinstance(error, UnknownReference):
        table = statements.record_class.table
        missing = await database.run(
            lambda connection: _missing_references(connection, statements, part), where=table
        )
        return _orphans(part, missing)
    if is_other_source(error):
        spectra, sources = spectra_of(part)
        found = await other_sources(database, statements, spectra, sources, error)
        return {index: str(problem) for index, problem in found.items()}
    return _frozen(part, error)


def spectra_of(part: Part) -> tuple[list[int], list[int | None]]:
    """Return the spectrum and the source of each row, as they were sent."""
    columns = part.columns
    return columns.values("spectrum_pk", part.rows), columns.values("source_pk", part.rows)


async def _missing_references(connection: Connection, statements: Statements, part: Part) -> Missing:
    """Ask which sources and spectra that rows refer to are not stored: one query a column."""
    missing = {}
    for name, query in statements.missing_references.items():
        wanted = set(part.columns.values(name, part.rows)) - {None}
        missing[name] = {row[0] for row in await connection.fetch(query, sorted(wanted))}
    return missing


def _frozen(part: Part, error: AstraOutputsError) -> Faults:
    """Return the rows of the version that an error says is published, each with the reason."""
    frozen = frozen_by(error)
    if frozen is None:
        return {}
    versions = enumerate(part.columns.values("v_astra", part.rows))
    return {index: str(error) for index, v_astra in versions if major_minor(v_astra) == frozen.major_minor}


def _orphans(part: Part, missing: Missing) -> Faults:
    orphans = {}
    for name, keys in missing.items():
        for index, key in enumerate(part.columns.values(name, part.rows) if keys else ()):
            if key in keys:
                table = part.columns.record_class.column(name).references
                orphans[index] = f"{name} = {key} is not in {table}: save the source or spectrum first"
    return orphans


def _rejected(part: Part, start: int, index: int, reason: str) -> Rejected:
    return Rejected(start + int(part.rows[index]), part.keys.named(index), reason)
