"""Bit flags: the names and meanings of the bits of one integer column."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntFlag
from typing import NamedTuple, Self

HIGHEST_BIT = 62
"""A flags column is a signed 64-bit integer: bit 63 would make it negative."""


class Bit(NamedTuple):
    """One named bit of a flags column."""

    bit: int
    name: str
    meaning: str

    @property
    def mask(self) -> int:
        """The bit as the integer that a flags column stores."""
        return 1 << self.bit


class BitFlags(IntFlag):
    """Base of the flags of one column; each member is a bit number and its meaning.

    Examples
    --------
    >>> class SnowWhiteFlags(BitFlags):
    ...     LOW_SNR = 0, "S/N is 8 or below"
    ...     UNCONVERGED = 1, "Optimiser did not converge"
    >>> SnowWhiteFlags.UNCONVERGED.value
    2
    >>> SnowWhiteFlags.names(3)
    ['low_snr', 'unconverged']

    Raises
    ------
    ValueError
        If a bit number is outside 0 to 62.
    """

    def __new__(cls, bit: int, meaning: str = "") -> Self:
        """Make one member; Python's enumerations call this for each line of the class."""
        if not 0 <= bit <= HIGHEST_BIT:
            raise ValueError(f"bit {bit} is outside 0 to {HIGHEST_BIT}")
        mask = 1 << bit
        member = int.__new__(cls, mask)
        member._value_ = mask
        # Two names may stand for one bit (an enumeration makes the second an alias and forgets its
        # meaning), so the meanings are kept beside the members, in the order they were written.
        meanings: list[tuple[int, str]] = cls.__dict__.get("_meanings_", [])
        meanings.append((bit, meaning))
        type.__setattr__(cls, "_meanings_", meanings)
        return member

    @classmethod
    def bits(cls) -> tuple[Bit, ...]:
        """Every named bit, in the order written; two names of one bit are two entries."""
        meanings = cls.__dict__.get("_meanings_", [])
        return tuple(
            Bit(bit, name.lower(), meaning)
            for name, (bit, meaning) in zip(cls.__members__, meanings, strict=True)
        )

    @classmethod
    def names(cls, value: int) -> list[str]:
        """Names of the bits set in a value, lowest bit first; an unknown bit is `bit_17`."""
        return list(named_bits(cls.bits(), value))


def named_bits(bits: tuple[Bit, ...], value: int) -> Iterator[str]:
    """Yield the names of the bits set in `value`, lowest first, `bit_17` for one without a name."""
    for number in range(value.bit_length()):
        if value >> number & 1:
            names = [bit.name for bit in bits if bit.bit == number]
            yield "/".join(names) or f"bit_{number}"
