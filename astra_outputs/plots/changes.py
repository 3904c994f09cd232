"""A comparison as a picture: how many spectra differ in each column, by how much, and which flags turned."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import Any, Protocol

import numpy as np

from astra_outputs.plots.differences import HIGH, Difference, differences
from astra_outputs.plots.names import CHANGED, GAINED, LOST, left_title, plain, scaled, shortened

MOST = 40
"""Columns, and flags, that fit into a picture: those that differ in most spectra."""

WIDTH, LINE, ROUND = 7.2, 0.24, 1.05
"""Of a picture, of a bar, and of what stands around bars, in inches."""

ABOVE = 75
"""Letters of a title that fit above it."""

NAME, UNIT = 30, 14
"""Letters of a name, and of a unit, that fit beside bars."""


SHORT = 20
"""Letters of names that are written as large as all else."""


class Change(Difference, Protocol):
    """What is drawn of one column."""

    @property
    def changed(self) -> int:
        """Spectra with another value."""

    @property
    def gained(self) -> int:
        """Spectra with a value on the new side alone."""

    @property
    def lost(self) -> int:
        """Spectra with a value on the old side alone."""

    @property
    def scatter(self) -> float | None:
        """Of the differences."""


class Turn(Protocol):
    """What is drawn of one flag."""

    @property
    def name(self) -> str:
        """The flag."""

    @property
    def gained(self) -> int:
        """Spectra that have it on the new side alone."""

    @property
    def lost(self) -> int:
        """Spectra that have it on the old side alone."""


def changes(figure: Any, columns: Sequence[Change], flags: Sequence[Turn], spectra: int, title: str) -> None:
    """Draw bars of columns; below them a panel of the differences of each, and bars of flags."""
    by_size = sorted(columns, key=lambda column: column.changed + column.gained + column.lost, reverse=True)
    turned = sorted(flags, key=lambda flag: flag.gained + flag.lost, reverse=True)
    drawn = [column for column in columns if column.histogram is not None]
    bars, of_flags = by_size[:MOST], turned[:MOST]
    titled = plain(fill(title, ABOVE))
    heights = [ROUND + 0.4 + 0.2 * titled.count("\n") + LINE * len(bars)]
    heights += [HIGH * -(-len(drawn) // 3) + 0.3] if drawn else []
    heights += [ROUND + LINE * len(of_flags)] if of_flags else []
    scaled(figure, WIDTH, sum(heights))
    parts = iter(np.atleast_1d(figure.subfigures(len(heights), 1, height_ratios=heights)))
    _columns(next(parts), bars, spectra, titled, len(by_size))
    if drawn:
        differences(next(parts), drawn)
    if of_flags:
        _flags(next(parts), of_flags, len(turned))


def _columns(part: Any, shown: Sequence[Change], spectra: int, title: str, there: int) -> None:
    axes, places = _bars(part, [column.name for column in shown])
    left = np.zeros(len(shown))
    counts = {
        ("changed", CHANGED): [column.changed for column in shown],
        ("gained a value", GAINED): [column.gained for column in shown],
        ("lost a value", LOST): [column.lost for column in shown],
    }
    for (label, colour), numbers in counts.items():
        share = np.asarray(numbers) * 100.0 / max(spectra, 1)
        axes.barh(places, share, left=left, height=0.7, color=colour, label=label)
        left = left + share
    axes.set(xlabel="Share of the spectra [%]", xlim=(0, 100))
    more = f"{there - len(shown)} more columns differ. " if there > len(shown) else ""
    left_title(part, f"{title}\n{more}On the right: median of the differences ± robust scatter")
    beside = axes.secondary_yaxis("right")
    beside.set_yticks(places, [_beside(column) for column in shown])
    beside.tick_params(axis="y", which="both", right=False, labelsize="small")
    part.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)


def _flags(part: Any, shown: Sequence[Turn], there: int) -> None:
    axes, places = _bars(part, [flag.name for flag in shown])
    axes.barh(places, [flag.gained for flag in shown], height=0.7, color=GAINED, label="gained the flag")
    axes.barh(places, [-flag.lost for flag in shown], height=0.7, color=LOST, label="lost it")
    most = max(max(flag.gained, flag.lost) for flag in shown)
    axes.set(xlim=(-1.04 * most, 1.04 * most), xlabel="Spectra")
    axes.axvline(0, color=axes.spines["left"].get_edgecolor(), linewidth=0.8)
    axes.xaxis.set_major_formatter(lambda value, _: f"{abs(value):,.0f}")
    axes.xaxis.get_major_locator().set_params(integer=True, nbins=4, symmetric=True)
    left_title(part, "Flags" + (f"; {there - len(shown)} more turned" if there > len(shown) else ""))
    beside = axes.secondary_yaxis("right")
    beside.set_yticks(places, [_turned(flag) for flag in shown])
    beside.tick_params(axis="y", which="both", right=False, labelsize="small")
    part.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)


def _bars(part: Any, names: Sequence[str]) -> tuple[Any, Any]:
    """Return axes with a line for each name, the first at the top, and where these are."""
    axes, places = part.add_subplot(), np.arange(len(names))
    axes.set_yticks(places, [shortened(name, NAME) for name in names])
    axes.tick_params(axis="y", which="both", left=False, right=False)
    axes.tick_params(axis="y", labelsize="small" if max(map(len, names)) > SHORT else "medium")
    axes.set_ylim(len(names) - 0.4, -0.6)
    return axes, places


def _turned(flag: Turn) -> str:
    return " ".join([f"+{flag.gained:,}"] * bool(flag.gained) + [f"-{flag.lost:,}"] * bool(flag.lost))


def _beside(column: Change) -> str:
    if column.median is None or column.scatter is None:
        return ""
    return f"{column.median:+.3g} ± {column.scatter:.3g} {shortened(column.unit or '', UNIT)}".rstrip()
