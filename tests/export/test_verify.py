"""`verify`: a file says what the database says, or which rows do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg
import pytest
from every_form import EveryForm

from astra_outputs import ASPCAP
from astra_outputs.errors import UnreadableFile

pytest.importorskip("astropy")


async def compared(outputs: Any, file: Path, kind: Any = EveryForm) -> Any:
    return await outputs.verify(kind, file)


@pytest.mark.parametrize("content", [b"", b"not a file of ours", b"\x1f\x8b"])
@pytest.mark.parametrize("name", ["a.fits", "a.fits.gz"])
async def test_a_file_that_is_no_fits_file_is_named(
    outputs: Any, tmp_path: Path, content: bytes, name: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableFile, match=r"a\.fits"):
        await compared(outputs, tmp_path / name)


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


@pytest.mark.parametrize("name", ["a.fits", "a.fits.gz"])
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
    assert found.rows == len(keys)
