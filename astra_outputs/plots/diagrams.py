"""The diagrams of the field: Kiel, Hertzsprung-Russell, one column against another, the sky, a distribution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from astra_outputs.errors import InvalidPicture
from astra_outputs.plots.field import MANY, Field, count_along, draw_cells, draw_dots, name_axes
from astra_outputs.plots.series import Series, known_in_all, limits, within

if TYPE_CHECKING:
    from numpy.typing import NDArray

Given = Mapping[str, Series]
"""The series of a diagram by their roles: x, y, colour, ..."""

PRECISE = 5.0
"""Least ratio of a parallax to its error, where that is known, for a star to have an absolute magnitude."""

MOST_BINS, FEWEST_BINS = 120, 10


def kiel(axes: Any, given: Given) -> tuple[int, int]:
    """Draw log g against Teff, hot stars to the left and giants at the top; return results and those beyond."""
    told = xy(axes, given)
    axes.invert_xaxis()
    axes.invert_yaxis()
    return told


def hr(axes: Any, given: Given) -> tuple[int, int]:
    """Draw absolute magnitudes, by parallaxes that are precise, against temperature or colour."""
    plx, error = given["plx"].values, given["e_plx"].values
    with np.errstate(invalid="ignore", divide="ignore"):
        precise = (plx > 0) & ~(plx < PRECISE * error)
        absolute = np.where(precise, given["g_mag"].values + 5 * np.log10(np.abs(plx)) - 10, np.nan)
    magnitude = Series("M_G", "Absolute magnitude in G [mag]", absolute)
    x = given["x"]
    if "minus" in given:
        minus = given["minus"]
        x = Series(f"{x.name} - {minus.name}", "Gaia's colour BP - RP [mag]", x.values - minus.values)
    told = xy(axes, {**given, "x": x, "y": magnitude})
    axes.invert_yaxis()
    if "minus" not in given:
        axes.invert_xaxis()
    return told


def xy(axes: Any, given: Given) -> tuple[int, int]:
    """Draw one column against another; return how many results have both, and how many lie beyond the edges."""
    x, y, colour = _of_rows_with(given, "x", "y")
    return len(x.values), Field(x, y, colour).draw(axes)


def hist(axes: Any, given: Given) -> tuple[int, int]:
    """Draw how values are distributed."""
    (x,) = _of_rows_with(given, "x")[:1]
    edges = limits(x.values)
    seen = within(x.values, edges)
    bins = _bins(x.values[seen], edges)
    axes.hist(x.values[seen], bins=bins, histtype="stepfilled", alpha=0.85)
    name_axes(axes, x)
    axes.set(ylabel="Number", xlim=(min(edges[0], bins[0]), max(edges[1], bins[-1])))
    count_along(axes.yaxis)
    return len(x.values), int(np.count_nonzero(~seen))


def sky(axes: Any, given: Given) -> tuple[int, int]:
    """Draw positions in Mollweide's projection, which keeps areas; right ascension grows to the left."""
    from matplotlib.patheffects import withStroke

    x, y, colour = _of_rows_with(given, "x", "y")
    east, north = np.radians(180.0 - x.values % 360.0), np.radians(y.values)
    if len(east) <= MANY:
        draw_dots(axes, east, north, colour)
    else:
        cells = [np.radians(np.linspace(-180, 180, 181)), np.radians(np.linspace(-90, 90, 91))]
        draw_cells(axes, east, north, cells, colour, _square_degrees(cells))
    axes.grid(visible=True, alpha=0.4, linewidth=0.6)
    hours = np.arange(-150, 180, 30)
    axes.set_xticks(
        np.radians(hours), [f"{180 - degrees}°" if degrees % 60 == 0 else "" for degrees in hours]
    )
    around = withStroke(linewidth=3, foreground=axes.get_facecolor())
    for label in axes.get_xticklabels():  # they stand among the points
        label.set(fontsize="small", path_effects=[around], zorder=5)
    axes.set_axisbelow(False)
    name_axes(axes, x, y)
    return len(east), 0


def _square_degrees(cells: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    width = np.degrees(np.diff(cells[0]))
    height = np.degrees(np.diff(np.sin(cells[1])))
    area: NDArray[np.float64] = width[:, None] * height[None, :]
    return area


def _bins(values: NDArray[np.float64], edges: tuple[float, float]) -> NDArray[np.float64]:
    """Return where bins begin and end: whole numbers in their middles where there are few different ones."""
    low, high = float(values.min()), float(values.max())
    if low == high:  # the one value in the middle of what the axis shows
        return np.linspace(*edges, FEWEST_BINS + 2)
    if high - low < MOST_BINS and np.all(values == np.round(values)):
        return np.arange(low - 0.5, high + 1.0)
    bins: NDArray[np.float64] = np.linspace(
        low, high, int(np.clip(np.sqrt(len(values)), FEWEST_BINS, MOST_BINS)) + 1
    )
    return bins


def _of_rows_with(given: Given, *roles: str) -> tuple[Any, ...]:
    """Return the series of the rows that have a value in all of these roles; last the colour, or None if none has one.

    Raises
    ------
    InvalidPicture
        If there is no such row.
    """
    wanted = [given[role] for role in roles]
    rows = known_in_all(wanted)
    if not rows.any():
        names = " and ".join(dict.fromkeys(entry.name for entry in wanted))
        raise InvalidPicture(f"no result has {names}: there is nothing to draw")
    colour = given["colour"].where(rows) if "colour" in given else None
    return (*(entry.where(rows) for entry in wanted), colour if colour and colour.known.any() else None)
