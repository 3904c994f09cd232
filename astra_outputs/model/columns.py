"""The columns of a record class: what an author says of each, beyond its type."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import Field
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from astra_outputs.errors import InvalidColumn
from astra_outputs.model.column_type import ColumnType
from astra_outputs.model.flags import BitFlags

REQUIRED = PydanticUndefined
"""Default of a column for which every record must give a value."""


BitNames = type[BitFlags]
"""The class that names the bits of a flags column."""


@dataclass(frozen=True)
class ColumnFacts:
    """What an author says of a column beyond its type; `column` makes it."""

    unit: str | None
    category: str | None
    bits: BitNames | None
    bit_prefix: str
    server_default: str | None
    references: str | None


@dataclass(frozen=True)
class Column:
    """One column of a record class, resolved.

    Attributes
    ----------
    name : str
    type : ColumnType
    nullable : bool
    default : Any
        The record's default; `REQUIRED` where a value must be given.
    server_default : str or None
        The SQL expression by which the database fills the column itself.
    generated : str or None
        The SQL expression of a generated column, which nobody writes.
    unit, description, category : str or None
    bits : type[BitFlags] or None
        The names of the bits of a flags column.
    bit_prefix : str
        Put before the name of each bit, where several columns share one set of bits.
    references : str or None
        `table.column` that a foreign key points to.
    """

    name: str
    type: ColumnType
    nullable: bool
    default: Any = None
    server_default: str | None = None
    generated: str | None = None
    unit: str | None = None
    description: str = ""
    category: str | None = None
    bits: BitNames | None = None
    bit_prefix: str = ""
    references: str | None = None

    @property
    def written(self) -> bool:
        """Whether a save sends this column: neither generated nor filled by the database."""
        return self.generated is None and self.server_default is None

    @property
    def comment(self) -> str:
        """The column's comment in the database: its description, with the unit in brackets."""
        return f"{self.description} [{self.unit}]" if self.unit else self.description


NOT_SAID: Any = object()
"""Stands for "no default given", since None is one."""

_category: ContextVar[str | None] = ContextVar("category", default=None)


def category(title: str | None) -> None:
    """Put the columns declared after this statement, in a class body, under a title.

    It holds until the next such statement or the end of the class.
    """
    _category.set(title)


def column(
    *,
    unit: str | None = None,
    description: str,
    default: Any = NOT_SAID,
    bits: BitNames | None = None,
    bit_prefix: str = "",
    server_default: str | None = None,
    references: str | None = None,
) -> Any:
    """Describe one column of a record class.

    Parameters
    ----------
    unit : str, optional
        Unit as FITS and astropy spell it ("K", "km/s", "dex"); None for a number without unit.
    description : str
        What the column means, in at most 47 characters (a FITS comment holds no more).
    default : optional
        Value of a record that gives none. Unless said otherwise None for a column that may be NULL
        and 0 for flags; a required column must be given.
    bits : type[BitFlags], optional
        Names and meanings of the bits, for a flags column.
    bit_prefix : str
        Put before each bit's name, where several columns of a table share one `BitFlags`.
    server_default : str, optional
        SQL expression by which the database fills the column; a save never sends such a column.
    references : str, optional
        `table.column` that a foreign key points to.
    """
    facts = ColumnFacts(unit, _category.get(), bits, bit_prefix, server_default, references)
    options = {} if default is NOT_SAID else {"default": default}
    info: FieldInfo = Field(description=description, **options)
    info.metadata.append(facts)
    return info


def resolve(name: str, info: FieldInfo, class_name: str) -> Column:
    """Return the column that a field of a record class declares.

    Raises
    ------
    InvalidColumn
        If the field's annotation is not one of the column types of this module.
    """
    types = [entry for entry in info.metadata if isinstance(entry, ColumnType)]
    facts = [entry for entry in info.metadata if isinstance(entry, ColumnFacts)]
    if len(types) != 1 or len(facts) != 1:
        raise InvalidColumn(class_name, name)
    (kind,), (said,) = types, facts
    return Column(
        name=name,
        type=kind,
        nullable=type(None) in get_args(info.annotation) and said.server_default is None,
        default=info.default,
        server_default=said.server_default,
        unit=said.unit,
        description=info.description or "",
        category=said.category,
        bits=said.bits,
        bit_prefix=said.bit_prefix,
        references=said.references,
    )
