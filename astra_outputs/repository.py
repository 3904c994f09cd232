"""`Outputs`: saves records and reads them back. The one module that users write against."""

from __future__ import annotations

import os
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar, Unpack
from weakref import WeakSet

from astra_outputs.errors import Misused, WrongRecordClass
from astra_outputs.model.given import plain
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.record import Record
from astra_outputs.model.version import parse_major_minor
from astra_outputs.postgres.database import Connection, Database
from astra_outputs.reading.by_key import row_by_id, row_by_key
from astra_outputs.reading_calls import ReadingCalls
from astra_outputs.saving.one_row import save_one
from astra_outputs.saving.options import Guards, SaveOptions, SaveWith
from astra_outputs.saving.report import SaveReport
from astra_outputs.saving.store import Store
from astra_outputs.viewing_calls import ViewingCalls
from astra_outputs.working_calls import WorkingCalls

if TYPE_CHECKING:
    from astra_outputs.saving.reader import Records
    from astra_outputs.tables.report import TableReport

R = TypeVar("R", bound=Record)
P = TypeVar("P", bound=PipelineOutputMixin)


class Outputs(ReadingCalls, ViewingCalls, WorkingCalls):
    """The results in one database schema.

    Made by `connect`, entered by `async with`. Calls may run at the same time, each on a connection
    of its own; on a caller's own connection, one after the other.
    """

    def __init__(self, database: Database, reading: Database | None = None) -> None:
        self.store = Store(database, reading=reading)
        """The schema as the modules below need it; for whoever builds on this package."""
        self.runs = WeakSet()

    def __repr__(self) -> str:
        return f"Outputs({self.store.database.where}, schema={self.schema!r})"

    async def __aenter__(self) -> Self:
        await self.store.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            for run in list(self.runs):
                await run.aclose()
        finally:
            await self.store.close()

    def __enter__(self) -> NoReturn:
        raise Misused("connect(...) is for `async with`; for `with` there is astra_outputs.open(...)")

    def __exit__(self, *_: object) -> None:
        """Is never reached."""

    def __await__(self) -> NoReturn:
        raise Misused(
            "connect(...) is not awaited: enter it by `async with astra_outputs.connect(...) as outputs`, "
            "or without async by `with astra_outputs.open(...) as outputs`"
        )

    @property
    def schema(self) -> str:
        """The database schema that holds the tables."""
        return self.store.schema

    async def save(
        self,
        record: R,
        *,
        keep_newer: bool = False,
        skip_unchanged: bool = False,
        only_given: bool = False,
    ) -> R:
        """Store one record and return it: a new row, or in place of the one with the same key.

        Afterwards the record carries `task_pk` (or `pk`), `created` and `modified` as stored, and
        `record.outcome` says what happened.

        Parameters
        ----------
        record : Record
            A pipeline's result, a source or a spectrum.
        keep_newer : bool
            Leave a stored result of a newer patch version as it is (outcome: kept).
        skip_unchanged : bool
            Leave a stored row that is the same, times aside, as it is (outcome: unchanged).
        only_given : bool
            Of a row that is stored already, replace only the columns that the record was given.

        Raises
        ------
        InvalidRecord
            If the record has no key.
        UnknownReference
            If its source or spectrum is not stored.
        SchemaMismatch
            If the database lacks the table or a column of it.
        ConnectionLost
            If the server stays away for longer than the retry budget.
        """
        await save_one(self.store, record, Guards(keep_newer, skip_unchanged), only_given=only_given)
        return record

    async def save_many(self, records: Records, **options: Unpack[SaveWith]) -> SaveReport:
        """Store any number of records of one class; returns one outcome for each, in order.

        While the server stores one batch the next one is read; a slow source is not read ahead.

        Parameters
        ----------
        records : iterable or async iterable of Record
            Read in batches; never held as a whole (but with `atomic`, until the end).
        **options
            `batch_size` (2,000 unless given), `atomic`, `duplicates`, `on_error`, `connections`, `keep_newer`,
            `skip_unchanged`, `only_given`: `astra_outputs.SaveOptions` describes them.

        Raises
        ------
        DuplicateKey
            If two records have the same key. Batches before the second one stay stored.
        WrongRecordClass
            If something in the stream is not of the class of the first record.
        InvalidRecord
            If a record has no key.
        UnknownReference, SchemaMismatch, ConnectionLost
            As in `save`. Batches stored before stay stored (unless `atomic`); a note on any error
            says which records these are.
        ValueError
            If an option makes no sense.
        """
        from astra_outputs.saving.stream import save_records

        return await save_records(self.store, records, SaveOptions(**options))

    async def save_table(
        self,
        record_class: type[PipelineOutputMixin],
        table: Any,
        *,
        v_astra: Any = None,
        **options: Unpack[SaveWith],
    ) -> TableReport:
        """Store the rows of a table, checked and sent column by column.

        What is stored, and what is refused, is the same as if each row had gone through
        `from_spectrum` and `save_many`. All values are checked before the first row is stored.

        Parameters
        ----------
        record_class : type[PipelineOutputMixin]
        table : pyarrow.Table, pandas.DataFrame, polars.DataFrame, astropy.table.Table or mapping
            Or an Arrow stream, and whatever gives itself out as one (DuckDB); a FITS table (`hdu.data`), a
            structured array, a list of dictionaries. Columns by name: `spectrum_pk`, one a row, and any of
            the others (a named index of pandas is one); one that is not there is stored as in a record that
            gives no value. `flag_` columns of True and False set or clear
            bits. A mapping gives for each name an array, masked array, list, pair (values, mask), or
            one value for all rows. NaN and masked values are NULL. A unit that astropy knows of must
            be the column's.
        v_astra : int, str or array of them, optional
            The version, where the table has no such column; else as in `from_spectrum`.
        **options
            As in `save_many`, but for `batch_size`, which is 10,000 unless given.

        Returns
        -------
        TableReport
            Outcomes, `task_pk`, `created` and `modified`, in the order of the table.

        Raises
        ------
        InvalidRecord
            If values do not fit their columns: the first are named by row and column, the others
            counted. Also if a column is unknown, missing, read-only, or of another length.
        DuplicateKey
            If two rows have the same key. Nothing is stored.
        WrongRecordClass
            If it is not a class of results, or has rules that only its records know.
        UnknownReference, SchemaMismatch, ConnectionLost
            As in `save`. Batches stored before stay stored (unless `atomic`); a note on the error
            says how many rows that is.
        ValueError
            If an option makes no sense.
        """
        from astra_outputs.tables.save import save_table

        options.setdefault("batch_size", 10_000)
        return await save_table(self.store, record_class, table, v_astra, SaveOptions(**options))

    async def get_by_id(self, record_class: type[R], pk: int) -> R | None:
        """Return the row with this `task_pk` (or `pk`), or None if there is none."""
        return await row_by_id(self.store.database, record_class, pk)

    async def get_result(
        self, record_class: type[P], spectrum: Any, *, v_astra: int | str | None = None
    ) -> P | None:
        """Return a pipeline's result for one spectrum, or None if there is none.

        Parameters
        ----------
        record_class : type[PipelineOutputMixin]
        spectrum : object or int
            A spectrum, or its `spectrum_pk`.
        v_astra : int or str, optional
            Any version with the wanted major.minor, as 8001 or "0.8.1"; the newest result where
            none is given.
        """
        spectrum_pk = plain(getattr(spectrum, "spectrum_pk", spectrum))
        if not isinstance(spectrum_pk, int):
            raise WrongRecordClass(
                f"{type(spectrum).__name__} is not a stored spectrum: it has no spectrum_pk"
            )
        if v_astra is None:
            return await row_by_key(
                self.store.database, record_class, {"spectrum_pk": spectrum_pk}, newest=True
            )
        key = {"spectrum_pk": spectrum_pk, "v_astra_major_minor": parse_major_minor(v_astra)}
        return await row_by_key(self.store.database, record_class, key)


def connect(
    dsn: str | None = None,
    *,
    schema: str = "astra",
    connection: Connection | None = None,
    connections: int = 4,
    retry_for: float = 60.0,
    read_dsn: str | None = None,
    **options: Any,
) -> Outputs:
    """Return the results in one database schema, to be entered by `async with`.

    Parameters
    ----------
    dsn : str, optional
        As libpq reads it: `postgresql://user@host:5432/database`. Where none is given,
        `ASTRA_OUTPUTS_DSN`, else the `PG*` variables.
    schema : str
        The database schema that holds the tables.
    connection : asyncpg.Connection, optional
        Your own connection, used instead of new ones: work joins the transaction open on it, and
        it is left open afterwards.
    connections : int
        Most connections open at once.
    retry_for : float
        Seconds for which a transaction is tried again after a passing failure (a lost connection, a
        server that restarts, a deadlock).
    read_dsn : str, optional
        Another server, which follows that of `dsn` (a streaming standby): `find`, `stream`, `columns`, `export`
        and `verify` ask it, and see what has arrived there. All else asks the first.
    options
        Passed on to asyncpg: `password`, `ssl`, `timeout`, `statement_cache_size`, ... The last one is
        0 where a pooler answers, unless given.

    Raises
    ------
    InvalidName
        If PostgreSQL would cut the name of the schema or cannot hold it.
    CannotConnect
        On entering, if no server answers or it refuses this user; or if `read_dsn` is no copy of the database.
    Misused
        If both a connection of your own and `read_dsn` are given.
    SchemaMismatch
        On entering, if the schema does not exist.

    Examples
    --------
    >>> async with astra_outputs.connect("postgresql://localhost/survey") as outputs:
    ...     await outputs.save(result)
    """
    if connection is None and dsn is None:
        dsn = os.environ.get("ASTRA_OUTPUTS_DSN")
    if connection is not None and read_dsn is not None:
        raise Misused("your own connection is read from, too: leave read_dsn out, or connection")
    limits: dict[str, Any] = {"schema": schema, "connections": connections, "retry_for": retry_for}
    database = Database(dsn, connection=connection, **limits, **options)
    return Outputs(database, None if read_dsn is None else Database(read_dsn, **limits, **options))
