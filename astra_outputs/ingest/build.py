"""Turn one row of a file into the values of a source, a spectrum and a result."""

from __future__ import annotations

import re
from typing import Any

from astra_outputs.columns import Column
from astra_outputs.errors import InvalidRecord, Problem
from astra_outputs.ingest.files import Row
from astra_outputs.ingest.mapping import Columns, Mapping, Origin
from astra_outputs.records.base import Record

Values = dict[str, Any]
NUMBERS = ("real", "double precision", "integer", "bigint")


def values_of(row: Row, columns: Columns, record_class: type[Record], mapping: Mapping) -> Values:
    """Return the values that a row gives to a table, without those that are missing.

    Raises
    ------
    InvalidRecord
        Naming every column whose value cannot be read, with what the file says.
    KeyError
        If the file lacks a column that the mapping names.
    """
    values: Values = {}
    problems = []
    for name, origin in columns.items():
        given = _given(row, origin)
        try:
            column = None if name.startswith("flag_") else record_class.column(name)
            value = _value(given, origin, column, mapping.missing)
        except ValueError as error:
            problems.append(Problem(name, given, str(error)))
            continue
        if value is not None:
            values[name] = value
    if problems:
        raise InvalidRecord(record_class.table, tuple(problems))
    return values


def _given(row: Row, origin: Origin) -> Any:
    if not origin.names:
        return origin.value
    name = next((name for name in origin.names if name in row), None)
    if name is None and origin.optional:
        return None
    if name is None:
        raise KeyError(origin.names[0])
    given = row[name]
    return given if origin.element is None or given is None else given[origin.element]


def _value(given: Any, origin: Origin, column: Column | None, missing: list[Any]) -> Any:
    if not origin.names:
        return given
    if isinstance(given, str):
        given = given.strip()
    if given in (None, "") or _is_missing(given, [*missing, *origin.missing]):
        return None
    if origin.values:
        return _meaning(given, origin.values)
    if origin.pattern is not None:
        given = _part(given, origin.pattern)
    if column is not None and column.type.sql not in NUMBERS:
        return given
    number = _number(given) if isinstance(given, str) else given
    if origin.bit:
        return _has_bit(number, origin.bit)
    if (origin.times, origin.plus) == (1.0, 0.0):
        return number
    return number * origin.times + origin.plus


def _is_missing(given: Any, marks: list[Any]) -> bool:
    if given in marks:
        return True
    if not isinstance(given, str):
        return False
    try:
        return float(given) in marks
    except ValueError:
        return False


def _meaning(given: Any, values: dict[str, Any]) -> Any:
    try:
        return values[str(given)]
    except KeyError:
        raise ValueError(f"is none of {', '.join(values)}") from None


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise ValueError("is not a number") from None


def _has_bit(number: Any, bits: list[int]) -> bool:
    if type(number) is not int:
        raise ValueError("is not a whole number of bits")
    return any(number >> bit & 1 for bit in bits)


def _part(text: Any, pattern: re.Pattern[str]) -> str:
    match = pattern.search(str(text))
    if match is None:
        raise ValueError(f"does not match {pattern.pattern}")
    return match[1]
