"""Read the columns of a table, whatever library it comes from, as NumPy arrays.

No library is imported for an object that is not its own: a library that made an object is loaded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

import numpy as np

from astra_outputs.errors import InvalidRecord, MissingExtra, Problem, shorten
from astra_outputs.model.record import Record
from astra_outputs.saving.cells import Cells, Flagged, Values, objects
from astra_outputs.tables.fits_rec import FitsColumn, cells_of_fits, is_fits

WIDEST = 1 << 24
"""Most bytes that short texts may take as one rectangle, where they are not all of one length."""


def named_columns(table: Any, of: str) -> dict[str, Any]:
    """Return the columns of a table by name, in its order, each as its library gives it.

    Parameters
    ----------
    table : object
        An Arrow table, record batch, stream, or whatever gives itself out as one (`__arrow_c_stream__`); a
        pandas or polars DataFrame; an astropy Table or FITS table; a structured array; a mapping of names to
        columns; or a list of mappings, one a row. The named levels of a pandas index are columns as well.
    of : str
        The table that they are for, for the message.

    Raises
    ------
    InvalidRecord
        If two columns have one name.
    TypeError
        If it is none of these.
    """
    columns: dict[str, Any] = {}
    for name, values in _columns(table):
        if str(name) in columns:
            reason = "two columns of the table have this name: rename one, or drop it"
            raise InvalidRecord(of, (Problem(str(name), None, reason),))
        columns[str(name)] = values
    return columns


def _columns(table: Any) -> Iterable[tuple[Any, Any]]:
    """Return the names and columns of a table, of which several may have one name."""
    libraries = _libraries(table)
    if is_fits(table):
        return [(name, FitsColumn(table, name)) for name in table.columns.names]
    if "pyarrow" in libraries and hasattr(table, "schema") and hasattr(table, "num_columns"):
        return [(name, table.column(at)) for at, name in enumerate(table.schema.names)]
    if "astropy" in libraries and hasattr(table, "colnames"):
        return [(name, table[name]) for name in table.colnames]
    if "pandas" in libraries and hasattr(table, "columns"):
        levels = [(name, at) for at, name in enumerate(table.index.names) if name is not None]
        index = [(name, table.index.get_level_values(at).to_series()) for name, at in levels]
        return [*index, *((name, table.iloc[:, at]) for at, name in enumerate(table.columns))]
    if "polars" in libraries and hasattr(table, "get_columns"):
        return [(column.name, column) for column in table.get_columns()]
    if isinstance(table, np.ndarray) and table.dtype.names:
        return [(name, table[name]) for name in table.dtype.names]
    if isinstance(table, Record) or (
        isinstance(table, list | tuple) and any(isinstance(row, Record) for row in table)
    ):
        raise TypeError("save_table takes a table, not records: save_many stores those")
    if isinstance(table, Mapping):
        return table.items()
    if isinstance(table, list | tuple) and all(isinstance(row, Mapping) for row in table):
        names = dict.fromkeys(name for row in table for name in row) or ["spectrum_pk"]
        return [(name, [row.get(name) for row in table]) for name in names]
    if hasattr(table, "__arrow_c_stream__") or hasattr(table, "__arrow_c_array__"):
        return _columns(_arrow_table(table))
    raise TypeError(_no_table(table))


def _arrow_table(table: Any) -> Any:
    try:
        import pyarrow as pa
    except ModuleNotFoundError as error:
        raise MissingExtra(
            'pyarrow is not installed, which reads such a table: run pip install "astra-outputs[arrow]"'
        ) from error
    try:
        return pa.table(table) if hasattr(table, "__arrow_c_stream__") else pa.record_batch(table)
    except pa.ArrowException as error:  # one column, not a table of them
        raise TypeError(_no_table(table)) from error


def _no_table(table: Any) -> str:
    """Say why something is no table, and what to give instead."""
    kind = f"a {type(table).__name__}"
    for method in ("collect", "compute"):  # polars and others; dask
        if hasattr(table, method):
            return f"{kind} has no rows yet: give save_table what its {method}() returns"
    if hasattr(table, "header") and hasattr(table, "data"):
        return f"{kind} is a table with its header: give save_table its data"
    return (
        "save_table takes an Arrow table, a pandas or polars DataFrame, an astropy or FITS table, a mapping of "
        f"column names to arrays or a list of mappings, not {shorten(table)}"
    )


def cells_of(values: Any) -> Cells:
    """Return the cells of one column.

    Parameters
    ----------
    values : object
        A column as `named_columns` returns it: an array, masked array, list, column of one of the
        libraries, a pair (values, mask) whose mask says where a value is missing, or one value for every row.

    Raises
    ------
    ValueError
        If a mask does not fit its values, or the values have no order.
    """
    if isinstance(values, FitsColumn):
        return cells_of_fits(values.table, values.name)
    if isinstance(values, tuple) and len(values) == 2 and _is_mask(values[1]):
        return _masked(*values)
    libraries = _libraries(values)
    for library, read in _READERS.items():
        if library in libraries and not isinstance(values, np.ndarray):
            return read(values)
    if isinstance(values, list | tuple | range):
        return Cells(objects(list(values)))
    if hasattr(values, "__array__") and getattr(values, "ndim", 0) > 0:
        return _from_numpy(values if isinstance(values, np.ndarray) else np.asarray(values))
    if isinstance(values, memoryview) and values.format not in ("B", "b", "c"):
        return _from_numpy(np.asarray(values))
    if isinstance(values, Iterator | AbstractSet):
        raise ValueError(
            f"is a {type(values).__name__}, which has no order or no end: give a list or an array"
        )
    is_one = isinstance(values, str | bytes | bytearray | memoryview | Mapping) or not getattr(
        values, "ndim", True
    )
    if isinstance(values, Collection) and not is_one:
        return Cells(objects(list(values)))
    return Cells.all(values)


def _is_mask(values: Any) -> bool:
    return isinstance(values, np.ndarray) and values.dtype.kind == "b"


def _masked(values: Any, mask: Flagged) -> Cells:
    cells = cells_of(values)
    if mask.shape != (len(cells),) or cells.constant:
        raise ValueError(f"has {len(cells):,} values and a mask of shape {mask.shape}")
    missing = mask if cells.missing is None else mask | cells.missing
    return replace(cells, missing=missing)


def _libraries(value: Any) -> set[str]:
    return {base.__module__.partition(".")[0] for base in type(value).__mro__}


def _from_numpy(array: Any) -> Cells:
    unit, missing = getattr(array, "unit", None), None
    if np.ma.is_masked(array):
        missing = np.ma.getmaskarray(array)
    elif hasattr(array, "unmasked"):  # a masked Quantity
        missing, array = np.asarray(array.mask), array.unmasked
    if array.ndim > 1 or array.dtype.kind in "TV":
        return Cells(objects(list(array)), unit=unit)
    return Cells(np.asarray(np.ma.getdata(array)), missing, unit=unit)


def _from_arrow(column: Any) -> Cells:
    from pyarrow import types as kinds

    if hasattr(column, "combine_chunks"):
        column = column.combine_chunks()
    if not hasattr(column, "null_count"):
        return Cells.all(column.as_py())
    if kinds.is_dictionary(column.type):
        column = column.dictionary_decode()
    if getattr(column.type, "extension_name", "") == "arrow.json":
        return Cells(objects([None if text is None else json.loads(text) for text in column.to_pylist()]))
    missing = column.is_null().to_numpy(zero_copy_only=False) if column.null_count else None
    if kinds.is_timestamp(column.type):
        moments = column.cast("int64").fill_null(0).to_numpy()
        unit, zone = column.type.unit, column.type.tz
        return Cells(moments.view(f"datetime64[{unit}]"), missing, aware=zone is not None)
    if kinds.is_boolean(column.type):
        return Cells(column.fill_null(False).to_numpy(zero_copy_only=False), missing)
    if kinds.is_integer(column.type) or kinds.is_floating(column.type):
        return Cells(_numbers(column), missing)
    if kinds.is_string(column.type) or kinds.is_large_string(column.type):
        texts = _texts(column.cast("large_string"))
        if texts is not None:
            return Cells(texts, missing, text=True)
    return Cells(objects(column.to_pylist()))


def _numbers(column: Any) -> Values:
    """Return the values of an Arrow array as they lie in memory, whatever stands where one is missing."""
    dtype = np.dtype(column.type.to_pandas_dtype())
    _, data = column.buffers()
    if data is None:
        return np.zeros(len(column), dtype)
    return np.frombuffer(data, dtype)[column.offset : column.offset + len(column)]


def _texts(column: Any) -> Values | None:
    """Return the UTF-8 of Arrow texts as an array of bytes, if they are short and printable ASCII."""
    _, offsets, data = column.buffers()
    if data is None or not len(column):
        return None
    ends = np.frombuffer(offsets, np.int64)[column.offset : column.offset + len(column) + 1]
    lengths = np.diff(ends)
    width = max(1, int(lengths.max()))
    text = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]
    if width * len(lengths) > max(WIDEST, 4 * len(text)) or not _printable(text):
        return None
    padded = np.zeros((len(lengths), width), np.uint8)
    padded[np.arange(width) < lengths[:, None]] = text
    return padded.view(f"S{width}")[:, 0]


def _printable(text: Values) -> bool:
    return not len(text) or bool(text.min() >= 0x20 and text.max() <= 0x7E)


def _from_pandas(column: Any) -> Cells:
    if not hasattr(column, "isna"):
        return Cells.all(column)
    dtype = column.dtype
    missing = np.asarray(column.isna()) if column.isna().any() else None
    if isinstance(dtype, np.dtype):
        # Of numbers only NaN is missing, and NaN needs no mark.
        return Cells(column.to_numpy(), missing if dtype.kind == "O" else None)
    if getattr(dtype, "tz", None) is not None and hasattr(column, "dt"):
        moments = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
        return Cells(moments, missing, aware=True)
    if getattr(dtype, "numpy_dtype", None) is not None and dtype.numpy_dtype.kind in "biuf":
        return Cells(column.to_numpy(dtype.numpy_dtype, na_value=dtype.numpy_dtype.type(0)), missing)
    return Cells(column.to_numpy(object), missing)


def _from_polars(column: Any) -> Cells:
    if not hasattr(column, "null_count"):
        return Cells.all(column)
    missing = column.is_null().to_numpy() if column.null_count() else None
    kind = column.dtype
    if kind.is_numeric() and not kind.is_decimal() and not str(kind).endswith("128"):
        return Cells(column.fill_null(0).to_numpy(), missing)
    if str(kind) == "Boolean":
        return Cells(column.fill_null(value=False).to_numpy(), missing)
    if hasattr(kind, "time_zone"):
        moments = column.to_physical().fill_null(0).to_numpy()
        return Cells(moments.view(f"datetime64[{kind.time_unit}]"), missing, aware=kind.time_zone is not None)
    return Cells(objects(column.to_list()))


def _from_astropy(column: Any) -> Cells:
    """Read a mixin column, such as one of times, value by value; the others are NumPy arrays."""
    return Cells.all(column) if getattr(column, "isscalar", False) else Cells(objects(list(column)))


_READERS: dict[str, Callable[[Any], Cells]] = {
    "pyarrow": _from_arrow,
    "pandas": _from_pandas,
    "polars": _from_polars,
    "astropy": _from_astropy,
}
