"""Time what is compared in turn, and say by medians what came of it."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Self

from rich.console import Console

console = Console(stderr=True)


@dataclass
class Series:
    """The samples of one way of doing it, a sample a round.

    Attributes
    ----------
    rows : int
        Rows in one sample.
    seconds : list[float]
        Wall-clock time of each sample.
    client, server : list[float]
        CPU time of this process, and of the server's, in each sample.
    error : str or None
        Why there are none.
    server_cpu : callable or None
        Says how much CPU time the server has used so far; None where that is not known.
    """

    rows: int = 0
    seconds: list[float] = field(default_factory=list)
    client: list[float] = field(default_factory=list)
    server: list[float] = field(default_factory=list)
    error: str | None = None
    server_cpu: Callable[[], float | None] = lambda: None

    async def add(self, work: Callable[[], Awaitable[Any]], rows: int) -> Any:
        """Run `work` once by the clock and return its result."""
        gc.collect()
        self.rows = rows
        served = self.server_cpu()
        cpu, start = time.process_time(), time.perf_counter()
        result = await work()
        self.seconds.append(time.perf_counter() - start)
        self.client.append(time.process_time() - cpu)
        serving = self.server_cpu()
        if served is not None and serving is not None:
            self.server.append(serving - served)
        return result

    def rates(self) -> list[float]:
        """Rows a second of each round."""
        return [self.rows / seconds for seconds in self.seconds]

    def summary(self) -> dict[str, Any]:
        """Return what is written down; what each round took is kept, for ratios within rounds.

        CPU times are microseconds a row.
        """
        if self.error is not None or not self.seconds:
            return {"error": self.error or "not measured"}
        rates = self.rates()
        return {
            "rows": self.rows,
            "rounds": len(rates),
            "rows_per_second": round(median(rates)),
            "rates": list(map(round, rates)),
            "microseconds_per_row": round(1e6 / median(rates), 2),
            "client_cpu": [round(1e6 * cpu / self.rows, 2) for cpu in self.client],
            "server_cpu": [round(1e6 * cpu / self.rows, 2) for cpu in self.server],
        }


class GreatestMemory:
    """Measures how much memory this process and all that it starts hold at most, within a `with`.

    The kernel keeps the greatest of a single process; those that it starts are asked every so often, and added.

    Attributes
    ----------
    before, greatest : int
        Bytes at the beginning, and at most.
    """

    EVERY = 0.02
    """Seconds between two questions."""

    before = greatest = 0

    def __enter__(self) -> Self:
        import psutil

        self._process, self._ended = psutil.Process(), threading.Event()
        self.before = self._all()
        self._asking = threading.Thread(target=self._ask, daemon=True)
        self._asking.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._asking.join()
        self.greatest = max(self.greatest, self._all(), status("VmHWM"))

    def _ask(self) -> None:
        while not self._ended.wait(self.EVERY):
            self.greatest = max(self.greatest, self._all())

    def _all(self) -> int:
        """Return what all hold; a page that two share counts twice."""
        import psutil

        found = int(self._process.memory_info().rss)
        for child in self._process.children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # it has ended
                found += int(child.memory_info().rss)
        return found


def status(name: str) -> int:
    """Return a figure of this process's memory, in bytes; Linux alone knows the greatest of a program."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (found,) = [line.split() for line in lines if line.startswith(f"{name}:")]
    return 1024 * int(found[1])


def ratio(rates: Sequence[float], against: Sequence[float]) -> float:
    """Return the median of the ratios within each round."""
    return median(mine / theirs for mine, theirs in zip(rates, against, strict=False))


def turns(names: Sequence[str], rounds: int) -> Iterator[tuple[int, str]]:
    """Yield every name once a round, each round beginning with another one."""
    for number in range(rounds):
        shift = number * max(1, len(names) // max(1, rounds)) % max(1, len(names))
        for name in (*names[shift:], *names[:shift]):
            yield number, name


def chunks(items: Sequence[Any], size: int) -> list[Any]:
    """Cut a sequence into batches."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def reason(error: BaseException) -> str:
    """Return an error in one line."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0] if text else ''}"[:200]


def say(message: str) -> None:
    """Tell whoever waits what is being measured."""
    console.print(f"[dim]{time.strftime('%H:%M:%S')}[/] {message}", highlight=False)


def load_warning() -> str | None:
    """Return a warning if the machine has other work to do."""
    load = os.getloadavg()[0]
    return f"load average {load:.1f}: other work disturbs the measurement" if load > 1 else None
