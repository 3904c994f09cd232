"""Conditions as users write them: one boolean expression over known columns, and nothing else.

The text of a user is never sent. It is read into a tree; what of the tree is known here is written anew,
with names that are ours, and what is not known is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from astra_outputs.errors import InvalidCondition, shorten
from astra_outputs.model.given import plain, timestamp
from astra_outputs.reading.scope import Scope

if TYPE_CHECKING:
    pass

Piece = str | int
"""A piece of SQL, or the number of the parameter that stands there, counted from 0."""


@dataclass(frozen=True)
class Condition:
    """A condition that was checked.

    Attributes
    ----------
    pieces : tuple of str or int
        The SQL; a number stands for a parameter.
    values : tuple
        The values of the parameters.
    aliases : frozenset[str]
        The tables whose columns it names.
    """

    pieces: tuple[Piece, ...]
    values: tuple[Any, ...]
    aliases: frozenset[str]

    @classmethod
    def of(cls, text: str, parameters: Sequence[Any], scope: Scope) -> Condition:
        """Return a condition, checked.

        Parameters
        ----------
        text : str
            With `$1`, `$2`, ... or `:name` where the parameters stand.
        parameters : sequence
            Their values; or one mapping of names to values.
        scope : Scope
            What it can name.

        Raises
        ------
        InvalidCondition
            If it is anything else than one expression over columns, parameters and the functions that
            are allowed, or parameters are missing or left over.
        UnknownColumn, AmbiguousFlag
            If a name is not, or not alone, one of a column or flag.
        """
        from astra_outputs.reading.expressions import Writer
        from astra_outputs.reading.grammar import parse

        if not isinstance(text, str):
            raise InvalidCondition(f"a condition is a text, not {shorten(text)}")
        writer = Writer(text, scope)
        try:
            pieces = tuple(writer.write(parse(text)))
        except RecursionError as error:
            raise InvalidCondition(f"{shorten(text)} is nested too deeply") from error
        names = writer.names
        if names and isinstance(names[0], str):
            values = _named([str(name) for name in names], parameters)
        else:
            values = _numbered([int(name) for name in names], parameters)
        return cls(pieces, tuple(map(bindable, values)), frozenset(writer.aliases))

    def sql(self, parameters: Sequence[str]) -> str:
        """Return the SQL, with what stands for each parameter."""
        return "".join(parameters[piece] if isinstance(piece, int) else piece for piece in self.pieces)


def _named(names: list[str], parameters: Sequence[Any]) -> list[Any]:
    if len(parameters) != 1 or not isinstance(parameters[0], Mapping):
        raise InvalidCondition(f"the parameters :{', :'.join(names)} want one mapping with their values")
    given = parameters[0]
    if set(names) != set(given):
        missing = [f":{name} has no value" for name in names if name not in given]
        more = [f"{shorten(name)} is not in the condition" for name in given if name not in names]
        raise InvalidCondition("; ".join(missing + more))
    return [given[name] for name in names]


def _numbered(numbers: list[int], parameters: Sequence[Any]) -> list[Any]:
    if set(numbers) != set(range(1, len(parameters) + 1)):
        wanted = ", ".join(f"${number}" for number in sorted(numbers)) or "no parameter"
        given = f"{len(parameters)} value{'s' if len(parameters) != 1 else ''}"
        raise InvalidCondition(
            f"the condition has {wanted}, and {given} {'were' if given[0] != '1' else 'was'} given"
        )
    return [parameters[number - 1] for number in numbers]


def bindable(value: Any) -> Any:
    """Return the value of a parameter as the driver takes it: NumPy's scalars and arrays as plain values.

    Raises
    ------
    InvalidCondition
        If it is a time without a zone, which the driver would take for the computer's own; or has a unit.
    """
    try:
        if _is_time(value):
            return timestamp(value)
        value = plain(value)
        if hasattr(value, "tolist") and hasattr(value, "dtype"):
            value = value.tolist()
        if isinstance(value, list | tuple | set | frozenset | range):
            return [timestamp(entry) if _is_time(entry) else entry for entry in value]
    except ValueError as error:
        raise InvalidCondition(f"the value {shorten(value)} {error}") from error
    return value


def _is_time(value: Any) -> bool:
    of_numpy = getattr(getattr(value, "dtype", None), "kind", "") == "M" and not getattr(value, "ndim", 0)
    return isinstance(value, datetime) or of_numpy or type(value).__module__.startswith("astropy.time")


def order_of(order_by: Any, scope: Scope) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return by what rows are ordered, as SQL, and the tables that it names.

    Parameters
    ----------
    order_by : str or sequence of str, optional
        Columns; one with a minus before it counts down. Rows without a value come last.
    scope : Scope

    Raises
    ------
    InvalidCondition, UnknownColumn
        If one of them is not a column.
    """
    given = [order_by] if isinstance(order_by, str) else list(order_by or ())
    written: list[str] = []
    aliases: set[str] = set()
    for entry in given:
        match = re.fullmatch(r"\s*(-?)\s*(?:(\w+)\.)?(\w+)\s*", entry) if isinstance(entry, str) else None
        if match is None:
            raise InvalidCondition(
                f'order_by takes columns, as "teff" or "-source.g_mag", not {shorten(entry)}'
            )
        column = scope.column(match[2], match[3])
        aliases.add(column.alias)
        written.append(f"{column.sql} {'desc' if match[1] else 'asc'} nulls last")
    return tuple(written), frozenset(aliases)
