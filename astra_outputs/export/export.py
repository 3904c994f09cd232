"""`export`: the rows that a question is about, in a file of the kind that its ending says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from astra_outputs.errors import InvalidCondition, InvalidFile, WrongRecordClass, shorten
from astra_outputs.export.casjobs import Written, definition_path, definitions
from astra_outputs.export.facts import Fact, facts_of, question_of, release_of
from astra_outputs.export.libraries import ending_of
from astra_outputs.export.products import Product, minor_of, product_named
from astra_outputs.export.selection import kinds_of, selected
from astra_outputs.model.record import Record
from astra_outputs.model.version import configured_version
from astra_outputs.postgres.database import Database
from astra_outputs.postgres.sql import templates
from astra_outputs.reading.copying import Copying
from astra_outputs.reading.question import Asked
from astra_outputs.whole_file import refuse_existing, whole_file

if TYPE_CHECKING:
    from astra_outputs.export.fits_file import Progress


@dataclass(frozen=True)
class ExportReport:
    """What was written.

    Attributes
    ----------
    file : Path
    rows : dict[str, int]
        Rows of each table of the file.
    size : int
        Bytes.
    seconds : float
    definition : Path or None
        The definition of its tables for CasJobs, where that was asked for.
    """

    file: Path
    rows: dict[str, int]
    size: int
    seconds: float
    definition: Path | None = None

    def __str__(self) -> str:
        rows = ", ".join(f"{name} {count:,}" for name, count in self.rows.items())
        beside = f"\n{self.definition}: its tables for CasJobs" if self.definition else ""
        return f"{self.file}: {rows} rows, {self.size / 1e6:,.1f} MB, {self.seconds:,.1f} s{beside}"


async def export(
    database: Database,
    what: type[Record] | Product | str,
    file: Path | str | None,
    condition: str | None,
    parameters: Sequence[Any],
    asked: Asked,
    *,
    columns: Sequence[str] | None,
    connections: int,
    overwrite: bool,
    upper: bool,
    casjobs: bool,
    progress: Progress | None,
) -> ExportReport:
    """Write a file; see `Outputs.export`."""
    if isinstance(what, str):
        what = _known(what)
    if isinstance(what, Product):
        asked, file = _of_version(what, asked, file)
        what = await _there(database, what)
        if asked.get("spectrum_class") is not None:
            what = what.of_spectra(kinds_of(asked["spectrum_class"]))
        elif not file.name.lower().endswith((".fits", ".fits.gz")):
            what = what.as_one_table()
    elif file is None:
        raise InvalidFile(
            "the file has no name: pass one (-o); only files of a release have one, as mwmAllStar"
        )
    path = Path(file)
    ending = ending_of(path)
    readings = selected(what, condition, parameters, asked, columns, connections)
    facts = facts_of(readings[0], asked.get("v_astra"))
    facts += await release_of(database, readings[0], asked.get("v_astra"))
    facts += question_of(what, condition, parameters, asked)
    definition = definition_path(path) if casjobs else None
    for wanted in (path, definition):
        if wanted is not None:
            refuse_existing(wanted, overwrite=overwrite)
    begun = time.monotonic()
    with whole_file(path, overwrite=overwrite) as opened:
        tables = await _write(opened, ending, database, readings, facts, upper=upper, progress=progress)
        if definition is not None:
            opened.flush()  # a disk without room for it shall say so before the definition has its name
            with whole_file(definition, overwrite=overwrite) as beside:
                beside.write(definitions(path, tables, facts, upper=upper).encode())
    size = await asyncio.to_thread(path.stat)
    rows = {name: table.rows for name, table in tables.items()}
    return ExportReport(path, rows, size.st_size, time.monotonic() - begun, definition)


async def _write(
    file: BinaryIO,
    ending: str,
    database: Database,
    readings: Sequence[Copying],
    facts: Sequence[Fact],
    *,
    upper: bool,
    progress: Progress | None,
) -> dict[str, Written]:
    """Write a file of the kind that its ending says; return its tables."""
    if not ending.startswith(".fits"):
        from astra_outputs.export.one_table import write_one_table

        return await write_one_table(ending, file, database, readings, facts, upper=upper, progress=progress)
    from astra_outputs.export.fits_fields import Unforeseen
    from astra_outputs.export.fits_file import write_fits
    from astra_outputs.export.sinks import Gzipped, Plain

    async def written(*, fully: bool) -> dict[str, Written]:
        with closing(Gzipped(file) if ending.endswith(".gz") else Plain(file)) as sink:
            return await write_fits(
                sink, database, readings, facts, upper=upper, fully=fully, progress=progress
            )

    try:
        return await written(fully=False)
    except Unforeseen:
        file.seek(0)
        file.truncate()
        return await written(fully=True)


def _known(name: str) -> Product:
    product = product_named(name)
    if product is None:
        raise WrongRecordClass(
            f"{shorten(name)} is no file of a release: those are mwmTargets, mwmAllStar, mwmAllVisit, and "
            "astraAllStar and astraAllVisit followed by a pipeline, as astraAllStarASPCAP; else pass a record class"
        )
    return product


def _of_version(product: Product, asked: Asked, file: Path | str | None) -> tuple[Asked, Path]:
    """Return the question with its version, the configured one where none is given, and the file's name.

    Raises
    ------
    InvalidCondition
        If it is no version.
    MissingVersion
        If none is given or configured.
    """
    v_astra = asked.get("v_astra")
    wanted = configured_version() if v_astra is None else v_astra
    try:
        minor = minor_of(wanted)
    except ValueError as error:
        raise InvalidCondition(str(error)) from error
    path = Path.cwd() if file is None else Path(file)
    asked = {**asked, "v_astra": minor if v_astra is None else v_astra}
    return asked, path / product.file_name(minor) if path.is_dir() else path


async def _there(database: Database, product: Product) -> Product:
    """Return a product with those of its tables whose rows and spectra the database has tables for.

    Where it has none of them, all: what is missing is then said as ever.
    """
    names = [{kind.table for kind in of if kind is not None} for of in product.tables]
    rows = await database.run(
        lambda connection: connection.fetch(
            templates("reading")["tables_there"].text, database.schema, sorted(set().union(*names))
        )
    )
    found = {name for (name,) in rows}
    there = tuple(of for of, wanted in zip(product.tables, names, strict=True) if found.issuperset(wanted))
    return replace(product, tables=there or product.tables)
