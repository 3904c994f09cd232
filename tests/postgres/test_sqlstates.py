"""What a SQLSTATE means is said once, and asked of one module."""

from __future__ import annotations

import re
from pathlib import Path

import asyncpg
import pytest

import astra_outputs
from astra_outputs.errors import AstraOutputsError, ConnectionLost, DatabaseError, InvalidRecord
from astra_outputs.postgres.sqlstates import asks_to_wait, is_about_rows, is_passing, is_transient

PACKAGE = Path(astra_outputs.__file__).parent


def refused(sqlstate: str) -> DatabaseError:
    """Our error as it comes out of a call: with the driver's as its cause."""
    error = DatabaseError("refused", sqlstate=sqlstate)
    error.__cause__ = asyncpg.PostgresError.new({"C": sqlstate, "M": "refused"})
    return error


@pytest.mark.parametrize(
    ("sqlstate", "transient", "passing", "about_rows"),
    [
        ("40P01", True, True, False),  # a deadlock
        ("25006", True, True, False),  # a failover
        ("57014", False, True, False),  # took too long
        ("53100", False, True, False),  # the disk is full
        ("55P03", False, True, False),  # a lock was not to be had
        ("22003", False, False, True),  # a number out of range
        ("23503", False, False, True),  # no such source
        ("21000", False, False, True),  # a row twice
        ("54000", False, False, True),  # a row too large
        ("P0001", False, False, True),  # a trigger's `raise`
        ("42501", False, False, False),  # a right is missing
        ("42P01", False, False, False),  # a table is missing
        ("XX000", False, False, False),
    ],
)
def test_a_sqlstate_has_one_answer_to_each_question(
    sqlstate: str, transient: bool, passing: bool, about_rows: bool
) -> None:
    error = refused(sqlstate)
    assert (is_transient(error), is_passing(error), is_about_rows(error)) == (transient, passing, about_rows)
    assert asks_to_wait(error.__cause__) == transient  # type: ignore[arg-type]


def test_errors_without_a_sqlstate_are_told_by_their_class() -> None:
    assert is_passing(ConnectionLost("gone"))
    assert is_passing(OSError("no route"))
    assert not is_passing(AstraOutputsError("else"))
    assert is_about_rows(InvalidRecord("the_cannon", ()))
    assert not is_about_rows(AstraOutputsError("else"))
    assert not asks_to_wait(OSError("no route"))


def test_no_other_module_names_a_sqlstate() -> None:
    known = {getattr(kind, "sqlstate", None) for kind in vars(asyncpg.exceptions).values()}
    named = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if known.intersection(re.findall(r'"([0-9A-Z]{5})"', path.read_text(encoding="utf-8")))
    }
    assert named == {"postgres/sqlstates.py"}
