"""Turn one row of a file into the values of a source, a spectrum and a result."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from astra_outputs.errors import InvalidRecord, Problem, UnreadableFile
from astra_outputs.ingest.mapping import Mapping, Origin
from astra_outputs.model.column_types import BOOLEAN, TEXT, TIMESTAMP
from astra_outputs.model.columns import Column
from astra_outputs.model.record import Record

Values = dict[str, Any]

TRUTH = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}

SINGLE = 6e-8
"""Relative difference up to which a number may be a mark that went through single precision."""

TRANSFORMS: dict[str, Callable[[float], float]] = {"sqrt": math.sqrt, "exp10": lambda number: 10.0**number}


@dataclass(frozen=True)
class Filling:
    """How the columns that a file has fill one table.

    Attributes
    ----------
    record_class : type[Record]
    origins : dict[str, tuple[str or None, Origin]]
        For each column or flag of the table the column of the file, None for a constant.
    missing : list
        Values of the file that stand for "not measured".
    """

    record_class: type[Record]
    origins: dict[str, tuple[str | None, Origin]]
    missing: list[Any]

    def values_of(self, row: Values) -> Values:
        """Return the values that a row gives to the table, without those that are missing.

        Raises
        ------
        InvalidRecord
            Naming every column whose value cannot be read, with what the file says.
        """
        values: Values = {}
        problems = []
        for name, (source, origin) in self.origins.items():
            given = origin.value if source is None else row[source]
            column = self.record_class._columns.get(name)
            try:
                value = given if source is None else _value(given, origin, column, self.missing)
            except ValueError as error:
                problems.append(Problem(name, given, str(error)))
                continue
            if value is not None:
                values[name] = value
        if problems:
            raise InvalidRecord(self.record_class.table, tuple(problems))
        return values


def fillings(
    mapping: Mapping, classes: Sequence[type[Record]], file: Path, columns: Sequence[str]
) -> list[Filling]:
    """Return how one file fills the tables of its sources, spectra and results.

    Raises
    ------
    UnreadableFile
        Naming every column of the mapping that the file lacks, with the nearest that it has.
    """
    filled, lacking = [], []
    for record_class, origins in zip(
        classes, (mapping.source, mapping.spectrum, mapping.result), strict=True
    ):
        found: dict[str, tuple[str | None, Origin]] = {}
        for name, origin in origins.items():
            source = next((wanted for wanted in origin.names if wanted in columns), None)
            if source is not None or not origin.names:
                found[name] = (source, origin)
            elif not origin.optional:
                lacking.append(origin.names[0])
        filled.append(Filling(record_class, found, mapping.missing))
    if lacking:
        told = "; ".join(f"no column {name}{_nearest(name, columns)}" for name in dict.fromkeys(lacking))
        raise UnreadableFile(f"{file} has {told}")
    return filled


def columns_read(filled: Sequence[Filling]) -> list[str]:
    """Return the columns of the file that are needed."""
    names = [source for filling in filled for source, _ in filling.origins.values() if source is not None]
    return list(dict.fromkeys(names))


def _nearest(name: str, columns: Sequence[str]) -> str:
    same = [column for column in columns if column.lower() == name.lower()]
    found = same or get_close_matches(name, columns, n=1)
    if found:
        return f" (did you mean {found[0]}?)"
    return f"; it has: {', '.join(columns)}" if len(columns) <= 12 else ""


def _value(given: Any, origin: Origin, column: Column | None, missing: list[Any]) -> Any:
    if origin.element is not None and given is not None:
        given = _element(given, origin.element)
    if isinstance(given, str):
        given = given.strip()
    if _is_missing(given, [*missing, *origin.missing]):
        return None
    if origin.pattern is not None:
        given = _part(given, origin.pattern)
    if origin.values:
        return _meaning(given, origin.values)
    if column is not None and column.type.bounds is None:
        return _converted(given, column)
    number = _number(given) if isinstance(given, str) else given
    if origin.bit or origin.mask:
        return _bits(number, origin)
    return _computed(number, origin)


def _element(given: Any, place: int) -> Any:
    try:
        if not isinstance(given, str):
            return given[place]
    except (IndexError, TypeError):
        pass
    raise ValueError(f"has no element {place}")


def _is_missing(given: Any, marks: list[Any]) -> bool:
    if given is None or given == "" or given != given:  # noqa: PLR0124 (NaN differs from itself)
        return True
    if given in marks:
        return True
    try:
        number = _number(given) if isinstance(given, str) else given
    except ValueError:
        return False
    if not isinstance(number, int | float):
        return False
    return any(
        isinstance(mark, int | float)
        and (number == mark or (isinstance(number, float) and math.isclose(number, mark, rel_tol=SINGLE)))
        for mark in marks
    )


def _meaning(given: Any, values: dict[str, Any]) -> Any:
    try:
        return values[str(given)]
    except KeyError:
        raise ValueError(f"is none of {', '.join(values)}") from None


def _converted(given: Any, column: Column) -> Any:
    """Read a text as a truth value or a time, and a number as a text, where the column is one."""
    if column.type is TEXT and type(given) is int:
        return str(given)
    if column.type is BOOLEAN and (isinstance(given, str) or type(given) is int):
        try:
            return TRUTH[str(given).lower()]
        except KeyError:
            raise ValueError("is neither true nor false") from None
    if column.type is TIMESTAMP and isinstance(given, str):
        try:
            return datetime.fromisoformat(given)
        except ValueError:
            raise ValueError("is no time as 2026-01-31T12:00:00+00:00") from None
    return given


def _number(text: str) -> int | float:
    if "_" not in text:  # which Python, but nobody else, reads as a number
        for read in (int, float):
            try:
                return read(text)
            except ValueError:
                continue
    raise ValueError("is not a number")


def _bits(number: Any, origin: Origin) -> bool | int:
    """Tell whether a bit is set, or return those of a mask; a negative number is a two's complement."""
    if type(number) is not int:
        raise ValueError("is not a whole number of bits")
    return number & origin.mask if origin.mask else any(number >> bit & 1 for bit in origin.bit)


def _computed(number: Any, origin: Origin) -> Any:
    if not isinstance(number, int | float) or isinstance(number, bool):
        return number  # the record says what is wrong with it
    if origin.between is not None and not origin.between[0] <= number <= origin.between[1]:
        return None
    if origin.transform is not None:
        try:
            number = TRANSFORMS[origin.transform](number)
        except (ValueError, OverflowError):
            raise ValueError(f"has no {origin.transform}") from None
    return number if (origin.times, origin.plus) == (1.0, 0.0) else number * origin.times + origin.plus


def _part(text: Any, pattern: re.Pattern[str]) -> str:
    match = pattern.search(str(text))
    if match is None:
        raise ValueError(f"does not match {pattern.pattern}")
    return match[1]
