"""The page as a whole: sections one after the other, with style and script inside, and nothing from elsewhere."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files

from astra_outputs.report.markup import Html, element, joined


@dataclass(frozen=True)
class Section:
    """One part of the page: its name in addresses, its title, and what it says."""

    name: str
    title: str
    body: Html


def page(title: str, head: Html, sections: Sequence[Section]) -> str:
    """Return the page; its policy lets a browser run the script and the style of this package alone."""
    style, script = _part("page.css"), _part("page.js")
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    links = [element("a", section.title, href=f"#{section.name}") for section in sections]
    body = [
        element("section", element("h2", section.title), section.body, id=section.name)
        for section in sections
    ]
    return (
        "<!doctype html>\n"
        + element(
            "html",
            "\n",
            element(
                "head",
                element("meta", charset="utf-8"),
                element("meta", http_equiv="Content-Security-Policy", content=policy),
                element("meta", name="viewport", content="width=device-width, initial-scale=1"),
                element("meta", name="color-scheme", content="light dark"),
                element("title", title),
                element("style", style),
            ),
            "\n",
            element(
                "body",
                element("header", element("h1", title), head),
                element("nav", *links),
                element("main", *joined_by_lines(body)),
                element("script", script),
            ),
            "\n",
            lang="en",
        )
        + "\n"
    )


def joined_by_lines(parts: Sequence[Html]) -> Sequence[Html]:
    """Return parts each on a line of its own, so that two pages can be compared."""
    return [joined(["\n", part]) for part in parts]


def _part(name: str) -> Html:
    """Return a file of this package as it is: style and script are no text to be escaped."""
    return Html(files("astra_outputs.report").joinpath(name).read_text(encoding="utf-8"))


def _hash(content: str) -> str:
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"
