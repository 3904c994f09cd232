"""What a file says of a column: its meaning, and its unit in the spelling that the readers of the file know."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Literal

from astra_outputs.reading.outputs import Output
from astra_outputs.reading.scope import DRP_SPECTRUM

Spelling = Literal["fits", "cds", "generic"]
"""A spelling of units: FITS's, that of VOTables up to version 1.3, and astropy's own, which ECSV has."""

CDS_DEX = "[-]"
"""How CDS writes a number that is the logarithm of one without a unit."""


def meaning(output: Output) -> str:
    """Return what a column means; of one with a qualified name also what it is a column of."""
    column = output.column
    if output.name == column.name:
        return column.description
    of = {DRP_SPECTRUM: "spectrum as it was reduced"}.get(output.named.alias, output.named.alias)
    return f"{column.description} ({column.name} of the {of})"


def unit_and_meaning(output: Output, spelling: Spelling) -> tuple[str, str]:
    """Return the unit of a column, and what it means; a unit that has no such spelling stands behind the meaning."""
    written, unit = meaning(output), output.column.unit
    if not unit:
        return "", written
    spelt = unit_of(unit, spelling)
    return spelt, written if spelt else f"{written} [{unit}]"


@cache
def unit_of(unit: str, spelling: Spelling) -> str:
    """Return a unit as it is spelt in a kind of file, so that astropy reads it without a warning; empty if it is not.

    Without astropy, which Parquet files do not need, a unit is left as it is.
    """
    if spelling == "cds" and unit == "dex":
        return CDS_DEX
    try:
        from astropy.units import Unit
    except ImportError:
        return unit
    with warnings.catch_warnings(action="ignore"):
        try:
            known = Unit(unit)
            written = unit if spelling == "generic" else str(known.to_string(spelling))
            Unit(written, format=spelling, parse_strict="raise")
        except (ValueError, TypeError):
            return ""
    return written
