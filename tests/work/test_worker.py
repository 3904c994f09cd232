"""The worker: from spectra to stored records."""

from __future__ import annotations

import asyncio
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar, Outcome, Results, TheCannon, using_version
from astra_outputs.errors import MissingVersion, PipelineFailed, WrongRecordClass
from astra_outputs.spool.failures import failures_in
from astra_outputs.work import RunOptions, driving
from astra_outputs.work.options import RunWith
from astra_outputs.work.timing import Stopwatch

sys.path.insert(0, str(Path(__file__).parents[1]))
from proxy import until

VERSION = "0.8.1"


def one_by_one(spectra):
    for spectrum in spectra:
        yield TheCannon.from_spectrum(spectrum, teff=float(spectrum.spectrum_pk))


async def one_by_one_async(spectra):
    async for spectrum in spectra:
        yield TheCannon.from_spectrum(spectrum, teff=float(spectrum.spectrum_pk))


BOTH = pytest.mark.parametrize("pipeline", [one_by_one, one_by_one_async])


@pytest.fixture
def run(outputs, tmp_path):
    """Run a pipeline with a spool of the test's own."""

    def start(pipeline, spectra, **options):
        return outputs.run(pipeline, spectra, **{"v_astra": VERSION, "spool": tmp_path / "spool", **options})

    return start


async def teffs(connection) -> dict[int, float]:
    return dict(map(tuple, await connection.fetch("select spectrum_pk, teff from astra.the_cannon")))


# Bad input first.


@pytest.mark.parametrize(
    "options",
    [{"batch_size": 0}, {"max_age": -1.0}, {"processes": -1}, {"on_error": "ignore"}, {"most_failures": 0}],
)
def test_an_option_that_makes_no_sense_is_refused(options) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        RunOptions(**options)


def test_the_options_that_type_checkers_know_are_those_that_there_are() -> None:
    assert RunWith.__annotations__.keys() == RunOptions.__dataclass_fields__.keys()


async def test_a_pipeline_that_yields_no_record_is_refused_and_says_what_to_yield(run, spectra) -> None:
    def wrong(spectra):
        for spectrum in spectra:
            yield TheCannon.from_spectrum(spectrum)
            yield {"teff": 1.0}

    with pytest.raises(WrongRecordClass, match=r"yielded \{'teff': 1.0\}.*must yield records"):
        await run(wrong, await spectra(2))


async def test_a_pipeline_without_a_version_fails_on_the_first_spectrum(run, spectra, monkeypatch) -> None:
    monkeypatch.delenv("ASTRA_OUTPUTS_V_ASTRA", raising=False)
    report = await run(one_by_one, await spectra(1), v_astra=None)
    assert MissingVersion.__name__ in report.failures[0].error


async def test_a_run_is_used_once(run, spectra) -> None:
    work = run(one_by_one, await spectra(1))
    await work
    with pytest.raises(RuntimeError, match="used once"):
        await work


# What is stored.


@BOTH
async def test_every_spectrum_gets_its_result(run, spectra, connection, pipeline) -> None:
    stored = await spectra(25)
    report = await run(pipeline, stored, batch_size=10)
    assert await teffs(connection) == {s.spectrum_pk: float(s.spectrum_pk) for s in stored}
    assert (report.drawn, report.made, report.counts) == (25, 25, {Outcome.INSERTED: 25})
    assert report.all_stored


@BOTH
@pytest.mark.parametrize("batch_size", [1, 3, 100])
async def test_each_record_comes_once_it_is_stored(run, outputs, spectra, pipeline, batch_size) -> None:
    stored = await spectra(7)
    seen = []
    async for record in run(pipeline, stored, batch_size=batch_size):
        assert record.outcome is Outcome.INSERTED
        assert (await outputs.get_by_id(TheCannon, record.task_pk)).teff == record.teff
        seen.append(record.spectrum_pk)
    assert seen == [spectrum.spectrum_pk for spectrum in stored]


@BOTH
async def test_what_is_pending_is_worked_off_and_a_second_run_finds_nothing(
    run, outputs, spectra, pipeline
) -> None:
    await spectra(12)
    for expected in (12, 0):
        found = outputs.pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra=VERSION)
        assert (await run(pipeline, found, batch_size=5)).made == expected


async def test_a_pipeline_without_spectra_is_not_even_started(run) -> None:
    started = []

    def loads_a_model(spectra):
        started.append(True)
        yield ...

    report = await run(loads_a_model, [])
    assert (started, report.made) == ([], 0)


@BOTH
async def test_the_configured_version_reaches_the_pipeline(run, outputs, spectra, pipeline) -> None:
    stored = await spectra(1)
    with using_version("0.9.3"):
        await run(pipeline, stored, v_astra=None)
    assert (await outputs.get_result(TheCannon, stored[0])).v_astra == 9003


async def test_a_pipeline_may_yield_records_of_several_classes(
    run, other_pipeline, connection, spectra
) -> None:
    def both(spectra):
        for spectrum in spectra:
            yield TheCannon.from_spectrum(spectrum)
            yield other_pipeline.from_spectrum(spectrum)

    report = await run(both, await spectra(3))
    assert report.counts == {Outcome.INSERTED: 6}
    assert await connection.fetchval("select count(*) from astra.other_pipeline") == 3


async def test_a_record_that_the_database_refuses_is_named_kept_and_stops_no_other(
    run, spectra, tmp_path
) -> None:
    from types import SimpleNamespace

    stored = await spectra(20)
    nobody = SimpleNamespace(spectrum_pk=999_999, source_pk=None)
    work = run(one_by_one, [nobody, *stored])
    yielded = [record.spectrum_pk async for record in work]
    assert work.report.counts == {Outcome.INSERTED: 20, Outcome.REJECTED: 1}
    assert "999999" in str(work.report)
    assert 999_999 not in yielded
    assert [path.suffix for path in (tmp_path / "spool").iterdir()] == [".rejected"]


async def test_a_pipeline_that_returns_early_is_not_started_again(run, spectra) -> None:
    def first_two(spectra):
        for spectrum, _ in zip(spectra, range(2), strict=False):
            yield TheCannon.from_spectrum(spectrum)

    assert (await run(first_two, await spectra(5))).made == 2


# When it is stored.


@BOTH
async def test_a_result_is_stored_when_it_is_old_enough_though_the_batch_is_not_full(
    run, spectra, pipeline
) -> None:
    first, *others = await spectra(3)
    seen = asyncio.Event()

    async def slow():
        yield first
        await seen.wait()
        for spectrum in others:
            yield spectrum

    async with asyncio.timeout(40):
        async for _ in run(pipeline, slow(), max_age=0.01):
            seen.set()


async def test_computing_does_not_wait_for_the_database(run, connection, spectra) -> None:
    stored = await spectra(30)
    finished = threading.Event()

    def pipeline(spectra):
        yield from one_by_one(spectra)
        finished.set()

    async with connection.transaction():
        await connection.execute("lock table astra.the_cannon in access exclusive mode")
        work = asyncio.ensure_future(run(pipeline, stored, batch_size=10)._to_the_end())
        assert await asyncio.to_thread(finished.wait, 60)
        assert not work.done()
    assert (await work).counts == {Outcome.INSERTED: 30}


@BOTH
async def test_computing_waits_when_too_much_is_unstored(run, connection, spectra, pipeline) -> None:
    stored = await spectra(50)
    drawn = []

    async def counted():
        for spectrum in stored:
            drawn.append(spectrum)
            yield spectrum

    async with connection.transaction():
        await connection.execute("lock table astra.the_cannon in access exclusive mode")
        work = run(pipeline, counted(), batch_size=5)
        ended = asyncio.ensure_future(work._to_the_end())
        await until(lambda: len(drawn) >= 16)  # three batches, and the one that waits for room
        for _ in range(20):
            await asyncio.sleep(0.005)
        assert len(drawn) == 16
    assert (await ended).made == 50


async def test_a_caller_who_takes_nothing_holds_the_pipeline_back(run, spectra) -> None:
    stored = await spectra(60)
    work = run(one_by_one, stored, batch_size=5)
    records = aiter(work)
    await anext(records)
    for _ in range(40):
        await asyncio.sleep(0.005)
    assert work.report.made <= 20
    assert len([record async for record in records]) == 59


# Time.


class Clock:
    """Stands still but for what a pipeline says that it takes: a busy machine adds nothing."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """What the stopwatches of pipelines go by."""
    clock = Clock()
    monkeypatch.setattr(driving, "Stopwatch", partial(Stopwatch, clock))
    return clock


def taking(clock: Clock):
    def pipeline(spectra):
        clock.advance(4)
        yield ...
        for spectrum in spectra:
            clock.advance(0.5)
            yield TheCannon.from_spectrum(spectrum)

    return pipeline


def taking_async(clock: Clock):
    async def pipeline(spectra):
        clock.advance(4)
        yield ...
        async for spectrum in spectra:
            clock.advance(0.5)
            yield TheCannon.from_spectrum(spectrum)

    return pipeline


@pytest.mark.parametrize("pipeline", [taking, taking_async])
async def test_each_result_says_how_long_it_took_and_its_share_of_the_overhead(
    run, spectra, clock, pipeline
) -> None:
    records = [record async for record in run(pipeline(clock), await spectra(4))]
    assert [record.t_elapsed for record in records] == 4 * [0.5]
    assert [record.t_overhead for record in records] == 4 * [1.0]


@BOTH
async def test_time_spent_on_reading_and_by_the_caller_is_not_the_pipelines(
    run, spectra, clock, pipeline
) -> None:
    stored = await spectra(4)
    wanted, may_come = asyncio.Event(), asyncio.Event()

    async def slow():
        for spectrum in stored:
            clock.advance(1)
            yield spectrum
            wanted.set()
            await may_come.wait()
            may_come.clear()

    work = run(pipeline, slow(), batch_size=1)
    async for _ in work:
        await wanted.wait()  # the pipeline is waiting by now
        wanted.clear()
        clock.advance(1)
        may_come.set()
    assert work.report.elapsed == 0


async def test_times_that_the_pipeline_set_are_left_alone(run, spectra, clock) -> None:
    def own(spectra):
        clock.advance(2)
        yield ...
        for n, spectrum in enumerate(spectra):
            clock.advance(1)
            times = {"t_elapsed": 7.0, "t_overhead": 8.0} if n == 0 else {}
            yield TheCannon.from_spectrum(spectrum, **times)

    first, second = [record async for record in run(own, await spectra(2))]
    assert (first.t_elapsed, first.t_overhead) == (7.0, 8.0)
    assert (second.t_elapsed, second.t_overhead) == (1.0, 2.0)


# A pipeline that fails.


def failing_on(*numbers, setup=None):
    def pipeline(spectra):
        if setup is not None:
            setup.append(True)
        for spectrum in spectra:
            if spectrum.spectrum_pk in numbers:
                raise ArithmeticError(f"no fit for {spectrum.spectrum_pk}")
            yield TheCannon.from_spectrum(spectrum, teff=float(spectrum.spectrum_pk))

    return pipeline


def failing_on_async(*numbers):
    async def pipeline(spectra):
        async for spectrum in spectra:
            if spectrum.spectrum_pk in numbers:
                raise ArithmeticError(f"no fit for {spectrum.spectrum_pk}")
            yield TheCannon.from_spectrum(spectrum, teff=float(spectrum.spectrum_pk))

    return pipeline


@pytest.mark.parametrize("failing", [failing_on, failing_on_async])
@pytest.mark.parametrize("bad", [[0], [9], [3, 4], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]])
async def test_a_failure_on_one_spectrum_is_noted_and_stops_no_other(
    run, spectra, connection, failing, bad, tmp_path
) -> None:
    stored = await spectra(10)
    keys = [spectrum.spectrum_pk for spectrum in stored]
    wrong = {keys[n] for n in bad}
    report = await run(failing(*wrong), stored, batch_size=4)
    assert set(await teffs(connection)) == set(keys) - wrong
    assert [failure.spectrum_pk for failure in report.failures] == sorted(wrong)
    assert report.failures[0].error == f"ArithmeticError: no fit for {min(wrong)}"
    assert "in pipeline" in report.failures[0].trace
    assert not report.all_stored
    # `status` counts them; where nothing was made, nobody knows of which table.
    assert failures_in(tmp_path / "spool", "the_cannon") == ({8: wrong} if len(bad) < len(stored) else {})


async def test_failures_are_noted_where_nothing_was_made_and_the_annotation_says_what_would_be(
    outputs, spectra, tmp_path
) -> None:
    def pipeline(spectra) -> Results[TheCannon]:
        yield ...
        for spectrum in spectra:
            raise ArithmeticError(spectrum.spectrum_pk)

    stored = await spectra(3)
    await outputs.run(pipeline, stored, v_astra="0.8.1", spool=tmp_path)
    assert failures_in(tmp_path, "the_cannon") == {8: {one.spectrum_pk for one in stored}}


async def test_a_spectrum_that_is_skipped_is_no_failure(run, spectra) -> None:
    starts = []

    def picky(spectra):
        starts.append(True)
        for spectrum in spectra:
            if spectrum.spectrum_pk % 2:
                continue
            if spectrum.spectrum_pk % 8 == 0:
                raise ArithmeticError("no fit")
            yield TheCannon.from_spectrum(spectrum)

    stored = await spectra(40)
    keys = [spectrum.spectrum_pk for spectrum in stored]
    report = await run(picky, stored)
    assert [failure.spectrum_pk for failure in report.failures] == [key for key in keys if key % 8 == 0]
    # Each failure costs a start for the spectrum, one for the one skipped just before, and one for the rest.
    assert len(starts) <= 3 * len(report.failures) + 1
    assert report.made == len([key for key in keys if key % 2 == 0 and key % 8])


async def test_of_a_group_only_the_spectrum_that_fails_is_blamed(run, spectra, connection) -> None:
    stored = await spectra(20)
    keys = [spectrum.spectrum_pk for spectrum in stored]
    bad = {keys[2], keys[13]}

    def in_groups(spectra):
        from itertools import islice

        while group := list(islice(spectra, 6)):
            if bad & {spectrum.spectrum_pk for spectrum in group}:
                raise ArithmeticError("no fit for the group")
            yield from one_by_one(group)

    report = await run(in_groups, stored)
    assert {failure.spectrum_pk for failure in report.failures} == bad
    assert set(await teffs(connection)) == set(keys) - bad
    assert report.made == 18


async def test_what_was_finished_before_a_failure_is_stored_also_where_failures_raise(
    run, spectra, connection
) -> None:
    stored = await spectra(6)
    keys = [spectrum.spectrum_pk for spectrum in stored]
    with pytest.raises(PipelineFailed, match=f"on spectrum {keys[3]}: ArithmeticError") as caught:
        await run(failing_on(keys[3]), stored, on_error="raise")
    assert caught.value.spectrum_pk == keys[3]
    assert isinstance(caught.value.__cause__, ArithmeticError)
    assert set(await teffs(connection)) == set(keys[:3])


async def test_a_pipeline_that_fails_before_its_first_spectrum_ends_the_run(run, spectra) -> None:
    def broken(spectra):
        raise FileNotFoundError("no model")
        yield

    with pytest.raises(PipelineFailed, match=r"worked on no spectrum: FileNotFoundError: no model"):
        await run(broken, await spectra(3))


async def test_a_pipeline_that_fails_on_everything_ends_the_run(run, spectra) -> None:
    stored = await spectra(30)
    with pytest.raises(PipelineFailed, match="failed on 5 spectra"):
        await run(failing_on(*(s.spectrum_pk for s in stored)), stored, most_failures=5)


async def test_spectra_that_cannot_be_read_end_the_run_after_everything_is_stored(
    run, spectra, connection
) -> None:
    stored = await spectra(4)

    async def breaking():
        for spectrum in stored:
            yield spectrum
        raise OSError("the disk is gone")

    def breaking_plainly():
        yield from stored
        raise OSError("the disk is gone")

    for source in (breaking(), breaking_plainly()):
        with pytest.raises(OSError, match="the disk is gone"):
            await run(one_by_one, source)
        assert len(await teffs(connection)) == 4


# Ending early.


@BOTH
async def test_leaving_the_loop_stores_what_is_finished(
    database, tmp_path, spectra, connection, pipeline
) -> None:
    stored = await spectra(40)
    async with astra_outputs.connect(database) as outputs:
        work = outputs.run(pipeline, stored, v_astra=VERSION, batch_size=5, spool=tmp_path)
        async for _ in work:
            break
    assert len(await teffs(connection)) == work.report.made >= 5
    assert list(tmp_path.iterdir()) == []


@BOTH
async def test_a_cancelled_run_stores_what_is_finished(run, spectra, connection, pipeline) -> None:
    stored = await spectra(5)
    forever, waiting = asyncio.Event(), asyncio.Event()

    async def endless():
        for spectrum in stored:
            yield spectrum
        waiting.set()
        await forever.wait()

    work = run(pipeline, endless())
    task = asyncio.ensure_future(work._to_the_end())
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(await teffs(connection)) == 5


@BOTH
async def test_a_stopped_run_stores_what_is_finished_and_says_so(run, spectra, connection, pipeline) -> None:
    stored = await spectra(5)
    forever, waiting = asyncio.Event(), asyncio.Event()

    async def endless():
        for spectrum in stored:
            yield spectrum
        waiting.set()
        await forever.wait()

    work = run(pipeline, endless())
    task = asyncio.ensure_future(work._to_the_end())
    await waiting.wait()
    work.stop()
    report = await task
    assert report.counts == {Outcome.INSERTED: 5}
    assert len(await teffs(connection)) == 5


async def test_a_stopped_run_leaves_a_pipeline_behind_that_takes_longer_than_the_grace(
    run, spectra, connection
) -> None:
    stored = await spectra(5)
    stuck, release = threading.Event(), threading.Event()

    def hangs(spectra):
        for n, spectrum in enumerate(spectra):
            if n == 3:
                stuck.set()
                release.wait(60)
            yield TheCannon.from_spectrum(spectrum)

    work = run(hangs, stored)
    task = asyncio.ensure_future(work._to_the_end())
    assert await asyncio.to_thread(stuck.wait, 40)
    work.stop(grace=60)
    await until(lambda: work.report.counts == {Outcome.INSERTED: 3})
    async with asyncio.timeout(40):
        work.stop(grace=0.5)
        report = await task
    release.set()
    assert report.counts == {Outcome.INSERTED: 3}
    assert len(await teffs(connection)) == 3


async def test_a_stopped_run_stores_what_is_finished_at_once_while_the_pipeline_goes_on(
    run, outputs, spectra
) -> None:
    stored = await spectra(3)
    stuck, release = threading.Event(), threading.Event()

    def slow(spectra):
        for n, spectrum in enumerate(spectra):
            if n == 2:
                stuck.set()
                release.wait(60)
            yield TheCannon.from_spectrum(spectrum)

    work = run(slow, stored)
    task = asyncio.ensure_future(work._to_the_end())
    assert await asyncio.to_thread(stuck.wait, 40)
    work.stop(grace=60)
    await until(lambda: work.report.counts == {Outcome.INSERTED: 2})
    release.set()
    assert (await task).counts == {Outcome.INSERTED: 3}


@pytest.mark.parametrize("batch_size", [1, 3, 1_000])
async def test_of_two_results_of_one_spectrum_the_last_is_stored_and_the_report_says_so(
    run, spectra, connection, batch_size, caplog
) -> None:
    def twice(spectra):
        for spectrum in spectra:
            yield TheCannon.from_spectrum(spectrum, teff=1.0)
            yield TheCannon.from_spectrum(spectrum, teff=2.0)

    stored = await spectra(3)
    report = await run(twice, stored, batch_size=batch_size)
    assert set((await teffs(connection)).values()) == {2.0}
    assert [key["spectrum_pk"] for key in report.repeated] == [spectrum.spectrum_pk for spectrum in stored]
    assert report.counts[Outcome.KEPT] == 0
    assert "gave way to a later result of the same spectrum: {'spectrum_pk'" in str(report)
    assert "several results of one spectrum" in caplog.text


async def test_results_of_one_spectrum_in_two_versions_are_two_results(run, spectra, connection) -> None:
    def both(spectra):
        for spectrum in spectra:
            yield TheCannon.from_spectrum(spectrum, v_astra="0.8.1")
            yield TheCannon.from_spectrum(spectrum, v_astra="0.9.0")

    report = await run(both, await spectra(3))
    assert (report.repeated, report.counts) == ([], {Outcome.INSERTED: 6})
