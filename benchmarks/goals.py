"""What the speed of saving has to reach, as ratios within one run, and what was reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

WIDTHS = ("20", "60", "200")


@dataclass(frozen=True)
class Goal:
    """One bar, and what came of it."""

    what: str
    where: str
    bar: float
    reached: float | None
    """None if it could not be measured."""
    at_most: bool = False
    reason: str = ""

    @property
    def met(self) -> bool:
        if self.reached is None:
            return False
        return self.reached <= self.bar if self.at_most else self.reached >= self.bar


def goals(results: dict[str, Any]) -> Iterator[Goal]:
    """Yield every goal whose part was run."""
    if "throughput" in results:
        yield from _throughput(results["throughput"]["widths"])
    if "single" in results:
        yield from _single(results["single"])
    if "batches" in results:
        for width, sizes in _by_width(results["batches"]):
            for size, found in sizes.items():
                what = "save_many in small batches / better of executemany and COPY"
                yield Goal(what, f"{width} columns, batches of {size}", 1.0, _of_the_better(found))
    if "validation" in results:
        for width, found in _by_width(results["validation"]):
            yield Goal(
                "from_spectrum / plain Pydantic model, time",
                f"{width} columns",
                1.5,
                found["ratio"],
                at_most=True,
            )
    if "memory" in results:
        found = results["memory"]
        where = f"{found['records']:,} records"
        yield Goal("memory beyond the first batch, MiB", where, 20, found["growth_mib"], at_most=True)
    if "growth" in results:
        yield from _growth(results["growth"]["sizes"])


def speedup(phase: dict[str, Any], mine: str, theirs: str) -> float | None:
    """Return how many times the rows a second of one way are those of another, the median over rounds."""
    pair = phase.get(mine, {}).get("rates"), phase.get(theirs, {}).get("rates")
    if not all(pair):
        return None
    return round(median(ours / others for ours, others in zip(*pair, strict=False)), 3)


def _by_width(part: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from ((width, part[width]) for width in WIDTHS if width in part)


def _throughput(widths: dict[str, Any]) -> Iterator[Goal]:
    pairs: list[tuple[str, tuple[str, ...], str, dict[str, float]]] = [
        ("save_many", ("save_many",), "asyncpg_copy", dict.fromkeys(WIDTHS, 0.95)),
        ("save_many, several connections", ("save_many_parallel",), "asyncpg_copy", {"60": 1.4, "200": 1.3}),
        (
            "save_many, the faster",
            ("save_many", "save_many_parallel"),
            "peewee",
            {"20": 14, "60": 28, "200": 32},
        ),
        (
            "save_many, the faster",
            ("save_many", "save_many_parallel"),
            "sqlalchemy_core",
            dict.fromkeys(WIDTHS, 4),
        ),
        (
            "from_spectrum and save_many, the faster",
            ("from_spectrum_save_many", "from_spectrum_parallel"),
            "peewee_models",
            {"20": 8, "60": 15, "200": 18},
        ),
        ("save_table", ("save_table",), "encoded_copy", dict.fromkeys(WIDTHS, 0.95)),
        (
            "save_table, several connections",
            ("save_table_parallel",),
            "encoded_copy",
            dict.fromkeys(WIDTHS, 1.0),
        ),
        (
            "save_table, the faster",
            ("save_table", "save_table_parallel"),
            "server_alone",
            dict.fromkeys(WIDTHS, 0.8),
        ),
    ]
    for label, mine, theirs, bars in pairs:
        for width, bar in bars.items():
            phase = widths.get(width, {}).get("existing", {})
            if theirs not in phase:
                continue
            found = [ratio for name in mine if (ratio := speedup(phase, name, theirs)) is not None]
            missing = "; ".join(
                phase[name]["error"] for name in (*mine, theirs) if "error" in phase.get(name, {})
            )
            name = phase[theirs].get("label", theirs)
            yield Goal(f"{label} / {name}", f"{width} columns", bar, max(found, default=None), reason=missing)


def _single(part: dict[str, Any]) -> Iterator[Goal]:
    for width, commits in _by_width(part):
        for commit, found in commits.items():
            what, where = "latency of save / bare prepared upsert", f"{width} columns, {commit}"
            yield Goal(what, where, 1.3, found["ratio"], at_most=True)


def _of_the_better(found: dict[str, Any]) -> float | None:
    ratios = [speedup(found, "save_many", name) for name in ("asyncpg_executemany", "asyncpg_copy")]
    return min((ratio for ratio in ratios if ratio is not None), default=None)


def _growth(sizes: dict[str, Any]) -> Iterator[Goal]:
    small, large = (sizes.get(str(10**power), {}).get("ways", {}) for power in (5, 7))
    for name in small.keys() & large.keys():
        if name == "save_many, in order":
            reached = large[name]["rows_per_second"] / small[name]["rows_per_second"]
            yield Goal("re-run at 10⁷ rows / at 10⁵ rows", name, 0.7, round(reached, 3))
