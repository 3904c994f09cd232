"""What it costs to build a valid record, beside a plain Pydantic model with as many optional floats."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from pydantic import create_model

from benchmarks.measure import ratio, say
from benchmarks.tables import WIDTHS, SpectrumKeys, Table, rows_of


def run(count: int, rounds: int) -> dict[str, Any]:
    """Return microseconds a record, by width."""
    return {str(width): _width(width, count, rounds) for width in WIDTHS}


def _width(width: int, count: int, rounds: int) -> dict[str, Any]:
    say(f"{width} columns: validation of {count} records")
    table = Table(width)
    rows = rows_of(table, count)
    floats: dict[str, Any] = dict.fromkeys(table.labels, (float | None, None))
    plain = create_model(f"Plain{width}", **floats)
    build = table.record_class.from_spectrum
    pairs = [
        (
            SpectrumKeys(row["spectrum_pk"], row["source_pk"]),
            {name: row[name] for name in ("v_astra", *table.labels)},
        )
        for row in rows
    ]
    labels = [{name: row[name] for name in table.labels} for row in rows]
    ways: dict[str, Callable[[], None]] = {
        "from_spectrum": lambda: _consume(build(spectrum, values) for spectrum, values in pairs),
        "from_spectrum_spread": lambda: _consume(build(spectrum, **values) for spectrum, values in pairs),
        "model_validate": lambda: _consume(map(plain.model_validate, labels)),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    for _ in range(rounds):
        for name, way in ways.items():
            gc.collect()
            start = time.perf_counter()
            way()
            taken[name].append(time.perf_counter() - start)
    return {
        "records": count,
        "rounds": rounds,
        **{name: round(1e6 * median(times) / count, 2) for name, times in taken.items()},
        "ratio": round(ratio(taken["from_spectrum"], taken["model_validate"]), 3),
    }


def _consume(records: Any) -> None:
    for _ in records:
        pass
