"""A disk with little room: a small tmpfs, which root can mount."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class SmallDisk:
    """A file system of a few megabytes, mounted on a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def resize(self, size: str) -> None:
        """Give it another size, as "8m"."""
        self._mount("-o", f"remount,size={size}", str(self.folder))

    def _mount(self, *words: str) -> None:
        done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no small disk can be mounted: {done.stderr.strip()}")

    def mount(self, size: str) -> None:
        """Mount it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._mount("-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(self.folder))

    def unmount(self) -> None:
        """Take it away; what uses it still keeps it alive unseen."""
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[SmallDisk]:
    """Mount a disk of this size; skips the test where that takes rights that it has not."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    disk = SmallDisk(folder)
    disk.mount(size)
    try:
        yield disk
    finally:
        disk.unmount()
