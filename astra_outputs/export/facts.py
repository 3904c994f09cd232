"""What is said of a file as a whole: pipeline, version, time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from astra_outputs.export.products import Product
from astra_outputs.export.selection import tables_of
from astra_outputs.model.record import Record
from astra_outputs.model.version import format_version, parse_major_minor
from astra_outputs.postgres.database import Database
from astra_outputs.postgres.frozen import frozen_versions
from astra_outputs.reading.condition import bindable
from astra_outputs.reading.copying import Copying
from astra_outputs.reading.near import position
from astra_outputs.reading.question import Asked
from astra_outputs.reading.scope import RESULT

Fact = tuple[str, Any, str]
"""A keyword, its value, and what it means."""


def facts_of(reading: Copying, v_astra: str | int | None) -> list[Fact]:
    """Return what a file's header says of all its rows."""
    scope = reading.question.scope
    facts: list[Fact] = []
    if scope.main == RESULT:
        facts.append(("PIPELINE", scope.record_class.table, "table of the results"))
    if v_astra is not None:
        version = format_version(v_astra) if isinstance(v_astra, int) else v_astra.strip()
        facts.append(("V_ASTRA", version, "version of the results"))
    written = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return [*facts, ("CREATED", written, "time when this was written (UTC)")]


async def release_of(database: Database, reading: Copying, v_astra: str | int | None) -> list[Fact]:
    """Return the release that the results of a file are published in, where one version was asked for and is frozen."""
    scope = reading.question.scope
    if scope.main != RESULT or v_astra is None:
        return []
    table = scope.record_class.table
    frozen = await database.run(lambda connection: frozen_versions(connection, database.schema, table))
    names = [one.release for one in frozen if one.major_minor == parse_major_minor(v_astra)]
    return [("RELEASE", ", ".join(names), "release that publishes these results")] if names else []


LONGEST_QUESTION = 4_000
"""Characters of a question that a header has room for: one with a thousand keys is not kept."""


def question_of(
    what: type[Record] | Product, condition: str | None, parameters: Sequence[Any], asked: Asked
) -> list[Fact]:
    """Return what was asked, as JSON, by which `verify` finds rows that came later.

    Of a question that JSON cannot say, or that is too long, only which rows it was about.
    """
    of: dict[str, Any] = {"of": what.name if isinstance(what, Product) else what.table}
    if not isinstance(what, Product):
        of["spectra"] = [kind.table for _, kind in tables_of(what, asked.get("spectrum_class")) if kind]
    elif what.is_part:
        of["spectra"] = [kind.table for kind in what.spectra]
    near = asked.get("near")
    said = of | {"condition": condition, "parameters": [*map(bindable, parameters)]}
    said |= {name: asked.get(name) for name in ("v_astra", "newest", "on", "limit")}
    said["near"] = None if near is None else position(near)
    for question in (said, of | {"incomplete": True}):
        try:
            text = json.dumps(
                {name: value for name, value in question.items() if value not in (None, False, [])}
            )
        except (TypeError, ValueError):
            continue
        if len(text) <= LONGEST_QUESTION:
            return [("QUESTION", text, "")]
    return []
