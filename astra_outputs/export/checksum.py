"""The checksums of FITS: sums of 32-bit words in ones' complement, taken while bytes pass by."""

from __future__ import annotations

import numpy as np

WORD = 4
MOST = 0xFFFFFFFF

PUNCTUATION = {*range(0x3A, 0x41), *range(0x5B, 0x61)}
"""Characters between digits and letters, which the encoded sum may not have."""


class Sum:
    """The sum of what was added; bytes that fill no word wait for the next."""

    def __init__(self) -> None:
        self._total, self._rest = 0, b""

    def add(self, data: bytes | memoryview) -> None:
        """Add bytes."""
        if self._rest:
            missing = WORD - len(self._rest)
            first = self._rest + bytes(data[:missing])
            data = data[missing:]
            if len(first) < WORD:
                self._rest = first
                return
            self._total += int.from_bytes(first, "big")
        whole = len(data) // WORD * WORD
        self._total += int(np.frombuffer(data[:whole], ">u4").sum(dtype=np.uint64))
        self._rest = bytes(data[whole:])

    @property
    def value(self) -> int:
        """The sum in ones' complement, of a multiple of four bytes."""
        total = self._total
        while total > MOST:
            total = (total >> 32) + (total & MOST)
        return total


def encoded(total: int) -> str:
    """Return the complement of a sum as 16 letters and digits, which make the sum of all bytes zero."""
    columns = [_spread(byte) for byte in (MOST - total).to_bytes(WORD, "big")]
    text = "".join(chr(columns[place][part]) for part in range(WORD) for place in range(WORD))
    return text[-1] + text[:-1]


def _spread(byte: int) -> list[int]:
    """Return four characters whose sum is that of four zeros ("0") and the byte."""
    quotient, remainder = divmod(byte, WORD)
    parts = [quotient + remainder + 0x30, *[quotient + 0x30] * 3]
    while PUNCTUATION & set(parts):
        for first in (0, 2):
            if PUNCTUATION & set(parts[first : first + 2]):
                parts[first] += 1
                parts[first + 1] -= 1
    return parts
