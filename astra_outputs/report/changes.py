"""The biggest changes from each pipeline's last version but one to its newest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from astra_outputs.compare.compare import compare
from astra_outputs.compare.comparison import ColumnChange, Comparison, FlagChange
from astra_outputs.report.asking import Asking
from astra_outputs.report.grid import Cell, count, grid, real, share
from astra_outputs.report.markup import Html, element, joined
from astra_outputs.report.page import Section
from astra_outputs.report.results import Made

MOST = 12
"""Columns, and flags, of a pipeline that are shown."""


async def changes(asking: Asking, made: Sequence[Made]) -> Section:
    """Return which columns and flags changed most, of the spectra that both versions have."""
    columns: list[tuple[Any, ...]] = []
    flags: list[tuple[Any, ...]] = []
    for one in made:
        if len(one.versions) < 2:
            continue
        old, new = one.versions[1].version, one.versions[0].version
        with asking.unless_refused(f"changes of {one.table} from {old} to {new}"):
            found = await compare(
                asking.database,
                one.record_class,
                old,
                new,
                None,
                (),
                {},
                against=None,
                columns=None,
                distributions=False,
            )
            columns += _columns(one.table, f"{old} to {new}", found)
            flags += _flags(one.table, f"{old} to {new}", found)
    return Section("changes", "Biggest changes between versions", _body(columns, flags))


def _body(columns: Sequence[tuple[Any, ...]], flags: Sequence[tuple[Any, ...]]) -> Html:
    heads = (
        "pipeline",
        "versions",
        "column",
        "unit",
        "changed",
        "gained",
        "lost",
        "median",
        "scatter",
        "largest",
        "in spectrum",
    )
    told = element(
        "p",
        f"Of each pipeline the {MOST} columns of which most spectra have another value, or have one in one version "
        "alone; differences are new minus old, their scatter is 1.4826 times the median deviation.",
        class_="faint",
    )
    parts = [told, grid("Changes of columns", heads, columns, nothing="No two versions differ.")]
    if flags:
        of_flags = ("pipeline", "versions", "flag", "gained", "lost", "meaning")
        parts += [element("h3", "Flags"), grid("Changes of flags", of_flags, flags)]
    return joined(parts)


def _columns(table: str, versions: str, found: Comparison) -> list[tuple[Any, ...]]:
    def touched(column: ColumnChange) -> int:
        return column.changed + column.gained + column.lost

    return [
        (
            table,
            versions,
            column.name,
            column.unit or "",
            share(column.changed, column.compared),
            count(column.gained),
            count(column.lost),
            real(column.median),
            real(column.scatter),
            real(column.largest),
            Cell("-" if column.spectrum_pk is None else column.spectrum_pk, column.spectrum_pk, number=True),
        )
        for column in sorted(found.differing, key=touched, reverse=True)[:MOST]
    ]


def _flags(table: str, versions: str, found: Comparison) -> list[tuple[Any, ...]]:
    def turned(flag: FlagChange) -> int:
        return flag.gained + flag.lost

    return [
        (table, versions, f"{flag.column}.{flag.name}", count(flag.gained), count(flag.lost), flag.meaning)
        for flag in sorted(found.flags, key=turned, reverse=True)[:MOST]
    ]
