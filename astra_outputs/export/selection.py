"""Which columns a file has, and in which order: those of the source, of the spectrum, of the pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from astra_outputs.export.products import Product, minor_of
from astra_outputs.model.flag_summary import summaries_of
from astra_outputs.model.record import Record
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.reading.condition import Condition
from astra_outputs.reading.copying import Copying
from astra_outputs.reading.layout import Layout
from astra_outputs.reading.outputs import Output, chosen, everything
from astra_outputs.reading.question import Asked, Question
from astra_outputs.reading.scope import DRP_SPECTRUM, RESULT, SOURCE, SPECTRUM, Scope

LEFT_OUT = ("pk", "input_spectrum_pks", "v_astra_major_minor")
"""Columns that no published file has, and neither those that begin with `rho_`, unless they are asked for."""

INSTRUMENTS = ("BOSS", "APOGEE")
"""The tables of a published file, in order; one without rows stands for spectra that a pipeline does not take."""


def selected(
    what: type[Record] | Product,
    condition: str | None,
    parameters: Sequence[Any],
    asked: Asked,
    columns: Sequence[str] | None,
    connections: int,
) -> list[Copying]:
    """Return what is to be read for each table of a file: those of a product, or one for each class of spectra.

    Raises
    ------
    InvalidCondition, UnknownColumn, AmbiguousFlag, WrongRecordClass
        As in `Outputs.columns`.
    """
    tables = tables_of(what, asked.get("spectrum_class"))
    of_one_kind = isinstance(what, Product) or len(tables) > 1
    readings = []
    for record_class, kind in tables:
        options: Asked = {**asked, "spectrum_class": kind}
        more: list[tuple[str, tuple[Any, ...]]] = []
        if kind is not None and of_one_kind:
            more.append(("spectrum.spectrum_pk is not null", ()))
        if (
            isinstance(what, Product)
            and kind is None
            and (version := options.pop("v_astra", None)) is not None
        ):
            more += _of_version(record_class, version)
        question = Question.of(record_class, condition, parameters, options)
        question = question.also(*(Condition.of(text, values, question.scope) for text, values in more))
        readings.append(Copying(question, Layout.of(released(question.scope, columns)), connections))
    return readings


def tables_of(
    what: type[Record] | Product, spectra: Any
) -> list[tuple[type[Record], type[SpectrumMixin] | None]]:
    """Return the class of the rows of each table, and that of their spectra as it is asked for."""
    if isinstance(what, Product):
        return list(what.tables)
    return [(what, kind) for kind in kinds_of(spectra)]


def kinds_of(spectra: Any) -> list[Any]:
    """Return the classes of spectra that are asked for, one or several; one that is None where none is."""
    return list(spectra) if isinstance(spectra, tuple | list) else [spectra]


def _of_version(record_class: type[Record], version: str | int) -> list[tuple[str, tuple[Any, ...]]]:
    """Return the condition on spectra that have a version, of Astra that made them, as a text."""
    column = next((column for column in record_class.columns() if column.name == "v_astra"), None)
    if column is None or column.type.content != "text":
        return []
    return [("starts_with(v_astra, $1)", (f"{minor_of(version)}.",))]


def released(scope: Scope, columns: Sequence[str] | None) -> tuple[Output, ...]:
    """Return the columns of a file: those that are named, else all that a published file has."""
    if columns is not None:
        return chosen(scope, columns)
    if scope.main == RESULT:
        scope.table(SPECTRUM)  # refused where the class does not say what its spectra are
    order = (SOURCE, DRP_SPECTRUM, SPECTRUM, RESULT, "row")
    kept = [output for output in everything(scope) if not _left_out(output.column.name)]
    ordered = sorted(kept, key=lambda output: order.index(output.named.alias))
    return tuple(with_them for output in ordered for with_them in (output, *_summaries(scope, output)))


def summaries_in(scope: Scope) -> tuple[Output, ...]:
    """Return all summaries of the flags of the rows, as columns."""
    names = list(summaries_of(scope.record_class))
    return chosen(scope, names) if names else ()


def _summaries(scope: Scope, output: Output) -> tuple[Output, ...]:
    """Return what a file says of the flags of a result behind them: flag_warn, flag_bad."""
    if output.named.alias != RESULT:
        return ()
    known = summaries_of(scope.record_class).items()
    names = [name for name, summary in known if summary.column == output.column.name]
    return chosen(scope, names) if names else ()


def _left_out(name: str) -> bool:
    return name in LEFT_OUT or name.startswith("rho_")


def instrument(scope: Scope) -> str | None:
    """Return the instrument that the spectra are of: BOSS, APOGEE, or None."""
    kind = scope.tables.get(SPECTRUM)
    if kind is None or not issubclass(kind, SpectrumMixin):
        return None
    return next((name for name in ("BOSS", "APOGEE") if kind.table.startswith(name.lower())), None)


def named_tables(readings: Sequence[Copying]) -> dict[str, Copying | None]:
    """Return by the name of each table what is read for it: None for an instrument without rows."""
    named: dict[str, Copying | None] = {}
    for reading in readings:
        scope = reading.question.scope
        name = instrument(scope) or scope.record_class.table.upper()
        if name in named:
            name = scope.tables["spectrum"].table.upper()
        named[name] = reading
    if set(named) & set(INSTRUMENTS):
        return {name: named.pop(name, None) for name in INSTRUMENTS} | named
    return named
