"""The rows of a file: CSV, FITS, Parquet or Arrow, read some at a time."""

from __future__ import annotations

import csv
import gzip
import io
import shutil
import tempfile
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from astra_outputs.errors import AstraOutputsError, MissingExtra, UnreadableFile

PIECE = 1_000
"""Rows that are turned into Python values at a time."""

WIDEST = 1 << 24
"""Most characters of one field of a CSV file."""


class Row(NamedTuple):
    """One row of a file.

    Attributes
    ----------
    number : int
        Its place, counted from 1; neither the header nor blank lines of a CSV file count.
    values : dict[str, Any]
        Text for CSV, plain Python values else; None where masked or null.
    problem : str
        What is wrong with the row as a whole; empty if nothing is.
    """

    number: int
    values: dict[str, Any]
    problem: str = ""


@dataclass(frozen=True)
class TableFile:
    """A file that is open.

    Attributes
    ----------
    columns : tuple[str, ...]
    rows : Callable
        Yields every row, with the values of the named columns.
    """

    columns: tuple[str, ...]
    rows: Callable[[Sequence[str]], Iterator[Row]]


@contextmanager
def open_table(path: Path) -> Iterator[TableFile]:
    """Open a file; what its name ends in says what it is.

    Raises
    ------
    UnreadableFile
        If the file does not exist, is of another kind, is damaged, or has no columns.
    MissingExtra
        If the library that reads it is not installed.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    reader = READERS.get(suffixes[-1] if suffixes else "")
    if reader is None:
        raise UnreadableFile(
            f"{path}: name it .csv, .fits, .parquet or .arrow, as what it is; .gz may follow"
        )
    if not path.is_file():
        raise UnreadableFile(f"{path}: there is no such file")
    with ExitStack() as stack:
        with _told(path):
            if path.suffix.lower() == ".gz" and reader is not _csv:
                file = reader(_unpacked(path, stack), stack)
            else:
                file = reader(path, stack)
            _check_columns(file.columns)
        yield TableFile(file.columns, lambda names: _retold(path, file.rows(names)))


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say in one line why a file cannot be read."""
    try:
        yield
    except AstraOutputsError:
        raise
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        extra = "arrow" if library == "pyarrow" else "fits"
        raise MissingExtra(
            f'{path}: {library} is not installed: run pip install "astra-outputs[{extra}]"'
        ) from error
    except (OSError, EOFError, zlib.error, ValueError, LookupError, TypeError, csv.Error) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UnreadableFile(f"{path} cannot be read: {reason}") from error


def _retold(path: Path, rows: Iterator[Row]) -> Iterator[Row]:
    with _told(path):
        yield from rows


def _check_columns(names: Sequence[str]) -> None:
    if not names:
        raise ValueError("it is empty: a line with the names of the columns must come first")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two of its columns are named {twice[0]!r}; rename one")


def _csv(path: Path, stack: ExitStack) -> TableFile:
    file = stack.enter_context(path.open("rb"))
    data = cast("BinaryIO", gzip.GzipFile(fileobj=file) if path.suffix.lower() == ".gz" else file)
    # Bytes that are not UTF-8 are the fault of their row, which the record refuses.
    text = stack.enter_context(
        io.TextIOWrapper(data, encoding="utf-8-sig", errors="surrogateescape", newline="")
    )
    csv.field_size_limit(WIDEST)
    lines = csv.reader(text, strict=True)
    header = [name.strip() for name in next(lines, [])]
    if header:
        header[0] = header[0].lstrip("#").strip()

    def rows(names: Sequence[str]) -> Iterator[Row]:
        places = [(name, header.index(name)) for name in names]
        for number, fields in enumerate(filter(None, lines), start=1):
            if len(fields) == len(header):
                yield Row(number, {name: fields[place] for name, place in places})
            else:
                yield Row(number, {}, f"has {len(fields)} fields, and the header {len(header)}")

    return TableFile(tuple(header), rows)


def _fits(path: Path, stack: ExitStack) -> TableFile:
    from astropy.io import fits

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # units that the FITS standard does not know; they are not used
        units = stack.enter_context(fits.open(path, memmap=True))
        tables = [unit for unit in units if isinstance(unit, fits.BinTableHDU | fits.TableHDU)]
        if not tables:
            raise UnreadableFile(f"{path} has no table")
        data, columns = tables[0].data, tables[0].columns
    nulls = {column.name: column.null for column in columns if column.null is not None}

    def cells(piece: Any, name: str) -> list[Any]:
        values: list[Any] = piece[name].tolist()
        null = nulls.get(name)
        return values if null is None else [None if value == null else value for value in values]

    def rows(names: Sequence[str]) -> Iterator[Row]:
        for start in range(0, len(data), PIECE):
            piece = data[start : start + PIECE]
            yield from _transposed(names, [cells(piece, name) for name in names], len(piece), start)

    return TableFile(tuple(columns.names), rows)


def _parquet(path: Path, stack: ExitStack) -> TableFile:
    from pyarrow import parquet

    file = stack.enter_context(parquet.ParquetFile(path))

    def rows(names: Sequence[str]) -> Iterator[Row]:
        done = 0
        for piece in file.iter_batches(PIECE, columns=list(names)):
            columns = [piece.column(name).to_pylist() for name in names]
            yield from _transposed(names, columns, piece.num_rows, done)
            done += piece.num_rows

    return TableFile(tuple(file.schema_arrow.names), rows)


def _arrow(path: Path, stack: ExitStack) -> TableFile:
    import pyarrow as pa

    file = stack.enter_context(pa.ipc.open_file(stack.enter_context(pa.memory_map(str(path)))))

    def rows(names: Sequence[str]) -> Iterator[Row]:
        done = 0
        for place in range(file.num_record_batches):
            batch = file.get_batch(place)
            for start in range(0, batch.num_rows, PIECE):
                piece = batch.slice(start, PIECE)
                columns = [piece.column(name).to_pylist() for name in names]
                yield from _transposed(names, columns, piece.num_rows, done)
                done += piece.num_rows

    return TableFile(tuple(file.schema.names), rows)


def _transposed(names: Sequence[str], columns: list[list[Any]], count: int, done: int) -> Iterator[Row]:
    values = zip(*columns, strict=True) if columns else iter([()] * count)
    for number, row in enumerate(values, start=done + 1):
        yield Row(number, dict(zip(names, row, strict=True)))


def _unpacked(path: Path, stack: ExitStack) -> Path:
    """Unpack a file onto the disk: rows of a packed one could only be read all at once."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="astra-outputs-")))
    target = folder / path.stem
    with gzip.open(path) as packed, target.open("wb") as file:
        shutil.copyfileobj(packed, file)
    return target


READERS: dict[str, Callable[[Path, ExitStack], TableFile]] = {
    ".csv": _csv,
    ".fits": _fits,
    ".fit": _fits,
    ".parquet": _parquet,
    ".pq": _parquet,
    ".arrow": _arrow,
    ".feather": _arrow,
}
"""What reads a file, by the ending of its name."""
