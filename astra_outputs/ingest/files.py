"""The rows of a CSV, FITS or Parquet file, one dictionary each, read in pieces."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from astra_outputs.errors import UnreadableFile

Row = dict[str, Any]
PIECE = 1_000
"""Rows of a FITS or Parquet file that are turned into Python values at a time."""


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a file: text for CSV, plain Python values else, None where masked or null.

    Raises
    ------
    UnreadableFile
        If the file does not exist, is of another kind, is damaged, or the extra that reads it is missing.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    readers = {
        ".csv": _csv,
        ".fits": _fits,
        ".fit": _fits,
        ".parquet": _parquet,
        ".pq": _parquet,
    }
    reader = readers.get(suffixes[-1] if suffixes else "")
    if reader is None:
        raise UnreadableFile(f"{path}: name it .csv, .fits, .fits.gz or .parquet, as what it is")
    if not path.is_file():
        raise UnreadableFile(f"{path}: there is no such file")
    try:
        yield from reader(path)
    except ModuleNotFoundError as error:
        extra = "fits" if error.name == "astropy" else "arrow"
        raise UnreadableFile(
            f'{path}: {error.name} is not installed: run pip install "astra-outputs[{extra}]"'
        ) from error
    except (OSError, ValueError, csv.Error) as error:
        raise UnreadableFile(f"{path} cannot be read: {error}") from error


def _csv(path: Path) -> Iterator[Row]:
    opener = gzip.open if path.suffix.lower() == ".gz" else open
    with opener(path, "rt", newline="", encoding="utf-8-sig") as file:
        lines = csv.reader(file, strict=True)
        header = next(lines, None)
        if header is None:
            raise ValueError("it is empty: a line with the names of the columns must come first")
        names = [name.strip().lstrip("#").strip() for name in header]
        for number, fields in enumerate(lines, start=1):
            if fields and len(fields) != len(names):
                raise ValueError(f"row {number} has {len(fields)} fields, and the header {len(names)}")
            if fields:
                yield dict(zip(names, fields, strict=True))


def _fits(path: Path) -> Iterator[Row]:
    import warnings

    from astropy.table import Table

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # units that the FITS standard does not know; they are not used
        table = Table.read(path, format="fits", character_as_bytes=False)
    for start in range(0, len(table), PIECE):
        piece = table[start : start + PIECE]
        # Masked elements become None by `tolist`, in columns of arrays too.
        columns = [piece[name].tolist() for name in piece.colnames]
        for values in zip(*columns, strict=True):
            yield dict(zip(piece.colnames, values, strict=True))


def _parquet(path: Path) -> Iterator[Row]:
    import pyarrow.parquet

    for piece in pyarrow.parquet.ParquetFile(path).iter_batches(PIECE):
        yield from piece.to_pylist()
