"""The batch size at which each way is fastest: nobody is measured at one that suits somebody else.

Every way stores the same rows in batches of each size, once. Of those that goals are about the two sizes that did
best take turns again, and the better median wins; they are tuned on both kinds of table, on new rows and on existing
ones, at each width. The rest are slower by factors, not by percents: they are tuned on a re-run of a pipeline's
table, and take that size everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.measure import Series, say, turns
from benchmarks.peers import CONTENDERS, MODULES, Peer
from benchmarks.race import Race, race
from benchmarks.tables import KINDS, PIPELINES, Kind, Table

GUESS = 2_000
"""Rows of a batch where nothing was tuned."""
SAME_AS = {
    "encoded_copy": "asyncpg_copy",
    "server_alone": "asyncpg_copy",
    "from_spectrum_save_many": "save_many",
    "from_spectrum_parallel": "save_many_parallel",
    "save_many_1": "save_many",
    "save_many_2": "save_many_parallel",
    "save_many_4": "save_many_parallel",
    "save_table_1": "save_table",
    "save_table_2": "save_table_parallel",
    "save_table_4": "save_table_parallel",
}
"""Ways that take the size of another one, from which they differ in nothing that it would matter to."""


@dataclass(frozen=True)
class Grid:
    """How much is tried."""

    rows: dict[int, int]
    """Rows of a sample by width; no batch is larger."""
    sizes: Sequence[int] = (1_000, 2_000, 5_000, 10_000, 30_000)
    others: Sequence[int] = (500, 2_000, 5_000)
    """Sizes for the rest."""
    slow: Sequence[int] = (200, 500, 2_000)
    """Sizes for those whose sample is one batch."""
    rounds: int = 1
    """Rounds of the best two of those that goals are about, after the first one of all."""
    kinds: Sequence[Kind] = tuple(KINDS)


FULL = Grid({20: 30_000, 60: 30_000, 200: 15_000})
QUICK = Grid(FULL.rows, sizes=(2_000, 5_000, 15_000))
SMOKE = Grid({20: 400}, sizes=(100, 200), others=(100,), slow=(100,))


class Batches:
    """The batch size of each way.

    Parameters
    ----------
    found : mapping
        What `run` returned; may be empty.
    guess : int
        Rows of a batch for a way that was not tuned.
    """

    def __init__(self, found: Mapping[str, Any] | None = None, guess: int = GUESS) -> None:
        self._kinds, self._guess = (found or {}).get("kinds", {}), guess

    def knows(self, kind: Kind, width: int) -> bool:
        """Say whether anything was tuned on such a table."""
        return str(width) in self._kinds.get(kind, {}).get("widths", {})

    def of(self, table: Table, phase: str, name: str) -> int:
        """Return the size for a table and a phase; half and half is taken for a re-run."""
        phase = "new" if phase == "new" else "existing"
        for kind, tuned in ((table.kind, phase), (PIPELINES, "existing")):
            cell = self._kinds.get(kind, {}).get("widths", {}).get(str(table.width), {}).get(tuned, {})
            entry = cell.get(SAME_AS.get(name, name), {})
            if "best" in entry:
                return int(entry["best"])
        return self._guess


async def run(dsn: str, grid: Grid, names: Sequence[str] = tuple(MODULES)) -> dict[str, Any]:
    """Return, by kind of table, width, phase and way, the rate at each size and the best of them."""
    found: dict[str, Any] = {}
    for kind in grid.kinds:
        found[kind] = {"widths": {}}
        mine = [name for name in names if name not in SAME_AS and (kind == PIPELINES or name in CONTENDERS)]
        for width, rows in grid.rows.items():
            async with race(dsn, Table(width, kind), rows, mine) as racing:
                found[kind]["widths"][str(width)] = {
                    phase: await _run_phase(racing, phase, grid, rows) for phase in ("existing", "new")
                }
    return {"rows": {str(width): rows for width, rows in grid.rows.items()}, "kinds": found}


async def _run_phase(racing: Race, phase: str, grid: Grid, rows: int) -> dict[str, Any]:
    table = racing.table
    say(f"batch sizes: {table.kind}, {table.width} columns, {phase}")
    tried = {
        name: {min(size, rows): Series() for size in _sizes(name, peer, grid)}
        for name, peer in racing.peers.items()
        if name in CONTENDERS or (table.kind == PIPELINES and phase == "existing")
    }
    for number in range(1 + grid.rounds):
        entries = [
            (name, size)
            for name, sizes in tried.items()
            if number == 0 or name in CONTENDERS
            for size in (_best(sizes, 2) if number else sizes)
        ]
        for _, (name, size) in turns(entries, 1):
            await racing.run(name, phase, size, tried[name][size])
    return {
        name: {
            "label": racing.peers[name].label,
            "best": best[0],
            "rates": {
                str(size): round(median(series.rates())) for size, series in sizes.items() if series.seconds
            },
        }
        for name, sizes in tried.items()
        if (best := _best(sizes, 1))
    }


def _sizes(name: str, peer: Peer, grid: Grid) -> Sequence[int]:
    return grid.sizes if name in CONTENDERS else grid.slow if peer.slow else grid.others


def _best(sizes: Mapping[int, Series], count: int) -> list[int]:
    """Return the sizes of the greatest rates, of those that had the most turns."""
    turns_taken = max(len(series.seconds) for series in sizes.values())
    measured = [
        size
        for size, series in sizes.items()
        if series.error is None and len(series.seconds) == turns_taken > 0
    ]
    return sorted(measured, key=lambda size: -median(sizes[size].rates()))[:count]
