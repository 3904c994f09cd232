"""Workers under load while everything around them breaks; what and when is drawn from a seed."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import asyncpg
import ledger
from crashing import CrashServer
from ledger import Violation
from load import STOPPED, Task
from poolers import through
from witness import Key, Told

STALLED = 120.0
"""Seconds without a new line of any worker after which a campaign is given up."""

KINDS = {
    "kill server": 6,
    "restart server": 1,
    "kill backend": 2,
    "end sessions": 2,
    "read only": 2,
    "kill worker": 4,
    "stop worker": 2,
    "freeze worker": 1,
    "hang server": 1,
}
"""What may happen, and how often compared to the others."""


@dataclass(frozen=True)
class Event:
    """Something that breaks.

    Attributes
    ----------
    at : float
        Share of the results that are told of by then.
    delay : float
        Seconds later, so that it does not always come after a batch.
    lasts : float
        Seconds for which it stays broken.
    """

    kind: str
    at: float
    delay: float
    lasts: float


@dataclass(frozen=True)
class Plan:
    """A load, and what breaks in the middle of it."""

    seed: int
    spectra: int
    versions: tuple[int, ...]
    workers: int
    batch_size: int
    events: tuple[Event, ...]

    @classmethod
    def of(
        cls, seed: int, *, rows: int, workers: int, events: int, kinds: dict[str, int] | None = None
    ) -> Plan:
        """Draw a plan; the same seed gives the same one."""
        draw, kinds = random.Random(seed), kinds or KINDS
        chosen = draw.choices(list(kinds), weights=list(kinds.values()), k=events)
        times = sorted(draw.uniform(0.02, 0.85) for _ in chosen)
        lasting = [draw.choice((0.0, 0.0, draw.uniform(0, 3))) for _ in chosen]
        versions = tuple(8001 + 1000 * n for n in range(draw.choice((2, 4, 5))))
        return cls(
            seed,
            -(-rows // len(versions)),
            versions,
            workers,
            draw.choice((50, 200, 500)),
            tuple(
                Event(kind, at, draw.uniform(0, 0.1), lasts)
                for kind, at, lasts in zip(chosen, times, lasting, strict=True)
            ),
        )

    @property
    def everything(self) -> set[Key]:
        """The keys of all results."""
        return {(key, version) for key in range(1, self.spectra + 1) for version in self.versions}

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {len(self.everything):,} results of {self.workers} workers in batches of "
            f"{self.batch_size}; {', '.join(event.kind for event in self.events)}"
        )


@dataclass
class Tally:
    """What happened in a campaign."""

    rows: int = 0
    happened: Counter[str] = field(default_factory=Counter)
    in_the_middle: int = 0
    spooled: int = 0
    told: int = 0
    checks: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        events = (
            ", ".join(f"{kind} {times}x" for kind, times in sorted(self.happened.items())) or "nothing broke"
        )
        return (
            f"{self.rows:,} rows, {self.told:,} reports, {self.spooled:,} of them spooled, "
            f"{self.checks} checks, {self.seconds:.0f} s: {events}"
        )


class Campaign:
    """One plan, carried out.

    Parameters
    ----------
    plan : Plan
    server : CrashServer
        Runs when it begins and when it ends.
    folder : Path
        For what the workers write: their witnesses, logs and spools.
    pooler : str, optional
        Through which the workers connect, as the query of a DSN.
    """

    def __init__(self, plan: Plan, server: CrashServer, folder: Path, pooler: str | None = None) -> None:
        self.plan, self.server, self.folder, self.tally = plan, server, folder, Tally()
        self._pooler = pooler
        self._draw = random.Random(plan.seed + 1)
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._tasks: list[Task] = []
        self._dsn = ""

    def run(self) -> Tally:
        """Carry it out.

        Raises
        ------
        Violation
            If a promise is broken, a worker fails, or nothing goes on any more.
        """
        begin = time.monotonic()
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "plan.txt").write_text(f"{self.plan}\n{self.plan.events}\n")
        self._dsn = self.server.database()
        ledger.add_spectra(self._dsn, self.plan.spectra)
        try:
            self._start_all()
            for event in self.plan.events:
                self._wait(round(event.at * len(self.plan.everything)))
                self.tally.in_the_middle += bool(self._alive())
                time.sleep(event.delay)
                self._break(event)
                self.tally.happened[event.kind] += 1
                self._check()
            self._wait(None)
        finally:
            for process in self._processes.values():
                process.kill()
                process.wait()
        told = self._told()
        self.tally.rows = ledger.check(self._dsn, told, self._spools, self.plan.everything)
        self.tally.spooled, self.tally.told = len(told.spooled), len(told.stored) + len(told.spooled)
        self.tally.checks += 1
        self.tally.seconds = time.monotonic() - begin
        return self.tally

    @property
    def _spools(self) -> list[Path]:
        return sorted({Path(task.spool) for task in self._tasks})

    def _told(self) -> Told:
        return Told.read(self.folder.glob("*.witness"))

    def _check(self) -> None:
        """Hold the database against what was told by now: a result made again later would hide a loss.

        The workers stand still meanwhile. A large ledger takes seconds, and before the next event they
        would be done.
        """
        alive = [self._processes[number] for number in self._alive()]
        for process in alive:
            process.send_signal(signal.SIGSTOP)
        try:
            ledger.check(self._dsn, self._told(), self._spools)
        finally:
            for process in alive:
                process.send_signal(signal.SIGCONT)
        self.tally.checks += 1

    def _start_all(self) -> None:
        shared = self._draw.random() < 0.5
        for number in range(self.plan.workers):
            how = "run" if number == 0 else self._draw.choice(("run", "run", "save_many"))
            task = Task(
                dsn=self._dsn if self._pooler is None else through(self._dsn, self._pooler),
                witness=str(self.folder / f"{number}.witness"),
                spool=str(self.folder / ("spool" if shared else f"spool-{number}")),
                how=how,
                versions=self.plan.versions,
                shard=(number, self.plan.workers),
                generation=10,
                batch_size=self.plan.batch_size,
                retry_for=self._draw.choice((0.5, 1.0, 20.0)),
                connections=self._draw.choice((1, 2)),
                rewrites=0.2 if how == "save_many" else 0.0,
                seed=self.plan.seed * 100 + number,
            )
            self._tasks.append(task)
            self._start(number)

    def _start(self, number: int) -> None:
        with (self.folder / f"{number}.log").open("ab") as log:
            self._processes[number] = subprocess.Popen(
                self._tasks[number].command(), stdout=log, stderr=log, start_new_session=True
            )

    def _start_again(self, number: int) -> None:
        """Start a worker after its end; what it makes now is newer than what it made before."""
        task = self._tasks[number]
        self._tasks[number] = replace(task, generation=task.generation + 10, seed=task.seed + 7)
        self._start(number)

    def _alive(self) -> list[int]:
        return [number for number, process in self._processes.items() if process.poll() is None]

    def _lines(self) -> int:
        return sum(path.read_bytes().count(b"\n") for path in self.folder.glob("*.witness"))

    def _wait(self, lines: int | None) -> None:
        """Wait until the workers were told of so many results; of all where None."""
        seen, since = -1, time.monotonic()
        while self._alive():
            for number, process in self._processes.items():
                if process.poll() not in (None, 0):
                    log = (self.folder / f"{number}.log").read_text()[-1500:]
                    raise Violation(f"worker {number} ended with {process.returncode}:\n{log}")
            now = self._lines()
            if lines is not None and now >= lines:
                return
            if now != seen:
                seen, since = now, time.monotonic()
            elif time.monotonic() - since > STALLED:
                raise Violation(f"no worker was told anything for {STALLED:g} s, after {now} lines")
            time.sleep(0.02)
        codes = {number: process.returncode for number, process in self._processes.items()}
        if any(codes.values()):
            raise Violation(f"workers ended with {codes}")

    def _break(self, event: Event) -> None:
        getattr(self, "_" + event.kind.replace(" ", "_"))(event.lasts)

    def _kill_server(self, lasts: float) -> None:
        self.server.kill()
        time.sleep(lasts)
        self.server.start()

    def _hang_server(self, lasts: float) -> None:
        self.server.suspend()
        time.sleep(lasts)
        self.server.resume()

    def _restart_server(self, lasts: float) -> None:
        self.server.stop()
        time.sleep(lasts)
        self.server.start()

    def _kill_backend(self, _: float) -> None:
        self.server.kill_backends()
        self._patiently("select 1")  # the others end as well, and the server recovers

    def _end_sessions(self, _: float) -> None:
        self._patiently(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where backend_type = 'client backend' and pid <> pg_backend_pid()"
        )

    def _read_only(self, lasts: float) -> None:
        self._patiently("alter system set default_transaction_read_only = on", "select pg_reload_conf()")
        time.sleep(lasts)
        self._patiently("alter system reset default_transaction_read_only", "select pg_reload_conf()")

    def _kill_worker(self, _: float) -> None:
        if alive := self._alive():
            number = self._draw.choice(alive)
            self._processes[number].kill()
            self._processes[number].wait()
            self._start_again(number)

    def _stop_worker(self, _: float) -> None:
        if alive := self._alive():
            number = self._draw.choice(alive)
            process, begin = self._processes[number], time.monotonic()
            process.send_signal(signal.SIGTERM)
            try:
                code = process.wait(self._tasks[number].grace + 60)
            except subprocess.TimeoutExpired:
                raise Violation(f"worker {number} does not end after SIGTERM") from None
            if code not in (0, STOPPED, -signal.SIGTERM):
                raise Violation(f"worker {number} ended with {code} after SIGTERM")
            self.tally.happened["stopped within s"] = max(
                self.tally.happened["stopped within s"], round(time.monotonic() - begin + 0.5)
            )
            self._start_again(number)

    def _freeze_worker(self, lasts: float) -> None:
        if alive := self._alive():
            process = self._processes[self._draw.choice(alive)]
            process.send_signal(signal.SIGSTOP)
            time.sleep(lasts)
            process.send_signal(signal.SIGCONT)

    def _patiently(self, *statements: str) -> None:
        asyncio.run(patiently(self._dsn, *statements))


async def patiently(dsn: str, *statements: str) -> None:
    """Run statements one by one, again while the server is away."""
    give_up = time.monotonic() + 60
    for statement in statements:
        while True:
            try:
                connection = await asyncpg.connect(
                    dsn, server_settings={"default_transaction_read_only": "off"}
                )
                try:
                    await connection.execute(statement)
                finally:
                    await connection.close()
                break
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                if time.monotonic() > give_up:
                    raise
                await asyncio.sleep(0.05)
