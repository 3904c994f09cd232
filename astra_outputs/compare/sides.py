"""The two sides of a comparison: their questions, and the columns and flags that both have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from astra_outputs.errors import InvalidCondition, WrongRecordClass, shorten
from astra_outputs.model.column_types import FLAGS
from astra_outputs.model.columns import Column
from astra_outputs.model.flags import Bit
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.postgres.sql import Statement, quote, templates
from astra_outputs.reading.question import Asked, Question

TIMINGS = ("t_elapsed", "t_overhead")
"""Differ always, and say nothing of a result; they are compared where they are asked for."""

KEYS = ("source_pk", "spectrum_pk", "v_astra")
"""Are written, and are no result either."""


@dataclass(frozen=True)
class Side:
    """The results of one version.

    Attributes
    ----------
    record_class : type[PipelineOutputMixin]
    version : str
    major_minor : int
    question : Question
        One row a spectrum.
    """

    record_class: type[PipelineOutputMixin]
    version: str
    major_minor: int
    question: Question

    @classmethod
    def of(
        cls,
        record_class: type[PipelineOutputMixin],
        version: Any,
        condition: str | None = None,
        parameters: Sequence[Any] = (),
        asked: Asked | None = None,
    ) -> Side:
        """Return the results of a version, under a condition.

        Raises
        ------
        WrongRecordClass
            If it is no class of results.
        InvalidCondition
            If there is no such version, or the condition is none.
        """
        given: object = record_class
        if not (isinstance(given, type) and issubclass(given, PipelineOutputMixin)):
            raise WrongRecordClass(
                f"{shorten(record_class)} is no class of results: only these have versions"
            )
        if version is None:
            raise InvalidCondition("compare takes two versions, as in compare(TheCannon, '0.7', '0.8')")
        of_version = Question.of(record_class, None, (), {"v_astra": version})
        question = Question.of(record_class, condition, parameters, {**(asked or {}), "v_astra": version})
        return cls(record_class, str(version), of_version.values[0], question)

    @property
    def label(self) -> str:
        """Its table and version."""
        return f"{self.record_class.table} {self.version}"

    def rows(self, schema: str, names: Iterable[str], first: int) -> str:
        """Return the statement that selects these columns, with parameters numbered from `first` + 1."""
        stand_ins = [f"${first + n + 1}" for n in range(len(self.question.values))]
        columns = {column.name: column for column in self.record_class.columns()}
        selected = ", ".join(
            _selected(columns[name], self.question.scope.main)
            for name in dict.fromkeys(("spectrum_pk", *names))
        )
        return self.question.statement(schema, selected, stand_ins=stand_ins).text


def _selected(column: Column, of: str) -> str:
    """Return a column as it is selected; NaN, which another program may have stored, is no value."""
    name = f"{of}.{quote(column.name)}"
    return f"nullif({name}, 'NaN') as {quote(column.name)}" if is_float(column) else name


def is_float(column: Column) -> bool:
    """Tell whether a column holds floating-point numbers."""
    return column.type.dtype.endswith(("f4", "f8"))


def is_number(column: Column) -> bool:
    """Tell whether differences of a column say something: numbers that are no flags."""
    return column.type.content == "number" and column.type is not FLAGS and column.bits is None


@dataclass(frozen=True)
class Sides:
    """Both sides.

    Attributes
    ----------
    old, new : Side
    columns : tuple of Column
        Columns that both have, as the new side describes them.
    flags : tuple of (str, Bit, Bit)
        Flags that both have: the column, and the bit on the old and on the new side.
    """

    old: Side
    new: Side
    columns: tuple[Column, ...]
    flags: tuple[tuple[str, Bit, Bit], ...]

    @classmethod
    def of(cls, old: Side, new: Side, columns: str | Sequence[str] | None) -> Sides:
        """Return both sides, with the columns that are asked for, or all.

        Raises
        ------
        InvalidCondition
            If the sides are the same, or have no column in common.
        UnknownColumn
            If one of the sides has no column of this name; the nearest is suggested.
        """
        if old.record_class is new.record_class and old.major_minor == new.major_minor:
            raise InvalidCondition(
                f"{old.label} and {new.label} are the same results: a patch replaces those of its major.minor "
                "version; name two versions"
            )
        kept = _common(old, new) if columns is None else _asked_for(old, new, columns)
        if not kept:
            raise InvalidCondition(f"{old.label} and {new.label} have no columns in common")
        return cls(old, new, tuple(kept), tuple(_flags(old, new, kept)))

    @property
    def values(self) -> tuple[Any, ...]:
        """The values of all parameters."""
        return (*self.old.question.values, *self.new.question.values)

    def statement(self, name: str, schema: str, names: Sequence[str], measures: str) -> Statement:
        """Return a statement about both sides, of which these columns are selected."""
        first = len(self.old.question.values)
        return templates("compare")[name].statement(
            old=self.old.rows(schema, names, 0), new=self.new.rows(schema, names, first), measures=measures
        )


def _common(old: Side, new: Side) -> list[Column]:
    before = {column.name: column for column in old.record_class.columns()}
    return [
        column
        for column in new.record_class.columns()
        if column.written
        and column.name not in (*KEYS, *TIMINGS)
        and column.name in before
        and _comparable(before[column.name], column)
    ]


def _comparable(one: Column, other: Column) -> bool:
    same = one.type is other.type or (is_number(one) and is_number(other))
    return same and one.unit == other.unit and (one.bits is None) == (other.bits is None)


def _asked_for(old: Side, new: Side, columns: str | Sequence[str]) -> list[Column]:
    names = [columns] if isinstance(columns, str) else list(columns)
    kept = []
    for name in dict.fromkeys(names):
        one, other = (_own(side, name) for side in (old, new))
        if not _comparable(one, other):
            raise InvalidCondition(
                f"{name} is {_kind(one)} in {old.label} and {_kind(other)} in {new.label}: they have no difference"
            )
        kept.append(other)
    return kept


def _own(side: Side, name: Any) -> Column:
    if not isinstance(name, str):
        raise InvalidCondition(f"columns are names, not {shorten(name)}")
    own = {column.name: column for column in side.record_class.columns()}
    if name not in own:
        raise side.question.scope.unknown(side.question.scope.main, name)
    return own[name]


def _kind(column: Column) -> str:
    return f"{column.type.sql} in {column.unit}" if column.unit else column.type.sql


def _flags(old: Side, new: Side, kept: Sequence[Column]) -> Iterable[tuple[str, Bit, Bit]]:
    for column in kept:
        before = {bit.name: bit for bit in old.record_class.flag_names.bits.get(column.name, ())}
        for bit in new.record_class.flag_names.bits.get(column.name, ()):
            if bit.name in before:
                yield column.name, before[bit.name], bit
