"""`astra-outputs check`: whether record classes, SQL files and the database say the same."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated

import typer

from astra_outputs.cli.options import (
    Dsn,
    Json,
    Records,
    Schema,
    cells,
    connection_to,
    console,
    names_a_database,
)
from astra_outputs.printable import as_json, printable

if TYPE_CHECKING:
    from astra_outputs.catalog import Checked
    from astra_outputs.model.record import Record


def check(
    dsn: Dsn = None,
    schema: Schema = "astra",
    records: Records = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no database, even if one is named.")
    ] = False,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            "--ignore",
            help="Leave out differences of comments, flags, indexes, ...: several with commas between.",
            show_default=False,
        ),
    ] = None,
    nan: Annotated[
        bool,
        typer.Option(
            "--nan", help="Read tables that have no check against NaN, and tell where they hold it."
        ),
    ] = False,
    times: Annotated[
        bool,
        typer.Option("--times", help="Read all tables, and tell where a worker wrote times of another zone."),
    ] = False,
    json: Json = False,
) -> None:
    """Compare record classes with their SQL files, and with a database where one is named.

    Prints the differences, what stops writing first, with the statements that mend it; exits with 1 if there are any.
    """
    from astra_outputs.discover import record_classes

    topics = _topics(ignore or ())

    classes = record_classes(records or ())
    if offline or not names_a_database(dsn):
        from astra_outputs.catalog import check_files

        checked, where = check_files(classes), ""
    else:
        checked, where = asyncio.run(_with_database(dsn, schema, classes, nan=nan, times=times))
    whole, checked = len(checked.differences), checked.without(topics)
    if json:
        found = [
            asdict(one)
            | {
                "says": {who.value: said for who, said in one.says.items()},
                "concern": one.concern,
                "topic": one.topic,
            }
            for one in checked.differences
        ]
        counts = {"tables": checked.tables, "columns": checked.columns, "flags": checked.flags}
        typer.echo(as_json({"differences": found, "left_out": checked.left_out, **counts}))
    else:
        _print(checked, where)
        ignored = whole - len(checked.differences)
        if ignored:
            said = f"{ignored} difference{'s' * (ignored > 1)} of {', '.join(topics)} left out"
            console().print(said, markup=False)
        if where:
            _print_remedies(checked, classes, schema)
    if checked.differences:
        raise typer.Exit(1)


def _topics(given: Iterable[str]) -> list[str]:
    """Return what is to be left out."""
    from astra_outputs.catalog.difference import TOPICS

    known = sorted(set(TOPICS.values()))
    topics = [topic.strip() for text in given for topic in text.split(",")]
    for topic in topics:
        if topic not in known:
            raise typer.BadParameter(f"{topic!r} is none of {', '.join(known)}", param_hint="--ignore")
    return topics


async def _with_database(
    dsn: str | None, schema: str, classes: Sequence[type[Record]], *, nan: bool, times: bool
) -> tuple[Checked, str]:
    from astra_outputs.catalog import check_with_database
    from astra_outputs.catalog.times import times_out_of_order
    from astra_outputs.catalog.values import numbers_with_nan

    async with connection_to(dsn, schema) as (connection, where):
        checked = await check_with_database(connection, schema, classes)
        if nan:
            held = await numbers_with_nan(connection, schema, classes)
            checked = replace(checked, differences=(*checked.differences, *held))
        if times:
            late = await times_out_of_order(connection, schema, classes)
            checked = replace(checked, differences=(*checked.differences, *late))
    return checked, f"schema {schema} of {where}"


def _print(checked: Checked, where: str) -> None:
    from astra_outputs.catalog import Says

    asked = [Says.RECORD, Says.FILE] + ([Says.DATABASE] if where else [])
    extent = f"{checked.tables} tables, {checked.columns} columns, {checked.flags} flags"
    parties = "record classes and SQL files" + (f", and {where}," if where else "")
    screen = console()
    if checked.left_out:
        screen.print(printable(f"left out of the database: {', '.join(checked.left_out)}"), markup=False)
    if not checked.differences:
        screen.print(f"{extent}: {parties} agree", markup=False)
        return
    from rich.table import Table

    from astra_outputs.catalog.difference import CONCERNS

    for concern in CONCERNS:
        table = Table(
            "table", "column", "what differs", *(f"{who.value} says" for who in asked), title=concern
        )
        for difference in checked.differences:
            if difference.concern == concern:
                said = (difference.says.get(who, "") for who in asked)
                table.add_row(*cells(difference.table, difference.column or "", difference.aspect, *said))
        if table.row_count:
            screen.print(table)
    count = len(checked.differences)
    screen.print(f"{count} difference{'s' * (count > 1)} in {extent} of {parties.rstrip(',')}", markup=False)


def _print_remedies(checked: Checked, classes: Iterable[type[Record]], schema: str) -> None:
    """Print what mends what stops writing and reading, for a DBA to judge."""
    from astra_outputs.catalog.difference import CONCERNS
    from astra_outputs.catalog.remedy import remedy

    by_table = {record_class.table: record_class for record_class in classes}
    remedies = [
        remedy(difference, by_table[difference.table], schema)
        for difference in checked.differences
        if difference.concern in CONCERNS[:2]
    ]
    if any(remedies):
        screen = console()
        screen.print("what stops writing or reading is mended by:", markup=False)
        for mend in dict.fromkeys(filter(None, remedies)):
            screen.print(printable(f"  {mend}"), markup=False, soft_wrap=True)
