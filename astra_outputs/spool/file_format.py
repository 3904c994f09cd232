"""The format of one spool file: records of one class as lines of JSON, under a checksum.

The first line names the format, the SHA-256 and the length of all that follows. The second says what
the records are; then one array a record. JSON carries every column type without loss: Python writes
a float with as many digits as bring back the same bits. What JSON lacks becomes text: a time as
ISO 8601 with its offset, bytes as base64.

The checksum tells damage, not who wrote the file: nothing in a file is believed but values, which its
record class checks like any others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from astra_outputs.errors import CorruptSpoolFile, OtherRecordClass
from astra_outputs.model.record import Record
from astra_outputs.model.version import format_major_minor
from astra_outputs.saving.report import Rejected

FORMAT = "astra_outputs-spool-1"

NAMED = 10
"""Most columns that an error names."""

ClassOf = Callable[[str, str], type[Record] | None]
"""Given a table and the name of its record class ("package.module:Class"), returns the class."""

Convert = list[tuple[int, Callable[[Any], Any]]]
"""What to do with which places of a row."""


class Unwritable(NamedTuple):
    """A record that a file cannot hold: its place among those given, and why not."""

    position: int
    reason: str


class Encoded(NamedTuple):
    """The bytes of a file, empty if no record can be written, and the records that it lacks."""

    content: bytes
    unwritable: list[Unwritable]


@dataclass(frozen=True)
class Header:
    """What the second line of a file says of the records."""

    record_class: str
    table: str
    since: datetime
    columns: dict[str, str]

    @classmethod
    def of(cls, record_class: type[Record], since: datetime) -> Self:
        """Return what is said of records of a class."""
        name = f"{record_class.__module__}:{record_class.__qualname__}"
        return cls(name, record_class.table, since, _columns(record_class))

    @classmethod
    def parse(cls, line: bytes) -> Self:
        """Return what a line says.

        Raises
        ------
        ValueError, TypeError, KeyError, OverflowError, RecursionError
            If no worker wrote it.
        """
        said = json.loads(line)
        names, columns = (said["record_class"], said["table"]), said["columns"]
        texts = (*names, *columns, *columns.values()) if isinstance(columns, dict) else (None,)
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("the second line names no table and columns")
        since = datetime.fromisoformat(said["since"])
        if since.tzinfo is None:
            raise ValueError(f"the time {said['since']} has no zone")
        return cls(*names, since.astimezone(UTC), columns)

    def pack(self, lines: Sequence[bytes]) -> bytes:
        """Return the bytes of a file with these lines for records."""
        first = {
            "record_class": self.record_class,
            "table": self.table,
            "since": self.since.isoformat(),
            "records": len(lines),
            "columns": self.columns,
        }
        return packed([_line(first), *lines])


@dataclass(frozen=True)
class SpoolBatch:
    """Records of one class that wait to be stored.

    Attributes
    ----------
    record_class : type[Record]
    header : Header
    records : list[Record]
    rows : list[list]
        All rows as they stand in the file.
    places : list[int]
        The row of each record.
    refused : list[Rejected]
        Rows that the record class refuses.
    """

    record_class: type[Record]
    header: Header
    records: list[Record] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    refused: list[Rejected] = field(default_factory=list)

    @property
    def since(self) -> datetime:
        """When they were ready to be stored, by the server's clock; a row stored later is newer than they are."""
        return self.header.since

    def only(self, rejected: Iterable[Rejected]) -> bytes:
        """Return the bytes of a file that holds the lines of some, as they were."""
        return self.header.pack([self.lines[entry.position] for entry in rejected])


def encode(records: Sequence[Record], since: datetime) -> Encoded:
    """Return a file that holds these records, all of one class; one that cannot be written costs itself alone."""
    record_class = type(records[0])
    header = Header.of(record_class, since)
    convert = _places(record_class.column(name).type.to_json for name in header.columns)
    lines, unwritable = [], []
    for position, record in enumerate(records):
        try:
            lines.append(_line_of(record, header.columns, convert))
        except Exception as error:  # noqa: BLE001 (whatever a value does, the other records are not to suffer)
            unwritable.append(Unwritable(position, f"{type(error).__name__}: {error}"))
    return Encoded(header.pack(lines) if lines else b"", unwritable)


def decode(content: bytes, class_of: ClassOf) -> SpoolBatch:
    """Return the records of a file.

    Raises
    ------
    CorruptSpoolFile
        If a byte is missing or changed, or no worker wrote it.
    OtherRecordClass
        If the file is whole, but the record class is unknown, has other columns than it had, or
        refuses every record.
    """
    header, lines, rows = _read(content)
    record_class = class_of(header.table, header.record_class)
    if record_class is None:
        raise OtherRecordClass(
            f"no record class for table {header.table} was given or imported: name its module, "
            f"`astra-outputs replay --records MODULE` or record_classes= (the file says {header.record_class})"
        )
    known, columns = _columns(record_class), header.columns
    lost = [name for name, sql in columns.items() if known.get(name) != sql]
    if lost:
        names = ", ".join(lost[:NAMED]) + (f" and {len(lost) - NAMED:,} more" if len(lost) > NAMED else "")
        raise OtherRecordClass(
            f"{record_class.__name__} has no column {names} of the type that was written: "
            "store the file with the version of the record class that made it"
        )
    batch = SpoolBatch(record_class, header, lines=lines)
    convert = _places(record_class.column(name).type.from_json for name in columns)
    for place, row in enumerate(rows):
        try:
            values = dict(zip(columns, _converted(row, convert), strict=True))
            batch.records.append(record_class.model_validate(values))
            batch.places.append(place)
        except Exception as error:  # noqa: BLE001 (whatever a value is, the other records are not to suffer)
            key = {name: row[at] for at, name in enumerate(columns) if name in _key_names(record_class)}
            batch.refused.append(Rejected(place, key, str(error)))
    if batch.refused and not batch.records:
        reason = batch.refused[0].reason
        raise OtherRecordClass(f"{record_class.__name__} refuses every record of the file: {reason}")
    return batch


class Glance(NamedTuple):
    """What a file says of its records: table, major.minor, how many, and when they were ready to be stored."""

    table: str
    version: str
    records: int
    since: datetime


def glance(lines: Sequence[bytes]) -> Glance:
    """Return what the first three lines of a file say; not verified.

    Raises
    ------
    CorruptSpoolFile
        If no worker wrote them.
    """
    try:
        header, row = Header.parse(lines[1]), json.loads(lines[2])
        version = int(row[list(header.columns).index("v_astra")]) // 1_000
        records = int(json.loads(lines[1])["records"])
        since = header.since.astimezone(UTC)
        return Glance(header.table, format_major_minor(version), records, since)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError) as error:
        raise CorruptSpoolFile(f"is not what a worker writes: {error}") from error


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


def packed(lines: Iterable[bytes]) -> bytes:
    """Return lines under the first one, which has their checksum."""
    body = b"".join(line + b"\n" for line in lines)
    return _first_line(body) + b"\n" + body


def _read(content: bytes) -> tuple[Header, list[bytes], list[list[Any]]]:
    verify(content)
    try:
        _, first, *lines = content.split(b"\n")[:-1]
        header = Header.parse(first)
        rows = [_parsed(line, len(header.columns)) for line in lines]
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise CorruptSpoolFile(f"is not what a worker writes: {type(error).__name__}: {error}") from error
    if not rows:
        raise CorruptSpoolFile("is not what a worker writes: no record follows the second line")
    return header, lines, rows


def _parsed(line: bytes, width: int) -> list[Any]:
    row = json.loads(line)
    if not isinstance(row, list) or len(row) != width:
        raise ValueError(f"a line is not one of {width} values")
    return row


def _line(value: Any) -> bytes:
    # NaN and infinity are no JSON, and no value of a record either.
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()


def _first_line(body: bytes) -> bytes:
    return f"{FORMAT} sha256={hashlib.sha256(body).hexdigest()} bytes={len(body)}".encode()


def _line_of(record: Record, columns: dict[str, str], convert: Convert) -> bytes:
    """Return what is written of a record: its values, checked again where JSON does not take them."""
    try:
        return _plain_line(record, columns, convert)
    except Exception:  # noqa: BLE001 (a list that was changed in place, say: the record class knows what is meant)
        values = {name: record.__dict__[name] for name in columns}
        return _plain_line(type(record).model_validate(values), columns, convert)


def _plain_line(record: Record, columns: dict[str, str], convert: Convert) -> bytes:
    return _line(_converted([record.__dict__[name] for name in columns], convert))


def _columns(record_class: type[Record]) -> dict[str, str]:
    return {column.name: column.type.sql for column in record_class.columns() if column.written}


def _key_names(record_class: type[Record]) -> set[str]:
    return {"v_astra", *(name for names in record_class.natural_keys for name in names)}


def _places(functions: Iterable[Callable[[Any], Any] | None]) -> Convert:
    return [(place, function) for place, function in enumerate(functions) if function is not None]


def _converted(values: Iterable[Any], convert: Convert) -> list[Any]:
    row = list(values)
    for place, function in convert:
        if row[place] is not None:
            row[place] = function(row[place])
    return row
