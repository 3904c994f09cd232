"""The binary COPY format that rows are sent in, as PostgreSQL itself reads it."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import asyncpg
import numpy as np

from astra_outputs.model.column_type import ColumnType
from astra_outputs.model.column_types import BIGINT, BYTES, REAL, TEXT, TYPES
from astra_outputs.model.columns import Column
from astra_outputs.saving import encode
from astra_outputs.saving.cells import Cells, objects
from astra_outputs.saving.encode import HEADER, TRAILER, Encoder, groups_of
from astra_outputs.tables.rules import check


def encoder_of(columns: dict[str, tuple[ColumnType, Cells]]) -> Encoder:
    return Encoder(groups_of([(name, kind, values) for name, (kind, values) in columns.items()]))


async def stored(connection: asyncpg.Connection, columns: dict[str, tuple[ColumnType, Cells]], rows):
    """Send rows to a table of their own and return what PostgreSQL read."""
    await connection.execute(
        f"create temp table sent ({', '.join(f'{name} {kind.sql}' for name, (kind, _) in columns.items())})"
    )
    encoder = encoder_of(columns)

    async def blocks():
        yield HEADER
        for block in encoder.blocks(rows):
            yield block
        yield TRAILER

    await connection.copy_to_table("sent", source=blocks(), columns=encoder.names, format="binary")
    return list(map(tuple, await connection.fetch(f"select {', '.join(columns)} from sent")))


def cells(kind, values) -> Cells:
    return check(Column("value", kind, nullable=True), Cells(objects(values))).stored


async def test_a_null_among_values_of_every_width_is_a_null(connection) -> None:
    columns = {
        "small": (REAL, cells(REAL, [1.5, None, -2.0])),
        "large": (BIGINT, cells(BIGINT, [None, 2**63 - 1, -(2**63)])),
        "long": (TEXT, cells(TEXT, ["a", "", None])),
        "raw": (BYTES, cells(BYTES, [b"\0\0", None, b""])),
    }
    assert await stored(connection, columns, slice(0, 3)) == [
        (1.5, None, "a", b"\0\0"),
        (None, 2**63 - 1, "", None),
        (-2.0, -(2**63), None, b""),
    ]


async def test_text_outside_ascii_arrives_as_it_was(connection) -> None:
    texts = ["Å", "µm", "", "😀 star", "é" * 50]
    sent = await stored(connection, {"value": (TEXT, cells(TEXT, texts))}, slice(0, 5))
    assert [row[0] for row in sent] == texts


async def test_rows_are_sent_in_the_order_asked_for(connection) -> None:
    columns = {
        "number": (BIGINT, Cells(np.arange(10))),
        "name": (TEXT, Cells(np.array([f"{n}" * n for n in range(10)]).astype("S"))),
    }
    rows = np.array([7, 2, 2, 9])
    assert await stored(connection, columns, rows) == [(n, str(n) * n) for n in (7, 2, 2, 9)]


async def test_blocks_of_any_size_hold_the_same_rows(connection, monkeypatch) -> None:
    monkeypatch.setattr(encode, "BLOCK", 100)
    columns = {
        "number": (REAL, Cells(np.where(np.arange(50) % 3, np.arange(50), np.nan))),
        "always": (TEXT, check(Column("x", TEXT, nullable=True), Cells.all("run 3")).stored),
        "never": (REAL, check(Column("x", REAL, nullable=True), Cells.all(None)).stored),
    }
    expected = [(float(n) if n % 3 else None, "run 3", None) for n in range(50)]
    assert await stored(connection, columns, slice(0, 50)) == expected


async def test_one_very_long_text_does_not_make_every_row_as_long() -> None:
    texts = ["short"] * 5_000
    texts[17] = "x" * 1_000_000
    blocks = encoder_of({"value": (TEXT, cells(TEXT, texts))}).blocks(slice(0, 5_000))
    sizes = list(map(len, blocks))
    assert max(sizes) < 2_000_000
    assert sum(sizes) == 5_000 * 6 + 4_999 * 5 + 1_000_000


async def test_an_integer_becomes_a_real_as_in_python(connection) -> None:
    # Rounded once, 2**60 + 2**36 + 1 would be the next real above; Python rounds to a double first.
    number = 2**60 + 2**36 + 1
    sent = await stored(connection, {"value": (REAL, Cells(np.array([number])))}, slice(0, 1))
    assert sent == [struct.unpack("f", struct.pack("f", float(number)))]


async def test_what_stands_behind_a_mask_is_not_sent(connection) -> None:
    hidden = Cells(np.array([1.0, 1e300]), np.array([False, True]))
    assert await stored(connection, {"value": (REAL, hidden)}, slice(0, 2)) == [(1.0,), (None,)]


def test_every_column_type_can_be_sent() -> None:
    for name, annotation in TYPES.items():
        (kind,) = (entry for entry in annotation.__metadata__ if hasattr(entry, "convert"))
        column = Column("value", kind, nullable=True)
        blocks: Iterator[bytes] = encoder_of({"value": (kind, check(column, Cells.all(None)).stored)}).blocks(
            slice(0, 1)
        )
        assert b"".join(blocks) == b"\0\1\xff\xff\xff\xff", name
