"""Records from JSON, in which times are texts with their zone (ISO 8601), and bytes are in base64."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from pydantic_core import from_json

from astra_outputs.errors import InvalidRecord, Problem


def values_of_json(record_class: type[Any], data: str | bytes | bytearray) -> Any:
    """Return what JSON says, as a record of this class is given it.

    Raises
    ------
    InvalidRecord
        If it is no JSON.
    """
    try:
        values = from_json(data)
    except ValueError as error:
        reason = f"is not JSON: {error}"
        raise InvalidRecord(record_class.table, (Problem("*", data, reason),)) from error
    if not isinstance(values, dict):
        return values
    for column in record_class.columns():
        given, kind = values.get(column.name), column.type
        if isinstance(given, str) and kind.to_json is not None and kind.from_json is not None:
            with suppress(ValueError):  # the record says what is wrong
                values[column.name] = kind.from_json(given)
    return values
