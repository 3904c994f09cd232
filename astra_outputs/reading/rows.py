"""Rows of the database as records, not validated again.

What a column of the table holds its type holds, in PostgreSQL as in the record: a real is a float of single
precision, an integer is in its range, a text has no NUL. One value the database knows that no record does:
NaN. The server tells in one expression whether a row has any, and only such a row is looked through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from astra_outputs.model.given import MISSING
from astra_outputs.model.record import Record
from astra_outputs.postgres.sql import listed, quote

R = TypeVar("R", bound=Record)

FLOATING = ("real", "double precision")
"""Types that know NaN; arrays of them, too."""


class Rows(Generic[R]):
    """How rows of one table become records.

    Parameters
    ----------
    record_class : type[Record]
    alias : str
        What the table is called in the statement.
    """

    def __init__(self, record_class: type[R], alias: str) -> None:
        self.record_class = record_class
        self.names = tuple(record_class.model_fields)
        self.primary_key = self.names.index(record_class.primary_key)
        self._alias = alias
        self._make = maker(record_class, self.names)

    @property
    def width(self) -> int:
        """How many values stand in a row for one record: its columns, and whether there is a NaN."""
        return len(self.names) + 1

    @property
    def columns(self) -> str:
        """What is selected."""
        return f"{listed(self.names, self._alias)}, {self._has_nan()}"

    def records(self, rows: Iterable[Sequence[Any]], first: int = 0) -> list[R | None]:
        """Return the records of rows whose values begin at a place; None where an outer join found none."""
        make, last, key = self._make, first + len(self.names), first + self.primary_key
        if first == 0:
            return [make(_without_nan(row) if row[last] else row) for row in rows]
        return [
            None
            if row[key] is None
            else make(_without_nan(row[first:last]) if row[last] else row[first:last])
            for row in rows
        ]

    def _has_nan(self) -> str:
        numbers, arrays = [], []
        for column in self.record_class.columns():
            if column.name not in self.record_class.model_fields:
                continue
            if column.type.sql in FLOATING:
                numbers.append(f"{self._alias}.{quote(column.name)}")
            elif column.type.sql.removesuffix("[]") in FLOATING:
                arrays.append(f"'NaN' = any ({self._alias}.{quote(column.name)})")
        greatest = [f"greatest({', '.join(numbers)}) = 'NaN'"] if numbers else []
        return " or ".join(greatest + arrays) or "false"


def maker(record_class: type[R], names: tuple[str, ...]) -> Callable[[Sequence[Any]], R]:
    """Return what makes a record of the values of a row, in the order of these names.

    As `model_construct` does, without its search for defaults and aliases.
    """
    if record_class.__private_attributes__ or record_class.__pydantic_post_init__:
        return lambda values: record_class.from_row(dict(zip(names, values, strict=False)))
    new, put, given = record_class.__new__, object.__setattr__, frozenset(names)
    types = {column.name: column.type for column in record_class.columns()}
    conversions = [(name, convert) for name in names if (convert := types[name].from_server) is not None]

    def make(values: Sequence[Any]) -> R:
        columns = dict(zip(names, values))  # noqa: B905 (what follows tells of NaN)
        for name, convert in conversions:
            columns[name] = convert(columns[name])
        record = new(record_class)
        put(record, "__dict__", columns)
        put(record, "__pydantic_fields_set__", set(given))
        put(record, "__pydantic_extra__", None)
        put(record, "__pydantic_private__", None)
        return record

    return make


def _without_nan(values: Sequence[Any]) -> list[Any]:
    return [_missing_if_nan(value) for value in values]


def _missing_if_nan(value: Any) -> Any:
    if isinstance(value, list):
        return [_missing_if_nan(element) for element in value]
    return MISSING if isinstance(value, float) and value != value else value  # noqa: PLR0124
