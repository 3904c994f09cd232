"""One spelling for each type and expression, so that equal texts mean the same.

PostgreSQL prints `-1` as `'-1'::integer`, an empty text as `''::text`, and puts brackets around every
operation; a person writes neither. sqlglot reads both and prints them in one way.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from typing import Any, cast

from sqlglot import exp, parse_one
from sqlglot.errors import ParseError

from astra_outputs.model.column_type import type_of
from astra_outputs.model.column_types import TYPES

_SIMPLE_NAME = re.compile(r"[a-z_][a-z0-9_$]*")

_FLOAT = re.compile(r"\bfloat\((\d+)\)")

_NUMBER = re.compile(r"-?[0-9.]+(e[+-]?[0-9]+)?", re.IGNORECASE)


_KINDS = [type_of(annotation) for annotation in TYPES.values()]
_OURS = {spelling: kind.sql for kind in _KINDS for spelling in (kind.sql, *kind.spellings)}


@cache
def type_name(written: str) -> str:
    """Return a type's name as the column types spell it: `float4` and `real` are both `real`.

    A type that no column type stands for is named in sqlglot's spelling, or left as it was written
    where sqlglot does not know it.
    """
    written = written.lower()
    if written in _OURS:
        return _OURS[written]
    try:
        return type_name_of(exp.DataType.build(written, dialect="postgres"))
    except ParseError:
        return written


def type_name_of(node: exp.Expression) -> str:
    """Return the name of a type that sqlglot has read."""
    spelt = _FLOAT.sub(lambda bits: "real" if int(bits[1]) <= 24 else "double precision", _spelt(node))
    return _in_sqlglots_words().get(spelt, spelt)


@cache
def _in_sqlglots_words() -> dict[str, str]:
    return {_spelt(exp.DataType.build(name, dialect="postgres")): ours for name, ours in _OURS.items()}


def _spelt(node: exp.Expression) -> str:
    return node.sql(dialect="postgres").lower()


@cache
def expression(written: str) -> str:
    """Return an SQL expression in its normal form.

    Raises
    ------
    sqlglot.errors.ParseError
        If it is none.
    """
    return expression_of(_parse(written))


def _parse(written: str) -> exp.Expression:
    return cast(exp.Expression, parse_one(written, dialect="postgres"))


def expression_of(node: exp.Expression) -> str:
    """Return the normal form of an expression that sqlglot has read: brackets where operations nest."""
    root = exp.Paren(this=node.copy())  # a node to hang from, so that every other can be replaced
    for paren in list(root.find_all(exp.Paren)):
        if paren is not root:
            paren.replace(paren.this)
    for identifier in root.find_all(exp.Identifier):
        name = identifier.name if identifier.args.get("quoted") else identifier.name.lower()
        identifier.replace(exp.to_identifier(name, quoted=not _SIMPLE_NAME.fullmatch(name)))
    for typed in reversed(list(root.find_all(exp.Cast))):  # the inner ones first
        if isinstance(typed.this, exp.Literal | exp.Neg):
            typed.replace(_constant(typed))
    for number in list(root.find_all(exp.Literal)):
        if not number.is_string:
            number.replace(exp.Literal.number(_digits(number.name)))
    for between in list(root.find_all(exp.Between)):  # PostgreSQL keeps it as two comparisons
        low = exp.GTE(this=between.this.copy(), expression=between.args["low"])
        high = exp.LTE(this=between.this.copy(), expression=between.args["high"])
        between.replace(exp.And(this=low, expression=high))
    for contained in list(root.find_all(exp.In)):  # and this as a comparison with an array
        if contained.expressions:
            array = exp.Any(this=exp.Array(expressions=contained.expressions))
            contained.replace(exp.EQ(this=contained.this, expression=array))
    for operation in list(root.find_all(exp.Binary)):
        nested = isinstance(operation.parent, exp.Binary | exp.Unary | exp.Cast)
        if nested and operation.parent is not root and not isinstance(operation, exp.Dot):
            operation.replace(exp.Paren(this=operation.copy()))
    return str(root.this.sql(dialect="postgres", normalize_functions="lower"))


def _digits(number: str) -> str:
    """Return a number as PostgreSQL writes it: 1e-3 is 0.001, and 1.50 is not 1.5."""
    return f"{Decimal(number):f}" if "e" in number.lower() else number


def _constant(typed: exp.Cast) -> exp.Expression:
    """Return a constant without the type that PostgreSQL writes behind it."""
    value: exp.Expression = typed.this
    is_text = isinstance(value, exp.Literal) and value.is_string
    to_number = typed.to.this in exp.DataType.NUMERIC_TYPES and _NUMBER.fullmatch(value.name)
    return _parse(value.name) if is_text and to_number else value  # 'Infinity'::real stays a text


def constant(value: Any) -> str:
    """Return a Python value as the normal form of an SQL constant."""
    match value:
        case str():
            return expression("'" + value.replace("'", "''") + "'")
        case bool():
            return expression(str(value))
        case int():
            return expression(str(int(value)))  # a member of BitFlags prints its name
        case _:
            return expression(str(value))
