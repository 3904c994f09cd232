"""Tables in words: one structure, and renderers that turn it into pages."""

from __future__ import annotations

from astra_outputs.catalog.description.html import to_html
from astra_outputs.catalog.description.markdown import to_markdown
from astra_outputs.catalog.description.pages import overview, page
from astra_outputs.catalog.description.table import (
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
