"""Validation of the values that need no conversion, in native code alone."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import SchemaValidator

from astra_outputs.model.record import Record

PAUSE = 8
"""Records that are not tried after one that needed conversion; the next ones likely need it, too."""


class NativeValidator:
    """Builds records of one class from values that are what the table stores: plain and in range.

    It is the class's own schema with two things left out, so that the rules stand in one place: what a
    column does with a value that its native rule refuses (a NumPy scalar, NaN, a wrong one), and the
    search for unknown names. Whatever it does not take is for the class's own validator, which
    converts it or says what is wrong. Measured with 200 columns: 0.6 of the time of that.
    """

    def __init__(self, record_class: type[Record]) -> None:
        schema = _without_conversion(record_class.__pydantic_core_schema__)
        # A validator built for a complete class hands over to the one that the class has.
        record_class.__pydantic_complete__ = False
        try:
            self._validate = SchemaValidator(schema).validate_python
        finally:
            record_class.__pydantic_complete__ = True
        self._pause = 0

    def build(self, values: dict[str, Any]) -> Any:
        """Return a record, or None if some value or name is not for here."""
        if self._pause:
            self._pause -= 1
            return None
        try:
            record = self._validate(values)
        except ValidationError:
            self._pause = PAUSE
            return None
        return record if len(record.__pydantic_fields_set__) == len(values) else None


@lru_cache(maxsize=1024)
def native_validator(record_class: type[Record]) -> NativeValidator:
    """Return the validator of a class, made when first asked for."""
    return NativeValidator(record_class)


def _without_conversion(node: Any) -> Any:
    """Return a schema in which each column has its native rule alone and unknown names are ignored."""
    if isinstance(node, list | tuple):
        return type(node)(map(_without_conversion, node))
    if not isinstance(node, dict):
        return node
    if node.get("type") == "union" and node["choices"][-1]["type"] == "function-plain":
        return node["choices"][0]
    ignored = {"extra_behavior": "ignore", "extra_fields_behavior": "ignore"}
    return {
        name: ignored[name] if name in ignored else _without_conversion(value) for name, value in node.items()
    }
