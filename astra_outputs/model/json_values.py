"""Values that JSON holds: what is stored in a column of JSON, and how it is written."""

from __future__ import annotations

import json
import math
import numbers
import re
from typing import Any

from astra_outputs.model.given import MISSING, plain, refuse_unstorable

DEEPEST, LONGEST_INTEGER = 100, 4096
"""Lists in lists, and bits of a whole number, that JSON may have: more than anybody wants, less than harms."""


def json_of(value: Any) -> Any:
    """Return what JSON has of a value: a copy of it, which a later change of the value does not reach.

    Raises
    ------
    ValueError
        If JSON does not have it.
    """
    value = plain(value)
    return MISSING if value is MISSING else _part(value, "the top")


def _part(given: Any, at: str, depth: int = 0) -> Any:
    value = plain(given)
    match value:
        case dict() if depth < DEEPEST:
            if wrong := [key for key in value if not isinstance(key, str)]:
                raise ValueError(f"has the key {wrong[0]!r} at {at}: JSON has only texts as keys")
            return {_part(key, at): _part(part, f"{at}.{key}", depth + 1) for key, part in value.items()}
        case list() | tuple() if depth < DEEPEST:
            return [_part(part, f"{at}[{index}]", depth + 1) for index, part in enumerate(value)]
        case dict() | list() | tuple():
            raise ValueError(f"is nested more than {DEEPEST} deep")
        case str():
            refuse_unstorable(value)
            return str(value)
        case bool() | None if value is not None or not isinstance(given, numbers.Real):
            return value
        case int() if value.bit_length() <= LONGEST_INTEGER:
            return int(value)
        case float() if math.isfinite(value):
            return float(value)
        case int():
            raise ValueError(
                f"has a number of more than {LONGEST_INTEGER:,} bits at {at}, a number that JSON does not hold"
            )
        case float() | None:
            raise ValueError(
                f"has {given} at {at}, a number that JSON does not hold; None is one that is not known"
            )
    if hasattr(value, "tolist"):  # an array
        # A list of astropy's arrays would have what is masked, or is not made of quantities.
        known = not hasattr(value, "unmasked") and getattr(value, "unit", None) is None
        return _part(value.tolist() if known else list(value), at, depth)
    raise ValueError(
        f"has a {type(value).__name__} at {at}: JSON has dicts, lists, texts, numbers, True, False and None"
    )


def some_json(value: Any) -> Any:
    """Return what JSON has of a value that is not missing.

    Raises
    ------
    ValueError
        If it is missing, or JSON does not have it.
    """
    if (value := json_of(value)) is MISSING:
        raise ValueError("must have a value")
    return value


_LARGE_FLOAT = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9.]+e\+[0-9]+')


def json_text(value: Any) -> str:
    """Return a value as JSON. PostgreSQL writes 1e+23 out, and only with a point it comes back as a float."""

    def without_exponent(match: re.Match[str]) -> str:
        return match[0] if match[0].startswith('"') else f"{float(match[0]):.1f}"

    written = json.dumps(json_of(value), ensure_ascii=False, separators=(",", ":"))
    return _LARGE_FLOAT.sub(without_exponent, written)
