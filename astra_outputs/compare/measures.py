"""What the server counts of two sides, in its words, and as it comes back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from astra_outputs.compare.sides import Sides, is_number
from astra_outputs.model.columns import Column
from astra_outputs.model.flags import Bit
from astra_outputs.postgres.sql import quote

MOST_MEASURES = 1_000
"""Values of one answer: PostgreSQL returns at most 1,664 in a row."""

MEDIAN = "percentile_cont(0.5) within group"


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


def parts(sides: Sides) -> Iterator[list[Column]]:
    """Yield the columns in parts, of which each fits into one row of an answer."""
    part: list[Column] = []
    for column in sides.columns:
        if part and len(counts(sides, [*part, column])) > MOST_MEASURES:
            yield part
            part = []
        part.append(column)
    yield part


def names(columns: Sequence[Column]) -> list[str]:
    """Return the names of columns."""
    return [column.name for column in columns]


def flags(sides: Sides, columns: Sequence[Column]) -> list[tuple[str, Bit, Bit]]:
    """Return the flags that some columns hold."""
    held_by = names(columns)
    return [flag for flag in sides.flags if flag[0] in held_by]


def counts(sides: Sides, columns: Sequence[Column]) -> list[str]:
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
            measures += [f"min({difference(column)})", f"max({difference(column)})"]
    for name, before, after in flags(sides, columns):
        had = f"old.{quote(name)} & {before.mask}::bigint"
        has = f"new.{quote(name)} & {after.mask}::bigint"
        measures += [
            f"count(*) filter (where {had} = 0 and {has} <> 0)",
            f"count(*) filter (where {had} <> 0 and {has} = 0)",
        ]
    return measures


def difference(column: Column) -> str:
    """Return what a column differs by, new minus old."""
    name = quote(column.name)
    return f"(new.{name}::double precision - old.{name}::double precision)"
