"""Tables in words: one structure, and renderers that turn it into pages."""

from __future__ import annotations

from astra_outputs.describe.html import to_html
from astra_outputs.describe.markdown import to_markdown
from astra_outputs.describe.pages import overview, page
from astra_outputs.describe.table import (
    Category,
    ColumnDescription,
    FlagDescription,
    FlagsDescription,
    TableDescription,
    describe,
)

__all__ = [
    "Category",
    "ColumnDescription",
    "FlagDescription",
    "FlagsDescription",
    "TableDescription",
    "describe",
    "overview",
    "page",
    "to_html",
    "to_markdown",
]
