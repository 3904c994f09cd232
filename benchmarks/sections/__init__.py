"""The tables of results: one function for each part of a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.goals import WIDTHS, Goal, goals
from benchmarks.sections import others, reading, saving
from benchmarks.sections.section import Section


def sections(results: dict[str, Any]) -> Iterator[Section]:
    """Yield the tables of all parts that were run."""
    for part in [part for part, entry in results.items() if "error" in entry]:
        yield Section(part, f"{part} failed", ("",), [(results[part]["error"],)])
    results = {part: entry for part, entry in results.items() if "error" not in entry}
    yield from _goals(list(goals(results)))
    makers = {
        "tuning": saving.tuning,
        "throughput": saving.throughput,
        "connections": saving.throughput,
        "floor": saving.floor,
        "single": others.single,
        "batches": others.batches,
        "validation": others.validation,
        "workers": others.workers,
        "memory": others.memory,
        "startup": others.startup,
        "growth": others.growth,
        "layout": others.layout,
        "autovacuum": others.layout,
        "reading": reading.reading,
        "files": reading.files,
    }
    for part, maker in makers.items():
        if part in results:
            yield from maker(part, results[part])


def _goals(found: list[Goal]) -> Iterator[Section]:
    """Yield the goals at each width side by side, and then those that know no width."""
    rows = {}
    for goal in found:
        rows.setdefault((goal.what, goal.where, bool(goal.width)), []).append(goal)
    by_width = [
        (what, where, _bar(row), *(_reached(row, width) for width in WIDTHS), _met(row))
        for (what, where, wide), row in rows.items()
        if wide
    ]
    others = [
        (what, where, _bar(row), _reached(row, ""), _met(row))
        for (what, where, wide), row in rows.items()
        if not wide
    ]
    head = ("what", "where", "goal", *(f"{width} columns" for width in WIDTHS), "met")
    if by_width:
        yield Section("goals", "What was to be reached", head, by_width)
    if others:
        yield Section("goals", "And besides", ("what", "where", "goal", "measured", "met"), others)


def _bar(row: list[Goal]) -> str:
    bars = dict.fromkeys(f"{goal.bar:g}" for goal in row)
    return f"{'at most' if row[0].at_most else 'at least'} {' / '.join(bars)}"


def _reached(row: list[Goal], width: str) -> str:
    goal = next((goal for goal in row if goal.width == width), None)
    if goal is None:
        return ""
    if goal.reached is None:
        return f"not measured: {goal.reason}"
    return f"{goal.reached:.2f}" if goal.met else f"{goal.reached:.2f} (no)"


def _met(row: list[Goal]) -> str:
    met = sum(goal.met for goal in row)
    return "yes" if met == len(row) else "no" if met == 0 else f"{met} of {len(row)}"


__all__ = ["Section", "sections"]
