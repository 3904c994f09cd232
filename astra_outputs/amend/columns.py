"""The columns of one table: types, defaults, whether they may be NULL, the numbers that they draw."""

from __future__ import annotations

from collections.abc import Iterator

from astra_outputs.amend.existing import Existing
from astra_outputs.amend.step import EXCLUSIVE, Step
from astra_outputs.amend.wanted import Wanted
from astra_outputs.catalog.model import IDENTITY, ColumnFacts
from astra_outputs.model.column_types import REAL_ARRAY
from astra_outputs.postgres.sql import literal, quote

NAIVE = "timestamp"
AWARE = "timestamp with time zone"
_FLOATING = ("real", "double precision")


class Columns:
    """The steps that bring the columns of one table to its file.

    Parameters
    ----------
    wanted : Wanted
    existing : Existing
    zone : str
        In which zone times without one were written.
    """

    def __init__(self, wanted: Wanted, existing: Existing, zone: str) -> None:
        self._wanted, self._existing, self._zone = wanted, existing, zone
        self._table = quote(wanted.name)
        has, wants = existing.facts.columns, wanted.facts.columns
        self._added = [column for name, column in wants.items() if name not in has]
        self._both = [(has[name], column) for name, column in wants.items() if name in has]
        self.unknown = [column for name, column in has.items() if name not in wants]
        """Columns that the file does not have."""

    @property
    def retyped(self) -> list[tuple[ColumnFacts, ColumnFacts]]:
        """Columns of another type, as they are and as they shall be."""
        return [(old, new) for old, new in self._both if old.type != new.type]

    @property
    def changes_anything(self) -> bool:
        """Whether a view upon the table is in the way."""
        return bool(self.retyped or self._added)

    def steps(self) -> Iterator[Step]:
        """Yield the steps; the first changes all columns at once, so that rows are rewritten once."""
        yield from self._options()
        yield from self._types()
        yield from self._not_null()
        yield from self._computed()
        yield from self._nan()

    def numbers(self) -> Iterator[Step]:
        """Yield the steps of columns that the database numbers."""
        for name, kind in self._wanted.identities.items():
            old = self._existing.facts.columns.get(name)
            named = f"{self._wanted.name}_{name}_seq"
            sequence = self._existing.sequences.get(name)
            if old is None:
                continue
            if old.default == IDENTITY:
                if sequence not in (None, named):
                    yield Step(
                        f"alter sequence {quote(str(sequence))} rename to {quote(named)}",
                        f"the sequence of {self._wanted.name}.{name} gets its name",
                        EXCLUSIVE.format("the sequence"),
                        undo=f"alter sequence {quote(named)} rename to {quote(str(sequence))}",
                    )
                continue
            column = quote(name)
            drop = f";\ndrop sequence if exists {quote(sequence)}" if sequence else ""
            sql = (
                f"alter table {self._table} alter column {column} drop default{drop};\n"
                f"alter table {self._table} alter column {column} set not null, "
                f"alter column {column} add generated {kind} as identity;\n"
                f"select setval(pg_get_serial_sequence({literal(self._table)}, {literal(name)}), "
                f"coalesce(max({column}), 0) + 1, false) from {self._table}"
            )
            yield Step(
                sql,
                f"{self._wanted.name}.{name} is an identity, which goes on behind the greatest number there is",
                EXCLUSIVE.format(self._wanted.name),
                undo=(
                    f"alter table {self._table} alter column {column} drop identity, then a sequence and "
                    f"set default {old.default or 'none'}"
                ),
            )

        for old, new in self._both:
            if _draws(new) and old.default != new.default:
                yield Step(
                    f"alter table {self._table} alter column {quote(new.name)} set default {new.default}",
                    f"{self._wanted.name}.{new.name} draws from the sequence of all spectra",
                    EXCLUSIVE.format(self._wanted.name),
                    undo=f"alter table {self._table} alter column {quote(new.name)} drop default",
                )

    def _options(self) -> Iterator[Step]:
        wants = self._wanted.options
        if not self._existing.is_table:  # partitions have options of their own
            return
        if wants and wants.replace(" ", "") not in self._existing.options:
            yield Step(
                f"alter table {self._table} set ({wants})",
                f"{self._wanted.name} leaves room on its pages, by which a re-run grows no index",
                f"share update exclusive on {self._wanted.name}, for milliseconds",
                undo=f"alter table {self._table} reset ({wants.partition(' ')[0]})",
            )

    def _types(self) -> Iterator[Step]:
        rewritten = bool(self.retyped)
        actions: list[str] = []
        undone: list[str] = []
        for old, new in self._both:
            column = quote(new.name)
            defaults = self._of_default(old, new)
            if old.type != new.type:
                actions += defaults.drop
                actions.append(f"alter column {column} type {new.type}{self._using(old, new)}")
                undone.append(f"alter column {column} type {old.type}{self._back(old, new)}")
            elif rewritten and (kept := self._without_nan(new)):
                actions += defaults.drop
                actions.append(f"alter column {column} type {new.type} using {kept}")
            elif not defaults.put:
                actions += defaults.drop
            if new.nullable and not old.nullable:
                actions.append(f"alter column {column} drop not null")
                undone.append(f"alter column {column} set not null")
            actions += defaults.put
        for new in self._added:
            if new.generated is None and new.default != IDENTITY:
                actions.append(f"add column {self._defined(new)}")
                undone.append(f"drop column {quote(new.name)}")
        for old in self.unknown:
            if not old.nullable and old.default is None and old.generated is None:
                actions.append(f"alter column {quote(old.name)} drop not null")
                undone.append(f"alter column {quote(old.name)} set not null")
        if not actions:
            return
        name = self._wanted.name
        yield Step(
            f"alter table {self._table}\n    " + ",\n    ".join(actions),
            f"columns of {name}: {self._words(rewritten)}",
            f"exclusive on {name}, {'as long as the rewrite takes' if rewritten else 'for milliseconds'}",
            f"{name} and its indexes, once" if rewritten else "nothing",
            (f"alter table {self._table} {', '.join(undone)}" if undone else "set the defaults again")
            + ("; NULL does not become NaN again: keep a copy" if rewritten else ""),
        )
        for new in self._added:
            if new.generated is None and new.default == IDENTITY:
                kind = self._wanted.identities[new.name]
                yield Step(
                    f"alter table {self._table} add column {quote(new.name)} {new.type} "
                    f"generated {kind} as identity",
                    f"{name}.{new.name} is missing",
                    f"exclusive on {name}, as long as the rewrite takes",
                    f"{name} and its indexes, once",
                    f"alter table {self._table} drop column {quote(new.name)}",
                )

    def _words(self, rewritten: bool) -> str:
        changes = [f"{new.name} {old.type} to {new.type}" for old, new in self.retyped]
        said = ", ".join(changes) or "defaults, what may be NULL, or what is missing"
        if any((old.type, new.type) == (NAIVE, AWARE) for old, new in self.retyped):
            said += f"; times without a zone are taken to be of {self._zone}"
        return said + ("; NaN becomes NULL" if rewritten else "")

    def _of_default(self, old: ColumnFacts, new: ColumnFacts) -> _Default:
        """Return what drops and what sets a default; not of numbered columns, which `numbers` mends."""
        column = quote(new.name)
        if IDENTITY in (old.default, new.default) or new.generated or old.generated:
            if old.type != new.type and old.default not in (None, IDENTITY):
                return _Default([f"alter column {column} drop default"], [])
            return _Default([], [])
        if old.default == new.default and old.type == new.type:
            return _Default([], [])
        drop = [f"alter column {column} drop default"] if old.default is not None else []
        if new.default is None or _draws(new):
            return _Default(drop, [])
        return _Default(drop, [f"alter column {column} set default {new.default}"])

    def _using(self, old: ColumnFacts, new: ColumnFacts) -> str:
        column = quote(new.name)
        if (old.type, new.type) == (NAIVE, AWARE):
            return f" using {column} at time zone {literal(self._zone)}"
        if old.type in _FLOATING and new.type in _FLOATING:
            return f" using nullif({column}, 'NaN')" if new.nullable else ""
        return "" if _is_wider(old.type, new.type) else f" using {column}::{new.type}"

    def _back(self, old: ColumnFacts, new: ColumnFacts) -> str:
        if (old.type, new.type) == (NAIVE, AWARE):
            return f" using {quote(new.name)} at time zone {literal(self._zone)}"
        return ""

    def _without_nan(self, column: ColumnFacts) -> str | None:
        name = quote(column.name)
        if column.type in _FLOATING:
            # NaN where there must be a value is for a person to judge: it stops the check, by name.
            return f"nullif({name}, 'NaN')" if column.nullable else None
        return f"array_replace({name}, 'NaN', null)" if column.type == REAL_ARRAY.sql else None

    def _not_null(self) -> Iterator[Step]:
        for old, new in self._both:
            if old.nullable and not new.nullable and new.default != IDENTITY:
                column = quote(new.name)
                filled = ""
                if new.default is not None and not _draws(new):
                    filled = f"update {self._table} set {column} = {new.default} where {column} is null;\n"
                yield Step(
                    f"{filled}alter table {self._table} alter column {column} set not null",
                    f"{self._wanted.name}.{new.name} has a value in every row; a row without one stops this: "
                    f"select * from {self._table} where {column} is null",
                    f"exclusive on {self._wanted.name}, as long as it takes to read it",
                    "rows without a value" if filled else "nothing",
                    f"alter table {self._table} alter column {column} drop not null",
                )

    def _computed(self) -> Iterator[Step]:
        """Columns that the database computes: another expression is another column."""
        pairs = [(None, column) for column in self._added] + [
            (old, new) for old, new in self._both if old.generated != new.generated
        ]
        for old, new in pairs:
            if new.generated is None:
                continue
            column = quote(new.name)
            drop = "" if old is None else f"drop column {column}, "
            yield Step(
                f"alter table {self._table} {drop}add column {column} {new.type} not null "
                f"generated always as ({new.generated}) stored",
                f"{self._wanted.name}.{new.name} is computed by the database",
                f"exclusive on {self._wanted.name}, as long as the rewrite takes",
                f"{self._wanted.name} and its indexes, once",
                f"alter table {self._table} drop column {column}",
            )

    def _nan(self) -> Iterator[Step]:
        """Rows with NaN would stop the check; where the table is rewritten there are none any more."""
        check = f"{self._wanted.name}_no_nan_check"
        if self.retyped or check not in self._wanted.draft.checks:
            return
        if any(one.name == check and one.valid for one in self._existing.checks):
            return
        numbers = [quote(new.name) for old, new in self._both if old.type in _FLOATING and new.nullable]
        put = ", ".join(f"{number} = nullif({number}, 'NaN')" for number in numbers)
        yield Step(
            f"update {self._table} set {put}\nwhere greatest({', '.join(numbers)}) = 'NaN'",
            f"NaN becomes NULL in {self._wanted.name}: `teff > 5000` would return it",
            "row by row, those that hold NaN",
            "rows that hold NaN",
            "none: keep a copy",
        )

    def _defined(self, column: ColumnFacts) -> str:
        words = [quote(column.name), column.type]
        if column.default is not None:
            words.append(f"default {column.default}")
        return " ".join(words + ([] if column.nullable else ["not null"]))


class _Default:
    def __init__(self, drop: list[str], put: list[str]) -> None:
        self.drop, self.put = drop, put


def _draws(column: ColumnFacts) -> bool:
    """Whether a column is filled from a sequence, which has to be there before."""
    return column.default is not None and "nextval(" in column.default


def _is_wider(old: str, new: str) -> bool:
    order = ["smallint", "integer", "bigint"]
    return old in order and new in order and order.index(old) < order.index(new)
