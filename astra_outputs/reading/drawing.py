"""Columns that were read become a picture: which of them, in which role, and what stands above."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from textwrap import fill
from typing import Any

from astra_outputs.errors import InvalidPicture, Problem, UnknownColumn
from astra_outputs.plots.kinds import Kind
from astra_outputs.plots.picture import Picture
from astra_outputs.plots.series import Series
from astra_outputs.reading.outputs import Output
from astra_outputs.reading.scope import RESULT, SOURCE, SPECTRUM, Scope

PLURAL = {RESULT: "results", SPECTRUM: "spectra", SOURCE: "sources"}

ABOVE = 70
"""Letters of a title that fit above a picture."""


def outputs_of(
    kind: Kind, outputs: Sequence[Output], scope: Scope, named: Sequence[str], colour: str | None
) -> dict[str, Output]:
    """Return the columns of an answer that a picture is made of, by their roles.

    Raises
    ------
    UnknownColumn
        If one is not there.
    InvalidPicture
        If more or fewer are named than it takes, or one holds no numbers.
    """
    by_name = {output.name: output for output in outputs}
    for output in outputs:
        by_name[f"{output.named.alias}.{output.column.name}"] = output
        if output.named.alias == scope.main:
            by_name[output.column.name] = output
    table = scope.record_class.table
    chosen = kind.columns(table, by_name.__contains__, named, colour)
    for name in chosen.values():
        if name not in by_name:
            nearest = get_close_matches(name, by_name, n=1)
            hint = f"; did you mean {nearest[0]}?" if nearest else ""
            raise UnknownColumn(table, (Problem(name, ..., f"is not among the columns{hint}"),))
        output = by_name[name]
        if not output.wire or output.is_time:
            raise InvalidPicture(f"{name} is {output.column.type.sql}; pictures are drawn of numbers")
    return {role: by_name[name] for role, name in chosen.items()}


async def draw(
    kind: Kind,
    chosen: Mapping[str, Output],
    values: Mapping[str, Any],
    words: tuple[str, str],
    style: str | Path | None,
) -> Picture:
    """Return a picture of these values, drawn in another thread.

    Parameters
    ----------
    kind : Kind
    chosen : mapping of str to Output
        Columns by their roles.
    values : mapping of str to array
        Their values by their names.
    words : (str, str)
        What stands above, and what a row is called.
    style : str or Path, optional
    """
    title, row = words
    given = {
        role: Series.of(output.name, output.column.comment or output.name, values[output.name])
        for role, output in chosen.items()
    }

    def paint(figure: Any) -> None:
        if kind.figsize is not None:
            figure.set_size_inches(kind.figsize)
        axes = figure.add_subplot(projection=kind.projection)
        results, beyond = kind.draw(axes, given)
        count = f"{results:,} {row if results == 1 else PLURAL.get(row, 'rows')}"
        more = f", {beyond:,} beyond the edges" if beyond else ""
        colour = given.get("colour")
        more += f", none with {colour.name}" if colour is not None and not colour.known.any() else ""
        room = {} if kind.projection is None else {"pad": 20}  # labels of a map stand above it
        axes.set_title(fill(f"{title}: {count}{more}", ABOVE).replace("$", r"\$"), **room)

    return await asyncio.to_thread(Picture, title, paint, style)
