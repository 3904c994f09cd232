"""A call that is cancelled at any moment leaves a caller's own connection as it was."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

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


class Interrupted(asyncpg.Connection):
    """A caller's own connection, on which a task is cancelled while a statement that begins so is on its way."""

    victim: asyncio.Task[Any] | None = None
    word = ""

    async def execute(self, query: str, *args: Any, **options: Any) -> str:
        if self.victim is not None and query.lower().startswith(self.word):
            asyncio.get_running_loop().call_soon(self.victim.cancel)
            self.victim = None
        return await super().execute(query, *args, **options)


@pytest.mark.parametrize(
    ("call", "word"),
    [
        ("save_many", "begin"),
        ("save_many", "commit"),
        ("atomic", "begin"),
        ("atomic", "savepoint"),
        ("atomic", "release"),
        ("atomic", "commit"),
        ("columns", "begin"),
        ("columns", "rollback"),
        ("apply", "begin"),
        ("apply", "commit"),
    ],
)
async def test_a_call_that_is_cancelled_while_a_transaction_begins_or_ends_leaves_none_open(
    database, spectrum, call, word
) -> None:
    results = [TheCannon.from_spectrum(spectrum, v_astra=VERSION, teff=5000.0)]
    own = await asyncpg.connect(database, connection_class=Interrupted)
    async with astra_outputs.connect(connection=own) as outputs:
        calls = {
            "save_many": lambda: outputs.save_many(results),
            "atomic": lambda: outputs.save_many(results, atomic=True),
            "columns": lambda: outputs.columns(TheCannon).to_numpy(),
            "apply": lambda: ddl.apply(own, "other"),
        }
        own.word = word
        own.victim = running = asyncio.ensure_future(calls[call]())
        with pytest.raises(asyncio.CancelledError):
            await running
        assert own.victim is None
        assert not own.is_in_transaction()
        async with own.transaction():
            assert await own.fetchval("select 1") == 1
    await own.close()
