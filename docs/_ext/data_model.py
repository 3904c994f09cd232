"""The data model's pages: one for each table, as `astra-outputs describe TABLE --format markdown` writes it.

Each column and flag is a target that the search finds by name and that a link may lead to.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

from docutils import nodes
from generated import write_pages
from sphinx.application import Sphinx
from sphinx.domains.std import StandardDomain

from astra_outputs import describe as description
from astra_outputs.describe.table import TableDescription
from astra_outputs.discover import record_classes

FOLDER = "data-model"
INTRODUCTION = """
Columns with types, units and descriptions, the bits of their flags, the key by which a row is found, and the
SQL file that makes the table. `astra-outputs describe` prints the same pages in a terminal. The search finds
each column and flag by name; [these choices](../data-model-choices.md) were made on the way.
"""


def setup(app: Sphinx) -> dict[str, bool]:
    """Have the pages made before each build, and their rows marked when they are read."""
    app.connect("builder-inited", _write)
    app.add_object_type("column", "column", objname="column")
    app.add_object_type("flag", "flag", objname="flag")
    app.connect("doctree-read", _mark_rows)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _write(app: Sphinx) -> None:
    tables = [description.describe(record_class) for record_class in record_classes(())]
    pages = {f"{table.name}.md": _page(table) for table in tables}
    pages["index.md"] = _index(tables)
    write_pages(Path(app.srcdir) / FOLDER, pages)


def _page(table: TableDescription) -> str:
    text = description.to_markdown(description.page(table))
    record_class = f"{table.module}.{table.record_class}"
    text = text.replace(f"`{record_class}`", f"{{py:class}}`{record_class}`", 1)
    return text.replace("\n## SQL\n", f"\n## SQL\n\n`schema/tables/{table.name}.sql`:\n")


def _index(tables: list[TableDescription]) -> str:
    title, _, grid = description.to_markdown(description.overview(tables)).partition("\n")
    for table in tables:
        grid = grid.replace(f"| `{table.name}` |", f"| [`{table.name}`]({table.name}.md) |")
    contents = "\n".join(["```{toctree}", ":hidden:", *(table.name for table in tables), "```"])
    return f"{title}\n{INTRODUCTION}{grid}\n{contents}\n"


def _mark_rows(app: Sphinx, document: nodes.document) -> None:
    folder, _, table = app.env.docname.partition("/")
    if folder != FOLDER:
        return
    domain = cast(StandardDomain, app.env.get_domain("std"))
    for kind, column, row in _rows(document):
        name = column if kind == "column" else row.children[1].astext()
        scope = table if kind == "column" else f"{table}.{column}"
        anchor = f"column-{name}" if kind == "column" else f"flag-{column}-{name}"
        row["ids"].append(anchor)
        domain.note_object(kind, f"{scope}.{name}", anchor, location=row)


def _rows(document: nodes.document) -> Iterator[tuple[str, str, nodes.row]]:
    """Yield the rows that describe a column or a flag, with the name of the column."""
    for grid in document.findall(nodes.table):
        header, *rows = grid.findall(nodes.row)
        grid["classes"].append("data-model")
        match header.children[0].astext():
            case "column":
                yield from (("column", row.children[0].astext(), row) for row in rows)
            case "bit":
                section = cast(nodes.section, grid.parent)
                yield from (("flag", section.children[0].astext(), row) for row in rows)
