"""The worker when something breaks: the database goes away, a disk is full, a process dies."""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path

import pytest

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar, Outcome, RealArray, TheCannon, column
from astra_outputs.errors import Closed, PipelineFailed, SchemaMismatch, SpoolFull, WrongRecordClass
from astra_outputs.work import RunOptions
from astra_outputs.work.timing import ServerClock, Stopwatch

sys.path.insert(0, str(Path(__file__).parents[1]))
import worker_pipelines
from proxy import proxied, until

VERSION = "0.8.1"


@pytest.fixture
async def proxy(database):
    async with proxied(database) as proxy:
        yield proxy


@pytest.fixture
async def patient(proxy):
    """The repository behind the proxy, with a short patience for what fails; to connect takes what it takes."""
    async with astra_outputs.connect(proxy.dsn, retry_for=0.2, timeout=20) as outputs:
        yield outputs


async def teffs(connection) -> dict[int, float]:
    return dict(map(tuple, await connection.fetch("select spectrum_pk, teff from astra.the_cannon")))


def expected(spectra) -> dict[int, float]:
    return {spectrum.spectrum_pk: float(spectrum.spectrum_pk) for spectrum in spectra}


# The database goes away.


async def test_results_are_spooled_while_the_database_is_away_and_computing_goes_on(
    patient, proxy, connection, spectra, tmp_path
) -> None:
    stored = await spectra(30)

    async def source():
        for n, spectrum in enumerate(stored):
            if n == 10:
                proxy.take_down()
            yield spectrum

    work = patient.run(worker_pipelines.teff_is_key, source(), v_astra=VERSION, batch_size=10, spool=tmp_path)
    outcomes = [record.outcome async for record in work]
    report = work.report
    assert (len(outcomes), report.counts.total()) == (30, 30)
    assert outcomes.count(Outcome.SPOOLED) == report.counts[Outcome.SPOOLED] >= 20
    assert (report.waiting > 0, report.all_stored) == (True, False)
    assert f"astra-outputs replay {tmp_path}" in str(report)
    proxy.bring_back()
    await patient.replay(tmp_path)
    assert await teffs(connection) == expected(stored)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["thread", "coroutine"])
async def test_what_was_spooled_is_stored_when_the_database_is_back_while_computing_goes_on(
    patient, proxy, connection, spectra, tmp_path, kind
) -> None:
    stored = await spectra(30)
    spooled = asyncio.Event()

    async def source():
        for n, spectrum in enumerate(stored):
            if n == 10:
                proxy.take_down()
            if n == 20:
                await spooled.wait()
            if n == 29:  # the last one does not come before the spool is empty
                await until(lambda: not list(tmp_path.glob("*.spool")))
            yield spectrum

    pipeline = worker_pipelines.teff_is_key if kind == "thread" else worker_pipelines.teff_is_key_async
    work = patient.run(pipeline, source(), v_astra=VERSION, batch_size=5, spool=tmp_path)
    async with asyncio.timeout(120):
        async for record in work:
            if record.outcome is Outcome.SPOOLED:
                proxy.bring_back()
                spooled.set()
    assert await teffs(connection) == expected(stored)
    assert work.report.counts[Outcome.SPOOLED] >= 5
    assert work.report.replayed.counts.total() == work.report.counts[Outcome.SPOOLED]
    assert work.report.all_stored
    assert list(tmp_path.iterdir()) == []


async def test_what_was_spooled_last_is_stored_at_the_end_of_the_run(
    proxy, connection, spectra, tmp_path
) -> None:
    stored = await spectra(5)
    async with astra_outputs.connect(proxy.dsn, retry_for=1, timeout=20) as outputs:
        proxy.take_down()
        work = outputs.run(worker_pipelines.teff_is_key, stored, v_astra=VERSION, spool=tmp_path)
        async for record in work:
            assert record.outcome is Outcome.SPOOLED
            proxy.bring_back()
    assert work.report.all_stored
    assert await teffs(connection) == expected(stored)


async def test_what_a_killed_worker_left_in_the_spool_is_stored_before_anything_is_drawn(
    patient, proxy, outputs, connection, spectra, tmp_path
) -> None:
    from astra_outputs import ApogeeCoaddedSpectrumInApStar

    stored = await spectra(6)
    proxy.take_down()
    await patient.run(worker_pipelines.teff_is_key, stored[:4], v_astra=VERSION, spool=tmp_path)
    assert await teffs(connection) == {}
    found = outputs.pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra=VERSION)
    report = await outputs.run(worker_pipelines.teff_is_key, found, v_astra=VERSION, spool=tmp_path)
    assert (report.drawn, report.replayed.counts) == (2, {Outcome.INSERTED: 4})
    assert await teffs(connection) == expected(stored)


async def test_a_network_that_swallows_everything_costs_time_and_no_result(
    proxy, outputs, connection, spectra, tmp_path, monkeypatch
) -> None:
    from astra_outputs.postgres import lending

    monkeypatch.setattr(lending, "FAREWELL", 0.2)
    stored = await spectra(12)

    async def source():
        for n, spectrum in enumerate(stored):
            if n == 4:
                proxy.swallow()
            yield spectrum

    async with asyncio.timeout(60), astra_outputs.connect(proxy.dsn, retry_for=0.2) as behind:
        await behind.store.gate.check(TheCannon)
        report = await behind.run(
            worker_pipelines.teff_is_key, source(), v_astra=VERSION, batch_size=4, spool=tmp_path
        )
    assert (report.counts.total(), report.lost) == (12, [])
    assert report.counts[Outcome.SPOOLED] >= 8
    await outputs.replay(tmp_path)
    assert await teffs(connection) == expected(stored)


async def test_a_table_that_does_not_fit_ends_the_run_and_its_results_are_on_the_disk(
    outputs, connection, spectra, tmp_path
) -> None:
    stored = await spectra(30)
    await connection.execute("alter table astra.the_cannon drop column teff cascade")
    with pytest.raises(SchemaMismatch, match="teff") as caught:
        await outputs.run(worker_pipelines.teff_is_key, stored, v_astra=VERSION, batch_size=5, spool=tmp_path)
    assert "files wait" in "\n".join(caught.value.__notes__)
    await connection.execute("alter table astra.the_cannon add column teff real")
    report = await outputs.replay(tmp_path)
    assert report.counts.total() >= 5
    assert (await teffs(connection)).items() <= expected(stored).items()


async def test_a_column_that_must_have_a_value_and_that_no_record_has_stops_the_run_at_once(
    outputs, connection, spectra, tmp_path
) -> None:
    stored = await spectra(3_000)
    await connection.execute("create sequence attempts")
    await connection.execute(
        "create function astra.count_attempts() returns trigger language plpgsql as "
        "$$ begin perform nextval('public.attempts'); return null; end $$"
    )

    first_batch = asyncio.Event()

    async def source():
        for n, spectrum in enumerate(stored):
            if n == 1_000:
                await first_batch.wait()
                await connection.execute(
                    "alter table astra.the_cannon add column doi text not null default ''"
                )
                await connection.execute("alter table astra.the_cannon alter column doi drop default")
                await connection.execute(
                    "create trigger t before insert on astra.the_cannon execute function astra.count_attempts()"
                )
            yield spectrum

    work = outputs.run(
        worker_pipelines.teff_is_key, source(), v_astra=VERSION, batch_size=1_000, spool=tmp_path
    )

    async def take() -> None:
        async for _ in work:
            first_batch.set()

    with pytest.raises(SchemaMismatch, match="doi"):
        await take()
    assert (work.report.rejected, work.report.counts[Outcome.INSERTED]) == ([], 1_000)
    assert await connection.fetchval("select last_value from attempts") <= 4
    replayed = await outputs.replay(tmp_path)
    assert "doi" in replayed.waiting[0][1]
    await connection.execute("alter table astra.the_cannon drop column doi")
    report = await outputs.replay(tmp_path)
    assert (report.all_stored, len(await teffs(connection))) == (True, work.report.made)


class Listed(TheCannon):
    """Results with a list that a pipeline may change in place."""

    table = "the_cannon"
    spread: RealArray = column(description="Numbers")


@pytest.mark.parametrize("away", [True, False])
async def test_one_record_that_cannot_be_spooled_is_named_and_its_neighbours_are_safe(
    patient, proxy, connection, spectra, tmp_path, away
) -> None:
    stored = await spectra(30)
    await connection.execute("alter table astra.the_cannon add column spread real[]")

    def pipeline(spectra):
        for spectrum in spectra:
            result = Listed.from_spectrum(spectrum, teff=float(spectrum.spectrum_pk), spread=[1.0])
            if spectrum.spectrum_pk == 7:
                result.spread.append(object())
            yield result

    if away:
        proxy.take_down()
    report = await patient.run(pipeline, stored, v_astra=VERSION, spool=tmp_path)
    assert [key["spectrum_pk"] for key in report.lost] == [7]
    assert report.left
    proxy.bring_back()
    await patient.replay(tmp_path, record_classes=[Listed])
    assert await teffs(connection) == {key: teff for key, teff in expected(stored).items() if key != 7}


async def test_a_full_spool_stops_computing_and_every_result_that_is_lost_is_named(
    patient, proxy, connection, spectra, tmp_path
) -> None:
    stored = await spectra(40)
    proxy.take_down()
    work = patient.run(
        worker_pipelines.teff_is_key, stored, v_astra=VERSION, batch_size=5, spool=tmp_path, spool_limit=6_000
    )
    with pytest.raises(SpoolFull, match="may hold 6,000"):
        await work
    report = work.report
    assert len(report.lost) + report.counts[Outcome.SPOOLED] == report.made < 40
    proxy.bring_back()
    await patient.replay(tmp_path)
    named = {key["spectrum_pk"] for key in report.lost}
    assert set(await teffs(connection)) | named == {s.spectrum_pk for s in stored[: report.made]}


async def test_a_full_spool_loses_nothing_if_the_database_is_back_in_time(
    patient, proxy, connection, spectra, tmp_path, monkeypatch
) -> None:
    from astra_outputs.spool.folder import Spool

    stored = await spectra(5)

    def full(self, *_):
        proxy.bring_back()
        raise SpoolFull("no room")

    monkeypatch.setattr(Spool, "write", full)
    proxy.take_down()
    work = patient.run(worker_pipelines.teff_is_key, stored, v_astra=VERSION, spool=tmp_path)
    with pytest.raises(SpoolFull):
        await work
    assert work.report.lost == []
    assert await teffs(connection) == expected(stored)


async def test_a_refused_row_is_reported_though_there_was_no_room_to_keep_it(
    patient, proxy, connection, spectra, tmp_path, monkeypatch
) -> None:
    from astra_outputs.spool.folder import Spool

    stored = await spectra(5)
    await connection.execute("alter table astra.the_cannon add constraint cold check (spectrum_pk <> 3)")

    def full(self, *_):
        proxy.bring_back()
        raise SpoolFull("no room")

    monkeypatch.setattr(Spool, "write", full)
    proxy.take_down()
    work = patient.run(worker_pipelines.teff_is_key, stored, v_astra=VERSION, spool=tmp_path)
    yielded: list[int] = []

    async def take() -> None:
        async for record in work:
            yielded.append(record.spectrum_pk)  # noqa: PERF401 (the list is wanted though the loop fails)

    with pytest.raises(SpoolFull):
        await take()
    assert yielded == [1, 2, 4, 5]
    assert [rejected.key["spectrum_pk"] for rejected in work.report.rejected] == [3]
    assert [key["spectrum_pk"] for key in work.report.lost] == [3]
    assert work.report.counts == {Outcome.INSERTED: 4, Outcome.REJECTED: 1}


def ends_itself(spectra):
    for spectrum in spectra:
        if spectrum.spectrum_pk == 2:
            raise SystemExit("the model does not know this star")
        yield TheCannon.from_spectrum(spectrum, teff=float(spectrum.spectrum_pk))


async def gives_up(spectra):
    async for spectrum in spectra:
        if spectrum.spectrum_pk == 2:
            raise asyncio.CancelledError
        yield TheCannon.from_spectrum(spectrum, teff=float(spectrum.spectrum_pk))


@pytest.mark.parametrize("pipeline", [ends_itself, gives_up])
async def test_a_pipeline_that_ends_itself_costs_one_spectrum(
    outputs, connection, spectra, tmp_path, pipeline
) -> None:
    stored = await spectra(4)
    async with asyncio.timeout(120):
        report = await outputs.run(pipeline, stored, v_astra=VERSION, spool=tmp_path)
    assert [failure.spectrum_pk for failure in report.failures] == [2]
    assert list(await teffs(connection)) == [1, 3, 4]


async def test_a_run_that_ends_itself_before_any_spectrum_is_an_error(outputs, tmp_path) -> None:
    def ends(_):
        raise SystemExit(0)
        yield

    with pytest.raises(PipelineFailed, match="SystemExit"):
        await outputs.run(ends, iter([object()]), v_astra=VERSION, spool=tmp_path)


async def test_a_run_takes_turns_on_a_callers_own_connection(connection, spectra, tmp_path) -> None:
    stored = await spectra(20)
    async with astra_outputs.connect(connection=connection) as mine:
        waiting = mine.pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra=VERSION)
        report = await mine.run(
            worker_pipelines.teff_is_key, waiting, v_astra=VERSION, batch_size=2, spool=tmp_path
        )
    assert report.counts == {Outcome.INSERTED: 20}
    assert await teffs(connection) == expected(stored)


async def test_a_stopped_run_spools_when_the_database_gives_no_answer(
    outputs, connection, spectra, tmp_path
) -> None:
    stored = await spectra(5)
    finished = threading.Event()

    def pipeline(spectra):
        yield from worker_pipelines.teff_is_key(spectra)
        finished.set()

    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("lock table astra.the_cannon in access exclusive mode")
    work = outputs.run(pipeline, stored, v_astra=VERSION, spool=tmp_path)
    ended = asyncio.ensure_future(work._to_the_end())
    assert await asyncio.to_thread(finished.wait, 60)
    async with asyncio.timeout(40):
        work.stop(grace=0.5)
        report = await ended
    assert report.counts == {Outcome.SPOOLED: 5}
    await transaction.rollback()
    await outputs.replay(tmp_path)
    assert await teffs(connection) == expected(stored)


async def test_a_run_on_a_closed_repository_makes_nothing(database, spectra, tmp_path) -> None:
    stored = await spectra(5)
    async with astra_outputs.connect(database) as outputs:
        work = outputs.run(worker_pipelines.teff_is_key, stored, v_astra=VERSION, spool=tmp_path)
    with pytest.raises(Closed):
        await work
    assert work.report.made == 0


# Processes.


async def test_processes_give_the_same_results(outputs, connection, spectra, tmp_path) -> None:
    stored = await spectra(40)
    for pipeline in (worker_pipelines.teff_is_key, worker_pipelines.teff_is_key_async):
        report = await outputs.run(pipeline, stored, v_astra=VERSION, processes=2, spool=tmp_path)
        assert (report.made, report.failures) == (40, [])
        assert await teffs(connection) == expected(stored)


async def test_a_record_is_the_same_after_it_was_made_in_another_process(
    outputs, spectra, filled, tmp_path
) -> None:
    import pickle

    (spectrum,) = await spectra(1)
    record = filled(TheCannon, spectrum, 1)
    again = pickle.loads(pickle.dumps(record))
    assert again == record
    assert again.model_fields_set == record.model_fields_set
    assert repr(again) == repr(record)


async def test_the_work_is_shared_among_the_processes_and_none_is_this_one(
    outputs, connection, spectra, tmp_path
) -> None:
    import os

    stored = await spectra(200)
    await outputs.run(worker_pipelines.process_as_tag, stored, v_astra=VERSION, processes=2, spool=tmp_path)
    tags = {row[0] for row in await connection.fetch("select distinct tag from astra.the_cannon")}
    assert 1 <= len(tags) <= 2
    assert str(os.getpid()) not in tags


@pytest.mark.parametrize(
    ("pipeline", "words"),
    [
        (worker_pipelines.fails_on_every_third, "ArithmeticError: no fit for"),
        (worker_pipelines.dies_on_every_third, "its process was ended by signal 9 (SIGKILL)"),
    ],
)
async def test_a_process_that_fails_or_dies_costs_one_spectrum(
    outputs, connection, spectra, tmp_path, pipeline, words
) -> None:
    stored = await spectra(9)
    keys = {spectrum.spectrum_pk for spectrum in stored}
    bad = {key for key in keys if key % 3 == 0}
    report = await outputs.run(pipeline, stored, v_astra=VERSION, processes=2, spool=tmp_path)
    assert {failure.spectrum_pk for failure in report.failures} == bad
    assert all(words in failure.error for failure in report.failures)
    assert set(await teffs(connection)) == keys - bad


async def test_what_cannot_be_sent_back_is_a_failure_of_the_pipeline(outputs, spectra, tmp_path) -> None:
    report = await outputs.run(
        worker_pipelines.yields_what_cannot_be_sent,
        await spectra(2),
        v_astra=VERSION,
        processes=1,
        spool=tmp_path,
    )
    assert len(report.failures) == 2
    assert "pickle" in report.failures[0].error.lower()


async def test_a_pipeline_that_no_other_process_can_find_is_refused_at_once(outputs) -> None:
    with pytest.raises(WrongRecordClass, match="function at the top of a module"):
        outputs.run(lambda _: iter(()), [], processes=2)


# Clocks.


def test_the_servers_time_goes_on_without_the_server_and_without_this_machines_clock() -> None:
    from datetime import UTC, datetime, timedelta

    seconds = [100.0]
    clock = ServerClock(lambda: seconds[0])
    told = datetime(2001, 1, 1, tzinfo=UTC)
    clock.set(told)
    seconds[0] += 60
    assert clock.now() == told + timedelta(seconds=60)


def test_a_stopwatch_leaves_out_what_it_waits_for() -> None:
    seconds = [0.0]
    watch = Stopwatch(lambda: seconds[0])
    watch.start()
    seconds[0] += 2
    with watch.waiting():
        seconds[0] += 5
    seconds[0] += 1
    assert watch.lap() == 3


def test_the_spool_is_where_the_environment_says(monkeypatch) -> None:
    monkeypatch.setenv("ASTRA_OUTPUTS_SPOOL", "/somewhere")
    assert RunOptions().folder == Path("/somewhere")
    assert RunOptions(spool="/else").folder == Path("/else")
