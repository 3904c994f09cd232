"""Values that say too little: floats of few bytes where whole numbers are meant, times without a zone."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from astra_outputs.model.given import EXACT

ROUNDED = "is a float of single precision, or less, in which whole numbers of that size are not told apart: store integers or text"


def is_rounded(given: Any) -> bool:
    """Tell whether a value is a float of few bytes that may have been another whole number."""
    dtype = getattr(given, "dtype", None)
    if dtype is None or dtype.kind != "f" or dtype.itemsize not in (2, 4) or given.ndim:
        return False
    return bool(abs(given) >= EXACT[dtype.itemsize])


def in_zone(time: datetime, zone: tzinfo | None) -> datetime:
    """Give a time the zone of the map, unless it says one."""
    if time.utcoffset() is not None:
        return time
    if zone is None:
        raise ValueError('has no time zone: say it in the map, as zone = "UTC"')
    early, late = time.replace(tzinfo=zone, fold=0), time.replace(tzinfo=zone, fold=1)
    if early.utcoffset() != late.utcoffset():
        raise ValueError(f"is no time of {zone}, or two: clocks were changed then")
    return early
