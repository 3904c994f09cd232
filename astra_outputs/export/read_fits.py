"""The tables of a FITS file that was exported, as `verify` compares them: in the bytes of the file."""

from __future__ import annotations

import gzip
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

import numpy as np

from astra_outputs.errors import UnreadableFile
from astra_outputs.export.fits_fields import Field, blocks, fields, measures, row_type
from astra_outputs.reading.copying import Opened
from astra_outputs.reading.outputs import Output

if TYPE_CHECKING:
    from numpy.typing import NDArray


class FitsTable:
    """A table of a FITS file.

    Attributes
    ----------
    name : str
    facts : dict
        Its header.
    names : list of str
        Its columns, in lower case.
    rows : int
    """

    def __init__(self, path: Path, file: Path, hdu: Any) -> None:
        self.name, self.facts = str(hdu.name), dict(hdu.header)
        self.names = [str(name).lower() for name in hdu.columns.names]
        self.rows = int(hdu.header["NAXIS2"])
        self._path, self._file, self._start = path, file, hdu.fileinfo()["datLoc"]

    def chunks(self, outputs: Sequence[Output], size: int) -> Iterator[FitsRows]:
        """Yield its rows, some at once."""
        said = [self._field(number, output) for number, output in enumerate(outputs, start=1)]
        try:
            rows = np.memmap(self._path, row_type(said), "r", self._start, (self.rows,))
        except ValueError as error:
            raise UnreadableFile(f"{self._file} is cut off: {error}") from error
        for first in range(0, self.rows, size):
            yield FitsRows(rows[first : first + size], said)

    def _field(self, number: int, output: Output) -> Field:
        """Return a column as the header describes it."""
        form = str(self.facts[f"TFORM{number}"])
        return Field(output, form[-1], int(form[:-1] or 1), self.facts.get(f"TNULL{number}"))


class FitsRows:
    """Some rows of a table."""

    def __init__(self, rows: NDArray[Any], said: Sequence[Field]) -> None:
        self._rows, self._said = rows, {field.output.name: field for field in said}

    def keys(self, name: str) -> NDArray[np.int64]:
        """Return the values of a key."""
        return np.asarray(self._rows[name]).astype("i8")

    async def stored(self, answer: Opened) -> FitsRows:
        """Return the rows of an answer, as the file would have them now."""
        outputs = [field.output for field in self._said.values()]
        wanted, aggregates = measures(outputs)
        _, *measured = await answer.measured(wanted, aggregates)
        now = [
            Field(then.output, then.form, max(then.repeat, is_now.repeat), is_now.null)
            for then, is_now in zip(self._said.values(), fields(outputs, measured), strict=True)
        ]
        parts = []
        async with aclosing(answer.batches()) as batches:
            async for batch in batches:
                parts += [np.frombuffer(bytes(block), row_type(now)) for block in blocks(batch, now)]
        return FitsRows(np.concatenate(parts) if parts else np.empty(0, row_type(now)), now)

    def differ(
        self, other: FitsRows, name: str, here: NDArray[Any], there: NDArray[Any]
    ) -> NDArray[np.bool_]:
        """Return of which rows a column differs from that of others; missing values are alike."""
        then, now = self._rows[name][here], other._rows[name][there]
        said, is_now = self._said[name], other._said[name]
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


@contextmanager
def fits_tables(file: Path) -> Iterator[list[FitsTable]]:
    """Lend the tables of a file.

    Raises
    ------
    UnreadableFile
        If it is no FITS file, or has no table.
    """
    from astropy.io import fits

    # What astropy would warn of, a file that is cut off, is said by an error.
    with (
        _plain(file) as path,
        warnings.catch_warnings(action="ignore"),
        fits.open(path) as hdus,
    ):
        tables = [FitsTable(path, file, hdu) for hdu in hdus if isinstance(hdu, fits.BinTableHDU)]
        if not tables:
            raise UnreadableFile(f"{file} has no table")
        yield tables


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
