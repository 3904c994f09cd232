"""Parquet files, folders of them, and Arrow files, read by pyarrow some rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from astra_outputs.ingest.files import PIECE, Choices, Row, TableFile, rows_of


def open_parquet(path: Path, stack: ExitStack, _choices: Choices, _kind: str) -> TableFile:
    """Open a Parquet file, or all those of a folder as one table; folders named `column=value` are columns."""
    from pyarrow import dataset, parquet

    if path.is_dir():
        folder = dataset.dataset(path, format="parquet", partitioning="hive")
        if not folder.files:
            raise ValueError("the folder holds no Parquet files")
        return TableFile(
            tuple(folder.schema.names),
            lambda names: _rows(names, folder.to_batches(columns=list(names), batch_size=PIECE)),
        )
    file = stack.enter_context(parquet.ParquetFile(path))
    return TableFile(
        tuple(file.schema_arrow.names),
        lambda names: _rows(names, file.iter_batches(PIECE, columns=list(names))),
    )


def open_arrow(path: Path, stack: ExitStack, _choices: Choices, _kind: str) -> TableFile:
    """Open an Arrow file, or a stream that was written into a file."""
    import pyarrow as pa

    source = stack.enter_context(pa.memory_map(str(path)))
    try:
        file = stack.enter_context(pa.ipc.open_file(source))
    except pa.ArrowInvalid:
        source.seek(0)
        stream = stack.enter_context(pa.ipc.open_stream(source))
        return TableFile(tuple(stream.schema.names), lambda names: _rows(names, stream))

    def batches() -> Iterator[Any]:
        for index in range(file.num_record_batches):
            yield file.get_batch(index)

    return TableFile(tuple(file.schema.names), lambda names: _rows(names, batches()))


def _rows(names: Sequence[str], batches: Iterable[Any]) -> Iterator[Row]:
    done = 0
    for batch in batches:
        for start in range(0, batch.num_rows, PIECE):
            piece = batch.slice(start, PIECE)
            columns = [_values(piece.column(piece.schema.get_field_index(name))) for name in names]
            yield from rows_of(names, columns, piece.num_rows, done)
            done += piece.num_rows


def _values(column: Any) -> list[Any]:
    from pyarrow import types as kinds

    if kinds.is_timestamp(column.type) and column.type.unit == "ns":
        import pyarrow as pa

        # PostgreSQL and Python keep microseconds: what is finer is cut off, as in `save_table`.
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    values: list[Any] = column.to_pylist()
    return values
