"""What differs between what is said of one table: by its record class, its SQL file, its database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from astra_outputs.catalog.compare_flags import differences_of_flags
from astra_outputs.catalog.difference import MISSING, NONE, Difference, Says, differ, union
from astra_outputs.catalog.model import IDENTITY, ColumnFacts, TableFacts, key
from astra_outputs.names import is_administrators_check

TASK_PK, SPREAD_TASK_PK = key(["task_pk"]), key(["task_pk", "spectrum_pk"])
"""The primary key of a table of results: of a plain one, and of one whose rows are spread by their spectrum."""

Facts = Mapping[Says, TableFacts]
Columns = Mapping[Says, ColumnFacts]


def differences(name: str, said: Mapping[Says, TableFacts | None]) -> list[Difference]:
    """Return how those who were asked differ in what they say of one table.

    Parameters
    ----------
    name : str
        The table.
    said : Mapping[Says, TableFacts or None]
        None for one that knows no such table. One that was not asked is left out.
    """
    facts = {who: table for who, table in said.items() if table is not None}
    found: list[Difference] = []
    if len(facts) < len(said):
        says = {who: MISSING if who not in facts else "exists" for who in said}
        stops = says.get(Says.DATABASE) == MISSING
        found.append(Difference(name, None, "table", says, stops, stops))
    if len(facts) > 1:
        found += [*_of_table(name, facts), *_of_columns(name, facts), *differences_of_flags(name, facts)]
    return found


def _of_table(name: str, facts: Facts) -> Iterator[Difference]:
    comment = {who: f'"{table.comment}"' if table.comment else NONE for who, table in facts.items()}
    if differ(comment):
        yield Difference(name, None, "comment", comment)
    primary_key = {who: table.primary_key or NONE for who, table in facts.items()}
    if differ(primary_key) and not _is_only_spread(primary_key):
        yield Difference(name, None, "primary key", primary_key)
    for difference in _of_sets(name, "unique key", {who: table.unique for who, table in facts.items()}):
        says = difference.says  # an upsert names the key: without it, it fails
        stops = says.get(Says.RECORD) != MISSING and says.get(Says.DATABASE) == MISSING
        yield Difference(name, None, difference.aspect, says, stops)
    yield from _of_sets(name, "foreign key", {who: table.foreign_keys for who, table in facts.items()})
    checks = {who: table.checks for who, table in facts.items() if table.checks is not None}
    for constraint in union(checks.values()):
        says = {who: known.get(constraint, MISSING) for who, known in checks.items()}
        added = says.get(Says.DATABASE) != MISSING and MISSING in says.values()
        if differ(says) and not (added and is_administrators_check(constraint)):
            yield Difference(name, None, f"check {constraint}", says)
    indexes = {who: table.indexes for who, table in facts.items() if table.indexes is not None}
    for difference in _of_sets(name, "index", indexes):
        if difference.says.get(Says.DATABASE) == MISSING:  # an administrator may add more
            yield difference


def _is_only_spread(primary_key: Mapping[Says, str]) -> bool:
    """Tell whether the database adds the column by which it spreads rows over partitions or servers, as it has to.

    The identity is unique still, by its sequence.
    """
    others = {said for who, said in primary_key.items() if who != Says.DATABASE}
    return len(others) == 1 and is_only_spread(others.pop(), primary_key[Says.DATABASE])


def is_only_spread(wanted: str, has: str) -> bool:
    """Tell the same of the key that the file wants and the one that the database has."""
    return wanted == TASK_PK and has == SPREAD_TASK_PK


def _of_sets(name: str, kind: str, sets: Mapping[Says, frozenset[str]]) -> Iterator[Difference]:
    for entry in sorted(frozenset().union(*sets.values())):
        says = {who: "exists" if entry in known else MISSING for who, known in sets.items()}
        if differ(says):
            yield Difference(name, None, f"{kind} {entry}", says)


def _of_columns(name: str, facts: Facts) -> Iterator[Difference]:
    for column in union(table.columns for table in facts.values()):
        said = {who: table.columns.get(column) for who, table in facts.items()}
        known = {who: what for who, what in said.items() if what is not None}
        if len(known) < len(said):
            says = {who: MISSING if what is None else _type_of(what) for who, what in said.items()}
            stops_reading = says.get(Says.DATABASE) == MISSING and says.get(Says.RECORD) != MISSING
            yield Difference(name, column, "column", says, _cannot_insert(said), stops_reading)
        for aspect, say in _ASPECTS.items():
            says = {who: say(what) for who, what in known.items()}
            if differ(says):
                stops_reading = aspect == "type" and _between_record_and_database(aspect, known)
                yield Difference(name, column, aspect, says, _stops(aspect, known), stops_reading)


_ASPECTS: Mapping[str, Callable[[ColumnFacts], str]] = {
    "type": lambda column: column.type,
    "nullability": lambda column: "may be NULL" if column.nullable else "not NULL",
    "default": lambda column: column.default or NONE,
    "generated": lambda column: column.generated or NONE,
    "comment": lambda column: f'"{column.comment}"' if column.comment else NONE,
}


def _type_of(column: ColumnFacts) -> str:
    return column.type if column.nullable else f"{column.type} not null"


def _cannot_insert(said: Mapping[Says, ColumnFacts | None]) -> bool:
    """Whether a column that one of them lacks keeps a record from being stored."""
    if Says.DATABASE not in said:
        return False
    database = said[Says.DATABASE]
    if database is None:
        return said.get(Says.RECORD) is not None
    fills_itself = database.nullable or database.default is not None or database.generated is not None
    return said.get(Says.RECORD, database) is None and not fills_itself


def _stops(aspect: str, known: Columns) -> bool:
    """Whether a difference between record class and database keeps a record from being stored."""
    if not _between_record_and_database(aspect, known):
        return False
    record, database = known[Says.RECORD], known[Says.DATABASE]
    if aspect == "default":
        return record.filled_by_server and database.default is None
    if aspect == "nullability":  # what the record may leave out, the database wants
        return record.nullable and database.generated is None and database.default != IDENTITY
    return aspect in ("type", "generated")


def _between_record_and_database(aspect: str, known: Columns) -> bool:
    record, database = known.get(Says.RECORD), known.get(Says.DATABASE)
    return (
        record is not None and database is not None and _ASPECTS[aspect](record) != _ASPECTS[aspect](database)
    )
