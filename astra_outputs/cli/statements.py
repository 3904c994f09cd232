"""`astra-outputs statements`: every statement that is sent for a table, as a DBA may read and try it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from astra_outputs.cli.options import Json, Records, Schema
from astra_outputs.cli.selection import complete_table
from astra_outputs.printable import as_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from astra_outputs.model.record import Record
    from astra_outputs.model.spectrum import SpectrumMixin
    from astra_outputs.postgres.sql import Statement


def statements(
    table: Annotated[
        str | None,
        typer.Argument(
            help="A table, or its record class; all of them if none is given.", autocompletion=complete_table
        ),
    ] = None,
    schema: Schema = "astra",
    records: Records = None,
    spectra: Annotated[
        str,
        typer.Option("--spectra", help="The table of spectra whose pending ones are looked for."),
    ] = "apogee_coadded_spectrum_in_ap_star",
    json: Json = False,
) -> None:
    """Print every statement that is sent for a table, in SQL that psql takes as it is.

    Those with parameters are prepared: `explain execute pending_page(8, 0, 2000);` shows the plan.
    """
    from astra_outputs.cli.describe import table_named
    from astra_outputs.cli.named import class_named
    from astra_outputs.discover import record_classes
    from astra_outputs.model.spectrum import SpectrumMixin
    from astra_outputs.names import check_name
    from astra_outputs.postgres.sql import quote

    check_name(schema, "schema")
    kind = class_named(spectra, records or (), SpectrumMixin)
    classes = record_classes(records or ())
    chosen = classes if table is None else [table_named(table, classes)]
    found = numbered(entry for record in chosen for entry in statements_of(record, schema, kind))
    if json:
        typer.echo(as_json([asdict(statement) for statement in found]))
        return
    typer.echo(f"-- Names without a schema are looked for here.\nset search_path = {quote(schema)};\n")
    for statement in found:
        typer.echo(f"{statement}\n")


def statements_of(
    record_class: type[Record], schema: str, spectrum_class: type[SpectrumMixin]
) -> list[Statement]:
    """Return every statement that is sent for one table; each room lists its own."""
    from astra_outputs.catalog import from_database
    from astra_outputs.compare import compare
    from astra_outputs.postgres import replica
    from astra_outputs.reading import by_key, history, known_sources, pending, question
    from astra_outputs.records.source import Source
    from astra_outputs.saving import listing as saving

    return [
        *replica.statements_of(),
        *from_database.statements_of(),
        *by_key.statements_of(record_class, schema),
        *question.statements_of(record_class, schema),
        *(known_sources.statements_of(schema) if record_class is Source else ()),
        *saving.statements_of(record_class, schema),
        *pending.statements_of(record_class, schema, spectrum_class),
        *history.statements_of(record_class, schema),
        *compare.statements_of(record_class, schema),
    ]


def numbered(statements: Iterable[Statement]) -> Iterator[Statement]:
    """Yield each statement once, under a name that no other has: row_by_key, row_by_key_2, ..."""
    from dataclasses import replace

    texts: set[str] = set()
    count: dict[str, int] = {}
    for statement in statements:
        if statement.text in texts:
            continue
        texts.add(statement.text)
        count[statement.name] = count.get(statement.name, 0) + 1
        number = count[statement.name]
        yield statement if number == 1 else replace(statement, name=f"{statement.name}_{number}")
