"""`Outputs`: saves records and reads them back. The one module that users write against."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar, Unpack
from weakref import WeakSet

from astra_outputs.errors import Misused, WrongRecordClass
from astra_outputs.model.given import plain
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.record import Record
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.model.version import parse_major_minor
from astra_outputs.postgres.database import Connection, Database
from astra_outputs.reading.by_key import row_by_id, row_by_key
from astra_outputs.reading.find import Finding
from astra_outputs.reading.outputs import Choice
from astra_outputs.reading.pending import Pending, Redo, Shard
from astra_outputs.reading.question import Asked, Question
from astra_outputs.saving.one_row import save_one
from astra_outputs.saving.options import Guards, SaveOptions, SaveWith
from astra_outputs.saving.report import SaveReport
from astra_outputs.saving.store import Store

if TYPE_CHECKING:
    from astra_outputs.export.export import ExportReport
    from astra_outputs.export.verify import Verified
    from astra_outputs.reading.columns import Columns
    from astra_outputs.reading.history import Change
    from astra_outputs.saving.reader import Records
    from astra_outputs.spool.replay import ReplayReport
    from astra_outputs.tables.report import TableReport
    from astra_outputs.work import Run
    from astra_outputs.work.driving import Pipeline
    from astra_outputs.work.options import RunWith

R = TypeVar("R", bound=Record)
P = TypeVar("P", bound=PipelineOutputMixin)
S = TypeVar("S", bound=SpectrumMixin)


class Outputs:
    """The results in one database schema.

    Made by `connect`, entered by `async with`. Calls may run at the same time, each on a connection
    of its own; on a caller's own connection, one after the other.
    """

    def __init__(self, database: Database) -> None:
        self.store = Store(database)
        """The schema as the modules below need it; for whoever builds on this package."""
        self._runs: WeakSet[Run[Any]] = WeakSet()

    def __repr__(self) -> str:
        return f"Outputs({self.store.database.where}, schema={self.schema!r})"

    async def __aenter__(self) -> Self:
        await self.store.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            for run in list(self._runs):
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

    async def find(
        self,
        record_class: type[R],
        condition: str | None = None,
        *parameters: Any,
        spectrum: bool = False,
        source: bool = False,
        **asked: Unpack[Asked],
    ) -> list[R]:
        """Return the records under a condition: results, spectra or sources.

        What the database holds is not validated again.

        Parameters
        ----------
        record_class : type[Record]
        condition : str, optional
            One SQL expression over the columns of the record, of its spectrum (`spectrum.snr > 50`) and
            of its source (`source.g_mag < 15`), with flags by their names (`not flag_low_snr`) and `$1`,
            `$2`, ... or `:name` where values stand.
        *parameters
            These values; or one mapping of the names to them. They are sent beside the statement.
        spectrum, source : bool
            Bring along the spectrum of a result as `result.spectrum`, the source of a result or
            spectrum as `result.source`; None where there is none.
        **asked
            `newest`, `v_astra`, `on`, `near`, `order_by`, `limit`, `spectrum_class`:
            `astra_outputs.Asked` describes them.

        Raises
        ------
        InvalidCondition
            If the condition is anything else than one expression over known columns and allowed
            functions, or parameters are missing or left over, or another option makes no sense.
        UnknownColumn, AmbiguousFlag
            If a name in it is no column and no flag; the nearest name is suggested.
        SchemaMismatch, PermissionDenied, ConnectionLost
            As with any other call.

        Examples
        --------
        >>> hot = await outputs.find(SnowWhite, "teff > $1 and not flag_low_snr", 20_000, newest=True)
        """
        return await self._finding(record_class, condition, parameters, spectrum, source, asked).all(
            self.store.database
        )

    def stream(
        self,
        record_class: type[R],
        condition: str | None = None,
        *parameters: Any,
        spectrum: bool = False,
        source: bool = False,
        **asked: Unpack[Asked],
    ) -> AsyncIterator[R]:
        """Yield the records that `find` would return, read while you go: memory stays flat.

        All of them as they were when the first was read. The connection is held until the end, or until
        the iterator is closed; on your own connection a transaction must be open.

        Examples
        --------
        >>> async for result in outputs.stream(TheCannon, "source.g_mag < $1", 15, source=True):
        ...     print(result.source.sdss_id, result.teff)
        """
        return self._finding(record_class, condition, parameters, spectrum, source, asked).stream(
            self.store.database
        )

    def columns(
        self,
        record_class: type[Record],
        condition: str | None = None,
        *parameters: Any,
        columns: Sequence[str] | None = None,
        spectrum: Choice = False,
        source: Choice = False,
        connections: int = 1,
        **asked: Unpack[Asked],
    ) -> Columns:
        """Return an answer as columns, to be awaited in the form of the library that you work with.

        `to_arrow()`, `to_pandas()`, `to_polars()`, `to_astropy()`, `to_numpy()`, or `batches()` to read
        more than fits into memory. Units, descriptions and the meanings of flags come along.

        Parameters
        ----------
        record_class, condition, *parameters, **asked
            As in `find`.
        columns : sequence of str, optional
            The columns, also of the spectrum (`"spectrum.snr"`) and of the source; all of the rows' own
            where none are given.
        spectrum, source : bool or sequence of str
            All columns of the spectrum and the source besides, or these.
        connections : int
            Connections to read on, which see the same rows and share the table's pages. One is used
            where rows have an order or a limit, and where a pooler stands between.

        Raises
        ------
        InvalidCondition, UnknownColumn, AmbiguousFlag
            As in `find`.
        MissingExtra
            When awaited, if the library is not installed.
        SchemaMismatch
            When awaited, if a column of the table is of another type.

        Examples
        --------
        >>> frame = await outputs.columns(TheCannon, newest=True, source=["g_mag"]).to_pandas()
        """
        from astra_outputs.reading.columns import Columns

        return Columns.of(
            self.store.database,
            record_class,
            condition,
            parameters,
            asked,
            columns=columns,
            spectrum=spectrum,
            source=source,
            connections=connections,
        )

    async def export(
        self,
        record_class: type[Record],
        file: Path | str,
        condition: str | None = None,
        *parameters: Any,
        columns: Sequence[str] | None = None,
        overwrite: bool = False,
        upper: bool = False,
        connections: int = 1,
        progress: Callable[[int, int], None] | None = None,
        **asked: Unpack[Asked],
    ) -> ExportReport:
        """Write an answer to a file of the kind that its ending says, streamed, and return what was written.

        Results come with the columns of their spectra and sources, in the order source, spectrum, pipeline.
        The file has its name once it is complete.

        Parameters
        ----------
        record_class, condition, *parameters, **asked
            As in `find`; `spectrum_class` may be several, each of which is a table of a FITS file.
        file : Path or str
            `.fits`, `.fits.gz`, `.parquet`, `.csv` or `.ecsv`.
        columns : sequence of str, optional
            The columns, in this order: `"teff"`, `"spectrum.snr"`, `"source.ra"`.
        overwrite : bool
            Replace a file of this name.
        upper : bool
            Write the names of columns in upper case.
        connections : int
            Connections to read on; see `columns`.
        progress : callable, optional
            Is told, after each batch, how many rows are written and how many there will be.

        Raises
        ------
        InvalidCondition, UnknownColumn, AmbiguousFlag, WrongRecordClass
            As in `columns`.
        FileExists
            If there is such a file.
        NoRows
            If no row is as asked for.
        InvalidFile
            If the ending is unknown, or there are more columns than the format takes.
        MissingExtra
            If the library that writes such files is not installed.
        CannotWrite
            If the disk is full, or the folder is not there. Nothing is left of the file.

        Examples
        --------
        >>> await outputs.export(ASPCAP, "astraAllStarASPCAP-0.8.fits", v_astra="0.8")
        """
        from astra_outputs.export.export import export

        return await export(
            self.store.database,
            record_class,
            file,
            condition,
            parameters,
            asked,
            columns=columns,
            overwrite=overwrite,
            upper=upper,
            connections=connections,
            progress=progress,
        )

    async def verify(self, record_class: type[Record], file: Path | str, **asked: Unpack[Asked]) -> Verified:
        """Compare a FITS file that `export` wrote with the database, value by value.

        The rows of the file are looked up by their keys; which of them differ, in which columns, and which
        are gone, is in what is returned.

        Parameters
        ----------
        record_class : type[Record]
        file : Path or str
            `.fits` or `.fits.gz`.
        **asked
            `spectrum_class`, where the record class does not say of which kind its spectra are.

        Raises
        ------
        UnreadableFile
            If it is no such file, is cut off, or lacks the key of the rows.
        """
        from astra_outputs.export.verify import verify

        return await verify(self.store.database, record_class, Path(file), asked)

    def _finding(
        self,
        record_class: type[R],
        condition: str | None,
        parameters: tuple[Any, ...],
        spectrum: bool,
        source: bool,
        asked: Asked,
    ) -> Finding[R]:
        question = Question.of(record_class, condition, parameters, asked)
        return Finding.of(record_class, question, spectrum=spectrum, source=source)

    async def history(self, result: P) -> list[Change[P]]:
        """Return each time that a stored result was replaced or deleted, the latest first.

        Where the schema keeps its history (schema/add-ons/history.sql), from then on.

        Raises
        ------
        InvalidRecord
            If the result was never stored.
        SchemaMismatch
            If the schema keeps no history.
        WrongRecordClass
            If it is not a pipeline's result.

        Examples
        --------
        >>> for change in await outputs.history(result):
        ...     print(change.time, change.user, change.changed)
        """
        from astra_outputs.reading.history import history_of

        return await history_of(self.store.database, result)

    def pending(
        self,
        record_class: type[PipelineOutputMixin],
        spectrum_class: type[S],
        *,
        v_astra: int | str | None = None,
        shard: Shard | None = None,
        limit: int | None = None,
        redo: Redo | None = None,
        sdss_ids: Iterable[int] | None = None,
    ) -> AsyncIterator[S]:
        """Yield the spectra that wait for a pipeline, in the order of their keys.

        Those without a result of this major.minor, and those stored again after their result was.
        Read a page at a time; what other workers store meanwhile is left out of later pages.

        Parameters
        ----------
        record_class : type[PipelineOutputMixin]
            What the pipeline makes.
        spectrum_class : type[SpectrumMixin]
            What it makes it from.
        v_astra : int or str, optional
            The version to be made; the configured one (`using_version`) where none is given.
        shard : tuple[int, int], optional
            (i, n): one of n shares, counted from 0, that have no spectrum in common.
        limit : int, optional
            Most spectra to yield.
        redo : {"older", "all"}, optional
            Those with a result as well, if it was made by an older patch of the version, or by any.
        sdss_ids : iterable of int, optional
            Only spectra of these stars.

        Raises
        ------
        WrongRecordClass
            If one of the classes is of another kind.
        ValueError
            If the shard, the limit or the version makes no sense.
        """
        asked = Pending.of(record_class, spectrum_class, v_astra, shard, limit, redo, sdss_ids)
        return asked.stream(self.store.database)

    async def count_pending(
        self,
        record_class: type[PipelineOutputMixin],
        spectrum_class: type[SpectrumMixin],
        *,
        v_astra: int | str | None = None,
        shard: Shard | None = None,
        redo: Redo | None = None,
        sdss_ids: Iterable[int] | None = None,
    ) -> int:
        """Return how many spectra `pending` would yield; the server counts, no row is sent."""
        asked = Pending.of(record_class, spectrum_class, v_astra, shard, None, redo, sdss_ids)
        return await asked.count(self.store.database)

    def run(
        self, pipeline: Pipeline[R], spectra: Iterable[Any] | AsyncIterable[Any], **options: Unpack[RunWith]
    ) -> Run[R]:
        """Run a pipeline over spectra and store what it makes; nothing that is finished gets lost.

        Iterate over what is returned (`async for record in outputs.run(...)`) to get each record once
        it is safe: stored, or on the disk with the outcome "spooled". Or await it for the report.

        Parameters
        ----------
        pipeline : generator function, plain or async
            Takes the spectra as an iterator and yields records, or `...` after time spent on what
            they have in common. A plain one runs in a thread of its own, an async one in the event
            loop. Each record gets `t_elapsed` and `t_overhead` [s], unless the pipeline sets them.
        spectra : iterable or async iterable
            `outputs.pending(...)`, for example.
        **options
            `v_astra`, `batch_size`, `max_age`, `processes`, `on_error`, `spool` and others:
            `astra_outputs.work.RunOptions` describes them.

        Raises
        ------
        PipelineFailed
            If the pipeline fails and no spectrum is to blame, or on too many, or `on_error` is "raise".
        WrongRecordClass
            If it yields something else, or cannot be run in another process.
        SpoolFull
            If neither the database nor the spool takes the results.
        DatabaseError
            If the database refuses whole batches; their records are in the spool.
        """
        from astra_outputs.work import Run, RunOptions

        run = Run(self.store, pipeline, spectra, RunOptions(**options))
        self._runs.add(run)
        return run

    async def replay(
        self,
        *folders: Path | str,
        record_classes: Iterable[type[Record]] = (),
        rejected: bool = False,
        trust: bool = False,
    ) -> ReplayReport:
        """Store what `run` left on the disk while the database was away; may be repeated at will.

        A row that was stored later than a spooled result was made stays as it is (outcome: kept).

        Parameters
        ----------
        *folders : Path or str
            Several at once where they may hold results of the same spectra: the newest stays.
        record_classes : iterable of type[Record]
            Classes for the tables of the records, besides the built-in ones and those that are imported
            already. What a file names is never imported.
        rejected : bool
            Try once more what the database refused before: its table was mended.
        trust : bool
            Accept a folder or file that belongs to another user, or that others can write to.

        Raises
        ------
        UntrustedSpool
            If a folder belongs to another user, or others can write to it. Nothing is stored.
        ConnectionLost
            If the server stays away; what is not stored stays where it is.
        """
        from astra_outputs.spool.folder import Spool
        from astra_outputs.spool.replay import replay

        spools = [Spool(folder, trust=trust) for folder in folders]
        return await replay(self.store, spools, record_classes, rejected=rejected)


def connect(
    dsn: str | None = None,
    *,
    schema: str = "astra",
    connection: Connection | None = None,
    connections: int = 4,
    retry_for: float = 60.0,
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
    options
        Passed on to asyncpg: `password`, `ssl`, `timeout`, `statement_cache_size`, ... The last one is
        0 where a pooler answers, unless given.

    Raises
    ------
    InvalidName
        If PostgreSQL would cut the name of the schema or cannot hold it.
    CannotConnect
        On entering, if no server answers or it refuses this user.
    SchemaMismatch
        On entering, if the schema does not exist.

    Examples
    --------
    >>> async with astra_outputs.connect("postgresql://localhost/survey") as outputs:
    ...     await outputs.save(result)
    """
    if connection is None and dsn is None:
        dsn = os.environ.get("ASTRA_OUTPUTS_DSN")
    database = Database(
        dsn, connection=connection, schema=schema, connections=connections, retry_for=retry_for, **options
    )
    return Outputs(database)
