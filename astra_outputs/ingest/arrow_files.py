"""Parquet files, folders of them, and Arrow files, read by pyarrow some rows at a time.

Each is read once before its first row is given on, which takes a small part of the time of storing it: so nothing is
stored of one that is damaged somewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from astra_outputs.ingest.files import PIECE, Choices, Row, TableFile, rows_of
from astra_outputs.tables.fits_rec import told_apart


def open_parquet(path: Path, stack: ExitStack, _choices: Choices, _kind: str) -> TableFile:
    """Open a Parquet file, or all those of a folder as one table; folders named `column=value` are columns."""
    from pyarrow import dataset, parquet

    if path.is_dir():
        folder = dataset.dataset(path, format="parquet", partitioning="hive")
        if not folder.files:
            raise ValueError("the folder holds no Parquet files")

        def of_all(names: Sequence[str]) -> Iterator[Row]:
            for name in folder.files:
                with parquet.ParquetFile(name, page_checksum_verification=True) as file:
                    _check_groups(file, names, f"{Path(name).name}: ")
            yield from _rows(names, folder.to_batches(columns=list(names), batch_size=PIECE))

        return TableFile(tuple(folder.schema.names), of_all)
    file = stack.enter_context(parquet.ParquetFile(path, page_checksum_verification=True))

    def of_one(names: Sequence[str]) -> Iterator[Row]:
        _check_groups(file, names)
        yield from _rows(names, file.iter_batches(PIECE, columns=list(names)))

    return TableFile(tuple(file.schema_arrow.names), of_one)


def open_arrow(path: Path, stack: ExitStack, _choices: Choices, _kind: str) -> TableFile:
    """Open an Arrow file, or a stream that was written into a file."""
    import pyarrow as pa

    source = stack.enter_context(pa.memory_map(str(path)))
    try:
        file = stack.enter_context(pa.ipc.open_file(source))
    except pa.ArrowInvalid:
        source.seek(0)
        names = tuple(stack.enter_context(pa.ipc.open_stream(source)).schema.names)

        def batches() -> Iterator[Any]:
            source.seek(0)
            yield from pa.ipc.open_stream(source)
    else:
        names = tuple(file.schema.names)

        def batches() -> Iterator[Any]:
            for index in range(file.num_record_batches):
                yield file.get_batch(index)

    def rows(wanted: Sequence[str]) -> Iterator[Row]:
        _check_batches(batches())
        yield from _rows(wanted, batches())

    return TableFile(names, rows)


def _check_groups(file: Any, names: Sequence[str], where: str = "") -> None:
    """Refuse a Parquet file of which a part cannot be read.

    Raises
    ------
    ValueError
        With the rows of that part, and what pyarrow says of it.
    """
    held, first = set(file.schema_arrow.names), 1
    for index in range(file.num_row_groups):
        count = file.metadata.row_group(index).num_rows
        try:
            for _ in file.iter_batches(row_groups=[index], columns=[name for name in names if name in held]):
                pass
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{where}rows {first:,} to {first + count - 1:,} are damaged ({error}); "
                "nothing of the file is stored: fetch it again"
            ) from error
        first += count


def _check_batches(batches: Iterator[Any]) -> None:
    """Refuse an Arrow file of which a part cannot be read; see `_check_groups`."""
    done = 0
    try:
        for batch in batches:
            batch.validate()
            done += batch.num_rows
    except (OSError, ValueError) as error:
        raise ValueError(
            f"rows from {done + 1:,} on are damaged ({error}); nothing of the file is stored: fetch it again"
        ) from error


def _rows(names: Sequence[str], batches: Iterable[Any]) -> Iterator[Row]:
    done = 0
    for batch in batches:
        for start in range(0, batch.num_rows, PIECE):
            piece = batch.slice(start, PIECE)
            columns = [_values(piece.column(piece.schema.get_field_index(name))) for name in names]
            yield from rows_of(names, columns, piece.num_rows, done)
            done += piece.num_rows


def _values(column: Any) -> list[Any]:
    import pyarrow as pa
    from pyarrow import types as kinds

    kind = column.type
    if kinds.is_timestamp(kind) and kind.unit == "ns":
        # PostgreSQL and Python keep microseconds: what is finer is cut off, as in `save_table`.
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    if _is_small(kind):
        return _small_floats(column)
    if _is_small(getattr(kind, "value_type", None)) and not kinds.is_dictionary(kind):
        return [_small_floats(one.values) if one.is_valid else None for one in column]
    values: list[Any]
    try:
        values = column.to_pylist()
    except UnicodeDecodeError:  # of some rows, which are refused one by one
        decoded = column.dictionary_decode() if kinds.is_dictionary(kind) else column
        values = decoded.cast(pa.large_binary()).to_pylist()
    except (ValueError, OverflowError):
        if not (kinds.is_timestamp(kind) or kinds.is_date(kind)):
            raise
        values = [_time(one) for one in column]
    return values


def _is_small(kind: Any) -> bool:
    """Tell whether a type of Arrow's is that of floats of less than double precision."""
    return str(kind) in ("halffloat", "float")


def _small_floats(column: Any) -> list[Any]:
    numbers = told_apart(column.to_numpy(zero_copy_only=False))
    return [None if gone else one for one, gone in zip(numbers, column.is_null().to_pylist(), strict=True)]


def _time(scalar: Any) -> Any:
    """Return a time as Python has it; as NumPy has it where Python has none so far away, for its row to be refused."""
    import numpy as np

    try:
        return scalar.as_py()
    except (ValueError, OverflowError):
        resolution: Any = getattr(scalar.type, "unit", "D" if str(scalar.type) == "date32[day]" else "ms")
        return np.datetime64(scalar.value, resolution)
