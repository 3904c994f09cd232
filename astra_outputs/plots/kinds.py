"""The kinds of pictures that are drawn from columns: which columns each wants, and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from astra_outputs.errors import InvalidPicture, Problem, UnknownColumn
from astra_outputs.plots import bars, diagrams
from astra_outputs.plots.series import Series

METALLICITY = ("fe_h", "m_h", "m_h_atm")
COUNT = "count"
"""Asks for the number of results where a picture would be coloured by a column."""


@dataclass(frozen=True)
class Kind:
    """A kind of picture.

    Attributes
    ----------
    draw : callable
        Takes axes and series by their roles; returns how many results were drawn, and how many lie beyond.
    choices : tuple of dict
        Columns by their roles; the first choice of which all are there is taken.
    colour : tuple of str
        Columns of which the first that is there colours it.
    named : tuple of str
        The roles of columns that are to be named.
    coloured : bool
        Whether colours say anything in it.
    projection : str, optional
        Matplotlib's name for the projection of its axes.
    """

    draw: Callable[[Any, Mapping[str, Series]], tuple[int, int]]
    choices: tuple[dict[str, str], ...] = ({},)
    colour: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    coloured: bool = True
    projection: str | None = None
    figsize: tuple[float, float] | None = field(default=None)

    def columns(
        self, table: str, is_there: Callable[[str], bool], named: Sequence[str], colour: str | None
    ) -> dict[str, str]:
        """Return the columns to be read, by their roles.

        Parameters
        ----------
        table : str
            Whose columns these are, for errors.
        is_there : callable
            Tells whether there is a column: `teff`, `source.ra`.
        named : sequence of str
            The columns that the reader names, for kinds that leave them open.
        colour : str, optional
            The column that colours it; `COUNT` for none.

        Raises
        ------
        UnknownColumn
            If a column that it is made of is not there.
        InvalidPicture
            If more or fewer columns are named than it takes, or one to colour what has no colours.
        """
        if len(named) != len(self.named):
            wanted = {0: "takes no columns", 1: "takes one column"}.get(
                len(self.named), f"takes {len(self.named)} columns"
            )
            raise InvalidPicture(f"this kind of picture {wanted}, and {len(named)} were given")
        if colour not in (None, COUNT) and not self.coloured:
            raise InvalidPicture(f"colours say nothing in this kind of picture: leave out {colour}")
        wanted_of = next((c for c in self.choices if all(map(is_there, c.values()))), None)
        if wanted_of is None:
            lacks = [name for name in self.choices[0].values() if not is_there(name)]
            reason = "is not a column here, and this picture is made of it; `xy` and `hist` draw any columns"
            raise UnknownColumn(table, tuple(Problem(name, ..., reason) for name in lacks))
        chosen = wanted_of | dict(zip(self.named, named, strict=True))
        if colour is None:
            colour = next(filter(is_there, self.colour), COUNT)
        return chosen if colour == COUNT else chosen | {"colour": colour}


_OF_PARALLAX = {"g_mag": "source.g_mag", "plx": "source.plx", "e_plx": "source.e_plx"}

KINDS: dict[str, Kind] = {
    "kiel": Kind(diagrams.kiel, ({"x": "teff", "y": "logg"},), METALLICITY),
    "hr": Kind(
        diagrams.hr,
        ({"x": "teff", **_OF_PARALLAX}, {"x": "source.bp_mag", "minus": "source.rp_mag", **_OF_PARALLAX}),
        METALLICITY,
    ),
    "xy": Kind(diagrams.xy, named=("x", "y")),
    "hist": Kind(diagrams.hist, named=("x",), coloured=False),
    "sky": Kind(
        diagrams.sky, ({"x": "source.ra", "y": "source.dec"},), projection="mollweide", figsize=(7.6, 4.4)
    ),
    "timing": Kind(bars.timing, ({"x": "t_elapsed", "y": "t_overhead"},), coloured=False),
}
"""The kinds of pictures that columns are enough for, by name."""

COVERAGE, COMPARE = "coverage", "compare"
OTHERS = (COVERAGE, COMPARE)
"""Kinds that are drawn from what the server counts."""


def kind_named(name: str) -> Kind:
    """Return a kind of picture.

    Raises
    ------
    InvalidPicture
        If there is none of this name; the nearest is suggested.
    """
    if name in KINDS:
        return KINDS[name]
    every = [*KINDS, *OTHERS]
    nearest = get_close_matches(str(name), every, n=1)
    hint = f"did you mean {nearest[0]}?" if nearest else f"there are {', '.join(every)}"
    raise InvalidPicture(f"no kind of picture is named {name}: {hint}")
