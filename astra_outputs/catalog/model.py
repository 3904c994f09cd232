"""What can be said of a table, in the same words whoever says it.

Types, defaults and expressions are texts in the normal form that `normal` gives them, so that two of
them are equal if PostgreSQL means the same by both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from astra_outputs.model.flags import Bit

IDENTITY = "identity"
"""Stands for the default of an identity column, whichever of the two kinds it is."""


@dataclass(frozen=True)
class ColumnFacts:
    """One column.

    Attributes
    ----------
    name : str
    type : str
        As PostgreSQL prints it.
    nullable : bool
    default : str or None
        The SQL expression; None if there is none or the column is generated.
    generated : str or None
        The SQL expression of a generated column.
    comment : str
    filled_by_server : bool
        Whether a record leaves the column to its default. Only a record class says so.
    """

    name: str
    type: str
    nullable: bool = True
    default: str | None = None
    generated: str | None = None
    comment: str = ""
    filled_by_server: bool = False


@dataclass(frozen=True)
class TableFacts:
    """One table.

    Attributes
    ----------
    name : str
    columns : Mapping[str, ColumnFacts]
    comment : str
    primary_key : str
        Its columns in brackets, as `key` writes them; empty if there is none.
    unique : frozenset[str]
        The columns of each unique key, written likewise; not the primary key.
    foreign_keys : frozenset[str]
        `(source_pk) references source (pk)`.
    checks : Mapping[str, str] or None
        Check constraints, name to expression; None if there is nothing to be said (record classes).
    indexes : frozenset[str] or None
        The columns of each index that is not unique; None likewise.
    flags : Mapping[str, tuple[Bit, ...]] or None
        The named bits of each flags column; None if nobody asked.
    """

    name: str
    columns: Mapping[str, ColumnFacts]
    comment: str = ""
    primary_key: str = ""
    unique: frozenset[str] = frozenset()
    foreign_keys: frozenset[str] = frozenset()
    checks: Mapping[str, str] | None = None
    indexes: frozenset[str] | None = None
    flags: Mapping[str, tuple[Bit, ...]] | None = field(default=None)


def key(columns: Iterable[str]) -> str:
    """Write a set of columns, in alphabetical order, since for a key no order counts."""
    return f"({', '.join(sorted(columns))})"


def unique_key(columns: Iterable[str], *, nulls_not_distinct: bool = False, deferrable: bool = False) -> str:
    """Write a unique key with the properties that make an upsert on it another one, or impossible."""
    return key(columns) + nulls_not_distinct * " nulls not distinct" + deferrable * " deferrable"


def foreign_key(columns: Iterable[str], table: str, references: Iterable[str], actions: str = "") -> str:
    """Write a foreign key; `actions` is `on delete cascade` or the like."""
    here, there = ", ".join(columns), ", ".join(references)
    return f"({here}) references {table} ({there}) {actions}".rstrip()
