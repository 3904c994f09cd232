"""Pages as Markdown, with tables as GitHub and MkDocs read them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from astra_outputs.describe.pages import Block, Code, Grid, Heading, Paragraph
from astra_outputs.printable import printable, printable_lines

_SPECIAL = re.compile(r"([\\*_<|`\[\]])")
_TICKS = re.compile(r"`+")
_QUOTED = re.compile(r"(`[^`]*`)")


def to_markdown(blocks: Iterable[Block]) -> str:
    """Return a page as Markdown."""
    return "\n\n".join(map(_block, blocks)) + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"{'#' * level} {_escaped(text)}"
        case Paragraph(text):
            return "".join(part if part.startswith("`") else _escaped(part) for part in _QUOTED.split(text))
        case Code(text, language):
            fence = "`" * max(3, 1 + max(map(len, _TICKS.findall(text)), default=0))
            return f"{fence}{language}\n{printable_lines(text)}\n{fence}"
        case Grid(header, rows, code):
            lines = [_row(header), _row(["---"] * len(header))]
            for row in rows:
                cells = zip(header, row, strict=True)
                lines.append(_row([_code(cell) if name in code else _escaped(cell) for name, cell in cells]))
            return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    if "`" in text:
        return _escaped(text)
    return f"`{printable(text).replace('|', chr(92) + '|')}`" if text else ""


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", printable(" ".join(text.split("\n"))))
