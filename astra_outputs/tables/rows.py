"""`TableRows`: a table made ready to be stored as the results of one pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from astra_outputs.errors import (
    InvalidRecord,
    Problem,
    ReadOnlyColumn,
    UnknownColumn,
    WrongRecordClass,
    shorten,
)
from astra_outputs.model.column_type import ColumnType
from astra_outputs.model.column_types import BOOLEAN
from astra_outputs.model.columns import REQUIRED, Column, ColumnFacts
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.version import configured_version
from astra_outputs.saving.cells import Cells
from astra_outputs.saving.keys import Keys
from astra_outputs.tables.read import cells_of, named_columns
from astra_outputs.tables.rules import Checked, check

LISTED = 10
"""Most refused values that an error lists; it counts the others."""


@dataclass(frozen=True)
class TableRows:
    """The columns of a table, checked.

    Attributes
    ----------
    record_class : type[PipelineOutputMixin]
    length : int
        Number of rows.
    columns : dict[str, Checked]
        Every column that a save sends, the ones that were not given included.
    flags : tuple[Checked, ...]
        The flags that were given by name; their bits are in `columns`.
    given : frozenset of str
        The columns that the table has, those of its flags included.
    """

    record_class: type[PipelineOutputMixin]
    length: int
    columns: dict[str, Checked]
    flags: tuple[Checked, ...]
    given: frozenset[str]

    def keys(self) -> Keys:
        """Return `spectrum_pk` and `v_astra_major_minor` of every row."""
        spectrum_pk = self.columns["spectrum_pk"].stored.spread(self.length)
        v_astra = self.columns["v_astra"].stored.spread(self.length)
        columns = (spectrum_pk.astype(np.int64, copy=False), v_astra.astype(np.int64) // 1_000)
        return Keys(self.record_class.natural_keys[0], columns)

    def refused(self) -> dict[int, list[Problem]]:
        """Return what is wrong with each row that holds a value that its column does not take."""
        problems: dict[int, list[Problem]] = {}
        for one in self._checked:
            for row in one.refused.tolist():
                problems.setdefault(row, []).append(one.problem(row))
        return problems

    def refuse(self, *, constants_only: bool = False) -> None:
        """Raise what the table has wrong, if anything.

        Raises
        ------
        InvalidRecord
            Naming the first refused values by row and column.
        """
        refusing = [one for one in self._checked if one.given.constant or not constants_only]
        count = sum(len(one.refused) for one in refusing)
        if not count:
            return
        problems = [one.problem(row) for one in refusing for row in one.refused[:LISTED].tolist()]
        problems.sort(key=lambda problem: problem.row or 0)
        listed = tuple(problems[:LISTED])
        raise InvalidRecord(self.record_class.table, listed, more=count - len(listed))

    @property
    def _checked(self) -> tuple[Checked, ...]:
        return (*self.columns.values(), *self.flags)


def table_rows(record_class: type[PipelineOutputMixin], table: Any, v_astra: Any = None) -> TableRows:
    """Read a table and hold every value against the rule of its column.

    Parameters
    ----------
    record_class : type[PipelineOutputMixin]
    table : object
        As `named_columns` takes it.
    v_astra : int, str or array of them, optional
        The version, where the table has no such column.

    Raises
    ------
    InvalidRecord
        If a column is unknown, belongs to the database, must be given, or has another length than
        the others. Refused values are kept for `refuse`.
    """
    _refuse_class(record_class)
    given = _cells(record_class, named_columns(table, record_class.table))
    given["v_astra"] = _version(record_class, given.get("v_astra"), v_astra)
    _refuse_names(record_class, given)
    length = _length(record_class, given)
    names = record_class.flag_names
    bits = {name: names.find(name, value=True) for name in given if name in names.names}
    columns = {}
    for column in record_class.columns():
        if column.written:
            # Where a flag is given, a missing value is a column with no bit set, as in `from_spectrum`.
            folded = any(bit.column == column.name for bit in bits.values())
            cells = given[column.name] if column.name in given else _default(column)
            columns[column.name] = check(replace(column, nullable=True) if folded else column, cells)
    flags = []
    for name, bit in bits.items():
        flags.append(check(_flag_column(record_class, name), given[name]))
        columns[bit.column] = _fold(columns[bit.column], flags[-1], bit.mask, length)
    of_flags = {bit.column for bit in bits.values()}
    return TableRows(record_class, length, columns, tuple(flags), frozenset({*given, *of_flags}))


def _refuse_class(record_class: Any) -> None:
    if not (isinstance(record_class, type) and issubclass(record_class, PipelineOutputMixin)):
        raise WrongRecordClass(
            f"save_table stores the results of pipelines, not {shorten(record_class)}; "
            "save_many stores sources and spectra"
        )
    own = record_class.__pydantic_decorators__
    rules = [*own.validators, *own.field_validators, *own.root_validators, *own.model_validators]
    for name, info in record_class.model_fields.items():
        if not all(isinstance(entry, ColumnType | ColumnFacts) for entry in info.metadata):
            rules.append(name)
    if rules:
        raise WrongRecordClass(
            f"{record_class.__name__} has rules of its own, which only records know ({', '.join(rules)}): "
            "build records and store them by save_many"
        )


def _cells(record_class: type[PipelineOutputMixin], table: Mapping[str, Any]) -> dict[str, Cells]:
    given, problems = {}, []
    for name, values in table.items():
        try:
            given[name] = cells_of(values)
        except ValueError as error:
            problems.append(Problem(name, None, str(error)))
    _raise_any(record_class, InvalidRecord, problems)
    return given


def _version(record_class: type[PipelineOutputMixin], column: Cells | None, argument: Any) -> Cells:
    if argument is None:
        given = column is not None and not (column.constant and column[0] is None)
        return column if column is not None and given else Cells.all(configured_version())
    if column is not None:
        reason = "is given twice, as a column and as an argument: leave one out"
        raise InvalidRecord(record_class.table, (Problem("v_astra", argument, reason),))
    return _cells(record_class, {"v_astra": argument})["v_astra"]


def _refuse_names(record_class: type[PipelineOutputMixin], given: Mapping[str, Cells]) -> None:
    known = {column.name: column for column in record_class.columns()}
    owned = [name for name in given if name in known and not known[name].written]
    unknown = [name for name in given if name not in known and name not in record_class.flag_names.names]
    _raise_any(record_class, UnknownColumn, [record_class.no_column(name) for name in unknown])
    reason = "belongs to the database: drop it from the table"
    _raise_any(record_class, ReadOnlyColumn, [Problem(name, given[name][0], reason) for name in owned])
    needed = [column for column in known.values() if column.written and column.default is REQUIRED]
    absent = [Problem(column.name, None, "must be given") for column in needed if column.name not in given]
    _raise_any(record_class, InvalidRecord, absent)
    units = [problem for name, cells in given.items() if (problem := _wrong_unit(known.get(name), cells))]
    _raise_any(record_class, InvalidRecord, units)


def _raise_any(
    record_class: type[PipelineOutputMixin], kind: type[InvalidRecord], problems: list[Problem]
) -> None:
    if problems:
        raise kind(record_class.table, tuple(problems[:LISTED]), more=max(0, len(problems) - LISTED))


def _wrong_unit(column: Column | None, cells: Cells) -> Problem | None:
    """Say where astropy's values are in another unit than the column; a plain number has none."""
    if cells.unit is None or column is None:
        return None
    if cells.unit == (column.unit or ""):
        return None
    reason = (
        f"is in {str(cells.unit) or 'no unit'}, the column in {column.unit or 'no unit'}: convert it first"
    )
    return Problem(column.name, cells[0] if len(cells) else None, reason)


def _length(record_class: type[PipelineOutputMixin], given: Mapping[str, Cells]) -> int:
    lengths = {name: len(cells) for name, cells in given.items() if not cells.constant}
    length = lengths.get("spectrum_pk")
    if length is None:
        reason = "must be an array, one key a row"
        raise InvalidRecord(record_class.table, (Problem("spectrum_pk", given["spectrum_pk"][0], reason),))
    _raise_any(
        record_class,
        InvalidRecord,
        [
            Problem(name, None, f"has {count:,} values, spectrum_pk has {length:,}")
            for name, count in lengths.items()
            if count != length
        ],
    )
    return length


def _default(column: Column) -> Cells:
    return Cells.all(column.default)


def _flag_column(record_class: type[PipelineOutputMixin], name: str) -> Column:
    """Return a flag as a column of its own, refused in the words of the record."""

    def convert(value: Any) -> Any:
        try:
            record_class.flag_names.find(name, value)
        except InvalidRecord as error:
            raise ValueError(error.problems[0].reason) from None
        return value

    kind: Callable[[Any], Any] = convert
    return Column(name, replace(BOOLEAN, convert=kind), nullable=False)


def _fold(column: Checked, flag: Checked, mask: int, length: int) -> Checked:
    """Set or clear one bit of a flags column, row by row."""
    base, wanted = column.stored, flag.stored
    if base.constant and not wanted.constant:
        base = Cells(base.spread(length), None if base.missing is None else base.missing.repeat(length))
    bits = base.values.astype(np.int64)
    if base.missing is not None:
        bits = np.where(base.missing, 0, bits)
    values = np.where(wanted.values, bits | mask, bits & ~mask)
    return replace(column, stored=Cells(values, None, constant=base.constant))
