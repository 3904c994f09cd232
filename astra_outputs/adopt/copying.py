"""Copies one table: reads, checks, looks what is here, stores what is not, and looks again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from astra_outputs.adopt.aside import Aside
from astra_outputs.adopt.ours import Ours
from astra_outputs.adopt.report import Taken
from astra_outputs.adopt.theirs import Row, Theirs
from astra_outputs.names import Frozen
from astra_outputs.postgres.database import Connection

REFERS_TO = {"source_pk": "source", "spectrum_pk": "spectrum"}


@dataclass
class Copying:
    """One table on its way.

    Attributes
    ----------
    theirs, ours : Theirs, Ours
    taken : Taken
        What became of its rows so far.
    aside : Aside
    frozen : dict of int to Frozen
        The versions here that are published.
    gone : dict of str to set of int
        The numbers of rows that were kept aside, by table; nothing that refers to them can be stored.
    """

    theirs: Theirs
    ours: Ours
    taken: Taken
    aside: Aside
    frozen: dict[int, Frozen]
    gone: dict[str, set[int]] = field(default_factory=dict)

    async def run(
        self, source: Connection, target: Connection, batch_size: int, progress: Callable[[], None]
    ) -> None:
        """Copy the rows, batch by batch; each is stored as a whole, so that it may end anywhere."""
        await self.ours.begin(target)
        behind = -(2**63)
        while rows := await self.theirs.read(source, behind, batch_size):
            behind = rows[-1][self.theirs.number]
            self.taken.read += len(rows)
            good, bad = self.theirs.checked(rows)
            for one in bad:
                self._keep_aside(one.number, one.reasons, one.given)
            await self._take(target, good)
            progress()

    async def _take(self, target: Connection, rows: Sequence[Row]) -> None:
        before = await self.ours.stored(target, rows)
        todo: list[Row] = []
        for row in rows:
            stored = before.get(row.key)
            if stored is not None and self.ours.same(row, stored):
                self.taken.equal += 1
                self.taken.values += len(row.values)
            elif stored is not None and self.ours.is_newer(stored, row):
                self.taken.kept += 1
            elif reasons := self._why_not(row):
                self._keep_aside(row.number, reasons, self.theirs.given(row))
            else:
                todo.append(row)
        refused = await self.ours.take(target, todo)
        for row, reason in refused:
            self._keep_aside(row.number, [reason], self.theirs.given(row))
        names = {row.key for row, _ in refused}
        await self._verify(target, [row for row in todo if row.key not in names], before.keys())

    async def _verify(self, target: Connection, rows: Sequence[Row], before: object) -> None:
        """Look again at what was stored: value by value."""
        after = await self.ours.stored(target, rows)
        for row in rows:
            stored = after.get(row.key)
            if stored is not None and self.ours.same(row, stored):
                self.taken.values += len(row.values)
                if row.key in before:  # type: ignore[operator]
                    self.taken.replaced += 1
                else:
                    self.taken.copied += 1
            elif stored is not None and self.ours.is_newer(stored, row):
                self.taken.kept += 1
            else:
                self.taken.different += 1
                self.aside.put(self.taken.table, ["is otherwise after it was copied"], self.theirs.given(row))

    def _why_not(self, row: Row) -> list[str]:
        """Say what the database would refuse, without asking it row by row."""
        if self.theirs.is_result and row.key[1] in self.frozen:
            return [f"{self.frozen[row.key[1]].sentence}"]
        given = self.theirs.given(row)
        return [
            f"{column} = {given[column]}: this {table} was kept aside"
            for column, table in REFERS_TO.items()
            if given.get(column) in self.gone.get(table, ())
        ]

    def _keep_aside(self, number: int, reasons: list[str], given: object) -> None:
        self.taken.aside += 1
        self.gone.setdefault(self.taken.table, set()).add(number)
        self.aside.put(self.taken.table, reasons, given)  # type: ignore[arg-type]
