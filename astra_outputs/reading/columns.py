"""`Columns`: an answer as columns, in the form of the library that the reader works with."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astra_outputs.background import Background
from astra_outputs.errors import MissingExtra
from astra_outputs.model.record import Record
from astra_outputs.postgres.database import Database
from astra_outputs.reading.copying import Copying, Opened
from astra_outputs.reading.layout import Layout
from astra_outputs.reading.outputs import Choice, chosen
from astra_outputs.reading.question import Asked, Question

if TYPE_CHECKING:
    from collections.abc import Iterator

    from astra_outputs.plots.picture import Picture
    from astra_outputs.reading.wire import Batch


class Columns:
    """What `outputs.columns` returns: nothing is read until one of its methods is awaited.

    Each of them reads anew, and from the start if the connection is lost on the way; `batches` does so until it
    has given the first. A column that may be NULL is null, or masked, where it is.

    Attributes
    ----------
    names : tuple of str
        The columns. One of a joined table has its table's name before its own (`spectrum_created`) where
        the rows themselves have a column of that name.
    """

    def __init__(self, database: Database, copying: Copying) -> None:
        self._database, self._copying = database, copying
        self.names = tuple(output.name for output in copying.layout.outputs)

    @classmethod
    def of(
        cls,
        database: Database,
        record_class: type[Record],
        condition: str | None,
        parameters: Sequence[Any],
        asked: Asked,
        *,
        columns: Sequence[str] | None,
        spectrum: Choice,
        source: Choice,
        connections: int,
    ) -> Columns:
        """Return the columns that are asked for, checked; see `Outputs.columns`."""
        question = Question.of(record_class, condition, parameters, asked)
        layout = Layout.of(chosen(question.scope, columns, spectrum, source))
        return cls(database, Copying(question, layout, connections))

    def __repr__(self) -> str:
        return f"Columns({self._copying.question.scope.record_class.table}, {len(self.names)} columns)"

    @property
    def schema(self) -> Any:
        """The `pyarrow.Schema` of the answer; units, descriptions and flags are in the fields' metadata."""
        _library("pyarrow", "arrow")
        from astra_outputs.reading.arrow import schema

        return schema(self._copying.layout)

    async def count(self) -> int:
        """Return how many rows there are; the server counts, no row is sent."""
        async with self.reading() as answer:
            return await answer.count()

    def reading(self) -> AbstractAsyncContextManager[Opened]:
        """Lend the answer in one snapshot: `count()` of its rows and `batches()` of decoded arrays.

        For what writes files: the number of rows is known before the first of them, and holds.
        """
        return self._copying.opened(self._database)

    async def batches(self) -> AsyncGenerator[Any, None]:
        """Yield record batches of Arrow (`pyarrow.RecordBatch`); a few of them are in memory at once."""
        known, layout = self.schema, self._copying.layout
        from astra_outputs.reading.arrow import record_batch

        async with self.reading() as answer, aclosing(answer.batches()) as batches:
            async for batch in batches:
                yield record_batch(batch, layout, known)

    async def to_arrow(self) -> Any:
        """Return a `pyarrow.Table`."""
        pyarrow = _library("pyarrow", "arrow")

        async def read() -> list[Any]:
            return [batch async for batch in self.batches()]

        return pyarrow.Table.from_batches(await self._database.repeat(read), schema=self.schema)

    async def to_pandas(self) -> Any:
        """Return a `pandas.DataFrame`.

        Whole numbers and Booleans have pandas' types that know missing values, so that a Gaia identifier
        keeps its last digits. What is known of each column is in `attrs["columns"]`.
        """
        pandas, pyarrow = _library("pandas"), _library("pyarrow", "arrow")
        kinds = {
            pyarrow.int32(): pandas.Int32Dtype(),
            pyarrow.int64(): pandas.Int64Dtype(),
            pyarrow.bool_(): pandas.BooleanDtype(),
        }
        frame = (await self.to_arrow()).to_pandas(
            types_mapper=kinds.get, split_blocks=True, self_destruct=True
        )
        frame.attrs["columns"] = {
            field.name: {name.decode(): text.decode() for name, text in (field.metadata or {}).items()}
            for field in self.schema
        }
        return frame

    async def to_polars(self) -> Any:
        """Return a `polars.DataFrame`; it has no place for units."""
        polars = _library("polars")
        return polars.from_arrow(await self.to_arrow())

    async def to_numpy(self) -> dict[str, Any]:
        """Return NumPy arrays by name, masked where a value may be missing; texts and arrays are objects."""
        from astra_outputs.reading.arrays import masked_arrays

        return masked_arrays(await self._all(), self._copying.layout)

    async def to_astropy(self) -> Any:
        """Return an `astropy.table.Table` with units, descriptions, and flags in the columns' `meta`."""
        _library("astropy", "fits")
        from astra_outputs.reading.arrays import astropy_table

        table = self._copying.question.scope.record_class.table
        return astropy_table(await self._all(), self._copying.layout, table)

    async def plot(
        self,
        kind: str,
        *columns: str,
        colour: str | None = None,
        style: str | Path | None = None,
        title: str | None = None,
    ) -> Picture:
        """Return a picture of the answer; of its columns only those that are drawn are read.

        Parameters
        ----------
        kind : str
            `"kiel"`, `"hr"`, `"xy"`, `"hist"`, `"sky"` or `"timing"`.
        *columns : str
            Two for `"xy"`, one for `"hist"`.
        colour : str, optional
            The column that colours it; the metallicity where none is given and there is one, and the number
            of results where it is `"count"`.
        style : str or Path, optional
            A style of matplotlib by its name, or a file.
        title : str, optional
            What stands above; the name of the table where None.

        Raises
        ------
        InvalidPicture
            If there is no such kind or style, or nothing to draw.
        UnknownColumn
            If a column that it is made of is not in the answer; the nearest is suggested.
        MissingExtra
            If matplotlib is not installed.
        """
        from astra_outputs.plots.kinds import kind_named
        from astra_outputs.plots.picture import check_style
        from astra_outputs.reading.drawing import draw, outputs_of

        kept, scope = kind_named(kind), self._copying.question.scope
        chosen = outputs_of(kept, self._copying.layout.outputs, scope, columns, colour)
        check_style(style)
        wanted = Layout.of(dict.fromkeys(chosen.values()))
        read = Columns(self._database, replace(self._copying, layout=wanted))
        words = title or scope.record_class.table, scope.main
        return await draw(kept, chosen, await read.to_numpy(), words, style)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Give the answer to any library that takes Arrow's streams: `polars.DataFrame(columns)`.

        Such a library does not await. So the rows come over a connection of their own, read in another
        thread while the library takes them.

        Raises
        ------
        Closed
            If the connection is your own.
        """
        pyarrow = _library("pyarrow", "arrow")
        elsewhere = Columns(self._database.another(), self._copying)
        reader = pyarrow.RecordBatchReader.from_batches(self.schema, elsewhere._from_elsewhere())
        return reader.__arrow_c_stream__(requested_schema)

    def _from_elsewhere(self) -> Iterator[Any]:
        background = Background()
        try:
            background.call(self._database.open())
            try:
                yield from background.iterate(self.batches())
            finally:
                background.call(self._database.close())
        finally:
            background.close()

    async def _all(self) -> list[Batch]:
        async def read() -> list[Batch]:
            async with self.reading() as answer, aclosing(answer.batches()) as batches:
                return [batch async for batch in batches]

        return await self._database.repeat(read)


def _library(name: str, extra: str | None = None) -> Any:
    """Import a library that not everybody has.

    Raises
    ------
    MissingExtra
        If it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        install = f"astra-outputs[{extra}]" if extra else name
        raise MissingExtra(f"this form needs {name}: pip install '{install}'") from error
