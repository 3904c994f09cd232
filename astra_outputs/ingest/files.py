"""The rows of a file, whatever it is: which reader opens it, and what is said where it cannot be read."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from astra_outputs.errors import AstraOutputsError, MissingExtra, UnreadableFile
from astra_outputs.printable import printable

PIECE = 1_000
"""Rows that are turned into Python values at a time."""

BLOCK = 1 << 20
"""Bytes of a packed file that are unpacked at a time."""


class Row(NamedTuple):
    """One row of a file.

    Attributes
    ----------
    number : int
        Its place, counted from 1; neither the header nor blank lines of a text file count.
    values : dict[str, Any]
        Text of text files, else what the library that reads the file gives; None where that says so.
    problem : str
        What is wrong with the row as a whole; empty if nothing is.
    """

    number: int
    values: dict[str, Any]
    problem: str = ""


@dataclass(frozen=True)
class Choices:
    """What a map says of how its files are to be read; None is left to the file.

    Attributes
    ----------
    hdu : int or str, optional
        Which table of a FITS file or VOTable.
    delimiter : str, optional
        What stands between the fields of a text file.
    encoding : str, optional
        How the text is written down.
    format : str, optional
        What the file is, whatever its name ends in.
    """

    hdu: int | str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    format: str | None = None


@dataclass(frozen=True)
class TableFile:
    """A file that is open.

    Attributes
    ----------
    columns : tuple[str, ...]
        As the file names them: some may be empty, or come twice.
    rows : Callable
        Yields every row, with the values of the named columns.
    units : dict[str, astropy.units.UnitBase]
        Of the columns whose unit the file states.
    """

    columns: tuple[str, ...]
    rows: Callable[[Sequence[str]], Iterator[Row]]
    units: dict[str, Any] = field(default_factory=dict)


class Reader(NamedTuple):
    """What opens files of one kind: a function of a module, which loads the library; and the extra for that."""

    module: str
    function: str
    extra: str = ""


_PACKAGE = "astra_outputs.ingest"
_TEXT = Reader(f"{_PACKAGE}.text_files", "open_text")
_ANY = Reader(f"{_PACKAGE}.astropy_files", "open_any", "fits")
READERS = {
    "csv": _TEXT,
    "tsv": _TEXT,
    "fits": Reader(f"{_PACKAGE}.fits_files", "open_fits", "fits"),
    "parquet": Reader(f"{_PACKAGE}.arrow_files", "open_parquet", "arrow"),
    "arrow": Reader(f"{_PACKAGE}.arrow_files", "open_arrow", "arrow"),
    "votable": Reader(f"{_PACKAGE}.astropy_files", "open_votable", "fits"),
    "ecsv": _ANY,
}
"""What reads a format; any other is a name that astropy's `Table.read` knows."""

ENDINGS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".fits": "fits",
    ".fit": "fits",
    ".fts": "fits",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".vot": "votable",
    ".votable": "votable",
    ".xml": "votable",
    ".ecsv": "ecsv",
}
"""The format of a file, by the ending of its name."""

PACKED: dict[str, Callable[[Path], Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
"""What unpacks a file, by the last ending of its name."""

MAGIC = {
    b"SIMPLE  =": "fits",
    b"PAR1": "parquet",
    b"ARROW1": "arrow",
    b"\x1f\x8b": "packed by gzip: let its name end in .gz",
    b"BZh": "packed by bzip2: let its name end in .bz2",
    b"\xfd7zXZ": "packed by xz: let its name end in .xz",
    b"PK\x03\x04": "a ZIP archive or a workbook: unpack it, or export the table as CSV",
    b"\x89HDF": "HDF5, which is not read: write the table as Parquet or FITS",
    b"<!DOCTYPE": "a web page: download the file itself",
    b"<html": "a web page: download the file itself",
}
"""How files begin that are often something else than their name says."""


@contextmanager
def open_table(path: Path, choices: Choices | None = None) -> Iterator[TableFile]:
    """Open a file; what its name ends in says what it is, unless the map does.

    Raises
    ------
    UnreadableFile
        If the file does not exist, is of another kind, is damaged, or has no columns.
    MissingExtra
        If the library that reads it is not installed.
    """
    choices = choices or Choices()
    kind = _format(path, choices)
    if not path.exists():
        raise UnreadableFile(f"{path}: there is no such file")
    with ExitStack() as stack:
        with _told(path, kind):
            _check_format(path, kind)
            _check_choices(choices, kind)
            packed = path.suffix.lower() in PACKED
            place = unpacked(path, stack) if packed and kind not in ("csv", "tsv") else path
            reader = READERS.get(kind, _ANY)
            file = getattr(import_module(reader.module), reader.function)(place, stack, choices, kind)
            if not file.columns:
                raise ValueError("it is empty: a line with the names of the columns must come first")
        yield replace(file, rows=lambda names: _retold(path, kind, file.rows(names)))


def _format(path: Path, choices: Choices) -> str:
    if choices.format is not None:
        return choices.format
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in PACKED]
    ending = suffixes[-1] if suffixes else ""
    if path.is_dir():
        return "parquet"
    if ending in ENDINGS:
        return ENDINGS[ending]
    if choices.delimiter is not None:
        return "csv"
    raise UnreadableFile(
        f"{path}: name it .csv, .tsv, .ecsv, .fits, .parquet, .arrow or .vot, as what it is (.gz, .bz2 or .xz "
        'may follow); or say it in the map: format = "csv", or one of astropy\'s, as "ascii.cds"'
    )


def _check_format(path: Path, kind: str) -> None:
    """Refuse a file that is plainly something else than it is said to be."""
    if path.is_dir():
        if kind != "parquet":
            raise ValueError("it is a folder, which is read where it holds Parquet files")
        return
    with _opened(path) as file:
        start = file.read(16)
    for magic, said in MAGIC.items():
        if start.startswith(magic) and said != kind:
            raise ValueError(f"it is {said}" if " " in said else f'it is a file of format "{said}"')


def _check_choices(choices: Choices, kind: str) -> None:
    """Refuse what a map says and such a file has no use for."""
    if choices.hdu is not None and kind not in ("fits", "votable"):
        raise ValueError(f"hdu = {choices.hdu!r} in the map chooses among tables, and this file is one table")
    for name in ("delimiter", "encoding"):
        if getattr(choices, name) is not None and kind in ("fits", "parquet", "arrow", "votable"):
            raise ValueError(f"{name} in the map is for text, and this file is {kind}")


def _opened(path: Path) -> BinaryIO:
    opener = PACKED.get(path.suffix.lower())
    return cast("BinaryIO", opener(path) if opener else path.open("rb"))


def opened_whole(path: Path, stack: ExitStack) -> BinaryIO:
    """Open a file for its bytes; a packed one is unpacked once before, so that nothing of a cut one is stored."""
    if path.suffix.lower() in PACKED:
        with _opened(path) as file:
            while file.read(BLOCK):
                pass
    return stack.enter_context(_opened(path))


def unpacked(path: Path, stack: ExitStack) -> Path:
    """Unpack a file onto the disk: rows of a packed one could only be read all at once."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="astra-outputs-")))
    target = folder / path.stem
    with _opened(path) as packed, target.open("wb") as file:
        shutil.copyfileobj(packed, file, BLOCK)
    return target


@contextmanager
def _told(path: Path, kind: str) -> Iterator[None]:
    """Say in one line why a file cannot be read."""
    try:
        yield
    except AstraOutputsError:
        raise
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        extra = READERS.get(kind, _ANY).extra
        raise MissingExtra(
            f'{path}: {library} is not installed: run pip install "astra-outputs[{extra}]"'
        ) from error
    except Exception as error:  # the libraries raise errors of many families about a file
        reason = printable(" ".join(str(error).split()) or type(error).__name__)
        raise UnreadableFile(f"{path} cannot be read: {reason}") from error


def _retold(path: Path, kind: str, rows: Iterator[Row]) -> Iterator[Row]:
    with _told(path, kind):
        yield from rows


def rows_of(names: Sequence[str], columns: Sequence[Sequence[Any]], count: int, done: int) -> Iterator[Row]:
    """Yield the rows of some columns, of which there are `count`, after `done` earlier ones."""
    values = zip(*columns, strict=True) if columns else iter([()] * count)
    for number, row in enumerate(values, start=done + 1):
        yield Row(number, dict(zip(names, row, strict=True)))


def chosen(tables: dict[int, str], wanted: int | str | None, what: str) -> int:
    """Return the number of the table that a map chooses, or of the only one.

    Parameters
    ----------
    tables : dict[int, str]
        The tables of the file by number, each with its name.
    wanted : int, str or None
        Number or name.
    what : str
        What a number counts, for the message.

    Raises
    ------
    ValueError
        If there is none, or none such, or several and no choice; naming those that there are.
    """
    listed = ", ".join(f"{number} ({name})" if name else str(number) for number, name in tables.items())
    if not tables:
        raise ValueError("it has no table")
    if wanted is None:
        if len(tables) == 1:
            return next(iter(tables))
        raise ValueError(f'it has several tables: choose one in the map, as hdu = "NAME"; {what} {listed}')
    found = [
        number
        for number, name in tables.items()
        if (number == wanted if isinstance(wanted, int) else name.lower() == wanted.strip().lower())
    ]
    if len(found) == 1:
        return found[0]
    several = "several tables of that name: choose by number" if found else "no such table"
    raise ValueError(f"hdu = {wanted!r} in the map, but it has {several}; {what} {listed}")
