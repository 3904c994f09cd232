"""`Star` and `Parts`: one row of a file on its way into the tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.records.source import Source

Values = dict[str, Any]
"""What a row says of the columns of one table."""


@dataclass(eq=False)
class Star:
    """What one row of a file says of its source, its spectrum and its result.

    Attributes
    ----------
    file : str
        Name of the file.
    row : int
        Place of the row in it, counted from 1.
    source, spectrum, result : dict[str, Any]
        Values by column.
    """

    file: str
    row: int
    source: Values
    spectrum: Values
    result: Values

    def join(self, other: Star) -> list[tuple[str, Any, str]]:
        """Take over what another row of the same star says besides.

        Returns
        -------
        list of (str, Any, str)
            Where the two differ: column, the other row's value, and why it is not taken.
        """
        differences = []
        parts = ((self.source, other.source), (self.spectrum, other.spectrum), (self.result, other.result))
        for mine, others in parts:
            for name, value in others.items():
                if mine.setdefault(name, value) != value:
                    reason = f"differs from {mine[name]} of row {self.row} of {self.file}, which stays"
                    differences.append((name, value, reason))
        return differences


@dataclass(frozen=True)
class Parts:
    """The source and the spectrum of one row, as records."""

    source: Source
    spectrum: SpectrumMixin
