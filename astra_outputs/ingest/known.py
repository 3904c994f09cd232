"""What is stored already of sources and spectra, and how a file's rows are laid on top of it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, TypeVar

from astra_outputs.errors import InvalidRecord, Problem
from astra_outputs.model.record import Record
from astra_outputs.reading.by_key import rows_by_keys
from astra_outputs.records.source import Source

if TYPE_CHECKING:
    from astra_outputs.repository import Outputs

R = TypeVar("R", bound=Record)

Key = tuple[tuple[str, Hashable], ...]
"""A natural key: names of columns and their values."""


def key_of(record: Record) -> Key:
    """Return the natural key of a record.

    Raises
    ------
    InvalidRecord
        If it has none.
    """
    return tuple(record.key().items())


async def stored_under(outputs: Outputs, records: Iterable[R]) -> dict[Key, R]:
    """Return what is stored under the keys of records: one query for each natural key in use."""
    keys: dict[tuple[str, ...], dict[Key, type[R]]] = {}
    for record in records:
        key = key_of(record)
        keys.setdefault(tuple(name for name, _ in key), {})[key] = type(record)
    found: dict[Key, R] = {}
    for names, wanted in keys.items():
        (record_class,) = set(wanted.values())
        values = [tuple(value for _, value in key) for key in wanted]
        rows = await rows_by_keys(outputs.store.database, record_class, names, values)
        found |= {tuple(zip(names, key, strict=True)): record for key, record in rows.items()}
    return found


def put_on_top(known: R, record: R) -> None:
    """Change what is known where a new record says something.

    Bits of a source's flags add up: its spectra were not all taken for the same reason.

    Raises
    ------
    InvalidRecord
        If a spectrum would go over to another source, whose results it does not have.
    """
    said = {name: getattr(record, name) for name in record.model_fields_set}
    given = {name: value for name, value in said.items() if value is not None and known.column(name).written}
    owner = known.__dict__.get("source_pk")
    if owner is not None and given.get("source_pk", owner) != owner:
        reason = f"the spectrum is stored already, and belongs to source_pk {owner}"
        raise InvalidRecord(known.table, (Problem("source_pk", given["source_pk"], reason),))
    for name, value in given.items():
        adds_up = isinstance(known, Source) and known.column(name).bits is not None
        setattr(known, name, (getattr(known, name) or 0) | value if adds_up else value)
