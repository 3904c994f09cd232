"""A spool that other hands have touched: no file runs code, and each costs itself alone."""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, datetime

import pytest

from astra_outputs import (
    Integer,
    Outcome,
    PipelineOutputMixin,
    Real,
    RealArray,
    TheCannon,
    UntrustedSpool,
    column,
)
from astra_outputs.errors import CorruptSpoolFile, OtherRecordClass
from astra_outputs.spool.failures import failures_in
from astra_outputs.spool.file_format import decode, encode, packed
from astra_outputs.spool.folder import Spool
from astra_outputs.spool.replay import replay

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STRANGER = 12_345


def result(spectrum, **values):
    return TheCannon.from_spectrum(spectrum, v_astra="0.8.1", **values)


def forge(spool: Spool, *lines: object) -> None:
    """Put a file with a right checksum into the folder, that sorts before all others."""
    spool.folder.mkdir(mode=0o700, exist_ok=True)
    texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    (spool.folder / f"9{len(list(spool.folder.iterdir())):03d}.spool").write_bytes(packed(texts))


def header(**changes: object) -> dict[str, object]:
    columns = {"spectrum_pk": "bigint", "v_astra": "integer"}
    said = {"record_class": "a:B", "table": "the_cannon", "since": NOW.isoformat(), "columns": columns}
    return said | changes


@pytest.fixture
def spool(tmp_path) -> Spool:
    return Spool(tmp_path / "spool")


# Code.


async def test_replay_never_imports_what_a_file_names(
    outputs, spool, spectrum, tmp_path, monkeypatch
) -> None:
    (tmp_path / "planted.py").write_text("raise SystemExit('code of the file ran')\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    for name in ("planted:X", f"{tmp_path}/planted.py:X", f"{tmp_path}:X"):
        forge(spool, header(record_class=name, table="planted", columns={}), [])
    spool.write([result(spectrum)], NOW)
    report = await replay(outputs.store, [spool])
    assert "planted" not in sys.modules
    assert [why for _, why in report.waiting if "--records MODULE" in why]
    assert (len(report.waiting), report.counts) == (3, {Outcome.INSERTED: 1})


async def test_a_class_that_is_given_or_imported_takes_its_files(outputs, spool, spectrum) -> None:
    content = encode([result(spectrum)], NOW).content.replace(
        b"astra_outputs.records.the_cannon:TheCannon", b"of_another_script:TheCannon"
    )
    spool.folder.mkdir(mode=0o700)
    forge(spool, *content.split(b"\n")[1:-1])
    assert (await replay(outputs.store, [spool], [TheCannon])).counts == {Outcome.INSERTED: 1}


# Other users.


def planted(path, how: str) -> None:
    if how == "mode":
        path.chmod(path.stat().st_mode | 0o020)
    else:
        os.chown(path, STRANGER, -1)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
HOW = [pytest.param("owner", marks=needs_root), "mode"]


@pytest.mark.parametrize("how", HOW)
async def test_a_folder_that_others_own_or_can_write_to_is_refused_and_says_how_to_accept_it(
    outputs, spool, spectrum, how
) -> None:
    spool.write([result(spectrum)], NOW)
    planted(spool.folder, how)
    with pytest.raises(
        UntrustedSpool, match=r"another user|other users.*--trust-spool.*--trust \(trust=True\)"
    ):
        await outputs.replay(spool.folder)
    with pytest.raises(UntrustedSpool):
        await outputs.run(lambda _: iter(()), [spectrum], spool=spool.folder)
    assert (await outputs.replay(spool.folder, trust=True)).all_stored


@pytest.mark.parametrize("how", HOW)
async def test_a_file_that_others_own_or_can_write_to_waits_and_the_others_are_stored(
    outputs, spool, spectra, how
) -> None:
    first, second = await spectra(2)
    foreign = spool.write([result(first)], NOW).path
    planted(foreign, how)
    spool.write([result(second)], NOW)
    report = await outputs.replay(spool.folder)
    assert (report.counts, report.all_stored) == ({Outcome.INSERTED: 1}, False)
    ((path, why),) = report.waiting
    assert (path, "--trust" in why) == (foreign, True)
    assert (await outputs.replay(spool.folder, trust=True)).all_stored


# Content that no worker wrote.

ODD = {
    "no JSON": (b"{",),
    "no mapping": ([],),
    "nothing in it": ({},),
    "columns that are no mapping": (header(columns=["spectrum_pk"]), [1]),
    "a type that is no text": (header(columns={"spectrum_pk": ["bigint"]}), [1]),
    "a table that is no text": (header(table={}), [1, 8001]),
    "a time that is none": (header(since="yesterday"), [1, 8001]),
    "a time without a zone": (header(since="2026-03-01T12:00:00"), [1, 8001]),
    "a short line": (header(), [1]),
    "a long line": (header(), [1, 8001, 3]),
    "a line that is no list": (header(), {"spectrum_pk": 1}),
    "a line that is no JSON": (header(), b"[1, 8001"),
    "a number without end": (header(), b"[1," + b"9" * 5000 + b"]"),
    "deep nesting": (header(), b"[" * 200_000 + b"]" * 200_000),
    "deep nesting in the second line": (b"[" * 200_000 + b"]" * 200_000,),
    "no line": (),
    "no record": (header(),),
    "a time that no zone but its own has": (header(since="0001-01-01T00:00:00+14:00"), [1, 8001]),
    "bytes that are no text": (header(), b"\xff\xfe"),
}


@pytest.mark.parametrize("lines", ODD.values(), ids=ODD.keys())
async def test_odd_content_costs_its_own_file_alone(outputs, spool, spectrum, lines) -> None:
    forge(spool, *lines)
    spool.write([result(spectrum)], NOW)
    report = await replay(outputs.store, [spool])
    assert ([path.suffix for path, _ in report.corrupt], report.waiting) == ([".corrupt"], [])
    assert report.counts == {Outcome.INSERTED: 1}


@pytest.mark.parametrize(
    "value", [10**400, "x", True, [], {"a": 1}, "\ud800", 1e999, None], ids=lambda value: str(value)[:8]
)
async def test_an_odd_value_costs_its_own_record_alone_and_is_kept(outputs, spool, spectra, value) -> None:
    first, second = await spectra(2)
    columns = {"spectrum_pk": "bigint", "source_pk": "bigint", "v_astra": "integer", "teff": "real"}
    good = [second.spectrum_pk, second.source_pk, 8001, 2.0]
    forge(
        spool, header(columns=columns), [None if value is None else first.spectrum_pk, None, value, 1.0], good
    )
    report = await replay(outputs.store, [spool])
    assert (report.counts, report.waiting) == ({Outcome.INSERTED: 1, Outcome.REJECTED: 1}, [])
    ((path, rejected),) = report.rejected
    assert rejected.reason
    assert path.read_bytes().count(b"\n") == 3


async def test_a_missing_table_costs_its_own_files_alone(
    outputs, spool, spectrum, connection, other_pipeline
) -> None:
    spool.write([other_pipeline.from_spectrum(spectrum, v_astra="0.8.1")], NOW)
    spool.write([result(spectrum)], NOW)
    spool.write([other_pipeline.from_spectrum(spectrum, v_astra="0.7.1")], NOW)
    await connection.execute("drop table astra.other_pipeline cascade")
    report = await replay(outputs.store, [spool])
    assert (report.counts, len(report.waiting)) == ({Outcome.INSERTED: 1}, 2)
    assert "other_pipeline" in report.waiting[0][1]


async def test_a_run_stores_its_results_beside_files_that_cannot_be_stored_and_says_so(
    outputs, spool, spectra, tmp_path
) -> None:
    stored = await spectra(3)
    forge(spool, header(table="no_such_table"), [1, 8001])
    forge(spool, header(), [1])
    report = await outputs.run(
        lambda spectra: map(result, spectra), stored, v_astra="0.8.1", spool=spool.folder
    )
    assert report.counts == {Outcome.INSERTED: 3}
    assert (report.left, report.all_stored) == (True, False)
    assert "no_such_table" in str(report)
    assert ".corrupt" in str(report)


async def test_a_folder_in_place_of_a_file_and_a_file_that_cannot_be_read_block_nothing(
    outputs, spool, spectrum
) -> None:
    spool.write([result(spectrum)], NOW)
    (spool.folder / "1.spool").mkdir()
    (spool.folder / "2.spool").symlink_to("/proc/self/mem")
    report = await replay(outputs.store, [spool])
    assert report.counts == {Outcome.INSERTED: 1}


@pytest.mark.parametrize("planted", ["pipe", "folder", "link", "no notes"])
async def test_what_lies_in_place_of_the_notes_of_failures_keeps_nobody_waiting(
    outputs, spool, spectra, tmp_path, planted
) -> None:
    good, bad = await spectra(2)
    spool.folder.mkdir(mode=0o700)
    path, other = spool.folder / "the_cannon.8.failed", tmp_path / "mine"
    other.write_text("mine")
    if planted == "pipe":
        os.mkfifo(path)
    elif planted == "folder":
        path.mkdir()
    elif planted == "link":
        path.symlink_to(other)
    else:
        path.write_text('x\n[1]\n{"spectrum_pk": 1e999}\n')

    def pipeline(spectra):
        for spectrum in spectra:
            if spectrum is bad:
                raise ValueError("bad")
            yield result(spectrum)

    report = await outputs.run(pipeline, [good, bad], v_astra="0.8.1", spool=spool.folder)
    assert (report.counts, len(report.failures)) == ({Outcome.INSERTED: 1}, 1)
    assert other.read_text() == "mine"
    noted = {8: {bad.spectrum_pk}} if planted == "no notes" else {}
    assert failures_in(spool.folder, "the_cannon") == noted


async def test_what_was_half_written_by_a_clock_that_is_ahead_is_stored(outputs, spool, spectrum) -> None:
    written = spool.write([result(spectrum)], NOW).path
    half = written.rename(written.with_suffix(".partial"))
    next_year = time.time() + 365 * 86_400
    os.utime(half, (next_year, next_year))
    assert (await outputs.replay(spool.folder)).counts == {Outcome.INSERTED: 1}


def test_an_error_names_some_of_the_columns_that_a_class_does_not_have() -> None:
    names = {f"column_{number}": "real" for number in range(100_000)}
    content = packed([json.dumps(header(columns=names)).encode(), json.dumps([1] * 100_000).encode()])
    with pytest.raises(OtherRecordClass, match=r"column_9 and 99,990 more") as caught:
        decode(content, lambda *_: TheCannon)
    assert len(str(caught.value)) < 1_000


# Records that no file can hold.


class Listed(PipelineOutputMixin):
    """A record with a list that a pipeline may change in place."""

    some: RealArray = column(description="")
    number: Integer = column(description="")
    teff: Real = column(description="")


def test_a_list_changed_in_place_is_written_as_its_column_has_it(spectrum_like) -> None:
    import numpy as np

    record = Listed.from_spectrum(spectrum_like, v_astra="0.8.1", some=[1.0])
    record.some.extend([float("nan"), np.float32(0.5)])
    content, unwritable = encode([record], NOW)
    assert unwritable == []
    assert decode(content, lambda *_: Listed).records[0].some == [1.0, None, 0.5]


@pytest.mark.parametrize("bad", [object(), float("inf"), 1j])
def test_a_record_that_cannot_be_written_is_named_and_costs_itself_alone(spectrum_like, bad) -> None:
    records = [Listed.from_spectrum(spectrum_like, v_astra="0.8.1", some=[1.0]) for _ in range(30)]
    records[7].some.append(bad)
    content, unwritable = encode(records, NOW)
    assert [position for position, _ in unwritable] == [7]
    assert unwritable[0].reason
    assert len(decode(content, lambda *_: Listed).records) == 29


def test_a_file_of_records_that_cannot_be_written_is_not_made(spool, spectrum_like) -> None:
    record = Listed.from_spectrum(spectrum_like, v_astra="0.8.1", some=[1.0])
    record.some.append(object())
    written = spool.write([record], NOW)
    assert (written.path, len(written.unwritable), spool.size()) == (None, 1, 0)


@pytest.fixture
def spectrum_like():
    from types import SimpleNamespace

    return SimpleNamespace(spectrum_pk=1, source_pk=None)


def test_a_class_that_refuses_every_record_leaves_the_file() -> None:
    content = packed([json.dumps(header()).encode(), b'["x", 8001]', b'["y", 8001]'])
    with pytest.raises(OtherRecordClass, match="refuses every record"):
        decode(content, lambda *_: TheCannon)
    with pytest.raises(CorruptSpoolFile):
        decode(content[:-1], lambda *_: TheCannon)


# What was refused, and is not any more.


async def test_what_was_refused_is_stored_when_asked_for_after_the_table_was_mended(
    outputs, spool, spectra, connection
) -> None:
    stored = await spectra(4)
    await connection.execute("alter table astra.the_cannon add constraint cold check (teff > 2)")
    spool.write([result(spectrum, teff=float(n)) for n, spectrum in enumerate(stored)], NOW)
    report = await outputs.replay(spool.folder)
    assert report.counts == {Outcome.INSERTED: 1, Outcome.REJECTED: 3}
    report = await outputs.replay(spool.folder)
    assert (report.all_stored, report.counts) == (False, {})
    assert "replay --rejected" in str(report)
    await connection.execute("alter table astra.the_cannon drop constraint cold")
    await connection.execute("alter table astra.the_cannon add constraint colder check (teff > 0)")
    report = await outputs.replay(spool.folder, rejected=True)
    assert report.counts == {Outcome.INSERTED: 2, Outcome.REJECTED: 1}
    assert len(list(spool.folder.iterdir())) == 1
    await connection.execute("alter table astra.the_cannon drop constraint colder")
    report = await outputs.replay(spool.folder, rejected=True)
    assert (report.counts, report.all_stored) == ({Outcome.INSERTED: 1}, True)
    assert await connection.fetchval("select count(*) from astra.the_cannon") == 4
