"""Points in a plane: each a dot where they are few, counted in cells where they are many."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from astra_outputs.plots.series import Series, limits, within

if TYPE_CHECKING:
    from numpy.typing import NDArray

MANY = 10_000
"""Points from which on they are counted in cells."""

FEW = 2_000
"""Points up to which each dot of a vector file is a shape of its own."""

CELLS = (60, 240)
"""Fewest and most cells along an axis."""

ALONG_X, ALONG_Y = 60, 40
"""Letters that fit along an axis."""

FAINT = "0.75"
"""The colour of points whose own is not known."""


@dataclass(frozen=True)
class Field:
    """Points to be drawn, and what is drawn of them.

    Attributes
    ----------
    x, y : Series
        With a value in every row.
    colour : Series or None
        What colours say; of cells the mean. The number of points where None.
    """

    x: Series
    y: Series
    colour: Series | None

    def draw(self, axes: Any) -> int:
        """Draw the points, and a bar that explains colours; return how many are beyond the edges."""
        edges = limits(self.x.values), limits(self.y.values)
        seen = within(self.x.values, edges[0]) & within(self.y.values, edges[1])
        if len(seen) <= MANY:
            draw_dots(axes, self.x.values, self.y.values, self.colour)
        else:
            cells = [np.linspace(*edge, _cells(len(seen)) + 1) for edge in edges]
            draw_cells(axes, self.x.values, self.y.values, cells, self.colour)
        axes.set(xlim=edges[0], ylim=edges[1])
        name_axes(axes, self.x, self.y)
        return int(np.count_nonzero(~seen))


def _cells(points: int) -> int:
    return int(np.clip(np.sqrt(points) / 4, *CELLS))


def cells_of(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    cells: list[NDArray[np.float64]],
    colour: Series | None,
) -> NDArray[np.float64]:
    """Return for each cell the number of its points, or the mean of their colours; NaN where there is none."""
    if colour is not None:
        known = colour.known
        x, y = x[known], y[known]
    counts = np.histogram2d(x, y, bins=cells)[0]
    with np.errstate(invalid="ignore", divide="ignore"):
        if colour is None:
            return np.where(counts > 0, counts, np.nan)
        sums = np.histogram2d(x, y, bins=cells, weights=colour.values[known])[0]
        return sums / counts


def draw_cells(
    axes: Any,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    cells: list[NDArray[np.float64]],
    colour: Series | None,
    areas: NDArray[np.float64] | None = None,
) -> None:
    """Draw points counted in cells: a mean on an even scale, numbers, or those in a unit of area, on a logarithmic one.

    Cells whose points have no colour of their own are faint.
    """
    from matplotlib.colors import ListedColormap, LogNorm

    values = cells_of(x, y, cells, colour)
    scale: dict[str, Any] = {}
    extend = "neither"
    if colour is None:
        label = "Number in a cell" if areas is None else "Number in a square degree"
        values = values if areas is None else values / areas
        least = float(np.nanmin(values))
        scale = {"norm": LogNorm(least, max(float(np.nanmax(values)), least * 10))}
    else:
        label = f"Mean of a cell: {_lower(colour.label)}"
        scale, extend = _scale(values[np.isfinite(values)])
        if not colour.known.all():
            there = np.ma.masked_invalid(cells_of(x, y, cells, None)).T
            axes.pcolormesh(*cells, there, rasterized=True, cmap=ListedColormap([FAINT]))
    drawn = axes.pcolormesh(*cells, np.ma.masked_invalid(values).T, rasterized=True, **scale)
    explain(axes, drawn, label, extend)


def draw_dots(axes: Any, x: NDArray[np.float64], y: NDArray[np.float64], colour: Series | None) -> None:
    """Draw a dot for each point, those without a colour of their own beneath."""
    look: dict[str, Any] = {"s": float(np.clip(4000 / max(len(x), 1), 4, 18)), "linewidths": 0}
    look["rasterized"] = len(x) > FEW
    if colour is None:
        axes.scatter(x, y, **look)
        return
    known = colour.known
    if not known.all():
        axes.scatter(x[~known], y[~known], color=FAINT, **look)
    if known.any():
        scale, extend = _scale(colour.values[known])
        drawn = axes.scatter(x[known], y[known], c=colour.values[known], **scale, **look)
        explain(axes, drawn, colour.label, extend)


def explain(axes: Any, drawn: Any, label: str, extend: str) -> None:
    """Put a bar beside that says what colours mean."""
    if axes.name == "rectilinear":
        axes.figure.colorbar(drawn, ax=axes, label=fill(label, ALONG_Y), extend=extend, pad=0.02)
    else:  # a map is wide
        place: dict[str, Any] = {"location": "bottom", "shrink": 0.6, "aspect": 40, "pad": 0.05}
        axes.figure.colorbar(drawn, ax=axes, label=fill(label, ALONG_X), extend=extend, **place)


def name_axes(axes: Any, x: Series, y: Series | None = None) -> None:
    """Write along the axes what they are, in lines that fit."""
    axes.set_xlabel(fill(x.label, ALONG_X))
    if y is not None:
        axes.set_ylabel(fill(y.label, ALONG_Y))


def count_along(axis: Any) -> None:
    """Have an axis count: whole numbers, with commas."""
    axis.get_major_locator().set_params(integer=True)
    axis.set_major_formatter("{x:,.0f}")


def _scale(values: NDArray[np.float64]) -> tuple[dict[str, float], str]:
    """Return from where to where colours go, and on which sides values lie beyond."""
    if not values.size:
        return {}, "neither"
    low, high = np.percentile(values, (1, 99))
    if low == high:
        return {}, "neither"
    below, above = bool(values.min() < low), bool(values.max() > high)
    extend = {(True, True): "both", (True, False): "min", (False, True): "max"}.get((below, above), "neither")
    return {"vmin": float(low), "vmax": float(high)}, extend


def _lower(label: str) -> str:
    """Return a label inside a sentence: "[Fe/H]" and "Teff" keep their letters."""
    first, _, rest = label.partition(" ")
    return f"{first.lower()} {rest}" if first.isalpha() and first.istitle() and rest else label
