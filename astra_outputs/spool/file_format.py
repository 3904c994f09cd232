"""The format of one spool file: records of one class as lines of JSON, under a checksum.

The first line names the format, the SHA-256 and the length of all that follows. The second says what
the records are; then one array a record. JSON carries every column type without loss: Python writes
a float with as many digits as bring back the same bits. What JSON lacks becomes text, as each column
type says (`ColumnType.to_json`): a time as ISO 8601 with its offset, bytes as base64.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from astra_outputs.errors import CorruptSpoolFile, InvalidRecord, OtherRecordClass
from astra_outputs.model.record import Record

FORMAT = "astra_outputs-spool-1"

Conversion = Callable[[Any], Any]

ClassOf = Callable[[str, str], type[Record] | None]
"""Given a table and the name of its record class ("package.module:Class"), returns the class."""


@dataclass(frozen=True)
class SpoolBatch:
    """Records of one class that wait to be stored.

    Attributes
    ----------
    record_class : type[Record]
    since : datetime
        When they were ready to be stored, by the server's clock. A row stored later than that is
        newer than they are.
    records : list[Record]
    """

    record_class: type[Record]
    since: datetime
    records: list[Record]


def encode(records: Sequence[Record], since: datetime) -> bytes:
    """Return the bytes of a file that holds these records, all of one class."""
    record_class = type(records[0])
    written = [column for column in record_class.columns() if column.written]
    columns = {column.name: column.type.sql for column in written}
    header = {
        "record_class": f"{record_class.__module__}:{record_class.__qualname__}",
        "table": record_class.table,
        "since": since.isoformat(),
        "records": len(records),
        "columns": columns,
    }
    values, convert = itemgetter(*columns), _conversions(column.type.to_json for column in written)
    lines = [header, *(_converted(values(record.__dict__), convert) for record in records)]
    # NaN and infinity are no JSON, and no value of a record either.
    body = "".join(json.dumps(line, allow_nan=False, separators=(",", ":")) + "\n" for line in lines).encode()
    return _first_line(body) + b"\n" + body


def decode(content: bytes, class_of: ClassOf) -> SpoolBatch:
    """Return the records of a file.

    Raises
    ------
    CorruptSpoolFile
        If a byte is missing or changed.
    OtherRecordClass
        If the file is whole, but the record class is unknown or has other columns than it had.
    """
    header, rows = _read(content)
    record_class = class_of(header["table"], header["record_class"])
    if record_class is None:
        name = header["record_class"]
        raise OtherRecordClass(f"no record class for table {header['table']}: name its module ({name})")
    known = {column.name: column.type for column in record_class.columns() if column.written}
    columns = header["columns"]
    lost = [name for name, sql in columns.items() if name not in known or known[name].sql != sql]
    if lost:
        raise OtherRecordClass(
            f"{record_class.__name__} has no column {', '.join(lost)} of the type that was written: "
            "store the file with the version of the record class that made it"
        )
    convert = _conversions(known[name].from_json for name in columns)
    try:
        records = [
            record_class.model_validate(dict(zip(columns, _converted(row, convert), strict=True)))
            for row in rows
        ]
    except InvalidRecord as error:
        raise OtherRecordClass(f"{record_class.__name__} refuses a record of the file: {error}") from error
    return SpoolBatch(record_class, datetime.fromisoformat(header["since"]), records)


def verify(content: bytes) -> None:
    """Refuse the content of a file that is not as it was written.

    Raises
    ------
    CorruptSpoolFile
        If a byte is missing or changed.
    """
    first, _, body = content.partition(b"\n")
    if first == _first_line(body):
        return
    if not first.startswith(FORMAT.encode()):
        raise CorruptSpoolFile(f"does not begin with {FORMAT}")
    length = first.rpartition(b"bytes=")[2].decode("ascii", errors="replace")
    if length != str(len(body)):
        raise CorruptSpoolFile(f"is not what was written: {len(body):,} bytes of {length}")
    raise CorruptSpoolFile("is not what was written: its checksum differs")


def _read(content: bytes) -> tuple[dict[str, Any], list[list[Any]]]:
    verify(content)
    _, header, *rows = content.splitlines()
    return json.loads(header), list(map(json.loads, rows))


def _first_line(body: bytes) -> bytes:
    return f"{FORMAT} sha256={hashlib.sha256(body).hexdigest()} bytes={len(body)}".encode()


def _conversions(functions: Iterable[Conversion | None]) -> list[tuple[int, Conversion]]:
    """Return what is to be done to the values of a row, with their index."""
    return [(index, function) for index, function in enumerate(functions) if function is not None]


def _converted(values: Iterable[Any], convert: list[tuple[int, Conversion]]) -> list[Any]:
    row = list(values)
    for index, function in convert:
        if row[index] is not None:
            row[index] = function(row[index])
    return row
