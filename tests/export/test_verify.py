"""`verify`: a file says what the database says, or which rows do not."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pytest
from every_form import EveryForm

from astra_outputs import ASPCAP, Source
from astra_outputs.errors import UnreadableFile

pytest.importorskip("astropy")


async def compared(outputs: Any, file: Path, kind: Any = EveryForm) -> Any:
    return await outputs.verify(kind, file)


@pytest.mark.parametrize("content", [b"", b"not a file of ours", b"\x1f\x8b"])
@pytest.mark.parametrize("name", ["a.fits", "a.fits.gz", "a.parquet", "a.csv", "a.ecsv"])
async def test_a_file_that_is_no_such_file_is_named(
    outputs: Any, tmp_path: Path, content: bytes, name: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableFile, match=re.escape(name)):
        await compared(outputs, tmp_path / name)


async def test_a_file_that_is_not_there_or_of_another_kind_is_named(outputs: Any, tmp_path: Path) -> None:
    for name in ("a.fits", "a.fits.gz", "a.parquet", "a.csv"):
        with pytest.raises(UnreadableFile, match="No such file"):
            await outputs.verify(tmp_path / name)
    with pytest.raises(UnreadableFile, match=r"that is for \.fits, .* and \.ecsv files"):
        await outputs.verify(tmp_path / "a.txt")
    with pytest.raises(UnreadableFile, match="name the file"):
        await outputs.verify(EveryForm)


async def test_a_file_of_somebody_else_is_named_and_says_what_is_missing(
    outputs: Any, tmp_path: Path, every_form: Any
) -> None:
    table = pytest.importorskip("astropy.table").Table({"teff": [1.0, 2.0]})
    table.write(tmp_path / "theirs.fits")
    with pytest.raises(UnreadableFile, match="does not say of which table its rows are"):
        await outputs.verify(tmp_path / "theirs.fits")
    with pytest.raises(UnreadableFile, match="teff is no column of every_form"):
        await outputs.verify(EveryForm, tmp_path / "theirs.fits")
    await outputs.export(EveryForm, tmp_path / "ours.fits")
    with pytest.raises(UnreadableFile, match="rows of every_form, which is not known here"):
        await outputs.verify(tmp_path / "ours.fits")
    await outputs.export(EveryForm, tmp_path / "few.fits", columns=["a_real"])
    with pytest.raises(UnreadableFile, match="it has no task_pk"):
        await compared(outputs, tmp_path / "few.fits")


async def test_a_file_of_other_tables_alone_is_no_file_that_says_what_the_database_does(
    outputs: Any, tmp_path: Path
) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    columns = [fits.Column("task_pk", "K", array=[1])]
    tables = [fits.BinTableHDU.from_columns(columns, name=name) for name in ("COADD", "SPECOBJ")]
    fits.HDUList([fits.PrimaryHDU(), *tables]).writeto(tmp_path / "spec.fits")
    said = "it has tables COADD, SPECOBJ, and rows of aspcap are in BOSS, APOGEE"
    with pytest.raises(UnreadableFile, match=said):
        await compared(outputs, tmp_path / "spec.fits", ASPCAP)


async def test_a_file_whose_rows_have_no_key_is_not_said_to_be_as_the_database(
    outputs: Any, tmp_path: Path
) -> None:
    await outputs.save(Source(sdss4_apogee_id="2M00000000+0000000"))
    report = await outputs.export("mwmTargets", tmp_path, v_astra="0.8")
    with pytest.raises(UnreadableFile, match="its rows have no key, as sdss_id is of sources"):
        await outputs.verify(report.file)
    await outputs.save(Source(sdss_id=1))
    report = await outputs.export("mwmTargets", tmp_path, v_astra="0.8", overwrite=True)
    found = await outputs.verify(report.file)
    assert (found.same, found.rows, found.unkeyed) == (True, 1, 1)


async def test_a_text_file_whose_last_row_is_cut_off_is_refused(
    outputs: Any, tmp_path: Path, every_form: Any
) -> None:
    file = tmp_path / "a.csv"
    await outputs.export(EveryForm, file)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(UnreadableFile, match="a row without a value for each column"):
        await compared(outputs, file)


async def test_a_file_that_is_cut_off_is_refused(outputs: Any, tmp_path: Path, every_form: Any) -> None:
    await outputs.export(EveryForm, tmp_path / "a.fits")
    data = (tmp_path / "a.fits").read_bytes()
    (tmp_path / "a.fits").write_bytes(data[: -4 * 2880])
    with pytest.raises(UnreadableFile, match="cut off"):
        await compared(outputs, tmp_path / "a.fits")


async def test_a_file_of_another_table_is_refused(outputs: Any, tmp_path: Path, every_form: Any) -> None:
    await outputs.export(EveryForm, tmp_path / "a.fits")
    with pytest.raises(UnreadableFile, match="is no column of aspcap"):
        await compared(outputs, tmp_path / "a.fits", ASPCAP)


@pytest.mark.parametrize("name", ["a.fits", "a.fits.gz", "a.parquet", "a.csv", "a.ecsv"])
async def test_rows_that_changed_and_those_that_are_gone_are_named_with_their_columns(
    outputs: Any, tmp_path: Path, every_form: list[EveryForm], connection: asyncpg.Connection, name: str
) -> None:
    file = tmp_path / name
    await outputs.export(EveryForm, file)
    assert (await compared(outputs, file)).same
    keys = [record.task_pk for record in every_form]
    changes = {
        "a_real": "12.5",
        "a_text": "repeat('longer', 100)",
        "some_reals": "array[7.5, null]::real[]",
        "an_integer": "17",
        "a_bigint": "-5",
        "a_boolean": "not coalesce(a_boolean, false)",
    }
    for key, (column, value) in zip(keys, changes.items(), strict=False):
        await connection.execute(f"update astra.every_form set {column} = {value} where task_pk = {key}")
    await connection.execute(f"delete from astra.every_form where task_pk = {keys[-1]}")
    found = await compared(outputs, file)
    assert found.changed == {key: [column] for key, column in zip(keys, changes, strict=False)}
    assert found.gone == [keys[-1]]
    assert (found.rows, found.left, found.added) == (len(keys), [], [])
    assert f"{keys[1]}: a_text" in str(found)


@pytest.mark.parametrize("name", ["a.fits", "a.parquet", "a.ecsv"])
async def test_rows_that_came_later_and_those_that_are_no_longer_asked_for_are_named(
    outputs: Any, tmp_path: Path, every_form: list[EveryForm], connection: asyncpg.Connection, name: str
) -> None:
    file = tmp_path / name
    inside = [record for record in every_form if (record.a_small or 0) > 1]
    await outputs.export(EveryForm, file, "a_small > $1", 1, v_astra="0.8", columns=["task_pk", "a_small"])
    found = await outputs.verify(file, record_classes=[EveryForm])
    assert (found.same, found.searched, found.version, found.rows) == (True, True, "0.8", len(inside))
    (outside,) = [record for record in every_form if record not in inside][:1]
    await connection.execute(f"update astra.every_form set a_small = 9 where task_pk = {outside.task_pk}")
    await connection.execute(f"update astra.every_form set a_small = 1 where task_pk = {inside[0].task_pk}")
    await connection.execute(f"delete from astra.every_form where task_pk = {inside[1].task_pk}")
    found = await outputs.verify(file, record_classes=[EveryForm])
    assert (found.added, found.left, found.gone) == (
        [outside.task_pk],
        [inside[0].task_pk],
        [inside[1].task_pk],
    )
    assert found.changed == {inside[0].task_pk: ["a_small"]}
    assert "came later" in str(found)


async def test_a_question_with_numbers_of_numpy_and_of_astropy_is_asked_again(
    outputs: Any, tmp_path: Path, every_form: Any, connection: asyncpg.Connection
) -> None:
    units = pytest.importorskip("astropy.units")
    await connection.execute("update astra.source set ra = 10, dec = 20")
    near = (600 * units.arcmin, 20.0, 3 * units.arcsec)
    await outputs.export(EveryForm, tmp_path / "a.fits", "task_pk > $1", np.int64(0), near=near)
    found = await outputs.verify(tmp_path / "a.fits", record_classes=[EveryForm])
    assert (found.same, found.searched, found.rows) == (True, True, len(every_form))


async def test_a_question_that_a_header_cannot_hold_is_not_asked_again(
    outputs: Any, tmp_path: Path, every_form: Any
) -> None:
    keys, moment = list(range(5_000)), datetime(2000, 1, 1, tzinfo=UTC)
    for condition, value in (("task_pk = any($1)", keys), ("created > $1", moment)):
        await outputs.export(EveryForm, tmp_path / "a.fits", condition, value, overwrite=True)
        found = await outputs.verify(tmp_path / "a.fits", record_classes=[EveryForm])
        assert (found.same, found.searched, found.rows) == (True, False, len(every_form))
    assert "rows that came later were not looked for" in str(found)


@pytest.mark.parametrize("name", ["mwmTargets", "mwmAllStar", "astraAllStarASPCAP"])
async def test_files_of_a_release_are_compared_by_what_they_say_of_themselves(
    outputs: Any, tmp_path: Path, spectra: Any, connection: asyncpg.Connection, name: str
) -> None:
    stored = await spectra(3)
    await outputs.save_many([ASPCAP.from_spectrum(spectrum, v_astra="0.8.0") for spectrum in stored[:2]])
    report = await outputs.export(name, tmp_path / "a.fits", v_astra="0.8")
    assert (await outputs.verify(report.file)).same
    await connection.execute("update astra.source set ra = 12 where pk = $1", stored[0].source_pk)
    await outputs.save(ASPCAP.from_spectrum(stored[2], v_astra="0.8.0"))
    await spectra(1)
    found = await outputs.verify(report.file)
    assert list(found.changed.values()) == [["ra"]]
    assert len(found.added) == 1
