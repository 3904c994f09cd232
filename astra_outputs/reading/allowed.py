"""What a condition may be made of: operators, functions, types; and what is refused by name.

A node of sqlglot's tree that is neither here nor written by `expressions` is refused.
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

BINARY: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.NullSafeEQ: "is not distinct from",
    exp.NullSafeNEQ: "is distinct from",
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
    exp.Pow: "^",
    exp.BitwiseAnd: "&",
    exp.BitwiseOr: "|",
    exp.BitwiseXor: "#",
    exp.BitwiseLeftShift: "<<",
    exp.BitwiseRightShift: ">>",
    exp.DPipe: "||",
    exp.Like: "like",
    exp.ILike: "ilike",
}
"""Operators with two sides."""

CHAINS: dict[type[exp.Expr], str] = {exp.And: "and", exp.Or: "or"}

NOTES = {"safe", "typed", "_type"}
"""What sqlglot notes beside the parts of an expression, for other databases."""

TYPES = {
    "SMALLINT": "smallint",
    "INT": "integer",
    "BIGINT": "bigint",
    "DOUBLE": "double precision",
    "TEXT": "text",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMPTZ": "timestamptz",
    "DECIMAL": "numeric",
}
"""Types that a value may be cast to. Not `real`: sqlglot takes it and `float`, which is not the same, for one."""

_NUMBERS = (
    "abs acos acosd asin asind atan atan2 atan2d atand bit_count cbrt ceil ceiling cos cosd degrees exp floor "
    "ln log mod power radians round sign sin sind sqrt tan tand trunc"
)
_TEXTS = "left length lower ltrim right rtrim starts_with strpos substr upper"
_OTHERS = "cardinality date_part date_trunc now num_nonnulls num_nulls"
FUNCTIONS = frozenset(f"{_NUMBERS} {_TEXTS} {_OTHERS}".split())
"""Functions of PostgreSQL that may be called; none of them is volatile or reads anything but its arguments."""

FORMS = frozenset({"coalesce", "greatest", "least", "nullif"})
"""What is written as a function and is part of the language, without a schema of its own."""

REFUSED: dict[type[Any], str] = {
    exp.Select: "a subquery",
    exp.Subquery: "a subquery",
    exp.Exists: "a subquery",
    exp.Window: "a window function",
    exp.Star: "an asterisk",
    exp.Placeholder: "this way to write a parameter ($1 and :name are the ways)",
    exp.Parameter: "this way to write a parameter ($1 and :name are the ways)",
}
"""What is refused by name."""
