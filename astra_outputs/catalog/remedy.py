"""The statement that mends a difference between a record class and its table in the database."""

from __future__ import annotations

from collections.abc import Iterable

from astra_outputs.catalog.difference import MISSING, Difference, Says
from astra_outputs.catalog.model import IDENTITY
from astra_outputs.model.columns import Column
from astra_outputs.model.record import Record
from astra_outputs.postgres.sql import listed, literal, qualified, quote


def in_words(
    differences: Iterable[Difference], record_class: type[Record], schema: str, *, reading: bool = False
) -> str:
    """Return differences as lines, each with what mends it; what `check` says of them, too."""
    lines: list[str] = []
    for difference in sorted(differences, key=lambda entry: entry.column is None):  # a key needs its columns
        mend = remedy(difference, record_class, schema)
        # Whoever reads a table that others write to will not want it changed.
        lines += [f"  {difference}"] + ([f"    mend it by: {mend}"] if mend and not reading else [])
    return "\n".join(lines)


def remedy(difference: Difference, record_class: type[Record], schema: str) -> str | None:
    """Return the statement, for a DBA to judge, or the file to apply; None where neither will do.

    `create table if not exists` passes over a table that is there: its file mends no column.
    """
    table = qualified(schema, record_class.table)
    if difference.aspect == "table":
        return f"apply the SQL file of {record_class.table}, {record_class.table}.sql"
    if difference.aspect.startswith("unique key ("):
        names = difference.aspect.removeprefix("unique key (").partition(")")[0].split(", ")
        return f"alter table {table} add unique ({listed(names)});"
    column = _column(record_class, difference.column)
    if column is None:
        return None
    name = quote(column.name)
    match difference.aspect:
        case "column" if difference.says.get(Says.DATABASE) == MISSING:
            return f"alter table {table} add column {name} {definition(column)};"
        case "type":
            return f"alter table {table} alter column {name} type {column.type.sql};"
        case "nullability" if column.nullable:
            return f"alter table {table} alter column {name} drop not null;"
        case "default" if column.server_default not in (None, IDENTITY):
            return f"alter table {table} alter column {name} set default {column.server_default};"
    return None


def definition(column: Column) -> str:
    """Return the type of a column, its default and whether it may be NULL, as `create table` has them."""
    if column.server_default == IDENTITY:
        return f"{column.type.ddl} generated always as identity"
    words = [column.type.ddl] + ([] if column.nullable else ["not null"])
    if column.generated is not None:
        words.append(f"generated always as ({column.generated}) stored")
    elif column.server_default is not None:
        words.append(f"default {column.server_default}")
    elif isinstance(column.default, str):
        words.append(f"default {literal(column.default)}")
    elif isinstance(column.default, int | float):
        words.append(f"default {column.default}")
    return " ".join(words)


def _column(record_class: type[Record], name: str | None) -> Column | None:
    return next((column for column in record_class.columns() if column.name == name), None)
