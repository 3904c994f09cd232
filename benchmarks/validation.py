"""What it costs to build a valid record, and to keep it, beside a plain Pydantic model with as many floats.

A record that is dropped at once is what a stream costs; one that is kept is read by every pass of the garbage
collector, and takes memory. The memory is counted by `tracemalloc`, without the values, which are there before.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable, Iterable
from statistics import median
from typing import Any

from pydantic import BaseModel, create_model

from benchmarks.measure import ratio, say
from benchmarks.tables import WIDTHS, Row, SpectrumKeys, Table, rows_of

LABELS_OF_171 = 165
"""Labels of a record that is given 171 values, its keys and shared columns included: a wide pipeline's."""


def run(count: int, rounds: int, *, kept: int) -> dict[str, Any]:
    """Return microseconds a record, by width; and the memory that a record takes.

    Parameters
    ----------
    count, rounds : int
        Records of a sample that are dropped at once, and samples.
    kept : int
        Records of a sample that are kept until its end.
    """
    found: dict[str, Any] = {str(width): _width(width, count, rounds) for width in WIDTHS}
    for width in WIDTHS:
        found[str(width)]["kept"] = _kept(width, kept, max(3, rounds // 3))
    return found | {"memory": _memory(1_000)}


class Builders:
    """Rows of one width in the forms in which records and models take them.

    Attributes
    ----------
    pairs : list
        A spectrum and the values by name, for `from_spectrum`.
    labels : list
        The labels by name, for a plain model.
    """

    def __init__(self, width: int, count: int, given: tuple[str, ...] = ("v_astra",)) -> None:
        table = Table(width)
        rows = rows_of(table, count)
        self.build = table.record_class.from_spectrum
        self.plain = _plain_model(table)
        self.pairs = [
            (SpectrumKeys(row["spectrum_pk"], row["source_pk"]), _some(row, (*given, *table.labels)))
            for row in rows
        ]
        self.labels = [_some(row, table.labels) for row in rows]

    def records(self) -> Iterable[Any]:
        """Build each record as it is asked for."""
        build = self.build
        return (build(spectrum, values) for spectrum, values in self.pairs)

    def models(self) -> Iterable[Any]:
        """Build each plain model as it is asked for."""
        return map(self.plain.model_validate, self.labels)


def _plain_model(table: Table) -> type[BaseModel]:
    floats: dict[str, Any] = dict.fromkeys(table.labels, (float | None, None))
    return create_model(f"Plain{table.width}", **floats)


def _some(row: Row, names: tuple[str, ...]) -> Row:
    return {name: row[name] for name in names}


def _width(width: int, count: int, rounds: int) -> dict[str, Any]:
    say(f"{width} columns: validation of {count} records")
    builders = Builders(width, count)
    build, pairs = builders.build, builders.pairs
    ways: dict[str, Callable[[], None]] = {
        "from_spectrum": lambda: _consume(builders.records()),
        "from_spectrum_spread": lambda: _consume(build(spectrum, **values) for spectrum, values in pairs),
        "model_validate": lambda: _consume(builders.models()),
    }
    return _race(ways, count, rounds)


def _kept(width: int, count: int, rounds: int) -> dict[str, Any]:
    say(f"{width} columns: {count} records that are kept")
    builders = Builders(width, count)
    ways: dict[str, Callable[[], Any]] = {
        "from_spectrum": lambda: list(builders.records()),
        "model_validate": lambda: list(builders.models()),
    }
    return _race(ways, count, rounds)


def _race(ways: dict[str, Callable[[], Any]], count: int, rounds: int) -> dict[str, Any]:
    """Let ways take turns; what one returns is dropped after its clock has stopped."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    for _ in range(rounds):
        for name, way in ways.items():
            gc.collect()
            start = time.perf_counter()
            made = way()
            taken[name].append(time.perf_counter() - start)
            del made
    return {
        "records": count,
        "rounds": rounds,
        **{name: round(1e6 * median(times) / count, 2) for name, times in taken.items()},
        "ratio": round(ratio(taken["from_spectrum"], taken["model_validate"]), 3),
    }


def _memory(count: int) -> dict[str, Any]:
    """Return the KiB that a record of 171 values takes, and a plain model of as many."""
    shared = ("v_astra", "t_elapsed", "t_overhead", "tag")
    records = Builders(LABELS_OF_171, count, shared)
    models = Builders(LABELS_OF_171 + len(shared) + 2, count)
    return {
        "values": LABELS_OF_171 + len(shared) + 2,
        "record_kib": _kib(records.records, count),
        "plain_model_kib": _kib(models.models, count),
    }


def _kib(make: Callable[[], Iterable[Any]], count: int) -> float:
    warm_up = list(make())
    del warm_up
    gc.collect()
    tracemalloc.start()
    made = list(make())
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del made
    return round(size / count / 1024, 2)


def _consume(records: Iterable[Any]) -> None:
    for _ in records:
        pass
