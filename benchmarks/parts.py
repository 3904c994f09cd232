"""Every part of a run, and how much each measures: all of it, what is asked again and again, or next to nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from benchmarks import (
    files,
    floor,
    growth,
    layout,
    memory,
    reading,
    small,
    startup,
    throughput,
    tuning,
    validation,
    workers,
)
from benchmarks.peers import BY_HAND, CONNECTIONS, OURS
from benchmarks.tables import KINDS, PIPELINES, WIDTHS, Kind
from benchmarks.tuning import Batches

Parts = dict[str, Callable[[], Awaitable[dict[str, Any]]]]

DEFAULT = (
    "tuning",
    "throughput",
    "connections",
    "floor",
    "single",
    "batches",
    "validation",
    "workers",
    "memory",
    "startup",
)
LONG = {"growth": ("growth",), "layout": ("layout", "autovacuum"), "reading": ("reading", "files")}
"""Parts that are run if they are named, or asked for by an option."""
ALL = (*DEFAULT, *(part for parts in LONG.values() for part in parts))
GOALS_ONLY = (*BY_HAND, "save_many", "save_many_parallel", "save_table", "save_table_parallel")
"""Whom `--quick` measures: what the goals of saving are about."""


class Length(StrEnum):
    """How much is measured."""

    FULL = "full"
    QUICK = "quick"
    SMOKE = "smoke"


@dataclass(frozen=True)
class Only:
    """What the parts on throughput are narrowed to."""

    widths: Sequence[int] = WIDTHS
    kinds: Sequence[Kind] = tuple(KINDS)

    @property
    def narrowed(self) -> bool:
        return self != Only()

    def __call__(self, size: Any) -> Any:
        """Return a size or a grid of batch sizes without what is not asked for."""
        rows = {width: count for width, count in size.rows.items() if width in self.widths}
        return replace(size, rows=rows, kinds=[kind for kind in size.kinds if kind in self.kinds])


def parts(dsn: str, length: Length, only: Only, tuned: Callable[[], Batches], *, largest: int) -> Parts:
    """Return every part, ready to run.

    Parameters
    ----------
    dsn : str
        The server.
    length : Length
        How much is measured.
    only : Only
        Widths and kinds of table, for the parts on throughput.
    tuned : callable
        Says which batch sizes are known to be best, when that is asked.
    largest : int
        Rows up to which a table grows.
    """
    sizes = [power for power in (10**exponent for exponent in range(2, 8)) if power <= largest]
    if length == Length.SMOKE:
        return _smoke(dsn, only, tuned, sizes)
    everything: Parts = {
        "tuning": lambda: tuning.run(dsn, only(tuning.FULL)),
        "throughput": lambda: throughput.run(dsn, only(throughput.FULL), tuned()),
        "connections": lambda: throughput.run(
            dsn, only(throughput.CONNECTIONS), tuned(), (*BY_HAND, *CONNECTIONS)
        ),
        "floor": lambda: _at_once(lambda: floor.run(200_000, 15)),
        "single": lambda: small.single(dsn, small.SINGLE),
        "batches": lambda: small.batches(dsn, WIDTHS, 2_000, 15),
        "validation": lambda: _at_once(lambda: validation.run(2_000, 15, kept=20_000)),
        "workers": lambda: workers.run(dsn, 10_000, 1_000, 2),
        "memory": lambda: memory.run(dsn, 1_000_000, 2_000),
        "startup": lambda: _at_once(lambda: startup.run(15)),
        "growth": lambda: growth.run(dsn, [size for size in sizes if size >= 10**4], 20_000, 2_000, 7),
        "layout": lambda: layout.run(dsn, {20: 40_000, 200: 10_000}, 8, layout.variants()),
        "autovacuum": lambda: layout.run_autovacuum(dsn, {20: 100_000, 200: 20_000}, 4, layout.autovacuums()),
        "reading": lambda: reading.run(dsn, reading.FULL),
        "files": lambda: files.run(dsn, files.FULL),
    }
    if length == Length.QUICK:
        everything |= {
            "tuning": lambda: tuning.run(dsn, only(tuning.QUICK), GOALS_ONLY),
            "throughput": lambda: throughput.run(dsn, only(throughput.QUICK), tuned(), GOALS_ONLY),
            "reading": lambda: reading.run(dsn, reading.QUICK),
            "files": lambda: files.run(dsn, files.QUICK),
        }
    return everything


def _smoke(dsn: str, only: Only, tuned: Callable[[], Batches], sizes: Sequence[int]) -> Parts:
    ways = ("peewee", "peewee_models", *BY_HAND, "encoded_copy", *OURS)
    few = only(replace(throughput.SMOKE, phases=("existing",), kinds=(PIPELINES,)))
    return {
        "tuning": lambda: tuning.run(dsn, only(tuning.SMOKE), ways),
        "throughput": lambda: throughput.run(dsn, only(throughput.SMOKE), tuned(), ways),
        "connections": lambda: throughput.run(dsn, few, tuned(), (*BY_HAND, *CONNECTIONS)),
        "floor": lambda: _at_once(lambda: floor.run(10_000, 2)),
        "single": lambda: small.single(dsn, {20: 50}),
        "batches": lambda: small.batches(dsn, (20,), 200, 2),
        "validation": lambda: _at_once(lambda: validation.run(200, 3, kept=200)),
        "workers": lambda: workers.run(dsn, 400, 200, 1, workers=3),
        "memory": lambda: memory.run(dsn, 2_000, 500),
        "startup": lambda: _at_once(lambda: startup.run(2)),
        "growth": lambda: growth.run(dsn, list(sizes[:2]), 100, 100, 2),
        "layout": lambda: layout.run(dsn, {20: 500}, 2, layout.variants((100, 50))),
        "autovacuum": lambda: layout.run_autovacuum(dsn, {20: 500}, 2, layout.autovacuums((100,))),
        "reading": lambda: reading.run(dsn, reading.SMOKE),
        "files": lambda: files.run(dsn, files.SMOKE),
    }


async def _at_once(part: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Run a part that needs no server."""
    return part()
