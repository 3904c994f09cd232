"""Which stored source a record is, whatever identifier it is known by: one star is one row.

A star has up to four identifiers, each unique in the table. A catalogue that knows it by another one
than the stored row does must not make a second star of it, nor fail at a constraint: the stored row
gets the new identifier. Where two stored sources claim the identifiers of one record, or it has a
better identifier that differs, nobody here can tell which is right, and an error names both.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from astra_outputs.errors import InvalidRecord, Problem
from astra_outputs.postgres.sql import Statement, listed, qualified, quote, templates
from astra_outputs.records.source import Source

if TYPE_CHECKING:
    from astra_outputs.postgres.database import Connection

IDENTIFIERS: tuple[str, ...] = tuple(name for (name,) in Source.natural_keys)
"""The columns that identify a source, best first."""


def identifiers_of(source: Source) -> dict[str, Hashable]:
    """Return the identifiers that a source has, best first."""
    found = {name: source.__dict__.get(name) for name in IDENTIFIERS}
    return {name: value for name, value in found.items() if value is not None}


class KnownSources:
    """Sources by all their identifiers."""

    def __init__(self, sources: Iterable[Source] = ()) -> None:
        self._owners: dict[tuple[str, Hashable], Source] = {}
        for source in sources:
            self.add(source, source)

    def add(self, source: Source, record: Source) -> None:
        """Make a source known by the identifiers of a record that is the same star."""
        for identifier in identifiers_of(record).items():
            self._owners.setdefault(identifier, source)

    def same_as(self, record: Source) -> Source | None:
        """Return the source that a record is, by any of its identifiers; None if it is a new one.

        Raises
        ------
        InvalidRecord
            If its identifiers belong to two sources, or the one that it shares belongs to a source
            with another identifier of a better kind.
        """
        given = identifiers_of(record)
        owners = {item[0]: self._owners[item] for item in given.items() if item in self._owners}
        if not owners:
            return None
        (best, owner), *others = owners.items()
        for name, other in others:
            if other is not owner:
                raise _refused(
                    record,
                    name,
                    f"belongs to {described(other)}, and {best} to {described(owner)}, two stars: leave out the "
                    "identifier that is wrong; if they are one, give all that refers to the one row to the other, "
                    "delete it, and save again",
                )
        for name in IDENTIFIERS[: IDENTIFIERS.index(best)]:
            if name in given and getattr(owner, name) is not None:
                raise _refused(
                    record,
                    best,
                    f"belongs to {described(owner)}, whose {name} is not {given[name]}: correct the one that is "
                    f"wrong, or leave {best} out",
                )
        return owner


def described(source: Source) -> str:
    """Return a source by its key and what identifies it, for a message."""
    by = ", ".join(f"{name} {value}" for name, value in identifiers_of(source).items())
    return f"source {source.pk} ({by})" if source.pk is not None else f"another source of this call ({by})"


def _refused(record: Source, name: str, reason: str) -> InvalidRecord:
    return InvalidRecord(record.table, (Problem(name, getattr(record, name), reason),))


async def stored_sources(connection: Connection, schema: str, records: Sequence[Source]) -> list[Source]:
    """Return the stored sources that have an identifier of some records, as whole rows; one query."""
    arrays = [list({record.__dict__.get(name) for record in records} - {None}) for name in IDENTIFIERS]
    rows = await connection.fetch(_claimed(schema).text, *arrays)
    return [Source.from_row(dict(row)) for row in rows]


def lacking(stored: Source, record: Source) -> dict[str, Hashable]:
    """Return the identifiers that a record has, and the stored source that it is has not."""
    return {name: value for name, value in identifiers_of(record).items() if getattr(stored, name) is None}


async def identify(connection: Connection, schema: str, news: Mapping[int, Mapping[str, Hashable]]) -> None:
    """Give stored sources identifiers that they lack, so that they are found by them.

    Parameters
    ----------
    connection : asyncpg.Connection
    schema : str
        The database schema that holds the table.
    news : mapping
        Identifiers by column, for each source by its `pk`.
    """
    news = {pk: names for pk, names in news.items() if names}
    if news:
        arrays = [[names.get(name) for names in news.values()] for name in IDENTIFIERS]
        await connection.execute(_identify(schema).text, list(news), *arrays)


async def recognise(
    connection: Connection, schema: str, records: Sequence[Source]
) -> dict[int, InvalidRecord]:
    """Let stored sources be found by the records that are the same stars; to be called before these are saved.

    Returns
    -------
    dict[int, InvalidRecord]
        By their index the records that cannot be saved, each with the two sources in dispute.
    """
    known = KnownSources(await stored_sources(connection, schema, records))
    news: dict[int, dict[str, Hashable]] = {}
    refused = {}
    for index, record in enumerate(records):
        try:
            stored = known.same_as(record)
        except InvalidRecord as error:
            refused[index] = error
            continue
        if stored is None:
            known.add(record, record)
        elif stored.pk is not None:
            news.setdefault(stored.pk, {}).update(lacking(stored, record))
    await identify(connection, schema, news)
    return refused


def statements_of(schema: str) -> list[Statement]:
    """Return the statements by which stored sources are recognised."""
    return [_claimed(schema), _identify(schema)]


def _array(place: int, name: str) -> str:
    return f"${place}::{Source.column(name).type.sql}[]"


@lru_cache(maxsize=1024)
def _claimed(schema: str) -> Statement:
    matches = (
        f"{quote(name)} = any({_array(place, name)})" for place, name in enumerate(IDENTIFIERS, start=1)
    )
    return templates("known_sources")["sources_claimed"].statement(
        columns=listed(column.name for column in Source.columns()),
        table=qualified(schema, Source.table),
        matches=" or ".join(matches),
    )


@lru_cache(maxsize=1024)
def _identify(schema: str) -> Statement:
    names = (Source.primary_key, *IDENTIFIERS)
    return templates("known_sources")["identify_sources"].statement(
        table=qualified(schema, Source.table),
        assignments="".join(
            f"{name} = coalesce(stored.{name}, given.{name}), " for name in map(quote, IDENTIFIERS)
        ),
        arrays=", ".join(_array(place, name) for place, name in enumerate(names, start=1)),
        names=listed(names),
    )
