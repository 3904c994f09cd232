"""The time that a pipeline spends, without what it spends waiting for this package."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from time import monotonic, perf_counter
from typing import Any, NamedTuple

from astra_outputs.model.record import Record


class Timed(NamedTuple):
    """What a pipeline yielded in another process, and the seconds that it took there."""

    seconds: float
    value: Any


class Stopwatch:
    """Runs while a pipeline computes."""

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock, self._start, self._waited = clock, clock(), 0.0

    def start(self) -> None:
        """Begin a lap."""
        self._start, self._waited = self._clock(), 0.0

    def lap(self) -> float:
        """Return the seconds of this lap, waits left out."""
        return self._clock() - self._start - self._waited

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Leave out the time inside the `with` block: the pipeline waits for a spectrum."""
        start = self._clock()
        try:
            yield
        finally:
            self._waited += self._clock() - start


def spread(overhead: float, records: Sequence[Record]) -> None:
    """Give each record its even share of the seconds that they have in common.

    A record whose pipeline set `t_overhead` itself keeps it and gets no share.
    """
    without = [record for record in records if _lacks(record, "t_overhead")]
    for record in without:
        record.t_overhead = overhead / len(without)


def stamp(record: Record, seconds: float) -> None:
    """Say how long a record took, unless its pipeline did."""
    if _lacks(record, "t_elapsed"):
        record.t_elapsed = seconds


def _lacks(record: Record, name: str) -> bool:
    return name in type(record).model_fields and getattr(record, name) is None


class ServerClock:
    """The server's time, also while the server is away.

    Results in a spool are as old as the server's clock says, since rows are compared by it. Between
    two contacts the time goes on by this machine's monotonic clock, which nobody can set.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self.set(datetime.now(UTC))

    def set(self, time: datetime) -> None:
        """Take over the time that the server has just told."""
        self._time, self._at = time, self._clock()

    def now(self) -> datetime:
        """Return the time by the server's clock."""
        return self._time + timedelta(seconds=self._clock() - self._at)
