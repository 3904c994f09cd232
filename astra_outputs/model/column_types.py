"""The column types: one place that ties a Python type to a PostgreSQL type and a range.

Each type states its rule in one object. `schema` is what Pydantic runs in native code and what nearly
every value passes; `bounds` is what a whole array is held against. `convert` is asked about the rest, in
Python: it turns NumPy scalars into plain values and NaN into None, and says in words why a value is
refused.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, get_args

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from astra_outputs.model.version import MAXIMUM, parse_version

LARGEST_REAL = (2 - 2**-23) * 2.0**127
"""Greatest finite single-precision number, 3.4028235e38."""

FIRST_TIME, LAST_TIME = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, 23, 59, 59, 999_999, UTC)
"""Python's own first and last times stand for infinity on their way to PostgreSQL, and near them other
time zones have no time at all."""

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


@dataclass(frozen=True)
class ColumnType:
    """One PostgreSQL type and the values that it holds.

    Attributes
    ----------
    sql : str
        The type's name, as PostgreSQL prints it.
    schema : CoreSchema
        What Pydantic runs in native code; a value that passes it is stored as it is.
    convert : Callable
        Asked about every other value: returns what to store (None for "not measured"), or raises
        ValueError with the reason.
    bounds : tuple, optional
        Least and greatest number that is stored.
    arrays : str
        The kinds of NumPy arrays (`dtype.kind`) of which a value within the bounds is stored as it
        is; NaN is None, and an integer column takes whole numbers only. `convert` is asked about
        every value of another array.
    """

    sql: str
    schema: CoreSchema = field(repr=False)
    convert: Callable[[Any], Any] = field(repr=False)
    bounds: tuple[float, float] | None = field(default=None, repr=False)
    arrays: str = field(default="", repr=False)

    def __get_pydantic_core_schema__(self, source: Any, _: GetCoreSchemaHandler) -> CoreSchema:
        if type(None) not in get_args(source):
            return self._with_rule(self.require)
        return core_schema.nullable_schema(self._with_rule(self.convert))

    def _with_rule(self, rule: Callable[[Any], Any]) -> CoreSchema:
        slow = core_schema.no_info_plain_validator_function(rule)
        return core_schema.union_schema([self.schema, slow], mode="left_to_right")

    def require(self, value: Any) -> Any:
        """Do as `convert` for a column that is NOT NULL: None is refused too."""
        value = self.convert(value)
        if value is MISSING:
            raise ValueError("must have a value: the column is NOT NULL")
        return value


def _number(value: Any) -> Any:
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, int | float | None):
        raise ValueError(f"must be a number, not {type(value).__name__}")
    return value


def _floating(largest: float, sql: str) -> Callable[[Any], float | None]:
    def convert(value: Any) -> float | None:
        value = plain(value)
        if type(value) not in (bool, int) and isinstance(value, Decimal | numbers.Real):
            value = float(value)  # a Decimal or a Fraction, which the native rule takes as well
        value = _number(value)
        if value is MISSING or value != value:  # noqa: PLR0124 (NaN differs from itself)
            return MISSING
        if isinstance(value, float) and math.isinf(value):
            raise ValueError('is infinite; "not measured" is None or NaN')
        if abs(value) > largest:
            raise ValueError(f"does not fit {sql} (at most {largest:.7g} in size)")
        return float(value)

    return convert


def _integral(lowest: int, highest: int, sql: str) -> Callable[[Any], int | None]:
    def convert(value: Any) -> int | None:
        value = _number(value)
        if value is MISSING or value != value:  # noqa: PLR0124
            return MISSING
        if isinstance(value, float) and not value.is_integer():
            raise ValueError("is not a whole number")
        if not lowest <= value <= highest:
            raise ValueError(f"does not fit {sql} ({lowest} to {highest})")
        return int(value)

    return convert


def _convert_version(value: Any) -> int | None:
    value = plain(value)
    return None if value is MISSING else parse_version(value)


def _convert_text(value: Any) -> str | None:
    value = plain(value)
    if value is MISSING:
        return None
    if isinstance(value, bytes):  # FITS tables hand out their strings as bytes
        value = value.decode("ascii", errors="strict") if value.isascii() else value
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {type(value).__name__}")
    value = value.strip()
    if "\0" in value:
        raise ValueError("contains a NUL character, which PostgreSQL cannot store")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("contains half of a surrogate pair, which is not text") from None
    return str(value)


def _convert_boolean(value: Any) -> bool | None:
    value = plain(value)
    if not isinstance(value, bool | None):
        raise ValueError(f"must be True or False, not {type(value).__name__}")
    return value


def _convert_timestamp(value: Any) -> datetime | None:
    value = plain(value)
    if value is MISSING:
        return None
    if not isinstance(value, datetime):
        raise ValueError(f"must be a datetime, not {type(value).__name__}")
    if value.utcoffset() is None:
        raise ValueError("has no time zone; give one, as in datetime.now(timezone.utc)")
    if not FIRST_TIME <= value <= LAST_TIME:
        raise ValueError('is not between 0001-01-02 and 9999-12-30; "not known" is None')
    return value


def _convert_bytes(value: Any) -> bytes | None:
    value = plain(value)
    if value is MISSING or isinstance(value, bytes):
        return value
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if hasattr(value, "tobytes") and getattr(getattr(value, "dtype", None), "itemsize", 0) == 1:
        return bytes(value.tobytes())
    raise ValueError(f"must be bytes, not {type(value).__name__}")


def _convert_real_array(value: Any) -> list[float | None] | None:
    value = plain(value)
    if value is MISSING:
        return None
    if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
        raise ValueError(f"must be a sequence of numbers, not {type(value).__name__}")
    elements = list(value)
    try:
        return [REAL.convert(element) for element in elements]
    except ValueError as error:
        raise ValueError(f"has an element that {error}") from None


def _floating_type(sql: str, largest: float) -> ColumnType:
    schema = core_schema.float_schema(strict=True, allow_inf_nan=False, ge=-largest, le=largest)
    return ColumnType(sql, schema, _floating(largest, sql), (-largest, largest), arrays="fiu")


def _integral_type(sql: str, lowest: int, highest: int, said: str | None = None) -> ColumnType:
    schema = core_schema.int_schema(strict=True, ge=lowest, le=highest)
    convert = _integral(lowest, highest, said or sql)
    return ColumnType(sql, schema, convert, (lowest, highest), arrays="fiu")


REAL = _floating_type("real", LARGEST_REAL)
DOUBLE = _floating_type("double precision", math.nextafter(math.inf, 0))
INTEGER = _integral_type("integer", -(2**31), 2**31 - 1)
BIGINT = _integral_type("bigint", -(2**63), 2**63 - 1)
FLAGS = _integral_type("bigint", 0, 2**63 - 1, "a flags column, bits 0 to 62")
VERSION = ColumnType(
    "integer",
    core_schema.int_schema(strict=True, ge=0, le=MAXIMUM),
    _convert_version,
    (0, MAXIMUM),
    arrays="iu",
)
# The native rule refuses text with spaces around it or a NUL: the Python rule mends or explains. What
# `str.strip` takes for spaces is one regular expression's \s and four more.
TEXT = ColumnType(
    "text",
    core_schema.str_schema(strict=True, pattern=r"^(?:[^\x00\s\x1c-\x1f](?:[^\x00]*[^\x00\s\x1c-\x1f])?)?$"),
    _convert_text,
)
BOOLEAN = ColumnType("boolean", core_schema.bool_schema(strict=True), _convert_boolean, arrays="b")
TIMESTAMP = ColumnType(
    "timestamp with time zone",
    core_schema.datetime_schema(strict=True, tz_constraint="aware", ge=FIRST_TIME, le=LAST_TIME),
    _convert_timestamp,
)
BYTES = ColumnType("bytea", core_schema.bytes_schema(strict=True), _convert_bytes)
REAL_ARRAY = ColumnType(
    "real[]",
    core_schema.list_schema(core_schema.nullable_schema(REAL.schema), strict=True),
    _convert_real_array,
)

# What an author writes behind a column's name. A column may be NULL, and is None in a record that
# gives no value, unless its name says otherwise; flags are 0.
_NOT_GIVEN = Field(default=None)
Real = Annotated[float | None, REAL, _NOT_GIVEN]
Double = Annotated[float | None, DOUBLE, _NOT_GIVEN]
Integer = Annotated[int | None, INTEGER, _NOT_GIVEN]
BigInt = Annotated[int | None, BIGINT, _NOT_GIVEN]
Text = Annotated[str | None, TEXT, _NOT_GIVEN]
Boolean = Annotated[bool | None, BOOLEAN, _NOT_GIVEN]
Timestamp = Annotated[datetime | None, TIMESTAMP, _NOT_GIVEN]
Bytes = Annotated[bytes | None, BYTES, _NOT_GIVEN]
RealArray = Annotated[list[float | None] | None, REAL_ARRAY, _NOT_GIVEN]
NullableFlags = Annotated[int | None, FLAGS, Field(default=0)]

Flags = Annotated[int, FLAGS, Field(default=0)]
Version = Annotated[int, VERSION]
RequiredReal = Annotated[float, REAL]
RequiredInteger = Annotated[int, INTEGER]
RequiredBigInt = Annotated[int, BIGINT]
RequiredText = Annotated[str, TEXT]
RequiredBoolean = Annotated[bool, BOOLEAN]

TYPES = {
    "real": Real,
    "double": Double,
    "integer": Integer,
    "bigint": BigInt,
    "text": Text,
    "boolean": Boolean,
    "timestamp": Timestamp,
    "bytes": Bytes,
    "real[]": RealArray,
    "flags": Flags,
}
"""The types by the names that the command line uses."""
