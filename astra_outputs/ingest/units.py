"""The units that a file states, held against those of the columns that they fill."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from astra_outputs.errors import UnreadableFile
from astra_outputs.ingest.build import Filling
from astra_outputs.printable import printable

CONVERTING = frozenset({"times", "plus", "transform", "values"})
"""Options of an origin with which the map says itself what the numbers become."""


def refuse_other_units(file: Path, filled: Sequence[Filling], units: Mapping[str, Any]) -> None:
    """Refuse columns whose numbers are in another unit than the column that they fill, unless the map converts them.

    A unit that astropy does not know is passed over, as one that nobody states.

    Parameters
    ----------
    file : Path
    filled : sequence of Filling
    units : mapping of str to astropy.units.UnitBase
        By the file's names, those that it states.

    Raises
    ------
    UnreadableFile
        Naming each such column, both units, and what to write in the map.
    """
    wrong = [line for filling in filled for line in _wrong(filling, units)] if units else []
    if wrong:
        raise UnreadableFile(f"{file}: " + "; ".join(wrong))


def _wrong(filling: Filling, units: Mapping[str, Any]) -> Iterator[str]:
    table = filling.record_class.table
    for column in filling.record_class.columns():
        source, origin = filling.origins.get(column.name, (None, None))
        if source is None or source not in units or origin is None or CONVERTING & origin.model_fields_set:
            continue
        given = units[source]
        if (factor := _factor(given, column.unit)) == 1.0:
            continue
        if factor is None:
            way = f"map another column; or, if its numbers are meant as they are, {column.name} = "
            factor = 1.0
        else:
            way = f"write {column.name} = "
        way += f'{{ from = "{source}", times = {factor:.12g} }}'
        unit = column.unit or "a number without unit"
        yield printable(f"{source} is in {given}, {table}.{column.name} in {unit}: {way}")


def _factor(given: Any, wanted: str | None) -> float | None:
    """Return what a number is multiplied with to have another unit; None if that does not make it the same thing."""
    from astropy.units import Unit, UnitConversionError, UnrecognizedUnit

    unit = Unit(wanted or "", parse_strict="silent")
    # The logarithm of a gravity [dex(cm / s2)] is stated as a logarithm alone.
    logarithm = getattr(given, "function_unit", given)
    if (
        isinstance(given, UnrecognizedUnit)
        or isinstance(unit, UnrecognizedUnit)
        or unit in (given, logarithm)
    ):
        return 1.0
    with suppress(UnitConversionError, TypeError):
        return float(given.to(unit))
    return None
