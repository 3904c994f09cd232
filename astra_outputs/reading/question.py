"""What is asked of the database: rows of one class, which of them, in which order, and what comes along."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict

from astra_outputs.errors import InvalidCondition, WrongRecordClass, shorten
from astra_outputs.model.given import plain
from astra_outputs.model.record import Record
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.model.version import major_minor, parse_version
from astra_outputs.postgres.database import Database
from astra_outputs.postgres.sql import Statement, listed, literal, qualified, templates
from astra_outputs.reading.condition import Condition, order_of
from astra_outputs.reading.near import Near, within
from astra_outputs.reading.partitioned import is_partitioned
from astra_outputs.reading.scope import RESULT, SOURCE, SPECTRUM, Scope

OF_SPECTRA = (f"{RESULT}.spectrum_pk = any (cast(", 0, " as bigint[]))")
OF_EACH_SPECTRUM = (f"{RESULT}.spectrum_pk in (select unnest(cast(", 0, " as bigint[])))")
"""The same, so that the server looks into one partition for each of them."""

FEW = 8
"""Spectra for whose partitions alone a plan is made."""


class Asked(TypedDict, total=False):
    """The options of `find`, `stream` and `columns`.

    Attributes
    ----------
    newest : bool
        Of each spectrum's results only that of the newest version; the condition is then about these.
    v_astra : str or int
        Results of one major.minor ("0.8") or of one version ("0.8.1", 8001).
    on : record, int or iterable of them
        Of these spectra or sources only; numbers are keys of spectra (or of sources, where sources are
        asked for).
    near : tuple[float, float, float]
        Within a radius of a position: right ascension, declination, radius [deg].
    order_by : str or sequence of str
        Columns; `-teff` counts down. Rows without a value come last.
    limit : int
        Most rows to return.
    spectrum_class : type[SpectrumMixin]
        Of which kind the spectra of the results are, where the record class does not say.
    """

    newest: bool
    v_astra: str | int | None
    on: Any
    near: Near | None
    order_by: str | Sequence[str] | None
    limit: int | None
    spectrum_class: type[SpectrumMixin] | None


@dataclass(frozen=True)
class Question:
    """A question that was checked.

    Attributes
    ----------
    scope : Scope
        What it can name; its first table is what is asked for.
    conditions : tuple of Condition
        All of them hold for a row that is returned.
    aliases : frozenset[str]
        The tables that it names.
    order : tuple of str
    limit : int or None
    newest : bool
    near : tuple or None
        The circle that the first condition is about.
    """

    scope: Scope
    conditions: tuple[Condition, ...]
    aliases: frozenset[str]
    order: tuple[str, ...] = ()
    limit: int | None = None
    newest: bool = False
    near: Near | None = None

    @classmethod
    def of(
        cls,
        record_class: type[Record],
        condition: str | None,
        parameters: Sequence[Any],
        asked: Asked,
    ) -> Question:
        """Return a question, checked; see `Outputs.find`."""
        unknown = asked.keys() - Asked.__annotations__.keys()
        if unknown:
            raise TypeError(f"there is no option {', '.join(sorted(unknown))}")
        scope = Scope.of(record_class, asked.get("spectrum_class"))
        if condition is None and parameters:
            raise InvalidCondition("values were given, and no condition that they belong to")
        conditions = [] if condition is None else [Condition.of(condition, parameters, scope)]
        if asked.get("v_astra") is not None:
            conditions.append(_of_version(asked["v_astra"], scope))
        if asked.get("on") is not None:
            conditions.append(_of_rows(asked["on"], scope))
        near = asked.get("near")
        if near is not None:
            scope.table(SOURCE)
            conditions.insert(0, within(near, SOURCE))
        newest = bool(asked.get("newest"))
        if newest and scope.main != RESULT:
            raise InvalidCondition(f"newest is about results; a {record_class.__name__} has no versions")
        limit = asked.get("limit")
        if limit is not None and (type(limit) is not int or limit < 0):
            raise InvalidCondition(f"limit is a number of rows, not {shorten(limit)}")
        order, named = order_of(asked.get("order_by"), scope)
        aliases = named.union(*(condition.aliases for condition in conditions))
        return cls(scope, tuple(conditions), aliases, order, limit, newest, near)

    async def suited_to(self, database: Database) -> Question:
        """Return the question as it is best asked of a database.

        A circle is found by the index of q3c or pg_sphere, if there is one; many spectra one after the other where
        their results are spread over partitions, each of which would be searched for all of them.
        """
        conditions = list(self.conditions)
        if self.near is not None:
            table = literal(qualified(database.schema, self.scope.tables[SOURCE].table))
            text = templates("reading")["sky_index"].fill(table=table)
            index = await database.run(lambda connection: connection.fetchrow(text))
            conditions[0] = within(self.near, SOURCE, None if index is None else tuple(index))
        for place, one in enumerate(conditions):
            many = one.pieces == OF_SPECTRA and len(one.values[0]) > FEW
            if many and await is_partitioned(database, self.scope.record_class):
                conditions[place] = replace(one, pieces=OF_EACH_SPECTRUM)
        return replace(self, conditions=tuple(conditions))

    def also(self, *more: Condition) -> Question:
        """Return the question with more conditions."""
        aliases = self.aliases.union(*(condition.aliases for condition in more))
        return replace(self, conditions=(*self.conditions, *more), aliases=aliases)

    @property
    def values(self) -> tuple[Any, ...]:
        """The values of all parameters, in order."""
        return tuple(value for condition in self.conditions for value in condition.values)

    def statement(
        self,
        schema: str,
        columns: str,
        wanted: Iterable[str] = (),
        *,
        stand_ins: Sequence[str] | None = None,
        also: str = "",
    ) -> Statement:
        """Return the statement that reads rows.

        Parameters
        ----------
        schema : str
        columns : str
            What is selected.
        wanted : iterable of str
            Tables whose columns are among these.
        stand_ins : sequence of str, optional
            What stands for each parameter, where it is not sent as one.
        also : str
            One more condition.
        """
        return templates("reading")["rows_under_a_condition"].statement(
            columns=columns,
            order=f"order by {', '.join(self.order)}" if self.order else "",
            limit="" if self.limit is None else f"limit {self.limit}",
            **self._parts(schema, wanted, stand_ins, also),
        )

    def count(self, schema: str) -> Statement:
        """Return the statement that counts the rows; the limit is the caller's to keep."""
        return templates("reading")["count_under_a_condition"].statement(**self._parts(schema, (), None, ""))

    def _parts(
        self, schema: str, wanted: Iterable[str], stand_ins: Sequence[str] | None, also: str
    ) -> dict[str, str]:
        scope = self.scope
        table = qualified(schema, scope.record_class.table)
        joins = [scope.join(alias, schema) for alias in scope.joined(self.aliases | frozenset(wanted))]
        held = list(self._held(stand_ins))
        if also:
            held.append(also)
        if self.newest:
            # An anti-join, in the one spelling that Citus takes beside reference tables, too.
            # First: what has a newer version is joined to nothing.
            joins.insert(
                0,
                f"left join {table} as newer on newer.spectrum_pk = {scope.main}.spectrum_pk "
                f"and newer.v_astra_major_minor > {scope.main}.v_astra_major_minor",
            )
            held.append("newer.spectrum_pk is null")
        return {
            "table": f"{table} as {scope.main}",
            "joins": "\n".join(joins),
            "condition": " and ".join(held) or "true",
        }

    def _held(self, stand_ins: Sequence[str] | None) -> Iterable[str]:
        first = 0
        for condition in self.conditions:
            last = first + len(condition.values)
            given = (
                stand_ins[first:last] if stand_ins is not None else [f"${n + 1}" for n in range(first, last)]
            )
            yield f"({condition.sql(given)})"
            first = last


def _of_version(v_astra: Any, scope: Scope) -> Condition:
    if scope.main != RESULT:
        raise InvalidCondition(f"v_astra is about results; a {scope.record_class.__name__} has no version")
    v_astra = plain(v_astra)
    match = re.fullmatch(r"\s*(\d+\.\d+)\s*", v_astra, re.ASCII) if isinstance(v_astra, str) else None
    try:
        version = parse_version(v_astra if match is None else f"{match[1]}.0")
    except ValueError as error:
        raise InvalidCondition(f'{error}; or "major.minor", as in "0.6"') from error
    of_minor = Condition((f"{RESULT}.v_astra_major_minor = ", 0), (major_minor(version),), frozenset())
    if match is not None:
        return of_minor
    return Condition(
        (*of_minor.pieces, f" and {RESULT}.v_astra = ", 1), (*of_minor.values, version), frozenset()
    )


def _of_rows(on: Any, scope: Scope) -> Condition:
    """Return the condition that a row belongs to one of these spectra or sources."""
    given = [on] if isinstance(on, Record | int) or hasattr(on, "spectrum_pk") else list(on)
    of_sources = scope.main == SOURCE
    if scope.main not in (RESULT, SPECTRUM, SOURCE):
        raise InvalidCondition(f"on is about spectra and sources; a {scope.record_class.__name__} has none")
    kinds = {_kind(entry, of_sources) for entry in given}
    if len(kinds) > 1:
        raise InvalidCondition("on takes either spectra or sources, not both")
    kind = kinds.pop() if kinds else SPECTRUM
    keys = [_key(entry, "source_pk" if of_sources and kind == SPECTRUM else kind) for entry in given]
    if scope.main == RESULT and kind == SPECTRUM:
        return Condition(OF_SPECTRA, (keys,), frozenset())
    if of_sources:
        column = f"{SOURCE}.pk"
    else:
        column = f"{scope.main}.{'spectrum_pk' if kind == SPECTRUM else 'source_pk'}"
    return Condition((f"{column} = any (cast(", 0, " as bigint[]))"), (keys,), frozenset())


def _kind(entry: Any, of_sources: bool) -> str:
    from astra_outputs.records.source import Source

    if isinstance(entry, Source):
        return SOURCE
    if hasattr(entry, "spectrum_pk"):
        return SPECTRUM
    if isinstance(plain(entry), int) and not isinstance(entry, bool):
        return SOURCE if of_sources else SPECTRUM
    raise WrongRecordClass(f"on takes spectra, sources or their keys, not {shorten(entry)}")


def _key(entry: Any, kind: str) -> int:
    if isinstance(plain(entry), int):
        return int(plain(entry))
    key = getattr(entry, {SOURCE: "pk", SPECTRUM: "spectrum_pk"}.get(kind, kind))
    if key is None:
        raise InvalidCondition(f"this {type(entry).__name__} was not stored: it has no key")
    return int(key)


def statements_of(record_class: type[Record], schema: str) -> list[Statement]:
    """Return what is sent for one question after rows of a class: those with a key, in their newest version."""
    scope = Scope.of(record_class)
    asked: Asked = {"newest": True} if scope.main == RESULT else {}
    asked["order_by"] = key = record_class.primary_key
    question = Question.of(record_class, f"{key} > $1", (0,), asked)
    columns = listed((column.name for column in record_class.columns()), scope.main)
    return [question.statement(schema, columns), question.count(schema)]
