"""Simulate a year of the survey's writing, break what can break, and hold the end against a model.

    python examples/year/year.py --spectra 600 --pipelines 20 --workers 4 --seed 7

In each of twelve months spectra arrive, a version may come out, every pipeline runs over what is
pending, and some run again; meanwhile the server and the workers are killed. After every month all
rows are compared with a model that never asks the library. Ends with 1 if anything differs.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import asyncpg
import psutil

sys.path.insert(0, str(Path(__file__).parent))
from model import Model
from plan import BUILT_IN, MONTHS, Plan, create_table
from worker import NO_SERVER, Share

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar, embedded
from astra_outputs.embedded import EmbeddedServer
from astra_outputs.postgres import sql_files

SETTINGS = {"max_connections": "100", "fsync": "off", "synchronous_commit": "on"}
"""What a killed process has written stays: only a machine that loses its power would need fsync."""

KILLED = -signal.SIGKILL


class Year:
    """One simulated year on a server of its own.

    Parameters
    ----------
    plan : Plan
    folder : Path
        For the server's data, the spools and the workers' logs.
    workers : int
        Processes at work at the same time.
    faults : int
        Things that break in a month.
    """

    def __init__(self, plan: Plan, folder: Path, workers: int, faults: int) -> None:
        self.plan, self.folder, self.workers, self.faults = plan, folder, workers, faults
        self.model = Model(plan)
        self.happened: Counter[str] = Counter()
        self._draw = random.Random(plan.seed)
        self._server: EmbeddedServer | None = None
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._shares: dict[int, Share] = {}

    def run(self) -> list[str]:
        """Let the year pass; returns what is not as it must be."""
        self._start_server()
        try:
            asyncio.run(self._create())
            for month in MONTHS:
                begin = time.monotonic()
                asyncio.run(self._arrive(month))
                self._work(month)
                self.model.pass_month(month)
                wrong = asyncio.run(self._differences()) + self._left_behind()
                took = time.monotonic() - begin
                say = f"month {month:2}: {self.plan.arrived(month):,} spectra, version {self.plan.version(month)}"
                print(
                    f"{say}, {took:.0f} s: {'as it must be' if not wrong else f'{len(wrong):,} differences'}"
                )
                if wrong:
                    return wrong
        finally:
            for process in self._processes.values():
                process.kill()
                process.wait()
            self._stop_server()
        return []

    @property
    def dsn(self) -> str:
        """DSN of the server's database."""
        assert self._server is not None
        return self._server.dsn

    async def _create(self) -> None:
        connection = await asyncpg.connect(self.dsn)
        await sql_files.apply(connection, "astra")
        await connection.execute("set search_path to astra")
        for record_class in self.plan.record_classes[len(BUILT_IN) :]:
            await connection.execute(create_table(record_class))
        await connection.close()

    async def _arrive(self, month: int) -> None:
        """Store the month's sources and spectra."""
        last = self.plan.arrived(month)
        first = self.plan.arrived(month - 1) + 1
        connection = await asyncpg.connect(self.dsn)
        await connection.execute(
            f"insert into astra.source (pk, sdss_id) select key, key from generate_series({first}, {last}) as key"
        )
        await connection.close()
        keys = {"release": "dr20", "apred": "1.4", "telescope": "apo25m", "field": "none"}
        async with astra_outputs.connect(self.dsn) as outputs:
            await outputs.save_many(
                ApogeeCoaddedSpectrumInApStar.model_validate(
                    {"spectrum_pk": key, "source_pk": key, "obj": f"star {key}", **keys}
                )
                for key in range(first, last + 1)
            )

    def _work(self, month: int) -> None:
        """Start the workers, break things while they work, and wait for their end."""
        for number in range(self.workers):
            spool = str(self.folder / f"spool-{number}")
            self._shares[number] = Share(self.dsn, spool, asdict(self.plan), month, (number, self.workers))
            self._start(number)
        for _ in range(self.faults):
            self._wait(self._draw.uniform(0.3, 2.0))
            if self._alive():
                fault = self._draw.choice((self._kill_server, self._kill_worker, self._end_sessions))
                fault()
                self.happened[fault.__name__.strip("_").replace("_", " ")] += 1
        self._wait(None)

    def _start(self, number: int) -> None:
        with (self.folder / f"{number}.log").open("ab") as log:
            self._processes[number] = subprocess.Popen(self._shares[number].command(), stdout=log, stderr=log)

    def _alive(self) -> list[int]:
        return [number for number, process in self._processes.items() if process.poll() is None]

    def _wait(self, seconds: float | None) -> None:
        """Wait for so long, or to the end of the workers; one that fails ends the year.

        One that found no server is started again, as a scheduler would do.
        """
        until = time.monotonic() + seconds if seconds is not None else float("inf")
        while True:
            for number, process in list(self._processes.items()):
                if process.poll() == NO_SERVER:
                    self._start(number)
                elif process.poll() not in (None, 0):
                    log = (self.folder / f"{number}.log").read_text(encoding="utf-8")[-2_000:]
                    raise RuntimeError(f"worker {number} ended with {process.returncode}:\n{log}")
            if not self._alive() or time.monotonic() > until:
                return
            time.sleep(0.05)

    def _kill_worker(self) -> None:
        number = self._draw.choice(list(self._processes))
        self._processes[number].kill()
        self._processes[number].wait()
        self._start(number)

    def _kill_server(self) -> None:
        assert self._server is not None
        postmaster = psutil.Process(self._server.pid)
        postmaster.suspend()  # it starts no more processes while these are listed
        processes = [*postmaster.children(recursive=True), postmaster]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=30)
        self._stop_server()
        self._start_server()

    def _end_sessions(self) -> None:
        async def end() -> None:
            connection = await asyncpg.connect(self.dsn)
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where backend_type = 'client backend' and pid <> pg_backend_pid()"
            )
            await connection.close()

        asyncio.run(end())

    def _start_server(self) -> None:
        self._server = embedded.server(self.folder / "postgres", **SETTINGS)
        self._server.__enter__()

    def _stop_server(self) -> None:
        if self._server is not None:
            self._server.stop()

    async def _differences(self) -> list[str]:
        connection = await asyncpg.connect(self.dsn, server_settings={"search_path": "astra"})
        try:
            return await self.model.differences(connection)
        finally:
            await connection.close()

    def _left_behind(self) -> list[str]:
        return [f"{path} is left in a spool" for path in self.folder.glob("spool-*/*.spool")]


def main() -> int:
    """Read the command line, let a year pass, and say what came of it."""
    parser = argparse.ArgumentParser(
        description="Simulate a year of the survey's writing and check every row.",
        epilog="The model takes a byte a result: 10⁶ spectra and 20 pipelines some 80 MB.",
    )
    parser.add_argument("--spectra", type=int, default=600, help="spectra at the end of the year")
    parser.add_argument("--pipelines", type=int, default=20)
    parser.add_argument("--workers", type=int, default=4, help="worker processes")
    parser.add_argument("--faults", type=int, default=3, help="things that break in a month")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument(
        "--folder", type=Path, help="for the data, which then stay; a temporary one otherwise"
    )
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    folder = options.folder or Path(tempfile.mkdtemp(prefix="astra-year-"))
    folder.mkdir(parents=True, exist_ok=True)
    year = Year(Plan(seed, options.spectra, options.pipelines), folder, options.workers, options.faults)
    print(
        f"seed {seed}: {options.spectra:,} spectra, {options.pipelines} pipelines, {options.workers} workers, "
        f"{options.faults} faults a month"
    )
    try:
        wrong = year.run()
    finally:
        if options.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
    happened = ", ".join(f"{fault} {times}x" for fault, times in sorted(year.happened.items()))
    print(f"what broke: {happened or 'nothing'}")
    print("\n".join(wrong[:20]) if wrong else "every result is there, once, with its values")
    return 1 if wrong else 0


if __name__ == "__main__":
    os.environ.pop("ASTRA_OUTPUTS_V_ASTRA", None)
    raise SystemExit(main())
