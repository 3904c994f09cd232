"""A file that is there as a whole, or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from astra_outputs.errors import CannotWrite, FileExists


@contextmanager
def whole_file(path: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """Lend a file beside the wanted one, which gets its name once the block has ended without an error.

    Raises
    ------
    FileExists
        If there is a file of this name, and it shall not be replaced.
    CannotWrite
        If the disk is full, or the folder cannot be written to.
    """
    refuse_existing(path, overwrite=overwrite)
    partial = path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")
    try:
        with partial.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        refuse_existing(path, overwrite=overwrite)
        partial.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        if isinstance(error, FileExists):
            raise
        if error.errno is None or (error.filename is None and error.errno not in OF_DISKS):
            raise  # the network's, not the disk's
        raise CannotWrite(f"{path} cannot be written: {error.strerror}; nothing of it is left") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


OF_DISKS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}
"""What a write says of a disk, without the name of the file."""


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Raise FileExists if there is something of this name, unless it is a file that may be replaced."""
    if path.is_dir():
        raise FileExists(f"{path} is a folder; name a file in it")
    if path.exists() and not path.is_file():  # it would be taken away from all others: /dev/null, by root
        raise FileExists(f"{path} is a device or a pipe, in whose place no file is put; name another")
    if path.exists() and not overwrite:
        raise FileExists(f"{path} exists already; pass overwrite=True (--overwrite) to replace it")


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # not every file system can
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
