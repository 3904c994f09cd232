"""Columns of identifiers: what catalogues write where there is none identifies nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field
from pydantic_core import core_schema

from astra_outputs.model.column_type import ColumnType
from astra_outputs.model.column_types import BIGINT, TEXT
from astra_outputs.model.given import MISSING

NOBODY = (-1, 0, -9999)
"""Numbers that stand for "no identifier" in the survey's files and in most others."""


WORDS = frozenset({"none", "nan", "null", "na", "n/a", "<na>", "nat", "masked", "unknown"})
"""What programs write into a text where there is nothing, in small letters."""


def _identifying(rule: ColumnType) -> Callable[[Any], Any]:
    """Return the rule of a type under which such values are None."""

    def convert(value: Any) -> Any:
        value = rule.convert(value)
        if value is MISSING or str(value).lower() in WORDS or _has_no_letter(value):
            return MISSING
        number = _number(value)
        if number in NOBODY:
            return MISSING
        if number <= 0 or number == math.inf:
            raise ValueError("is no identifier: those are positive numbers; where there is none leave it out")
        return value

    return convert


def _has_no_letter(value: Any) -> bool:
    """Tell whether a text has neither a letter nor a digit: it is empty, or dashes."""
    return isinstance(value, str) and not any(map(str.isalnum, value))


def _number(value: Any) -> float:
    """Return an identifier as a number; 1 for a name that is none."""
    try:
        return float(value)
    except ValueError:
        return 1


LARGEST = 2**63 - 1

NUMBER = replace(
    BIGINT,
    name="",
    schema=core_schema.int_schema(strict=True, ge=1, le=LARGEST),
    convert=_identifying(BIGINT),
    bounds=(1, LARGEST),
)
# A digit other than 0 and 9 at the start, or a letter and some digit, is enough for nearly all (2M00000002+7417074).
NAME = replace(
    TEXT,
    name="",
    schema=core_schema.str_schema(
        strict=True, pattern=r"^(?:[1-8]|[A-Za-z][^\x00]*[0-9])(?:[^\x00]*[^\x00\s\x1c-\x1f])?$"
    ),
    convert=_identifying(TEXT),
)

_NOT_GIVEN = Field(default=None)
NumberOfSource = Annotated[int | None, NUMBER, _NOT_GIVEN]
NameOfSource = Annotated[str | None, NAME, _NOT_GIVEN]
RequiredNumberOfSource = Annotated[int, NUMBER]
RequiredNameOfSource = Annotated[str, NAME]
