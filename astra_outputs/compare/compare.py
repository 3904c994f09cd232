"""`compare`: what the server counts of two sides, put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from astra_outputs.compare.comparison import ColumnChange, Comparison, FlagChange
from astra_outputs.compare.histogram import FEWEST, Bins, Histogram, histograms, places, shown, usual
from astra_outputs.compare.measures import MEDIAN, Counted, counts, difference, flags, names, parts
from astra_outputs.compare.sides import Side, Sides, is_number
from astra_outputs.errors import InvalidCondition, NoRows
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.record import Record
from astra_outputs.model.version import format_major_minor
from astra_outputs.postgres.database import Database
from astra_outputs.postgres.sql import Statement, qualified, templates
from astra_outputs.reading.find import blaming_the_condition
from astra_outputs.reading.question import Asked
from astra_outputs.reading.readable import check_readable

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
    distributions: bool = True,
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
            return await Asking(inside, sides, distributions).all(condition)


class Asking:
    """The statements about two sides."""

    def __init__(self, database: Database, sides: Sides, distributions: bool) -> None:
        self._database, self._sides, self._distributions = database, sides, distributions

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
        counted: list[list[Counted]] = []
        turned: list[FlagChange] = []
        for part in parts(sides):
            row = iter(await self._row("changed_values", names(part), counts(sides, part)))
            shared = next(row)
            if not shared:
                raise NoRows(f"{sides.old.label} and {sides.new.label} have no spectrum in common")
            counted.append([Counted(column, *islice(row, 6 if is_number(column) else 4)) for column in part])
            turned += [
                FlagChange(name, bit.name, bit.meaning, *islice(row, 2))
                for name, _, bit in flags(sides, part)
            ]
        drawn = shown(chain(*counted)) if self._distributions else []
        measured = [await self._measured(part, [one for one in part if one in drawn]) for part in counted]
        histograms = await self._histograms([bins for _, some in measured for bins in some])
        columns = (column for part, _ in measured for column in part)
        return Comparison(
            sides.old.label,
            sides.new.label,
            shared,
            before - shared if condition is None else None,
            after - shared,
            tuple(replace(column, histogram=histograms.get(column.name)) for column in columns),
            tuple(flag for flag in turned if flag.gained or flag.lost),
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
        there = ", ".join(format_major_minor(row[0]) for row in rows)
        hint = f"there are results of {there}" if there else "the table has none at all"
        raise NoRows(f"no result of {side.label} is as asked for: {hint}")

    async def _measured(
        self, counted: Sequence[Counted], drawn: Sequence[Counted]
    ) -> tuple[list[ColumnChange], list[Bins]]:
        """Return columns with the medians of their differences, and the spectra that differ most.

        For those that are drawn also the bins in which their differences are to be counted.
        """
        sorted_ones = [one for one in counted if one.wants_a_median]
        medians: dict[str, float] = {}
        if sorted_ones:
            measures = [f"{MEDIAN} (order by {difference(one.column)})" for one in sorted_ones]
            sorted_names = names([one.column for one in sorted_ones])
            found = await self._row("median_differences", sorted_names, measures)
            medians = dict(zip(sorted_names, found, strict=True))
        moved = [one for one in counted if one.changed and one.largest is not None]
        first = len(self._sides.values)
        given = [medians[one.column.name] for one in sorted_ones] + [one.largest for one in moved]
        marks = [f"${first + place + 1}::double precision" for place in range(len(given))]
        measures = [
            f"{MEDIAN} (order by abs({difference(one.column)} - {mark}))"
            for one, mark in zip(sorted_ones, marks, strict=False)
        ] + [
            f"min(new.spectrum_pk) filter (where {difference(one.column)} = {mark})"
            for one, mark in zip(moved, marks[len(sorted_ones) :], strict=True)
        ]
        measures += [usual(one.column) for one in drawn]
        scatters: dict[str, float] = {}
        spectra: dict[str, int] = {}
        bins: list[Bins] = []
        if measures:
            measured = names([one.column for one in (*sorted_ones, *moved)])
            row = iter(await self._row("deviations_and_extremes", measured, measures, *given))
            scatters = {one.column.name: SIGMA * next(row) for one in sorted_ones}
            spectra = {one.column.name: next(row) for one in moved}
            # Where numbers differ beyond what a double precision number tells apart, there is nothing between.
            bins = [Bins.of(one, between) for one in drawn if (between := next(row)) is not None]
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
        ], bins

    async def _histograms(self, bins: Sequence[Bins]) -> dict[str, Histogram]:
        if not bins:
            return {}
        rows, edges = places(bins, len(self._sides.values))
        text = self._text("differences_in_bins", names([one.column for one in bins]), rows)
        return histograms(bins, await _fetched(self._database, text, *self._sides.values, *edges))

    async def _row(
        self, name: str, columns: Sequence[str], measures: Sequence[str], *more: Any
    ) -> tuple[Any, ...]:
        text = self._text(name, columns, ", ".join(measures))
        (row,) = await _fetched(self._database, text, *self._sides.values, *more)
        return tuple(row)

    def _text(self, name: str, columns: Sequence[str], measures: str) -> str:
        return self._sides.statement(name, self._database.schema, columns, measures).text


async def _fetched(database: Database, text: str, *values: Any) -> list[Any]:
    return await database.run(lambda connection: connection.fetch(text, *values))


async def _execute(database: Database, text: str) -> None:
    await database.run(lambda connection: connection.execute(text))


def statements_of(record_class: type[Record], schema: str) -> list[Statement]:
    """Return what is sent to compare two versions of a table: of all columns the counts, of one the rest."""
    if not issubclass(record_class, PipelineOutputMixin):
        return []
    sides = Sides.of(Side.of(record_class, "0.7"), Side.of(record_class, "0.8"), None)
    part = next(parts(sides))
    found = [sides.statement("changed_values", schema, names(part), ", ".join(counts(sides, part)))]
    number = next((column for column in sides.columns if is_number(column)), None)
    if number is not None:
        median = f"{MEDIAN} (order by {difference(number)})"
        scatter = f"{MEDIAN} (order by abs({difference(number)} - $3::double precision))"
        farthest = f"min(new.spectrum_pk) filter (where {difference(number)} = $4::double precision)"
        measures = ", ".join([scatter, farthest, usual(number)])
        bins = [Bins(number, 0.0, 1.0, FEWEST)]
        found += [
            sides.statement("median_differences", schema, [number.name], median),
            sides.statement("deviations_and_extremes", schema, [number.name], measures),
            sides.statement("differences_in_bins", schema, [number.name], places(bins, 2)[0]),
        ]
    return found
