"""What there is to know of one table, ready to be shown."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from itertools import groupby

from astra_outputs.catalog.from_records import table_of
from astra_outputs.catalog.model import ColumnFacts
from astra_outputs.errors import MissingFile
from astra_outputs.model.columns import Column
from astra_outputs.model.flag_names import FlagBit
from astra_outputs.model.record import Record
from astra_outputs.postgres import sql_files

_SECTION = re.compile(r"^\w[\w ]*\n-{3,}$", re.MULTILINE)


@dataclass(frozen=True)
class ColumnDescription:
    """One column, as the table has it.

    Its `default` is an SQL expression, `= v_astra / 1000` for a generated column, empty if there is none.
    """

    name: str
    type: str
    nullable: bool
    default: str
    unit: str
    description: str
    references: str


@dataclass(frozen=True)
class Category:
    """Columns that belong together."""

    title: str
    columns: tuple[ColumnDescription, ...]


@dataclass(frozen=True)
class FlagDescription:
    """One bit; `attribute` is how a record offers it: `record.flag_low_snr`."""

    bit: int
    value: int
    name: str
    attribute: str
    meaning: str


@dataclass(frozen=True)
class FlagsDescription:
    """The named bits of one flags column."""

    column: str
    bits: tuple[FlagDescription, ...]


@dataclass(frozen=True)
class TableDescription:
    """One table.

    Attributes
    ----------
    name, record_class, module : str
        The table, and where its record class is.
    title, text : str
        One line, and the paragraphs that follow it in the docstring of the record class.
    primary_key : str
    keys : tuple[tuple[str, ...], ...]
        Column sets that identify a row, as a save uses them.
    categories : tuple[Category, ...]
    flags : tuple[FlagsDescription, ...]
    sql : str
        The SQL file; empty if there is none.
    """

    name: str
    record_class: str
    module: str
    title: str
    text: str
    primary_key: str
    keys: tuple[tuple[str, ...], ...]
    categories: tuple[Category, ...]
    flags: tuple[FlagsDescription, ...]
    sql: str

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return sum(len(category.columns) for category in self.categories)

    @property
    def n_flags(self) -> int:
        """Number of named bits, over all columns."""
        return sum(len(flags.bits) for flags in self.flags)


def describe(record_class: type[Record]) -> TableDescription:
    """Return what there is to know of the table of a record class."""
    return TableDescription(
        name=record_class.table,
        record_class=record_class.__name__,
        module=record_class.__module__,
        title=record_class.title,
        text=_text(record_class),
        primary_key=record_class.primary_key,
        keys=record_class.natural_keys,
        categories=_categories(record_class),
        flags=tuple(
            FlagsDescription(column, _bits(record_class, column)) for column in record_class.flag_names.bits
        ),
        sql=_sql(record_class),
    )


def _text(record_class: type[Record]) -> str:
    """Return the docstring's paragraphs, without its title and its numpydoc sections."""
    text = inspect.cleandoc(record_class.__dict__.get("__doc__") or "")
    section = _SECTION.search(text)
    return text[: section.start() if section else None].partition("\n")[2].strip()


def _categories(record_class: type[Record]) -> tuple[Category, ...]:
    """Group the columns by category, in the order in which the categories first occur."""
    columns = record_class.columns()
    facts = table_of(record_class).columns
    titles = list(dict.fromkeys(column.category or "" for column in columns))
    ordered = sorted(columns, key=lambda column: titles.index(column.category or ""))
    return tuple(
        Category(title or "Other", tuple(_column(column, facts[column.name]) for column in group))
        for title, group in groupby(ordered, key=lambda column: column.category or "")
    )


def _column(column: Column, facts: ColumnFacts) -> ColumnDescription:
    return ColumnDescription(
        name=column.name,
        type=facts.type,
        nullable=facts.nullable,
        default=f"= {facts.generated}" if facts.generated else facts.default or "",
        unit=column.unit or "",
        description=column.description,
        references=column.references or "",
    )


def _bits(record_class: type[Record], column: str) -> tuple[FlagDescription, ...]:
    names = record_class.flag_names
    described = []
    for bit in names.bits[column]:
        target = FlagBit(column, bit.mask)
        plain = f"flag_{bit.name}"
        attribute = plain if names.names[plain] == [target] else names.qualified[target]
        described.append(FlagDescription(bit.bit, bit.mask, bit.name, attribute, bit.meaning))
    return tuple(described)


def _sql(record_class: type[Record]) -> str:
    try:
        return sql_files.sql_file(record_class).read_text(encoding="utf-8")
    except MissingFile:
        return ""
