"""Cartons: the bits of `sdss5_target_flags` by name.

A source is in hundreds of cartons at most and the survey has many, so that the column is bytes: bit n is bit n % 8,
counted from the lowest, of byte n // 8. A bit never moves to another carton.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

from astra_outputs.errors import UnknownCarton, shorten


class Carton(NamedTuple):
    """One version of one carton of SDSS-V targeting.

    Attributes
    ----------
    bit : int
    carton_pk : int or None
        Key in the targeting database.
    label : str
        Name and version: "mwm_snc_100pc_0.1.0".
    name : str
        "mwm_snc_100pc", which several versions may have.
    version, program, mapper : str
    since : int
        Version of the carton-to-bit table that has it first (`SDSSC2BV`).
    """

    bit: int
    carton_pk: int | None
    label: str
    name: str
    version: str
    program: str
    mapper: str
    since: int


@cache
def cartons() -> tuple[Carton, ...]:
    """Return every carton, by bit; read from the package's table when first asked for."""
    text = files("astra_outputs.records").joinpath("targeting_cartons.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return tuple(
        Carton(
            int(row["bit"]),
            int(row["carton_pk"]) if row["carton_pk"].isdecimal() else None,
            row["label"],
            row["name"],
            row["version"],
            row["program"],
            row["mapper"],
            int(row["since"]),
        )
        for row in rows
    )


def cartons_of(flags: bytes | None) -> tuple[Carton, ...]:
    """Return the cartons that are set in `sdss5_target_flags`; bits that have no name are passed over."""
    flags = flags or b""
    return tuple(
        one for one in cartons() if one.bit < 8 * len(flags) and flags[one.bit // 8] >> one.bit % 8 & 1
    )


def in_carton(flags: bytes | None, carton: str) -> bool:
    """Tell whether a source with these flags is in a carton, in any version where only its name is given.

    Raises
    ------
    UnknownCarton
        If there is no carton of this name or label; the nearest is suggested.
    """
    return any(one in cartons_of(flags) for one in cartons_named(carton))


def carton_flags(names: Iterable[str]) -> bytes:
    """Return the bytes in which the bits of these cartons are set, all versions where only a name is given.

    Raises
    ------
    UnknownCarton
        If there is no carton of a name or label.
    """
    bits = [one.bit for name in names for one in cartons_named(name)]
    flags = bytearray(max(bits, default=-1) // 8 + 1)
    for bit in bits:
        flags[bit // 8] |= 1 << bit % 8
    return bytes(flags)


def cartons_named(carton: str) -> list[Carton]:
    """Return the carton of a label, or all versions of the one of a name.

    Raises
    ------
    UnknownCarton
        If there is none; the nearest is suggested.
    """
    found = [one for one in cartons() if carton in (one.label, one.name)]
    if not found:
        nearest = get_close_matches(carton, {one.name for one in cartons()}, n=1)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        raise UnknownCarton(f"there is no carton {shorten(carton)}{hint}")
    return found


def cartons_in(kind: Literal["program", "mapper"], name: str) -> list[Carton]:
    """Return the cartons of a program, or of a mapper.

    Raises
    ------
    UnknownCarton
        If there is no such program or mapper; those that there are are named.
    """
    found = [one for one in cartons() if getattr(one, kind) == name]
    if not found:
        known = ", ".join(sorted({getattr(one, kind) for one in cartons()}))
        raise UnknownCarton(f"there is no {kind} {shorten(name)}; there are {known}")
    return found
