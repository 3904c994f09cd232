"""Results with a column of every type, for each kind of file."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from every_form import EveryForm
from on_citus import add_table


@pytest.fixture
async def every_form(connection: asyncpg.Connection, outputs: Any, spectra: Any) -> list[EveryForm]:
    """Forty results with and without values in each column."""
    await add_table(connection, EveryForm)
    await connection.execute("alter table astra.every_form add column notes jsonb")
    draw = random.Random(2)
    ends: dict[str, list[Any]] = {
        "a_real": [0.0, -0.0, 3.4028234663852886e38, 1.401298464324817e-45, 0.5],
        "a_double": [0.0, 1.7976931348623157e308, 5e-324, -1.5],
        "an_integer": [-1, 0, 2**31 - 1],
        "a_bigint": [-(2**63), -1, 4295806720000000001],
        "a_small": [1, 2, 3],
        "a_text": ["a", "é 日本 🌟", "two\nlines", "x" * 50],
        "a_boolean": [True, False],
        "a_time": [datetime(1, 1, 2, tzinfo=UTC), datetime(2024, 2, 29, 1, 2, 3, 4, UTC), datetime(9999, 12, 30, tzinfo=UTC)],
        "some_bytes": [b"\0\xff", b"x" * 30],
        "some_reals": [[1.5], [None, 2.0, None], [0.25] * 10],
        "result_flags": [0, 1, 2**62],
        "other_flags": [0, 2**63 - 1],
        "notes": [{"a": [1, None]}, [], "text", 1.5],
    }  # fmt: skip
    made = [
        EveryForm.from_spectrum(
            spectrum,
            v_astra="0.8.1",
            **{name: draw.choice(values) for name, values in ends.items() if draw.random() < 0.7},
        )
        for spectrum in await spectra(40)
    ]
    await outputs.save_many(made)
    return await outputs.find(EveryForm, order_by="task_pk", source=True, spectrum=True)
