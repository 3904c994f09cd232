"""The columns of an answer: which, under which names, and what is known of each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from astra_outputs.errors import InvalidCondition, shorten
from astra_outputs.model.column_types import TEXT
from astra_outputs.model.columns import Column
from astra_outputs.reading.scope import DRP_SPECTRUM, RESULT, SOURCE, SPECTRUM, Named, Scope, names_in


@dataclass(frozen=True)
class Output:
    """One column of an answer.

    Attributes
    ----------
    name : str
        Its name in the answer.
    named : Named
        The column of a table.
    nullable : bool
        Whether a value may be missing: the column may be NULL, or its table is joined.
    """

    name: str
    named: Named
    nullable: bool

    @property
    def column(self) -> Column:
        """What is known of the column."""
        return self.named.column

    @property
    def wire(self) -> str:
        """The NumPy type of its binary form; empty where values differ in length."""
        return self.column.type.wire

    @property
    def is_float(self) -> bool:
        """Whether NaN says that a value is missing."""
        return "f" in self.wire

    @property
    def is_time(self) -> bool:
        """Whether values are microseconds since 2000."""
        return self.column.type.content == "time"

    @property
    def is_array(self) -> bool:
        """Whether values are arrays of numbers."""
        return self.column.type.content == "reals"

    @property
    def is_text(self) -> bool:
        """Whether values are texts, also those of a type that is sent as text."""
        return self.column.type.content == "text"

    @property
    def counted(self) -> bool:
        """Whether a bit says that a value is missing."""
        return self.nullable and bool(self.wire) and not self.is_float

    @property
    def selected(self) -> str:
        """What is selected for it: never NULL where all values have one width."""
        of_table = self.named.sql
        if self.is_array:
            return f"array_replace({of_table}, null, 'NaN')"
        if self.is_text:
            return of_table if self.column.type is TEXT else f"{of_table}::text"
        return f"coalesce({of_table}, {self.column.type.absent})" if self.wire and self.nullable else of_table

    @property
    def sent_as(self) -> str:
        """The SQL type of what is selected."""
        return (TEXT if self.is_text else self.column.type).sql

    @property
    def facts(self) -> dict[str, str]:
        """What is known of it, as texts: table, column, unit, description, category, and flags as JSON."""
        column = self.column
        flags = self.named.record_class.flag_names.bits.get(column.name, ())
        said = {
            "table": self.named.record_class.table,
            "column": column.name,
            "unit": column.unit or "",
            "description": column.description,
            "category": column.category or "",
            "flags": json.dumps([bit._asdict() for bit in flags]) if flags else "",
        }
        return {name: text for name, text in said.items() if text}


Choice = bool | Sequence[str]


def chosen(
    scope: Scope, columns: Sequence[str] | None, spectrum: Choice = False, source: Choice = False
) -> tuple[Output, ...]:
    """Return the columns of an answer.

    Parameters
    ----------
    scope : Scope
    columns : sequence of str, optional
        Names, also of the spectrum (`spectrum.snr`) and the source; all of the rows' own class where None.
    spectrum, source : bool or sequence of str
        All columns of the spectrum and the source, or these.

    Raises
    ------
    InvalidCondition
        If a name comes twice, or there is no column at all.
    UnknownColumn
        If a name is not one of a column.
    """
    return _outputs(scope, columns, {SPECTRUM: spectrum, SOURCE: source})


def everything(scope: Scope) -> tuple[Output, ...]:
    """Return all columns of the rows, and of all that belongs to them: spectrum, source, the spectrum as it was reduced."""
    return _outputs(scope, None, {alias: alias != scope.main for alias in scope.tables})


def _outputs(scope: Scope, columns: Sequence[str] | None, along: Mapping[str, Choice]) -> tuple[Output, ...]:
    named = [_named(scope, entry) for entry in _listed(columns)]
    if columns is None:
        named = [scope.column(None, column.name) for column in scope.record_class.columns()]
    for alias, wanted in along.items():
        if wanted is False or wanted is None:
            continue
        if wanted is True:
            own = [column.name for column in scope.table(alias).columns()]
            named += [scope.column(alias, name) for name in own if not _said_already(scope, alias, name)]
        else:
            named += [scope.column(alias, name) for name in _listed(wanted)]
    outputs: dict[str, Output] = {}
    for entry in named:
        name = _name(scope, entry)
        if name in outputs:
            raise InvalidCondition(f"the column {name} is asked for twice")
        outputs[name] = Output(name, entry, entry.column.nullable or entry.alias != scope.main)
    if not outputs:
        raise InvalidCondition("no column is asked for")
    return tuple(outputs.values())


def _listed(names: Sequence[str] | None) -> list[str]:
    given = [names] if isinstance(names, str) else list(names or ())
    for name in given:
        if not isinstance(name, str):
            raise InvalidCondition(f"columns are names, not {shorten(name)}")
    return given


def _named(scope: Scope, entry: str) -> Named:
    alias, _, name = entry.rpartition(".")
    return scope.column(alias or None, name)


def _said_already(scope: Scope, alias: str, name: str) -> bool:
    """Tell whether a column of a joined table says what a column of the rows, or of the spectrum, says."""
    said = {
        (SOURCE, "pk"),
        (SPECTRUM, "source_pk"),
        (DRP_SPECTRUM, "source_pk"),
        (DRP_SPECTRUM, "spectrum_pk"),
    }
    return (alias, name) in said or ((alias, name) == (SPECTRUM, "spectrum_pk") and scope.main == RESULT)


def _name(scope: Scope, entry: Named) -> str:
    """Return the name of a column in an answer: its own, with the table's before it where another has it.

    Whatever is chosen besides: a name does not change with the other columns of an answer.
    """
    before = []
    for alias, record_class in scope.tables.items():
        if alias == entry.alias:
            break
        before += names_in(record_class)
    for name in (entry.column.name, f"{entry.alias}_{entry.column.name}"):
        if name not in before:
            return name
    return f"{entry.alias}_of_{entry.record_class.table}_{entry.column.name}"
