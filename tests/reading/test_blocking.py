"""Without async: every call waits, from any thread and inside a running loop, by the one implementation."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import astra_outputs
from astra_outputs import (
    ApogeeCoaddedSpectrumInApStar,
    BlockingOutputs,
    Columns,
    Outputs,
    Source,
    TheCannon,
    using_version,
)
from astra_outputs.background import Background
from astra_outputs.blocking import BlockingColumns
from astra_outputs.errors import CannotConnect, Closed, InvalidCondition, Misused, SchemaMismatch


@pytest.fixture
def blocking(database: str) -> Iterator[BlockingOutputs]:
    with astra_outputs.open(database) as outputs:
        yield outputs


@pytest.fixture
def stored(blocking: BlockingOutputs) -> list[ApogeeCoaddedSpectrumInApStar]:
    """Three spectra of three sources."""
    sources = [Source(sdss_id=number) for number in (1, 2, 3)]
    blocking.save_many(sources)
    spectra = [
        ApogeeCoaddedSpectrumInApStar(
            source_pk=source.pk,
            release="dr17",
            apred="dr17",
            obj=f"star {source.pk}",
            telescope="apo25m",
            field="f",
        )
        for source in sources
    ]
    blocking.save_many(spectra)
    return spectra


def pipeline(spectra: Any) -> Any:
    for spectrum in spectra:
        yield TheCannon.from_spectrum(spectrum, teff=float(spectrum.spectrum_pk))


# Bad use.


async def test_connect_and_open_used_as_the_other_say_which_to_use(database: str) -> None:
    with (
        pytest.raises(Misused, match=r"for `with` there is astra_outputs.open"),
        astra_outputs.connect(database),
    ):
        pass
    with pytest.raises(Misused, match="not awaited: enter it by `async with"):
        await astra_outputs.connect(database)
    outputs = astra_outputs.open(database)
    with pytest.raises(Misused, match=r"for `async with` there is astra_outputs.connect"):
        async with outputs:
            pass
    with pytest.raises(Misused, match=r"it waits itself: `with astra_outputs.open"):
        await outputs
    outputs.close()


def test_what_was_closed_says_so_and_may_be_closed_again(database: str) -> None:
    outputs = astra_outputs.open(database)
    stream = outputs.stream(Source)
    outputs.close()
    outputs.close()
    with pytest.raises(Closed):
        outputs.find(Source)
    with pytest.raises(Closed):
        next(stream)


def test_a_server_that_is_not_there_leaves_no_thread_behind(database: str) -> None:
    import threading

    before = threading.active_count()
    with pytest.raises(CannotConnect):
        astra_outputs.open("postgresql:///nothing?host=/nowhere", retry_for=0)
    with pytest.raises(SchemaMismatch):
        astra_outputs.open(database, schema="nothing")
    assert threading.active_count() == before


def test_errors_come_as_they_are(blocking: BlockingOutputs) -> None:
    with pytest.raises(InvalidCondition):
        blocking.find(Source, "drop table x")
    with pytest.raises(InvalidCondition):
        blocking.stream(Source, "drop table x")


def test_a_call_that_would_wait_for_itself_is_refused() -> None:
    background = Background()

    async def inside() -> None:
        async def more() -> None:
            """Never runs."""

        background.call(more())

    with pytest.raises(Closed, match="waits for this very call"):
        background.call(inside())
    background.close()


# One implementation.


def test_every_call_is_there_with_its_own_signature_and_words() -> None:
    for public, blocking in ((Outputs, BlockingOutputs), (Columns, BlockingColumns)):
        names = [
            name
            for name in vars(public)
            if not name.startswith("_") and inspect.isfunction(getattr(public, name))
        ]
        for name in set(names) - {"reading"}:
            offered = getattr(blocking, name)
            assert inspect.signature(offered) == inspect.signature(getattr(public, name)), name
            assert offered.__doc__ == getattr(public, name).__doc__


def test_records_are_saved_found_and_streamed(blocking: BlockingOutputs, stored: Any) -> None:
    results = [TheCannon.from_spectrum(spectrum, v_astra="0.8.1", teff=1.0) for spectrum in stored]
    report = blocking.save_many(results)
    assert report.counts == {astra_outputs.Outcome.INSERTED: 3}
    assert blocking.find(TheCannon, "teff = $1", 1.0, order_by="task_pk") == results
    assert list(blocking.stream(TheCannon, order_by="task_pk")) == results
    assert blocking.get_result(TheCannon, stored[0]) == results[0]
    results[0].teff = 2.0
    assert blocking.save(results[0]).outcome == astra_outputs.Outcome.REPLACED


def test_a_pipeline_runs_over_what_is_pending(blocking: BlockingOutputs, stored: Any) -> None:
    with using_version("0.8.1"):
        run = blocking.run(pipeline, blocking.pending(TheCannon, ApogeeCoaddedSpectrumInApStar))
        assert sorted(record.teff for record in run) == [s.spectrum_pk for s in stored]
        assert blocking.count_pending(TheCannon, ApogeeCoaddedSpectrumInApStar) == 0
    report = blocking.run(pipeline, iter(stored), v_astra="0.9.0").wait()
    assert report.made == 3
    assert len(blocking.find(TheCannon, v_astra="0.9")) == 3


def test_columns_come_in_every_form(blocking: BlockingOutputs, stored: Any) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    columns = blocking.columns(Source, columns=["sdss_id"], order_by="sdss_id")
    assert columns.to_arrow()["sdss_id"].to_pylist() == [1, 2, 3]
    assert columns.to_numpy()["sdss_id"].tolist() == [1, 2, 3]
    assert columns.to_pandas()["sdss_id"].tolist() == [1, 2, 3]
    assert [batch.num_rows for batch in columns.batches()] == [3]
    assert columns.count() == 3
    assert pyarrow.table(columns)["sdss_id"].to_pylist() == [1, 2, 3]
    assert columns.names == ("sdss_id",)


async def test_inside_a_running_loop_calls_wait_as_well(database: str) -> None:
    asyncio.get_running_loop()
    with astra_outputs.open(database) as outputs:
        assert outputs.find(Source) == []


def test_many_threads_call_at_once(blocking: BlockingOutputs, stored: Any) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: len(blocking.find(Source)), range(40)))
    assert found == [3] * 40


def test_what_a_caller_has_set_holds_in_the_call() -> None:
    word: contextvars.ContextVar[str] = contextvars.ContextVar("word", default="nothing")
    background = Background()

    async def read() -> str:
        return word.get()

    word.set("something")
    assert background.call(read()) == "something"
    background.close()


def test_a_stream_may_be_left(database: str, stored: Any) -> None:
    with astra_outputs.open(database, connections=1) as outputs:
        stream = outputs.stream(Source)
        assert next(stream).sdss_id
        stream.close()
        assert len(outputs.find(Source)) == 3
        for _ in outputs.stream(Source):
            break  # and the rest is forgotten
        assert len(outputs.find(Source)) == 3


def test_an_interrupt_cancels_the_call_that_waits(blocking: BlockingOutputs) -> None:
    ended = []

    async def work() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("in order")
            raise

    with pytest.raises(KeyboardInterrupt):
        blocking._background.call(work())
    assert ended == ["in order"]
    assert blocking.find(Source) == []


def test_a_script_that_forgets_to_close_ends(database: str) -> None:
    script = f"import astra_outputs; outputs = astra_outputs.open({database!r}); print(len(outputs.find(astra_outputs.Source)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
