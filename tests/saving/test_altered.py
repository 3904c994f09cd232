"""A table that is altered while connections to it are open, and times of change that do not go back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest
from on_citus import distribute_table

from astra_outputs import Double, Outputs, PipelineOutputMixin, Real, SchemaMismatch, TheCannon, column
from astra_outputs.saving import columns, transfer

ROWS = 20
THIRD = 1 / 3
"""A number that a real has otherwise."""

CREATE = """
create table astra.altered (
    task_pk bigint generated always as identity primary key,
    source_pk bigint references astra.source (pk),
    spectrum_pk bigint not null references astra.spectrum (pk),
    v_astra integer not null check (v_astra >= 0),
    v_astra_major_minor integer not null generated always as (v_astra / 1000) stored,
    created timestamptz not null default statement_timestamp(),
    modified timestamptz not null default statement_timestamp(),
    t_elapsed real,
    t_overhead real,
    tag text not null default '',
    ratio real,
    unique (spectrum_pk, v_astra_major_minor)
)
"""


def class_of(kind: Any) -> type[PipelineOutputMixin]:
    fields = {"ratio": column(description="A ratio"), "__annotations__": {"ratio": kind}}
    return type("Altered", (PipelineOutputMixin,), {"__module__": __name__, **fields})


Before, After = class_of(Real), class_of(Double)


def records(record_class: Any, v_astra: str = "0.8.1") -> list[Any]:
    return [
        record_class.from_spectrum(
            SimpleNamespace(spectrum_pk=n, source_pk=None), v_astra=v_astra, ratio=THIRD
        )
        for n in range(1, ROWS + 1)
    ]


@pytest.fixture(params=["at once", "by COPY"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go as few rows do, or as many do."""
    threshold = {"at once": 10**9, "by COPY": 1}[request.param]
    monkeypatch.setattr(columns, "MANY", threshold)
    monkeypatch.setattr(transfer, "COPY_FROM_VALUES", threshold)


@pytest.mark.soak
@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("door", ["records", "table"])
async def test_a_column_that_became_a_double_is_never_filled_by_way_of_a_real(
    outputs: Outputs, connection: asyncpg.Connection, door: str
) -> None:
    await connection.execute(CREATE)
    await distribute_table(connection, "altered")
    await connection.execute("insert into astra.source (pk) select generate_series(1, $1::int)", ROWS)
    await connection.execute("insert into astra.spectrum (pk) select generate_series(1, $1::int)", ROWS)
    for _ in range(2):  # the connection knows the temporary objects of a first batch, and of one again
        await outputs.save_many(records(Before))
    await connection.execute("alter table astra.altered alter column ratio type double precision")
    for version in ("0.8.2", "0.9.0"):
        if door == "records":
            await outputs.save_many(records(After, version))
        else:
            table = {"spectrum_pk": list(range(1, ROWS + 1)), "ratio": [THIRD] * ROWS}
            await outputs.save_table(After, table, v_astra=version)
    stored = await connection.fetch("select distinct ratio from astra.altered")
    assert [row["ratio"] for row in stored] == [THIRD]


async def store(outputs: Outputs, record_class: Any, call: str, v_astra: str, **options: Any) -> None:
    sent = records(record_class, v_astra)
    if call == "save":
        await outputs.save(sent[0], **options)
    elif call == "save_many":
        await outputs.save_many(sent, **options)
    else:
        table = {"spectrum_pk": [one.spectrum_pk for one in sent], "ratio": [THIRD] * ROWS}
        await outputs.save_table(record_class, table, v_astra=v_astra, **options)


ALTERATIONS = {
    "narrower": "alter table astra.altered alter column ratio type real",
    "made anew": "drop table astra.altered; " + CREATE,
}


@pytest.mark.usefixtures("way", "one_table")
@pytest.mark.parametrize("alteration", ALTERATIONS.values(), ids=ALTERATIONS.keys())
@pytest.mark.parametrize("call", ["save", "save_many", "save_table"])
async def test_a_column_that_became_narrower_takes_nothing_from_a_class_that_was_let_in_before(
    outputs: Outputs, connection: asyncpg.Connection, call: str, alteration: str
) -> None:
    await connection.execute(CREATE.replace("ratio real", "ratio double precision"))
    await connection.execute("insert into astra.source (pk) select generate_series(1, $1::int)", ROWS)
    await connection.execute("insert into astra.spectrum (pk) select generate_series(1, $1::int)", ROWS)
    for version in ("0.8.1", "0.8.1"):
        await store(outputs, After, call, version)
    await connection.execute(alteration)
    before = await connection.fetch("select * from astra.altered order by task_pk")
    for version, unless_the_same in (("0.8.1", False), ("0.8.1", True), ("0.9.0", False)):
        with pytest.raises(SchemaMismatch, match="ratio, type"):
            await store(outputs, After, call, version, skip_unchanged=unless_the_same)
    assert await connection.fetch("select * from astra.altered order by task_pk") == before


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("call", ["save", "save_many", "save_table"])
async def test_a_table_that_was_written_anew_is_stored_into_at_once(
    outputs: Outputs, connection: asyncpg.Connection, call: str
) -> None:
    await connection.execute(CREATE)
    await distribute_table(connection, "altered")
    await connection.execute("insert into astra.source (pk) select generate_series(1, $1::int)", ROWS)
    await connection.execute("insert into astra.spectrum (pk) select generate_series(1, $1::int)", ROWS)
    await store(outputs, Before, call, "0.8.1")
    for alteration in ("vacuum full astra.altered", "truncate astra.altered", "drop table astra.altered"):
        await connection.execute(alteration)
        if alteration.startswith("drop"):
            await connection.execute(CREATE)
            await distribute_table(connection, "altered")
        await store(outputs, Before, call, "0.8.2")
        stored = await connection.fetchval("select count(*) from astra.altered where v_astra = 8002")
        assert stored == (1 if call == "save" else ROWS)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("call", ["save", "save_many", "save_table"])
async def test_the_time_of_change_of_a_row_never_goes_back(
    outputs: Outputs, connection: asyncpg.Connection, spectra: Any, call: str
) -> None:
    stored = await spectra(2)
    results = [TheCannon.from_spectrum(spectrum, v_astra="0.8.1", teff=5000.0) for spectrum in stored]
    await outputs.save_many(results)
    # As if the server's clock had been put back since.
    later = await connection.fetchval("select statement_timestamp() + interval '1 hour'")
    await connection.execute("update astra.the_cannon set modified = $1", later)
    for result in results:
        result.teff = 5001.0
    if call == "save":
        await outputs.save(results[0])
    elif call == "save_many":
        await outputs.save_many(results)
    else:
        table = {"spectrum_pk": [one.spectrum_pk for one in stored], "teff": [5001.0] * 2}
        await outputs.save_table(TheCannon, table, v_astra="0.8.1")
    rows = await connection.fetch("select teff, modified from astra.the_cannon where teff = 5001")
    assert rows
    assert all(row["modified"] >= later for row in rows)
