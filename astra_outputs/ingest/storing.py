"""Store batches of catalogue rows: sources, spectra, results; nothing of a row that is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

from astra_outputs.errors import InvalidRecord, Problem
from astra_outputs.ingest.known import Known, check_owner, key_of, put_on_top
from astra_outputs.ingest.report import IngestReport
from astra_outputs.ingest.star import Parts, Star
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.record import Record
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.records.source import Source

if TYPE_CHECKING:
    from astra_outputs.repository import Outputs

R = TypeVar("R", bound=Record)
V = TypeVar("V")

ANY_KEYS: Any = SimpleNamespace(spectrum_pk=1, source_pk=None)
"""Keys under which a result is checked before its spectrum has some."""


class Storing:
    """Stores the rows of one ingest.

    Parameters
    ----------
    outputs : Outputs, optional
        Where to store; without it rows are only checked.
    spectrum_class, result_class : type
        The tables to fill.
    version : int or str, optional
        Version of the results.
    report : IngestReport
        Told of every row.
    only_given : bool
        Leave of a stored result what a row does not say.
    """

    def __init__(
        self,
        outputs: Outputs | None,
        spectrum_class: type[SpectrumMixin],
        result_class: type[PipelineOutputMixin],
        version: int | str | None,
        report: IngestReport,
        *,
        only_given: bool = False,
    ) -> None:
        self._outputs, self._report, self._only_given = outputs, report, only_given
        self._spectrum_class, self._result_class = spectrum_class, result_class
        self._version = {} if version is None else {"v_astra": version}
        self._rows: dict[bytes, tuple[str, int]] = {}

    async def store(self, batch: Iterable[Star]) -> None:
        """Store one batch, or check it if there is no place to store it in."""
        rows = self._good(
            self._good({star: star for star in batch}, self._built), self._first_of_its_spectrum
        )
        if self._outputs is None:
            self._report.checked += len(rows)
            return
        known = await Known.of(self._outputs.store, rows.values())
        owners = self._good(rows, lambda _, records: known.owner(records.source))
        stored = {star: known.spectrum(rows[star].spectrum) for star in owners}
        owners = self._good(owners, lambda star, owner: check_owner(stored[star], owner))
        for star, owner in owners.items():
            if owner is not rows[star].source:
                put_on_top(owner, rows[star].source)
        sources = await self._save(owners, skip_unchanged=True)
        spectra = {star: _laid(stored[star], rows[star].spectrum, sources[star]) for star in sources}
        spectra = await self._save(spectra, skip_unchanged=True)
        results = {star: self._result(star, spectrum) for star, spectrum in spectra.items()}
        for result in (await self._save(results, only_given=self._only_given)).values():
            if result.outcome is not None:
                self._report.outcomes[result.outcome] += 1

    def _built(self, star: Star, _: Any) -> Parts:
        """Build all that a row becomes, so that it is refused as a whole or not at all."""
        problems: list[Problem] = []

        def built(build: Callable[[], R]) -> Any:
            try:
                return build()
            except InvalidRecord as error:
                problems.extend(error.problems)

        source = built(lambda: _with_key(Source(**star.source)))
        spectrum = built(lambda: _with_key(self._spectrum_class(**star.spectrum)))
        built(lambda: self._result(star, ANY_KEYS))
        if problems:
            raise InvalidRecord(self._result_class.table, tuple(problems))
        return Parts(source, spectrum)

    def _first_of_its_spectrum(self, star: Star, records: Parts) -> Parts:
        """Refuse a row whose spectrum another row had: one of the two results would be lost."""
        # A digest takes less memory than the key: this grows with every row.
        digest = blake2b(repr(key_of(records.spectrum)).encode(), digest_size=16).digest()
        file, row = self._rows.setdefault(digest, (star.file, star.row))
        if (file, row) != (star.file, star.row):
            raise _Refusal(
                f"the same spectrum as row {row} of {file}: leave one out, or map what tells the two spectra apart"
            )
        return records

    def _result(self, star: Star, spectrum: SpectrumMixin) -> PipelineOutputMixin:
        return self._result_class.from_spectrum(spectrum, **self._version, **star.result)

    async def _save(
        self, records: Mapping[Star, R], *, skip_unchanged: bool = False, only_given: bool = False
    ) -> dict[Star, R]:
        """Save records, of which several rows may share one, and return those that are stored."""
        if not records or self._outputs is None:
            return {}
        distinct = list({id(record): record for record in records.values()}.values())
        report = await self._outputs.save_many(
            distinct,
            on_error="collect",
            duplicates="last",
            skip_unchanged=skip_unchanged,
            only_given=only_given,
        )
        refused = {id(distinct[rejected.position]): rejected.reason for rejected in report.rejected}

        def stored(_: Star, record: R) -> R:
            if id(record) in refused:
                raise _Refusal(refused[id(record)])
            return record

        return self._good(records, stored)

    def _good(self, rows: Mapping[Star, Any], work: Callable[[Star, Any], V]) -> dict[Star, V]:
        """Return what becomes of each row, and refuse those of which nothing does."""
        found = {}
        for star, value in rows.items():
            try:
                found[star] = work(star, value)
            except InvalidRecord as error:
                for problem in error.problems:
                    self._report.refuse(star, problem.column, problem.value, problem.reason)
            except _Refusal as refusal:
                self._report.refuse(star, "", None, str(refusal))
        return found


class _Refusal(Exception):
    """A row that is refused as a whole, with the reason."""


def _with_key(record: R) -> R:
    """Return a record that has its natural key; without any it is refused."""
    record.key()
    return record


def _laid(known: SpectrumMixin | None, spectrum: SpectrumMixin, source: Source) -> SpectrumMixin:
    """Return the spectrum to store: the one that is known, with what the row says besides."""
    spectrum.source_pk = source.pk
    if known is None:
        return spectrum
    put_on_top(known, spectrum)
    return known
