"""A comparison as a picture: of each column that differs, how many spectra do, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import Any, Protocol

import numpy as np

MOST = 40
"""Columns that fit into a picture: those that differ in most spectra."""

ABOVE = 75
"""Letters of a title that fit above it."""

PARTS = (("changed", "#21618c"), ("gained a value", "#f0b429"), ("lost a value", "#c8553d"))


class Change(Protocol):
    """What is drawn of one column."""

    @property
    def name(self) -> str:
        """The column."""

    @property
    def unit(self) -> str | None:
        """Its unit."""

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
    def median(self) -> float | None:
        """Of the differences."""

    @property
    def scatter(self) -> float | None:
        """Of the differences."""


def changes(figure: Any, columns: Sequence[Change], spectra: int, title: str) -> None:
    """Draw bars of shares of the spectra; beside them median and scatter of the differences."""
    by_size = sorted(columns, key=_differing, reverse=True)
    shown = by_size[:MOST]
    figure.set_size_inches(7.2, 1.7 + 0.24 * len(shown))
    axes = figure.add_subplot()
    places = np.arange(len(shown))
    left = np.zeros(len(shown))
    counts = [[c.changed for c in shown], [c.gained for c in shown], [c.lost for c in shown]]
    for (label, colour), numbers in zip(PARTS, counts, strict=True):
        share = np.asarray(numbers) * 100.0 / max(spectra, 1)
        axes.barh(places, share, left=left, height=0.7, color=colour, label=label)
        left = left + share
    axes.set_yticks(places, [column.name for column in shown])
    axes.tick_params(axis="y", which="both", left=False, right=False)
    axes.set(xlabel="Share of the spectra [%]", xlim=(0, 100), ylim=(len(shown) - 0.4, -0.6))
    more = f"; {len(by_size) - MOST} more columns differ" if len(by_size) > MOST else ""
    said = f"{fill(title + more, ABOVE)}\nOn the right: median of the differences ± robust scatter"
    axes.set_title(said.replace("$", r"\$"))
    beside = axes.secondary_yaxis("right")
    beside.set_yticks(places, [_beside(column) for column in shown])
    beside.tick_params(axis="y", which="both", right=False, labelsize="small")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)


def _differing(column: Change) -> int:
    return column.changed + column.gained + column.lost


def _beside(column: Change) -> str:
    if column.median is None or column.scatter is None:
        return ""
    return f"{column.median:+.3g} ± {column.scatter:.3g} {column.unit or ''}".rstrip()
