"""`astra-outputs ingest`: store the rows of catalogue files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from astra_outputs.cli.options import Dsn, Json, Records, Schema, say
from astra_outputs.cli.selection import complete_table
from astra_outputs.printable import as_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from astra_outputs.ingest import IngestReport, Mapping
    from astra_outputs.model.pipeline import PipelineOutputMixin
    from astra_outputs.model.spectrum import SpectrumMixin


def ingest(
    files: Annotated[
        list[Path],
        typer.Argument(help="CSV, FITS, Parquet, Arrow, ECSV or VOTable files, with rows of one kind."),
    ],
    into: Annotated[
        str, typer.Option("--into", help="Table of the results, as aspcap.", autocompletion=complete_table)
    ],
    map_file: Annotated[Path, typer.Option("--map", help="TOML file: which column becomes which.")],
    v_astra: Annotated[str | None, typer.Option("--v-astra", help="Version, instead of the map's.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Read at most this many rows.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check every row and store nothing; needs no database.")
    ] = False,
    report_file: Annotated[
        Path | None,
        typer.Option("--report", help="Where refused rows are listed; beside the first file if not given."),
    ] = None,
    json: Json = False,
    records: Records = None,
    dsn: Dsn = None,
    schema: Schema = "astra",
) -> None:
    """Store rows of catalogue files as sources, spectra and results; good ones, whatever the others are.

    Refused rows are listed in FILE.refused.csv with row, column, value and reason; the exit code is
    then 1. Run again, it replaces what it stored.
    """
    from astra_outputs.discover import record_classes
    from astra_outputs.errors import InvalidMapping
    from astra_outputs.ingest import IngestReport, read_mapping
    from astra_outputs.ingest.mapping import spectrum_class_of
    from astra_outputs.ingest.report import check_place
    from astra_outputs.model.pipeline import PipelineOutputMixin

    classes = record_classes(records or ())
    results = {one.table: one for one in classes if issubclass(one, PipelineOutputMixin)}
    if into not in results:
        raise InvalidMapping(f"--into {into} must be one of: {', '.join(sorted(results))}")
    mapping = read_mapping(map_file)
    tables = (spectrum_class_of(mapping, classes), results[into])
    place = report_file or files[0].with_name(f"{files[0].name}.refused.csv")
    check_place(place)
    report = IngestReport()
    database = None if dry_run else (dsn, schema)
    try:
        asyncio.run(_ingest(files, mapping, tables, database, report, v_astra=v_astra, limit=limit))
    finally:  # what was refused before an error is told as well
        report.write_refused(place)
        if json:
            listed = str(place) if report.refused else None
            typer.echo(as_json(report.facts() | {"refused_rows": listed}))
        elif report.read:
            say(report)
    if report.refused:
        if not json:
            say(f"refused rows and why: {place}")
        raise typer.Exit(1)


async def _ingest(
    files: list[Path],
    mapping: Mapping,
    tables: tuple[type[SpectrumMixin], type[PipelineOutputMixin]],
    database: tuple[str | None, str] | None,
    report: IngestReport,
    **options: Any,
) -> None:
    from astra_outputs.ingest import ingest
    from astra_outputs.repository import connect

    with _progress() as progress:
        options |= {"report": report, "progress": progress}
        if database is None:
            await ingest(None, files, mapping, *tables, **options)
            return
        dsn, schema = database
        async with connect(dsn, schema=schema) as outputs:
            await ingest(outputs, files, mapping, *tables, **options)


class _progress:  # noqa: N801  (used as a function)
    """Say on stderr how far it is: in one line of a terminal, else in a line every ten seconds."""

    def __enter__(self) -> Callable[[IngestReport], None]:
        from time import monotonic

        from rich.console import Console

        console = Console(stderr=True, highlight=False)
        self._status = console.status("reading") if console.is_terminal else None
        if self._status is not None:
            self._status.start()
        said = monotonic()

        def show(report: IngestReport) -> None:
            nonlocal said
            if self._status is not None:
                self._status.update(str(report))
            elif monotonic() - said > 10:
                said = monotonic()
                typer.echo(str(report), err=True)

        return show

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()
