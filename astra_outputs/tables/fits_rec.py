"""The columns of a FITS table, with NULL where the FITS standard has it and astropy's arrays do not show it.

Which are: TNULL, compared with what is stored before TSCAL and TZERO are applied; a logical byte of
zero; a blank field of an ASCII table. NaN is missing in every table and needs no mark.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from astra_outputs.saving.cells import Cells, Flagged, Values, objects


class FitsColumn(NamedTuple):
    """One column of a FITS table, not yet read."""

    table: Any
    name: str


def is_fits(table: Any) -> bool:
    """Tell whether a table is one of astropy's FITS tables; astropy is not loaded for that."""
    return any(base.__name__ == "FITS_rec" for base in type(table).__mro__)


def values_of(table: Any, name: str, rows: slice) -> list[Any]:
    """Return some rows of one column as a list of Python values, None where a value is NULL.

    A number of an ASCII table that cannot be read stays a text, which is then refused by row.
    """
    column = table.columns[name]
    if _is_logical(column) and str(column.format).startswith(("P", "Q")):
        # A part of a table that was opened with its logical values as bytes forgets that it was.
        return _logical_arrays(table[name])[rows]
    table = table[rows]
    try:
        cells = cells_of_fits(table, name)
    except ValueError:
        if not column.ascii:
            raise
        texts = [text.decode("latin-1").strip() for text in _stored(table, name).tolist()]
        return [text or None for text in texts]
    values: list[Any] = told_apart(cells.values)
    if cells.missing is None:
        return values
    return [None if gone else value for value, gone in zip(values, cells.missing.tolist(), strict=True)]


def told_apart(values: Values) -> list[Any]:
    """Return values as Python's own, but for floats of few bytes that may have been other whole numbers."""
    if values.dtype.kind == "f" and values.dtype.itemsize < 8 and values.ndim == 1:
        with np.errstate(invalid="ignore"):
            if bool((np.abs(values) >= 2.0 ** (np.finfo(values.dtype).nmant + 1)).any()):
                return list(values)
    plain: list[Any] = values.tolist()
    return plain


def cells_of_fits(table: Any, name: str) -> Cells:
    """Return one column of a FITS table.

    Parameters
    ----------
    table : astropy.io.fits.FITS_rec
    name : str

    Raises
    ------
    ValueError
        If it holds arrays of any length that are scaled, which astropy gets wrong, or logical without their NULL.
    """
    column, values = table.columns[name], table[name]
    unit = unit_of(column.unit) if column.unit else None
    if values.dtype == object:  # arrays of any length
        if _is_logical(column):
            return Cells(objects(_logical_arrays(values)))
        if (column.bscale or 1, column.bzero or 0) != (1, 0):
            raise ValueError(
                f"{name} holds scaled arrays of any length, of which astropy scales the first alone: "
                "write the file without TSCAL and TZERO"
            )
        return Cells(objects([_elements(column, array) for array in values]), unit=unit)
    values, missing = _with_nulls(column, np.asarray(values), _stored(table, name))
    if not missing.any():
        return Cells(values if values.ndim == 1 else objects(list(values)), unit=unit)
    if values.ndim == 1:
        return Cells(values, missing, unit=unit)
    return Cells(objects(_marked(values, missing)), unit=unit)


def unit_of(text: str) -> Any:
    """Return the unit that a FITS file writes so, in the words of the standard or, as "%", in those of astropy."""
    from astropy.units import Unit, UnrecognizedUnit

    unit = Unit(text, format="fits", parse_strict="silent")
    return Unit(text, parse_strict="silent") if isinstance(unit, UnrecognizedUnit) else unit


def _stored(table: Any, name: str) -> Values:
    """Return what the file holds: numbers before they are scaled, and the bytes of texts."""
    stored: Values = table.view(np.ndarray)[name]
    return stored


def _with_nulls(column: Any, values: Values, stored: Values) -> tuple[Values, Flagged]:
    """Return the values of a column of fixed width, and which of them are NULL."""
    none = np.zeros(values.shape, bool)
    if column.ascii:
        fields = np.char.strip(stored)
        null = str(column.null or "").strip().encode()
        missing = (fields == b"") | ((fields == null) if null else False)
        return _texts(values), missing.reshape(values.shape)
    if _is_logical(column):
        if values.dtype.kind == "S":  # as the file has them
            return values == b"T", (values != b"T") & (values != b"F")
        return values, (stored == 0).reshape(values.shape) & ~values
    if column.null is not None and stored.dtype.kind in "iu":
        return values, (stored == column.null).reshape(values.shape)
    return _texts(values), none


def _is_logical(column: Any) -> bool:
    return str(column.format).lstrip("0123456789PQ").startswith("L")


def _texts(values: Values) -> Values:
    """Return texts up to the first NUL, which ends them; other values as they are."""
    if values.dtype.kind not in "SU" or not values.dtype.itemsize or not values.size:
        return values
    unit = np.dtype(np.uint8 if values.dtype.kind == "S" else np.uint32)
    codes = np.ascontiguousarray(values).reshape(-1, 1).view(unit.newbyteorder(values.dtype.byteorder))
    if not np.any((codes[:, :-1] == 0) & (codes[:, 1:] != 0)):
        return values
    codes[np.cumsum(codes == 0, axis=1) > 0] = 0
    return codes.view(values.dtype).reshape(values.shape)


def _logical_arrays(arrays: Any) -> list[list[bool | None]]:
    """Return arrays of logical values; astropy up to 7.2 wrote bytes of 0 and 1 instead of F and T.

    Raises
    ------
    ValueError
        If they are not bytes: then NULL is among them no more.
    """
    if any(np.asarray(array).dtype.kind == "b" and len(array) for array in arrays):
        raise ValueError(
            "logical values in arrays of any length, of which NULL cannot be told from false here: open the whole "
            "file with logical_as_bytes=True, by astropy 8 or later"
        )
    values = [np.asarray(array).tolist() for array in arrays]
    met = {value for array in values for value in array}
    meanings = {b"T": True, b"F": False, True: True, False: False}
    if b"\1" in met and met <= {b"\1", b""}:
        meanings = {b"\1": True, b"": False}
    return [[meanings.get(value) for value in array] for array in values]


def _elements(column: Any, array: Any) -> Any:
    """Return one array of a column of arrays of any length, with None for NULL."""
    array = np.asarray(array)
    if array.dtype.kind in "SU":
        return array.tolist()[0] if array.size == 1 else array.tolist()
    if column.null is None or array.dtype.kind not in "iu":
        return told_apart(array)
    return _marked(array, array == column.null)


def _marked(values: Values, missing: Flagged) -> list[Any]:
    marked = values.astype(object)
    marked[missing] = None
    found: list[Any] = marked.tolist()
    return found
