"""From what a pipeline gives to what a column stores: the rules that several column types share."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

MISSING = None
"""How "not measured" is stored: NULL. PostgreSQL would sort NaN above every number."""


def plain(value: Any) -> Any:
    """Turn a NumPy scalar, a zero-dimensional array or a missing-value marker into a plain value.

    Masked values, `pandas.NA` and `NaT` become None. Anything else is returned as it is.
    """
    kind = type(value)
    if kind.__name__ in ("NAType", "NaTType", "MaskedConstant"):
        return MISSING
    if hasattr(value, "unit") and not isinstance(value, datetime):  # pandas' times have one as well
        raise ValueError("carries a unit: pass a plain number in the column's unit (value.to_value(unit))")
    if getattr(value, "dtype", None) is None or not hasattr(value, "item"):
        return value
    if getattr(value, "ndim", 0) != 0:
        return value
    if getattr(value, "mask", False):
        return MISSING
    return value.item()


def number(value: Any) -> Any:
    """Return a plain number; None is "not measured"."""
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, int | float | None):
        raise ValueError(f"must be a number, not {type(value).__name__}")
    return value


def floating(largest: float, sql: str) -> Callable[[Any], float | None]:
    """Return the rule of a column of floating-point numbers, the largest of which is given."""

    def convert(value: Any) -> float | None:
        value = plain(value)
        if type(value) not in (bool, int) and isinstance(value, Decimal | numbers.Real):
            value = float(value)  # a Decimal or a Fraction, which the native rule takes as well
        value = number(value)
        if value is MISSING or value != value:  # noqa: PLR0124 (NaN differs from itself)
            return MISSING
        if isinstance(value, float) and math.isinf(value):
            raise ValueError('is infinite; "not measured" is None or NaN')
        if abs(value) > largest:
            raise ValueError(f"does not fit {sql} (at most {largest:.7g} in size)")
        return float(value)

    return convert


def integral(lowest: int, highest: int, sql: str) -> Callable[[Any], int | None]:
    """Return the rule of a column of whole numbers between two."""

    def convert(value: Any) -> int | None:
        value = number(value)
        if value is MISSING or value != value:  # noqa: PLR0124
            return MISSING
        if isinstance(value, float) and not value.is_integer():
            raise ValueError("is not a whole number")
        if not lowest <= value <= highest:
            raise ValueError(f"does not fit {sql} ({lowest} to {highest})")
        return int(value)

    return convert
