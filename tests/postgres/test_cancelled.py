"""A call that is cancelled at any moment leaves a caller's own connection as it was."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import asyncpg
import pytest
from shares import at_full_size

import astra_outputs
from astra_outputs import TheCannon, ddl

VERSION = "0.8.1"
STEPS = at_full_size(200, 25)


@pytest.mark.soak
@pytest.mark.parametrize("call", ["save", "atomic", "columns", "apply"])
async def test_a_call_that_is_cancelled_leaves_no_transaction_open_on_the_callers_connection(
    database, spectrum, call
) -> None:
    result = TheCannon.from_spectrum(spectrum, v_astra=VERSION, teff=5000.0)
    own = await asyncpg.connect(database)
    calls = {
        "save": lambda outputs: outputs.save(result),
        "atomic": lambda outputs: outputs.save_many([result], atomic=True),
        "columns": lambda outputs: outputs.columns(TheCannon).to_numpy(),
        "apply": lambda _: ddl.apply(own, "other"),
    }
    ended = 0
    for step in range(STEPS):
        # Each time it is new, and compares the class with the table first.
        async with astra_outputs.connect(connection=own) as outputs:
            with suppress(TimeoutError):
                async with asyncio.timeout(step * 2e-4):
                    await calls[call](outputs)
                    ended += 1
        assert not own.is_in_transaction()
        async with own.transaction():
            assert await own.fetchval("select 1") == 1
    assert ended < STEPS
    await own.close()
