"""Parts of the statements that store rows: what is filled in, what comes back, what is there for a connection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from astra_outputs.postgres.sql import literal, qualified, quote, templates


def with_number(schema: str, columns: Sequence[str], values: Sequence[str]) -> list[str]:
    """Return the values of a spectrum's columns, as SQL, with a number for a new one where the row brings none."""
    filled = dict(zip(columns, values, strict=True))
    sequence = literal(qualified(schema, "spectrum_pk_seq"))
    filled["spectrum_pk"] = f"coalesce({filled['spectrum_pk']}, nextval({sequence}::regclass))"
    return list(filled.values())


def with_source(schema: str, columns: Sequence[str], values: Sequence[str]) -> list[str]:
    """Return the values of a result's columns, as SQL, with the source of its spectrum, which refuses another one."""
    filled = dict(zip(columns, values, strict=True))
    source = templates("saving")["source_of_spectrum"].fill(
        table=qualified(schema, "spectrum"), given=filled["source_pk"], spectrum=filled["spectrum_pk"]
    )
    filled["source_pk"] = f"(\n{source}\n)"
    return list(filled.values())


@lru_cache(maxsize=64)
def source_of_row(schema: str) -> str:
    """The source of a spectrum, given one ($1) and the spectrum ($2); refuses another one."""
    return templates("saving")["source_of_spectrum"].fill(
        table=qualified(schema, "spectrum"), given="$1::bigint", spectrum="$2::bigint"
    )


def spectra_of_others(schema: str) -> str:
    """Which of the spectra given as an array, with a source each, are of another one."""
    return templates("saving")["other_sources"].fill(table=qualified(schema, "spectrum"))


def arrays_of(names: Iterable[str]) -> str:
    """Return columns as one array each."""
    return ", ".join(f"array_agg({quote(name)}) as {quote(name)}" for name in names)


def temporary(name: str) -> str:
    """Return the name of what a connection has for itself."""
    return f"pg_temp.{quote(name)}"
