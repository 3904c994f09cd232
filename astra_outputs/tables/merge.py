"""Store encoded rows on one connection: binary COPY, merge, and what the server says, as arrays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import numpy as np

from astra_outputs.errors import DatabaseError
from astra_outputs.model.column_types import PG_EPOCH
from astra_outputs.postgres.database import Connection
from astra_outputs.saving import merging
from astra_outputs.saving.report import KEPT, UNCHANGED
from astra_outputs.saving.statements import Statements
from astra_outputs.tables.cells import Values
from astra_outputs.tables.encode import HEADER, TRAILER, Encoder, decoded
from astra_outputs.tables.order import Keys, Places, places_of

EPOCH = np.datetime64(PG_EPOCH.replace(tzinfo=None), "us")
"""PostgreSQL counts microseconds from here."""


class Stored:
    """What the database says of some rows, in the order in which they were sent.

    Attributes
    ----------
    codes : ndarray of uint8
        Outcomes, as a report keeps them.
    task_pk : ndarray of int64
    created, modified : ndarray of datetime64[us]
        In UTC.
    """

    def __init__(self, length: int) -> None:
        self.codes = np.zeros(length, np.uint8)
        self.task_pk = np.zeros(length, np.int64)
        self.created = np.full(length, np.datetime64("NaT", "us"))
        self.modified = self.created.copy()

    def put(self, places: Places | slice, rows: Values, codes: Values) -> None:
        """Take over rows as the database returned them."""
        self.codes[places] = codes
        self.task_pk[places] = rows["task_pk"]
        self.created[places] = EPOCH + rows["created"].astype("timedelta64[us]")
        self.modified[places] = EPOCH + rows["modified"].astype("timedelta64[us]")


class Blocks:
    """Encoded rows; while one block is on its way the next is encoded in a thread.

    Parameters
    ----------
    encoder : Encoder
        Knows the whole table.
    rows : ndarray of int
        Which rows of the table, in the order of their keys.
    """

    def __init__(self, encoder: Encoder, rows: Places) -> None:
        self._blocks = encoder.blocks(_as_slice(rows), len(rows))
        self._next: asyncio.Future[memoryview | None] | None = None

    def begin(self) -> None:
        """Encode the first block, before anybody asks for it."""
        self._next = self._next or asyncio.ensure_future(asyncio.to_thread(next, self._blocks, None))

    def end(self) -> None:
        """Encode no more."""
        if self._next is not None:
            self._next.cancel()

    async def __aiter__(self) -> AsyncIterator[bytes | memoryview]:
        try:
            yield HEADER
            self.begin()
            while self._next is not None and (block := await self._next) is not None:
                self._next = asyncio.ensure_future(asyncio.to_thread(next, self._blocks, None))
                yield block
            yield TRAILER
        finally:
            self.end()


async def store_rows(
    connection: Connection,
    statements: Statements,
    columns: tuple[str, ...],
    blocks: Blocks,
    keys: Keys,
    v_astra: Values,
    *,
    again: bool,
    meanwhile: Callable[[], None] | None = None,
) -> Stored:
    """Store some rows in one transaction; inside one of the caller's, in a savepoint of that.

    Parameters
    ----------
    connection : asyncpg.Connection
    statements : Statements
    columns : tuple[str, ...]
        The columns in the order in which they are sent.
    blocks : Blocks
        The rows, in the order of their keys.
    keys : Keys
        The keys of these rows.
    v_astra : ndarray of int
        The versions of these rows.
    again : bool
        Whether all rows are expected to be stored already.
    meanwhile : Callable, optional
        Called when all is sent and the server alone has something to do.

    Raises
    ------
    SomeAreNew
        If not all rows are stored already, as expected; then nothing is stored.
    """
    # What `replace` needs would stay on in a caller's transaction.
    again = again and not connection.is_in_transaction() and merging.may_replace(statements)
    async with merging.transaction(connection, [statements], again=again):
        await connection.copy_to_table(
            statements.stage,
            schema_name="pg_temp",
            source=blocks,  # type: ignore[arg-type]  # a buffer will do for bytes
            columns=columns,
            format="binary",
        )
        if meanwhile is not None:
            meanwhile()
        returned = await _copied_out(
            connection, merging.merge(statements, again=again), statements.returned, statements
        )
        if again and len(returned) < len(v_astra):
            raise merging.SomeAreNew
        stored, written = Stored(len(v_astra)), places_of(_keys_of(returned), keys)
        stored.put(written, returned, returned["inserted"])
        if len(written) < len(v_astra):
            await _add_held_back(connection, statements, stored, written, keys, v_astra)
        return stored


def _as_slice(rows: Places) -> slice | Places:
    """Return neighbouring rows as a slice, which needs no copy."""
    first = int(rows[0]) if len(rows) else 0
    neighbours = np.array_equal(rows, np.arange(first, first + len(rows)))
    return slice(first, first + len(rows)) if neighbours else rows


async def _add_held_back(
    connection: Connection,
    statements: Statements,
    stored: Stored,
    written: Places,
    keys: Keys,
    v_astra: Values,
) -> None:
    """Take over what is stored where a guard kept it."""
    found = await _copied_out(
        connection, merging.held_back(statements), (*statements.returned[:-1], "v_astra"), statements
    )
    kept = np.ones(len(v_astra), bool)
    kept[written] = False
    places = places_of(_keys_of(found), keys)
    found, places = found[kept[places]], places[kept[places]]
    if len(places) < kept.sum():
        raise DatabaseError(
            f"{statements.record_class.table}: the server neither stored nor kept some of the rows; "
            "look for a trigger that leaves rows out"
        )
    guards, newer = statements.guards, found["v_astra"] > v_astra[places]
    is_kept = (newer & guards.keep_newer) | (not guards.skip_unchanged)
    stored.put(places, found, np.where(is_kept, KEPT, UNCHANGED))


def _keys_of(rows: Values) -> Keys:
    return Keys(rows["spectrum_pk"].astype(np.int64), rows["v_astra_major_minor"].astype(np.int64))


async def _copied_out(
    connection: Connection, query: str, names: tuple[str, ...], statements: Statements
) -> Values:
    """Run a query and return its rows as a structured array; no Python object is made for a row."""
    parts: list[bytes] = []

    async def take(part: bytes) -> None:
        parts.append(part)

    await connection.copy_from_query(query, output=take, format="binary")
    record_class = statements.record_class
    types = ["boolean" if name == "inserted" else record_class.column(name).type.sql for name in names]
    return decoded(b"".join(parts), names, types)
