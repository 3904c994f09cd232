"""`export`: the rows that a question is about, in a file of the kind that its ending says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astra_outputs.errors import InvalidFile, MissingExtra
from astra_outputs.export.facts import facts_of
from astra_outputs.export.selection import selected
from astra_outputs.model.record import Record
from astra_outputs.postgres.database import Database
from astra_outputs.reading.question import Asked
from astra_outputs.whole_file import refuse_existing, whole_file

if TYPE_CHECKING:
    from astra_outputs.export.fits_file import Progress

ENDINGS = {".fits.gz": "fits", ".fits": "fits", ".parquet": "arrow", ".csv": "", ".ecsv": "fits"}
"""The endings of files, and the extra that writes each."""

LIBRARIES = {"fits": "astropy", "arrow": "pyarrow"}
"""What each extra installs."""


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
    """

    file: Path
    rows: dict[str, int]
    size: int
    seconds: float

    def __str__(self) -> str:
        rows = ", ".join(f"{name} {count:,}" for name, count in self.rows.items())
        return f"{self.file}: {rows} rows, {self.size / 1e6:,.1f} MB, {self.seconds:,.1f} s"


async def export(
    database: Database,
    record_class: type[Record],
    file: Path | str,
    condition: str | None,
    parameters: Sequence[Any],
    asked: Asked,
    *,
    columns: Sequence[str] | None,
    connections: int,
    overwrite: bool,
    upper: bool,
    progress: Progress | None,
) -> ExportReport:
    """Write a file; see `Outputs.export`."""
    path = Path(file)
    ending = _ending(path)
    readings = selected(record_class, condition, parameters, asked, columns, connections)
    refuse_existing(path, overwrite=overwrite)
    begun = time.monotonic()
    with whole_file(path, overwrite=overwrite) as opened:
        facts = facts_of(readings[0], asked.get("v_astra"))
        if ending.startswith(".fits"):
            from astra_outputs.export.fits_file import write_fits
            from astra_outputs.export.sinks import Gzipped, Plain

            sink = Gzipped(opened) if ending.endswith(".gz") else Plain(opened)
            with closing(sink):
                rows = await write_fits(sink, database, readings, facts, upper=upper, progress=progress)
        else:
            from astra_outputs.export.one_table import write_one_table

            rows = await write_one_table(
                ending, opened, database, readings, facts, upper=upper, progress=progress
            )
    size = await asyncio.to_thread(path.stat)
    return ExportReport(path, rows, size.st_size, time.monotonic() - begun)


def _ending(path: Path) -> str:
    """Return the ending of a file's name, if files of this kind can be written.

    Raises
    ------
    InvalidFile
        If it is another.
    MissingExtra
        If the library that writes them is not installed.
    """
    ending = next((known for known in ENDINGS if path.name.lower().endswith(known)), None)
    if ending is None:
        raise InvalidFile(
            f"{path.name} does not say what it shall be: end it in {', '.join(sorted(ENDINGS))}"
        )
    extra = ENDINGS[ending]
    library = LIBRARIES.get(extra)
    try:
        if library is not None:
            import_module(library)
    except ImportError as error:
        raise MissingExtra(f"{ending} files need {library}: pip install 'astra-outputs[{extra}]'") from error
    return ending
