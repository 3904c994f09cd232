r"""Texts of others (data, files, servers, pipelines) as a terminal, a log, a spreadsheet or a page may show them.

What a terminal obeys (escape sequences, and characters that turn text around), and what would begin a
new line where one line is meant, is shown as Python writes it: `\x1b`. Nothing else is changed.
"""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

FORMULA = ("=", "+", "-", "@")
"""How formulas begin: a spreadsheet runs what it reads so, unless an apostrophe stands before it."""

_BROKEN = re.compile(r"[^\n\t]+")


def printable(text: object) -> str:
    """Return a text as one line that a terminal may print."""
    text = str(text)
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text
    )


def printable_lines(text: object) -> str:
    """Return a text as lines that a terminal may print; ends of lines and tabs stay."""
    text = str(text)
    return text if text.isprintable() else _BROKEN.sub(lambda part: printable(part[0]), text)


class InNotebooks:
    """What a notebook shows as it is printed."""

    def _repr_html_(self) -> str:
        return f"<pre>{escape(printable_lines(self))}</pre>"


def cell(text: object) -> str:
    """Return a text as a cell of a CSV file: one line, and no formula."""
    text = printable(text)
    return f"'{text}" if text.lstrip().startswith(FORMULA) and not _is_number(text) else text


def as_json(value: Any, indent: int | None = 2) -> str:
    """Return a value as JSON that a terminal may print; what JSON does not know is written as its text."""
    text = json.dumps(value, indent=indent, ensure_ascii=False, default=str)
    return "".join(letter if letter.isprintable() or letter == "\n" else _in_json(letter) for letter in text)


def _in_json(letter: str) -> str:
    return json.dumps(letter)[1:-1]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
