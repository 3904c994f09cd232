"""One table of upstream Astra's: its rows in the order of their numbers, held against the rules of the record class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from astra_outputs.errors import shorten
from astra_outputs.model.column_type import ColumnType
from astra_outputs.model.columns import Column
from astra_outputs.model.record import Record
from astra_outputs.model.version import major_minor
from astra_outputs.postgres.database import Connection
from astra_outputs.postgres.sql import literal, qualified, quote, templates

NAIVE = "timestamp without time zone"


class Row(NamedTuple):
    """A row that may be taken over.

    Attributes
    ----------
    key : tuple
        By which it is found here.
    number : int
        Its key in their table.
    values : tuple
        As they are to be stored, by the columns of the table.
    """

    key: tuple[Any, ...]
    number: int
    values: tuple[Any, ...]


class Refused(NamedTuple):
    """A row that the rules refuse."""

    number: int
    reasons: list[str]
    given: Mapping[str, Any]


class Theirs:
    """One table of theirs.

    Parameters
    ----------
    record_class : type[Record]
    schema, table : str
        Where it is, and what it is called there.
    types : mapping of str to str
        Its columns.
    zone : str
        In which zone times are that have none.
    """

    def __init__(
        self, record_class: type[Record], schema: str, table: str, types: Mapping[str, str], zone: str
    ) -> None:
        self.record_class = record_class
        self.columns = [
            column for column in record_class.columns() if column.generated is None and column.name in types
        ]
        self.names = tuple(column.name for column in self.columns)
        self.number = self.names.index(record_class.primary_key)
        self.is_result = record_class.primary_key == "task_pk"
        self._rules = [_rule(column) for column in self.columns]
        selected = [
            f"{quote(name)} at time zone {literal(zone)} as {quote(name)}"
            if types[name] == NAIVE
            else quote(name)
            for name in self.names
        ]
        self._sql = templates("adopt")["read_theirs"].fill(
            columns=", ".join(selected),
            table=qualified(schema, table),
            number=quote(record_class.primary_key),
        )

    @property
    def key(self) -> tuple[str, ...]:
        """The columns by which a row is found here."""
        if self.is_result:
            return ("spectrum_pk", "v_astra_major_minor")
        return (self.record_class.primary_key,)

    async def read(self, connection: Connection, behind: int, how_many: int) -> list[Any]:
        """Return the next rows, as they are there."""
        return await connection.fetch(self._sql, behind, how_many)

    def checked(self, rows: Sequence[Any]) -> tuple[list[Row], list[Refused]]:
        """Return the rows as they are to be stored, and those that are refused."""
        good: list[Row] = []
        bad: list[Refused] = []
        for row in rows:
            values, reasons = [], []
            for column, rule, value in zip(self.columns, self._rules, row, strict=True):
                try:
                    values.append(rule(value))
                except ValueError as error:
                    reasons.append(f"{column.name} = {shorten(value)}: {error}")
            if reasons:
                bad.append(Refused(row[self.number], reasons, dict(zip(self.names, row, strict=True))))
            else:
                good.append(Row(self._key(values), row[self.number], tuple(values)))
        return good, bad

    def given(self, row: Row) -> dict[str, Any]:
        """Return a row by the names of its columns."""
        return dict(zip(self.names, row.values, strict=True))

    def _key(self, values: Sequence[Any]) -> tuple[Any, ...]:
        if not self.is_result:
            return (values[self.number],)
        at = self.names.index
        return values[at("spectrum_pk")], major_minor(values[at("v_astra")])


def _rule(column: Column) -> Callable[[Any], Any]:
    """Return what turns a value as the driver brings it into one to store; a number within its bounds is that already."""
    kind: ColumnType = column.type
    slow = kind.convert if column.nullable else kind.require
    if kind.bounds is None:
        return slow
    lowest, highest = kind.bounds
    plain = type(lowest)

    def convert(value: Any) -> Any:
        if type(value) is plain and lowest <= value <= highest:  # NaN is not
            return value
        if (value is None or value != value) and column.nullable:  # noqa: PLR0124 (NaN)
            return None
        return slow(value)

    return convert
