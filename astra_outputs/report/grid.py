"""Tables that sort and filter: a value that is shown in words is sorted by what it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from astra_outputs.report.markup import Html, element, text

FILTERED_FROM = 8
"""Rows from which on a table has a field that filters it."""


@dataclass(frozen=True)
class Cell:
    """One value: as it is shown, and by what it is sorted; a number is set to the right."""

    shown: object
    sort: float | str | None = None
    number: bool = False


def count(value: int | None) -> Cell:
    """Return a whole number, or a hyphen where it is not known."""
    return Cell("-", None, number=True) if value is None else Cell(f"{value:,}", value, number=True)


def real(value: float | None, digits: int = 4) -> Cell:
    """Return a number to some digits."""
    return Cell("-", None, number=True) if value is None else Cell(f"{value:.{digits}g}", value, number=True)


def size(value: int | None) -> Cell:
    """Return a number of bytes."""
    if value is None:
        return Cell("-", None, number=True)
    number, units = float(value), ["B", "KiB", "MiB", "GiB", "TiB"]
    while number >= 1024 and len(units) > 1:
        number, units = number / 1024, units[1:]
    return Cell(
        f"{number:.0f} {units[0]}" if units[0] == "B" else f"{number:.1f} {units[0]}", value, number=True
    )


def moment(value: datetime | None) -> Cell:
    """Return a time in UTC."""
    if value is None:
        return Cell("never", "")
    at = value.astimezone(UTC)
    return Cell(element("time", at.strftime("%Y-%m-%d %H:%M"), datetime=at.isoformat()), at.isoformat())


def share(part: float | None, whole: float | None) -> Cell:
    """Return a share as a bar and a percentage."""
    if part is None or not whole:
        return Cell("-", None, number=True)
    percent = 100 * part / whole
    width = min(max(percent, 0), 100) * 0.6
    bar = element(
        "svg",
        element("rect", class_="track", width=60, height=8),
        element("rect", class_="filled", width=f"{width:.1f}", height=8),
        class_="share",
        viewBox="0 0 60 8",
        aria_hidden="true",
    )
    words = f"{percent:.2f}" if 0 < percent < 1 else f"{percent:.1f}"
    return Cell(Html(f"{bar} {words}&nbsp;%"), percent, number=True)


def grid(
    name: str, header: Sequence[str], rows: Iterable[Sequence[Cell | object]], *, nothing: str = "Nothing."
) -> Html:
    """Return a table whose rows sort by any column, with a field that filters them where they are many."""
    kept = [[value if isinstance(value, Cell) else Cell(value) for value in row] for row in rows]
    if not kept:
        return element("p", nothing, class_="nothing")
    numbers = [any(row[place].number for row in kept) for place in range(len(header))]
    heads = [
        element(
            "th", element("button", title, type="button"), class_="number" if number else None, scope="col"
        )
        for title, number in zip(header, numbers, strict=True)
    ]
    body = [element("tr", *map(_cell, row)) for row in kept]
    table = element(
        "table", element("thead", element("tr", *heads)), element("tbody", *body), aria_label=name
    )
    field = element(
        "p",
        element("input", type="search", placeholder="filter", aria_label=f"Filter: {name}"),
        " ",
        element("output", f"{len(kept):,} rows"),
        class_="filter",
    )
    return element(
        "div",
        field if len(kept) >= FILTERED_FROM else None,
        element("div", table, class_="scrolls", tabindex=0),
        class_="grid",
    )


def _cell(cell: Cell) -> Html:
    key = None if cell.sort is None else str(cell.sort)
    return element("td", text(cell.shown), class_="number" if cell.number else None, data_sort=key)
