"""`Reruns`: expects of the next batch of a table what became of the last one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from astra_outputs.model.record import Record
from astra_outputs.saving.report import INSERTED

T = TypeVar("T")


class SomeAreNew(Exception):
    """Not all rows of a batch are stored, as they were expected to be."""


class Reruns:
    """Whether the rows of the next batch of each table are expected to be stored, in whichever call it comes.

    Most saves are re-runs, whose rows are stored already; an UPDATE takes the server less time than an upsert.
    Where it does not find all of them the transaction is undone, and in another one the upsert takes all: to
    add the others afterwards would lock rows out of the order of their keys, and so would two writers of the
    same spectra meet in a deadlock. Only the time depends on what is expected.
    """

    def __init__(self) -> None:
        self._last: dict[type[Record], bool] = {}

    async def store(self, record_class: type[Record], work: Callable[[bool], Awaitable[T]]) -> T:
        """Store a batch by `work(rerun)`, which raises `SomeAreNew` where it was wrong to expect a re-run."""
        if self._last.get(record_class, True):
            with suppress(SomeAreNew):
                return await work(True)
        return await work(False)

    def learn(self, record_class: type[Record], codes: bytes) -> None:
        """Take note of what became of a batch."""
        self._last[record_class] = INSERTED not in codes
