"""The plot of docs/performance.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.goals import kinds

OURS, HAND, OTHERS, LIMITS = "#c44e52", "#4c72b0", "#9aa0a6", "#3d3d3d"
COLOURS = {
    "asyncpg": HAND,
    "psycopg": HAND,
    "save": OURS,
    "from_spectrum": OURS,
    "encoded": LIMITS,
    "server": LIMITS,
}


def draw(results: dict[str, Any], file: Path) -> None:
    """Draw rows a second of a re-run, a row a kind of table, a panel a width; and a growing table if there is one."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "performance", "font.size": 8}
    from matplotlib import pyplot as plt

    tables = dict(kinds(results["throughput"])) if "throughput" in results else {}
    grows = "growth" in results
    columns = max([len(entry["widths"]) for entry in tables.values()], default=0) + grows
    height = 4.6 * max(1, len(tables))
    figure, axes = plt.subplots(max(1, len(tables)), columns, figsize=(3.4 * columns, height), squeeze=False)
    for row, (kind, entry) in zip(axes, tables.items(), strict=False):
        for axis, (width, phases) in zip(row, entry["widths"].items(), strict=False):
            _bars(axis, f"{kind} table, {width} columns", phases["existing"])
            if axis is not row[0]:
                axis.set_yticklabels([])
    if grows:
        _growth(axes[0][-1], results["growth"]["sizes"])
        for row in axes[1:]:
            row[-1].set_axis_off()
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)


def _bars(axis: Any, title: str, entries: dict[str, Any]) -> None:
    names = list(entries)
    rates = [entries[name].get("rows_per_second", 0) for name in names]
    labels = [entries[name].get("label", name) for name in names]
    colours = [next((c for start, c in COLOURS.items() if name.startswith(start)), OTHERS) for name in names]
    bars = axis.barh(range(len(names)), rates, color=colours)
    axis.bar_label(bars, [f"{rate:,}" if rate else "not measured" for rate in rates], padding=2, fontsize=6)
    axis.set(title=title, xlabel="rows a second of a re-run", yticks=range(len(names)))
    axis.set_yticklabels(labels)
    axis.set_xlim(0, 1.25 * max(rates, default=1))
    axis.invert_yaxis()
    axis.locator_params(axis="x", nbins=4)
    axis.xaxis.set_major_formatter("{x:,.0f}")
    axis.spines[["top", "right"]].set_visible(False)


def _growth(axis: Any, sizes: dict[str, Any]) -> None:
    for way in next(iter(sizes.values()))["ways"]:
        rates = [entry["ways"][way]["rows_per_second"] for entry in sizes.values()]
        axis.plot(list(map(int, sizes)), rates, marker="o", label=way)
    axis.set(title="a growing table, 20 columns", xlabel="rows in the table", xscale="log")
    axis.set_ylabel("rows a second of a re-run")
    axis.yaxis.set_major_formatter("{x:,.0f}")
    axis.set_ylim(bottom=0)
    axis.legend(fontsize=6)
    axis.spines[["top", "right"]].set_visible(False)
