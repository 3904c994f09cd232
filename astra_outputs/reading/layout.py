"""The columns of an answer: which, under which names, and how a row of them lies on the wire.

A row of PostgreSQL's binary COPY is a count of columns, and for each column its length and its bytes. NULL
is a length without bytes. So a value of a fixed width is never NULL here: a float that is missing is sent
as NaN, which no record stores, and another number as zero, with a bit in an integer that comes along. Then
every row has one width, and a block of rows is an array.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from astra_outputs.errors import InvalidCondition, shorten
from astra_outputs.model.column_types import BIGINT, BYTES, REAL_ARRAY, TEXT, TIMESTAMP
from astra_outputs.model.columns import Column
from astra_outputs.reading.scope import RESULT, SOURCE, SPECTRUM, Named, Scope

BITS = 62
"""Columns that share one integer of missing bits."""

COUNT, LENGTH = 2, 4
"""Bytes of the count before a row, and of the length before a value."""


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
        return self.column.type is TIMESTAMP

    @property
    def is_array(self) -> bool:
        """Whether values are arrays of numbers."""
        return self.column.type is REAL_ARRAY

    @property
    def is_text(self) -> bool:
        """Whether values are texts, also those of a type that is sent as text."""
        return not (self.wire or self.is_array or self.column.type is BYTES)

    @property
    def counted(self) -> bool:
        """Whether a bit says that a value is missing."""
        return self.nullable and bool(self.wire) and not self.is_float

    @property
    def selected(self) -> str:
        """What is selected for it."""
        of_table = self.named.sql
        if self.is_array:
            return f"array_replace({of_table}, null, 'NaN')"
        if self.is_text:
            return of_table if self.column.type is TEXT else f"{of_table}::text"
        return f"coalesce({of_table}, {self._stand_in})" if self.wire and self.nullable else of_table

    @property
    def sent_as(self) -> str:
        """The SQL type of what is selected."""
        return (TEXT if self.is_text else self.column.type).sql

    @property
    def _stand_in(self) -> str:
        """What is sent for a value that is missing; zero for a number."""
        if self.is_float:
            return "'NaN'"
        if self.is_time:
            return "'2000-01-01 00:00:00+00'"
        return "false" if self.wire == "?" else "0"

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


@dataclass(frozen=True)
class Group:
    """Columns of one binary form, side by side on the wire.

    Attributes
    ----------
    wire : str
    outputs : tuple of Output
        Empty for the integers that hold the missing bits.
    start : int
        Where the first length stands in a row.
    size : int
        How many values there are.
    """

    wire: str
    outputs: tuple[Output, ...]
    start: int
    size: int

    @property
    def width(self) -> int:
        """Bytes of one value."""
        return 1 if self.wire == "?" else int(self.wire[-1])

    @property
    def end(self) -> int:
        """Where the next group starts."""
        return self.start + self.size * (LENGTH + self.width)


@dataclass(frozen=True)
class Layout:
    """How the rows of an answer lie on the wire.

    Attributes
    ----------
    outputs : tuple of Output
        In the order of the answer.
    groups : tuple of Group
        The fixed part of a row.
    bits : Group
        The end of the fixed part: the integers of missing bits, if there are any.
    counted : tuple of Output
        The columns that these bits are about, in order.
    varying : tuple of Output
        The columns after the fixed part.
    """

    outputs: tuple[Output, ...]
    groups: tuple[Group, ...]
    bits: Group
    counted: tuple[Output, ...]
    varying: tuple[Output, ...]

    @classmethod
    def of(cls, outputs: Iterable[Output]) -> Layout:
        """Return the layout of these columns."""
        outputs = tuple(outputs)
        fixed = sorted((output for output in outputs if output.wire), key=lambda output: output.wire)
        groups: list[Group] = []
        start = COUNT
        for wire, members in groupby(fixed, key=lambda output: output.wire):
            together = tuple(members)
            groups.append(Group(wire, together, start, len(together)))
            start = groups[-1].end
        counted = tuple(output for output in fixed if output.counted)
        # One of them even for no column: a row without a fixed part could not be told from the end.
        bits = Group(">i8", (), start, -(-len(counted) // BITS) or int(not fixed))
        varying = tuple(output for output in outputs if not output.wire)
        return cls(outputs, tuple(groups), bits, counted, varying)

    @property
    def fixed_width(self) -> int:
        """Bytes of the fixed part of a row, the count before it included."""
        return self.bits.end

    @property
    def number(self) -> int:
        """Columns on the wire."""
        return sum(group.size for group in (*self.groups, self.bits)) + len(self.varying)

    @property
    def tables(self) -> frozenset[str]:
        """The tables that the columns are of."""
        return frozenset(output.named.alias for output in self.outputs)

    @property
    def selected(self) -> str:
        """What is selected, in the order of the wire."""
        fixed = [output.selected for group in self.groups for output in group.outputs]
        return ", ".join([*fixed, *self._bits(), *(output.selected for output in self.varying)])

    @property
    def types(self) -> tuple[tuple[str, str], ...]:
        """The name and the SQL type of each column, in the order of the wire."""
        fixed = [(output.named.sql, output.sent_as) for group in self.groups for output in group.outputs]
        bits = [("the missing bits", BIGINT.sql)] * self.bits.size
        varying = [(output.named.sql, output.sent_as) for output in self.varying]
        return (*fixed, *bits, *varying)

    def _bits(self) -> Iterable[str]:
        if self.bits.size and not self.counted:
            yield "0::bigint"
        for first in range(0, len(self.counted), BITS):
            yield " | ".join(
                f"(({output.named.sql} is null)::integer::bigint << {place})"
                for place, output in enumerate(self.counted[first : first + BITS])
            )


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
    named = [_named(scope, entry) for entry in _listed(columns)]
    if columns is None:
        named = [scope.column(None, column.name) for column in scope.record_class.columns()]
    for alias, wanted in ((SPECTRUM, spectrum), (SOURCE, source)):
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
    return (alias, name) in {(SOURCE, "pk"), (SPECTRUM, "source_pk")} or (
        (alias, name) == (SPECTRUM, "spectrum_pk") and scope.main == RESULT
    )


def _name(scope: Scope, entry: Named) -> str:
    """Return the name of a column in an answer: its own, with the table's before it where another has it.

    Whatever is chosen besides: a name does not change with the other columns of an answer.
    """
    before = []
    for alias, record_class in scope.tables.items():
        if alias == entry.alias:
            break
        before += [column.name for column in record_class.columns()]
    for name in (entry.column.name, f"{entry.alias}_{entry.column.name}"):
        if name not in before:
            return name
    return f"{entry.alias}_of_{entry.record_class.table}_{entry.column.name}"
