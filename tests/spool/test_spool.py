"""The spool: what is on the disk comes back as it was, is stored once, and never over a newer result."""

from __future__ import annotations

import asyncio
import fcntl
import json
import multiprocessing
import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astra_outputs import (
    BigInt,
    Boolean,
    Bytes,
    Double,
    Flags,
    Integer,
    Outcome,
    PipelineOutputMixin,
    Real,
    RealArray,
    RequiredReal,
    Text,
    TheCannon,
    Timestamp,
    column,
)
from astra_outputs.errors import CorruptSpoolFile, OtherRecordClass, SpoolFull
from astra_outputs.model.record import Record
from astra_outputs.spool.file_format import decode, encode
from astra_outputs.spool.folder import Spool
from astra_outputs.spool.replay import replay

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOMEONE = SimpleNamespace(spectrum_pk=1, source_pk=None)
EARLY, LATE = datetime(1, 1, 3), datetime(9999, 12, 29)  # noqa: DTZ001 (hypothesis adds the zone)


class EveryType(PipelineOutputMixin):
    """A record with a column of every type."""

    a_real: Real = column(description="")
    a_double: Double = column(description="")
    an_integer: Integer = column(description="")
    a_bigint: BigInt = column(description="")
    a_text: Text = column(description="")
    a_boolean: Boolean = column(description="")
    a_timestamp: Timestamp = column(description="")
    some_bytes: Bytes = column(description="")
    an_array: RealArray = column(description="")
    some_flags: Flags = column(description="")


def every_type(table: str, name: str) -> type[Record] | None:
    return EveryType


def result(spectrum, version: str = "0.8.1", **values):
    return TheCannon.from_spectrum(spectrum, v_astra=version, **values)


def names(spool: Spool) -> list[str]:
    return sorted(path.suffix for path in spool.folder.iterdir())


def abandon(path) -> None:
    """Make a file look as if nobody had written to it for long."""
    os.utime(path, (0, 0))


@pytest.fixture
def spool(tmp_path) -> Spool:
    return Spool(tmp_path / "spool")


# Damage first.


@pytest.mark.parametrize("damage", [lambda c: c[:-1], lambda c: c[:40], lambda _: b"", lambda c: c + b"[]\n"])
def test_a_file_that_is_too_short_or_too_long_is_corrupt(damage) -> None:
    with pytest.raises(CorruptSpoolFile):
        decode(damage(encode([result(SOMEONE, teff=5000.5)], NOW).content), every_type)


def test_every_changed_byte_is_noticed() -> None:
    content = encode([result(SOMEONE, teff=5000.5)], NOW).content
    for place in range(len(content)):
        changed = bytes([*content[:place], content[place] ^ 1, *content[place + 1 :]])
        with pytest.raises(CorruptSpoolFile):
            decode(changed, every_type)


async def test_a_corrupt_file_is_reported_and_kept_aside_and_the_others_are_stored(
    outputs, spool, spectra
) -> None:
    first, second = await spectra(2)
    spool.write([result(first)], NOW + timedelta(days=3650))
    path = spool.write([result(second)], NOW).path
    content = path.read_bytes().replace(b"null", b"Null", 1)
    path.write_bytes(content)
    report = await replay(outputs.store, [spool])
    ((kept, why),) = report.corrupt
    assert (kept.suffix, kept.read_bytes()) == (".corrupt", content)
    assert "checksum" in why
    assert "checksum" in str(report)
    assert report.counts == {Outcome.INSERTED: 1}
    assert not (await replay(outputs.store, [spool])).corrupt
    assert names(spool) == [".corrupt"]


async def test_a_half_written_file_of_a_killed_worker_is_kept_aside(outputs, spool, spectrum) -> None:
    path = spool.write([result(spectrum)], NOW).path
    partial = path.rename(path.with_suffix(".partial"))
    partial.write_bytes(partial.read_bytes()[:100])
    abandon(partial)
    report = await replay(outputs.store, [spool])
    assert "half-written" in report.corrupt[0][1]
    assert names(spool) == [".corrupt"]


async def test_a_whole_file_that_its_killed_worker_could_not_name_is_stored(outputs, spool, spectrum) -> None:
    path = spool.write([result(spectrum)], NOW).path
    abandon(path.rename(path.with_suffix(".partial")))
    assert (await replay(outputs.store, [spool])).counts == {Outcome.INSERTED: 1}
    assert names(spool) == []


async def test_a_file_that_another_worker_is_writing_is_left_alone(outputs, spool, spectrum) -> None:
    path = spool.write([result(spectrum)], NOW).path
    fresh = path.rename(path.with_suffix(".partial"))
    assert not (await replay(outputs.store, [spool])).corrupt
    abandon(fresh)
    with fresh.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert not (await replay(outputs.store, [spool])).corrupt
    assert names(spool) == [".partial"]


# Bounds.


def test_a_full_spool_is_one_clear_error_and_holds_what_it_held(tmp_path) -> None:
    spool = Spool(tmp_path, limit=5_000)
    spool.write([result(SOMEONE)], NOW)
    held = spool.size()
    message = r"may hold 5,000.*astra-outputs replay .*or raise the limit"
    with pytest.raises(SpoolFull, match=message):
        spool.write([result(SOMEONE) for _ in range(10)], NOW)
    assert spool.size() == held


def test_a_damaged_file_counts_against_the_limit(tmp_path) -> None:
    spool = Spool(tmp_path, limit=5_000)
    (tmp_path / "old.corrupt").write_bytes(bytes(5_000))
    with pytest.raises(SpoolFull):
        spool.write([result(SOMEONE)], NOW)


def test_a_disk_without_room_is_one_clear_error_and_leaves_no_half_file(spool, monkeypatch) -> None:
    import errno

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    spool.folder.mkdir()
    with pytest.raises(SpoolFull, match="the disk is full"):
        spool.write([result(SOMEONE)], NOW)
    assert names(spool) == []


# What comes back.

offsets = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
reals = st.floats(-3.4028234e38, 3.4028234e38, allow_nan=False)
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])).map(str.strip)
integers = st.integers(-(2**31), 2**31 - 1)


@given(
    a_real=st.none() | reals,
    a_double=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    an_integer=st.none() | integers,
    a_bigint=st.none() | st.integers(-(2**63), 2**63 - 1),
    a_text=st.none() | texts,
    a_boolean=st.none() | st.booleans(),
    a_timestamp=st.none()
    | st.datetimes(EARLY, LATE, timezones=offsets).map(lambda time: time.replace(fold=0)),
    some_bytes=st.none() | st.binary(),
    an_array=st.none() | st.lists(st.none() | reals),
    some_flags=st.integers(0, 2**63 - 1),
)
@settings(max_examples=300)
def test_a_record_of_every_column_type_comes_back_to_the_last_bit(**values) -> None:
    record = EveryType.from_spectrum(SOMEONE, v_astra="0.8.1", **values)
    batch = decode(encode([record], NOW).content, every_type)
    assert batch.records == [record]
    # repr tells -0.0 from 0.0 and writes every bit of a float.
    assert repr(batch.records[0].__dict__) == repr(record.__dict__)
    assert batch.since == NOW


def test_a_file_is_lines_that_a_person_can_read(spool) -> None:
    path = spool.write([result(SOMEONE, teff=5000.25, tag="a")], NOW).path
    first, second, third = path.read_text().splitlines()
    assert first.startswith("astra_outputs-spool-1 sha256=")
    said = json.loads(second)
    assert (said["table"], said["records"], said["since"]) == ("the_cannon", 1, NOW.isoformat())
    assert dict(zip(said["columns"], json.loads(third), strict=True))["teff"] == 5000.25


def test_the_folder_and_its_files_are_closed_to_other_users(spool) -> None:
    path = spool.write([result(SOMEONE)], NOW).path
    assert (spool.folder.stat().st_mode & 0o077, path.stat().st_mode & 0o077) == (0, 0)


def test_a_file_and_its_name_are_on_the_disk_before_write_returns(spool, monkeypatch) -> None:
    steps = []
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: steps.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
    )
    path = spool.write([result(SOMEONE)], NOW).path
    assert steps == [str(spool.folder.parent), str(path.with_suffix(".partial")), str(spool.folder)]


async def test_a_record_class_with_a_new_column_takes_an_old_file(spool) -> None:
    content = encode([EveryType.from_spectrum(SOMEONE, v_astra="0.8.1", a_real=1.5)], NOW).content

    class Wider(EveryType):
        """A later version of the record class."""

        new: Real = column(description="")

    assert decode(content, lambda *_: Wider).records[0].a_real == 1.5


async def test_a_record_class_that_lost_a_column_leaves_the_file_and_says_which(
    outputs, spool, spectrum
) -> None:
    path = spool.write([EveryType.from_spectrum(spectrum, v_astra="0.8.1")], NOW).path

    class Narrow(PipelineOutputMixin):
        """Another class of the same table."""

        table = EveryType.table
        a_real: Double = column(description="")

    report = await replay(outputs.store, [spool], [Narrow])
    assert report.waiting[0][0] == path
    assert "a_real, a_double" in report.waiting[0][1]
    assert path.exists()


async def test_a_record_class_that_nobody_knows_leaves_the_file_and_names_it(
    outputs, spool, spectrum
) -> None:
    path = spool.write([result(spectrum)], NOW).path
    content = path.read_bytes().partition(b"\n")[2].replace(b'"the_cannon"', b'"unknown"')
    content = content.replace(b"astra_outputs.records.the_cannon:TheCannon", b"no_such_module:Unknown")
    import hashlib

    first = f"astra_outputs-spool-1 sha256={hashlib.sha256(content).hexdigest()} bytes={len(content)}\n"
    path.write_bytes(first.encode() + content)
    report = await replay(outputs.store, [spool])
    assert "no_such_module:Unknown" in report.waiting[0][1]
    assert path.exists()


def test_a_value_that_the_record_class_refuses_by_now_is_told_from_damage() -> None:
    content = encode([EveryType.from_spectrum(SOMEONE, v_astra="0.8.1")], NOW).content

    class Stricter(EveryType):
        """A later version of the record class, which wants a value."""

        needed: RequiredReal = column(description="")

    with pytest.raises(OtherRecordClass, match="needed"):
        decode(content, lambda *_: Stricter)


# Storing it.


async def test_what_was_spooled_is_stored_as_it_was_and_the_file_goes(
    outputs, spool, spectra, filled
) -> None:
    stored = await spectra(30)
    records = [filled(TheCannon, spectrum, 1) for spectrum in stored]
    spool.write(records, NOW)
    report = await replay(outputs.store, [spool])
    assert (report.files, report.counts, report.all_stored) == (1, {Outcome.INSERTED: 30}, True)
    assert names(spool) == []
    for spectrum, record in zip(stored, records, strict=True):
        found = await outputs.get_result(TheCannon, spectrum)
        assert found.model_dump(exclude={"task_pk", "created", "modified"}) == record.model_dump(
            exclude={"task_pk", "created", "modified"}
        )


async def test_a_file_replayed_twice_changes_nothing_the_second_time(outputs, spool, spectra) -> None:
    stored = await spectra(10)
    path = spool.write([result(spectrum, teff=1.0) for spectrum in stored], NOW).path
    content = path.read_bytes()
    await replay(outputs.store, [spool])
    before = [await outputs.get_result(TheCannon, spectrum) for spectrum in stored]
    path.write_bytes(content)
    assert (await replay(outputs.store, [spool])).counts == {Outcome.KEPT: 10}
    assert before == [await outputs.get_result(TheCannon, spectrum) for spectrum in stored]


async def test_an_old_spool_never_overwrites_a_newer_result(outputs, spool, spectra) -> None:
    stored = await spectra(10)
    spool.write([result(spectrum, teff=1.0) for spectrum in stored], NOW)
    newer = [result(spectrum, teff=2.0) for spectrum in stored[:4]]
    await outputs.save_many(newer)
    report = await replay(outputs.store, [spool])
    assert report.counts == {Outcome.KEPT: 4, Outcome.INSERTED: 6}
    assert [(await outputs.get_result(TheCannon, spectrum)).teff for spectrum in stored] == [2.0] * 4 + [
        1.0
    ] * 6
    assert (await outputs.get_result(TheCannon, stored[0])).modified == newer[0].modified


async def test_a_newer_spool_overwrites_an_older_result(outputs, spool, spectrum) -> None:
    first = await outputs.save(result(spectrum, teff=1.0))
    spool.write([result(spectrum, teff=2.0)], first.modified + timedelta(microseconds=1))
    assert (await replay(outputs.store, [spool])).counts == {Outcome.REPLACED: 1}
    assert (await outputs.get_result(TheCannon, spectrum)).teff == 2.0


async def test_of_two_spooled_results_the_newer_one_stays_whatever_the_folder(
    outputs, tmp_path, spectrum
) -> None:
    one, other = Spool(tmp_path / "one"), Spool(tmp_path / "other")
    for hours in (2, 1, 5, 3):
        (one if hours % 2 else other).write(
            [result(spectrum, teff=float(hours))], NOW + timedelta(hours=hours)
        )
    report = await replay(outputs.store, [one, other])
    assert report.counts == {Outcome.INSERTED: 1, Outcome.KEPT: 3}
    assert (await outputs.get_result(TheCannon, spectrum)).teff == 5.0


async def test_a_record_that_the_database_refuses_is_kept_and_named(outputs, spool, spectra) -> None:
    stored = await spectra(10)
    nobody = SimpleNamespace(spectrum_pk=999_999, source_pk=None)
    spool.write([*(result(spectrum) for spectrum in stored), result(nobody, teff=7.0)], NOW)
    report = await replay(outputs.store, [spool])
    assert report.counts == {Outcome.INSERTED: 10, Outcome.REJECTED: 1}
    ((path, rejected),) = report.rejected
    assert rejected.key["spectrum_pk"] == 999_999
    assert [record.teff for record in decode(path.read_bytes(), lambda *_: TheCannon).records] == [7.0]
    assert names(spool) == [".rejected"]


async def test_a_file_that_another_worker_is_storing_is_left_to_it(outputs, spool, spectrum) -> None:
    path = spool.write([result(spectrum)], NOW).path
    with spool.claim(path) as content:
        assert content is not None
        assert (await replay(outputs.store, [spool])).files == 0
    assert (await replay(outputs.store, [spool])).files == 1


def _write_many(folder: str, start: int) -> None:
    spool = Spool(folder)
    for n in range(20):
        spool.write([result(SimpleNamespace(spectrum_pk=start + n, source_pk=None))], NOW)


def test_two_processes_can_write_to_one_folder(spool) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write_many, args=(str(spool.folder), start)) for start in (0, 100)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    found = [
        decode(path.read_bytes(), lambda *_: TheCannon).records[0].spectrum_pk for path in spool.waiting()
    ]
    assert sorted(found) == [*range(20), *range(100, 120)]


async def test_two_replays_of_one_folder_store_each_record_once(outputs, spool, spectra) -> None:
    stored = await spectra(12)
    for spectrum in stored:
        spool.write([result(spectrum)], NOW)
    reports = await asyncio.gather(*(replay(outputs.store, [spool]) for _ in range(3)))
    assert sum((report.counts for report in reports), start=type(reports[0].counts)()) == {
        Outcome.INSERTED: 12
    }
    assert names(spool) == []


async def test_replaying_a_folder_that_is_not_there_stores_nothing(outputs, tmp_path) -> None:
    report = await replay(outputs.store, [Spool(tmp_path / "nowhere")])
    assert (report.files, str(report)) == (0, "0 files stored: no records")
