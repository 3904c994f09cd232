"""Numbers of a file: how a text is one, how a whole number stays exact, and what a map computes."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Any

from astra_outputs.ingest.origin import Origin
from astra_outputs.model.given import EXACT

NO_NUMBER = 'is not a number; if it stands for "not measured", list it as missing in the map'

TRANSFORMS: dict[str, Callable[[float], float]] = {"sqrt": math.sqrt, "exp10": lambda number: 10.0**number}


def number_of(text: str) -> int | float:
    """Return the number that a text is.

    Raises
    ------
    ValueError
        If it is none.
    """
    if "_" not in text:  # which Python, but nobody else, reads as a number
        for read in (int, float):
            try:
                return read(text)
            except ValueError:
                continue
    raise ValueError(NO_NUMBER)


def whole_of(number: float) -> int:
    """Return the whole number that a float is.

    Raises
    ------
    ValueError
        If it is so large that it may have been another one.
    """
    return int(_exact(number))


def _exact(number: float) -> float:
    if abs(number) >= EXACT[8]:
        raise ValueError(
            "is a float beyond 2**53, which is no exact whole number any more: store integers or text"
        )
    return number


def bits_of(number: Any, origin: Origin) -> bool | int:
    """Tell whether a bit is set, or return those of a mask; a negative number is a two's complement."""
    if isinstance(number, float) and number.is_integer():
        number = whole_of(number)
    if isinstance(number, bool):
        raise ValueError(
            "is true or false and has no bits: map it by values = { true = true, false = false }"
        )
    if type(number) is not int:
        raise ValueError("is not a whole number of bits")
    return number & origin.mask if origin.mask is not None else any(number >> bit & 1 for bit in origin.bit)


def computed(number: Any, origin: Origin, *, whole: bool) -> Any:
    """Return a number as the map computes it, to the nearest whole one for integers if it is one but for rounding."""
    if isinstance(number, bool) or not isinstance(number, int | float):
        if origin.computes:
            raise ValueError(f"is not a number, but {type(number).__name__}")
        return number  # the record says what is wrong with it
    if origin.between is not None and not origin.between[0] <= number <= origin.between[1]:
        return None
    if not origin.computes:
        return number
    if origin.transform is not None:
        try:
            number = TRANSFORMS[origin.transform](number)
        except (ValueError, OverflowError):
            raise ValueError(f"has no {origin.transform}") from None
    if whole:
        return _whole_product(number, origin)
    try:
        return number * origin.times + origin.plus
    except OverflowError:
        raise ValueError("is too large a number to be computed with") from None


@lru_cache
def _as_written(number: float) -> Fraction:
    """Return a number of a map as it stands there: 0.1 is a tenth."""
    return Fraction(repr(number))


def _whole_product(number: float, origin: Origin) -> int | float:
    """Return a whole number as the map computes it: of whole numbers exactly, of others but for rounding."""
    if isinstance(number, int):
        exactly = number * _as_written(origin.times) + _as_written(origin.plus)
        if exactly.denominator != 1:
            raise ValueError("does not become a whole number by the times and plus of the map")
        return int(exactly)
    product = _exact(number) * origin.times + origin.plus
    nearest = round(_exact(product))
    is_rounded = (
        math.isclose(product, nearest, rel_tol=1e-12, abs_tol=1e-12) and abs(product - nearest) < 1e-3
    )
    return nearest if is_rounded else product
