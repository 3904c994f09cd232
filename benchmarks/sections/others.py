"""Tables of everything but throughput."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.sections.section import Section


def single(part: str, found: dict[str, Any]) -> Iterator[Section]:
    """Latency of one save."""
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


def batches(part: str, found: dict[str, Any]) -> Iterator[Section]:
    """Small batches."""
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


def validation(part: str, found: dict[str, Any]) -> Iterator[Section]:
    """Building records, dropped and kept, and their memory."""
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
    if any("kept" in entry for _, entry in _widths(found)):
        rows = [
            (
                f"{width} columns",
                *(f"{entry['kept'][name]:.1f}" for name in ("from_spectrum", "model_validate")),
                f"{entry['kept']['ratio']:.2f}",
            )
            for width, entry in _widths(found)
        ]
        head = ("", "from_spectrum(spectrum, values)", "plain Pydantic model", "ratio")
        yield Section(part, "Validation, microseconds a record that is kept", head, rows)
        memory = found["memory"]
        rows = [
            (f"{memory['values']} values", f"{memory['record_kib']:.1f}", f"{memory['plain_model_kib']:.1f}")
        ]
        yield Section(
            part, "Memory of a record, KiB, without its values", ("", "record", "plain Pydantic model"), rows
        )


def workers(part: str, found: dict[str, Any]) -> Iterator[Section]:
    """Processes that store the same results."""
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


def memory(part: str, found: dict[str, Any]) -> Iterator[Section]:
    """Memory of a stream."""
    rows = [tuple(f"{found[name]:,}" for name in ("records", "first_batch_mib", "peak_mib", "growth_mib"))]
    head = ("records", "after the first batch, MiB", "greatest, MiB", "growth, MiB")
    yield Section(part, "Memory of a client that streams records", head, rows)


def startup(part: str, found: dict[str, Any]) -> Iterator[Section]:
    """Imports."""
    labels = {"before": f"import astra_outputs.repository at commit {found['compared_with']}"}
    rows = [(labels.get(name, name), f"{taken:,.0f}") for name, taken in found["milliseconds"].items()]
    yield Section(part, "Imports, each in a new process", ("", "milliseconds"), rows)


def growth(part: str, found: dict[str, Any]) -> Iterator[Section]:
    """A table that grows."""
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


def layout(part: str, found: dict[str, Any]) -> Iterator[Section]:
    """Storage settings, and autovacuum."""
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
