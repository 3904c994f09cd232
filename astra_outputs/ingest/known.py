"""What is stored already of sources and spectra, and how a file's rows are laid on top of it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, TypeVar

from astra_outputs.errors import InvalidRecord, Problem
from astra_outputs.ingest.star import Parts
from astra_outputs.model.record import Record
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.reading.by_key import rows_by_keys
from astra_outputs.reading.known_sources import KnownSources, stored_sources
from astra_outputs.records.source import Source

if TYPE_CHECKING:
    from astra_outputs.saving.store import Store

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


class Known:
    """What is stored of the sources and spectra of some rows."""

    def __init__(self, sources: Iterable[Source], spectra: dict[Key, SpectrumMixin]) -> None:
        self._sources, self._spectra = KnownSources(sources), spectra

    @classmethod
    async def of(cls, store: Store, rows: Iterable[Parts]) -> Known:
        """Return what is stored of some rows: one query for the sources, one for each kind of key of the spectra."""
        rows = list(rows)
        sources = [row.source for row in rows]
        stored = await store.database.run(
            lambda connection: stored_sources(connection, store.schema, sources), where=Source.table
        )
        return cls(stored, await _stored_under(store, [row.spectrum for row in rows]))

    def owner(self, record: Source) -> Source:
        """Return the source that a record is: a stored one, one of an earlier row, or itself.

        Raises
        ------
        InvalidRecord
            If two sources claim its identifiers.
        """
        owner = self._sources.same_as(record) or record
        self._sources.add(owner, record)
        return owner

    def spectrum(self, spectrum: SpectrumMixin) -> SpectrumMixin | None:
        """Return what is stored of a spectrum; None if nothing is."""
        return self._spectra.get(key_of(spectrum))


async def _stored_under(store: Store, records: Iterable[R]) -> dict[Key, R]:
    keys: dict[tuple[str, ...], dict[Key, type[R]]] = {}
    for record in records:
        key = key_of(record)
        keys.setdefault(tuple(name for name, _ in key), {})[key] = type(record)
    found: dict[Key, R] = {}
    for names, wanted in keys.items():
        (record_class,) = set(wanted.values())
        values = [tuple(value for _, value in key) for key in wanted]
        rows = await rows_by_keys(store.database, record_class, names, values)
        found |= {tuple(zip(names, key, strict=True)): record for key, record in rows.items()}
    return found


def check_owner(spectrum: SpectrumMixin | None, owner: Source) -> Source:
    """Refuse a spectrum that would go over to another source, whose results it does not have.

    Raises
    ------
    InvalidRecord
        If it is stored as that of another source.
    """
    if spectrum is None or spectrum.source_pk in (None, owner.pk):
        return owner
    reason = (
        f"the spectrum is stored already, and belongs to source_pk {spectrum.source_pk}: check the identifiers of "
        "the row, or what tells its spectrum from others"
    )
    raise InvalidRecord(spectrum.table, (Problem("source_pk", owner.pk, reason),))


def put_on_top(known: R, record: R) -> None:
    """Change what is known where a new record says something.

    Bits of a source's flags add up: its spectra were not all taken for the same reason.
    """
    said = {name: getattr(record, name) for name in record.model_fields_set}
    given = {name: value for name, value in said.items() if value is not None and known.column(name).written}
    for name, value in given.items():
        adds_up = isinstance(known, Source) and known.column(name).bits is not None
        setattr(known, name, (getattr(known, name) or 0) | value if adds_up else value)
