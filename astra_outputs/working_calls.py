"""`WorkingCalls`: the calls of `Outputs` with which pipelines are run over spectra."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack
from weakref import WeakSet

from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.record import Record
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.reading.pending import Pending, Redo, Shard
from astra_outputs.saving.store import Store

if TYPE_CHECKING:
    from astra_outputs.spool.replay import ReplayReport
    from astra_outputs.work import Run
    from astra_outputs.work.driving import Pipeline
    from astra_outputs.work.options import RunWith

R = TypeVar("R", bound=Record)
S = TypeVar("S", bound=SpectrumMixin)


class WorkingCalls:
    """What waits for a pipeline, and the pipeline's runs."""

    store: Store
    runs: WeakSet[Run[Any]]
    """Those that are under way, perhaps: they end with the repository."""

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
        self.runs.add(run)
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
