"""A disk that fills up while a file is written: one sentence, what was there before, and as much room as before."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from every_form import EveryForm
from exported import command, names_in
from small_disk import SmallDisk, small_disk

from astra_outputs import Source
from astra_outputs.errors import CannotWrite

PAGE = 4096

ENDINGS = ["fits", "fits.gz", "parquet", "csv", "ecsv"]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk of four pages, of which a file has one."""
    with small_disk(tmp_path / "disk", "16k") as disk:
        (disk.folder / "old").write_bytes(b"the old one")
        yield disk


async def test_a_file_for_which_there_is_no_room_leaves_the_old_one_and_the_room(
    outputs: Any, every_form: list[EveryForm], disk: SmallDisk
) -> None:
    assert every_form
    room = shutil.disk_usage(disk.folder).free
    for ending in ENDINGS:
        (old,) = disk.folder.iterdir()
        file = old.rename(disk.folder / f"a.{ending}")
        with pytest.raises(CannotWrite, match="cannot be written: No space left on device; nothing of it is"):
            await outputs.export(EveryForm, file, overwrite=True)
        assert names_in(disk.folder) == [file.name]
        assert file.read_bytes() == b"the old one"
        assert shutil.disk_usage(disk.folder).free == room
    await outputs.export(Source, disk.folder / "small.csv", columns=["sdss_id"], limit=3)


async def test_a_file_and_its_definition_are_there_together_or_not_at_all(
    outputs: Any, every_form: list[EveryForm], disk: SmallDisk
) -> None:
    assert every_form
    pytest.importorskip("pyarrow")
    asked: dict[str, Any] = {"columns": ["task_pk", "a_real"]}
    disk.resize("1m")
    file, filler = disk.folder / "a.parquet", disk.folder / "filler"
    size = (await outputs.export(EveryForm, file, **asked)).size
    file.unlink()
    pages = -(-size // PAGE) + 2  # the old one and the filler have a page each
    filler.write_bytes(bytes(PAGE))
    for room, said in ((0, "a.sql"), (-1, "a.parquet")):
        disk.resize(str((pages + room) * PAGE))
        with pytest.raises(CannotWrite, match=f"{re.escape(said)} cannot be written: No space left"):
            await outputs.export(EveryForm, file, casjobs=True, **asked)
        assert sorted(names_in(disk.folder)) == ["filler", "old"]


async def test_the_command_says_so_in_one_line(
    database: str, every_form: list[EveryForm], disk: SmallDisk
) -> None:
    assert every_form
    done = await asyncio.to_thread(command, database, "source", "-o", disk.folder / "a.fits")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert "No space left on device; nothing of it is left" in done.stderr
    assert names_in(disk.folder) == ["old"]
