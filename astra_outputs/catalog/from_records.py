"""What a record class says of its table."""

from __future__ import annotations

from astra_outputs.catalog import normal
from astra_outputs.catalog.model import IDENTITY, ColumnFacts, TableFacts, foreign_key, key
from astra_outputs.model.columns import REQUIRED, Column
from astra_outputs.model.record import Record
from astra_outputs.model.spectrum import SpectrumMixin

NEXT_SPECTRUM = normal.expression("nextval('spectrum_pk_seq')")
"""How the spectra tables fill `spectrum_pk`: one sequence numbers the spectra of all kinds."""


def table_of(record_class: type[Record]) -> TableFacts:
    """Return what a record class says of its table."""
    is_spectrum = issubclass(record_class, SpectrumMixin)
    columns = {column.name: _column(column) for column in record_class.columns()}
    unique = {key(names) for names in record_class.natural_keys}
    if is_spectrum:
        # A record may leave its spectrum_pk to the database, or bring one along; the column always has one.
        name = "spectrum_pk"
        columns[name] = ColumnFacts(
            name,
            columns[name].type,
            nullable=False,
            default=NEXT_SPECTRUM,
            comment=columns[name].comment,
            filled_by_server=True,
        )
        unique.add(key([name]))
    return TableFacts(
        name=record_class.table,
        columns=columns,
        comment=record_class.title,
        primary_key=key([record_class.primary_key]),
        unique=frozenset(unique),
        foreign_keys=frozenset(
            foreign_key([column.name], table, [name])
            for column in record_class.columns()
            if column.references
            for table, name in [column.references.split(".")]
        ),
        flags=record_class.flag_names.bits,
    )


def _column(column: Column) -> ColumnFacts:
    return ColumnFacts(
        name=column.name,
        type=column.type.sql,
        nullable=column.nullable,
        default=_default(column),
        generated=None if column.generated is None else normal.expression(column.generated),
        comment=column.comment,
        filled_by_server=column.server_default is not None,
    )


def _default(column: Column) -> str | None:
    if column.server_default == IDENTITY:
        return IDENTITY
    if column.server_default is not None:
        return normal.expression(column.server_default)
    if column.default is None or column.default is REQUIRED or column.generated is not None:
        return None
    return normal.constant(column.default)
