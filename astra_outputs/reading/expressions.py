"""How each expression of a condition is written anew.

A node of sqlglot's tree that is not named here is refused, and so is one with a part that is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from sqlglot import exp

from astra_outputs.errors import InvalidCondition, shorten
from astra_outputs.postgres.sql import literal
from astra_outputs.reading import targeting
from astra_outputs.reading.allowed import BINARY, CHAINS, FORMS, FUNCTIONS, NOTES, REFUSED, TYPES
from astra_outputs.reading.scope import SOURCE, Scope


class Writer:
    """Writes one condition anew, from its tree.

    Attributes
    ----------
    names : list of int or str
        The parameters in the order of their first use: numbers as of `$1`, or names.
    aliases : set of str
        The tables whose columns are named.
    """

    def __init__(self, text: str, scope: Scope) -> None:
        self.names: list[int | str] = []
        self.aliases: set[str] = set()
        self._text, self._scope = text, scope
        self._forms: dict[type[exp.Expr], Callable[[Any], Iterator[str | int]]] = {
            exp.Column: self._column,
            exp.Literal: self._literal,
            exp.Boolean: self._boolean,
            exp.Null: self._null,
            exp.Parameter: self._parameter,
            exp.Placeholder: self._placeholder,
            exp.Paren: self._paren,
            exp.Not: self._not,
            exp.Neg: self._negative,
            exp.Is: self._is,
            exp.In: self._in,
            exp.Between: self._between,
            exp.Any: self._any,
            exp.Case: self._case,
            exp.Cast: self._cast,
            exp.Anonymous: self._call,
            **dict.fromkeys(BINARY, self._binary),
            **dict.fromkeys(CHAINS, self._chain),
        }

    def write(self, node: Any) -> Iterator[str | int]:
        """Yield the SQL of an expression: pieces, and for each parameter its place in `names`."""
        form = self._forms.get(type(node))
        if form is None:
            raise self._refused(node)
        yield from form(node)

    def _parts(self, node: exp.Expr, *allowed: str) -> None:
        """Refuse a node with a part that is not written."""
        given = {name for name, value in node.args.items() if value not in (None, False, [])}
        if given - {*allowed, *NOTES}:
            raise self._refused(node)

    def _chain(self, node: exp.Connector) -> Iterator[str | int]:
        # As a loop: a condition may well list a thousand keys.
        for place, operand in enumerate(node.flatten(unnest=False)):
            yield f" {CHAINS[type(node)]} " if place else "("
            yield from self.write(operand)
        yield ")"

    def _binary(self, node: exp.Binary) -> Iterator[str | int]:
        self._parts(node, "this", "expression", "negate")
        if node.args.get("negate"):
            yield "(not "
        yield "("
        yield from self.write(node.this)
        yield f" {BINARY[type(node)]} "
        yield from self.write(node.expression)
        yield "))" if node.args.get("negate") else ")"

    def _column(self, node: exp.Column) -> Iterator[str | int]:
        self._parts(node, "this", "table")
        if not isinstance(node.this, exp.Identifier):
            raise self._refused(node)
        table, name = node.args.get("table"), _folded(node.this)
        alias = None if table is None else _folded(table)
        flag = self._scope.flag(alias, name)
        if flag is not None:
            column, mask = flag
            self.aliases.add(column.alias)
            yield f"({column.sql} & {mask} <> 0)"
            return
        column = self._scope.column(alias, name)
        self.aliases.add(column.alias)
        yield column.sql

    def _literal(self, node: exp.Literal) -> Iterator[str | int]:
        if node.is_string:
            if "\0" in node.this:
                raise InvalidCondition("a text with a NUL character is in no table")
            yield literal(node.this)
        elif re.fullmatch(r"\d+(\.\d*)?([eE][+-]?\d+)?", node.this, re.ASCII):
            yield node.this
        else:
            raise self._refused(node)

    def _boolean(self, node: exp.Boolean) -> Iterator[str | int]:
        yield "true" if node.this else "false"

    def _null(self, _: exp.Null) -> Iterator[str | int]:
        yield "null"

    def _parameter(self, node: exp.Parameter) -> Iterator[str | int]:
        self._parts(node, "this")
        number = node.this
        if not isinstance(number, exp.Literal) or not re.fullmatch(
            r"[1-9]\d{0,4}", str(number.this), re.ASCII
        ):
            raise self._refused(node)
        yield self._place(int(number.this))

    def _placeholder(self, node: exp.Placeholder) -> Iterator[str | int]:
        self._parts(node, "this")
        if not isinstance(node.this, str) or not node.this.isidentifier():
            raise self._refused(node)
        yield self._place(node.this)

    def _place(self, name: int | str) -> int:
        if name not in self.names:
            if self.names and type(self.names[0]) is not type(name):
                raise InvalidCondition(f"{shorten(self._text)}: parameters are either numbers or names")
            self.names.append(name)
        return self.names.index(name)

    def _paren(self, node: exp.Paren) -> Iterator[str | int]:
        self._parts(node, "this")
        yield "("
        yield from self.write(node.this)
        yield ")"

    def _not(self, node: exp.Not) -> Iterator[str | int]:
        yield "(not "
        yield from self.write(node.this)
        yield ")"

    def _negative(self, node: exp.Neg) -> Iterator[str | int]:
        yield "(- "
        yield from self.write(node.this)
        yield ")"

    def _is(self, node: exp.Is) -> Iterator[str | int]:
        self._parts(node, "this", "expression", "negate")
        if not isinstance(node.expression, exp.Null | exp.Boolean):
            raise self._refused(node)
        yield "("
        yield from self.write(node.this)
        yield " is not " if node.args.get("negate") else " is "
        yield from self.write(node.expression)
        yield ")"

    def _in(self, node: exp.In) -> Iterator[str | int]:
        self._parts(node, "this", "expressions")
        yield "("
        yield from self.write(node.this)
        yield " in ("
        yield from self._listed(node.expressions)
        yield "))"

    def _between(self, node: exp.Between) -> Iterator[str | int]:
        self._parts(node, "this", "low", "high")
        yield "("
        yield from self.write(node.this)
        yield " between "
        yield from self.write(node.args["low"])
        yield " and "
        yield from self.write(node.args["high"])
        yield ")"

    def _any(self, node: exp.Any) -> Iterator[str | int]:
        self._parts(node, "this")
        if not isinstance(node.parent, exp.Binary) or not isinstance(
            node.this.unnest(), exp.Parameter | exp.Placeholder | exp.Column
        ):
            raise self._refused(node)
        yield "any ("
        yield from self.write(node.this.unnest())
        yield ")"

    def _case(self, node: exp.Case) -> Iterator[str | int]:
        self._parts(node, "this", "ifs", "default")
        yield "(case"
        if node.this is not None:
            yield " "
            yield from self.write(node.this)
        for when in node.args["ifs"]:
            self._parts(when, "this", "true")
            yield " when "
            yield from self.write(when.this)
            yield " then "
            yield from self.write(when.args["true"])
        if node.args.get("default") is not None:
            yield " else "
            yield from self.write(node.args["default"])
        yield " end)"

    def _cast(self, node: exp.Cast) -> Iterator[str | int]:
        self._parts(node, "this", "to")
        self._parts(node.to, "this")
        kind = TYPES.get(getattr(node.to.this, "name", ""))
        if kind is None:
            allowed = ", ".join(TYPES.values())
            raise InvalidCondition(
                f"{shorten(self._text)}: a value may be cast to {allowed}, not to {node.to.sql()}"
            )
        yield "cast("
        yield from self.write(node.this)
        yield f" as {kind})"

    def _call(self, node: exp.Anonymous) -> Iterator[str | int]:
        self._parts(node, "this", "expressions")
        name = node.this.lower() if isinstance(node.this, str) else ""
        if name == "has_flag":
            yield from self._has_flag(node)
            return
        if name in targeting.WORDS:
            yield from self._targeting(name, node)
            return
        if name not in FUNCTIONS | FORMS:
            raise InvalidCondition(
                f"{shorten(self._text)}: {name or node.this} is not a function that may be called here; "
                f"those are has_flag, {', '.join(sorted(FUNCTIONS | FORMS | targeting.WORDS))}"
            )
        yield f"{name}(" if name in FORMS else f"pg_catalog.{name}("
        yield from self._listed(node.expressions)
        yield ")"

    def _has_flag(self, node: exp.Anonymous) -> Iterator[str | int]:
        """`has_flag(result_flags, 'low_snr')`; table and column may come before, as the function in SQL has them."""
        given: list[Any] = node.expressions
        column, flag = given[-2:] if len(given) in (2, 4) else (None, None)
        if not (isinstance(column, exp.Column) and isinstance(column.this, exp.Identifier)) or not (
            isinstance(flag, exp.Literal) and flag.is_string
        ):
            raise InvalidCondition(
                f"{shorten(self._text)}: has_flag takes a column and a flag's name, "
                "as has_flag(result_flags, 'low_snr')"
            )
        self._parts(column, "this", "table")
        table = column.args.get("table")
        named = self._scope.column(None if table is None else _folded(table), _folded(column.this))
        said = [entry.this for entry in given[:-2]]
        if said and said != [named.record_class.table, named.column.name]:
            raise InvalidCondition(
                f"{shorten(self._text)}: {named.sql} is not the column that has_flag names"
            )
        bits = named.record_class.flag_names.bits.get(named.column.name, ())
        masks = [bit.mask for bit in bits if bit.name == flag.this]
        if not masks:
            known = ", ".join(bit.name for bit in bits) or "no named flags"
            raise InvalidCondition(f"{named.column.name} has no flag {shorten(flag.this)}; it has {known}")
        self.aliases.add(named.alias)
        yield f"({named.sql} & {masks[0]} <> 0)"

    def _targeting(self, word: str, node: exp.Anonymous) -> Iterator[str | int]:
        """`in_carton('mwm_snc_100pc')`; the column of bits may come before the name, as the function in SQL has it."""
        given: list[Any] = list(node.expressions)
        if len(given) > 1 and isinstance(given[0], exp.Column) and given[0].name == targeting.FLAGS:
            given.pop(0)
        if not all(isinstance(name, exp.Literal) and name.is_string for name in given):
            raise self._refused(node)
        yield targeting.targeted(word, [name.this for name in given], self._scope)
        self.aliases.add(SOURCE)

    def _listed(self, nodes: list[exp.Expr]) -> Iterator[str | int]:
        for place, node in enumerate(nodes):
            if place:
                yield ", "
            yield from self.write(node)

    def _refused(self, node: Any) -> InvalidCondition:
        what = REFUSED.get(type(node), "this")
        part = node.sql("postgres") if isinstance(node, exp.Expr) else str(node)
        return InvalidCondition(
            f"{shorten(self._text)}: {what} may not stand in a condition: {shorten(part)}; "
            "one is made of columns, parameters, comparisons, arithmetic, and, or, not"
        )


def _folded(identifier: exp.Identifier) -> str:
    """Return a name as PostgreSQL takes it: in lower case, unless it is quoted."""
    return str(identifier.this) if identifier.args.get("quoted") else str(identifier.this).lower()
