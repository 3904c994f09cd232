"""Where a FITS file's bytes go: to the disk as they are, or compressed; headers are amended in the end.

The sums in a header are known once the rows are written. A header that goes into a compressed file is therefore
stored in it as it is, which deflate knows as well, and the checksum of the whole is put together from its parts.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO, Protocol

LEVEL = 4
"""Of zlib: near the smallest size that it reaches on tables of floats, at a third of the time."""

CHUNK, WINDOW = 1024 * 1024, 32 * 1024
"""Bytes that a thread compresses at once, and those before them that deflate looks back at."""

MOST_THREADS = 4

LAST = b"\x03\0"
"""An empty block of deflate that is the last."""

STORED = 0xFFFF
"""Most bytes of one block that is stored as it is."""


class Sink(Protocol):
    """Takes bytes one after the other, and headers that it gives back for amendment."""

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes."""

    def reserve(self, header: bytes) -> int:
        """Append a header; return the number under which it may be amended."""

    def amend(self, number: int, header: bytes) -> None:
        """Write a header of the same length over the one of this number."""

    def finish(self) -> None:
        """End the file."""

    def close(self) -> None:
        """Let go of what it holds, whether the file was ended or not."""


class Plain:
    """Bytes as they are."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes."""
        self._file.write(data)

    def reserve(self, header: bytes) -> int:
        """Append a header; return where it stands."""
        place = self._file.tell()
        self._file.write(header)
        return place

    def amend(self, number: int, header: bytes) -> None:
        """Write a header over the one that stands there."""
        end = self._file.tell()
        self._file.seek(number)
        self._file.write(header)
        self._file.seek(end)

    def finish(self) -> None:
        """End the file."""

    def close(self) -> None:
        """The file is another's to close."""


class Gzipped:
    """One gzip stream, without a time or a name in its header: the same rows give the same bytes.

    It is cut into chunks that threads compress, each with the end of the one before as its dictionary, and
    written in order. What was added is in the file once `reserve` or `finish` has been called.

    Parameters
    ----------
    file : BinaryIO
    threads : int, optional
        As many as there are processors, at most 4, where none are given.
    """

    def __init__(self, file: BinaryIO, threads: int | None = None) -> None:
        self._file = file
        self._threads = threads or min(MOST_THREADS, os.cpu_count() or 1)
        self._pool = ThreadPoolExecutor(self._threads, "astra-outputs-gzip")
        self._compressing: deque[Future[tuple[int, int, bytes]]] = deque()
        self._waiting, self._size, self._before = list[bytes](), 0, b""
        self._parts: list[tuple[int, int]] = [(0, 0)]  # the CRC and the length of each
        self._places: dict[int, int] = {}
        file.write(b"\x1f\x8b\x08\0\0\0\0\0\0\xff")

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes."""
        self._waiting.append(bytes(data))
        self._size += len(data)
        if self._size >= CHUNK:
            self._compress()

    def reserve(self, header: bytes) -> int:
        """Append a header as it is; return its number."""
        self._drain()
        number = len(self._parts)
        self._places[number] = self._file.tell()
        self._file.write(_stored(header))
        self._parts += [(zlib.crc32(header), len(header)), (0, 0)]
        self._before = b""  # the header may be amended
        return number

    def amend(self, number: int, header: bytes) -> None:
        """Write a header over the one of this number."""
        self._drain()
        end = self._file.tell()
        self._file.seek(self._places[number])
        self._file.write(_stored(header))
        self._file.seek(end)
        self._parts[number] = zlib.crc32(header), len(header)

    def finish(self) -> None:
        """End the stream with its checksum and its length."""
        self._drain()
        self._file.write(LAST)
        crc = total = 0
        for part, length in self._parts:
            crc, total = _joined(crc, part, length), total + length
        self._file.write(struct.pack("<II", crc, total & 0xFFFFFFFF))
        self.close()

    def close(self) -> None:
        """Wait for the threads, whatever became of the file."""
        self._pool.shutdown(cancel_futures=True)

    def _compress(self) -> None:
        chunk = b"".join(self._waiting)
        self._waiting, self._size = [], 0
        self._compressing.append(self._pool.submit(_compressed, chunk, self._before))
        self._before = chunk[-WINDOW:]
        while len(self._compressing) > 2 * self._threads:
            self._put(self._compressing.popleft())

    def _put(self, compressing: Future[tuple[int, int, bytes]]) -> None:
        part, length, packed = compressing.result()
        crc, before = self._parts[-1]
        self._parts[-1] = _joined(crc, part, length), before + length
        self._file.write(packed)

    def _drain(self) -> None:
        if self._size:
            self._compress()
        while self._compressing:
            self._put(self._compressing.popleft())


def _compressed(chunk: bytes, before: bytes) -> tuple[int, int, bytes]:
    """Return the checksum and the length of a chunk, and what deflate makes of it, up to a whole byte."""
    deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=before)
    packed = deflate.compress(chunk) + deflate.flush(zlib.Z_SYNC_FLUSH)
    return zlib.crc32(chunk), len(chunk), packed


def _stored(data: bytes) -> bytes:
    """Return blocks of deflate that hold bytes as they are."""
    pieces = [data[first : first + STORED] for first in range(0, len(data), STORED)]
    return b"".join(struct.pack("<BHH", 0, len(piece), len(piece) ^ 0xFFFF) + piece for piece in pieces)


ONE, POLYNOMIAL = 1 << 31, 0xEDB88320
"""The polynomial 1, and that of the CRC; the highest power stands in the lowest bit."""


def _joined(first: int, second: int, length: int) -> int:
    """Return the CRC of two parts: that of the first, moved past so many bytes, and that of the second."""
    power, step, left = ONE, ONE >> 8, length
    while left:
        if left & 1:
            power = _product(step, power)
        step, left = _product(step, step), left >> 1
    return _product(power, first) ^ second


def _product(a: int, b: int) -> int:
    found = 0
    while a:
        if a & ONE:
            found ^= b
        a = a << 1 & 0xFFFFFFFF
        b = b >> 1 ^ (POLYNOMIAL if b & 1 else 0)
    return found
