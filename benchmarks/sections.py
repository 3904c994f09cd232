"""The tables of results: one function for each part of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from benchmarks.goals import WIDTHS, Goal, goals, kinds, speedup
from benchmarks.peers import REFERENCE
from benchmarks.tables import KINDS

PHASES = {"existing": "every row exists (a re-run)", "new": "every row is new", "half": "half and half"}


@dataclass(frozen=True)
class Section:
    """One table of results."""

    part: str
    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def sections(results: dict[str, Any]) -> Iterator[Section]:
    """Yield the tables of all parts that were run."""
    for part in [part for part, entry in results.items() if "error" in entry]:
        yield Section(part, f"{part} failed", ("",), [(results[part]["error"],)])
    results = {part: entry for part, entry in results.items() if "error" not in entry}
    yield from _goals(list(goals(results)))
    makers = {
        "tuning": _tuning,
        "throughput": _throughput,
        "connections": _throughput,
        "single": _single,
        "batches": _batches,
        "validation": _validation,
        "workers": _workers,
        "memory": _memory,
        "growth": _growth,
        "layout": _layout,
        "autovacuum": _layout,
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


def _tuning(part: str, found: dict[str, Any]) -> Iterator[Section]:
    for kind, entry in found["kinds"].items():
        widths = entry["widths"]
        for phase in ("existing", "new"):
            cells = {width: phases.get(phase, {}) for width, phases in widths.items()}
            names = dict.fromkeys(name for ways in cells.values() for name in ways)
            rows = [
                (
                    next(ways[name]["label"] for ways in cells.values() if name in ways),
                    *(_sizes(ways.get(name)) for ways in cells.values()),
                )
                for name in names
            ]
            title = f"Best batch size, {KINDS[kind]}; {PHASES[phase]}"
            yield Section(part, title, ("", *(f"{width} columns" for width in widths)), rows)


def _sizes(entry: dict[str, Any] | None) -> str:
    """Return the best size, and what the others gave beside it."""
    if entry is None:
        return ""
    best = entry["rates"][str(entry["best"])]
    others = [
        f"{int(size):,}: {rate / best:.2f}"
        for size, rate in entry["rates"].items()
        if int(size) != entry["best"]
    ]
    return f"{entry['best']:,}" + (f" ({', '.join(others)})" if others else "")


def _throughput(part: str, found: dict[str, Any]) -> Iterator[Section]:
    for kind, entry in kinds(found):
        where = KINDS[kind]
        measured = next(iter(entry["widths"].values()))
        for phase in [phase for phase in PHASES if phase in measured]:
            phases = {width: ways[phase] for width, ways in entry["widths"].items()}
            yield Section(part, f"Rows a second, {where}; {PHASES[phase]}", *_rates(phases))
            if any("server_cpu" in way for ways in phases.values() for way in ways.values()):
                title = f"CPU, microseconds a row, {where}; {PHASES[phase]}"
                yield Section(part, title, *_cpu(phases))


def _rates(phases: dict[str, Any]) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    rows = []
    for name in _names(phases):
        entries = [ways.get(name, {}) for ways in phases.values()]
        keys = {True: "yes", False: "no", None: ""}[next((e["keys"] for e in entries if "keys" in e), None)]
        ratios = [speedup(ways, name, REFERENCE) for ways in phases.values()]
        cells = (*map(_rate, entries), *("" if r is None else f"{r:.2f}" for r in ratios))
        rows.append((_label(name, phases), keys, *cells))
    head = ("", "keys", *(f"{width} columns" for width in phases), *(f"ratio at {width}" for width in phases))
    return head, rows


def _cpu(phases: dict[str, Any]) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    rows = []
    for name in _names(phases):
        entries = [ways.get(name, {}) for ways in phases.values()]
        cells = (
            f"{fmean(entry[side]):.1f}" if entry.get(side) else ""
            for side in ("client_cpu", "server_cpu")
            for entry in entries
        )
        rows.append((_label(name, phases), *cells))
    head = ("", *(f"{side}, {width} columns" for side in ("client", "server") for width in phases))
    return head, rows


def _names(phases: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(name for ways in phases.values() for name in ways))


def _label(name: str, phases: dict[str, Any]) -> str:
    return str(next((ways[name]["label"] for ways in phases.values() if "label" in ways.get(name, {})), name))


def _rate(entry: dict[str, Any]) -> str:
    return entry["error"] if "error" in entry else f"{entry['rows_per_second']:,}" if entry else ""


def _single(part: str, found: dict[str, Any]) -> Iterator[Section]:
    rows = [
        (
            f"{width} columns, {commit}",
            *(f"{entry[way][which]:,.0f}" for way in ("save", "bare") for which in ("median", "p95")),
            f"{entry['ratio']:.2f}",
        )
        for width, commits in _widths(found)
        for commit, entry in commits.items()
    ]
    head = ("", "save: median", "95 %", "bare prepared upsert: median", "95 %", "ratio")
    yield Section(part, "One record at a time, microseconds", head, rows)


def _batches(part: str, found: dict[str, Any]) -> Iterator[Section]:
    ways = list(next(iter(next(iter(_widths(found)))[1].values())))
    rows = [
        (
            f"{width} columns, batches of {size}",
            *(f"{entry[way]['microseconds_per_row']:,.1f}" for way in ways),
        )
        for width, sizes in _widths(found)
        for size, entry in sizes.items()
    ]
    yield Section(part, "Small batches, microseconds a row", ("", *ways), rows)


def _validation(part: str, found: dict[str, Any]) -> Iterator[Section]:
    rows = [
        (
            f"{width} columns",
            f"{entry['from_spectrum']:.1f}",
            f"{entry['from_spectrum_spread']:.1f}",
            f"{entry['model_validate']:.1f}",
            f"{entry['ratio']:.2f}",
            f"{entry['from_spectrum_spread'] / entry['model_validate']:.2f}",
        )
        for width, entry in _widths(found)
    ]
    head = (
        "",
        "from_spectrum(spectrum, values)",
        "from_spectrum(spectrum, **values)",
        "plain Pydantic model",
        "ratio of the first",
        "of the second",
    )
    yield Section(part, "Validation, microseconds a record", head, rows)


def _workers(part: str, found: dict[str, Any]) -> Iterator[Section]:
    rows = [
        (
            label,
            f"{entry['rows_per_second']:,}",
            str(entry["deadlocks"]),
            f"{entry['failed_workers']} of {found['workers'] * entry['rounds']}",
            "yes" if entry["one_row_a_key"] else "no",
        )
        for label, entry in found["ways"].items()
    ]
    head = ("", "rows a second, all together", "deadlocks", "processes that failed", "one row a key")
    yield Section(
        part, f"{found['workers']} processes on the same {found['rows_of_each']:,} spectra", head, rows
    )


def _memory(part: str, found: dict[str, Any]) -> Iterator[Section]:
    rows = [tuple(f"{found[name]:,}" for name in ("records", "first_batch_mib", "peak_mib", "growth_mib"))]
    head = ("records", "after the first batch, MiB", "greatest, MiB", "growth, MiB")
    yield Section(part, "Memory of a client that streams records", head, rows)


def _growth(part: str, found: dict[str, Any]) -> Iterator[Section]:
    ways = list(next(iter(found["sizes"].values()))["ways"])
    rows: list[Sequence[str]] = [
        (
            f"{int(size):,}",
            f"{entry['table_mib']:,}",
            f"{entry['indexes_mib']:,}",
            *(f"{entry['ways'][way]['rows_per_second']:,}" for way in ways),
        )
        for size, entry in found["sizes"].items()
    ]
    yield Section(
        part, "Rows a second as the table grows", ("rows", "table, MiB", "indexes, MiB", *ways), rows
    )
    orders = list(found["orders"])
    costs = list(next(iter(found["sizes"].values()))["cost_of_a_row"][orders[0]])
    rows = [
        (f"{int(size):,}, {order}", *(f"{entry['cost_of_a_row'][order][cost]:.2f}" for cost in costs))
        for order in orders
        for size, entry in found["sizes"].items()
    ]
    yield Section(
        part, "What the merge of one row costs", ("", *(cost.replace("_", " ") for cost in costs)), rows
    )


def _layout(part: str, found: dict[str, Any]) -> Iterator[Section]:
    head = (
        "settings",
        "first re-run, rows/s",
        "later, rows/s",
        "heap-only updates",
        "log, bytes a row",
        "table, MiB",
        "indexes, MiB",
    ) + (("autovacuums",) if part == "autovacuum" else ())
    for width, entry in found["widths"].items():
        rows = [
            (
                variant["variant"],
                f"{variant['first_rerun']:,}",
                f"{variant['later_reruns']:,}",
                f"{100 * variant['hot']:.0f} %",
                f"{variant['wal_bytes_a_row']:,}",
                " → ".join(f"{size:.1f}" for size in variant["table_mib"]),
                " → ".join(f"{size:.1f}" for size in variant["indexes_mib"]),
            )
            + ((str(variant["autovacuums"]),) if part == "autovacuum" else ())
            for variant in entry["variants"]
        ]
        title = f"{width} columns, {entry['rows']:,} rows, {found['reruns']} full re-runs"
        yield Section(part, title, head, rows)


def _widths(part: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from ((name, entry) for name, entry in part.items() if name.isdigit())
