"""Keys, checks, foreign keys and indexes of one table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from astra_outputs.amend.existing import Existing, Named
from astra_outputs.amend.step import EXCLUSIVE, READS, Step
from astra_outputs.amend.wanted import Wanted
from astra_outputs.catalog.compare import is_only_spread
from astra_outputs.catalog.model import key, unique_key
from astra_outputs.names import is_administrators_check
from astra_outputs.postgres.sql import listed, quote


class Rules:
    """The steps that bring the constraints and indexes of one table to its file."""

    def __init__(self, wanted: Wanted, existing: Existing) -> None:
        self._wanted, self._existing, self._table = wanted, existing, quote(wanted.name)

    def foreign_keys_off(self, retyped: Iterable[str]) -> Iterator[Step]:
        """Yield what drops foreign keys that the file does not have, or that would be checked once more.

        Parameters
        ----------
        retyped : iterable of str
            Tables whose keys get another type.
        """
        again = set(retyped)
        for one in self._existing.foreign_keys:
            if (
                one.says not in self._wanted.facts.foreign_keys
                or self._wanted.name in again
                or one.target in again
            ):
                yield self._drop(one.name, f"foreign key {one.says} of {self._wanted.name}", one.definition)

    def foreign_keys_on(self, retyped: Iterable[str]) -> Iterator[Step]:
        """Yield what adds the foreign keys of the file, and validates them."""
        again = set(retyped)
        kept = {
            one.says: one
            for one in self._existing.foreign_keys
            if self._wanted.name not in again and one.target not in again
        }
        for name, says in self._wanted.draft.foreign_keys.items():
            if says in kept:
                yield from self._renamed(kept[says].name, name)
                yield from self._validated(name, valid=kept[says].valid)
                continue
            yield Step(
                f"alter table {self._table} add constraint {quote(name)} foreign key {says} not valid",
                f"{self._wanted.name}: {says}; what was computed is not deleted with it",
                f"share row exclusive on {self._wanted.name} and the other table, for milliseconds",
                undo=f"alter table {self._table} drop constraint {quote(name)}",
            )
            yield from self._validated(name, valid=False)

    def checks(self) -> Iterator[Step]:
        """Yield the steps of checks; those of an administrator stay."""
        has = {one.name: one for one in self._existing.checks}
        wants = self._wanted.draft.checks
        for name, one in has.items():
            if name not in wants and not is_administrators_check(name):
                yield self._drop(name, f"check {name} of {self._wanted.name}", one.definition)
        for name, says in wants.items():
            if name in has and has[name].says == says:
                yield from self._validated(name, valid=has[name].valid)
                continue
            if name in has:
                yield self._drop(name, f"check {name} of {self._wanted.name}", has[name].definition)
            yield Step(
                f"alter table {self._table} add constraint {quote(name)} check ({says}) not valid",
                f"{self._wanted.name} refuses from now on what its check {name} refuses",
                EXCLUSIVE.format(self._wanted.name),
                undo=f"alter table {self._table} drop constraint {quote(name)}",
            )
            yield from self._validated(name, valid=False)

    def keys(self) -> Iterator[Step]:
        """Yield the steps of the primary key, unique keys and other indexes."""
        yield from self._primary_key()
        wants = self._wanted.facts.unique
        for one in self._existing.uniques:
            if one.says not in wants:
                yield self._without_index(one)
        has: dict[str, Named] = {}
        for one in self._existing.uniques:
            if one.says in has:
                yield self._without_index(one)
            has.setdefault(one.says, one)
        for name, unique in self._wanted.draft.uniques.items():
            nullable = {column.name for column in self._wanted.facts.columns.values() if column.nullable}
            nulls = unique.nulls_not_distinct and not nullable.isdisjoint(unique.columns)
            says = unique_key(unique.columns, nulls_not_distinct=nulls, deferrable=unique.deferrable)
            distinct = " nulls not distinct" if unique.nulls_not_distinct else ""
            yield from self._key(
                name, f"unique{distinct} ({listed(unique.columns)})", has.get(says), "unique"
            )
        there = {one.says: one.name for one in self._existing.indexes}
        for says, name in self._wanted.draft.indexes.items():
            if says in there:
                if there[says] != name:
                    yield Step(
                        f"alter index {quote(there[says])} rename to {quote(name)}",
                        f"an index of {self._wanted.name} gets its name",
                        "share update exclusive on the index, for milliseconds",
                        undo=f"alter index {quote(name)} rename to {quote(there[says])}",
                    )
                continue
            columns = listed(says.strip("()").split(", "))
            yield Step(
                f"create index {quote(name)} on {self._table} ({columns})",
                f"an index of {self._wanted.name}; outside of a transaction `create index concurrently` lets others "
                "write meanwhile",
                f"share on {self._wanted.name}: others read, nobody writes while it is built",
                undo=f"drop index {quote(name)}",
            )

    def _primary_key(self) -> Iterator[Step]:
        draft, one = self._wanted.draft, self._existing.primary_key
        if not draft.primary_key:
            return
        if one is not None and is_only_spread(key(draft.primary_key), one.says):
            return
        if one is not None and one.says != key(draft.primary_key):
            yield self._without_index(one)
            one = None
        yield from self._key(
            draft.primary_key_name, f"primary key ({listed(draft.primary_key)})", one, "primary key"
        )

    def _key(self, name: str, says: str, one: Named | None, kind: str) -> Iterator[Step]:
        table = self._wanted.name
        if one is None:
            yield Step(
                f"alter table {self._table} add constraint {quote(name)} {says}",
                f"{table}: {says}; two rows of one key stop this",
                f"exclusive on {table}, as long as its index takes",
                undo=f"alter table {self._table} drop constraint {quote(name)}",
            )
        elif one.in_constraint is not None:
            yield from self._renamed(one.in_constraint, name)
        else:
            yield Step(
                f"alter table {self._table} add constraint {quote(name)} {kind} using index {quote(one.name)}",
                f"{table}: the index {one.name} becomes the constraint {name}",
                EXCLUSIVE.format(table),
                undo=f"alter table {self._table} drop constraint {quote(name)}, then {one.definition}",
            )

    def _renamed(self, old: str, new: str) -> Iterator[Step]:
        if old != new:
            yield Step(
                f"alter table {self._table} rename constraint {quote(old)} to {quote(new)}",
                f"a constraint of {self._wanted.name} gets its name, by which later upgrades know it",
                EXCLUSIVE.format(self._wanted.name),
                undo=f"alter table {self._table} rename constraint {quote(new)} to {quote(old)}",
            )

    def _validated(self, name: str, *, valid: bool) -> Iterator[Step]:
        if not valid:
            yield Step(
                f"alter table {self._table} validate constraint {quote(name)}",
                f"{name} holds for the rows that are there as well; one that breaks it stops this",
                READS.format(self._wanted.name),
            )

    def _drop(self, name: str, what: str, definition: str) -> Step:
        return Step(
            f"alter table {self._table} drop constraint {quote(name)}",
            f"{what} is in the way, or not in the file",
            EXCLUSIVE.format(self._wanted.name),
            undo=f"alter table {self._table} add constraint {quote(name)} {definition}",
        )

    def _without_index(self, one: Named) -> Step:
        if one.in_constraint is not None:
            sql = f"alter table {self._table} drop constraint {quote(one.in_constraint)}"
        else:
            sql = f"drop index {quote(one.name)}"
        return Step(
            sql,
            f"{self._wanted.name}: the file has no unique key {one.says}, or has it once",
            EXCLUSIVE.format(self._wanted.name),
            undo=one.definition,
        )
