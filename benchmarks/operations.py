"""What `benchmarks.partitions` measures on a table of The Cannon's results, plain or spread over partitions."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from astra_outputs import ApogeeCoaddedSpectrumInApStar, Outputs, TheCannon

BATCH = 2_000


class Operation(NamedTuple):
    """What is measured: given the number of the round, it does the same on either table."""

    work: Callable[[Outputs, int], Awaitable[Any]]
    rounds: int


def result(spectrum_pk: int, version: int) -> TheCannon:
    """Return a result as a pipeline would make it."""
    return TheCannon(
        spectrum_pk=spectrum_pk, v_astra=version, teff=4_000.0 + spectrum_pk % 3_000, e_teff=51.0, logg=2.5,
        e_logg=0.1, fe_h=-0.3, e_fe_h=0.05, c_fe=0.1, n_fe=0.2, o_fe=0.3, mg_fe=0.1, si_fe=0.2, rchi2=1.1,
        result_flags=spectrum_pk % 8,
    )  # fmt: skip


def operations(rows: int, times: int) -> dict[str, Operation]:
    """Return what is measured, by name: what takes long in three rounds at most."""
    saved, few = min(20 * BATCH, rows // 4), min(times, 3)
    kinds, version = (TheCannon, ApogeeCoaddedSpectrumInApStar), "0.8.1"
    names = ["spectrum_pk", "teff", "logg", "fe_h", "result_flags"]

    async def save(outputs: Outputs, version: int, first: int) -> None:
        await outputs.save_many((result(k, version) for k in range(first, first + saved)), batch_size=BATCH)

    async def singly(outputs: Outputs, turn: int) -> None:
        for key in range(rows // 2 + 100 * turn, rows // 2 + 100 * (turn + 1)):
            await outputs.save(result(key, 8_001))

    async def pending(outputs: Outputs, _: int) -> None:
        async for _spectrum in outputs.pending(*kinds, v_astra=version):
            pass

    async def by_key(outputs: Outputs, turn: int) -> None:
        for key in random.Random(turn).choices(range(1, rows), k=200):
            await outputs.get_result(TheCannon, key, v_astra="0.8")

    async def by_id(outputs: Outputs, turn: int) -> None:
        for key in random.Random(turn).choices(range(1, rows), k=200):
            await outputs.get_by_id(TheCannon, key)

    async def find(outputs: Outputs, turn: int) -> None:
        chosen = random.Random(turn)
        for _ in range(20):
            await outputs.find(TheCannon, on=chosen.sample(range(1, rows), 100), newest=True)

    def newest(outputs: Outputs, _: int) -> Awaitable[Any]:
        return outputs.columns(TheCannon, newest=True, columns=["spectrum_pk", "teff"]).to_numpy()

    def columns(outputs: Outputs, connections: int) -> Awaitable[Any]:
        return outputs.columns(TheCannon, columns=names, connections=connections).to_numpy()

    return {
        "re-run, batches of 2,000": Operation(
            lambda outputs, turn: save(outputs, 8_001, random.Random(turn).randrange(1, rows - saved)), times
        ),
        "new rows, batches of 2,000": Operation(
            lambda outputs, turn: save(outputs, 10_001, 1 + turn * saved), few
        ),
        "100 single saves": Operation(singly, times),
        "all that is pending": Operation(pending, few),
        "count of what is pending": Operation(
            lambda outputs, _: outputs.count_pending(*kinds, v_astra=version), few
        ),
        "newest of each": Operation(newest, few),
        "200 results by spectrum and version": Operation(by_key, times),
        "200 results by task_pk": Operation(by_id, times),
        "20 times 100 spectra, newest": Operation(find, times),
        "five columns of all": Operation(lambda outputs, _: columns(outputs, 1), few),
        "five columns of all, two connections": Operation(lambda outputs, _: columns(outputs, 2), few),
        "a condition without an index": Operation(
            lambda outputs, _: outputs.columns(TheCannon, "teff > 6998").count(), few
        ),
    }


async def ready(outputs: Outputs) -> None:
    """Do a little of everything, so that what is done once a connection is done, and re-runs are expected."""
    await outputs.save_many(result(k, 8_001) for k in range(1, 1 + BATCH))
    await outputs.save(result(1, 8_001))
    await outputs.get_result(TheCannon, 1, v_astra="0.8")
    await outputs.get_by_id(TheCannon, 1)
    await outputs.find(TheCannon, on=[1, 2], newest=True)
    await outputs.columns(TheCannon, "spectrum_pk = 1", columns=["teff"]).to_numpy()
    [_ async for _ in outputs.pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra="0.8.1", limit=1)]
