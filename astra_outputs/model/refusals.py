"""What Pydantic refuses, in the words of the table."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from astra_outputs.errors import AstraOutputsError, InvalidRecord, Problem, UnknownColumn, WrongRecordClass


def refusal(record_class: type[Any], error: ValidationError) -> AstraOutputsError:
    """Return the error that says what a record class refuses, and why."""
    problems: dict[str, Problem] = {}
    kind: type[InvalidRecord] = InvalidRecord
    for entry in error.errors(include_url=False):
        if not entry["loc"] and entry["type"] not in ("value_error", "assertion_error"):
            given = type(entry["input"]).__name__
            return WrongRecordClass(
                f"a {record_class.__name__} is built from a mapping of columns, not {given}: give a dictionary, "
                "which dict(row) makes of a row of most libraries"
            )
        # A rule over several columns has no place of its own.
        name = str(entry["loc"][0]) if entry["loc"] else "*"
        if entry["type"] in ("extra_forbidden", "no_such_attribute"):
            kind = UnknownColumn
            problems[name] = record_class.no_column(name, entry["input"])
        elif entry["type"] == "missing":
            problems[name] = Problem(name, None, "must be given")
        else:  # the last entry of a column is the one of its rule in words
            value = entry["input"] if entry["loc"] else None
            problems[name] = Problem(name, value, entry["msg"].removeprefix("Value error, "))
    return kind(record_class.table, tuple(problems.values()))


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return the end of a sentence that suggests the nearest of some names, in capitals or not; empty if none is near."""
    listed = list(names)
    nearest = get_close_matches(name.strip().lower(), listed, n=1) or get_close_matches(name, listed, n=1)
    return f"; did you mean {nearest[0]}?" if nearest else ""
