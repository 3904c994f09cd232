"""After either way over: Peewee code as Astra's goes on writing, and our worker at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import peewee
import pytest
import upstream

import astra_outputs
from astra_outputs import (
    ApogeeCoaddedSpectrumInApStar,
    Outcome,
    Slam,
    TheCannon,
)
from astra_outputs.adopt import Adoption, Aside, adopt
from astra_outputs.catalog import check_with_database
from astra_outputs.discover import record_classes
from astra_outputs.postgres.database import Database

ADD_ON = Path(__file__).parents[2] / "schema" / "add-ons" / "nan_is_null.sql"


class Over(NamedTuple):
    """A database after one of the ways, and the schema in it."""

    dsn: str
    schema: str


@pytest.fixture(scope="session")
def filled_and_adopted(
    server: Any, template: str, filled_by_peewee: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """DSN of our tables after an adoption."""

    async def copy(dsn: str) -> None:
        there, here = Database(filled_by_peewee, schema="astra_080"), Database(dsn, schema="astra")
        await there.open()
        await here.open()
        with Aside(tmp_path_factory.mktemp("aside") / "aside.jsonl", "a test") as aside:
            adoption = Adoption(record_classes(), "America/Denver")
            assert (await adopt(there, here, adoption, aside)).complete
        await there.close()
        await here.close()

    with server.database(template) as dsn:
        asyncio.run(copy(dsn))
        yield dsn


@pytest.fixture(params=["in place", "by copy"])
def over(request: pytest.FixtureRequest, server: Any, psql: Any) -> Iterator[Over]:
    if request.param == "in place":
        made, schema = request.getfixturevalue("filled_and_mended")[0], "astra_080"
    else:
        made, schema = request.getfixturevalue("filled_and_adopted"), "astra"
    with server.database(made) as dsn:
        psql(dsn, f"\\set schema {schema}\n\\i {ADD_ON}\n")
        yield Over(dsn, schema)


@pytest.fixture
async def connection(over: Over) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(over.dsn)
    await connection.execute(f"set search_path to {over.schema}")
    yield connection
    await connection.close()


@pytest.fixture
def models(over: Over) -> Iterator[dict[str, type[peewee.Model]]]:
    """Models that nobody changed, on a machine whose clock runs by Denver's time, and whose session says so."""
    database = upstream.database_of(over.dsn, "America/Denver")
    yield upstream.models_of(database, over.schema, upstream.denver_now)
    database.close()


def by_peewee(models: dict[str, type[peewee.Model]], star: int) -> None:
    """Write as Astra does, on one star: create, insert many with a conflict, update, bits."""
    cannon, slam = models["the_cannon"], models["slam"]
    made = cannon.create(spectrum_pk=star, source_pk=star, v_astra=9000, teff=5000.0)  # NaN is the rest
    assert made.task_pk > 0
    rows = [
        upstream.row("slam", star, spectrum_pk=star, source_pk=star, v_astra=v_astra) | {"teff": float("nan")}
        for v_astra in (8001, 9000)
    ]
    stored = (
        slam.insert_many(rows)
        .on_conflict(
            conflict_target=[slam.spectrum_pk, slam.v_astra_major_minor],
            preserve=[slam.v_astra, slam.teff, slam.modified],
        )
        .returning(slam.task_pk, slam.spectrum_pk, slam.v_astra)
        .tuples()
        .execute()
    )
    assert [(key > 0, *rest) for key, *rest in stored] == [(True, star, 8001), (True, star, 9000)]
    assert slam.update(tag="peewee").where(slam.spectrum_pk == star, slam.v_astra == 9000).execute() == 1
    read = cannon.get_by_id(made.task_pk)
    assert (read.teff, read.logg) == (5000.0, None)
    read.flag_fitting_failure = True
    read.save(only=[cannon.result_flags])
    assert cannon.select().where(cannon.flag_fitting_failure, cannon.task_pk == made.task_pk).count() == 1


async def test_peewee_goes_on_writing_while_our_worker_writes(
    over: Over, models: Any, connection: asyncpg.Connection, tmp_path: Path
):
    async with astra_outputs.connect(over.dsn, schema=over.schema) as outputs:

        def pipeline(spectra: Any) -> Iterator[TheCannon]:
            for spectrum in spectra:
                yield TheCannon.from_spectrum(spectrum, teff=6000.0)

        todo = outputs.pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra="0.8.0")
        assert [one async for one in todo] == []  # nothing is pending that was done
        every = [await outputs.get_by_id(ApogeeCoaddedSpectrumInApStar, star) for star in (1, 2, 3)]
        run = outputs.run(pipeline, every, v_astra="0.10.0", spool=tmp_path / "spool")

        async def ours() -> None:
            async for _ in run:
                pass

        async def theirs() -> None:
            for star in (1, 2, 3):
                await asyncio.to_thread(by_peewee, models, star)

        await asyncio.gather(ours(), theirs())
        assert run.report.counts == {Outcome.INSERTED: 3}
        # Theirs is read here, and replaced; their clocks agree with ours.
        results = await outputs.find(TheCannon, "flag_fitting_failure", v_astra="0.9")
        assert [(one.teff, one.logg) for one in results] == [(5000.0, None)] * 3
        assert all(abs(datetime.now(UTC) - one.modified) < timedelta(minutes=5) for one in results)
        again = await outputs.save_many(
            [TheCannon.from_spectrum(one, v_astra="0.9.1", teff=1.0) for one in every]
        )
        assert again.counts == {Outcome.REPLACED: 3}
        todo = outputs.pending(Slam, ApogeeCoaddedSpectrumInApStar, v_astra="0.9.0")
        assert [one async for one in todo] == []
    counts = "select count(*), count(*) filter (where teff is null) from slam where v_astra in (8001, 9000)"
    assert tuple(await connection.fetchrow(counts)) == (6, 6)
    checked = await check_with_database(connection, over.schema, record_classes())
    assert checked.differences == ()


async def test_a_worker_whose_session_has_another_zone_makes_its_results_pending_and_is_found_out(
    over: Over, models: Any, connection: asyncpg.Connection, run: Any
):
    """What the page warns of: a clock of Denver, and a session in UTC."""
    await connection.execute(
        "update apogee_coadded_spectrum_in_ap_star set modified = now() - interval '1 hour'"
    )
    wrong = upstream.models_of(upstream.database_of(over.dsn, "UTC"), over.schema, upstream.denver_now)

    def write() -> None:
        models["the_cannon"].create(spectrum_pk=1, source_pk=1, v_astra=9000)
        wrong["the_cannon"].create(spectrum_pk=2, source_pk=2, v_astra=9000)
        wrong["the_cannon"]._meta.database.close()

    await asyncio.to_thread(write)
    async with astra_outputs.connect(over.dsn, schema=over.schema) as outputs:
        todo = outputs.pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra="0.9.0")
        assert [one.spectrum_pk async for one in todo] == [2, 3]  # the second was done
    code, out, _ = await asyncio.to_thread(
        run, "check", "--times", "--dsn", over.dsn, "--schema", over.schema
    )
    assert (code, "the_cannon" in out, "1 rows go back by up to " in out) == (1, True, True)


async def test_nan_where_there_must_be_a_value_is_refused_as_before(over: Over, models: Any):
    row = upstream.row("m_dwarf_type", 1, spectrum_pk=1, source_pk=1, v_astra=9000)
    with pytest.raises(peewee.IntegrityError, match="rchi2"):
        await asyncio.to_thread(models["m_dwarf_type"].create, **row | {"rchi2": float("nan")})
