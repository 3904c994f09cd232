"""Which columns a file has, and in which order: those of the source, of the spectrum, of the pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from astra_outputs.model.flag_summary import summaries_of
from astra_outputs.model.record import Record
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.reading.condition import Condition
from astra_outputs.reading.copying import Copying
from astra_outputs.reading.layout import Layout
from astra_outputs.reading.outputs import Output, chosen
from astra_outputs.reading.question import Asked, Question
from astra_outputs.reading.scope import RESULT, SOURCE, SPECTRUM, Scope

LEFT_OUT = ("pk", "input_spectrum_pks", "v_astra_major_minor")
"""Columns that no published file has, and neither those that begin with `rho_`, unless they are asked for."""


def selected(
    record_class: type[Record],
    condition: str | None,
    parameters: Sequence[Any],
    asked: Asked,
    columns: Sequence[str] | None,
    connections: int,
) -> list[Copying]:
    """Return what is to be read for each table of a file: one for each class of spectra that is given.

    Raises
    ------
    InvalidCondition, UnknownColumn, AmbiguousFlag, WrongRecordClass
        As in `Outputs.columns`.
    """
    given: Any = asked.get("spectrum_class")
    kinds = list(given) if isinstance(given, tuple | list) else [given]
    return [
        _of_kind(
            record_class,
            condition,
            parameters,
            {**asked, "spectrum_class": kind},
            columns,
            connections,
            len(kinds),
        )
        for kind in kinds
    ]


def _of_kind(
    record_class: type[Record],
    condition: str | None,
    parameters: Sequence[Any],
    asked: Asked,
    columns: Sequence[str] | None,
    connections: int,
    kinds: int,
) -> Copying:
    question = Question.of(record_class, condition, parameters, asked)
    if kinds > 1:
        of_this_kind = Condition.of("spectrum.spectrum_pk is not null", (), question.scope)
        question = replace(
            question,
            conditions=(*question.conditions, of_this_kind),
            aliases=question.aliases | of_this_kind.aliases,
        )
    return Copying(question, Layout.of(released(question.scope, columns)), connections)


def released(scope: Scope, columns: Sequence[str] | None) -> tuple[Output, ...]:
    """Return the columns of a file: those that are named, else all that a published file has."""
    if columns is not None:
        return chosen(scope, columns)
    joined = {alias: alias != scope.main and alias in _tables(scope) for alias in (SPECTRUM, SOURCE)}
    outputs = chosen(scope, None, spectrum=joined[SPECTRUM], source=joined[SOURCE])
    order = (SOURCE, SPECTRUM, RESULT, "row")
    kept = [output for output in outputs if not _left_out(output.column.name)]
    ordered = sorted(kept, key=lambda output: order.index(output.named.alias))
    return tuple(with_them for output in ordered for with_them in (output, *_summaries(scope, output)))


def _summaries(scope: Scope, output: Output) -> tuple[Output, ...]:
    """Return what a file says of the flags of a result behind them: flag_warn, flag_bad."""
    if output.named.alias != RESULT:
        return ()
    known = summaries_of(scope.record_class).items()
    names = [name for name, summary in known if summary.column == output.column.name]
    return chosen(scope, names) if names else ()


def _tables(scope: Scope) -> tuple[str, ...]:
    """Return the names of all tables; a result whose class does not say what its spectra are is refused."""
    if scope.main == RESULT:
        scope.table(SPECTRUM)
    return tuple(scope.tables)


def _left_out(name: str) -> bool:
    return name in LEFT_OUT or name.startswith("rho_")


def instrument(scope: Scope) -> str | None:
    """Return the instrument that the spectra are of: BOSS, APOGEE, or None."""
    kind = scope.tables.get(SPECTRUM)
    if kind is None or not issubclass(kind, SpectrumMixin):
        return None
    return next((name for name in ("BOSS", "APOGEE") if kind.table.startswith(name.lower())), None)
