"""What the speed of saving has to reach, as ratios within one run, and what was reached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.peers import BY_HAND, REFERENCE
from benchmarks.tables import PIPELINES, Kind
from benchmarks.tables import WIDTHS as COLUMNS

WIDTHS = tuple(map(str, COLUMNS))


@dataclass(frozen=True)
class Goal:
    """One bar, and what came of it."""

    what: str
    where: str
    bar: float
    reached: float | None
    """None if it could not be measured."""
    width: str = ""
    """Columns of the table; empty for a goal that knows no width."""
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
        for kind, entry in kinds(results["throughput"]):
            yield from _saving(kind, entry["widths"])
            if kind == PIPELINES:
                yield from _mappers_and_limits(entry["widths"])
    if "single" in results:
        yield from _single(results["single"])
    if "batches" in results:
        for width, sizes in _by_width(results["batches"]):
            for size, found in sizes.items():
                what = "save_many in small batches / best of executemany and COPY"
                reached, reason = against_best(found, "save_many", ("asyncpg_executemany", *BY_HAND))
                yield Goal(what, f"batches of {size}", 1.0, reached, width, reason=reason)
    if "validation" in results:
        for width, found in _by_width(results["validation"]):
            what = "from_spectrum / plain Pydantic model, time"
            yield Goal(what, "dropped at once", 1.5, found["ratio"], width, at_most=True)
            if "kept" in found:
                yield Goal(what, "kept", 0.9, found["kept"]["ratio"], width, at_most=True)
        if "memory" in results["validation"]:
            found = results["validation"]["memory"]
            what, where = "memory of a record, KiB", f"{found['values']} values"
            yield Goal(what, where, 8, found["record_kib"], at_most=True)
    if "memory" in results:
        found = results["memory"]
        where = f"{found['records']:,} records"
        yield Goal("memory beyond the first batch, MiB", where, 20, found["growth_mib"], at_most=True)
    if "startup" in results:
        found = results["startup"]
        what = f"time of importing astra_outputs.repository / at commit {found['compared_with']}"
        where = "measured in turn" if "before" in found["milliseconds"] else "by way of asyncpg and Pydantic"
        yield Goal(what, where, 0.7, found["beside_before"], at_most=True)
    if "workers" in results:
        yield from _workers(results["workers"])
    if "growth" in results:
        yield from _growth(results["growth"]["sizes"])
    if "reading" in results:
        yield from _reading(results["reading"])
    if "files" in results:
        yield from _files(results["files"])


def kinds(part: dict[str, Any]) -> Iterator[tuple[Kind, dict[str, Any]]]:
    """Yield what a part of throughput holds for each kind of table; once there was but one."""
    yield from part.get("kinds", {PIPELINES: part}).items()


def speedup(phase: dict[str, Any], mine: str, theirs: str) -> float | None:
    """Return how many times the rows a second of one way are those of another, the median over rounds."""
    return _ratio(phase, mine, theirs, "rates")


def against_best(phase: dict[str, Any], mine: str, theirs: Sequence[str]) -> tuple[float | None, str]:
    """Return the speedup over whoever of the others is fastest, and why there is none.

    One of them that could not be measured might have been the fastest: then there is none.
    """
    ratios = [speedup(phase, mine, name) for name in theirs]
    found = [ratio for ratio in ratios if ratio is not None]
    if len(found) == len(theirs):
        return min(found), ""
    return None, _missing(phase, (mine, *theirs))


def _ratio(phase: dict[str, Any], mine: str, theirs: str, what: str) -> float | None:
    pair = phase.get(mine, {}).get(what), phase.get(theirs, {}).get(what)
    if not all(pair):
        return None
    return round(median(ours / others for ours, others in zip(*pair, strict=False)), 3)


def _missing(phase: dict[str, Any], names: Sequence[str]) -> str:
    reasons = (phase.get(name, {"error": f"{name} was not run"}).get("error") for name in names)
    return "; ".join(reason for reason in reasons if reason)


def _by_width(part: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from ((width, part[width]) for width in WIDTHS if width in part)


SAVING: Sequence[tuple[str, str, dict[str, dict[str, float]]]] = (
    ("save_many", "save_many", {phase: dict.fromkeys(WIDTHS, 1.0) for phase in ("new", "existing")}),
    (
        "save_many, several connections",
        "save_many_parallel",
        {"new": {"60": 1.2, "200": 1.2}, "existing": {"60": 1.4, "200": 1.4}},
    ),
    (
        "save_table",
        "save_table",
        {"new": dict.fromkeys(WIDTHS, 1.15), "existing": dict.fromkeys(WIDTHS, 1.35)},
    ),
    (
        "save_table, several connections",
        "save_table_parallel",
        {"new": dict.fromkeys(WIDTHS, 1.3), "existing": dict.fromkeys(WIDTHS, 1.6)},
    ),
)
"""What is said of this project, which way that is, and the bars by phase and width."""

WHERE = {"new": "new rows", "existing": "re-run"}


def _saving(kind: Kind, widths: dict[str, Any]) -> Iterator[Goal]:
    """Yield the goals against the better of the two that are written by hand, at its best batch size."""
    for label, mine, phases in SAVING:
        for phase, bars in phases.items():
            for width, bar in bars.items():
                found = widths.get(width, {}).get(phase, {})
                if mine in found and all(name in found for name in BY_HAND):
                    reached, reason = against_best(found, mine, BY_HAND)
                    what = f"{label} / better COPY and merge by hand"
                    yield Goal(what, f"{kind} table, {WHERE[phase]}", bar, reached, width, reason=reason)
    for phase, where in WHERE.items():
        for width in WIDTHS:
            found = widths.get(width, {}).get(phase, {})
            if found.get("save_many", {}).get("server_cpu") is None:
                continue  # measured before client and server were told apart
            reached = _ratio(found, "save_many", REFERENCE, "client_cpu")
            what = "client CPU of save_many / of asyncpg COPY and merge"
            reason = _missing(found, ("save_many", REFERENCE)) if reached is None else ""
            yield Goal(what, f"{kind} table, {where}", 1.0, reached, width, at_most=True, reason=reason)


def _mappers_and_limits(widths: dict[str, Any]) -> Iterator[Goal]:
    """Yield the goals against object-relational mappers and against the limits, on a re-run."""
    save_many = ("save_many", "save_many_parallel")
    built = ("from_spectrum_save_many", "from_spectrum_parallel")
    pairs: list[tuple[str, tuple[str, ...], str, dict[str, float]]] = [
        ("save_many, the faster", save_many, "peewee", {"20": 14, "60": 28, "200": 32}),
        ("save_many, the faster", save_many, "sqlalchemy_core", dict.fromkeys(WIDTHS, 4)),
        (
            "from_spectrum and save_many, the faster",
            built,
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
            reason = "" if found else _missing(phase, (*mine, theirs))
            name = phase[theirs].get("label", theirs)
            yield Goal(
                f"{label} / {name}",
                "pipelines table, re-run",
                bar,
                max(found, default=None),
                width,
                reason=reason,
            )


def _single(part: dict[str, Any]) -> Iterator[Goal]:
    for width, commits in _by_width(part):
        for commit, found in commits.items():
            what = "latency of save / bare prepared upsert"
            yield Goal(what, commit, 1.3, found["ratio"], width, at_most=True)


def _workers(part: dict[str, Any]) -> Iterator[Goal]:
    for label, found in part["ways"].items():
        if label.startswith("save_many"):
            what = f"deadlocks and failures of {part['workers']} processes"
            count = found["deadlocks"] + found["failed_workers"]
            yield Goal(what, label, 0, count, at_most=True)


def _growth(sizes: dict[str, Any]) -> Iterator[Goal]:
    small, large = (sizes.get(str(10**power), {}).get("ways", {}) for power in (5, 7))
    for name in small.keys() & large.keys():
        if name == "save_many, in order":
            reached = large[name]["rows_per_second"] / small[name]["rows_per_second"]
            yield Goal("re-run at 10⁷ rows / at 10⁵ rows", name, 0.7, round(reached, 3))


def _reading(part: dict[str, Any]) -> Iterator[Goal]:
    for columns, found in part["tables"].items():
        where = f"{part['rows']:,} rows of {columns} columns"
        for name, label, bar in (("columns", "", 1.3), ("columns_2", ", 2 connections", 1.9)):
            reached, reason = against_best(found["columns"], name, ("adbc",))
            yield Goal(f"columns to Arrow{label} / ADBC", where, bar, reached, reason=reason)
            memory = found["memory"][name]
            what, reason = f"columns to Arrow{label}: greatest memory / the table", memory.get("error", "")
            yield Goal(what, where, 1.3, memory.get("ratio"), at_most=True, reason=reason)
        where = f"{part['found']:,} rows of {columns} columns"
        reached, reason = against_best(found["records"], "find", ("fetch",))
        yield Goal("find / asyncpg fetch", where, 0.5, reached, reason=reason)


def _files(part: dict[str, Any]) -> Iterator[Goal]:
    where, ways = f"{part['rows']:,} rows of {part['columns']} columns", part["ways"]
    reached, reason = against_best(ways, "columns", ("export",))
    what = "time of an export to FITS / of the same columns to Arrow"
    yield Goal(what, where, 1.3, reached, at_most=True, reason=reason)
    reached, reason = against_best(ways, "export", ("upstream",))
    yield Goal("export to FITS / as upstream", where, 6, reached, reason=reason)
    yield from gzipped(ways, where)
    for way, ending in (("export", "FITS"), ("gzipped", "FITS.gz")):
        memory = part["memory"][way]
        what, reason = f"greatest memory of an export to {ending}, MiB", memory.get("error", "")
        yield Goal(what, where, 512, memory.get("peak_mib"), at_most=True, reason=reason)


def gzipped(ways: dict[str, Any], where: str) -> Iterator[Goal]:
    """Yield what compressing costs an export, beside what it costs zlib."""
    names = ("gzipped", "export", "zlib")
    reason = _missing(ways, names)
    added = together = None
    if not reason:
        cpu = zip(*(ways[name]["client_cpu"] for name in names), strict=True)
        added = round(median((packed - plain) / zlib for packed, plain, zlib in cpu), 2)
        rates = zip(*(ways[name]["rates"] for name in names), strict=True)
        together = round(median((1 / packed) / (1 / plain + 1 / zlib) for packed, plain, zlib in rates), 2)
    what = "CPU that .gz adds to an export / of zlib alone"
    yield Goal(what, where, 1.1, added, at_most=True, reason=reason)
    what = "time of an export to FITS.gz / of an export, and then zlib alone"
    yield Goal(what, where, 1.0, together, at_most=True, reason=reason)
