"""Saving many records: batches, order, duplicates, and what is left when something goes wrong."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter
from types import SimpleNamespace

import asyncpg
import pytest
from proxy import proxied

import astra_outputs
from astra_outputs import ASPCAP, ApogeeCoaddedSpectrumInApStar, Outcome, Outputs, Source, TheCannon
from astra_outputs.errors import (
    ConnectionLost,
    DatabaseError,
    DuplicateKey,
    MaybeStored,
    SchemaMismatch,
    UnknownReference,
    WrongRecordClass,
)


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


async def test_a_record_of_another_class_is_found_far_into_a_list(outputs, spectra) -> None:
    records = [*results(await spectra(100)), Source(sdss_id=99)]
    with pytest.raises(WrongRecordClass, match="record 100 is a Source"):
        await outputs.save_many(records)


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
    bad = type(records[1])(spectrum_pk=999_999, v_astra=records[1].v_astra)
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
            obj=f"star {n}",
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
    stored = await spectra(240)
    async with astra_outputs.connect(connection=connection) as mine, connection.transaction():
        await mine.save_many(results(stored[:120]), batch_size=60)
        report = await mine.save_many(results(stored), batch_size=120)
        first, second = results(stored[:120], teff=1.0), results(stored[120:], teff=2.0)
        await mine.save_many([*first, *second], batch_size=120)
    assert report.counts == {Outcome.INSERTED: 120, Outcome.REPLACED: 120}
    # The second batch stored its own rows only, not those of the first once more.
    rows = await connection.fetch("select task_pk, modified from astra.the_cannon")
    assert {tuple(row) for row in rows} == {(record.task_pk, record.modified) for record in [*first, *second]}


async def test_overlapping_writers_lose_nothing_and_never_deadlock(outputs, connection, spectra) -> None:
    stored = await spectra(60)
    batches = [results(stored[::-1] if n % 2 else stored, teff=float(n)) for n in range(6)]
    await asyncio.gather(*(outputs.save_many(batch, batch_size=20) for batch in batches))
    assert await count(connection) == 60


# Bad rows among good ones.


def nobody(position: int) -> TheCannon:
    return TheCannon.from_spectrum(
        SimpleNamespace(spectrum_pk=900_000 + position, source_pk=None), v_astra="0.6.2"
    )


async def test_an_option_of_what_to_do_with_errors_that_makes_no_sense_is_refused(outputs) -> None:
    with pytest.raises(ValueError, match="on_error must be"):
        await outputs.save_many([], on_error="ignore")


@pytest.mark.parametrize("batch_size", [1, 7, 100])
async def test_good_rows_are_stored_and_bad_ones_come_back_with_the_reason(
    outputs, connection, spectra, batch_size
) -> None:
    records = results(await spectra(60))
    bad = {position: nobody(position) for position in (0, 13, 14, 59)}
    records = [bad.get(position, record) for position, record in enumerate(records)]
    report = await outputs.save_many(records, batch_size=batch_size, on_error="collect")
    assert report.counts == {Outcome.INSERTED: 56, Outcome.REJECTED: 4}
    assert [entry.position for entry in report.rejected] == [0, 13, 14, 59]
    assert report.rejected[1].key == {"spectrum_pk": 900_013, "v_astra_major_minor": 6}
    assert "spectrum_pk = 900013 is not in spectrum.pk" in str(report.rejected[1])
    assert [record.outcome for record in records] == list(report)
    assert await count(connection) == 56


async def test_missing_spectra_are_asked_for_once_and_not_row_by_row(database, spectra) -> None:
    records = [*results(await spectra(100)), *map(nobody, range(100))]
    async with transactions_counted(database) as (outputs, ended):
        await outputs.save_many(records, on_error="collect")
    assert 0 < len(ended) < 12


async def test_a_row_that_the_table_refuses_is_found_by_halving(database, connection, spectra) -> None:
    await connection.execute("alter table astra.the_cannon add constraint cool check (teff < 9000)")
    records = results(await spectra(64), teff=5000.0)
    records[40].teff = 9999.0
    async with transactions_counted(database) as (outputs, ended):
        report = await outputs.save_many(records, on_error="collect")
    assert [entry.position for entry in report.rejected] == [40]
    assert 'violates check constraint "cool' in report.rejected[0].reason
    assert await count(connection) == 63
    assert 0 < len(ended) < 25


@asynccontextmanager
async def transactions_counted(database: str) -> AsyncIterator[tuple[Outputs, list[bytes]]]:
    """A repository, and what the server said at the end of each of its transactions, failed ones included.

    The numbers of transactions would tell of other tests as well, where these share a server.
    """
    ended: list[bytes] = []

    def note(content: bytes) -> bool:
        ended.extend(re.findall(rb"(?:COMMIT|ROLLBACK)\0", content))
        return False

    async with proxied(database) as proxy, astra_outputs.connect(proxy.dsn, retry_for=0) as outputs:
        proxy.cut_before_client_hears = note
        yield outputs, ended


async def test_what_is_no_rows_fault_is_raised_even_where_errors_are_collected(
    outputs, connection, spectra
) -> None:
    records = results(await spectra(3))
    await outputs.save_many(records[:1])
    await connection.execute("alter table astra.the_cannon rename to elsewhere")
    with pytest.raises(SchemaMismatch):
        await outputs.save_many(records, on_error="collect")


async def test_a_second_record_with_the_same_key_is_rejected_where_errors_are_collected(
    outputs, spectra
) -> None:
    stored = await spectra(4)
    records = [*results(stored, teff=1.0), *results(stored[:2], teff=2.0)]
    for batch_size in (100, 4):
        report = await outputs.save_many(records, on_error="collect", batch_size=batch_size)
        assert [entry.position for entry in report.rejected] == [4, 5]
        assert "have the same key" in report.rejected[0].reason
        assert (await outputs.get_result(TheCannon, stored[0])).teff == 1.0


async def test_a_source_without_identifier_is_rejected_where_errors_are_collected(outputs) -> None:
    report = await outputs.save_many([Source(sdss_id=1), Source(), Source(sdss_id=2)], on_error="collect")
    assert list(report) == [Outcome.INSERTED, Outcome.REJECTED, Outcome.INSERTED]
    assert "no key" in str(report.rejected[0])


async def test_good_rows_of_an_atomic_call_are_stored_together(outputs, connection, spectra) -> None:
    records = [*results(await spectra(20)), nobody(0)]
    report = await outputs.save_many(records, atomic=True, on_error="collect", batch_size=5)
    assert report.counts == {Outcome.INSERTED: 20, Outcome.REJECTED: 1}
    assert await count(connection) == 20


async def test_collected_errors_leave_a_callers_transaction_usable(connection, spectra) -> None:
    records = [*results(await spectra(20)), nobody(0)]
    async with astra_outputs.connect(connection=connection) as mine, connection.transaction():
        report = await mine.save_many(records, on_error="collect")
        assert report.counts == {Outcome.INSERTED: 20, Outcome.REJECTED: 1}
    assert await count(connection) == 20


# Keys that come again, of every kind.


async def test_a_source_under_two_identifiers_is_one_key(outputs, connection) -> None:
    twice = [Source(sdss_id=1, gaia_dr3_source_id=10), Source(gaia_dr3_source_id=10)]
    for batch_size in (1, 2):
        with pytest.raises(DuplicateKey, match="records 0 and 1"):
            await outputs.save_many(twice, batch_size=batch_size)


async def test_a_spectrum_that_comes_again_in_a_later_batch_is_refused(outputs, connection, spectra) -> None:
    first, second, third = await spectra(3)
    again = first.model_copy()
    with pytest.raises(DuplicateKey, match=r"records \(one of 0 to 1\) and 3") as caught:
        await outputs.save_many([first, second, third, again], batch_size=2)
    assert caught.value.key["obj"] == first.obj
    assert "2 records of this call were stored: 0 to 1" in caught.value.__notes__


async def test_a_negative_key_is_a_key(outputs, connection, spectra) -> None:
    await connection.execute("insert into astra.spectrum (pk) values (-5)")
    record = TheCannon.from_spectrum(SimpleNamespace(spectrum_pk=-5, source_pk=None), v_astra="0.6.2")
    with pytest.raises(DuplicateKey, match="records 0 and 1"):
        await outputs.save_many([record, record.model_copy()], batch_size=1)


async def test_two_versions_of_one_spectrum_are_two_keys(outputs, connection, spectra) -> None:
    stored = await spectra(30)
    records = [
        result for pair in zip(results(stored), results(stored, "0.7.0"), strict=True) for result in pair
    ]
    for batch_size in (7, 100):
        await outputs.save_many(records, batch_size=batch_size)
    assert await count(connection) == 60
    rows = await connection.fetch("select task_pk, spectrum_pk, v_astra from astra.the_cannon")
    assert {tuple(row) for row in rows} == {(r.task_pk, r.spectrum_pk, r.v_astra) for r in records}


# What records are told, and when.


async def test_a_record_that_gave_way_carries_what_is_stored(outputs, spectra) -> None:
    (stored,) = await spectra(1)
    first, second, last = (results([stored], teff=float(n))[0] for n in range(3))
    report = await outputs.save_many([first, second, last], duplicates="last")
    assert list(report) == [Outcome.KEPT, Outcome.KEPT, Outcome.INSERTED]
    assert first.task_pk == second.task_pk == last.task_pk is not None


@pytest.mark.parametrize("size", [3, 60])
async def test_records_held_back_by_a_guard_carry_what_is_stored(outputs, spectra, size) -> None:
    stored = await spectra(size)
    first = results(stored, "0.6.3", teff=1.0)
    await outputs.save_many(first)
    again = results(stored, "0.6.3", teff=1.0)
    again[1].teff = 2.0
    report = await outputs.save_many(reversed(again), skip_unchanged=True)
    assert report.counts == {Outcome.UNCHANGED: size - 1, Outcome.REPLACED: 1}
    for old, new in zip(first, again, strict=True):
        assert (old.task_pk, old.created) == (new.task_pk, new.created)
        assert (old.modified == new.modified) is (new.outcome is Outcome.UNCHANGED)


@pytest.mark.parametrize("size", [1, 5, 300])
async def test_times_are_those_of_the_table_to_the_microsecond(outputs, connection, spectra, size) -> None:
    records = results(await spectra(size))
    await outputs.save_many(records)
    await outputs.save_many(records)
    rows = await connection.fetch("select task_pk, created, modified from astra.the_cannon")
    assert {tuple(row) for row in rows} == {(r.task_pk, r.created, r.modified) for r in records}
    assert all(record.created < record.modified for record in records)


async def test_a_record_that_is_used_again_for_the_next_row_is_stored_as_it_was_each_time(
    outputs, connection
) -> None:
    def sources():
        source = Source(sdss_id=1)
        for number in (3, 1, 2):
            source.sdss_id = number
            source.n_boss_visits = 10 * number
            yield source
        source.sdss_id = None

    report = await outputs.save_many(sources())
    rows = await connection.fetch("select sdss_id, n_boss_visits from astra.source order by sdss_id")
    assert report.counts == {Outcome.INSERTED: 3}
    assert [tuple(row) for row in rows] == [(1, 10), (2, 20), (3, 30)]


async def test_a_result_changed_after_it_was_read_is_stored_as_it_was(outputs, connection, spectra) -> None:
    def made():
        for spectrum in stored:
            result = TheCannon.from_spectrum(spectrum, v_astra="0.6.2", teff=1.0)
            yield result
            result.v_astra, result.teff = 7_000, 2.0

    stored = await spectra(300)
    await outputs.save_many(made(), keep_newer=True)
    await outputs.save_many(made(), keep_newer=True, skip_unchanged=True)
    rows = await connection.fetch("select distinct v_astra, teff from astra.the_cannon")
    assert [tuple(row) for row in rows] == [(6002, 1.0)]


async def test_a_connection_that_is_lost_in_an_atomic_call_is_our_error(outputs, connection, spectra) -> None:
    stored = await spectra(3)
    end = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"

    async def made():
        for result in results(stored):
            yield result
        await connection.execute(f"{end} and datname = current_database()")

    with pytest.raises(ConnectionLost) as caught:  # the server's words, or the driver's
        await outputs.save_many(made(), batch_size=1, atomic=True)
    told = isinstance(caught.value, MaybeStored)  # it was found out by the last word, to commit
    assert told or caught.value.__notes__ == ["0 records of this call were stored"]
    assert await count(connection) == 0


async def test_records_of_an_atomic_call_that_fails_are_told_nothing(outputs, spectra) -> None:
    records = results(await spectra(5))
    with pytest.raises(UnknownReference):
        await outputs.save_many([*records, nobody(0)], batch_size=2, atomic=True)
    assert [record.outcome for record in records] == [None] * 5
    assert [record.task_pk for record in records] == [None] * 5


async def test_an_error_says_which_records_were_stored(outputs, spectra) -> None:
    records = results(await spectra(6))
    with pytest.raises(UnknownReference) as caught:
        await outputs.save_many([*records[:4], nobody(0), records[4]], batch_size=2)
    assert caught.value.__notes__ == ["4 records of this call were stored: 0 to 3"]


async def test_a_slow_source_is_not_read_ahead(outputs, connection, spectra) -> None:
    """A batch under way ends before a source that takes its time is asked for the next record."""
    stored, seen = await spectra(4), []

    def slow():
        for record in results(stored):
            begun = perf_counter()
            while perf_counter() - begun < 0.01:
                pass
            seen.append([record.outcome for record in given])
            given.append(record)
            yield record

    given: list[TheCannon] = []
    await outputs.save_many(slow(), batch_size=2)
    assert seen[3][:2] == [Outcome.INSERTED, Outcome.INSERTED]


@pytest.mark.parametrize("connections", [0, 5])
async def test_connections_that_there_are_not_are_refused(outputs, connections) -> None:
    with pytest.raises(ValueError, match="connections must be at"):
        await outputs.save_many([], connections=connections)


async def test_one_transaction_on_several_connections_is_refused(outputs) -> None:
    with pytest.raises(ValueError, match="a transaction has one connection"):
        await outputs.save_many([], connections=2, atomic=True)


@pytest.mark.parametrize("size", [1, 5, 60])
async def test_even_the_longest_statement_is_prepared_once(outputs, spectra, size) -> None:
    records = [ASPCAP.from_spectrum(spectrum, v_astra="0.8.1") for spectrum in await spectra(size)]
    for _ in range(3):
        await outputs.save_many(records, skip_unchanged=True)
    async with outputs.store.database.acquire() as connection:
        texts = await connection.fetch(
            "select statement from pg_prepared_statements "
            r"where statement ~* '^(with \S+ as \(\s*)?insert into \S+aspcap\S+ \('"
        )
    assert len(texts) == 1
    assert len(texts[0]["statement"]) > 15 * 1024, (
        "the driver, left to itself, prepares one so long each time"
    )


def through(outputs, table: bool, stored, version: str):
    """Store results by either door."""
    if not table:
        return outputs.save_many(results(stored, version))
    keys = {name: [getattr(one, name) for one in stored] for name in ("spectrum_pk", "source_pk")}
    return outputs.save_table(TheCannon, keys, v_astra=version)


@pytest.mark.usefixtures("one_table")
@pytest.mark.parametrize("table", [False, True])
async def test_rows_that_are_expected_to_be_there_are_updated_and_others_inserted(
    outputs, connection, spectra, table
) -> None:
    stored, sent = await spectra(150), []
    await outputs.save_many([])
    async with outputs.store.database.acquire() as ours:
        ours.add_query_logger(lambda query: sent.append(query.query))

    async def statements_of(version: str) -> tuple[int, int]:
        sent.clear()
        await through(outputs, table, stored, version)
        verbs = [re.match(r"with saved as \(\s*(\w+)", text) for text in sent]
        found = [verb[1] for verb in verbs if verb]
        return found.count("insert"), found.count("update")

    # What the last call found is expected of the next one.
    assert await statements_of("0.1.0") == (1, 1)  # an update that finds nothing, and an upsert
    assert await statements_of("0.2.0") == (1, 0)
    assert await statements_of("0.2.1") == (1, 0)
    assert await statements_of("0.2.2") == (0, 1)
    assert await count(connection) == 300


@pytest.mark.soak
@pytest.mark.parametrize("size", [1, 10, 150])
@pytest.mark.parametrize("when", ["before insert", "before update", "after insert", "after update"])
async def test_triggers_run_the_same_whatever_the_batch_was_like(
    outputs, connection, spectra, when, size
) -> None:
    stored = await spectra(size)
    # Sequences count what is undone, too.
    await connection.execute(
        "create sequence public.runs;"
        "create function public.count_it() returns trigger language plpgsql as "
        "$$ begin perform nextval('public.runs'); return new; end $$;"
        f"create trigger count_it {when} on astra.the_cannon for each row execute function public.count_it()"
    )

    async def runs(version: str, table: bool) -> int:
        before = await connection.fetchval("select nextval('public.runs')")
        await through(outputs, table, stored, version)
        return await connection.fetchval("select nextval('public.runs')") - before - 1

    inserts = when.endswith("insert")
    for table in (False, True):
        new, again = f"0.{1 + table}.0", f"0.{1 + table}.1"
        assert await runs(new, table) == (size if inserts else 0)
        for version in (again, again):
            # An upsert proposes each row first; of rows that are there it tells no trigger that runs afterwards.
            assert await runs(version, table) == (0 if when == "after insert" else size)


@pytest.mark.soak
@pytest.mark.parametrize("table", [False, True])
@pytest.mark.parametrize("verb", ["insert", "update"])
@pytest.mark.parametrize("size", [1, 10, 150])
async def test_a_trigger_that_drops_a_row_is_an_error_and_nothing_is_stored(
    outputs, database, connection, spectra, verb, size, table
) -> None:
    stored = await spectra(size)
    if verb == "update":
        await through(outputs, table, stored, "0.6.2")
    await connection.execute(
        "create function public.drop_it() returns trigger language plpgsql as "
        "$$ begin return case when new.spectrum_pk % 10 = 1 then null else new end; end $$;"
        f"create trigger drop_it before {verb} on astra.the_cannon "
        "for each row execute function public.drop_it()"
    )
    with pytest.raises(DatabaseError, match=r"neither stored nor kept .* \(1, 6\); look for a trigger"):
        async with astra_outputs.connect(database) as anew:
            await through(anew, table, stored, "0.6.3")
    left = await connection.fetchval("select count(*) from astra.the_cannon where v_astra = 6003")
    assert left == 0


@pytest.mark.usefixtures("one_table")
@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize("table", [False, True])
async def test_a_trigger_that_comes_while_rows_are_stored_drops_none_unnoticed(
    database, connection, spectra, cached, table
) -> None:
    stored, options = await spectra(150), {} if cached else {"statement_cache_size": 0}
    async with astra_outputs.connect(database, **options) as known:
        for size in (1, 10, 150):
            await through(known, table, stored[:size], "0.6.2")
        await connection.execute("truncate astra.the_cannon")
        await connection.execute(
            "create function public.drop_it() returns trigger language plpgsql as "
            "$$ begin return case when new.spectrum_pk % 10 = 1 then null else new end; end $$;"
            "create trigger drop_it before insert on astra.the_cannon "
            "for each row execute function public.drop_it()"
        )
        for size in (1, 10, 150):
            with pytest.raises(DatabaseError, match=r"neither stored nor kept .* \(1, 6\)"):
                await through(known, table, stored[:size], "0.6.3")
            assert await count(connection) == 0
        await through(known, table, stored[1:10], "0.6.3")
        assert await count(connection) == 9


@pytest.mark.usefixtures("one_table")  # between partitions the server itself lets no trigger move a row
@pytest.mark.parametrize("size", [1, 10, 150])
@pytest.mark.parametrize(
    "change", ["new.v_astra := new.v_astra + 1000", "new.spectrum_pk := new.spectrum_pk + 1"]
)
async def test_a_row_that_comes_back_under_another_key_is_an_error(
    outputs, connection, spectra, change, size
) -> None:
    stored = await spectra(size + 1)
    await connection.execute(
        "create function public.move() returns trigger language plpgsql as "
        f"$$ begin {change}; return new; end $$;"
        "create trigger move before insert on astra.the_cannon for each row execute function public.move()"
    )
    for table in (False, True):
        with pytest.raises(DatabaseError, match=r"another key, \(\d+, [67]\); look for a trigger"):
            await through(outputs, table, stored[:size], "0.6.3")
    with pytest.raises(DatabaseError, match=r"the row with the key \(1, 6\) another key"):
        await outputs.save(results(stored[:1], "0.6.3")[0])


@pytest.mark.usefixtures("one_table")
async def test_the_temporary_table_is_made_once_a_connection(outputs, spectra) -> None:
    stored, sent = await spectra(150), []
    await outputs.save_many(results(stored))
    async with outputs.store.database.acquire() as connection:
        connection.add_query_logger(lambda query: sent.append(query.query))
    for version in ("0.6.3", "0.7.0", "0.7.1"):
        await outputs.save_many(results(stored, version))
    assert sum(query.startswith("begin") for query in sent) == 4  # the first batch of 0.7 twice
    assert not any("temporary table" in query for query in sent)


@pytest.mark.usefixtures("one_table")
async def test_a_re_run_goes_by_the_key_though_the_table_was_empty_when_one_was_tried(
    database, connection, spectra
) -> None:
    records = results(await spectra(200))
    own = await asyncpg.connect(database)
    try:
        async with astra_outputs.connect(connection=own) as outputs:
            for _ in range(3):
                await outputs.save_many(records)
            await connection.execute("delete from astra.the_cannon")
            await connection.execute("vacuum astra.the_cannon")
            for _ in range(3):
                await outputs.save_many(records)
        name = await own.fetchval(
            "select name from pg_prepared_statements where statement ~ '^with saved as \\(\\s*update'"
        )
        plan = [line for (line,) in await own.fetch(f"explain (costs off) execute {name}")]
    finally:
        await own.close()
    steps = [line for line in plan if " Scan " in line and ("stage_the_cannon" in line or "kept" in line)]
    assert "Seq Scan on stage_the_cannon" in steps[0], plan
    assert "version_key on the_cannon kept" in steps[1], plan


async def test_a_temporary_table_that_was_undone_or_lost_is_made_again(outputs, connection, spectra) -> None:
    records = results(await spectra(150))
    with pytest.raises(UnknownReference):
        await outputs.save_many([*records, nobody(0)])
    assert (await outputs.save_many(records)).counts == {Outcome.INSERTED: 150}
    await connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where pid <> pg_backend_pid() and datname = current_database()"
    )
    assert (await outputs.save_many(records)).counts == {Outcome.REPLACED: 150}


@pytest.mark.parametrize("size", [3, 150])
@pytest.mark.parametrize("record_class", [TheCannon, ASPCAP])
@pytest.mark.parametrize("character", ["a", "\N{MUSICAL SYMBOL G CLEF}"])
async def test_texts_of_any_length_are_stored_as_they_are(
    outputs, connection, spectra, record_class, character, size
) -> None:
    stored = await spectra(size)
    for length in (1, 1_000, 1_001, 2_500, 10_000):
        tags = [character * (length - place % 2) for place in range(size)]
        records = [
            record_class.from_spectrum(spectrum, v_astra="0.6.2", tag=tag)
            for spectrum, tag in zip(stored, tags, strict=True)
        ]
        await outputs.save_many(records)
        query = f"select tag from astra.{record_class.table} order by spectrum_pk"
        assert [row["tag"] for row in await connection.fetch(query)] == tags


async def test_rows_that_are_sent_at_once_have_a_type_that_is_made_once_a_connection(
    outputs, connection, spectra
) -> None:
    stored, sent = await spectra(10), []
    await outputs.save_many(results(stored))
    async with outputs.store.database.acquire() as ours:
        ours.add_query_logger(lambda query: sent.append(query.query))
    for version in ("0.6.3", "0.7.0"):
        await outputs.save_many(results(stored, version))
    assert len(sent) == 2
    await connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where pid <> pg_backend_pid() and datname = current_database()"
    )
    assert (await outputs.save_many(results(stored))).counts == {Outcome.REPLACED: 10}
    assert await connection.fetchval("select count(*) from astra.the_cannon where teff is null") == 20


@pytest.mark.parametrize("size", [10, 150])
async def test_what_was_made_on_a_connection_may_be_there_unknown(outputs, spectra, size) -> None:
    """A call that is cancelled at the wrong moment does not learn that it was made."""
    stored = await spectra(size)
    await outputs.save_many(results(stored))
    async with outputs.store.database.acquire() as connection:
        known = connection.remembered
        assert any(known.__dict__.values())
        known.__init__()
    assert (await outputs.save_many(results(stored))).counts == {Outcome.REPLACED: size}


async def test_a_column_that_is_added_meanwhile_is_in_nobodys_way(outputs, connection, spectra) -> None:
    """The types and temporary tables of a connection have the columns that records have, whatever the table has."""
    for size in (10, 150):
        stored = await spectra(size)
        await outputs.save_many(results(stored))
        await connection.execute(f"alter table astra.the_cannon add column later_{size} real default 1")
        assert (await outputs.save_many(results(stored))).counts == {Outcome.REPLACED: size}
