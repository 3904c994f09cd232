"""Parts of the statements that store rows: what is filled in, what comes back, what is there for a connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from astra_outputs.model.columns import Column
from astra_outputs.postgres.sql import listed, literal, qualified, quote, templates
from astra_outputs.saving.options import Guards
from astra_outputs.saving.traits import Traits

SOURCE_OF_SPECTRUM = "source_of_spectrum"
"""The function of schema/add-ons/citus.sql that finds the source of a spectrum, given one and the spectrum."""


def with_number(schema: str, columns: Sequence[str], values: Sequence[str]) -> list[str]:
    """Return the values of a spectrum's columns, as SQL, with a number for a new one where the row brings none."""
    filled = dict(zip(columns, values, strict=True))
    sequence = literal(qualified(schema, "spectrum_pk_seq"))
    filled["spectrum_pk"] = f"coalesce({filled['spectrum_pk']}, nextval({sequence}::regclass))"
    return list(filled.values())


def with_source(
    schema: str, columns: Sequence[str], values: Sequence[str], *, called: bool = False
) -> list[str]:
    """Return the values of a result's columns, as SQL, with the source of its spectrum, which refuses another one.

    No query may stand in a row of values that Citus stores: with `called` the function of schema/add-ons/citus.sql asks.
    """
    filled = dict(zip(columns, values, strict=True))
    given, spectrum = filled["source_pk"], filled["spectrum_pk"]
    if called:
        filled["source_pk"] = f"{qualified(schema, SOURCE_OF_SPECTRUM)}({given}, {spectrum})"
        return list(filled.values())
    source = templates("saving")["source_of_spectrum"].fill(
        table=qualified(schema, "spectrum"), given=given, spectrum=spectrum
    )
    filled["source_pk"] = f"(\n{source}\n)"
    return list(filled.values())


def spectra_of_others(schema: str) -> str:
    """Which of the spectra given as an array, with a source each, are of another one."""
    return templates("saving")["other_sources"].fill(table=qualified(schema, "spectrum"))


def missing_references(schema: str, columns: Iterable[Column]) -> dict[str, str]:
    """By column, which of the keys given as an array the table that it refers to does not have."""
    queries = {}
    for column in columns:
        if column.references is not None:
            table, key = column.references.split(".")
            queries[column.name] = templates("saving")["missing_references"].fill(
                type=column.type.sql, table=qualified(schema, table), column=quote(key)
            )
    return queries


def held_back(table: str, guards: Guards, compared: Mapping[str, str]) -> list[str]:
    """Return the conditions under which a row is replaced; `compared` has what is given, by column."""
    stored, conditions = quote(table), []
    if guards.keep_newer:
        conditions.append(f"{stored}.v_astra <= excluded.v_astra")
    if guards.not_after is not None:
        # A literal: neither a parameter nor a setting may stand here on a distributed table.
        time = literal(guards.not_after.isoformat())
        conditions.append(f"{stored}.modified <= {time}::timestamptz")
    if guards.skip_unchanged:
        given = ", ".join(compared.values())
        # Where only the key was given nothing can have changed.
        conditions.append(f"({listed(compared, stored)}) is distinct from ({given})" if compared else "false")
    return conditions


def as_known(table: str, traits: Traits, *, several: bool = False) -> list[str]:
    """Return the conditions under which a table, by its quoted name, is still as it was when its traits were asked.

    Parameters
    ----------
    table : str
    traits : Traits
    several : bool
        Whether rows may go without a transaction, which triggers that leave rows out do not allow.
    """
    relation = literal(table)
    if traits.file is None:
        return []
    conditions = [f"pg_relation_filenode({relation}::regclass) = {traits.file}"]
    if several and not traits.may_drop_rows:
        conditions.append(f"({templates('saving')['without_triggers'].fill(relation=relation)})")
    return conditions


def arrays_of(names: Iterable[str]) -> str:
    """Return columns as one array each."""
    return ", ".join(f"array_agg({quote(name)}) as {quote(name)}" for name in names)


def temporary(name: str) -> str:
    """Return the name of what a connection has for itself."""
    return f"pg_temp.{quote(name)}"
