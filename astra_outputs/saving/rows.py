"""What is sent for some records: their values as they were when the records were read, and their keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from astra_outputs.errors import InvalidRecord, Problem
from astra_outputs.model.column_types import TEXT
from astra_outputs.model.record import Record
from astra_outputs.model.version import major_minor

SHORT = 1_000
"""Characters of a row's texts together that leave half a page of 8 KiB to all else, whatever their encoding."""


class Rows(NamedTuple):
    """Records with different keys, in the order of their keys, in which every writer locks its rows.

    Attributes
    ----------
    key : tuple[str, ...]
        Names of the columns of the natural key.
    columns : list[Sequence]
        Its values, one sequence a column.
    records : list[Record]
    positions : Sequence[int]
        Where the records stand in the call, counted from 0.
    values : list
        What is sent, one record after the other: one list, since Python's garbage collector would look into
        a tuple for each.
    """

    key: tuple[str, ...]
    columns: list[Sequence[Any]]
    records: list[Record]
    positions: Sequence[int]
    values: list[Any]

    @property
    def keys(self) -> list[Any]:
        """What tells the rows apart: their keys, or the first column where the others are all alike.

        The version nearly always is, which spares a tuple a row.
        """
        first, *others = self.columns
        alike = all(len(set(column)) == 1 for column in others)
        return list(first) if alike else list(zip(first, *others, strict=True))

    @property
    def width(self) -> int:
        """Number of values that are sent for a record."""
        return len(self.values) // max(1, len(self.records))

    def pick(self, places: Sequence[int]) -> Rows:
        """Return the rows at these places."""
        width, values = self.width, []
        for place in places:
            values += self.values[place * width : (place + 1) * width]
        return Rows(
            self.key,
            [[column[place] for place in places] for column in self.columns],
            [self.records[place] for place in places],
            [self.positions[place] for place in places],
            values,
        )

    def sent(self, name: str) -> list[Any]:
        """Return what is sent for one column; the record may have changed since."""
        return self.values[_places(type(self.records[0]))[name] :: self.width]

    @property
    def texts_are_short(self) -> bool:
        """Whether the texts of each row fit into a page of the server's, with all else that it has."""
        record_class = type(self.records[0])
        texts = [self.sent(name) for name in _places(record_class) if record_class.column(name).type is TEXT]
        return sum(max(map(len, filter(None, text)), default=0) for text in texts) <= SHORT

    def sent_by_row(self) -> Iterator[tuple[Any, ...]]:
        """Return what is sent, one tuple a row, each when it is asked for."""
        return zip(*[iter(self.values)] * self.width, strict=True)

    def key_of(self, place: int) -> dict[str, Any]:
        """Return the natural key of one row, by column name."""
        return {name: column[place] for name, column in zip(self.key, self.columns, strict=True)}


@lru_cache(maxsize=1024)
def row_of(record_class: type[Record]) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    """Return what takes the values that a save sends out of a record's dictionary."""
    take = itemgetter(*_places(record_class))
    conversions = [
        (place, name, convert)
        for name, place in _places(record_class).items()
        if (convert := record_class.column(name).type.parameter) is not None
    ]

    def converted(values: dict[str, Any]) -> tuple[Any, ...]:
        row = list(take(values))
        for place, name, convert in conversions:
            if row[place] is not None:
                try:
                    row[place] = convert(row[place])
                except ValueError as error:  # a list or a dict that was changed in place
                    raise InvalidRecord(
                        record_class.table, (Problem(name, row[place], str(error)),)
                    ) from error
        return tuple(row)

    return converted if conversions else take


@lru_cache(maxsize=1024)
def _places(record_class: type[Record]) -> dict[str, int]:
    """Return where the values of each column stand among those that a save sends."""
    written = [column.name for column in record_class.columns() if column.written]
    return {name: place for place, name in enumerate(written)}


def keys_sent(
    record_class: type[Record], names: tuple[str, ...], values: Sequence[Any]
) -> list[Sequence[Any]]:
    """Return the natural keys among the values that are sent, one sequence a column.

    Not those of the records, which a caller may use again for the next row.
    """
    places = _places(record_class)
    columns: list[Sequence[Any]] = []
    for name in names:
        if name == "v_astra_major_minor":
            versions = values[places["v_astra"] :: len(places)]
            columns.append(
                list(map({version: major_minor(version) for version in set(versions)}.get, versions))
            )
        else:
            columns.append(values[places[name] :: len(places)])
    return columns


def one_row(record: Record) -> Rows:
    """Return a record as the only row of a call.

    Raises
    ------
    InvalidRecord
        If it has no key.
    """
    key, values = record.key(), row_of(type(record))(record.__dict__)
    return Rows(tuple(key), [[value] for value in key.values()], [record], range(1), list(values))
