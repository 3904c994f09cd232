"""A folder on the worker's disk that holds results until the database can take them."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from astra_outputs.errors import CorruptSpoolFile, SpoolFull, UntrustedSpool
from astra_outputs.model.record import Record
from astra_outputs.spool.file_format import Glance, Unwritable, encode, glance, verify

WAITING, PARTIAL, CORRUPT, REJECTED = ".spool", ".partial", ".corrupt", ".rejected"
"""How the names of files end: to be stored, being written, damaged, refused by the database."""

DEFAULT_LIMIT = 10 * 1024**3
"""Most bytes in the folder."""

GLANCE = 2**20
"""Most bytes of a line that are read to see what a file is about."""

ABANDONED = 60.0
"""Seconds after which a file that nobody writes to any more counts as left by a killed worker."""


@dataclass
class Recovered:
    """What was found of workers that were killed while they wrote: names of files as they are now."""

    whole: list[Path] = field(default_factory=list)
    corrupt: list[tuple[Path, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Written:
    """What is on the disk now.

    Attributes
    ----------
    path : Path or None
        The file; None if no record could be written.
    unwritable : list[Unwritable]
        Records that it lacks, each with the reason.
    """

    path: Path | None
    unwritable: list[Unwritable]


class Spool:
    """Files of records in one folder, which several workers may share.

    A file appears under its name only when it is whole and on the disk. It is deleted only after the
    database has its records.

    Parameters
    ----------
    folder : Path
        Made when first needed, closed to other users.
    limit : int
        Most bytes in the folder, damaged and refused files included.
    trust : bool
        Whether to store what other users may have put there.
    """

    def __init__(self, folder: Path | str, limit: int = DEFAULT_LIMIT, *, trust: bool = False) -> None:
        self.folder, self.limit, self.trust = Path(folder), limit, trust

    def __repr__(self) -> str:
        return f"Spool({str(self.folder)!r})"

    def check(self) -> None:
        """Refuse a folder into which other users may put files, or out of which they may take some.

        Raises
        ------
        UntrustedSpool
            If it belongs to another user, or others can write to it; the message says how to accept it.
        """
        with suppress(FileNotFoundError):
            self._check(self.folder, self.folder.stat())

    def _check(self, path: Path, status: os.stat_result) -> None:
        if self.trust:
            return
        if status.st_uid != os.geteuid():
            why = f"belongs to another user (uid {status.st_uid})"
        elif status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            why = f"can be written by other users (`chmod go-w {path}` ends that)"
        else:
            return
        raise UntrustedSpool(
            f"{path} {why}: what is stored from it may be theirs; to accept it, pass --trust-spool "
            "(trust_spool=True) to a run, --trust (trust=True) to a replay"
        )

    def write(self, records: Sequence[Record], since: datetime, ending: str = WAITING) -> Written:
        """Put records of one class on the disk; they survive a crash once this returns.

        Raises
        ------
        SpoolFull
            If they exceed the limit, or the disk has no room for them.
        """
        content, unwritable = encode(records, since)
        path = self.keep(content, since, ending) if content else None
        return Written(path, unwritable)

    def keep(self, content: bytes, since: datetime, ending: str = WAITING) -> Path:
        """Put the content of a file on the disk, as `write` does; raises as it does."""
        self._make_room(len(content))
        path = self.folder / (name_of(since) + ending)
        partial = path.with_suffix(PARTIAL)
        try:
            self._write(partial, path, content)
        except OSError as error:
            with suppress(OSError):
                partial.unlink()
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise SpoolFull(f"{self.folder}: the disk is full ({len(content):,} bytes to go)") from error
            raise
        return path

    def _make_room(self, wanted: int) -> None:
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync_folder(self.folder.parent)
        used = self.size()
        if used + wanted > self.limit:
            raise SpoolFull(
                f"{self.folder} holds {used:,} bytes and may hold {self.limit:,}; {wanted:,} more do not fit: "
                f"store what waits with `astra-outputs replay {self.folder}`, or raise the limit"
            )

    def _write(self, partial: Path, path: Path, content: bytes) -> None:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 (the descriptor is opened exclusively)
            _lock(descriptor)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
            partial.rename(path)
        _sync_folder(self.folder)

    def size(self) -> int:
        """Return the bytes of all files in the folder."""
        total = 0
        for path in self._files(""):
            with suppress(FileNotFoundError):  # another worker may have stored it meanwhile
                total += path.stat().st_size
        return total

    def waiting(self) -> list[Path]:
        """Return the files whose records wait to be stored; their names sort as their times do."""
        return self._files(WAITING)

    def contents(self) -> Counter[tuple[str, str]]:
        """Return how many records wait, by table and major.minor; of files that can be read."""
        found: Counter[tuple[str, str]] = Counter()
        for path in self.waiting():
            with suppress(OSError, CorruptSpoolFile):
                said = self.look(path)
                found[said.table, said.version] += said.records
        return found

    def look(self, path: Path) -> Glance:
        """Return what the first lines of a file say of its records; not verified.

        Raises
        ------
        CorruptSpoolFile
            If no worker wrote them.
        """
        with path.open("rb") as file:
            return glance([file.readline(GLANCE) for _ in range(3)])

    def refused(self) -> list[Path]:
        """Return the files of records that the database refused."""
        return self._files(REJECTED)

    def damaged(self) -> list[Path]:
        """Return the files that are damaged."""
        return self._files(CORRUPT)

    def abandoned(self) -> list[Path]:
        """Return the files that nobody has written to for a while: a killed worker's, perhaps."""
        return [path for path in self._files(PARTIAL) if time.time() - path.stat().st_mtime >= ABANDONED]

    def recover(self) -> Recovered:
        """Finish or set aside what killed workers left half-written."""
        found = Recovered()
        for path in self._files(PARTIAL):
            with suppress(OSError, UntrustedSpool), path.open("rb") as file:
                self._check(path, os.fstat(file.fileno()))
                # A time to come is another machine's clock, or one that was set back since.
                if abs(time.time() - path.stat().st_mtime) < ABANDONED or not _lock(file.fileno()):
                    continue
                try:
                    verify(file.read())
                except CorruptSpoolFile as error:
                    reason = f"half-written: {error}"
                    found.corrupt.append((self.set_aside(path), reason))
                else:
                    found.whole.append(self._rename(path, WAITING))
        return found

    @contextmanager
    def claim(self, path: Path) -> Iterator[bytes | None]:
        """Lend the content of a file, which no other worker gets meanwhile; None if one has it.

        Raises
        ------
        UntrustedSpool
            If other users may have written it.
        OSError
            If it cannot be read.
        """
        try:
            file = path.open("rb")
        except FileNotFoundError:
            yield None
            return
        with file:
            self._check(path, os.fstat(file.fileno()))
            # Another worker may have stored and deleted it between the opening and the locking.
            yield file.read() if _lock(file.fileno()) and path.exists() else None

    def remove(self, path: Path) -> None:
        """Delete a file whose records are stored."""
        path.unlink(missing_ok=True)
        _sync_folder(self.folder)

    def set_aside(self, path: Path) -> Path:
        """Keep a damaged file where nobody tries it again; returns its new name."""
        return self._rename(path, CORRUPT)

    def _rename(self, path: Path, ending: str) -> Path:
        renamed = path.rename(path.with_suffix(ending))
        _sync_folder(self.folder)
        return renamed

    def _files(self, ending: str) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if path.name.endswith(ending) and path.is_file())


def name_of(since: datetime) -> str:
    """Return a file's name without its ending: names sort as their times do, and none occurs twice."""
    return f"{since.astimezone(UTC):%Y%m%dT%H%M%S}-{since.microsecond:06d}-{uuid4().hex[:12]}"


def _lock(descriptor: int) -> bool:
    """Tell whether this process may have the file to itself; the lock goes when it is closed."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # Some network file systems know no locks. Two workers may then store the same file at the
        # same time, which stores the same rows twice.
        return True
    return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
