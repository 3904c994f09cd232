"""What a save of many records did: one outcome for each, in the order given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

from astra_outputs.model.outcome import Outcome
from astra_outputs.printable import InNotebooks, printable_lines

_BY_INSERTED = (Outcome.REPLACED, Outcome.INSERTED)
OUTCOMES = (*_BY_INSERTED, *(outcome for outcome in Outcome if outcome not in _BY_INSERTED))
"""Outcomes by the byte that stands for them: the first two are the truth values of "inserted"."""

NAMES = tuple(outcome.value for outcome in OUTCOMES)
"""By the same byte, what a record keeps."""

INSERTED, UNCHANGED, KEPT, REJECTED = map(
    OUTCOMES.index, (Outcome.INSERTED, Outcome.UNCHANGED, Outcome.KEPT, Outcome.REJECTED)
)


@dataclass(frozen=True)
class Rejected:
    """One record that the database refused.

    Attributes
    ----------
    position : int
        Its place in the order given, counted from 0.
    key : dict[str, Any]
        Its natural key by column name; empty if it has none.
    reason : str
    """

    position: int
    key: dict[str, Any]
    reason: str

    def __str__(self) -> str:
        key = ", ".join(f"{name} = {value}" for name, value in self.key.items()) or "no key"
        return printable_lines(f"record {self.position} ({key}): {self.reason}")


class SaveReport(InNotebooks, Sequence[Outcome]):
    """One outcome a record, in the order given; a byte each, so that millions fit.

    Attributes
    ----------
    rejected : list[Rejected]
        The records that were refused, each with its reason (`on_error="collect"`), by position.
    """

    def __init__(self) -> None:
        self._places = bytearray()
        self.rejected: list[Rejected] = []

    def put(self, start: int, codes: bytes | bytearray) -> None:
        """Set the outcomes, as bytes that stand for them, of the records from a position on."""
        end = start + len(codes)
        self._places.extend(bytes(max(0, end - len(self._places))))
        self._places[start:end] = codes

    @overload
    def __getitem__(self, index: int) -> Outcome: ...
    @overload
    def __getitem__(self, index: slice) -> list[Outcome]: ...
    def __getitem__(self, index: int | slice) -> Outcome | list[Outcome]:
        if isinstance(index, slice):
            return [OUTCOMES[place] for place in self._places[index]]
        return OUTCOMES[self._places[index]]

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Outcome]:
        return map(OUTCOMES.__getitem__, self._places)

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many records had each outcome; outcomes that did not occur are left out."""
        counts = {outcome: self._places.count(OUTCOMES.index(outcome)) for outcome in Outcome}
        return {outcome: count for outcome, count in counts.items() if count}

    def __str__(self) -> str:
        return (
            ", ".join(f"{count:,} {outcome.value}" for outcome, count in self.counts.items()) or "no records"
        )

    def __repr__(self) -> str:
        return f"SaveReport({self})"
