"""One worker of the simulated year: its share of every pipeline's work of a month.

    python worker.py '{"dsn": ..., "month": 3, ...}'

Ends with 0 when its share is done, and with 75 if it finds no server. It may be killed at any moment
and started again.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from plan import Plan, labels, values_of

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar, Outputs, PipelineOutputMixin
from astra_outputs.errors import CannotConnect

NO_SERVER = 75
"""Exit code that asks to be started again later: EX_TEMPFAIL of sysexits.h."""


@dataclass
class Share:
    """What a worker does.

    Attributes
    ----------
    shard : tuple[int, int]
        Which share of the pending spectra: (i, n). Re-runs overlap: each worker does every other one's too.
    """

    dsn: str
    spool: str
    plan: dict[str, Any]
    month: int
    shard: tuple[int, int]

    def command(self) -> list[str]:
        """Return the words that start it."""
        return [sys.executable, str(Path(__file__).resolve()), json.dumps(asdict(self))]


async def work(share: Share) -> None:
    """Run every pipeline over what is pending, then again over what is to be made again."""
    plan, v_astra = Plan(**share.plan), Plan(**share.plan).version(share.month)
    number, workers = share.shard
    order = list(enumerate(plan.record_classes))
    first = number * len(order) // workers  # several pipelines at the same time
    async with astra_outputs.connect(share.dsn, retry_for=20.0) as outputs:
        for pipeline, record_class in order[first:] + order[:first]:
            waiting = outputs.pending(
                record_class, ApogeeCoaddedSpectrumInApStar, v_astra=v_astra, shard=(number, workers)
            )
            make = _pipeline(plan, pipeline, record_class, share.month)
            await outputs.run(
                make,
                waiting,
                v_astra=v_astra,
                batch_size=500,
                spool=share.spool,
                most_failures=plan.spectra,
            )
            await _run_again(outputs, plan, pipeline, record_class, share.month)
        await outputs.replay(share.spool)


def _pipeline(
    plan: Plan, pipeline: int, record_class: type[PipelineOutputMixin], month: int
) -> Callable[[Any], Iterator[PipelineOutputMixin]]:
    names = labels(record_class)

    def make(spectra: Any) -> Iterator[PipelineOutputMixin]:
        for spectrum in spectra:
            key = spectrum.spectrum_pk
            if plan.fails(pipeline, key):
                raise ValueError(f"no model for spectrum {key}")
            yield record_class.from_spectrum(spectrum, values_of(names, pipeline, key, month), tag=str(month))

    return make


async def _run_again(
    outputs: Outputs, plan: Plan, pipeline: int, record_class: type[PipelineOutputMixin], month: int
) -> None:
    """Store results again, as a table."""
    keys, names = plan.rerun_of(month, pipeline), labels(record_class)
    if not keys:
        return
    rows = [values_of(names, pipeline, key, month) for key in keys]
    table: dict[str, Any] = {name: np.array([row[name] for row in rows], np.float32) for name in names}
    table |= {"spectrum_pk": np.array(keys), "source_pk": np.array(keys), "tag": str(month)}
    await outputs.save_table(record_class, table, v_astra=plan.version(month))


def main() -> None:
    """Do the share that the command line holds."""
    given = json.loads(sys.argv[1])
    try:
        asyncio.run(work(Share(**given | {"shard": tuple(given["shard"])})))
    except CannotConnect as error:
        print(error, file=sys.stderr)
        sys.exit(NO_SERVER)


if __name__ == "__main__":
    main()
