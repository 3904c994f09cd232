"""`Origin`: where the value of one column of a table comes from, and how it is read."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime, tzinfo
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    model_validator,
)


def _in_order(bounds: tuple[float, float]) -> tuple[float, float]:
    if not bounds[0] <= bounds[1]:
        raise ValueError(f"nothing is between {bounds[0]} and {bounds[1]}: the smaller one comes first")
    return bounds


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str | int) else value


def _zone(value: Any) -> tzinfo:
    """Return the time zone of a name, or of an offset from UTC."""
    if isinstance(value, str):
        with suppress(ValueError):  # an offset
            if found := datetime.fromisoformat(f"2000-01-01T00:00:00{value}").tzinfo:
                return found
        with suppress(ZoneInfoNotFoundError, ValueError, OSError):
            return ZoneInfo(value)
    raise ValueError(f"no time zone is called {value!r}: give one as UTC, America/New_York or +02:00")


class Origin(BaseModel):
    """Where the value of one column comes from.

    Attributes
    ----------
    names : list[str]
        Column of the file (`from`); the first of several that the file has.
    value
        A constant, instead of a column of the file.
    row : bool
        The number of the row, counted from 1, instead of a column of the file.
    element : list[int]
        Which element, counted from 0, of a column of arrays; of arrays in two dimensions `[i, j]`, in the
        order in which NumPy and astropy count them.
    between : tuple[float, float], optional
        Numbers outside stand for "not measured".
    transform : {"sqrt", "exp10"}, optional
        What is computed of the number: an error of a variance, a number of its logarithm.
    times, plus : float
        The number is then multiplied, and added to: for another unit.
    values : dict[str, Any]
        What each text or number of the file stands for; one that is not listed is refused.
    bit : list[int]
        For a flag (`flag_low_snr = { from = "STARFLAG", bit = 4 }`): the bits of the file's integer, any
        of which sets it. The sign of 32 signed bits is bit 31.
    mask : int, optional
        For a whole column of flags: the bits of the file's integer that are taken over.
    pattern : str, optional
        A regular expression; the part of the text that its first group matches is the value.
    zone : tzinfo, optional
        For a time that says none: the zone that it is meant in, as "UTC", "America/New_York" or "+02:00".
    optional : bool
        Whether a file may lack the column.
    missing : list
        Values that stand for "not measured", besides those of the whole mapping.
    """

    model_config = ConfigDict(extra="forbid")

    names: Annotated[list[str], BeforeValidator(_several), Field(alias="from")] = []
    value: Any = None
    row: bool = False
    element: Annotated[list[Annotated[int, Field(ge=0)]], BeforeValidator(_several)] = []
    between: Annotated[tuple[float, float], AfterValidator(_in_order)] | None = None
    transform: Literal["sqrt", "exp10"] | None = None
    times: FiniteFloat = 1.0
    plus: FiniteFloat = 0.0
    values: dict[str, Any] = {}
    bit: Annotated[list[Annotated[int, Field(ge=0, le=63)]], BeforeValidator(_several)] = []
    mask: Annotated[int, Field(ge=1, lt=2**63)] | None = None
    pattern: re.Pattern[str] | None = None
    zone: Annotated[Any, AfterValidator(_zone)] = None
    optional: bool = False
    missing: list[Any] = []

    @model_validator(mode="before")
    @classmethod
    def _read_short_form(cls, given: Any) -> Any:
        """Read a bare text as the name of a column."""
        return {"from": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _check_one_origin(self) -> Origin:
        if [bool(self.names), self.value is not None, self.row].count(True) != 1:
            raise ValueError('give either from = "COLUMN", value = ... or row = true')
        if self.pattern is not None and self.pattern.groups < 1:
            raise ValueError("pattern needs a group, as in '(2M.*)'")
        options = self.model_fields_set - {"names", "value", "row", "optional"}
        if options and self.value is not None:
            raise ValueError(
                f"{_listed(options)} says how a value of the file is read, and value = ... is none"
            )
        for one, others in _INSTEAD.items():
            if one in options and options & others:
                raise ValueError(f"{one} leaves nothing to do for {_listed(options & others)}")
        return self

    @property
    def computes(self) -> bool:
        """Whether the number of the file is changed."""
        return self.transform is not None or (self.times, self.plus) != (1.0, 0.0)


COMPUTING = frozenset({"between", "transform", "times", "plus"})
"""Options that are for numbers."""

_INSTEAD = {
    "values": COMPUTING | {"bit", "mask"},
    "bit": COMPUTING | {"mask"},
    "mask": COMPUTING,
}
"""Options that look a value up or take it apart, and those that would then do nothing."""


def _listed(options: set[str] | frozenset[str]) -> str:
    return ", ".join(sorted(options))
