"""How a condition is read: PostgreSQL's expressions by sqlglot, without what does not belong into one.

The only module that loads sqlglot for reading; it is imported when the first condition is.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.errors import SqlglotError
from sqlglot.parsers.postgres import PostgresParser
from sqlglot.tokenizer_core import TokenType

from astra_outputs.errors import InvalidCondition, shorten

CALLS = ("CAST",)
"""What looks like a call and is not; every other call is left as it was written, name and arguments."""

WORDS = ("CASE", "ANY")
"""Expressions that begin with a word of their own."""


class _Grammar(Postgres):
    class Tokenizer(Postgres.Tokenizer):
        # sqlglot takes the `$1,$` of `$1,$2` for the mark of a text that runs up to the next one.
        SINGLE_TOKENS = {**Postgres.Tokenizer.SINGLE_TOKENS, "$": TokenType.PARAMETER}  # noqa: RUF012
        HEREDOC_STRINGS = []  # noqa: RUF012

    class Parser(PostgresParser):
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS = {name: PostgresParser.FUNCTION_PARSERS[name] for name in CALLS}  # noqa: RUF012
        NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {}
        NO_PAREN_FUNCTION_PARSERS = {  # noqa: RUF012
            name: PostgresParser.NO_PAREN_FUNCTION_PARSERS[name] for name in WORDS
        }


def parse(text: str) -> exp.Expr:
    """Return the tree of one expression, not checked yet.

    Raises
    ------
    InvalidCondition
        If the text is anything else than one expression.
    """
    try:
        found = _Grammar().parse_into(exp.Condition, text)
    except SqlglotError as error:
        raise InvalidCondition(f"{shorten(text)} is not one SQL expression: {_why(error)}") from error
    except RecursionError as error:
        raise InvalidCondition(f"{shorten(text)} is nested too deeply") from error
    if len(found) != 1 or found[0] is None:
        raise InvalidCondition(f"{shorten(text)} is not one SQL expression")
    return found[0]


def _why(error: SqlglotError) -> str:
    """Return what sqlglot says, without its colours and the copy of the text."""
    described = getattr(error, "errors", None) or []
    cause = error.__cause__
    described = described or getattr(cause, "errors", None) or []
    places = [entry for entry in described if entry.get("description")]
    if not places:
        return "it cannot be taken apart into words"
    return f"{places[0]['description'].rstrip('.').lower()} at character {places[0].get('col')}"
