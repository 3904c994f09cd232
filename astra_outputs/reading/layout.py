"""How a row of an answer lies on the wire.

A row of PostgreSQL's binary COPY is a count of columns, and for each column its length and its bytes. NULL
is a length without bytes. So a value of a fixed width is never NULL here: a float that is missing is sent
as NaN, which no record stores, and another number as zero, with a bit in an integer that comes along. Then
every row has one width, and a block of rows is an array.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from astra_outputs.model.column_types import BIGINT
from astra_outputs.reading.outputs import Output

BITS = 62
"""Columns that share one integer of missing bits."""

COUNT, LENGTH = 2, 4
"""Bytes of the count before a row, and of the length before a value."""


@dataclass(frozen=True)
class Group:
    """Columns of one binary form, side by side on the wire.

    Attributes
    ----------
    wire : str
    outputs : tuple of Output
        Empty for the integers that hold the missing bits.
    start : int
        Where the first length stands in a row.
    size : int
        How many values there are.
    """

    wire: str
    outputs: tuple[Output, ...]
    start: int
    size: int

    @property
    def width(self) -> int:
        """Bytes of one value."""
        return 1 if self.wire == "?" else int(self.wire[-1])

    @property
    def end(self) -> int:
        """Where the next group starts."""
        return self.start + self.size * (LENGTH + self.width)


@dataclass(frozen=True)
class Layout:
    """How the rows of an answer lie on the wire.

    Attributes
    ----------
    outputs : tuple of Output
        In the order of the answer.
    groups : tuple of Group
        The fixed part of a row.
    bits : Group
        The end of the fixed part: the integers of missing bits, if there are any.
    counted : tuple of Output
        The columns that these bits are about, in order.
    varying : tuple of Output
        The columns after the fixed part.
    """

    outputs: tuple[Output, ...]
    groups: tuple[Group, ...]
    bits: Group
    counted: tuple[Output, ...]
    varying: tuple[Output, ...]

    @classmethod
    def of(cls, outputs: Iterable[Output]) -> Layout:
        """Return the layout of these columns."""
        outputs = tuple(outputs)
        fixed = sorted((output for output in outputs if output.wire), key=lambda output: output.wire)
        groups: list[Group] = []
        start = COUNT
        for wire, members in groupby(fixed, key=lambda output: output.wire):
            together = tuple(members)
            groups.append(Group(wire, together, start, len(together)))
            start = groups[-1].end
        counted = tuple(output for output in fixed if output.counted)
        # One of them even for no column: a row without a fixed part could not be told from the end.
        bits = Group(">i8", (), start, -(-len(counted) // BITS) or int(not fixed))
        varying = tuple(output for output in outputs if not output.wire)
        return cls(outputs, tuple(groups), bits, counted, varying)

    @property
    def fixed_width(self) -> int:
        """Bytes of the fixed part of a row, the count before it included."""
        return self.bits.end

    @property
    def number(self) -> int:
        """Columns on the wire."""
        return sum(group.size for group in (*self.groups, self.bits)) + len(self.varying)

    @property
    def tables(self) -> frozenset[str]:
        """The tables that the columns are of."""
        return frozenset(output.named.alias for output in self.outputs)

    @property
    def selected(self) -> str:
        """What is selected, in the order of the wire."""
        fixed = [output.selected for group in self.groups for output in group.outputs]
        return ", ".join([*fixed, *self._bits(), *(output.selected for output in self.varying)])

    @property
    def types(self) -> tuple[tuple[str, str], ...]:
        """The name and the SQL type of each column, in the order of the wire."""
        fixed = [(output.named.sql, output.sent_as) for group in self.groups for output in group.outputs]
        bits = [("the missing bits", BIGINT.sql)] * self.bits.size
        varying = [(output.named.sql, output.sent_as) for output in self.varying]
        return (*fixed, *bits, *varying)

    def _bits(self) -> Iterable[str]:
        if self.bits.size and not self.counted:
            yield "0::bigint"
        for first in range(0, len(self.counted), BITS):
            yield " | ".join(
                f"case when {output.named.sql} is null then {1 << place}::bigint else 0 end"
                for place, output in enumerate(self.counted[first : first + BITS])
            )
