"""The table of a CSV or ECSV file that was exported, as `verify` compares it: in the texts of the file."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np

from astra_outputs.errors import UnreadableFile
from astra_outputs.export.csv_text import texts_of
from astra_outputs.reading.copying import Opened
from astra_outputs.reading.layout import Layout
from astra_outputs.reading.outputs import Output

if TYPE_CHECKING:
    from numpy.typing import NDArray

META = "# meta: "
"""What begins the line of an ECSV file's header that says what the file is."""


class TextTable:
    """The table of a text file; its attributes are those of `FitsTable`."""

    def __init__(self, file: Path, text: TextIO) -> None:
        self.name, self._file, self.facts = file.name, file, dict[str, Any]()
        first = text.readline()
        self._is_ecsv = first.startswith("# %ECSV")
        while first.startswith("#"):
            if first.startswith(META):
                self.facts = json.loads(first.removeprefix(META))
            first = text.readline()
        self.names = [name.lower() for name in next(csv.reader([first]), [])]
        self._reader = csv.reader(text)
        self._next = list(islice(self._reader, 1))
        self.rows = len(self._next)  # or more

    def chunks(self, outputs: Sequence[Output], size: int) -> Iterator[TextRows]:
        """Yield its rows, some at once."""
        rows = self._next + self._read(size)
        while rows:
            if any(len(row) != len(self.names) for row in rows):
                raise UnreadableFile(
                    f"{self._file} has a row without a value for each column: it is cut off, or was edited"
                )
            yield TextRows(
                outputs, [list(column) for column in zip(*rows, strict=True)], is_ecsv=self._is_ecsv
            )
            rows = self._read(size)

    def _read(self, size: int) -> list[list[str]]:
        with _unreadable(self._file):
            return list(islice(self._reader, size))


class TextRows:
    """Some rows of a table."""

    def __init__(self, outputs: Sequence[Output], columns: Sequence[list[str]], *, is_ecsv: bool) -> None:
        self._outputs, self._is_ecsv = outputs, is_ecsv
        self._columns = {output.name: column for output, column in zip(outputs, columns, strict=True)}

    def keys(self, name: str) -> NDArray[np.int64]:
        """Return the values of a key; -1 where there is none, which no key is."""
        texts = self._columns[name]
        return np.array([int(text) if text.isdecimal() else -1 for text in texts], np.int64)

    async def stored(self, answer: Opened) -> TextRows:
        """Return the rows of an answer, as the file would have them now."""
        columns: list[list[str]] = [[] for _ in self._outputs]
        async with aclosing(answer.batches()) as batches:
            async for batch in batches:
                found = texts_of(batch, Layout.of(self._outputs), is_ecsv=self._is_ecsv)
                for column, texts in zip(columns, found, strict=True):
                    column += ["" if text is None else str(text) for text in texts]
        return TextRows(self._outputs, columns, is_ecsv=self._is_ecsv)

    def differ(
        self, other: TextRows, name: str, here: NDArray[Any], there: NDArray[Any]
    ) -> NDArray[np.bool_]:
        """Return of which rows a column differs from that of others; missing values are alike."""
        then, now = self._columns[name], other._columns[name]
        pairs = zip(here.tolist(), there.tolist(), strict=True)
        return np.array([then[place] != now[of] for place, of in pairs], bool)


@contextmanager
def text_tables(file: Path) -> Iterator[list[TextTable]]:
    """Lend the table of a file.

    Raises
    ------
    UnreadableFile
        If it cannot be read, or is no text.
    """
    csv.field_size_limit(2**31 - 1)  # an array is one value
    with _unreadable(file), file.open(encoding="utf-8", newline="") as text:
        yield [TextTable(file, text)]


@contextmanager
def _unreadable(file: Path) -> Iterator[None]:
    """Say of a file what is wrong with it."""
    try:
        yield
    except (csv.Error, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UnreadableFile(f"{file} cannot be read: {error}") from error
    except OSError as error:
        if error.filename is None:
            raise  # the network's
        raise UnreadableFile(f"{file} cannot be read: {error.strerror}") from error
