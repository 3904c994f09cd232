"""VOTables, ECSV and whatever else astropy reads, each as a whole."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from astra_outputs.ingest.files import PIECE, Choices, Row, TableFile, chosen, rows_of
from astra_outputs.tables.read import cells_of

ELSEWHERE = re.compile(rb"<(?:\w+:)?(?:STREAM|FITS)\b[^>]*\bhref\s*=")
"""Where a VOTable has its reader fetch rows from an address."""


def open_any(path: Path, _stack: ExitStack, choices: Choices, kind: str) -> TableFile:
    """Open a file in a format that `Table.read` knows by name, as "ecsv", "ascii.cds" or "ascii.ipac"."""
    from astropy.io import registry
    from astropy.table import Table

    name = "ascii.ecsv" if kind == "ecsv" else kind
    if name not in registry.get_formats(Table, "Read")["Format"]:
        raise ValueError(f"astropy knows no format {name}; ascii.basic, ascii.cds and ascii.ipac are some")
    options: dict[str, Any] = {"encoding": choices.encoding} if choices.encoding else {}
    options |= {"delimiter": choices.delimiter} if choices.delimiter else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # units that nobody knows, and the like
        return _opened(Table.read(path, format=name, **options))


def open_votable(path: Path, _stack: ExitStack, choices: Choices, _kind: str) -> TableFile:
    """Open a VOTable, in which the map may choose one of several tables by number, ID or name."""
    from astropy.io import votable

    if ELSEWHERE.search(path.read_bytes()):
        raise ValueError(
            "its rows are in another file, which is not fetched: write a VOTable that holds them itself"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the standard does not know; the values are read all the same
        tables = list(votable.parse(path, verify="ignore").iter_tables())
        names = {number: str(table.name or table.ID or "") for number, table in enumerate(tables)}
        table = tables[chosen(names, choices.hdu, "its tables are")]
        return _opened(table.to_table(use_names_over_ids=True))


def _opened(table: Any) -> TableFile:
    def rows(names: Sequence[str]) -> Iterator[Row]:
        for start in range(0, len(table), PIECE):
            piece = table[start : start + PIECE]
            columns = [[cells[row] for row in range(len(piece))] for cells in _cells(piece, names)]
            yield from rows_of(names, columns, len(piece), start)

    stated = {name: getattr(table[name], "unit", None) for name in table.colnames}
    return TableFile(
        tuple(table.colnames), rows, {name: unit for name, unit in stated.items() if unit is not None}
    )


def _cells(table: Any, names: Sequence[str]) -> list[Any]:
    return [cells_of(table[name]) for name in names]
