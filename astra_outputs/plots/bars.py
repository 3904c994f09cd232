"""Pictures of how far pipelines are, and of the time that they take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import numpy as np

from astra_outputs.errors import InvalidPicture
from astra_outputs.plots.field import count_along
from astra_outputs.plots.names import left_title, plain, scaled, shortened
from astra_outputs.plots.series import Series

DONE, AGAIN, PENDING = "#21618c", "#7fa8c9", "#f0b429"
"""Dark, between, and light, which the colour-blind tell apart, too."""

NAME = 26
"""Letters of a name that fit beside a bar."""

ABOVE = 75
"""Letters of a title that fit above bars."""


@dataclass(frozen=True)
class Covered:
    """How far a pipeline is with one version.

    Attributes
    ----------
    name : str
        What stands beside its bar.
    spectra : int
        How many there are.
    done : int
        How many have a result.
    pending : int
        How many wait: for their first result, or for another one, as they were stored again since.
    """

    name: str
    spectra: int
    done: int
    pending: int

    @property
    def again(self) -> int:
        """How many have a result, and wait for another one."""
        return min(max(self.done + self.pending - self.spectra, 0), self.done, self.pending)

    @property
    def told(self) -> str:
        """How many of how many have a result."""
        whole = max(self.spectra, self.done)
        return f"{self.done:,} of {whole:,}" if whole > self.done else f"{self.done:,}"


def coverage(figure: Any, versions: Sequence[Covered], title: str) -> None:
    """Draw for each version how many spectra have a result, and how many wait for one.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    versions : sequence of Covered
    title : str
    """
    scale = scaled(figure, 6.4, 1.6 + 0.4 * len(versions))
    axes, places = figure.add_subplot(), np.arange(len(versions))
    parts = {
        ("have a result", DONE): [one.done - one.again for one in versions],
        ("have one, and wait for another", AGAIN): [one.again for one in versions],
        ("wait for one", PENDING): [one.pending - one.again for one in versions],
    }
    left = np.zeros(len(versions))
    for (label, colour), counts in parts.items():
        if colour != AGAIN or any(counts):
            axes.barh(places, counts, left=left, color=colour, label=label)
            left = left + counts
    axes.set_yticks(places, [shortened(one.name, NAME) for one in versions])
    axes.tick_params(axis="y", which="both", left=False, right=False)
    axes.set(xlabel="Spectra", xlim=(0, 1.04 * max(1, *left)), ylim=(len(versions) - 0.4, -0.6))
    count_along(axes.xaxis)
    axes.xaxis.get_major_locator().set_params(nbins=4)
    beside = axes.secondary_yaxis("right")
    beside.set_yticks(places, [one.told for one in versions])
    beside.tick_params(axis="y", which="both", right=False, labelsize="small")
    left_title(figure, fill(plain(title), int(ABOVE / scale)))
    figure.legend(loc="outside lower center", ncols=3)


def timing(axes: Any, given: Mapping[str, Series]) -> tuple[int, int]:
    """Draw how the time that results took is distributed, on a logarithmic axis; return how many have one."""
    series = {
        entry.name: entry.values[entry.known & (entry.values > 0)] for entry in (given["x"], given["y"])
    }
    taken = [values for values in series.values() if values.size]
    if not taken:
        raise InvalidPicture(f"no result has {' or '.join(series)}: there is nothing to draw")
    low, high = min(values.min() for values in taken), max(values.max() for values in taken)
    bins = np.geomspace(low / 1.05, high * 1.05, 61)
    for (name, values), colour, style in zip(series.items(), (DONE, PENDING), ("-", "--"), strict=True):
        if values.size:
            label = f"{name}: median {_seconds(np.median(values))}, sum {_seconds(values.sum())}"
            axes.hist(
                values, bins=bins, histtype="step", color=colour, linestyle=style, linewidth=1.6, label=label
            )
    axes.set(xscale="log", xlabel="Time on a result [s]", ylabel="Number of results")
    axes.set_ylim(0, 1.25 * axes.get_ylim()[1])
    count_along(axes.yaxis)
    axes.legend(loc="upper left")
    return max(len(values) for values in taken), 0


def _seconds(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:.3g} s" if seconds >= 1e-3 else f"{seconds * 1e3:.2g} ms"
