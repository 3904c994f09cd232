"""`ViewingCalls`: the calls of `Outputs` whose answers are looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.record import Record
from astra_outputs.reading.question import Asked
from astra_outputs.saving.store import Store

if TYPE_CHECKING:
    from astra_outputs.compare.comparison import Comparison
    from astra_outputs.plots.picture import Picture
    from astra_outputs.reading.history import Change
    from astra_outputs.report.report import ReportPage

P = TypeVar("P", bound=PipelineOutputMixin)


class ViewingCalls:
    """Pictures of the results in one schema, comparisons of versions, and what a result was before."""

    store: Store

    async def compare(
        self,
        record_class: type[PipelineOutputMixin],
        old: str | int,
        new: str | int,
        condition: str | None = None,
        *parameters: Any,
        against: type[PipelineOutputMixin] | None = None,
        columns: str | Sequence[str] | None = None,
        distributions: bool = True,
        **asked: Unpack[Asked],
    ) -> Comparison:
        """Return how the results of the same spectra differ: two versions, or two pipelines.

        The server does the sums, all at one moment; no row is sent.

        Parameters
        ----------
        record_class : type[PipelineOutputMixin]
        old, new : str or int
            The two versions, as "0.7" and "0.8".
        condition, *parameters
            As in `find`: which of the new results are compared.
        against : type[PipelineOutputMixin], optional
            The class of the new results, where they are another pipeline's.
        columns : str or sequence of str, optional
            Columns that both have; all of them where None, but keys, times and timings.
        distributions : bool
            Count, too, how the differences are distributed, of the columns that differ in most spectra: what
            `comparison.plot()` draws of each. The server reads both sides once more for it.
        **asked
            `on`, `near` and `spectrum_class`, as in `find`.

        Raises
        ------
        NoRows
            If there are no results of one of the versions, or no spectrum has both.
        InvalidCondition
            If both versions are the same, or as in `find`.
        UnknownColumn
            If one of the two has no such column; the nearest is suggested.
        WrongRecordClass
            If it is no class of results.

        Examples
        --------
        >>> comparison = await outputs.compare(TheCannon, "0.7", "0.8", "spectrum.snr > $1", 100)
        >>> comparison["teff"].median, comparison["teff"].scatter
        """
        from astra_outputs.compare.compare import compare

        return await compare(
            self.store.reading,
            record_class,
            old,
            new,
            condition,
            parameters,
            asked,
            against=against,
            columns=columns,
            distributions=distributions,
        )

    async def plot(
        self,
        record_class: type[Record],
        kind: str,
        condition: str | None = None,
        *parameters: Any,
        columns: str | Sequence[str] = (),
        colour: str | None = None,
        style: str | Path | None = None,
        title: str | None = None,
        connections: int = 1,
        **asked: Unpack[Asked],
    ) -> Picture:
        """Return a picture of an answer: a notebook shows it, `picture.save("kiel.png")` writes it to a file.

        Dots where results are few, a density where they are many. Of each spectrum the newest result is
        drawn where no version is asked for.

        Parameters
        ----------
        record_class, condition, *parameters, **asked
            As in `find`.
        kind : str
            `"kiel"`: log g against Teff; `"hr"`: absolute magnitude in Gaia's G, of stars with a precise
            parallax, against Teff, or against BP - RP where there is none; `"xy"`: one column against
            another; `"hist"`: how a column is distributed; `"sky"`: positions; `"timing"`: the time that
            results took; `"coverage"`: how many spectra of each version have a result, and how many wait.
        columns : str or sequence of str
            Two for `"xy"`, one for `"hist"`; also of the spectrum (`"spectrum.snr"`) and of the source.
        colour, style, title
            As in `Columns.plot`.
        connections : int
            Connections to read on; see `columns`.

        Raises
        ------
        InvalidPicture
            If there is no such kind or style, or nothing to draw.
        UnknownColumn
            If the table has no column of those that it is made of; the nearest is suggested.
        InvalidCondition, AmbiguousFlag, WrongRecordClass
            As in `find`.
        MissingExtra
            If matplotlib is not installed.

        Examples
        --------
        >>> picture = await outputs.plot(ASPCAP, "kiel", "spectrum.snr > $1", 100, v_astra="0.8")
        >>> picture.save("kiel.pdf")
        """
        from astra_outputs.reading.plot import plot

        return await plot(
            self.store.reading,
            record_class,
            kind,
            condition,
            parameters,
            asked,
            columns=columns,
            colour=colour,
            style=style,
            title=title,
            connections=connections,
        )

    async def report(
        self,
        file: Path | str,
        *record_classes: type[Record],
        spool: Path | str | Iterable[Path | str] | None = None,
        pictures: bool = True,
        compared: bool = True,
        overwrite: bool = False,
    ) -> ReportPage:
        """Write a page that shows how far the pipelines are, and what the database is like.

        One HTML file that needs no other, and asks no network: coverage by pipeline and version, what was
        written when, what waits on workers' disks and what failed, flags by frequency, Kiel diagrams, the biggest
        changes between versions; sizes, dead rows and vacuums of tables, use of indexes, and the slowest statements where `pg_stat_statements` is installed. The server counts
        all results for it. What this user may not see is left out, and the page says so.

        Parameters
        ----------
        file : Path or str
            The page; it has its name once it is complete.
        *record_classes : type[Record]
            Pipelines to show, and kinds of spectra that they work on; of either all that are built in where none is
            given.
        spool : Path or str, or iterable of these, optional
            The workers' folders: results that wait there are counted, and spectra on which a pipeline failed.
        pictures : bool
            Draw Kiel diagrams; they read all results of the newest versions.
        compared : bool
            Compare the newest version of each pipeline with the one before.
        overwrite : bool
            Replace a file of this name.

        Raises
        ------
        FileExists
            If there is such a file, and `overwrite` is not set.
        CannotWrite
            If the disk is full, or the folder is not there.
        CannotConnect, ConnectionLost
            If the server goes away.

        Examples
        --------
        >>> page = await outputs.report("report.html", spool="astra-outputs-spool")
        >>> print(page)
        """
        from astra_outputs.report.report import report

        return await report(
            self.store,
            file,
            record_classes,
            spool=spool,
            pictures=pictures,
            compared=compared,
            overwrite=overwrite,
        )

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
