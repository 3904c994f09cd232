"""Tables of how fast rows are stored, and in batches of which size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any

from benchmarks.goals import kinds, speedup
from benchmarks.peers import REFERENCE
from benchmarks.sections.section import Section
from benchmarks.tables import KINDS

PHASES = {"existing": "every row exists (a re-run)", "new": "every row is new", "half": "half and half"}


def tuning(part: str, found: dict[str, Any]) -> Iterator[Section]:
    """Batch sizes."""
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


def throughput(part: str, found: dict[str, Any]) -> Iterator[Section]:
    """Rates and CPU times, by kind of table and phase."""
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


def floor(part: str, found: dict[str, Any]) -> Iterator[Section]:
    """Steps of the client."""
    widths = found["widths"]
    steps = next(iter(widths.values()))
    rows = [(step, *(f"{entry[step]:.2f}" for entry in widths.values())) for step in steps]
    head = ("", *(f"{width} columns" for width in widths))
    yield Section(part, "CPU of each step of save_many without a server, µs a row", head, rows)
