"""`verify`: whether a FITS file still says what the database says, value by value."""

from __future__ import annotations

import gzip
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

import numpy as np

from astra_outputs.errors import UnreadableFile
from astra_outputs.export.fits_fields import Field, blocks, fields, measures, row_type
from astra_outputs.export.selection import released
from astra_outputs.model.record import Record
from astra_outputs.postgres.database import Database
from astra_outputs.reading.copying import Copying
from astra_outputs.reading.layout import Layout
from astra_outputs.reading.outputs import Output
from astra_outputs.reading.question import Asked, Question
from astra_outputs.reading.scope import Scope

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS = 20_000
"""Rows that are compared at once."""


@dataclass
class Verified:
    """What a comparison of a file with the database has found.

    Attributes
    ----------
    rows : int
        Rows that were compared.
    created : str
        When the file was written, as its header says.
    gone : list of int
        Keys of rows of the file that the database does not have.
    changed : dict[int, list of str]
        Of each row that differs, by key, the columns that do.
    """

    rows: int = 0
    created: str = ""
    gone: list[int] = field(default_factory=list)
    changed: dict[int, list[str]] = field(default_factory=dict)

    @property
    def same(self) -> bool:
        """Whether all rows are as they were."""
        return not (self.gone or self.changed)

    def __str__(self) -> str:
        if self.same:
            return f"{self.rows:,} rows, written {self.created}: all are as in the database"
        lines = [
            f"{self.rows:,} rows, written {self.created}: {len(self.changed):,} differ, {len(self.gone):,} are gone"
        ]
        lines += [f"  {key}: {', '.join(names)}" for key, names in list(self.changed.items())[:20]]
        lines += [f"  {key}: not in the database" for key in self.gone[:20]]
        return "\n".join(lines)


async def verify(database: Database, record_class: type[Record], file: Path, asked: Asked) -> Verified:
    """Compare the rows of a FITS file with those of the database that have their keys.

    Raises
    ------
    UnreadableFile
        If it is no FITS file, or not one that `export` wrote of this class with its key.
    """
    found = Verified()
    scope = Scope.of(record_class, asked.get("spectrum_class"))
    with _plain(file) as path:
        for hdu in _tables(path, file):
            found.created = str(hdu.header.get("CREATED", "at an unknown time"))
            if not hdu.header["NAXIS2"]:
                continue
            outputs = _outputs(scope, [str(name).lower() for name in hdu.columns.names], file)
            place = hdu.fileinfo()["datLoc"]
            said = _as_said(outputs, hdu.header)
            try:
                rows = np.memmap(path, row_type(said), "r", place, (hdu.header["NAXIS2"],))
            except ValueError as error:
                raise UnreadableFile(f"{file} is cut off: {error}") from error
            for first in range(0, len(rows), ROWS):
                await _compare(database, record_class, rows[first : first + ROWS], said, asked, found)
    return found


@contextmanager
def _plain(file: Path) -> Iterator[Path]:
    """Lend a file that is not compressed."""
    try:
        if file.suffix != ".gz":
            yield file
            return
        with NamedTemporaryFile(suffix=".fits") as plain:
            with gzip.open(file) as packed:
                shutil.copyfileobj(packed, plain)
            plain.flush()
            yield Path(plain.name)
    except (OSError, EOFError) as error:
        raise UnreadableFile(f"{file} cannot be read: {error}") from error


def _tables(path: Path, file: Path) -> Iterator[Any]:
    from astropy.io import fits

    # What astropy would warn of, a file that is cut off, is said by an error.
    with warnings.catch_warnings(action="ignore"), fits.open(path) as hdus:
        tables = [hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU)]
        if not tables:
            raise UnreadableFile(f"{file} has no table")
        yield from tables


def _outputs(scope: Scope, names: Sequence[str], file: Path) -> list[Output]:
    """Return the columns of the tables that the columns of a file are of."""
    key = scope.record_class.primary_key
    everything = [*released(scope, None), *released(scope, [key] if key == "pk" else ["v_astra_major_minor"])]
    known = {output.name: output for output in everything}
    strange = [name for name in names if name not in known]
    if strange or key not in names:
        what = f"{strange[0]} is no column of {scope.record_class.table}" if strange else f"it has no {key}"
        raise UnreadableFile(f"{file} cannot be compared: {what}")
    return [known[name] for name in names]


def _as_said(outputs: Sequence[Output], header: Any) -> list[Field]:
    """Return the columns as a file's header describes them."""
    said = []
    for number, output in enumerate(outputs, start=1):
        form = str(header[f"TFORM{number}"])
        said.append(Field(output, form[-1], int(form[:-1] or 1), header.get(f"TNULL{number}")))
    return said


async def _compare(
    database: Database,
    record_class: type[Record],
    rows: NDArray[Any],
    said: Sequence[Field],
    asked: Asked,
    found: Verified,
) -> None:
    key = record_class.primary_key
    keys = rows[key].astype("i8")
    question = Question.of(record_class, f"{key} = any($1)", (keys.tolist(),), asked)
    outputs = [column.output for column in said]
    copying = Copying(question, Layout.of(outputs))
    async with copying.opened(database) as answer:
        wanted, aggregates = measures(outputs)
        _, *measured = await answer.measured(wanted, aggregates)
        now = [
            Field(then.output, then.form, max(then.repeat, is_now.repeat), is_now.null)
            for then, is_now in zip(said, fields(outputs, measured), strict=True)
        ]
        parts = []
        async with aclosing(answer.batches()) as batches:
            async for batch in batches:
                parts += [np.frombuffer(bytes(block), row_type(now)) for block in blocks(batch, now)]
    stored = np.concatenate(parts) if parts else np.empty(0, row_type(now))
    _, here, there = np.intersect1d(keys, stored[key].astype("i8"), return_indices=True)
    found.rows += len(rows)
    found.gone += np.setdiff1d(keys, stored[key].astype("i8")).tolist()
    for then, is_now in zip(said, now, strict=True):
        name = then.output.name
        differ = _differ(rows[name][here], stored[name][there], then, is_now)
        for number in keys[here][differ].tolist():
            found.changed.setdefault(number, []).append(name)


def _differ(then: NDArray[Any], now: NDArray[Any], said: Field, is_now: Field) -> NDArray[np.bool_]:
    """Return which values of a column differ; a value that is missing is like another that is."""
    if said.null is not None or is_now.null is not None:
        missing = [
            np.zeros(len(values), bool) if column.null is None else values == column.null
            for values, column in ((then, said), (now, is_now))
        ]
        return np.asarray((missing[0] != missing[1]) | (~missing[0] & (then != now)))
    if then.ndim == 1:
        both_nan = (then != then) & (now != now)  # noqa: PLR0124 (NaN alone is not itself)
        return np.asarray((then != now) & ~both_nan)
    wide = np.full(now.shape, np.nan if said.form == "E" else 0, now.dtype)
    wide[:, : then.shape[1]] = then
    both_nan = (wide != wide) & (now != now)  # noqa: PLR0124
    return np.asarray(((wide != now) & ~both_nan).any(axis=1))
