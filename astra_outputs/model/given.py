"""From what a pipeline gives to what a column stores: the rules of values that need conversion.

Each returns what is stored, None for "not measured", or raises ValueError with the reason.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

MISSING = None
"""How "not measured" is stored: NULL. PostgreSQL would sort NaN above every number."""

EXACT = {2: 2**11, 4: 2**24, 8: 2**53}
"""From where on a floating-point number of so many bytes no longer tells whole numbers apart."""

FIRST_TIME, LAST_TIME = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, 23, 59, 59, 999_999, UTC)
"""Python's own first and last times stand for infinity on their way to PostgreSQL, and near them other
time zones have no time at all."""


def plain(value: Any) -> Any:
    """Turn a scalar of NumPy, Arrow, pandas or astropy, or a zero-dimensional array, into a plain value.

    NaN, masked values, `pandas.NA` and `NaT` become None; a quantity without dimension and scale is its number.
    Anything else is returned as it is.

    Raises
    ------
    ValueError
        If it carries a unit, or is a time or duration that Python has none for.
    """
    if type(value).__name__ in ("NAType", "NaTType", "MaskedConstant"):
        return MISSING
    if hasattr(value, "as_py"):  # a scalar of Arrow's
        value = value.as_py()  # older releases give a scalar of NumPy's for half a float
    if getattr(value, "dtype", None) is not None and getattr(value, "ndim", None) == 0:
        if getattr(value, "mask", False):
            return MISSING
        value = _item(value)
    elif not isinstance(value, datetime):
        _refuse_unit(value)
    return MISSING if _is_nan(value) else value


def is_missing(value: Any) -> bool:
    """Tell whether a value says "not measured", in whatever library's words."""
    try:
        return plain(value) is MISSING
    except ValueError:
        return False


def _item(value: Any) -> Any:
    """Return the only element of an array or NumPy scalar as Python has it."""
    _refuse_unit(value)
    value = getattr(value, "unmasked", value)
    if getattr(value, "unit", None) is not None:
        value = value.value
    item = value.item()
    if getattr(value.dtype, "kind", "") in "mM" and isinstance(item, int):
        raise ValueError(
            f"is a {type(value).__name__} in units, or of a size, that Python has none for: give a datetime or a number"
        )
    if type(item).__name__ in ("longdouble", "float128", "float96"):
        return float(item)
    return item


def _refuse_unit(value: Any) -> None:
    unit = getattr(value, "unit", None)  # None for a column of astropy's that has none
    if unit is not None and unit != "" and not type(value).__module__.startswith("pandas"):
        # A time of pandas' calls so in what parts of a second it counts.
        raise ValueError("carries a unit: pass a plain number in the column's unit (value.to_value(unit))")


def _is_nan(value: Any) -> bool:
    if isinstance(value, float):
        return value != value  # noqa: PLR0124 (NaN differs from itself)
    return isinstance(value, Decimal) and value.is_nan()


def number(value: Any) -> Any:
    """Return a plain number: an integer, a float or None."""
    value = plain(value)
    if value is MISSING or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise ValueError(f"must be a number, not {type(value).__name__}")


def floating(largest: float, sql: str) -> Callable[[Any], float | None]:
    """Return the rule of a column of floating-point numbers, the largest of which is given."""

    def convert(value: Any) -> float | None:
        value = plain(value)
        if value is MISSING:
            return None
        if isinstance(value, bool) or not isinstance(value, Decimal | numbers.Real):
            value = number(value)
        if value in (math.inf, -math.inf):
            raise ValueError('is infinite; "not measured" is None or NaN')
        if abs(value) > largest:
            raise ValueError(f"does not fit {sql} (at most {largest:.7g} in size)")
        return float(value)

    return convert


def integral(lowest: int, highest: int, sql: str) -> Callable[[Any], int | None]:
    """Return the rule of a column of whole numbers between two."""

    def convert(value: Any) -> int | None:
        exact = EXACT.get(_bytes_of(value), 2**53)
        value = plain(value)
        if isinstance(value, Decimal | Fraction):
            if isinstance(value, Decimal) and not value.is_finite():
                raise ValueError("is not a whole number")
        elif number(value) is MISSING:
            return None
        if isinstance(value, float):
            if not value.is_integer():
                raise ValueError("is not a whole number")
            if abs(value) >= exact and lowest <= value <= highest:
                raise ValueError(
                    f"is a floating-point number of {exact:,} or more: such do not tell whole numbers apart; "
                    "give the integer that it was"
                )
        if not lowest <= value <= highest:
            raise ValueError(f"does not fit {sql} ({lowest} to {highest})")
        if value != int(value):
            raise ValueError("is not a whole number")
        return int(value)

    return convert


def _bytes_of(value: Any) -> int:
    """Return in how many bytes NumPy or Arrow keeps a number; 8 for any other."""
    if hasattr(value, "as_py") and str(value.type) in ("halffloat", "float"):
        return 2 if str(value.type) == "halffloat" else 4
    size: int = getattr(getattr(value, "dtype", None), "itemsize", 8)
    return size


def text(value: Any) -> str | None:
    """Return a text without spaces around it."""
    value = plain(value)
    if value is MISSING:
        return None
    if isinstance(value, bytes):  # FITS tables hand out their strings as bytes
        value = value.decode("ascii", errors="strict") if value.isascii() else value
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {type(value).__name__}")
    refuse_unstorable(value)
    return str(value.strip())


def refuse_unstorable(value: str) -> None:
    """Refuse a text that PostgreSQL cannot store."""
    if "\0" in value:
        raise ValueError("contains a NUL character, which PostgreSQL cannot store")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("contains half of a surrogate pair, which is not text") from None


def boolean(value: Any) -> bool | None:
    """Return True or False; a number is neither."""
    value = plain(value)
    if not isinstance(value, bool | None):
        raise ValueError(f"must be True or False, not {type(value).__name__}")
    return value


def datetime_of(value: Any) -> datetime | None:
    """Return a `datetime64` that is a time as a datetime without a zone; None where Python has none so far away."""
    year = value.astype("datetime64[Y]").astype(int) + 1970
    if not MINYEAR <= year <= MAXYEAR:
        return MISSING  # NumPy would wrap such around, some to a time of today
    moment: datetime = value.astype("datetime64[us]").item()
    return moment


def timestamp(value: Any) -> datetime | None:
    """Return a time with its zone; astropy's times have a scale, which says as much."""
    is_datetime64 = getattr(getattr(value, "dtype", None), "kind", "") == "M"
    if is_datetime64 and value.ndim:
        raise ValueError(_SINGLE)
    if is_datetime64 and value == value:  # noqa: PLR0124 (NaT)
        if datetime_of(value) is MISSING:
            raise ValueError(_OUTSIDE)
        raise ValueError(
            "has no time zone, as no datetime64 has; if it is UTC, give "
            'value.astype("datetime64[us]").item().replace(tzinfo=timezone.utc)'
        )
    value = _from_astropy(value) if type(value).__module__.startswith("astropy.time") else plain(value)
    if value is MISSING:
        return None
    if not isinstance(value, datetime):
        raise ValueError(f"must be a datetime, not {type(value).__name__}")
    if value.utcoffset() is None:
        raise ValueError("has no time zone; give one, as in datetime.now(timezone.utc)")
    if not FIRST_TIME <= value <= LAST_TIME:
        raise ValueError(_OUTSIDE)
    # One of pandas' has nanoseconds, which PostgreSQL has not: they are cut off, as in a table.
    return value if type(value) is datetime else datetime.combine(value.date(), value.timetz())


_SINGLE = "must be a single time, not several or a duration"
_OUTSIDE = 'is not between 0001-01-02 and 9999-12-30; "not known" is None'


def _from_astropy(time: Any) -> Any:
    """Return a scalar `astropy.time.Time` as a time in UTC."""
    if not getattr(time, "isscalar", False) or not hasattr(time, "to_datetime"):
        raise ValueError(_SINGLE)
    if bool(getattr(time, "mask", False)):
        return MISSING
    time = getattr(time, "unmasked", time)  # others of its column are masked
    try:
        return time.utc.to_datetime(timezone=UTC)
    except Exception as error:
        raise ValueError(f"has no time in UTC ({error}): give a datetime with its zone") from error


def raw(value: Any) -> bytes | None:
    """Return bytes."""
    value = plain(value)
    if value is MISSING or isinstance(value, bytes):
        return value
    if isinstance(value, bytearray) or (isinstance(value, memoryview) and value.format in ("B", "b", "c")):
        return bytes(value)
    dtype = getattr(value, "dtype", None)
    if hasattr(value, "tobytes") and getattr(dtype, "itemsize", 0) == 1:
        if getattr(dtype, "kind", "") == "b":
            raise ValueError("is an array of truth values: pass their bits as bytes, by numpy.packbits")
        if getattr(getattr(value, "mask", None), "any", bool)():
            raise ValueError("has masked elements, which bytes do not have")
        return bytes(value.tobytes())
    raise ValueError(f"must be bytes, not {type(value).__name__}")


def elements(convert: Callable[[Any], Any]) -> Callable[[Any], list[Any] | None]:
    """Return the rule of a column of arrays with such elements."""

    def each(value: Any) -> list[Any] | None:
        value = plain(value)
        if value is MISSING:
            return None
        if isinstance(value, str | bytes | bytearray | dict | set | frozenset):
            raise ValueError(f"must be a sequence of numbers, not {type(value).__name__}")
        try:
            values = list(value)
        except TypeError:  # a scalar of some library
            raise ValueError(f"must be a sequence of numbers, not {type(value).__name__}") from None
        try:
            return [convert(element) for element in values]
        except ValueError as error:
            raise ValueError(f"has an element that {error}") from None

    return each
