"""Markup that is built, never pasted: whatever comes from elsewhere is text in it."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from astra_outputs.printable import printable_lines

VOID = frozenset({"meta", "img", "input", "rect", "line"})
"""Elements without an end here: those of HTML, and those of SVG, which end in themselves."""


class Html(str):
    """Text that is markup already; all other text is escaped where it is put into an element."""

    __slots__ = ()


def text(value: object) -> Html:
    """Return a value as text of a page: no markup, no character that turns text around or that a terminal obeys."""
    return value if isinstance(value, Html) else Html(escape(printable_lines(value)))


def joined(children: Iterable[object]) -> Html:
    """Return pieces one after the other, without those that are None."""
    return Html("".join(text(child) for child in children if child is not None))


def element(name: str, /, *children: object, **attributes: object) -> Html:
    """Return an element: `element("td", "5 < 6", class_="number", data_sort=5)`.

    An attribute that is None or False is left out, one that is True has no value; `class_` stands for `class`, and
    an underscore within a name for a hyphen.
    """
    given = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{text(str(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in VOID and not children:
        return Html(f"<{name}{given}/>")
    return Html(f"<{name}{given}>{joined(children)}</{name}>")
