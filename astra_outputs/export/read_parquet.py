"""The table of a Parquet file that was exported, as `verify` compares it: in Arrow's columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import compute, parquet

from astra_outputs.errors import UnreadableFile
from astra_outputs.reading.arrow import record_batch, schema
from astra_outputs.reading.copying import Opened
from astra_outputs.reading.layout import Layout
from astra_outputs.reading.outputs import Output

if TYPE_CHECKING:
    from numpy.typing import NDArray


class ParquetTable:
    """The table of a Parquet file; its attributes are those of `FitsTable`."""

    def __init__(self, file: Path, opened: Any) -> None:
        self.name, self._file, self._opened = file.name, file, opened
        said = opened.schema_arrow.metadata or {}
        self.facts = {name.decode(): text.decode() for name, text in said.items()}
        self.names = [name.lower() for name in opened.schema_arrow.names]
        self.rows = opened.metadata.num_rows

    def chunks(self, outputs: Sequence[Output], size: int) -> Iterator[ParquetRows]:
        """Yield its rows, some at once."""
        try:
            for batch in self._opened.iter_batches(size):
                yield ParquetRows(pa.table(batch).rename_columns(self.names), outputs)
        except (pa.ArrowException, OSError) as error:
            raise UnreadableFile(f"{self._file} cannot be read: {error}") from error


class ParquetRows:
    """Some rows of a table."""

    def __init__(self, rows: pa.Table, outputs: Sequence[Output]) -> None:
        self._rows, self._outputs = rows, outputs

    def keys(self, name: str) -> NDArray[np.int64]:
        """Return the values of a key; -1 where there is none, which no key is."""
        return np.asarray(compute.fill_null(self._rows[name], -1).to_numpy(), np.int64)

    async def stored(self, answer: Opened) -> ParquetRows:
        """Return the rows of an answer, as the file would have them now."""
        layout = Layout.of(self._outputs)
        known = schema(layout)
        async with aclosing(answer.batches()) as batches:
            parts = [record_batch(batch, layout, known) async for batch in batches]
        return ParquetRows(pa.Table.from_batches(parts, schema=known), self._outputs)

    def differ(
        self, other: ParquetRows, name: str, here: NDArray[Any], there: NDArray[Any]
    ) -> NDArray[np.bool_]:
        """Return of which rows a column differs from that of others; missing values are alike."""
        then, now = self._rows[name].take(here), other._rows[name].take(there)
        if then.type in (pa.string(), pa.binary()):
            then = then.cast(now.type)
        if pa.types.is_large_list(now.type) or then.type != now.type:
            pairs = zip(then.to_pylist(), now.to_pylist(), strict=True)
            return np.array([before != after for before, after in pairs], bool)
        alike = compute.or_kleene(compute.equal(then, now), compute.and_(then.is_null(), now.is_null()))
        return ~np.asarray(compute.fill_null(alike, fill_value=False).to_numpy(), bool)


@contextmanager
def parquet_tables(file: Path) -> Iterator[list[ParquetTable]]:
    """Lend the table of a file.

    Raises
    ------
    UnreadableFile
        If it is no Parquet file.
    """
    try:
        opened = parquet.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFile(f"{file} cannot be read: {error}") from error
    with opened:
        yield [ParquetTable(file, opened)]
