"""Rows a second of everyone, on new rows, existing ones, and half and half, on both kinds of table.

Everyone sends batches of the size that `benchmarks.tuning` found to be its best, this project included. Those that
are told apart by percents take turns in every round; the rest, slower by factors, in some, and the slowest of them
on a pipeline's table alone, as half and half is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.measure import Series, say, turns
from benchmarks.peers import CONTENDERS, MODULES
from benchmarks.race import PHASES, Race, race
from benchmarks.tables import KINDS, PIPELINES, Kind, Table
from benchmarks.tuning import Batches

CONTENDED = ("existing", "new")
"""Phases that goals are about."""


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rows: dict[int, int]
    """Rows of a sample by width; also the rows of the table."""
    rounds: int = 5
    """Rounds of those that goals are about, on new rows and existing ones."""
    rounds_others: int = 2
    """Rounds of everybody else in a re-run, and of half and half; elsewhere it is one."""
    phases: Sequence[str] = tuple(PHASES)
    kinds: Sequence[Kind] = tuple(KINDS)


FULL = Size({20: 30_000, 60: 30_000, 200: 15_000})
CONNECTIONS = Size(FULL.rows, phases=("existing",), kinds=(PIPELINES,))
QUICK = Size(FULL.rows, rounds=4, phases=("existing", "new"))
SMOKE = Size({20: 400}, rounds=2, rounds_others=1)


async def run(
    dsn: str, size: Size, batches: Batches, names: Sequence[str] = tuple(MODULES)
) -> dict[str, Any]:
    """Return, by kind of table, width, phase and peer, what was measured."""
    found: dict[str, Any] = {}
    for kind in size.kinds:
        found[kind] = {"widths": {}}
        for width, rows in size.rows.items():
            async with race(dsn, Table(width, kind), rows, names, slow=kind == PIPELINES) as racing:
                found[kind]["widths"][str(width)] = {
                    phase: await _run_phase(racing, phase, size, batches)
                    for phase in size.phases
                    if kind == PIPELINES or phase in CONTENDED
                }
    return {"rows": {str(width): rows for width, rows in size.rows.items()}, "kinds": found}


async def _run_phase(racing: Race, phase: str, size: Size, batches: Batches) -> dict[str, Any]:
    table, peers = racing.table, racing.peers
    say(f"{table.kind}, {table.width} columns, {phase}: {len(peers)} ways")
    best = {name: batches.of(table, phase, name) for name in peers}
    series = {name: Series() for name in peers}
    others = size.rounds_others if phase == "existing" else 1
    for number, name in turns(list(peers), size.rounds if phase in CONTENDED else size.rounds_others):
        if number < others or name in CONTENDERS:
            await racing.run(name, phase, best[name], series[name])
    return {
        name: {
            "label": peers[name].label,
            "keys": peers[name].returns_keys,
            "batch": best[name],
            **found.summary(),
        }
        for name, found in series.items()
    } | {name: {"error": error} for name, error in racing.errors.items()}
