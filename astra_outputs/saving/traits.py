"""`Traits`: what the statements must know of a table in the database."""

from __future__ import annotations

from typing import NamedTuple


class Traits(NamedTuple):
    """What the statements must know of a table in the database.

    Attributes
    ----------
    spread : bool
        Whether its rows are in partitions, or Citus keeps them. Such a table has no `xmax` to return,
        which is 0 in a row that was inserted: a row whose two times are equal counts as inserted there. And an
        UPDATE of rows that are there is slower than an upsert.
    distributed : bool
        Whether they are in shards: what is selected goes to each of them, values to the one that they are for.
    may_drop_rows : bool
        Whether it has triggers that may leave rows out: then no batch goes without a transaction.
    sources : bool
        Whether there is a table `spectrum` that says of which source a spectrum is.
    file : int or None
        The number of the table's file, which is another one when a column got another type or the table was made
        anew. Statements store nothing in another one. Partitioned and distributed tables have none.
    """

    spread: bool = False
    distributed: bool = False
    may_drop_rows: bool = False
    sources: bool = True
    file: int | None = None


PLAIN_TABLE = Traits()
