"""The column types: one place that ties a Python type to a PostgreSQL type and all that is known of it.

Each type is one object. `schema` is what Pydantic runs in native code and what nearly every value
passes; `bounds` is what a whole array is held against. `convert` is asked about the rest, in Python: it
turns NumPy scalars into plain values and NaN into None, and says in words why a value is refused. How
its values are sent, spooled and shown stands beside that, and nowhere else.
"""

from __future__ import annotations

import math
import struct
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import Field
from pydantic_core import core_schema

from astra_outputs.model.column_type import ColumnType, type_of
from astra_outputs.model.given import MISSING, floating, integral, plain
from astra_outputs.model.version import MAXIMUM, parse_version

__all__ = [
    "BigInt",
    "Boolean",
    "Bytes",
    "Double",
    "Flags",
    "Integer",
    "NullableFlags",
    "Real",
    "RealArray",
    "RequiredBigInt",
    "RequiredBoolean",
    "RequiredInteger",
    "RequiredReal",
    "RequiredText",
    "Text",
    "Timestamp",
]

LARGEST_REAL = (2 - 2**-23) * 2.0**127
"""Greatest finite single-precision number, 3.4028235e38."""

UNIX_EPOCH, PG_EPOCH = datetime(1970, 1, 1, tzinfo=UTC), datetime(2000, 1, 1, tzinfo=UTC)
"""Where the seconds of Unix are counted from, and the microseconds of PostgreSQL."""

FIRST_TIME, LAST_TIME = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, 23, 59, 59, 999_999, UTC)
"""Python's own first and last times stand for infinity on their way to PostgreSQL, and near them other
time zones have no time at all."""


def _floating_type(sql: str, largest: float, wire: str, **known: Any) -> ColumnType:
    return ColumnType(
        sql=sql,
        schema=core_schema.float_schema(strict=True, allow_inf_nan=False, ge=-largest, le=largest),
        convert=floating(largest, sql),
        bounds=(-largest, largest),
        arrays="fiu",
        dtype="f8",
        wire=wire,
        payload=float,
        nothing=0.0,
        literal="0.5",
        example=float,
        **known,
    )


def _integral_type(
    sql: str, lowest: int, highest: int, wire: str, said: str = "", **known: Any
) -> ColumnType:
    return ColumnType(
        sql=sql,
        schema=core_schema.int_schema(strict=True, ge=lowest, le=highest),
        bounds=(lowest, highest),
        dtype="i8",
        wire=wire,
        payload=int,
        nothing=0,
        literal="1",
        example=lambda number: int(number * 8),
        **{"convert": integral(lowest, highest, said or sql), "arrays": "fiu", **known},
    )


REAL = _floating_type("real", LARGEST_REAL, ">f4", name="real", spellings=("real", "float4"))
DOUBLE = _floating_type(
    "double precision",
    math.nextafter(math.inf, 0),
    ">f8",
    name="double",
    spellings=("double precision", "float8", "float"),
)
INTEGER = _integral_type(
    "integer", -(2**31), 2**31 - 1, ">i4", name="integer", spellings=("integer", "int", "int4")
)
_BIGINT = ("bigint", "int8")
BIGINT = _integral_type("bigint", -(2**63), 2**63 - 1, ">i8", name="bigint", spellings=_BIGINT)
FLAGS = _integral_type(
    "bigint", 0, 2**63 - 1, ">i8", "a flags column, bits 0 to 62", name="flags", spellings=_BIGINT
)


def _convert_version(value: Any) -> int | None:
    value = plain(value)
    return None if value is MISSING else parse_version(value)


VERSION = _integral_type("integer", 0, MAXIMUM, ">i4", convert=_convert_version, arrays="iu")


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


# The native rule refuses text with spaces around it or a NUL: the Python rule mends or explains. What
# `str.strip` takes for spaces is one regular expression's \s and four more.
TEXT = ColumnType(
    sql="text",
    name="text",
    schema=core_schema.str_schema(
        strict=True, pattern=r"^(?:[^\x00\s\x1c-\x1f](?:[^\x00]*[^\x00\s\x1c-\x1f])?)?$"
    ),
    convert=_convert_text,
    payload=str.encode,
    padded=True,
    literal='"text"',
    example=lambda number: f"text {number}",
)


def _convert_boolean(value: Any) -> bool | None:
    value = plain(value)
    if not isinstance(value, bool | None):
        raise ValueError(f"must be True or False, not {type(value).__name__}")
    return value


BOOLEAN = ColumnType(
    sql="boolean",
    name="boolean",
    spellings=("boolean", "bool"),
    schema=core_schema.bool_schema(strict=True),
    convert=_convert_boolean,
    arrays="b",
    dtype="?",
    wire="?",
    payload=bool,
    nothing=False,
    literal="True",
    example=lambda number: int(number) % 2 == 0,
)


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


TIMESTAMP = ColumnType(
    sql="timestamp with time zone",
    name="timestamp",
    spellings=("timestamptz",),
    schema=core_schema.datetime_schema(strict=True, tz_constraint="aware", ge=FIRST_TIME, le=LAST_TIME),
    convert=_convert_timestamp,
    dtype="i8",
    wire=">i8",
    payload=lambda moment: (moment - PG_EPOCH) // timedelta(microseconds=1),
    nothing=0,
    to_json=datetime.isoformat,
    from_json=datetime.fromisoformat,
    literal="datetime(2024, 2, 29, tzinfo=UTC)",
    example=lambda number: UNIX_EPOCH + timedelta(seconds=number * 1e6),
)


def _convert_bytes(value: Any) -> bytes | None:
    value = plain(value)
    if value is MISSING or isinstance(value, bytes):
        return value
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if hasattr(value, "tobytes") and getattr(getattr(value, "dtype", None), "itemsize", 0) == 1:
        return bytes(value.tobytes())
    raise ValueError(f"must be bytes, not {type(value).__name__}")


BYTES = ColumnType(
    sql="bytea",
    name="bytes",
    schema=core_schema.bytes_schema(strict=True),
    convert=_convert_bytes,
    payload=bytes,
    to_json=lambda value: b64encode(value).decode("ascii"),
    from_json=lambda text: b64decode(text, validate=True),
    literal='b"bytes"',
    example=lambda number: f"bytes {number}".encode(),
)


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


def _real_array(value: Any) -> bytes:
    """Return the binary form of a one-dimensional real[]: as PostgreSQL's `array_recv` reads it."""
    elements = _convert_real_array(value) or []
    oid_of_real, some_missing = 700, int(None in elements)
    if not elements:
        return struct.pack("!iiI", 0, 0, oid_of_real)
    header = struct.pack("!iiIii", 1, some_missing, oid_of_real, len(elements), 1)
    return header + b"".join(
        struct.pack("!i", -1) if element is None else struct.pack("!if", 4, element) for element in elements
    )


REAL_ARRAY = ColumnType(
    sql="real[]",
    name="real[]",
    spellings=("real[]", "float4[]"),
    schema=core_schema.list_schema(core_schema.nullable_schema(REAL.schema), strict=True),
    convert=_convert_real_array,
    payload=_real_array,
    to_json=_convert_real_array,
    literal="[0.5, None]",
    example=lambda number: [number, number + 1],
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
    type_of(annotation).name: annotation
    for annotation in (Real, Double, Integer, BigInt, Text, Boolean, Timestamp, Bytes, RealArray, Flags)
}
"""The types by the names that the command line uses."""
