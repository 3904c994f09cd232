"""FITS files: which table, and its rows with NULL where the standard has it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from astra_outputs.ingest.files import PIECE, Choices, Row, TableFile, chosen, rows_of
from astra_outputs.tables.fits_rec import unit_of, values_of


def open_fits(path: Path, stack: ExitStack, choices: Choices, _kind: str) -> TableFile:
    """Open the only table of a FITS file, or the one that the map chooses by number or name."""
    from astropy.io import fits

    with warnings.catch_warnings(record=True) as met:
        warnings.simplefilter(
            "always"
        )  # most are of units that the FITS standard does not know, and are of no use
        # As bytes, logical values of any length tell NULL from false; astropy before 8 ignores the option.
        units = stack.enter_context(fits.open(path, memmap=True, logical_as_bytes=True))
        names = {
            number: _name(unit)
            for number, unit in enumerate(units)
            if isinstance(unit, fits.BinTableHDU | fits.TableHDU) and not isinstance(unit, fits.CompImageHDU)
        }
        if not names:
            raise ValueError(
                "; ".join(["it has no table", *(f"astropy says: {one.message}" for one in met[:1])])
            )
        unit = units[chosen(names, choices.hdu, "its tables are")]
        _check_length(path, unit)
        data = unit.data

    def rows(wanted: Sequence[str]) -> Iterator[Row]:
        for start in range(0, len(data), PIECE):
            piece = slice(start, min(start + PIECE, len(data)))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # NULL that astropy's values do not show, and ours do
                columns = [values_of(data, name, piece) for name in wanted]
            yield from rows_of(wanted, columns, piece.stop - start, start)

    return TableFile(tuple(unit.columns.names), rows, _units(unit.columns))


def _units(columns: Any) -> dict[str, Any]:
    """Return the units that a table states; what they are, whoever needs them sees."""
    return {one.name: unit_of(one.unit) for one in columns if one.unit}


def _name(unit: Any) -> str:
    """Return the name of a table; the survey's summary files keep it in INSTRMNT."""
    return str(unit.header.get("EXTNAME") or unit.header.get("INSTRMNT") or "").strip()


def _check_length(path: Path, unit: Any) -> None:
    """Refuse a table whose end the file lacks, before the first row is stored."""
    needed = unit.fileinfo()["datLoc"] + unit.size
    held = path.stat().st_size
    if held < needed:
        raise ValueError(f"it is cut off: {held:,} bytes of at least {needed:,}; fetch it again")
