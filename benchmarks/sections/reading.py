"""Tables of how fast results are read."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean
from typing import Any

from benchmarks.goals import speedup
from benchmarks.sections.section import Section

REFERENCES = {"columns": "adbc", "records": "fetch"}
TITLES = {"columns": "Columns", "records": "Records"}


def reading(part: str, found: dict[str, Any]) -> Iterator[Section]:
    """Columns and records, by number of columns; and memory."""
    for columns, entry in found["tables"].items():
        for what, reference in REFERENCES.items():
            title = f"{TITLES[what]}, rows a second: {columns} columns, a table of {found['rows']:,} rows"
            yield Section(part, title, HEAD, [_row(entry[what], name, reference) for name in entry[what]])
        rows = [
            (
                entry["columns"][name]["label"],
                *(_figure(memory, figure, form) for figure, form in MEMORY.values()),
            )
            for name, memory in entry["memory"].items()
        ]
        yield Section(part, f"Memory of a process that reads {columns} columns", ("", *MEMORY), rows)


def files(part: str, found: dict[str, Any]) -> Iterator[Section]:
    """An export, beside Arrow and upstream's way; and memory."""
    ways = found["ways"]
    title = f"Files, rows a second: {found['columns']} columns, {found['rows']:,} rows"
    yield Section(part, title, HEAD, [_row(ways, name, "upstream") for name in ways])
    rows = [
        (ways[name]["label"], *(_figure(memory, figure, form) for figure, form in FILE_MEMORY.values()))
        for name, memory in found["memory"].items()
    ]
    yield Section(part, "Memory of a process that writes a file", ("", *FILE_MEMORY), rows)


HEAD = ("", "rows", "rows a second", "ratio", "client CPU, µs a row", "server CPU, µs a row")
FILE_MEMORY = {
    "rows": ("rows", ","),
    "file, MiB": ("file_mib", ",.0f"),
    "greatest, MiB": ("peak_mib", ",.0f"),
    "KiB a row": ("kib_a_row", ".2f"),
}
MEMORY = {
    "Arrow table, MiB": ("arrow_mib", ",.0f"),
    "greatest, MiB": ("peak_mib", ",.0f"),
    "ratio": ("ratio", ".2f"),
}


def _row(ways: dict[str, Any], name: str, reference: str) -> tuple[str, ...]:
    entry = ways[name]
    if "error" in entry:
        return entry["label"], "", entry["error"], "", "", ""
    cpu = (f"{fmean(entry[side]):.1f}" if entry[side] else "" for side in ("client_cpu", "server_cpu"))
    ratio = speedup(ways, name, reference)
    rates = f"{entry['rows']:,}", f"{entry['rows_per_second']:,}"
    return entry["label"], *rates, "" if ratio is None else f"{ratio:.2f}", *cpu


def _figure(memory: dict[str, Any], figure: str, form: str) -> str:
    return format(memory[figure], form) if figure in memory else str(memory.get("error", ""))
