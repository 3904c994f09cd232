"""`SaveOptions`: how to save many rows, from records or from a table; the one place where that is said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, TypedDict

from astra_outputs.postgres.database import Database

Duplicates = Literal["error", "last"]
OnError = Literal["raise", "collect"]


class Guards(NamedTuple):
    """What holds a replacement back.

    Attributes
    ----------
    keep_newer : bool
        A stored result of a newer patch version stays.
    skip_unchanged : bool
        A stored row that is the same, times aside, is not written again.
    not_after : datetime, optional
        A row stored later than that stays: results out of a spool never replace newer ones.
    """

    keep_newer: bool = False
    skip_unchanged: bool = False
    not_after: datetime | None = None

    def __bool__(self) -> bool:
        return self.keep_newer or self.skip_unchanged or self.not_after is not None


UNGUARDED = Guards()


class SaveWith(TypedDict, total=False):
    """The options of `save_many` and `save_table` by name; `SaveOptions` describes them."""

    batch_size: int
    atomic: bool
    duplicates: Duplicates
    on_error: OnError
    connections: int
    keep_newer: bool
    skip_unchanged: bool
    only_given: bool


@dataclass(frozen=True)
class SaveOptions:
    """How to save many rows; what `Outputs.save_many` and `Outputs.save_table` take by name.

    Attributes
    ----------
    batch_size : int
        Rows in one transaction.
    atomic : bool
        Store all of them in one transaction, or none.
    duplicates : {"error", "last"}
        What to do where two rows of the call have the same key: refuse, or keep the last (the outcome of
        the earlier one is then "kept"; of records, where both are in one batch).
    on_error : {"raise", "collect"}
        What to do with a row that the database, or of a table its column, refuses: raise, and leave its
        batch unstored, or store the others and list it in `report.rejected` with the reason.
    connections : int
        Batches stored at the same time. Records whose keys are not numbers (sources, spectra) go one batch
        after the other all the same.
    keep_newer : bool
        Leave a stored result of a newer patch version as it is (outcome: kept).
    skip_unchanged : bool
        Leave a stored row that is the same, times aside, as it is (outcome: unchanged).
    only_given : bool
        Of a row that is stored already, replace only the columns that the record was given (or that the table
        has), so that a source may come from several catalogues; the others stay as they are.
    not_after : datetime, optional
        Leave a row that was stored later than that as it is (outcome: kept); for `replay`.

    Raises
    ------
    ValueError
        If an option makes no sense.
    """

    batch_size: int = 2_000
    atomic: bool = False
    duplicates: Duplicates = "error"
    on_error: OnError = "raise"
    connections: int = 1
    keep_newer: bool = False
    skip_unchanged: bool = False
    only_given: bool = False
    not_after: datetime | None = None

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {self.batch_size}")
        if self.connections < 1:
            raise ValueError(f"connections must be at least 1, not {self.connections}")
        if self.duplicates not in ("error", "last"):
            raise ValueError(f'duplicates must be "error" or "last", not {self.duplicates!r}')
        if self.on_error not in ("raise", "collect"):
            raise ValueError(f'on_error must be "raise" or "collect", not {self.on_error!r}')
        if self.atomic and self.connections > 1:
            raise ValueError("connections must be 1 with atomic=True: a transaction has one connection")

    @property
    def guards(self) -> Guards:
        """What holds a replacement back."""
        return Guards(self.keep_newer, self.skip_unchanged, self.not_after)

    def check(self, database: Database) -> None:
        """Refuse more connections than there are.

        Raises
        ------
        ValueError
            If there are fewer.
        """
        most = 1 if database.borrowed else database.connections
        if self.connections > most:
            raise ValueError(
                f"connections must be at most {most}, not {self.connections}: "
                "give `connect` as many, and no connection of your own"
            )
