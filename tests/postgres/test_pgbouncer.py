"""Through PgBouncer in transaction mode every feature works, whichever server connection it gets next."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any

import asyncpg
import pytest
from poolers import pgbouncer
from poolers import through as through_pooler

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar, Outcome, Outputs, Source, TheCannon
from astra_outputs.errors import CannotConnect, DatabaseError, SchemaMismatch

CONNECTIONS = 2
"""Server connections of the pooler: one is kept busy, so that the next transaction gets the other."""

VERSION = "0.8.1"

Switch = Callable[[], Awaitable[None]]


@pytest.fixture(scope="session")
def pooler(server_dsn: str) -> Iterator[str]:
    """A PgBouncer before the tests' server: its socket's folder, as the query of a DSN."""
    with pgbouncer(server_dsn, CONNECTIONS) as query:
        yield query


@pytest.fixture
def pooled(database: str, pooler: str) -> str:
    """DSN of the test's database through the pooler."""
    return through_pooler(database, pooler)


@pytest.fixture
async def switch(pooled: str) -> AsyncIterator[Switch]:
    """Make the pooler serve what comes next on its other connection to the server."""
    async with AsyncExitStack() as stack:
        busy = [await asyncpg.connect(pooled, statement_cache_size=0) for _ in range(CONNECTIONS)]
        for connection in busy:
            stack.push_async_callback(connection.close)
        held: list[Any] = []

        async def switch() -> None:
            connection = busy.pop(0)
            busy.append(connection)
            transaction = connection.transaction()
            await transaction.start()
            held.append(transaction)
            if len(held) > 1:
                await held.pop(0).rollback()

        await switch()
        yield switch
        await held.pop().rollback()


@pytest.fixture
async def through(pooled: str) -> AsyncIterator[Outputs]:
    """The repository on the test's database, through the pooler."""
    async with astra_outputs.connect(pooled, retry_for=0) as outputs:
        yield outputs


async def test_the_fixture_really_changes_the_connection(pooled: str, switch: Switch) -> None:
    connection = await asyncpg.connect(pooled, statement_cache_size=0)
    pids = []
    for _ in range(4):
        pids.append(await connection.fetchval("select pg_backend_pid()"))
        await switch()
    await connection.close()
    assert pids[0] != pids[1]
    assert pids == 2 * pids[:2]


# What cannot work is refused.


async def read_on_both(outputs: Outputs, switch: Switch) -> None:
    for _ in range(CONNECTIONS):
        await outputs.get_by_id(TheCannon, 1)
        await switch()


async def test_a_caller_whose_connection_caches_statements_is_told_so(
    pooled: str, switch: Switch, spectrum: Any
) -> None:
    own = await asyncpg.connect(pooled)
    async with astra_outputs.connect(connection=own) as outputs:
        with pytest.raises(DatabaseError, match="statement_cache_size=0"):
            await read_on_both(outputs, switch)
    await own.close()


async def test_a_cache_that_was_asked_for_is_used_and_its_failure_explained(
    pooled: str, switch: Switch
) -> None:
    async with astra_outputs.connect(pooled, statement_cache_size=10, retry_for=0) as outputs:
        with pytest.raises(DatabaseError, match="give `connect` no other size"):
            await read_on_both(outputs, switch)


async def test_settings_that_a_pooler_does_not_take_are_refused_at_once(pooled: str) -> None:
    with pytest.raises(CannotConnect, match=r"statement_timeout.*alter role"):
        async with astra_outputs.connect(pooled, server_settings={"statement_timeout": "1000"}):
            pass


# Every feature, and each a second time on the other connection.


def results(spectra: Sequence[Any], teff: float = 5000.0, version: str = VERSION) -> list[TheCannon]:
    return [TheCannon.from_spectrum(spectrum, v_astra=version, teff=teff) for spectrum in spectra]


async def save(outputs: Outputs, spectra: Sequence[Any]) -> None:
    (result,) = results(spectra[:1])
    await outputs.save(result)
    assert await outputs.get_by_id(TheCannon, result.task_pk or 0) == result
    assert await outputs.get_result(TheCannon, spectra[0]) == result


async def save_with_guards(outputs: Outputs, spectra: Sequence[Any]) -> None:
    await outputs.save_many(results(spectra))
    (same,) = results(spectra[:1])
    assert (await outputs.save(same, skip_unchanged=True)).outcome is Outcome.UNCHANGED
    report = await outputs.save_many(results(spectra, version="0.8.0"), keep_newer=True)
    assert report.counts == {Outcome.KEPT: len(spectra)}


async def save_many_row_by_row(outputs: Outputs, spectra: Sequence[Any]) -> None:
    assert len(await outputs.save_many(results(spectra[:4]))) == 4


async def save_many_by_copy(outputs: Outputs, spectra: Sequence[Any]) -> None:
    for teff in (5000.0, 6000.0):
        assert len(await outputs.save_many(results(spectra, teff), batch_size=10)) == len(spectra)
    stored = [await outputs.get_result(TheCannon, spectrum) for spectrum in spectra]
    assert {result.teff for result in stored if result is not None} == {6000.0}


async def save_many_or_none(outputs: Outputs, spectra: Sequence[Any]) -> None:
    assert len(await outputs.save_many(results(spectra), batch_size=10, atomic=True)) == len(spectra)
    unknown = TheCannon(spectrum_pk=999_999, v_astra=VERSION)
    with pytest.raises(DatabaseError):
        await outputs.save_many([*results(spectra, 7000.0), unknown], atomic=True)
    stored = await outputs.get_result(TheCannon, spectra[0])
    assert stored is not None
    assert stored.teff == 5000.0


async def save_many_but_the_bad(outputs: Outputs, spectra: Sequence[Any]) -> None:
    unknown = TheCannon(spectrum_pk=999_999, v_astra=VERSION)
    report = await outputs.save_many([*results(spectra), unknown], on_error="collect")
    assert [rejected.position for rejected in report.rejected] == [len(spectra)]


async def save_many_on_two_connections(outputs: Outputs, spectra: Sequence[Any]) -> None:
    assert len(await outputs.save_many(results(spectra), batch_size=10, connections=2)) == len(spectra)


async def save_table(outputs: Outputs, spectra: Sequence[Any]) -> None:
    columns = {
        "spectrum_pk": [spectrum.spectrum_pk for spectrum in spectra],
        "source_pk": [spectrum.source_pk for spectrum in spectra],
        "teff": [5000.0] * len(spectra),
    }
    report = await outputs.save_table(TheCannon, columns, v_astra=VERSION)
    assert len(report) == len(spectra)


async def save_sources_and_spectra(outputs: Outputs, spectra: Sequence[Any]) -> None:
    sources = [Source(sdss_id=number) for number in range(1, 21)]
    await outputs.save_many(sources)
    again = [
        ApogeeCoaddedSpectrumInApStar(
            source_pk=source.pk,
            release="dr17",
            apred="1",
            obj=f"star {number}",
            telescope="apo25m",
            field="f",
        )
        for number, source in enumerate(sources)
    ]
    await outputs.save_many(again)
    stored = await outputs.get_by_id(ApogeeCoaddedSpectrumInApStar, again[0].pk or 0)
    assert stored is not None
    assert stored.spectrum_pk == again[0].spectrum_pk


async def pending(outputs: Outputs, spectra: Sequence[Any]) -> None:
    asked: tuple[Any, ...] = (TheCannon, ApogeeCoaddedSpectrumInApStar)
    await outputs.save(*results(spectra[:1]))
    found = [spectrum.spectrum_pk async for spectrum in outputs.pending(*asked, v_astra=VERSION)]
    assert found == [spectrum.spectrum_pk for spectrum in spectra[1:]]
    assert await outputs.count_pending(*asked, v_astra=VERSION) == len(found)


async def run(outputs: Outputs, spectra: Sequence[Any]) -> None:
    def pipeline(spectra: Any) -> Iterator[Any]:
        for spectrum in spectra:
            yield TheCannon.from_spectrum(spectrum, teff=5000.0)

    with tempfile.TemporaryDirectory() as folder:
        await outputs.run(pipeline, spectra, v_astra=VERSION, spool=folder)
        await outputs.replay(folder)
    assert await outputs.get_result(TheCannon, spectra[-1]) is not None


async def history(outputs: Outputs, spectra: Sequence[Any]) -> None:
    for teff in (5000.0, 6000.0):
        (result,) = results(spectra[:1], teff)
        await outputs.save(result)
    with pytest.raises(SchemaMismatch, match="keeps no history"):  # which has a transaction of its own
        await outputs.history(result)


async def find(outputs: Outputs, spectra: Sequence[Any]) -> None:
    await outputs.save_many(results(spectra))
    found = await outputs.find(TheCannon, "teff > $1", 1, source=True, newest=True)
    assert len(found) == len(spectra)
    stream = outputs.stream(TheCannon, "teff > $1", 1, v_astra=VERSION)
    assert len([record async for record in stream]) == len(spectra)


async def columns(outputs: Outputs, spectra: Sequence[Any]) -> None:
    await outputs.save_many(results(spectra))
    asked = outputs.columns(
        TheCannon, "teff > $1 and tag = $2", 1, "", source=True, connections=2, v_astra=VERSION
    )
    assert (await asked.to_numpy())["teff"].tolist() == [5000.0] * len(spectra)
    batches = asked.batches()
    assert (await anext(batches)).num_rows == len(spectra)
    await batches.aclose()


async def compare(outputs: Outputs, spectra: Sequence[Any]) -> None:
    await outputs.save_many(results(spectra, 4900.0, "0.7.0"))
    await outputs.save_many(results(spectra))
    comparison = await outputs.compare(TheCannon, "0.7", VERSION, "teff > $1", 1)
    assert (comparison["teff"].changed, comparison["teff"].median) == (len(spectra), 100.0)


FEATURES = (
    compare,
    find,
    columns,
    save,
    save_with_guards,
    save_many_row_by_row,
    save_many_by_copy,
    save_many_or_none,
    save_many_but_the_bad,
    save_many_on_two_connections,
    save_table,
    save_sources_and_spectra,
    pending,
    history,
    run,
)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.__name__)
async def test_it_works_on_either_connection(
    feature: Any, through: Outputs, switch: Switch, spectra: Any
) -> None:
    kept = await spectra(20)
    for _ in range(3):
        await feature(through, kept)
        await switch()


async def test_a_callers_transaction_is_joined(pooled: str, switch: Switch, spectra: Any) -> None:
    kept = await spectra(20)
    own = await asyncpg.connect(pooled, statement_cache_size=0)
    async with astra_outputs.connect(connection=own) as outputs:
        for _ in range(2):
            transaction = own.transaction()
            await transaction.start()
            await outputs.save(*results(kept[:1]))
            await outputs.save_many(results(kept))
            await outputs.save_many(results(kept))
            await transaction.rollback()
            assert await outputs.get_result(TheCannon, kept[0]) is None
            await switch()
        async with own.transaction():
            await outputs.save_many(results(kept))
        await switch()
        assert await outputs.get_result(TheCannon, kept[0]) is not None
    await own.close()


async def test_a_broken_transaction_leaves_nothing_to_the_next_client(
    through: Outputs, switch: Switch, spectra: Any
) -> None:
    kept = await spectra(20)
    bad = [*results(kept), TheCannon(spectrum_pk=999_999, v_astra=VERSION)]
    for _ in range(3):
        with pytest.raises(DatabaseError):
            await through.save_many(bad)
        assert (await through.save_many(results(kept[:10]))).counts
        await switch()
    assert await through.get_result(TheCannon, kept[-1]) is None


# How it is noticed.

PREPARED = "select count(*) from pg_prepared_statements"


async def test_no_statement_is_left_on_the_servers_connections(
    through: Outputs, pooled: str, switch: Switch, spectra: Any
) -> None:
    kept = await spectra(20)
    left = []
    for _ in range(2):
        for feature in FEATURES[:-1]:
            await feature(through, kept) if feature is not pending else None
        probe = await asyncpg.connect(pooled, statement_cache_size=0)
        left.append(await probe.fetchval(PREPARED))
        await probe.close()
        await switch()
    assert left == [0, 0]


async def test_no_type_is_left_on_the_servers_connections(
    through: Outputs, outputs: Outputs, connection: asyncpg.Connection, spectra: Any
) -> None:
    kept = await spectra(20)
    left = []
    for repository in (through, outputs):
        await repository.save_many(results(kept))
        left.append(
            await connection.fetchval(
                "select count(*) from pg_type where typname like 'row\\_the\\_cannon\\_%'"
            )
        )
    assert left == [0, 1]


async def test_nothing_is_taken_to_stay_on_connections_of_the_callers_class(
    database: str, connection: asyncpg.Connection, spectra: Any
) -> None:
    """They do not know what was made on them: no column is added to a temporary table in each batch."""
    sent: list[str] = []
    async with astra_outputs.connect(database, connection_class=asyncpg.Connection) as outputs:
        async with outputs.store.database.acquire() as ours:
            ours.add_query_logger(lambda query: sent.append(query.query))
        for size in (20, 150, 150):
            await outputs.save_many(results(await spectra(size)))
    assert any("temporary table" in query for query in sent)
    assert not any("alter table" in query or "create type" in query for query in sent)


async def test_statements_are_kept_where_the_server_itself_answers(outputs: Outputs, spectrum: Any) -> None:
    await outputs.save(*results([spectrum]))
    async with outputs.store.database.acquire() as connection:
        assert await connection.fetchval(PREPARED) > 1


async def test_a_repository_can_be_entered_again_with_its_settings(database: str) -> None:
    outputs = astra_outputs.connect(database, server_settings={"application_name": "again"})
    for _ in range(2):
        async with outputs, outputs.store.database.acquire() as connection:
            assert await connection.fetchval("select current_setting('application_name')") == "again"


STUCK = """
select count(*) from pg_stat_activity
where datname = current_database() and state = 'active' and wait_event = 'ClientRead'
"""


@pytest.mark.soak
@pytest.mark.parametrize("call", ["save", "get_result"])
async def test_a_call_that_times_out_at_any_moment_keeps_no_connection_of_the_pooler(
    pooled: str, connection: asyncpg.Connection, spectra: Any, call: str
) -> None:
    """Between the answer to Parse and Execute no Sync has been sent: the pooler would keep the connection for us."""
    (result,) = results(await spectra(1))
    async with astra_outputs.connect(pooled, connections=1, retry_for=0) as outputs:
        await outputs.save(result)
        for step in range(100):
            with suppress(TimeoutError):
                async with asyncio.timeout(step * 2e-5):
                    await (outputs.save(result) if call == "save" else outputs.get_result(TheCannon, 1))
            # The worker computes now. What is on its way gets there; what is stuck stays.
            async with asyncio.timeout(5):
                while await connection.fetchval(STUCK):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
