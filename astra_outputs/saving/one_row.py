"""Store one record: one statement, one round trip, and no array."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from astra_outputs.errors import DatabaseError, InvalidRecord, KeyMismatch, Problem, WrongRecordClass, shorten
from astra_outputs.model.columns import Column
from astra_outputs.model.record import Record
from astra_outputs.postgres.boundaries import transaction
from astra_outputs.postgres.database import Connection
from astra_outputs.saving.left_out import left_out, refuse_other_key
from astra_outputs.saving.moments import moment_of
from astra_outputs.saving.options import Guards
from astra_outputs.saving.own_source import refuse_other_source
from astra_outputs.saving.report import KEPT, NAMES, UNCHANGED
from astra_outputs.saving.same_star import recognised
from astra_outputs.saving.size import refuse_too_large
from astra_outputs.saving.statements import TIMES, Statements, statements
from astra_outputs.saving.store import Store
from astra_outputs.saving.traits import Traits


async def save_one(store: Store, record: Record, guards: Guards, *, only_given: bool = False) -> None:
    """Store one record, and tell it what is stored; see `Outputs.save`."""
    record_class, row = class_of(record), OneRow.of(record)
    given = frozenset(record.model_fields_set) if only_given else None

    async def work(traits: Traits) -> tuple[dict[str, Any], int]:
        texts = statements(record_class, store.schema, tuple(row.key), guards, traits, given=given)
        try:
            return await store.database.run(
                lambda connection: store_one(connection, texts, row), where=record_class.table
            )
        except DatabaseError as error:
            if texts.fills_source:
                source = row.values[texts.columns.index("source_pk")]
                await refuse_other_source(store.database, texts, [row.key["spectrum_pk"]], [source], error)
            raise

    try:
        stored, code = await store.gate.store(record_class, work)
    except DatabaseError as error:
        if not await recognised(store.database, [record], error):
            raise
        stored, code = await store.gate.store(record_class, work)
    row.assign(stored, code)


class OneRow(NamedTuple):
    """A record as it is sent.

    Attributes
    ----------
    record : Record
    key : dict[str, Any]
        Its natural key by column name.
    values : tuple
        What is sent, in the order of the columns; the record may change meanwhile.
    """

    record: Record
    key: dict[str, Any]
    values: tuple[Any, ...]

    @classmethod
    def of(cls, record: Record) -> OneRow:
        """Return a record as it is now.

        Raises
        ------
        InvalidRecord
            If it has no key.
        """
        return cls(record, record.key(), values_of(type(record))(record.__dict__))

    def assign(self, stored: dict[str, Any], code: int) -> None:
        """Tell the record what is stored."""
        self.record.__dict__.update(stored, outcome=NAMES[code])


@lru_cache(maxsize=1024)
def values_of(record_class: type[Record]) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    """Return what takes the parameters of a statement out of a record's dictionary."""
    written = [column for column in record_class.columns() if column.written]
    return parameters_of(record_class.table, written, [column.name for column in written])


def parameters_of(
    table: str, columns: Sequence[Column], places: Sequence[Any]
) -> Callable[[Any], tuple[Any, ...]]:
    """Return what takes the parameters of a statement out of a record's values.

    Parameters
    ----------
    table : str
        For errors.
    columns : sequence of Column
        The columns that are sent.
    places : sequence
        Where the values of each stand: names, or indexes.

    Returns
    -------
    Callable
        It raises InvalidRecord where a list or JSON was changed in place to what its column does not take.
    """
    take = itemgetter(*places) if len(places) > 1 else lambda values: (values[places[0]],)
    conversions = [
        (index, column, column.type.parameter)
        for index, column in enumerate(columns)
        if column.type.parameter is not None
    ]

    def converted(values: Any) -> tuple[Any, ...]:
        row = list(take(values))
        for index, column, convert in conversions:
            try:
                row[index] = None if row[index] is None else convert(row[index])
            except ValueError as error:
                problem = Problem(column.name, row[index], str(error))
                raise InvalidRecord(table, (problem,)) from error
        return tuple(row)

    return converted if conversions else take


async def store_one(
    connection: Connection, statements: Statements, row: OneRow
) -> tuple[dict[str, Any], int]:
    """Store one record; returns the columns that the database decides, and the outcome as a report keeps it.

    A spectrum takes a transaction besides, which ends badly if the record brings another number
    than the stored one. So does a record inside the caller's transaction, a savepoint: what is
    refused must not end that.
    """
    if statements.makes_spectra or connection.is_in_transaction():
        async with transaction(connection):
            return await _store(connection, statements, row)
    return await _store(connection, statements, row)


async def _store(connection: Connection, statements: Statements, row: OneRow) -> tuple[dict[str, Any], int]:
    try:
        found = await connection.fetchrow(statements.upsert_row, *row.values)
    except Exception:
        refuse_too_large(statements.record_class.table, statements.columns, row.values, row.key)
        raise
    if found is None:
        return await _held_back(connection, statements, row)
    stored = _stored(statements, found)
    if statements.is_result:
        refuse_other_key(statements, tuple(row.key.values()), tuple(found[name] for name in statements.key))
    if statements.makes_spectra:
        _refuse_other_spectrum(statements, row, stored)
    return stored, int(found["inserted"])


async def _held_back(
    connection: Connection, statements: Statements, row: OneRow
) -> tuple[dict[str, Any], int]:
    """Return what is stored where a guard kept it."""
    found = None
    if statements.guards:
        found = await connection.fetchrow(statements.stored_rows, *([value] for value in row.key.values()))
    if found is None:
        raise left_out(statements, tuple(row.key.values()))
    newer = statements.is_result and found["v_astra"] > row.record.__dict__["v_astra"]
    return _stored(statements, found), code_of_kept(statements, newer=newer)


def _stored(statements: Statements, found: Any) -> dict[str, Any]:
    return {name: moment_of(found[name]) if name in TIMES else found[name] for name in statements.stored}


def code_of_kept(statements: Statements, *, newer: bool) -> int:
    """Return the outcome of a row that a guard held back: kept as it is, or unchanged."""
    guards = statements.guards
    return UNCHANGED if guards.skip_unchanged and not (guards.keep_newer and newer) else KEPT


def refuse_other_spectrum(statements: Statements, given: int | None, stored: int) -> None:
    """Refuse a spectrum that brings another number than the stored one, which it keeps.

    Raises
    ------
    KeyMismatch
        If it does.
    """
    if given is not None and given != stored:
        problem = Problem("spectrum_pk", given, f"is stored as spectrum {stored}; leave spectrum_pk out")
        raise KeyMismatch(statements.record_class.table, (problem,))


def _refuse_other_spectrum(statements: Statements, row: OneRow, stored: dict[str, Any]) -> None:
    refuse_other_spectrum(
        statements, row.values[statements.columns.index("spectrum_pk")], stored["spectrum_pk"]
    )


def class_of(record: object, position: int | None = None) -> type[Record]:
    """Return the class of a record.

    Raises
    ------
    WrongRecordClass
        If it is not a record, or its table can only be written through another one.
    """
    if not isinstance(record, Record):
        where = "" if position is None else f"record {position}: "
        raise WrongRecordClass(f"{where}{shorten(record)} is not a record but a {type(record).__name__}")
    if not record.natural_keys:
        raise WrongRecordClass(
            f"a {type(record).__name__} has no natural key to be stored by; "
            "rows of `spectrum` are made by saving a spectrum of one of its kinds"
        )
    return type(record)
