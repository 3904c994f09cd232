"""Print the results, or write them into docs/performance.md.

python -m benchmarks.report             # print
python -m benchmarks.report --publish   # keep them as docs/performance.json; renew page and plot
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table as RichTable

from benchmarks.goals import goals, speedup
from benchmarks.peers import REFERENCE

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
PAGE, KEPT, PLOT = DOCS / "performance.md", DOCS / "performance.json", DOCS / "performance.svg"
RESULTS = HERE / "results" / "performance.json"
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
    if found := list(goals(results)):
        rows = [
            (
                goal.what,
                goal.where,
                f"{'at most' if goal.at_most else 'at least'} {goal.bar:g}",
                f"{goal.reached:.2f}" if goal.reached is not None else f"not measured: {goal.reason}",
                "yes" if goal.met else "no",
            )
            for goal in found
        ]
        yield Section("goals", "What was to be reached", ("what", "where", "goal", "measured", "met"), rows)
    makers = {
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


def _throughput(part: str, found: dict[str, Any]) -> Iterator[Section]:
    widths = list(found["widths"])
    head = ("", "keys", *(f"{width} columns" for width in widths), *(f"ratio at {width}" for width in widths))
    measured = next(iter(found["widths"].values()))
    for phase, title in PHASES.items():
        if phase not in measured:
            continue
        phases = {width: found["widths"][width][phase] for width in widths}
        names = list(dict.fromkeys(name for entries in phases.values() for name in entries))
        rows = []
        for name in names:
            entries = [phases[width].get(name, {}) for width in widths]
            label = next((entry["label"] for entry in entries if "label" in entry), name)
            keys = {True: "yes", False: "no", None: ""}[
                next((e["keys"] for e in entries if "keys" in e), None)
            ]
            ratios = [speedup(phases[width], name, REFERENCE) for width in widths]
            rows.append(
                (label, keys, *map(_rate, entries), *("" if r is None else f"{r:.2f}" for r in ratios))
            )
        yield Section(part, f"Rows a second: {title}", head, rows)


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


def show(results: dict[str, Any], console: Console | None = None) -> None:
    """Print every table."""
    console = console or Console()
    if not console.is_terminal:
        console.width = 180  # a log, which nobody folds
    for section in sections(results):
        table = RichTable(title=section.title, title_justify="left")
        for number, name in enumerate(section.head):
            table.add_column(name, justify="left" if number == 0 else "right", overflow="fold")
        for row in section.rows:
            table.add_row(*row)
        console.print(table)


def page(text: str, results: dict[str, Any]) -> str:
    """Return the page with the tables between its marks renewed; the prose stays."""
    every = list(sections(results))
    for part in dict.fromkeys(section.part for section in every):
        tables = [_markdown(section) for section in every if section.part == part]
        if part in results:
            tables.append(_footnote(results[part]))
        body = "\n\n".join(tables)
        marks = re.compile(rf"(<!-- results: {part} -->\n).*?(<!-- end -->)", re.DOTALL)
        found = marks.search(text)
        if found is None:
            raise SystemExit(f"{PAGE} has no place for {part}: add <!-- results: {part} --> and <!-- end -->")
        text = text[: found.end(1)] + f"\n{body}\n\n" + text[found.start(2) :]
    return text


def _markdown(section: Section) -> str:
    align = [":--", *["--:"] * (len(section.head) - 1)]
    lines = [" | ".join(cells) for cells in (section.head, align, *section.rows)]
    return "\n".join([f"**{section.title}**", "", *(f"| {line} |" for line in lines)])


def _footnote(found: dict[str, Any]) -> str:
    where = found["environment"]
    return (
        f"<sub>{where['date']}, {found['minutes']:g} minutes; {where['machine']}; PostgreSQL {where['postgresql']}, "
        f"Python {where['python']}, asyncpg {where['packages']['asyncpg']}, "
        f"Pydantic {where['packages']['pydantic']}; commit {where['commit']}; "
        f"load before the run {where['load']:g}.</sub>"
    )


def main(
    *,
    publish: Annotated[bool, typer.Option(help="Renew docs/performance.md, .json and .svg.")] = False,
    source: Annotated[Path, typer.Option(help="File of results.")] = RESULTS,
) -> None:
    """Print the results of the benchmarks."""
    results = json.loads(source.read_text(encoding="utf-8"))
    show(results)
    if not publish:
        return
    known = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else {}
    quick = [part for part, found in results.items() if found["quick"]]
    if quick:
        raise SystemExit(f"{source}: {', '.join(quick)} was run with --quick; tiny sizes are not published")
    results = known | results
    from benchmarks.plot import draw

    KEPT.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
    draw(results, PLOT)


if __name__ == "__main__":
    typer.run(main)
