"""What a peer is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from benchmarks.measure import chunks
from benchmarks.tables import Row, Table


@dataclass(frozen=True)
class Setting:
    """Where a peer writes, and how many rows it sends at once to begin with."""

    dsn: str
    table: Table
    batch: int = 1_000


class Peer(ABC):
    """One way of storing rows.

    `prepare` is outside the clock and `save` inside. What a peer has to do to rows that lie in the
    hands of its user in another form, a dict a row, belongs into `save`.
    """

    label: ClassVar[str]
    slow: ClassVar[bool] = False
    """Measured on one batch instead of many: it would take most of the run."""
    returns_keys: ClassVar[bool] = True
    cuts_batches: ClassVar[bool] = False
    """It takes all rows at once, and cuts them itself."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.table = setting.table
        self.batch = setting.batch
        """Rows of a transaction; may be changed between one `prepare` and the next."""

    @abstractmethod
    async def open(self) -> None:
        """Connect."""

    @abstractmethod
    async def close(self) -> None:
        """Disconnect."""

    def prepare(self, rows: list[Row]) -> Any:
        """Return the batches to be saved."""
        return chunks(rows, self.batch)

    async def save(self, batches: Any) -> list[Any]:
        """Store the batches, a transaction each; returns (spectrum_pk, task_pk) pairs."""
        pairs: list[Any] = []
        for batch in batches:
            pairs += await self.save_batch(batch)
        return pairs

    @abstractmethod
    async def save_batch(self, batch: Any) -> list[Any]:
        """Store one batch."""

    def keys(self, batches: Any, saved: list[Any]) -> dict[int, int]:  # noqa: ARG002
        """Return task_pk by spectrum_pk; outside the clock."""
        return {spectrum_pk: task_pk for spectrum_pk, task_pk in saved}  # noqa: C416 (rows of any kind)
