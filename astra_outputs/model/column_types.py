"""The column types: one place that ties a Python type to a PostgreSQL type and all that is known of it.

Each type is one object. `schema` is what Pydantic runs in native code and what nearly every value
passes; `bounds` is what a whole array is held against. `convert` is asked about the rest, in Python: it
turns NumPy scalars into plain values and NaN into None, and says in words why a value is refused. How
its values are sent, spooled and shown stands beside that, and nowhere else.
"""

from __future__ import annotations

import json
import math
import struct
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field
from pydantic_core import core_schema

from astra_outputs.model.column_type import ColumnType, floating_type, integral_type, shortest_real, type_of
from astra_outputs.model.given import (
    FIRST_TIME,
    LAST_TIME,
    MISSING,
    boolean,
    elements,
    plain,
    raw,
    text,
    timestamp,
)
from astra_outputs.model.harmless import guarded
from astra_outputs.model.json_values import json_of, json_text, some_json
from astra_outputs.model.version import LEAST, MAXIMUM, VersionColumn, format_version, parse_version

__all__ = [
    "BigInt",
    "Boolean",
    "Bytes",
    "Double",
    "Flags",
    "Integer",
    "Json",
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


REAL = floating_type(
    "real", LARGEST_REAL, ">f4", name="real", spellings=("real", "float4"), show=shortest_real
)
DOUBLE = floating_type(
    "double precision",
    math.nextafter(math.inf, 0),
    ">f8",
    name="double",
    spellings=("double precision", "float8", "float"),
)
INTEGER = integral_type(
    "integer", -(2**31), 2**31 - 1, ">i4", name="integer", spellings=("integer", "int", "int4")
)
_BIGINT = ("bigint", "int8")
BIGINT = integral_type("bigint", -(2**63), 2**63 - 1, ">i8", name="bigint", spellings=_BIGINT)
FLAGS = integral_type(
    "bigint", 0, 2**63 - 1, ">i8", "a flags column, bits 0 to 62", name="flags", spellings=_BIGINT
)


def _convert_version(value: Any) -> int | None:
    value = plain(value)
    if isinstance(value, bytes) and value.isascii():  # a text of a FITS table
        value = value.decode()
    return None if value is MISSING else parse_version(value)


def _as_stored(version: Any) -> Any:
    """Return a version that a row says; 8 is one there, and would not be believed of anybody else."""
    return format_version(version) if type(version) is int and 0 < version < LEAST else version


VERSION = integral_type(
    "integer",
    LEAST,
    MAXIMUM,
    ">i4",
    convert=_convert_version,
    arrays="iu",
    from_server=_as_stored,
    from_json=_as_stored,
)


# The native rule refuses text with spaces around it or a NUL: the Python rule mends or explains. What
# `str.strip` takes for spaces is one regular expression's \s and four more.
TEXT = ColumnType(
    sql="text",
    name="text",
    schema=core_schema.str_schema(
        strict=True, pattern=r"^(?:[^\x00\s\x1c-\x1f](?:[^\x00]*[^\x00\s\x1c-\x1f])?)?$"
    ),
    convert=text,
    payload=str.encode,
    padded=True,
    literal='"text"',
    example=lambda number: f"text {number}",
)


BOOLEAN = ColumnType(
    sql="boolean",
    name="boolean",
    spellings=("boolean", "bool"),
    schema=core_schema.bool_schema(strict=True),
    convert=boolean,
    arrays="b",
    dtype="?",
    wire="?",
    payload=bool,
    nothing=False,
    content="truth",
    absent="false",
    arrow="bool",
    fits="L",
    ecsv="bool",
    votable="boolean",
    sql_server="bit",
    literal="True",
    example=lambda number: int(number) % 2 == 0,
)


TIMESTAMP = ColumnType(
    sql="timestamp with time zone",
    name="timestamp",
    spellings=("timestamptz",),
    schema=guarded(
        core_schema.datetime_schema(strict=True, tz_constraint="aware", ge=FIRST_TIME, le=LAST_TIME)
    ),
    convert=timestamp,
    dtype="i8",
    wire=">i8",
    payload=lambda moment: (moment - PG_EPOCH) // timedelta(microseconds=1),
    nothing=0,
    content="time",
    absent="'2000-01-01 00:00:00+00'",
    arrow="timestamp[us]",
    sql_server="datetime2(6)",
    to_json=datetime.isoformat,
    from_json=datetime.fromisoformat,
    literal="datetime(2024, 2, 29, tzinfo=UTC)",
    example=lambda number: UNIX_EPOCH + timedelta(seconds=number * 1e6),
)


BYTES = ColumnType(
    sql="bytea",
    name="bytes",
    schema=core_schema.bytes_schema(strict=True),
    convert=raw,
    payload=bytes,
    content="bytes",
    arrow="large_binary",
    fits="B",
    votable="unsignedByte",
    sql_server="varbinary({})",
    to_json=lambda value: b64encode(value).decode("ascii"),
    from_json=lambda text: b64decode(text.replace("-", "+").replace("_", "/"), validate=True),
    literal='b"bytes"',
    example=lambda number: f"bytes {number}".encode(),
)


_elements = elements(REAL.convert)


def _real_array(value: Any) -> bytes:
    """Return the binary form of a one-dimensional real[]: as PostgreSQL's `array_recv` reads it."""
    numbers = _elements(value) or []
    oid_of_real, some_missing = 700, int(None in numbers)
    if not numbers:
        return struct.pack("!iiI", 0, 0, oid_of_real)
    header = struct.pack("!iiIii", 1, some_missing, oid_of_real, len(numbers), 1)
    return header + b"".join(
        struct.pack("!i", -1) if number is None else struct.pack("!if", 4, number) for number in numbers
    )


REAL_ARRAY = ColumnType(
    sql="real[]",
    name="real[]",
    spellings=("real[]", "float4[]"),
    schema=core_schema.list_schema(core_schema.nullable_schema(REAL.schema), strict=True),
    convert=_elements,
    payload=_real_array,
    content="reals",
    arrow="float32",
    fits="E",
    votable="float",
    sql_server="varchar(max)",
    show=lambda value: [shortest_real(number) if type(number) is float else number for number in value],
    parameter=_elements,
    to_json=_elements,
    literal="[0.5, None]",
    example=lambda number: [number, number + 1],
)

JSON = ColumnType(
    sql="jsonb",
    name="jsonb",
    schema=core_schema.no_info_after_validator_function(some_json, core_schema.any_schema()),
    convert=json_of,
    payload=lambda value: b"\x01" + json_text(value).encode(),
    padded=True,
    parameter=json_text,
    from_server=lambda value: json.loads(value) if isinstance(value, str) else value,
    to_json=json_of,
    literal='{"chi2": [0.5, None]}',
    example=lambda number: {"number": number, "of": ["text", None, True]},
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
Json = Annotated[Any | None, JSON, _NOT_GIVEN]
NullableFlags = Annotated[int | None, FLAGS, Field(default=0)]

Flags = Annotated[int, FLAGS, Field(default=0)]
if TYPE_CHECKING:
    Version = VersionColumn
else:
    Version = Annotated[int, VERSION]
RequiredReal = Annotated[float, REAL]
RequiredInteger = Annotated[int, INTEGER]
RequiredBigInt = Annotated[int, BIGINT]
RequiredText = Annotated[str, TEXT]
RequiredBoolean = Annotated[bool, BOOLEAN]

TYPES = {
    type_of(annotation).name: annotation
    for annotation in (Real, Double, Integer, BigInt, Text, Boolean, Timestamp, Bytes, RealArray, Json, Flags)
}
"""The types by the names that the command line uses."""
