"""What is said of a file as a whole: pipeline, version, time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from astra_outputs.model.version import format_version
from astra_outputs.reading.copying import Copying
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
