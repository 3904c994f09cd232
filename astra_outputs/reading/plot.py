"""`outputs.plot`: a question becomes a picture, and only the columns that it is made of are read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from astra_outputs.discover import record_classes
from astra_outputs.errors import InvalidPicture
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.record import Record
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.plots.bars import Covered, coverage
from astra_outputs.plots.kinds import COMPARE, COUNT, COVERAGE, kind_named
from astra_outputs.plots.picture import Picture, check_style
from astra_outputs.postgres.database import Database
from astra_outputs.reading.columns import Columns
from astra_outputs.reading.question import Asked
from astra_outputs.reading.scope import RESULT, Scope
from astra_outputs.reading.status import status_of


async def plot(
    database: Database,
    record_class: type[Record],
    kind: str,
    condition: str | None,
    parameters: Sequence[Any],
    asked: Asked,
    *,
    columns: str | Sequence[str],
    colour: str | None,
    style: str | Path | None,
    title: str | None,
    connections: int,
) -> Picture:
    """Return a picture; see `Outputs.plot`."""
    named = [columns] if isinstance(columns, str) else list(columns)
    if kind == COVERAGE:
        given = {"a condition": condition, "columns": named, "colour": colour, **asked}
        useless = [name for name, value in given.items() if value]
        if useless:
            raise InvalidPicture(
                f"coverage counts all results of each version: leave out {', '.join(useless)}"
            )
        return await _coverage(database, record_class, style, title)
    if kind == COMPARE:
        raise InvalidPicture("two versions are drawn by (await outputs.compare(...)).plot()")
    kept = kind_named(kind)
    scope = Scope.of(record_class, asked.get("spectrum_class"))
    if scope.main == RESULT and asked.get("v_astra") is None:
        asked.setdefault("newest", True)
    chosen = kept.columns(record_class.table, names_a_column(scope), named, colour)
    answer = Columns.of(
        database,
        record_class,
        condition,
        parameters,
        asked,
        columns=list({_place(scope, name): name for name in chosen.values()}.values()),
        spectrum=False,
        source=False,
        connections=connections,
    )
    wanted = chosen.get("colour", COUNT)
    return await answer.plot(
        kind, *named, colour=wanted, style=style, title=title or title_of(scope, condition, asked)
    )


def _place(scope: Scope, entry: str) -> tuple[str, str]:
    """Return table and name of a column, which may be spelt in two ways: `g_mag` of sources is `source.g_mag`."""
    alias, _, name = entry.rpartition(".")
    found = scope.column(alias or None, name)
    return found.alias, found.column.name


async def _coverage(
    database: Database, record_class: type[Record], style: str | Path | None, title: str | None
) -> Picture:
    if not (issubclass(record_class, PipelineOutputMixin)):
        raise InvalidPicture(f"coverage is about results; a {record_class.__name__} is none")
    check_style(style)
    kinds = [entry for entry in record_classes() if issubclass(entry, SpectrumMixin)]
    found = await status_of(database, record_class, kinds, {})
    if not found:
        raise InvalidPicture(f"{record_class.table} has no result: there is nothing to draw")

    bars = [Covered(f"{one.table} {one.version}", one.spectra, one.done, one.pending) for one in found]
    above = title or f"{record_class.table}: spectra by version"

    def fill(figure: Any) -> None:
        coverage(figure, bars, above)

    return await asyncio.to_thread(Picture, title or f"{record_class.table}: coverage", fill, style)


def names_a_column(scope: Scope) -> Callable[[str], bool]:
    """Return what tells whether a question can name a column: `teff`, `source.ra`."""
    known = {alias: {column.name for column in of.columns()} for alias, of in scope.tables.items()}

    def is_there(entry: str) -> bool:
        alias, _, name = entry.rpartition(".")
        return name in known.get(alias or scope.main, ())

    return is_there


def title_of(scope: Scope, condition: str | None, asked: Asked) -> str:
    """Return what stands above a picture: the table, the version, the condition."""
    version = asked.get("v_astra")
    parts = [scope.record_class.table if version is None else f"{scope.record_class.table} {version}"]
    if condition is not None:
        parts.append(" ".join(condition.split()))
    return ", ".join(parts)
