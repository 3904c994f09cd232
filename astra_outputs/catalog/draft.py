"""A table while the statements of its SQL file are read, one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from astra_outputs.catalog.model import ColumnFacts, TableFacts, key, unique_key
from astra_outputs.model.flags import Bit


@dataclass(frozen=True)
class UniqueKey:
    """Columns of a unique key or index, and what makes an upsert on it another one."""

    columns: tuple[str, ...]
    nulls_not_distinct: bool = False
    deferrable: bool = False


@dataclass
class Draft:
    """What is known of a table so far. Constraints have the names that PostgreSQL gives them where none is said."""

    name: str
    schema: str = ""
    columns: dict[str, ColumnFacts] = field(default_factory=dict)
    comment: str = ""
    primary_key: tuple[str, ...] = ()
    primary_key_name: str = ""
    foreign_keys: dict[str, str] = field(default_factory=dict)
    checks: dict[str, str] = field(default_factory=dict)
    uniques: dict[str, UniqueKey] = field(default_factory=dict)
    indexes: dict[str, str] = field(default_factory=dict)
    """Columns of the indexes that are not unique, as `key` writes them, with the names of the indexes."""
    flags: dict[str, tuple[Bit, ...]] = field(default_factory=dict)

    def change(self, column: str, **facts: Any) -> None:
        """Change what is known of one column; of one that does not exist nothing is known."""
        if column in self.columns:
            self.columns[column] = replace(self.columns[column], **facts)

    def put_key(self, columns: Iterable[str], name: str) -> None:
        """Add the primary key."""
        self.primary_key, self.primary_key_name = tuple(columns), name or f"{self.name}_pkey"

    def put_unique(
        self, columns: Iterable[str], name: str, *, nulls_not_distinct: bool = False, deferrable: bool = False
    ) -> None:
        """Add a unique key or index."""
        columns = tuple(columns)
        self.uniques[self._free(name or f"{self.name}_{'_'.join(columns)}_key", self.uniques)] = UniqueKey(
            columns, nulls_not_distinct, deferrable
        )

    def put_foreign_key(self, text: str, columns: Iterable[str], name: str) -> None:
        """Add a foreign key, written as the facts of a table have it."""
        name = name or f"{self.name}_{'_'.join(columns)}_fkey"
        self.foreign_keys[self._free(name, self.foreign_keys)] = text

    def put_check(self, text: str, name: str) -> None:
        """Add a check."""
        self.checks[self._free(name, self.checks)] = text

    def rename_column(self, old: str, new: str) -> None:
        """Give a column another name, where nothing but the column speaks of it."""
        self.columns = {
            (new if name == old else name): (replace(facts, name=new) if name == old else facts)
            for name, facts in self.columns.items()
        }

    def rename_constraint(self, old: str, new: str) -> None:
        """Give a constraint another name."""
        for known in self._named():
            if old in known:
                known[new] = known.pop(old)
        if old == self.primary_key_name:
            self.primary_key_name = new

    def drop_constraint(self, name: str) -> None:
        """Take a constraint away."""
        for known in self._named():
            known.pop(name, None)
        if name == self.primary_key_name:
            self.primary_key, self.primary_key_name = (), ""

    def facts(self) -> TableFacts:
        """Return what was said, in the words that all use."""
        for name in self.primary_key:
            self.change(name, nullable=False)
        nullable = {name for name, column in self.columns.items() if column.nullable}
        return TableFacts(
            name=self.name,
            columns=self.columns,
            comment=self.comment,
            primary_key=key(self.primary_key) if self.primary_key else "",
            unique=frozenset(
                unique_key(
                    entry.columns,
                    nulls_not_distinct=entry.nulls_not_distinct and not nullable.isdisjoint(entry.columns),
                    deferrable=entry.deferrable,
                )
                for entry in self.uniques.values()
            ),
            foreign_keys=frozenset(self.foreign_keys.values()),
            checks=self.checks,
            indexes=frozenset(self.indexes),
            flags=self.flags,
        )

    def _named(self) -> tuple[dict[str, Any], ...]:
        return self.checks, self.foreign_keys, self.uniques

    @staticmethod
    def _free(name: str, taken: Iterable[str]) -> str:
        """Return a name that is not taken, as PostgreSQL numbers them."""
        number, free, taken = 0, name, set(taken)
        while free in taken:
            number += 1
            free = f"{name}{number}"
        return free
