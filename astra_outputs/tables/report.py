"""What a save of a table did: outcomes and keys, aligned to its rows."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from astra_outputs.model.outcome import Outcome
from astra_outputs.saving.report import OUTCOMES, SaveReport


class TableReport(SaveReport):
    """One outcome a row, and what the database decided, in the order of the table.

    Attributes
    ----------
    task_pk : ndarray of int64
        Keys of the results; 0 where a row was rejected.
    source_pk : ndarray of int64
        Keys of the sources, which are those of the spectra where the table says none; 0 where a row was rejected, or
        nobody said whose its spectrum is.
    created, modified : ndarray of datetime64[us]
        When the rows were first and last stored, in UTC; NaT where a row was rejected.
    rejected : list[Rejected]
        The rows that were refused, each with its reason (`on_error="collect"`), by position.
    """

    task_pk: NDArray[np.int64]
    source_pk: NDArray[np.int64]
    created: NDArray[np.datetime64]
    modified: NDArray[np.datetime64]

    @classmethod
    def of(cls, length: int) -> Self:
        """Return the report of a table of which no row is stored yet."""
        report = cls()
        report.task_pk, report.source_pk = np.zeros(length, np.int64), np.zeros(length, np.int64)
        report.created = np.full(length, np.datetime64("NaT", "us"))
        report.modified = report.created.copy()
        return report

    def where(self, outcome: Outcome) -> NDArray[np.bool_]:
        """Return for each row whether this is its outcome."""
        same: NDArray[np.bool_] = np.frombuffer(self._places, np.uint8) == OUTCOMES.index(outcome)
        return same
