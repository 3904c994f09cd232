"""`Batch`: the next rows of a call, cut so that every key occurs once and rows are in the order of their keys."""

from __future__ import annotations

from dataclasses import dataclass, field

from astra_outputs.model.record import Record
from astra_outputs.saving.report import Rejected
from astra_outputs.saving.returned import Part, Stored
from astra_outputs.saving.seen_keys import Numbers
from astra_outputs.saving.seen_rows import SeenRows


@dataclass
class Batch:
    """Some rows of a call.

    Attributes
    ----------
    record_class : type[Record]
    start : int
        Position in the call of the first row of its columns, counted from 0.
    count : int
        Rows that it stands for.
    parts : list[Part]
        What to store: one entry for each natural key by which some of the rows are found again.
    numbers : Numbers
        The keys as sets of numbers, where they are numbers and may come again in this call.
    seen_rows : SeenRows, optional
        Where rows are told apart by what the database returns: such batches go one after the other.
    left_out : dict[int, int]
        Positions of rows that give way to a later one with the same key, and the later one's.
    rejected : list[Rejected]
        Rows that cannot be stored, with `on_error="collect"`.
    """

    record_class: type[Record]
    start: int
    count: int
    parts: list[Part] = field(default_factory=list)
    numbers: Numbers = field(default_factory=dict)
    seen_rows: SeenRows | None = None
    left_out: dict[int, int] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)

    @property
    def positions(self) -> range:
        """Where its rows stand in the call, if they came one after the other."""
        return range(self.start, self.start + self.count)

    def records_of(self, part: Part) -> list[Record]:
        """Return the records of some rows; none of a table, which has no records."""
        del part
        return []


@dataclass
class Done:
    """A batch whose transaction has ended well."""

    batch: Batch
    stored: list[Stored]
    rejected: list[Rejected]
