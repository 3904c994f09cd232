"""Places in the docs that are written by a benchmark: between `<!-- results: part -->` and `<!-- end -->`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

SCALE = Path(__file__).parents[1] / "docs" / "scale.md"


def filled(text: str, part: str, body: str) -> str:
    """Return the text of a page with the body in the place for a part; the prose stays.

    Raises
    ------
    SystemExit
        If the page has no such place.
    """
    marks = re.compile(rf"(<!-- results: {part} -->\n).*?(<!-- end -->)", re.DOTALL)
    found = marks.search(text)
    if found is None:
        raise SystemExit(f"there is no place for {part}: add <!-- results: {part} --> and <!-- end -->")
    return text[: found.end(1)] + f"\n{body}\n\n" + text[found.start(2) :]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as Markdown; all columns but the first are numbers."""
    align = [":--", *["--:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, align, *rows))


def footnote(where: dict[str, Any], minutes: float | None = None) -> str:
    """Return when, on what and with what something was measured, and how long that took if it is known."""
    took = "" if minutes is None else f", {minutes:g} minutes"
    return (
        f"<sub>{where['date']}{took}; {where['machine']}; PostgreSQL {where['postgresql']}, "
        f"Python {where['python']}, asyncpg {where['packages']['asyncpg']}, "
        f"Pydantic {where['packages']['pydantic']}; commit {where['commit']}; "
        f"load before the run {where['load']:g}.</sub>"
    )


def publish(part: str, body: str, page: Path = SCALE) -> None:
    """Write the body into its place on a page."""
    page.write_text(filled(page.read_text(encoding="utf-8"), part, body), encoding="utf-8")
