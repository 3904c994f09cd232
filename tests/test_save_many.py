"""Saving many records: batches, order, duplicates, and what is left when something goes wrong."""

from __future__ import annotations

import asyncio

import pytest

from astra_outputs import ApogeeCoaddedSpectrumInApStar, Outcome, Source, TheCannon
from astra_outputs.errors import DuplicateKey, UnknownReference, WrongRecordClass


def results(spectra, version: str = "0.6.2", **values):
    return [TheCannon.from_spectrum(spectrum, v_astra=version, **values) for spectrum in spectra]


async def count(connection) -> int:
    return await connection.fetchval("select count(*) from astra.the_cannon")


# Bad input first.


@pytest.mark.parametrize(
    ("batch_size", "where"),
    [(1, "records 3 and 5"), (2, r"records \(one of 2 to 3\) and 5"), (100, "records 3 and 5")],
)
async def test_the_same_key_twice_is_refused_naming_both_positions(
    outputs, connection, spectra, batch_size, where
) -> None:
    stored = await spectra(5)
    records = [*results(stored), *results(stored[3:4], "0.6.9")]
    with pytest.raises(DuplicateKey, match=where) as caught:
        await outputs.save_many(records, batch_size=batch_size)
    assert caught.value.key == {"spectrum_pk": stored[3].spectrum_pk, "v_astra_major_minor": 6}
    assert await count(connection) == {1: 5, 2: 4, 100: 0}[batch_size]


async def test_a_record_of_another_class_is_refused_naming_its_position(outputs, spectra) -> None:
    stored = await spectra(2)
    with pytest.raises(WrongRecordClass, match="record 1 is a Source"):
        await outputs.save_many([*results(stored[:1]), Source(sdss_id=99)])


async def test_something_that_is_no_record_is_refused_naming_its_position(outputs, spectra) -> None:
    with pytest.raises(WrongRecordClass, match="record 0"):
        await outputs.save_many([{"teff": 1.0}])


async def test_a_single_record_is_no_iterable_of_records(outputs, spectra) -> None:
    (stored,) = await spectra(1)
    with pytest.raises(TypeError, match="use save for one"):
        await outputs.save_many(results([stored])[0])


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"duplicates": "first"}])
async def test_an_option_that_makes_no_sense_is_refused(outputs, options) -> None:
    with pytest.raises(ValueError, match="must be"):
        await outputs.save_many([], **options)


@pytest.mark.parametrize("size", [3, 30])
async def test_an_unknown_spectrum_leaves_nothing_of_its_batch(outputs, connection, spectra, size) -> None:
    records = results(await spectra(size))
    bad = records[1].model_copy(update={"spectrum_pk": 999_999})
    with pytest.raises(UnknownReference, match="999999"):
        await outputs.save_many([*records[2:], bad, records[0]])
    assert await count(connection) == 0
    assert all(record.outcome is None for record in records)


async def test_a_generator_that_raises_leaves_whole_batches_and_says_how_many(
    outputs, connection, spectra
) -> None:
    records = results(await spectra(5))

    def breaking():
        yield from records
        raise RuntimeError("the pipeline broke")

    with pytest.raises(RuntimeError, match="the pipeline broke") as caught:
        await outputs.save_many(breaking(), batch_size=2)
    assert any("4 records" in note for note in caught.value.__notes__)
    assert await count(connection) == 4


async def test_an_atomic_call_that_fails_leaves_nothing(outputs, connection, spectra) -> None:
    records = results(await spectra(5))

    def breaking():
        yield from records
        raise RuntimeError("the pipeline broke")

    with pytest.raises(RuntimeError) as caught:
        await outputs.save_many(breaking(), batch_size=2, atomic=True)
    assert any(note.startswith("0 records") for note in caught.value.__notes__)
    assert await count(connection) == 0


async def test_a_cancelled_call_leaves_whole_batches_and_a_usable_repository(
    outputs, connection, spectra
) -> None:
    records = results(await spectra(6))
    waiting, forever = asyncio.Event(), asyncio.Event()

    async def endless():
        for record in records[:5]:
            yield record
        waiting.set()
        await forever.wait()

    task = asyncio.create_task(outputs.save_many(endless(), batch_size=2))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await count(connection) == 4
    assert (await outputs.save(records[5])).outcome is Outcome.INSERTED


# What is returned.


@pytest.mark.parametrize("records", [[], iter(()), ()])
async def test_an_empty_iterable_is_an_empty_report(outputs, records) -> None:
    report = await outputs.save_many(records)
    assert (len(report), report.counts, str(report)) == (0, {}, "no records")


@pytest.mark.parametrize("batch_size", [1, 3, 7, 40, 1000])
async def test_there_is_one_outcome_a_record_in_the_order_given(outputs, spectra, batch_size) -> None:
    stored = await spectra(40)
    await outputs.save_many(results(stored[::2]))
    records = results(stored[::-1], teff=5000.0)
    report = await outputs.save_many(records, batch_size=batch_size)
    expected = [
        Outcome.REPLACED if record.spectrum_pk in {s.spectrum_pk for s in stored[::2]} else Outcome.INSERTED
        for record in records
    ]
    assert list(report) == expected == [record.outcome for record in records]
    assert report.counts == {Outcome.INSERTED: 20, Outcome.REPLACED: 20}
    for record in records:
        assert await outputs.get_by_id(TheCannon, record.task_pk) == record


async def test_an_asynchronous_iterable_is_streamed(outputs, spectra) -> None:
    stored = await spectra(5)

    async def stream():
        for record in results(stored):
            yield record

    assert (await outputs.save_many(stream(), batch_size=2)).counts == {Outcome.INSERTED: 5}


async def test_the_last_of_two_with_the_same_key_stays_where_it_is_asked_to(outputs, spectra) -> None:
    (stored,) = await spectra(1)
    first, last = results([stored], teff=1.0)[0], results([stored], teff=2.0)[0]
    report = await outputs.save_many([first, last], duplicates="last")
    assert list(report) == [Outcome.KEPT, Outcome.INSERTED]
    assert (await outputs.get_result(TheCannon, stored)).teff == 2.0


async def test_a_rerun_keeps_every_task_pk(outputs, spectra) -> None:
    stored = await spectra(30)
    first, again = results(stored), results(stored, "0.6.3")
    await outputs.save_many(first)
    report = await outputs.save_many(reversed(again), batch_size=11)
    assert report.counts == {Outcome.REPLACED: 30}
    assert [record.task_pk for record in again] == [record.task_pk for record in first]


@pytest.mark.parametrize("size", [4, 40])
async def test_sources_with_different_identifiers_are_stored_in_one_call(outputs, connection, size) -> None:
    sources = [Source(**{("sdss_id", "gaia_dr3_source_id")[n % 2]: n + 1}) for n in range(size)]
    assert (await outputs.save_many(sources)).counts == {Outcome.INSERTED: size}
    assert await connection.fetchval("select count(*) from astra.source") == size


async def test_spectra_saved_in_a_batch_get_distinct_numbers(outputs, connection) -> None:
    source = await outputs.save(Source(sdss_id=1))
    new = [
        ApogeeCoaddedSpectrumInApStar(
            source_pk=source.pk,
            release="dr17",
            apred="1",
            obj=str(n),
            telescope="apo25m",
            field="",
            prefix="",
        )
        for n in range(50)
    ]
    await outputs.save_many(new[:20])
    await outputs.save_many([spectrum.model_copy(update={"spectrum_pk": None}) for spectrum in new])
    assert await connection.fetchval("select count(*) from astra.spectrum") == 50


async def test_guards_hold_in_batches(outputs, spectra) -> None:
    stored = await spectra(20)
    await outputs.save_many(
        [*results(stored[:10], "0.6.3", teff=1.0), *results(stored[10:], "0.6.2", teff=1.0)]
    )
    report = await outputs.save_many(results(stored, "0.6.2", teff=1.0), keep_newer=True, skip_unchanged=True)
    assert list(report) == [Outcome.KEPT] * 10 + [Outcome.UNCHANGED] * 10


async def test_a_batch_inside_a_callers_transaction_can_follow_another(outputs, connection, spectra) -> None:
    import astra_outputs

    stored = await spectra(40)
    async with astra_outputs.connect(connection=connection) as mine, connection.transaction():
        await mine.save_many(results(stored[:20]), batch_size=10)
        report = await mine.save_many(results(stored), batch_size=20)
    assert report.counts == {Outcome.INSERTED: 20, Outcome.REPLACED: 20}


async def test_overlapping_writers_lose_nothing_and_never_deadlock(outputs, connection, spectra) -> None:
    stored = await spectra(60)
    batches = [results(stored[::-1] if n % 2 else stored, teff=float(n)) for n in range(6)]
    await asyncio.gather(*(outputs.save_many(batch, batch_size=20) for batch in batches))
    assert await count(connection) == 60
