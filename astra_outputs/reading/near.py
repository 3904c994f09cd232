"""Positions on the sky: what lies within a radius, by a plain index and one formula."""

from __future__ import annotations

import math
from typing import Any

from astra_outputs.errors import InvalidCondition, shorten
from astra_outputs.postgres.sql import quote
from astra_outputs.reading.condition import Condition, Piece

MARGIN = 1e-9
"""Degrees by which the rectangle around the circle is wider: more than rounding, less than any telescope sees."""

Near = tuple[float, float, float]
"""Right ascension, declination and radius, in degrees."""


WIDEST = 10.0
"""Degrees of radius up to which the index of an extension is asked: a wider circle is a good part of the sky."""

SkyIndex = tuple[str, str]
"""An extension, q3c or pg_sphere, of which the positions of sources have an index, and the schema of its functions."""


def within(near: Any, alias: str, index: SkyIndex | None = None) -> Condition:
    """Return the condition that a source lies within a radius of a position.

    First what an index finds. The one that every database has is on (dec, ra), and is asked for a rectangle: it
    may reach over ra = 0 and over a pole. Then the haversine of the distance, which is exact for small angles
    and great ones; so the same rows are found by every index.

    Parameters
    ----------
    near : tuple[float, float, float]
        Right ascension, declination and radius [deg]; or quantities of astropy.
    alias : str
        The table with the columns ra and dec.
    index : tuple, optional
        An index of an extension that is there to be asked.

    Raises
    ------
    InvalidCondition
        If it is no position on the sky, or no radius of 0 to 180 degrees.
    """
    ra, dec, radius = position(near)
    values: list[float] = []

    def bound(value: float) -> int:
        values.append(value)
        return len(values) - 1

    pieces: list[Piece] = []
    if index is not None and radius <= WIDEST:
        pieces += _by_extension(index, alias, [bound(value) for value in (ra, dec, radius + MARGIN)])
    else:
        pieces += [f"{alias}.dec between ", bound(dec - radius - MARGIN)]
        pieces += [" and ", bound(dec + radius + MARGIN)]
        pieces.append(" and (")
        for place, (low, high) in enumerate(_longitudes(ra, dec, radius)):
            pieces += [" or " * bool(place), f"{alias}.ra between ", bound(low), " and ", bound(high)]
        pieces.append(")")
    pieces += [f" and power(sind(({alias}.dec - ", bound(dec), f") / 2), 2) + cosd({alias}.dec) * "]
    pieces += [bound(math.cos(math.radians(dec))), f" * power(sind(({alias}.ra - ", bound(ra)]
    pieces += [") / 2), 2) <= ", bound(math.sin(math.radians(radius) / 2) ** 2)]
    return Condition(tuple(_cast(pieces)), tuple(values), frozenset({alias}))


def _by_extension(index: SkyIndex, alias: str, circle: list[int]) -> list[Piece]:
    """Return the condition that an extension's index answers; the circle is ra, dec and radius."""
    extension, schema = index
    of = quote(schema)
    ra, dec, radius = circle
    if extension == "q3c":
        return [f"{of}.q3c_radial_query({alias}.ra, {alias}.dec, ", ra, ", ", dec, ", ", radius, ")"]
    there = f"{of}.spoint(radians({alias}.ra), radians({alias}.dec)) operator({of}.<@) "
    return [
        f"{there}{of}.scircle({of}.spoint(radians(",
        *(ra, "), radians(", dec, ")), radians(", radius, "))"),
    ]


def _cast(pieces: list[Piece]) -> list[Piece]:
    """Say of each parameter that it is a double: with a bare one the server would look for another operator."""
    cast: list[Piece] = []
    for piece in pieces:
        cast += ["cast(", piece, " as double precision)"] if isinstance(piece, int) else [piece]
    return cast


def position(near: Any) -> Near:
    """Return a position and a radius as degrees.

    Raises
    ------
    InvalidCondition
        As `within`.
    """
    try:
        ra, dec, radius = map(_degrees, near)
    except (TypeError, ValueError):
        ra = dec = radius = math.nan
    if not (-360 <= ra <= 360 and -90 <= dec <= 90 and 0 <= radius <= 180):
        raise InvalidCondition(
            "near is (ra, dec, radius) in degrees, or quantities of astropy, dec from -90 to 90, "
            f"radius from 0 to 180; not {shorten(near)}"
        )
    return ra % 360, dec, radius


def _degrees(value: Any) -> float:
    """Return a number of degrees, or a quantity of astropy in degrees."""
    return float(value.to_value("deg") if hasattr(value, "to_value") else value)


def _longitudes(ra: float, dec: float, radius: float) -> list[tuple[float, float]]:
    """Return between which right ascensions the circle lies: one range, or two where it reaches over 0."""
    if abs(dec) + radius >= 90 - MARGIN:
        return [(-MARGIN, 360 + MARGIN)]
    half = math.degrees(math.asin(math.sin(math.radians(radius)) / math.cos(math.radians(dec)))) + MARGIN
    low, high = ra - half, ra + half
    if low < 0:
        return [(low + 360, 360 + MARGIN), (-MARGIN, high)]
    if high > 360:
        return [(low, 360 + MARGIN), (-MARGIN, high - 360)]
    return [(low, high)]
