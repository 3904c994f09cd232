"""`ReadingCalls`: the calls of `Outputs` that answer a question, as records, as columns or as a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from astra_outputs.errors import UnreadableFile
from astra_outputs.model.record import Record
from astra_outputs.reading.find import Finding
from astra_outputs.reading.outputs import Choice
from astra_outputs.reading.question import Asked, Question
from astra_outputs.saving.store import Store

if TYPE_CHECKING:
    from astra_outputs.export.export import ExportReport
    from astra_outputs.export.products import Product
    from astra_outputs.export.verify import Verified
    from astra_outputs.reading.columns import Columns

R = TypeVar("R", bound=Record)


class ReadingCalls:
    """What can be asked of the results in one schema."""

    store: Store

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
            self.store.reading
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
            self.store.reading
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
            self.store.reading,
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
        record_class: type[Record] | Product | str,
        file: Path | str | None = None,
        condition: str | None = None,
        *parameters: Any,
        columns: Sequence[str] | None = None,
        overwrite: bool = False,
        upper: bool = False,
        casjobs: bool = False,
        connections: int = 1,
        progress: Callable[[int, int], None] | None = None,
        **asked: Unpack[Asked],
    ) -> ExportReport:
        """Write an answer to a file of the kind that its ending says, streamed, and return what was written.

        Results come with the columns of their spectra and sources, in the order source, spectrum, pipeline.
        The file has its name once it is complete.

        Parameters
        ----------
        record_class : type[Record] or str
            Whose rows; or the name of a file of a release: "mwmTargets", "mwmAllStar", "mwmAllVisit",
            "astraAllStarASPCAP", "astraAllVisitSnowWhite" and so on, of the version `v_astra`, else of the
            configured one.
        file : Path or str
            `.fits`, `.fits.gz`, `.parquet`, `.csv` or `.ecsv`. A file of a release has a name of its own
            (`mwmAllStar-0.8.fits.gz`) where none is given, or a folder is.
        condition, *parameters, **asked
            As in `find`; `spectrum_class` may be several, each of which is a table of a FITS file.
        columns : sequence of str, optional
            The columns, in this order: `"teff"`, `"spectrum.snr"`, `"source.ra"`.
        overwrite : bool
            Replace a file of this name.
        upper : bool
            Write the names of columns in upper case.
        casjobs : bool
            Write the definition of the tables for CasJobs, SQL Server's types with units and descriptions
            in comments, beside the file, with the ending `.sql`.
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
        MissingVersion
            If a file of a release is asked for, and no version is given or configured.
        MissingExtra
            If the library that writes such files is not installed.
        CannotWrite
            If the disk is full, or the folder is not there. Nothing is left of the file.

        Examples
        --------
        >>> await outputs.export(ASPCAP, "cool.parquet", "teff < $1", 4000, v_astra="0.8")
        >>> await outputs.export("astraAllStarASPCAP", v_astra="0.8")
        """
        from astra_outputs.export.export import export

        return await export(
            self.store.reading,
            record_class,
            file,
            condition,
            parameters,
            asked,
            columns=columns,
            overwrite=overwrite,
            upper=upper,
            casjobs=casjobs,
            connections=connections,
            progress=progress,
        )

    async def verify(
        self,
        record_class: type[Record] | Path | str,
        file: Path | str | None = None,
        *,
        record_classes: Iterable[type[Record]] = (),
        **asked: Unpack[Asked],
    ) -> Verified:
        """Compare a file that `export` wrote with the database, value by value: `outputs.verify(file)`.

        The rows of the file are looked up by their keys; which of them differ, in which columns, which are
        gone, and which came later, is in what is returned.

        Parameters
        ----------
        record_class : type[Record], optional
            What the rows are, where the file does not say; else the file comes first.
        file : Path or str
            `.fits`, `.fits.gz`, `.parquet`, `.csv` or `.ecsv`.
        record_classes : iterable of type[Record]
            Classes, besides the built-in ones, whose tables a file may name.
        **asked
            `spectrum_class`, where neither the file nor the record class says of which kind its spectra are.

        Raises
        ------
        UnreadableFile
            If it is no such file, is cut off, or lacks the key of the rows.
        MissingExtra
            If the library that reads such files is not installed.
        """
        from astra_outputs.export.verify import verify

        database = self.store.reading
        if isinstance(record_class, str | Path):
            return await verify(database, None, Path(record_class), asked, record_classes)
        if file is None:
            raise UnreadableFile("name the file that is to be compared: outputs.verify(file)")
        return await verify(database, record_class, Path(file), asked, [*record_classes, record_class])

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
