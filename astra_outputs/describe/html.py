"""Pages as HTML that stands alone: one file, no script, no font or style from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from astra_outputs.describe.pages import Block, Code, Grid, Heading, Paragraph
from astra_outputs.printable import printable_lines

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { border-bottom: 1px solid #ddd; padding: .25rem .75rem; text-align: left; vertical-align: top; }
tr:target { background: #fff3c4; }
code, pre { font: .9em/1.4 ui-monospace, monospace; }
pre { background: #f6f6f6; padding: 1rem; overflow-x: auto; }
@media (prefers-color-scheme: dark) {
  body { background: #16181c; color: #ddd; } th, td { border-color: #3a3d44; }
  pre { background: #22252b; } tr:target { background: #4a431f; }
}
"""


def _safe(text: str) -> str:
    """Return a text that is nothing but text in a page."""
    return escape(printable_lines(text))


def to_html(blocks: Iterable[Block]) -> str:
    """Return a page as a whole HTML document."""
    listed = list(blocks)
    title = next((block.text for block in listed if isinstance(block, Heading)), "")
    head = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_safe(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
    )
    return head + "\n".join(map(_block, listed)) + "\n</body>\n</html>\n"


def _block(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"<h{level}>{_safe(text)}</h{level}>"
        case Paragraph(text):
            return "<p>" + re.sub(r"`([^`]*)`", r"<code>\1</code>", _safe(text)) + "</p>"
        case Code(text, language):
            return f'<pre><code class="language-{language}">{_safe(text)}</code></pre>'
        case Grid():
            header = "".join(f"<th>{_safe(name)}</th>" for name in block.header)
            body = "\n".join(_row(row, block) for row in block.rows)
            return f"<table>\n<thead><tr>{header}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _row(row: tuple[str, ...], grid: Grid) -> str:
    cells = ""
    for name, cell in zip(grid.header, row, strict=True):
        text = _safe(cell)
        cells += f"<td><code>{text}</code></td>" if name in grid.code and text else f"<td>{text}</td>"
    return (f'<tr id="{_safe(grid.anchor + row[0])}">' if grid.anchor else "<tr>") + cells + "</tr>"
