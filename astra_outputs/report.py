"""What a save of many records did: one outcome for each, in the order given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

from astra_outputs.records.base import Outcome

_OUTCOMES = tuple(Outcome)
_PLACES = {outcome: place for place, outcome in enumerate(_OUTCOMES)}


@dataclass(frozen=True)
class Rejected:
    """One record that the database refused.

    Attributes
    ----------
    position : int
        Its place in the order given, counted from 0.
    key : dict[str, Any]
    reason : str
    """

    position: int
    key: dict[str, Any]
    reason: str

    def __str__(self) -> str:
        key = ", ".join(f"{name} = {value}" for name, value in self.key.items())
        return f"record {self.position} ({key}): {self.reason}"


class SaveReport(Sequence[Outcome]):
    """One outcome a record, in the order given; a byte each, so that millions fit.

    Attributes
    ----------
    rejected : list[Rejected]
        The records that were refused, each with its reason (`on_error="collect"`).
    """

    def __init__(self) -> None:
        self._places = bytearray()
        self.rejected: list[Rejected] = []

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Append the outcomes of the next records."""
        self._places.extend(_PLACES[outcome] for outcome in outcomes)

    @overload
    def __getitem__(self, index: int) -> Outcome: ...
    @overload
    def __getitem__(self, index: slice) -> list[Outcome]: ...
    def __getitem__(self, index: int | slice) -> Outcome | list[Outcome]:
        if isinstance(index, slice):
            return [_OUTCOMES[place] for place in self._places[index]]
        return _OUTCOMES[self._places[index]]

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Outcome]:
        return (_OUTCOMES[place] for place in self._places)

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many records had each outcome; outcomes that did not occur are left out."""
        counts = {outcome: self._places.count(place) for outcome, place in _PLACES.items()}
        return {outcome: count for outcome, count in counts.items() if count}

    def __str__(self) -> str:
        return (
            ", ".join(f"{count:,} {outcome.value}" for outcome, count in self.counts.items()) or "no records"
        )

    def __repr__(self) -> str:
        return f"SaveReport({self})"
