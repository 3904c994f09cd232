"""Pictures of how far pipelines are, and of the time that they take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from astra_outputs.errors import InvalidPicture
from astra_outputs.plots.field import count_along
from astra_outputs.plots.series import Series

DONE, PENDING = "#21618c", "#f0b429"
"""Dark and light, which the colour-blind tell apart, too."""


def coverage(axes: Any, versions: Sequence[tuple[str, int, int]]) -> None:
    """Draw for each version how many spectra have a result, and how many wait for one.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    versions : sequence of (str, int, int)
        Name, results, and spectra that wait.
    """
    names, done, pending = zip(*versions, strict=True)
    places = np.arange(len(names))
    axes.barh(places, done, color=DONE, label="have a result")
    axes.barh(places, pending, left=done, color=PENDING, label="wait for one")
    axes.set_yticks(places, names)
    axes.tick_params(axis="y", which="both", left=False, right=False)
    axes.set(xlabel="Spectra", xlim=(0, 1.04 * max(1, *(a + b for a, b in zip(done, pending, strict=True)))))
    axes.set_ylim(len(names) - 0.4, -0.6)
    count_along(axes.xaxis)
    beside = axes.secondary_yaxis("right")
    beside.set_yticks(places, [f"{a:,} of {a + b:,}" if b else f"{a:,}" for _, a, b in versions])
    beside.tick_params(axis="y", which="both", right=False, labelsize="small")
    axes.figure.legend(loc="outside lower center", ncols=2)


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
