"""Pages as a list of blocks, which every renderer knows how to write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from astra_outputs.describe.table import Category, FlagsDescription, TableDescription


@dataclass(frozen=True)
class Heading:
    """A heading, 1 for the page's own."""

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    """Running text; `names in backquotes` are code."""

    text: str


@dataclass(frozen=True)
class Grid:
    """A table of cells; the columns named in `code` hold names and numbers, not words.

    Each row may be linked to by its first cell's text, with `anchor` before it.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    code: frozenset[str] = frozenset()
    anchor: str = ""


@dataclass(frozen=True)
class Code:
    """A listing."""

    text: str
    language: str


Block = Heading | Paragraph | Grid | Code


def overview(tables: Iterable[TableDescription]) -> list[Block]:
    """Return the page that lists all tables."""
    rows = tuple(
        (table.name, table.record_class, str(table.n_columns), str(table.n_flags), table.title)
        for table in tables
    )
    header = ("table", "record class", "columns", "flags", "holds")
    return [Heading(1, "Tables"), Grid(header, rows, frozenset(header[:2]))]


def page(table: TableDescription, *, sql: bool = True) -> list[Block]:
    """Return the page of one table, with its SQL file at the end unless told otherwise."""
    blocks: list[Block] = [Heading(1, table.name), Paragraph(f"{table.title}.")]
    blocks += [Paragraph(text.replace("\n", " ")) for text in table.text.split("\n\n") if text]
    blocks += [
        Paragraph(f"Record class `{table.module}.{table.record_class}`."),
        *_keys(table),
        Heading(2, "Columns"),
    ]
    for category in table.categories:
        blocks += _category(category)
    if table.flags:
        blocks.append(Heading(2, "Flags"))
    for flags in table.flags:
        blocks += _flags(flags)
    if sql and table.sql:
        blocks += [Heading(2, "SQL"), Code(table.sql.strip(), "sql")]
    return blocks


def _keys(table: TableDescription) -> Iterator[Block]:
    yield Paragraph(f"Primary key `{table.primary_key}`, given by the database.")
    keys = [f"`({', '.join(key)})`" for key in table.keys]
    if keys:
        yield Paragraph(f"Key by which a row is found and replaced: {' or '.join(keys)}.")


def _category(category: Category) -> Iterator[Block]:
    yield Heading(3, category.title)
    rows = tuple(
        (
            column.name,
            column.type,
            column.unit,
            "" if column.nullable else "not NULL",
            column.default,
            column.description + (f" ({column.references})" if column.references else ""),
        )
        for column in category.columns
    )
    header = ("column", "type", "unit", "NULL", "default", "description")
    yield Grid(header, rows, frozenset({"column", "type", "default"}), anchor="column-")


def _flags(flags: FlagsDescription) -> Iterator[Block]:
    yield Heading(3, flags.column)
    rows = tuple((str(bit.bit), bit.name, bit.attribute, str(bit.value), bit.meaning) for bit in flags.bits)
    yield Grid(("bit", "name", "in Python", "value", "meaning"), rows, frozenset({"name", "in Python"}))
