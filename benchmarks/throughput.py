"""Rows a second of everyone, on new rows, existing ones, and half and half."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from benchmarks.measure import Series, reason, say, turns
from benchmarks.peers import MODULES, Peer, Setting, load
from benchmarks.server import connected
from benchmarks.tables import Row, Table, create_parents, fill, load_seed, rows_of

PHASES = {"existing": "true", "new": "false", "half": "spectrum_pk % 2 = 0"}
"""What the table holds before a measurement, by phase."""


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rows: dict[int, int]
    """Rows of a sample by width; also the rows of the table."""
    batch: dict[int, int]
    """Rows of a transaction by width."""
    rounds: int = 5
    rounds_slow: int = 2
    """Rounds of the slow peers, and of every phase but the re-run; the slow have one there."""
    phases: Sequence[str] = tuple(PHASES)


FULL = Size({20: 24_000, 60: 24_000, 200: 12_000}, {20: 2_000, 60: 2_000, 200: 1_000})
RERUN = Size(FULL.rows, FULL.batch, phases=("existing",))
QUICK = Size({20: 400, 60: 400, 200: 200}, dict.fromkeys((20, 60, 200), 100), rounds=2, rounds_slow=1)


class WrongRows(AssertionError):
    """A peer did not store what it was given: its speed means nothing."""


async def run(dsn: str, size: Size, names: Sequence[str] = tuple(MODULES)) -> dict[str, Any]:
    """Return, by width, phase and peer, what was measured."""
    found: dict[str, Any] = {}
    for width in size.rows:
        found[str(width)] = await _run_width(dsn, size, Table(width), names)
    return {
        "batch": {str(width): rows for width, rows in size.batch.items()},
        "rows": {str(width): rows for width, rows in size.rows.items()},
        "widths": found,
    }


async def _run_width(dsn: str, size: Size, table: Table, names: Sequence[str]) -> dict[str, Any]:
    rows = rows_of(table, size.rows[table.width])
    async with connected(dsn) as connection:
        await create_parents(connection, len(rows))
        await connection.execute(table.create())
        await load_seed(connection, table, rows)
        await connection.execute("checkpoint")
        racers, errors = await _enter(connection, Setting(dsn, table, size.batch[table.width]), names, rows)
        found = {}
        try:
            for phase in size.phases:
                say(f"{table.width} columns, {phase}: {len(racers)} ways")
                found[phase] = await _run_phase(connection, table, phase, racers, size)
                found[phase] |= {name: {"error": error} for name, error in errors.items()}
        finally:
            for racer in racers.values():
                await racer.peer.close()
    return found


@dataclass
class Racer:
    """A peer with its rows prepared."""

    peer: Peer
    prepared: Any
    rows: int


async def _enter(
    connection: asyncpg.Connection, setting: Setting, names: Sequence[str], rows: list[Row]
) -> tuple[dict[str, Racer], dict[str, str]]:
    """Open every peer and let it store its rows once: a warm-up, and a proof that it does."""
    racers, errors = {}, {}
    for name in names:
        peer = None
        try:
            peer = load(name, setting)
            await peer.open()
            mine = rows[: setting.batch] if peer.slow else rows
            racer = Racer(peer, peer.prepare(mine), len(mine))
            await fill(connection, setting.table, "false")
            for _ in ("inserted", "replaced"):
                saved = await peer.save(racer.prepared)
                await _prove(connection, racer, saved)
            racers[name] = racer
        except Exception as error:  # noqa: BLE001 (one that fails is reported, and does not stop the others)
            errors[name] = reason(error)
            say(f"[red]{name} left out:[/] {errors[name]}")
            if peer is not None:
                await _close(peer)
    return racers, errors


async def _close(peer: Peer) -> None:
    try:
        await peer.close()
    except Exception as error:  # noqa: BLE001 (it failed before it was open)
        say(f"{peer.label}: {reason(error)}")


async def _prove(connection: asyncpg.Connection, racer: Racer, saved: Any) -> None:
    """Refuse a peer unless all its rows are stored as given, and the keys are those stored."""
    table = racer.peer.table
    mine, given = ("(" + ", ".join(f"{one}.{name}" for name in table.columns) + ")" for one in ("r", "s"))
    same = await connection.fetchval(
        f"select count(*) from {table.name} r join {table.seed} s using (spectrum_pk) where {mine} is not distinct from {given}"
    )
    if same != racer.rows:
        raise WrongRows(f"{same} of {racer.rows} rows are stored as given")
    if racer.peer.returns_keys:
        stored = dict(await connection.fetch(f"select spectrum_pk, task_pk from {table.name}"))
        if racer.peer.keys(racer.prepared, saved) != stored:
            raise WrongRows("the keys returned are not those stored")


async def _run_phase(
    connection: asyncpg.Connection, table: Table, phase: str, racers: dict[str, Racer], size: Size
) -> dict[str, Any]:
    series = {name: Series() for name in racers}
    rerun = phase == "existing"
    rounds, rounds_slow = (size.rounds, size.rounds_slow) if rerun else (size.rounds_slow, 1)
    for number, name in turns(list(racers), rounds):
        racer = racers[name]
        if racer.peer.slow and number >= rounds_slow:
            continue
        await fill(connection, table, PHASES[phase])
        try:
            await series[name].add(lambda racer=racer: racer.peer.save(racer.prepared), racer.rows)
        except Exception as error:  # noqa: BLE001
            series[name].error = reason(error)
    return {
        name: {
            "label": racers[name].peer.label,
            "keys": racers[name].peer.returns_keys,
            **found.summary(),
        }
        for name, found in series.items()
    }
