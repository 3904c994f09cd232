"""A file is there as a whole, or not at all: full disks, kills, folders that are not there."""

from __future__ import annotations

import gzip
import os
import random
import shutil
import signal
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from astra_outputs.errors import CannotWrite, FileExists
from astra_outputs.export.sinks import LEVEL, Gzipped, Plain
from astra_outputs.whole_file import refuse_existing, whole_file


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_that_is_not_there_is_said_in_one_sentence(tmp_path: Path) -> None:
    with (
        pytest.raises(CannotWrite, match="No such file or directory"),
        whole_file(tmp_path / "no" / "a.fits", overwrite=False),
    ):
        raise AssertionError


def test_a_folder_is_no_file_that_can_be_replaced(tmp_path: Path) -> None:
    with pytest.raises(FileExists, match="is a folder"), whole_file(tmp_path, overwrite=True):
        raise AssertionError


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes with names")
def test_a_device_or_a_pipe_is_no_file_that_can_be_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path(os.devnull)):
        with pytest.raises(FileExists, match="is a device"):
            refuse_existing(path, overwrite=True)
    with pytest.raises(FileExists, match="is a device"), whole_file(tmp_path / "pipe", overwrite=True):
        raise AssertionError
    assert (tmp_path / "pipe").is_fifo()


def test_an_error_half_way_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "a.fits"
    file.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), whole_file(file, overwrite=True) as opened:  # noqa: PT012
        opened.write(b"half")
        raise ZeroDivisionError
    assert (file.read_bytes(), names_in(tmp_path)) == (b"old", ["a.fits"])


def test_a_file_that_came_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    file = tmp_path / "a.fits"
    with pytest.raises(FileExists), whole_file(file, overwrite=False) as opened:  # noqa: PT012
        opened.write(b"mine")
        file.write_bytes(b"theirs")
    assert (file.read_bytes(), names_in(tmp_path)) == (b"theirs", ["a.fits"])


@pytest.mark.skipif(sys.platform != "linux", reason="a limit stands for a full disk")
def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    script = """
import resource, signal, sys
from pathlib import Path
from astra_outputs.errors import CannotWrite
from astra_outputs.whole_file import refuse_existing, whole_file
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    with whole_file(Path(sys.argv[1]), overwrite=False) as opened:
        for _ in range(100):
            opened.write(bytes(1000))
except CannotWrite as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "a.fits"], capture_output=True, text=True, check=False
    )
    assert "cannot be written: File too large; nothing of it is left" in done.stdout, done.stderr
    assert names_in(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
def test_a_killed_export_leaves_nothing_under_the_name(tmp_path: Path) -> None:
    script = """
import sys, time
from pathlib import Path
from astra_outputs.whole_file import refuse_existing, whole_file
with whole_file(Path(sys.argv[1]), overwrite=False) as opened:
    opened.write(bytes(100_000))
    print("half", flush=True)
    sys.stdin.read()
"""
    command = [sys.executable, "-c", script, tmp_path / "a.fits"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        child.send_signal(signal.SIGKILL)
    assert not (tmp_path / "a.fits").exists()
    assert all(name.startswith(".a.fits.") for name in names_in(tmp_path))


@pytest.mark.parametrize("kind", [Plain, Gzipped])
def test_a_header_can_be_amended_once_the_rows_are_written(tmp_path: Path, kind: Any) -> None:
    draw = random.Random(4)
    parts = [draw.randbytes(size) for size in (2880, 100_000, 70_000, 1, 5)]
    parts[1] *= (
        27  # more than the chunks that are compressed at once, and bytes that came in the chunk before
    )
    with (tmp_path / "a").open("xb") as file:
        sink = kind(file)
        first = sink.reserve(parts[0])
        sink.write(parts[1])
        second = sink.reserve(bytes(70_000))
        sink.write(parts[3])
        sink.write(parts[4])
        sink.amend(second, parts[2])
        sink.amend(first, parts[0][::-1])
        sink.finish()
    data = (tmp_path / "a").read_bytes()
    whole = b"".join([parts[0][::-1], *parts[1:]])
    assert (gzip.decompress(data) if kind is Gzipped else data) == whole


def test_compressed_bytes_do_not_depend_on_the_number_of_threads_and_gzip_has_nothing_against_them(
    tmp_path: Path,
) -> None:
    draw = random.Random(5)
    rows = b"".join(draw.choice((b"teff", b"logg", b"\0\0\0\0")) for _ in range(900_000))
    for threads in (1, 3):
        with (tmp_path / f"{threads}.gz").open("xb") as file:
            sink = Gzipped(file, threads)
            sink.reserve(bytes(2880))
            for first in range(0, len(rows), 77_777):
                sink.write(rows[first : first + 77_777])
            sink.finish()
    packed = (tmp_path / "1.gz").read_bytes()
    assert packed == (tmp_path / "3.gz").read_bytes()
    assert gzip.decompress(packed) == bytes(2880) + rows
    alone = zlib.compress(rows, LEVEL)
    assert len(packed) < 1.02 * len(alone), "a chunk looks back at the one before"
    program = shutil.which("gzip")
    if program is not None:
        subprocess.run([program, "--test", tmp_path / "1.gz"], check=True)
