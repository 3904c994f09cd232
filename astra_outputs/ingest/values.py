"""One value of a file, as the options of a map say it is meant."""

from __future__ import annotations

import json
import math
import re
from datetime import date, datetime
from decimal import Decimal
from numbers import Real
from typing import Any

from astra_outputs.ingest.ambiguous import ROUNDED, in_zone, is_rounded
from astra_outputs.ingest.numbers import bits_of, computed, number_of, whole_of
from astra_outputs.ingest.origin import Origin
from astra_outputs.model.column_types import BOOLEAN, BYTES, JSON, REAL_ARRAY, TIMESTAMP
from astra_outputs.model.columns import Column
from astra_outputs.model.given import datetime_of
from astra_outputs.model.given import plain as plain_scalar

TRUTH = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}

SINGLE = 6e-8
"""Relative difference up to which a number may be a mark that went through single precision."""


def is_number(column: Column) -> bool:
    """Tell whether a column holds numbers."""
    return column.type.bounds is not None


def is_whole(column: Column) -> bool:
    """Tell whether a column holds whole numbers."""
    return column.type.bounds is not None and isinstance(column.type.bounds[0], int)


def value_of(given: Any, origin: Origin, column: Column | None, missing: list[Any]) -> Any:
    """Return what a value of a file means for a column; None for "not measured".

    Parameters
    ----------
    given : Any
        As the reader of the file gives it: text, a plain or NumPy value, Decimal, bytes, or an array.
    origin : Origin
        What the map says of it.
    column : Column or None
        None for a flag.
    missing : list
        Marks of the whole map.

    Raises
    ------
    ValueError
        With the reason, if the value cannot be read so.
    """
    if origin.element:
        given = _element(given, origin.element)
    rounded = is_rounded(given)
    given = plain(given)
    marks = [*missing, *origin.missing]
    if isinstance(given, list | dict) and column is not None and column.type is JSON:
        return _part_of_json(given, marks)
    if isinstance(given, list):
        return _array(given, origin, column, marks)
    value = _single(given, origin, column, marks)
    is_real = column is not None and is_number(column) and not is_whole(column)
    if rounded and value is not None and not origin.values and not is_real:
        raise ValueError(ROUNDED)
    return value


def plain(value: Any) -> Any:
    """Return a value as Python's own: arrays as lists, and every kind of number as int or float."""
    if value is None or type(value) in (str, int, float, bool):
        return value
    if getattr(value, "ndim", 0):
        value = value.tolist()  # of a masked array None where it is masked
    if isinstance(value, list | tuple):
        return [plain(element) for element in value]
    if getattr(getattr(value, "dtype", None), "kind", "") == "M" and value == value:  # noqa: PLR0124 (NaT)
        # A finer one would become a number. One of which Python knows no time, the record refuses.
        return datetime_of(value) or value
    value = plain_scalar(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 (the map says its zone)
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if isinstance(value, Decimal):
        if not value.is_finite():
            return None if value.is_nan() else float(value)
        return int(value) if value == value.to_integral_value() else float(value)
    if type(value) not in (int, float, bool) and isinstance(value, Real):
        return float(value)  # a long double, or a fraction
    return value


def _element(given: Any, indices: list[int]) -> Any:
    for index in indices:
        if given is None:
            return None
        if not isinstance(given, list | tuple) and not getattr(given, "ndim", 0):
            given = plain(given)
        if not hasattr(given, "__len__") or isinstance(given, str | bytes | dict) or index >= len(given):
            raise ValueError(f"has no element {', '.join(map(str, indices))}, counted from 0")
        given = given[index]
    return given


def _array(given: list[Any], origin: Origin, column: Column | None, marks: list[Any]) -> Any:
    if (
        column is not None
        and column.type is BYTES
        and all(type(byte) is int and 0 <= byte < 256 for byte in given)
    ):
        return bytes(given)
    if any(isinstance(element, list) for element in given):
        shape = " by ".join(map(str, _shape(given)))
        raise ValueError(f"is an array of {shape}: say which of its values, as element = [0, 0] in the map")
    if column is None or column.type is not REAL_ARRAY:
        raise ValueError(f"is an array of {len(given)} values: say which, as element = 0 in the map")
    return [_single(element, origin, column, marks) for element in given]


def _part_of_json(given: Any, marks: list[Any]) -> Any:
    """Return a part of an array or structure, which JSON has as it is; what is not measured is null in it."""
    if isinstance(given, list):
        return [_part_of_json(part, marks) for part in given]
    if isinstance(given, dict):
        return {name: _part_of_json(part, marks) for name, part in given.items()}
    given = plain(given)
    if isinstance(given, bytes):
        given = _decoded(given)
    return None if _is_missing(given, marks) else given


def _shape(given: Any) -> list[int]:
    return [len(given), *_shape(given[0])] if isinstance(given, list) and given else []


def _single(given: Any, origin: Origin, column: Column | None, marks: list[Any]) -> Any:
    if isinstance(given, bytes) and (column is None or column.type is not BYTES):
        given = _decoded(given)
    if isinstance(given, str):
        given = given.strip()
        if not given.isascii():
            _check_text(given)
    if _is_missing(given, marks):
        return None
    if origin.pattern is not None:
        given = _part(given, origin.pattern)
        if _is_missing(given, marks):
            return None
    if origin.values:
        return _meaning(given, origin.values)
    if column is not None and not is_number(column) and column.type is not REAL_ARRAY:
        converted = _converted(given, column)
        return in_zone(converted, origin.zone) if isinstance(converted, datetime) else converted
    number = number_of(given) if isinstance(given, str) else given
    if origin.bit or origin.mask is not None:
        return bits_of(number, origin)
    return computed(number, origin, whole=column is not None and is_whole(column))


def _decoded(given: bytes) -> str:
    try:
        return given.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        raise ValueError("holds bytes that are not text in UTF-8") from None


def _check_text(given: str) -> None:
    if any("\ud800" <= letter <= "\udfff" for letter in given):
        raise ValueError(
            'holds bytes that the file\'s encoding does not have: say it in the map, as encoding = "latin-1"'
        )


def _is_missing(given: Any, marks: list[Any]) -> bool:
    if given is None or given == "" or given != given:  # noqa: PLR0124 (NaN differs from itself)
        return True
    if not marks or isinstance(given, bytes):
        return False
    if isinstance(given, bool):
        return any(mark is given for mark in marks)
    if isinstance(given, str) and given in marks:
        return True
    try:
        number = number_of(given) if isinstance(given, str) else given
    except ValueError:
        return False
    if not isinstance(number, int | float):
        return False
    return any(
        isinstance(mark, int | float)
        and not isinstance(mark, bool)
        and (number == mark or (isinstance(number, float) and math.isclose(number, mark, rel_tol=SINGLE)))
        for mark in marks
    )


def _meaning(given: Any, values: dict[str, Any]) -> Any:
    """Look a value up; a number is the same however it is written."""
    names = [str(given)]
    if isinstance(given, bool):
        names += [str(given).lower(), str(int(given))]
    if isinstance(given, float) and given.is_integer():
        names.append(str(int(given)))
    for name in names:
        if name in values:
            return values[name]
    number = _as_number(given)
    if number is not None:
        for name, meaning in values.items():
            if (listed := _as_number(name)) is not None and (
                listed == number
                or (isinstance(given, float) and math.isclose(number, listed, rel_tol=SINGLE))
            ):
                return meaning
    raise ValueError(f"is none of {', '.join(values)}: add it to values in the map")


def _as_number(given: Any) -> int | float | None:
    try:
        number = number_of(given) if isinstance(given, str) else given
    except ValueError:
        return None
    return number if isinstance(number, int | float) and not isinstance(number, bool) else None


def _converted(given: Any, column: Column) -> Any:
    """Read a text as a truth value or a time, and a whole number as a text or truth value."""
    is_text = column.type.sql == "text"
    if (is_text or column.type is BOOLEAN) and isinstance(given, float) and given.is_integer():
        given = whole_of(given)
    if is_text and type(given) is int:
        return str(given)
    if column.type is BOOLEAN and (isinstance(given, str) or type(given) is int):
        try:
            return TRUTH[str(given).lower()]
        except KeyError:
            raise ValueError("is neither true nor false: say what it means by values in the map") from None
    if column.type is JSON and isinstance(given, str):
        try:
            return json.loads(given)
        except (ValueError, RecursionError):
            raise ValueError('is no JSON; a mere text stands in quotation marks there: "text"') from None
    if column.type is TIMESTAMP and isinstance(given, str):
        try:
            return datetime.fromisoformat(given)
        except ValueError:
            raise ValueError("is no time as 2026-01-31T12:00:00+00:00") from None
    return given


def _part(text: Any, pattern: re.Pattern[str]) -> str:
    if isinstance(text, float) and text.is_integer():
        text = whole_of(text)
    match = pattern.search(str(text))
    if match is None or match[1] is None:
        raise ValueError(f"does not match {pattern.pattern}, the pattern of the map")
    return match[1].strip()
