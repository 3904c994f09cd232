"""Rows of the database as records, not validated again.

What a column of the table holds its type holds, in PostgreSQL as in the record: a real is a float of single
precision, an integer is in its range, a text has no NUL. One value the database knows that no record does:
NaN. Where no check of the table refuses it, the server tells in one expression whether a row has any, and only
such a row is looked through.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Any, Generic, TypeVar

from astra_outputs.model.given import MISSING
from astra_outputs.model.native import assembled
from astra_outputs.model.record import Record
from astra_outputs.postgres.sql import listed, quote

R = TypeVar("R", bound=Record)


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

    def columns(self, may_be_nan: Container[str]) -> str:
        """Return what is selected, where these numbers of the table may be NaN."""
        return f"{listed(self.names, self._alias)}, {self._has_nan(may_be_nan)}"

    def record(self, row: Sequence[Any], first: int = 0) -> R | None:
        """Return the record of a row whose values begin at a place; None where an outer join found none."""
        if first and row[first + self.primary_key] is None:
            return None
        values = row[first : first + self.width] if first else row
        return self._make(_without_nan(values) if values[len(self.names)] else values)

    def _has_nan(self, may_be_nan: Container[str]) -> str:
        numbers, arrays = [], []
        for column in self.record_class.columns():
            if column.name not in self.record_class.model_fields:
                continue
            if "f" in column.type.wire:
                if column.name in may_be_nan:
                    numbers.append(f"{self._alias}.{quote(column.name)}")
            elif column.type.content == "reals":
                arrays.append(f"'NaN' = any ({self._alias}.{quote(column.name)})")
        greatest = [f"greatest({', '.join(numbers)}) = 'NaN'"] if numbers else []
        return " or ".join(greatest + arrays) or "false"


def maker(record_class: type[R], names: tuple[str, ...]) -> Callable[[Sequence[Any]], R]:
    """Return what makes a record of the values of a row, in the order of these names.

    As `model_construct` does, without its search for defaults and aliases.
    """
    if record_class.__private_attributes__ or record_class.__pydantic_post_init__:
        return lambda values: record_class.from_row(dict(zip(names, values, strict=False)))
    types = {column.name: column.type for column in record_class.columns()}
    conversions = [(name, convert) for name in names if (convert := types[name].from_server) is not None]
    template, given = dict.fromkeys(names), set(names)

    def make(values: Sequence[Any]) -> R:
        columns: dict[str, Any] = template.copy()  # has its size already, and need not grow
        columns.update(zip(names, values))  # noqa: B905 (what follows tells of NaN)
        for name, convert in conversions:
            columns[name] = convert(columns[name])
        record: R = assembled(record_class, columns, given)
        return record

    return make


def _without_nan(values: Sequence[Any]) -> list[Any]:
    return [_missing_if_nan(value) for value in values]


def _missing_if_nan(value: Any) -> Any:
    if isinstance(value, list):
        return [_missing_if_nan(element) for element in value]
    return MISSING if isinstance(value, float) and value != value else value  # noqa: PLR0124
