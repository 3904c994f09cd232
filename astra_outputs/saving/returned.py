"""What the database says of the rows of a batch, matched to them by key, never by position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from astra_outputs.postgres.database import Connection
from astra_outputs.saving.columns import Columns
from astra_outputs.saving.keys import Indexes, Keys, indexes_of
from astra_outputs.saving.left_out import left_out, refuse_other_key
from astra_outputs.saving.one_row import code_of_kept, refuse_other_spectrum
from astra_outputs.saving.statements import Statements

Values = Sequence[Any]


@dataclass(frozen=True)
class Part:
    """Rows of a batch with different keys, in the order of their keys.

    Attributes
    ----------
    columns : Columns
        What is sent for the batch.
    rows : ndarray of int
        Which rows of it these are.
    keys : Keys
        Their keys.
    given : frozenset of str, optional
        The columns that are replaced where a row is there; all of them if not given.
    """

    columns: Columns
    rows: Indexes
    keys: Keys
    given: frozenset[str] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, indexes: Indexes | slice) -> Part:
        """Return some of the rows."""
        return replace(self, rows=self.rows[indexes], keys=self.keys.take(indexes))


@dataclass(frozen=True)
class Stored:
    """What the database says of the rows of a part, in their order.

    Attributes
    ----------
    part : Part
    codes : bytes
        One outcome for each row, as a report keeps them.
    columns : mapping of str to Sequence
        The columns that the database decides; times as seconds since 1970.
    """

    part: Part
    codes: bytes
    columns: Mapping[str, Values]


async def matched(
    connection: Connection, statements: Statements, part: Part, returned: Sequence[Values]
) -> Stored:
    """Match returned rows, one sequence a column of `statements.returned`, to those of a part.

    Rows that a guard left as they were are asked for.

    Raises
    ------
    DatabaseError
        If the server neither stored nor kept some of the rows.
    KeyMismatch
        If a spectrum brings another number than the stored one has.
    """
    found = dict(zip(statements.returned, returned, strict=True))
    codes, columns = bytes(found["inserted"]), {name: found[name] for name in statements.stored}
    keys = _keys(statements, part, found)
    if len(codes) < len(part):
        indexes = _places(statements, part, keys)
        left = np.ones(len(part), bool)
        left[indexes] = False
        kept = await _held_back(connection, statements, part.take(np.flatnonzero(left)))
        order = np.argsort(np.concatenate((indexes, np.flatnonzero(left))), kind="stable").tolist()
        both = {name: [*columns[name], *kept.columns[name]] for name in columns}
        stored = _ordered(Stored(part, codes + kept.codes, both), order)
    elif keys.equal(part.keys):  # they nearly always come in the order sent, which nobody promises
        stored = Stored(part, codes, columns)
    else:
        order = np.argsort(_places(statements, part, keys)).tolist()
        stored = _ordered(Stored(part, codes, columns), order)
    if statements.makes_spectra:
        _refuse_other_spectra(statements, stored)
    return stored


def _places(statements: Statements, part: Part, keys: Keys) -> Indexes:
    """Return where the keys that came back stand among those that were sent."""
    try:
        return indexes_of(keys, part.keys)
    except KeyError as error:
        refuse_other_key(statements, None, error.args[0])
        raise


def _keys(statements: Statements, part: Part, found: Mapping[str, Values]) -> Keys:
    columns = [
        np.array(found[name], like.dtype)
        for name, like in zip(statements.key, part.keys.columns, strict=True)
    ]
    return Keys(statements.key, tuple(columns))


def _ordered(stored: Stored, order: list[int]) -> Stored:
    columns: dict[str, Values] = {
        name: list(map(values.__getitem__, order)) for name, values in stored.columns.items()
    }
    return Stored(stored.part, bytes(map(stored.codes.__getitem__, order)), columns)


async def _held_back(connection: Connection, statements: Statements, part: Part) -> Stored:
    """Return what is stored where a guard kept it, in the order of the rows."""
    arrays = [column.tolist() for column in part.keys.columns]
    rows = await connection.fetch(statements.stored_rows, *arrays) if statements.guards else []
    if len(rows) < len(part):
        there = {tuple(row[name] for name in statements.key) for row in rows}
        lost = next(key for key in zip(*arrays, strict=True) if key not in there)
        raise left_out(statements, lost)
    found = {name: [row[name] for row in rows] for name in rows[0].keys()}  # noqa: SIM118 (a driver's row)
    order = np.argsort(indexes_of(_keys(statements, part, found), part.keys)).tolist()
    found = {name: list(map(values.__getitem__, order)) for name, values in found.items()}
    if statements.is_result:
        sent = part.columns.values("v_astra", part.rows)
        versions = zip(found["v_astra"], sent, strict=True)
        codes = bytes(code_of_kept(statements, newer=stored > given) for stored, given in versions)
    else:
        codes = bytes([code_of_kept(statements, newer=False)]) * len(part)
    return Stored(part, codes, {name: found[name] for name in statements.stored})


def _refuse_other_spectra(statements: Statements, stored: Stored) -> None:
    given = stored.part.columns.values("spectrum_pk", stored.part.rows)
    for one, number in zip(given, stored.columns["spectrum_pk"], strict=True):
        refuse_other_spectrum(statements, one, number)
