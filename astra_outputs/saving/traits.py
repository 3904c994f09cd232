"""`Traits`: what the statements must know of a table in the database."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Traits:
    """What the statements must know of a table in the database.

    Attributes
    ----------
    system_columns : bool
        Whether `xmax`, which is 0 in a row that was inserted, can be returned. Partitioned and distributed
        tables have none: there a row whose two times are equal counts as inserted.
    updates : bool
        Whether an UPDATE of rows that are there is faster than an upsert: of one table, and of no others.
    may_drop_rows : bool
        Whether it has triggers that may leave rows out: then no batch goes without a transaction.
    sources : bool
        Whether there is a table `spectrum` that says of which source a spectrum is.
    file : int or None
        The number of the table's file, which is another one when a column got another type or the table was made
        anew. Statements store nothing in another one. Partitioned and distributed tables have none.
    """

    system_columns: bool = True
    updates: bool = True
    may_drop_rows: bool = False
    sources: bool = True
    file: int | None = None


PLAIN_TABLE = Traits()
