"""A worker process: stores results of all that is pending in its share, and writes down what it is told.

Run as `python load.py '{"dsn": ..., ...}'` with the fields of `Task`. It ends by itself once nothing is
pending, exits with 143 after SIGTERM, and may be killed at any moment.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from witness import WRITTEN, Writer, result

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar, Outputs, TheCannon
from astra_outputs.errors import AstraOutputsError, CannotConnect, DatabaseError
from astra_outputs.spool.folder import Spool

STOPPED = 143


@dataclass
class Task:
    """What a worker does.

    Attributes
    ----------
    how : {"run", "save_many"}
        By `Outputs.run`, which spools, or by `Outputs.save_many`, which raises and is tried again.
    generation : int
        Of the results that it makes; one that is started again makes later ones.
    rewrites : float
        Share of the results that are stored again, one generation later.
    """

    dsn: str
    witness: str
    spool: str
    how: str = "run"
    versions: tuple[int, ...] = (8001,)
    shard: tuple[int, int] = (0, 1)
    generation: int = 1
    batch_size: int = 200
    retry_for: float = 1.0
    connections: int = 1
    rewrites: float = 0.0
    grace: float = 5.0
    seed: int = 0
    spool_limit: int = 1 << 30
    pause: float = 0.0

    def command(self) -> list[str]:
        """Return the words that start it."""
        return [sys.executable, str(Path(__file__).resolve()), json.dumps(asdict(self))]


class Worker:
    """Works until nothing is pending, or until told to stop."""

    def __init__(self, task: Task) -> None:
        self.task, self.random = task, random.Random(task.seed)
        self.witness = Writer(Path(task.witness))
        self.stopped = asyncio.Event()
        self.run: Any = None

    async def work(self) -> None:
        """Begin again after every error that a database which went away explains."""
        loop, main = asyncio.get_running_loop(), asyncio.current_task()
        assert main is not None
        loop.add_signal_handler(signal.SIGTERM, self._stop, main)
        while not self.stopped.is_set():
            try:
                async with astra_outputs.connect(
                    self.task.dsn, retry_for=self.task.retry_for, connections=self.task.connections
                ) as outputs:
                    if await self._everything(outputs):
                        return
            except DatabaseError as error:
                self.witness.fact("note", error=f"{type(error).__name__}: {error}"[:300])
                if isinstance(error, CannotConnect):
                    await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                return

    def _stop(self, main: asyncio.Task[None]) -> None:
        self.stopped.set()
        if self.run is not None:
            self.run.stop()
        else:
            main.cancel()

    async def _everything(self, outputs: Outputs) -> bool:
        """Store one version after the other; True once nothing was left to do."""
        made = 0
        for version in self.task.versions:
            work = self._by_run if self.task.how == "run" else self._by_save_many
            made += await work(outputs, version)
            if self.stopped.is_set():
                return False
        return made == 0 and not Spool(self.task.spool).waiting()

    def _pending(self, outputs: Outputs, version: int) -> Any:
        return outputs.pending(
            TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra=version, shard=self.task.shard
        )

    async def _by_run(self, outputs: Outputs, version: int) -> int:
        task = self.task

        def pipeline(spectra: Any) -> Iterator[TheCannon]:
            for spectrum in spectra:
                if spectrum.spectrum_pk % 100 == 0:
                    self.witness.fact("note", working_on=spectrum.spectrum_pk)
                time.sleep(task.pause)  # a pipeline takes its time
                yield result(spectrum, version, task.generation)

        self.run = outputs.run(
            pipeline,
            self._pending(outputs, version),
            v_astra=version,
            batch_size=task.batch_size,
            spool=task.spool,
            spool_limit=task.spool_limit,
            grace=task.grace,
        )
        if self.stopped.is_set():
            return 0
        try:
            async for record in self.run:
                self.witness.told([record])
        finally:
            report, self.run = self.run.report, None
            counts = {outcome.value: count for outcome, count in report.counts.items()}
            self.witness.fact(
                "end", made=report.made, counts=counts, lost=len(report.lost), rejected=len(report.rejected),
                failures=len(report.failures), lost_keys=[key["spectrum_pk"] for key in report.lost],
            )  # fmt: skip
        return int(report.made)

    async def _by_save_many(self, outputs: Outputs, version: int) -> int:
        made = 0
        chunk: list[Any] = []
        async for spectrum in self._pending(outputs, version):
            chunk.append(spectrum)
            if len(chunk) >= 5 * self.task.batch_size:
                made += await self._save(outputs, chunk, version)
                chunk = []
        return made + await self._save(outputs, chunk, version)

    async def _save(self, outputs: Outputs, spectra: list[Any], version: int) -> int:
        records = [result(spectrum, version, self.task.generation) for spectrum in spectra]
        again = [spectrum for spectrum in spectra if self.random.random() < self.task.rewrites]
        for left in (records, [result(spectrum, version, self.task.generation + 1) for spectrum in again]):
            await self._until_stored(outputs, left)
        return len(records)

    async def _until_stored(self, outputs: Outputs, left: list[Any]) -> None:
        while left:
            try:
                await outputs.save_many(
                    left, batch_size=self.task.batch_size, connections=self.task.connections
                )
            except DatabaseError as error:
                self.witness.fact("note", error=f"{type(error).__name__}: {error}"[:300])
            finally:
                self.witness.told(record for record in left if record.outcome in WRITTEN)
            left = [record for record in left if record.outcome not in WRITTEN]


def main() -> None:
    """Do the task that the command line holds."""
    given = json.loads(sys.argv[1])
    task = Task(**given | {name: tuple(given[name]) for name in ("versions", "shard")})
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    worker = Worker(task)
    try:
        asyncio.run(worker.work())
    except AstraOutputsError as error:
        worker.witness.fact("note", error=f"{type(error).__name__}: {error}"[:300])
        raise SystemExit(1) from error
    finally:
        worker.witness.sync()
    if worker.stopped.is_set():
        raise SystemExit(STOPPED)


if __name__ == "__main__":
    main()
