"""`astra-outputs describe`: what a table holds, in words."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from astra_outputs.cli.options import Json, Records, cells, console
from astra_outputs.cli.selection import complete_table
from astra_outputs.printable import as_json

if TYPE_CHECKING:
    from astra_outputs.describe.pages import Block
    from astra_outputs.model.record import Record


class Format(str, Enum):  # noqa: UP042 (typer shows the values of such an enumeration in its help)
    """What a description is written as."""

    text = "text"
    html = "html"
    markdown = "markdown"
    json = "json"


def describe(
    table: Annotated[
        str | None,
        typer.Argument(
            help="A table or record class; all are listed if none is given.", autocompletion=complete_table
        ),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.text,
    json: Json = False,
    records: Records = None,
    sql: Annotated[bool, typer.Option(help="Whether the SQL file is shown as well.")] = True,
) -> None:
    """Show the columns of a table by category, its flags, its key and its SQL; or list all tables."""
    from astra_outputs import describe as description
    from astra_outputs.discover import record_classes

    classes = record_classes(records or ())
    chosen = classes if table is None else [table_named(table, classes)]
    described = [description.describe(record_class) for record_class in chosen]
    if json or form is Format.json:
        import dataclasses

        facts = [dataclasses.asdict(entry) for entry in described]
        for fact in facts:
            if table is None or not sql:
                del fact["sql"]
        typer.echo(as_json(facts if table is None else facts[0]))
        return
    blocks = description.overview(described) if table is None else description.page(described[0], sql=sql)
    match form:
        case Format.html:
            typer.echo(description.to_html(blocks), nl=False)
        case Format.markdown:
            typer.echo(description.to_markdown(blocks), nl=False)
        case _:
            _print(blocks)


def table_named(name: str, classes: Iterable[type[Record]]) -> type[Record]:
    """Return the record class of a table's or class's name."""
    known = {entry.table: entry for entry in classes}
    known |= {entry.__name__.lower(): entry for entry in known.values()}
    found = known.get(name.lower())
    if found is None:
        nearest = get_close_matches(name.lower(), known, n=1)
        tables = ", ".join(sorted({entry.table for entry in known.values()}))
        hint = f"did you mean {nearest[0]}?" if nearest else f"there are {tables}."
        raise typer.BadParameter(f"there is no table {name}; {hint} Name your own with --records.")
    return found


def _print(blocks: Iterable[Block]) -> None:
    """Write a page to the terminal."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from astra_outputs.describe.pages import Code, Grid, Heading, Paragraph

    screen = console()
    for block in blocks:
        match block:
            case Heading(level, text):
                screen.print(Text(text, style="bold underline" if level < 3 else "bold"))
            case Paragraph(text):
                screen.print(*cells(text.replace("`", "")))
            case Code(text, _):
                screen.print(*cells(text), soft_wrap=True)
            case Grid(header, rows, code):
                grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
                for name in header:
                    grid.add_column(name, no_wrap=name in code)
                for row in rows:
                    grid.add_row(*cells(*row))
                screen.print(grid)
        screen.print()
