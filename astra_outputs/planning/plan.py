"""`plan`: from measured rows to a survey: size, time, connections, and the step after one machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from math import ceil, isfinite

from astra_outputs.errors import InvalidPlan
from astra_outputs.planning.measured import Cost, average, costs

TABLES_OF_SPECTRA = ("source", "spectrum", "apogee_coadded_spectrum_in_ap_star")
"""What a spectrum takes besides its results: its source, at most, and its rows of two tables."""

DAY = 86_400

DISK_IN_USE = 0.7
"""Share of a disk that data may fill: the largest table is there twice while it is rewritten or partitioned."""

MEMORY_FOR_A_KEY = 0.25
"""Share of the memory that the indexes of one table may take: keys that arrive in any order touch all of them."""

ROWS_OF_A_TABLE = 10**8
"""Rows from which on a table is looked after in pieces: until then one vacuum or reindex of it ends in a night."""

BUSY = 0.5
"""Share of the time for which a server may write: the other half is for readers, backups and vacuum."""

CONNECTIONS_OF_A_WORKER = 2
"""A run reads what is pending on one connection and stores on another."""

CONNECTIONS_OF_A_SERVER = 100
"""PostgreSQL's own `max_connections`."""


@dataclass(frozen=True)
class Wanted:
    """What is to be planned.

    Attributes
    ----------
    spectra : float
    versions : float
        Major.minor versions that are kept side by side.
    pipelines : sequence of str, or float
        Tables of results; or how many, which are then like the mean of the built-in ones.
    patches : float
        How often each version is stored again, as a whole.
    days : float
        In which one version, with its patches, has to be stored.
    disk : float
        TB (10^12 bytes) of the server's disk.
    memory : float
        GiB of its memory.
    cores : float
    workers : float
        Processes of pipelines at the same time.
    """

    spectra: float
    versions: float
    pipelines: Sequence[str] | float = ()
    patches: float = 1
    days: float = 30
    disk: float = 4
    memory: float = 64
    cores: float = 16
    workers: float = 32

    def check(self) -> None:
        """Refuse what nobody can mean.

        Raises
        ------
        InvalidPlan
            With the number, and its limits.
        """
        whole = {"spectra": 1e11, "versions": 1e3, "patches": 1e3, "cores": 1e4, "workers": 1e6}
        if not isinstance(self.pipelines, Sequence):
            whole["pipelines"] = 1e3
        for name, most in whole.items():
            value, least = getattr(self, name), 0 if name in ("patches", "workers") else 1
            if not (isfinite(value) and least <= value <= most and value == int(value)):
                raise InvalidPlan(f"{name} = {value:g}: give a whole number from {least} to {most:g}")
        for name, most in {"days": 36_500, "disk": 1e6, "memory": 1e6}.items():
            value = getattr(self, name)
            if not (isfinite(value) and 0 < value <= most):
                raise InvalidPlan(f"{name} = {value:g}: give a number above 0, and at most {most:g}")


@dataclass(frozen=True)
class Table:
    """What one table takes: rows, bytes, and seconds on one connection for all its rows, patches included."""

    name: str
    rows: int
    heap: float
    indexes: float
    seconds: float


@dataclass(frozen=True)
class Plan:
    """What is predicted.

    Attributes
    ----------
    tables : tuple of Table
    size, indexes : float
        Bytes on the disk, indexes included; and those of the indexes.
    wal : float
        Bytes of the log of changes over all versions: what an archive or a standby receives.
    load : float
        Seconds to store everything on one connection; the pipelines' own time is not in it.
    vacuum, dumping, restoring : float
        Seconds to vacuum after a patch of every version, to dump, and to restore.
    dump : float
        Bytes of a compressed dump.
    loading : int
        Connections that store a version within the days given.
    connections : int
        Those of the workers.
    pooler : bool
        Whether these are more than PostgreSQL's own limit, so that a pooler stands before it.
    ends : dict[str, float]
        The number of versions that one plain table on one machine takes, and that its disk takes.
    step : str
        What comes now: "one machine", "partitions", "a server for readers", "several servers".
    why : tuple of str
        In words.
    """

    tables: tuple[Table, ...]
    size: float
    indexes: float
    wal: float
    load: float
    vacuum: float
    dumping: float
    restoring: float
    dump: float
    loading: int
    connections: int
    pooler: bool
    ends: dict[str, float]
    step: str
    why: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """Return everything, as JSON takes it."""
        return asdict(self)


def plan(wanted: Wanted) -> Plan:
    """Predict what a survey takes.

    Raises
    ------
    InvalidPlan
        If a number makes no sense, or a table is not known.
    """
    wanted.check()
    known = costs()
    of_results = _results(wanted, known)
    spectra, versions = int(wanted.spectra), int(wanted.versions)
    taken = [(name, spectra, known[name], 0.0) for name in TABLES_OF_SPECTRA]
    taken += [(name, spectra * versions, cost, wanted.patches) for name, cost in of_results]
    tables = tuple(
        Table(name, rows, rows * cost.heap, rows * cost.indexes, rows * (cost.first + patches * cost.again))
        for name, rows, cost, patches in taken
    )
    size, indexes = sum(one.heap + one.indexes for one in tables), sum(one.indexes for one in tables)
    a_version = spectra * sum(cost.first + wanted.patches * cost.again for _, cost in of_results)
    time = wanted.days * DAY
    ends = _ends(wanted, of_results, sum(known[name].stored for name in TABLES_OF_SPECTRA))
    step, why = _step(wanted, tables, size, a_version / time)
    workers = int(wanted.workers) * CONNECTIONS_OF_A_WORKER
    return Plan(
        tables=tables,
        size=size,
        indexes=indexes,
        wal=sum(rows * (cost.wal_first + again * cost.wal_again) for _, rows, cost, again in taken),
        load=sum(one.seconds for one in tables),
        vacuum=sum(rows * cost.vacuum for _, rows, cost, _ in taken),
        dumping=sum(rows * cost.dumping for _, rows, cost, _ in taken),
        restoring=sum(rows * cost.restoring for _, rows, cost, _ in taken),
        dump=sum(rows * cost.dump for _, rows, cost, _ in taken),
        loading=max(1, ceil(a_version / time / BUSY)),
        connections=workers,
        pooler=workers > CONNECTIONS_OF_A_SERVER,
        ends=ends,
        step=step,
        why=why,
    )


def _results(wanted: Wanted, known: dict[str, Cost]) -> list[tuple[str, Cost]]:
    """Return the tables of results by name, each with what a row takes."""
    results = {name: cost for name, cost in known.items() if name != "source" and "spectrum" not in name}
    if not isinstance(wanted.pipelines, Sequence):
        cost = average(list(results.values()))
        return [(f"pipeline {number}", cost) for number in range(1, int(wanted.pipelines) + 1)]
    names = list(dict.fromkeys(wanted.pipelines)) or list(results)
    for name in names:
        if name not in results:
            nearest = get_close_matches(name, results, n=1)
            hint = f"did you mean {nearest[0]}?" if nearest else f"those are {', '.join(results)}"
            raise InvalidPlan(f"{name} is no table of results that was measured; {hint} Or give a number")
    return [(name, results[name]) for name in names]


def _ends(wanted: Wanted, results: list[tuple[str, Cost]], of_a_spectrum: float) -> dict[str, float]:
    """Return how many versions may be kept until something ends."""
    room = wanted.disk * 1e12 * DISK_IN_USE - wanted.spectra * of_a_spectrum
    widest = wanted.spectra * max(cost.indexes for _, cost in results)
    memory = wanted.memory * 2**30 * MEMORY_FOR_A_KEY
    return {
        "a plain table": min(memory / widest, ROWS_OF_A_TABLE / wanted.spectra),
        "one machine": max(0.0, room / (wanted.spectra * sum(cost.stored for _, cost in results))),
    }


def _step(wanted: Wanted, tables: tuple[Table, ...], size: float, busy: float) -> tuple[str, tuple[str, ...]]:
    """Return what comes now, the farthest first, and every reason for it and for what comes before."""
    largest = max(tables[len(TABLES_OF_SPECTRA) :], key=lambda one: one.indexes)
    reasons = {
        "several servers": [
            *(
                [f"{size / 1e12:,.1f} TB are more than {DISK_IN_USE:.0%} of a disk of {wanted.disk:g} TB"]
                if size > DISK_IN_USE * wanted.disk * 1e12
                else []
            ),
            *(
                [
                    (
                        f"a version takes {busy * wanted.days:,.0f} days of one connection: {wanted.cores:g} cores "
                        f"would write for more than {BUSY:.0%} of {wanted.days:g} days"
                    )
                ]
                if busy > BUSY * wanted.cores
                else []
            ),
        ],
        "a server for readers": [
            f"a server of {wanted.cores:g} cores writes for {busy / wanted.cores:.0%} of the time"
        ]
        if busy > BUSY * wanted.cores / 2
        else [],
        "partitions": [
            *(
                [
                    f"{largest.name} has {largest.rows:,} rows: looked after in pieces from {ROWS_OF_A_TABLE:,} on"
                ]
                if largest.rows >= ROWS_OF_A_TABLE
                else []
            ),
            *(
                [
                    (
                        f"the indexes of {largest.name} take {largest.indexes / 2**30:,.1f} GiB, more than "
                        f"{MEMORY_FOR_A_KEY:.0%} of a memory of {wanted.memory:g} GiB"
                    )
                ]
                if largest.indexes > MEMORY_FOR_A_KEY * wanted.memory * 2**30
                else []
            ),
        ],
    }
    step = next((name for name, why in reasons.items() if why), "one machine")
    return step, tuple(reason for why in reasons.values() for reason in why)
