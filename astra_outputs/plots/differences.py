"""How the values of columns differ: a panel for each, with the distribution of what changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from astra_outputs.plots.names import CHANGED, LOST, left_title, shortened

ACROSS = 3
"""Panels in a row."""

HIGH = 1.55
"""Of a panel, in inches."""

NAME, UNIT = 16, 8
"""Letters of a name, and of its unit, that fit above a panel."""


class Counts(Protocol):
    """How many spectra differ by how much."""

    @property
    def low(self) -> float:
        """Where bins begin."""

    @property
    def high(self) -> float:
        """Where they end."""

    @property
    def counts(self) -> tuple[int, ...]:
        """Spectra in each bin."""

    @property
    def below(self) -> int:
        """Spectra below the first bin."""

    @property
    def above(self) -> int:
        """Spectra above the last one."""


class Difference(Protocol):
    """What is drawn of one column."""

    @property
    def name(self) -> str:
        """The column."""

    @property
    def unit(self) -> str | None:
        """Its unit."""

    @property
    def median(self) -> float | None:
        """Of the differences."""

    @property
    def histogram(self) -> Counts | None:
        """How the differences are distributed."""


def differences(part: Any, columns: Sequence[Difference]) -> None:
    """Draw a panel for each column, in the order of the table."""
    panels = part.subplots(-(-len(columns) // ACROSS), ACROSS, squeeze=False).flat
    for axes, column in zip(panels, columns, strict=False):
        if column.histogram is not None:
            _panel(axes, column, column.histogram)
    for axes in panels[len(columns) :]:
        axes.set_axis_off()
    left_title(part, "Differences, new minus old, where they are not zero; dashed: the median of all")
    part.supylabel("Spectra", fontsize="medium")


def _panel(axes: Any, column: Difference, found: Counts) -> None:
    edges = np.linspace(found.low, found.high, len(found.counts) + 1)
    axes.stairs(found.counts, edges, fill=True, color=CHANGED, alpha=0.85)
    axes.axvline(0, color="0.5", linewidth=0.8)
    if column.median and found.low < column.median < found.high:
        axes.axvline(column.median, color=LOST, linewidth=1.2, linestyle="--")
    most = max(found.counts)
    axes.set(xlim=(found.low, found.high), ylim=(0, (1.5 if found.below or found.above else 1.2) * most or 1))
    named = shortened(column.name, NAME) + (f" [{shortened(column.unit, UNIT)}]" if column.unit else "")
    axes.set_title(named, fontsize="small" if len(named) <= NAME else "x-small")
    for beyond, place, side in ((found.below, 0.03, "left"), (found.above, 0.97, "right")):
        if beyond:
            words = f"{beyond:,}\n{'below' if side == 'left' else 'above'}"
            axes.text(place, 0.95, words, ha=side, va="top", transform=axes.transAxes, fontsize="x-small")
    axes.tick_params(labelsize="x-small")
    axes.tick_params(axis="y", which="minor", left=False, right=False)
    axes.ticklabel_format(axis="x", scilimits=(-3, 4))
    axes.xaxis.get_offset_text().set_fontsize("x-small")
    axes.locator_params(axis="x", nbins=4, prune="lower")  # which would lie on that of the other axis
    axes.locator_params(axis="y", nbins=4, integer=True)
    axes.yaxis.set_major_formatter("{x:,.0f}")
