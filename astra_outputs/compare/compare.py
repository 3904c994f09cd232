"""`compare`: what the server counts of two sides, put together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from astra_outputs.compare.comparison import ColumnChange, Comparison, FlagChange
from astra_outputs.compare.sides import Side, Sides, is_number
from astra_outputs.errors import InvalidCondition, NoRows
from astra_outputs.model.columns import Column
from astra_outputs.model.flags import Bit
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.record import Record
from astra_outputs.postgres.database import Connection, Database
from astra_outputs.postgres.sql import Statement, qualified, quote, templates
from astra_outputs.reading.find import blaming_the_condition
from astra_outputs.reading.question import Asked
from astra_outputs.reading.readable import check_readable

MOST_MEASURES = 1_000
"""Values of one answer: PostgreSQL returns at most 1,664 in a row."""

MEDIAN = "percentile_cont(0.5) within group"

SIGMA = 1.4826
"""A normal distribution's standard deviation over its median absolute deviation."""


async def compare(
    database: Database,
    record_class: type[PipelineOutputMixin],
    old: Any,
    new: Any,
    condition: str | None,
    parameters: Sequence[Any],
    asked: Asked,
    *,
    against: type[PipelineOutputMixin] | None,
    columns: str | Sequence[str] | None,
) -> Comparison:
    """Return how results differ; see `Outputs.compare`."""
    useless = asked.keys() & {"newest", "order_by", "limit", "v_astra"}
    if useless:
        raise InvalidCondition(f"{', '.join(sorted(useless))} makes no sense in a comparison of two versions")
    before = Side.of(record_class, old, asked=asked)
    after = Side.of(against or record_class, new, condition, parameters, asked)
    sides = Sides.of(before, after, columns)
    for side in (before, after):
        await check_readable(database, side.record_class)
    with blaming_the_condition():
        async with database.transaction() as inside:
            if not database.borrowed:  # all of it at one moment
                await _execute(inside, "set transaction isolation level repeatable read, read only")
            return await Asking(inside, sides).all(condition)


class Asking:
    """The statements about two sides."""

    def __init__(self, database: Database, sides: Sides) -> None:
        self._database, self._sides = database, sides

    async def all(self, condition: str | None) -> Comparison:
        """Return the comparison; under a condition, spectra of the old side alone mean nothing.

        Raises
        ------
        NoRows
            If a side has no result, or no spectrum has both.
        """
        sides = self._sides
        before, after = [await self._some(side) for side in (sides.old, sides.new)]
        shared = 0
        columns: list[ColumnChange] = []
        flags: list[FlagChange] = []
        for part in _parts(sides):
            row = iter(await self._row("changed_values", _names(part), _counted(sides, part)))
            shared = next(row)
            if not shared:
                raise NoRows(f"{sides.old.label} and {sides.new.label} have no spectrum in common")
            counted = [Counted(column, *islice(row, 6 if is_number(column) else 4)) for column in part]
            flags += [
                FlagChange(name, bit.name, bit.meaning, *islice(row, 2))
                for name, _, bit in _flags(sides, part)
            ]
            columns += await self._measured(counted)
        turned = tuple(flag for flag in flags if flag.gained or flag.lost)
        return Comparison(
            sides.old.label,
            sides.new.label,
            shared,
            before - shared if condition is None else None,
            after - shared,
            tuple(columns),
            turned,
            condition,
        )

    async def _some(self, side: Side) -> int:
        """Return how many results a side has; refuse none."""
        text, values = side.question.count(self._database.schema).text, side.question.values
        found = (await _fetched(self._database, text, *values))[0][0]
        if found:
            return int(found)
        table = qualified(self._database.schema, side.record_class.table)
        rows = await _fetched(self._database, templates("status")["results_by_version"].fill(results=table))
        there = ", ".join(f"{row[0] // 1_000}.{row[0] % 1_000}" for row in rows)
        hint = f"there are results of {there}" if there else "the table has none at all"
        raise NoRows(f"no result of {side.label} is as asked for: {hint}")

    async def _measured(self, counted: Sequence[Counted]) -> list[ColumnChange]:
        """Return columns with the medians of their differences, and the spectra that differ most."""
        sorted_ones = [one for one in counted if one.wants_a_median]
        medians: dict[str, float] = {}
        if sorted_ones:
            measures = [f"{MEDIAN} (order by {_difference(one.column)})" for one in sorted_ones]
            names = [one.column.name for one in sorted_ones]
            found = await self._row("median_differences", names, measures)
            medians = dict(zip(names, found, strict=True))
        moved = [one for one in counted if one.changed and one.largest is not None]
        first = len(self._sides.values)
        given = [medians[one.column.name] for one in sorted_ones] + [one.largest for one in moved]
        marks = [f"${first + place + 1}::double precision" for place in range(len(given))]
        measures = [
            f"{MEDIAN} (order by abs({_difference(one.column)} - {mark}))"
            for one, mark in zip(sorted_ones, marks, strict=False)
        ] + [
            f"min(new.spectrum_pk) filter (where {_difference(one.column)} = {mark})"
            for one, mark in zip(moved, marks[len(sorted_ones) :], strict=True)
        ]
        scatters: dict[str, float] = {}
        spectra: dict[str, int] = {}
        if measures:
            names = list(dict.fromkeys(one.column.name for one in (*sorted_ones, *moved)))
            row = iter(await self._row("deviations_and_extremes", names, measures, *given))
            scatters = {one.column.name: SIGMA * next(row) for one in sorted_ones}
            spectra = {one.column.name: next(row) for one in moved}
        return [
            ColumnChange(
                one.column.name,
                one.column.unit,
                one.compared,
                one.changed,
                one.gained,
                one.lost,
                medians.get(one.column.name, one.zero),
                scatters.get(one.column.name, one.zero),
                one.largest,
                spectra.get(one.column.name),
            )
            for one in counted
        ]

    async def _row(
        self, name: str, names: Sequence[str], measures: Sequence[str], *more: Any
    ) -> tuple[Any, ...]:
        text = self._sides.statement(name, self._database.schema, names, ", ".join(measures)).text
        values = (*self._sides.values, *more)

        async def ask(connection: Connection) -> tuple[Any, ...]:
            return tuple(await connection.fetchrow(text, *values) or ())

        return await self._database.run(ask, where=self._sides.new.record_class.table)


@dataclass(frozen=True)
class Counted:
    """What the server counted of one column; the least and the greatest difference of one of numbers."""

    column: Column
    compared: int
    changed: int
    gained: int
    lost: int
    least: float | None = None
    greatest: float | None = None

    @property
    def wants_a_median(self) -> bool:
        """Whether the median of the differences may be another than zero."""
        return is_number(self.column) and bool(self.changed) and 2 * self.changed >= self.compared

    @property
    def zero(self) -> float | None:
        """The median, and the scatter, where most values are the same."""
        return 0.0 if is_number(self.column) and self.compared else None

    @property
    def largest(self) -> float | None:
        """The difference that is greatest in size."""
        if self.least is None or self.greatest is None:
            return None
        return self.greatest if self.greatest >= -self.least else self.least


def _parts(sides: Sides) -> Iterator[list[Column]]:
    """Yield the columns in parts, of which each fits into one row of an answer."""
    part: list[Column] = []
    for column in sides.columns:
        if part and len(_counted(sides, [*part, column])) > MOST_MEASURES:
            yield part
            part = []
        part.append(column)
    yield part


def _names(columns: Sequence[Column]) -> list[str]:
    return [column.name for column in columns]


def _flags(sides: Sides, columns: Sequence[Column]) -> list[tuple[str, Bit, Bit]]:
    names = _names(columns)
    return [flag for flag in sides.flags if flag[0] in names]


def _counted(sides: Sides, columns: Sequence[Column]) -> list[str]:
    """Return what is counted: spectra, then of each column, then of each flag."""
    measures = ["count(*)"]
    for column in columns:
        old, new = (f"{side}.{quote(column.name)}" for side in ("old", "new"))
        measures += [
            f"count(*) filter (where {old} is not null and {new} is not null)",
            f"count(*) filter (where {old} <> {new})",
            f"count(*) filter (where {old} is null and {new} is not null)",
            f"count(*) filter (where {old} is not null and {new} is null)",
        ]
        if is_number(column):
            measures += [f"min({_difference(column)})", f"max({_difference(column)})"]
    for name, before, after in _flags(sides, columns):
        had = f"old.{quote(name)} & {before.mask}::bigint"
        has = f"new.{quote(name)} & {after.mask}::bigint"
        measures += [
            f"count(*) filter (where {had} = 0 and {has} <> 0)",
            f"count(*) filter (where {had} <> 0 and {has} = 0)",
        ]
    return measures


def _difference(column: Column) -> str:
    name = quote(column.name)
    return f"(new.{name}::double precision - old.{name}::double precision)"


async def _fetched(database: Database, text: str, *values: Any) -> list[Any]:
    return await database.run(lambda connection: connection.fetch(text, *values))


async def _execute(database: Database, text: str) -> None:
    await database.run(lambda connection: connection.execute(text))


def statements_of(record_class: type[Record], schema: str) -> list[Statement]:
    """Return what is sent to compare two versions of a table: of all columns the counts, of one the rest."""
    if not issubclass(record_class, PipelineOutputMixin):
        return []
    sides = Sides.of(Side.of(record_class, "0.7"), Side.of(record_class, "0.8"), None)
    part = next(_parts(sides))
    found = [
        sides.statement("changed_values", schema, _names(part), ", ".join(_counted(sides, part))),
    ]
    number = next((column for column in sides.columns if is_number(column)), None)
    if number is not None:
        median = f"{MEDIAN} (order by {_difference(number)})"
        scatter = f"{MEDIAN} (order by abs({_difference(number)} - $3::double precision))"
        farthest = f"min(new.spectrum_pk) filter (where {_difference(number)} = $4::double precision)"
        found += [
            sides.statement("median_differences", schema, [number.name], median),
            sides.statement("deviations_and_extremes", schema, [number.name], f"{scatter}, {farthest}"),
        ]
    return found
