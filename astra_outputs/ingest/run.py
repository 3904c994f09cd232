"""Store catalogue rows: first their sources, then their spectra, then the results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

from astra_outputs.errors import InvalidRecord, UnreadableFile
from astra_outputs.ingest.build import Values, values_of
from astra_outputs.ingest.files import read_rows
from astra_outputs.ingest.mapping import Mapping
from astra_outputs.ingest.report import IngestReport, Refused
from astra_outputs.records.base import Outcome, Record
from astra_outputs.records.pipeline import PipelineOutputMixin
from astra_outputs.records.source import Source
from astra_outputs.records.spectrum import SpectrumMixin

if TYPE_CHECKING:
    from astra_outputs.repository import Outputs

R = TypeVar("R", bound=Record)
BATCH = 500


@dataclass(eq=False)
class Star:
    """One row of a file on its way: what it says of its source, its spectrum and its result."""

    file: str
    row: int
    source: Values
    spectrum: Values
    result: Values

    def join(self, other: Star) -> list[Refused]:
        """Take over what another row of the same star says besides; returns where the two differ."""
        differences = []
        for mine, others in ((self.source, other.source), (self.result, other.result)):
            for name, value in others.items():
                if mine.setdefault(name, value) != value:
                    reason = f"differs from {mine[name]} of row {self.row} of {self.file}, which stays"
                    differences.append(Refused(other.file, other.row, name, value, reason))
        return differences


class Reader:
    """Reads files by a mapping, and keeps account of the rows that it refuses or passes over."""

    def __init__(
        self,
        mapping: Mapping,
        spectrum_class: type[SpectrumMixin],
        result_class: type[PipelineOutputMixin],
        report: IngestReport,
    ) -> None:
        mapping.check(spectrum_class, result_class)
        self.mapping, self.report = mapping, report
        self._classes: tuple[type[Record], ...] = (Source, spectrum_class, result_class)

    def stars(self, files: Iterable[Path], limit: int | None) -> Iterator[Star]:
        """Yield every row with a value that the mapping requires; rows of one star as one, if merged."""
        rows = islice(self._rows(files), limit)
        return self._merged(rows) if self.mapping.merge else rows

    def _rows(self, files: Iterable[Path]) -> Iterator[Star]:
        for file in files:
            for number, row in enumerate(read_rows(file), start=1):
                self.report.read += 1
                star = self._star(file, number, row)
                if star is not None:
                    yield star

    def _star(self, file: Path, number: int, row: dict[str, Any]) -> Star | None:
        columns = (self.mapping.source, self.mapping.spectrum, self.mapping.result)
        values: list[Values] = []
        for record_class, origins in zip(self._classes, columns, strict=True):
            try:
                values.append(values_of(row, origins, record_class, self.mapping))
            except InvalidRecord as error:
                self.report.refused += [
                    Refused(file.name, number, problem.column, problem.value, problem.reason)
                    for problem in error.problems
                ]
                return None
            except KeyError as error:
                names = ", ".join(row)
                raise UnreadableFile(f"{file} has no column {error.args[0]}; it has: {names}") from error
        star = Star(file.name, number, *values)
        if self.mapping.require and not any(name in star.result for name in self.mapping.require):
            self.report.passed_over += 1
            return None
        return star

    def _merged(self, stars: Iterable[Star]) -> Iterator[Star]:
        """Put rows of one star together; all are read before the first is given on."""
        by_name: dict[Any, Star] = {}
        for star in stars:
            name = star.source.get(self.mapping.merge or "")
            if name is None:
                reason = f"no {self.mapping.merge}, by which rows are merged"
                self.report.refused.append(
                    Refused(star.file, star.row, self.mapping.merge or "", None, reason)
                )
            elif name in by_name:
                self.report.merged += 1
                self.report.refused += by_name[name].join(star)
            else:
                by_name[name] = star
        return iter(by_name.values())


async def ingest(
    outputs: Outputs | None,
    files: Sequence[Path],
    mapping: Mapping,
    spectrum_class: type[SpectrumMixin],
    result_class: type[PipelineOutputMixin],
    *,
    v_astra: int | str | None = None,
    limit: int | None = None,
    progress: Callable[[IngestReport], None] = lambda _: None,
) -> IngestReport:
    """Store the rows of catalogue files; run again, it replaces what it stored.

    What is known of a source or spectrum already stays where the files say nothing.

    Parameters
    ----------
    outputs : Outputs, optional
        Where to store; without it the rows are only checked (a dry run).
    files : sequence of Path
        CSV, FITS or Parquet.
    mapping : Mapping
    spectrum_class, result_class : type
        The tables to fill.
    v_astra : int or str, optional
        Version of the results, instead of the mapping's.
    limit : int, optional
        Read at most this many rows that have values.
    progress : Callable
        Called with the report after each batch.

    Raises
    ------
    UnreadableFile
        If a file cannot be read or lacks a column that the mapping names.
    InvalidMapping
        If the tables lack a column that the mapping names.
    MissingVersion
        If neither the call nor the mapping gives a version and none is configured.
    """
    report = IngestReport()
    stars = Reader(mapping, spectrum_class, result_class, report).stars(files, limit)
    version = v_astra if v_astra is not None else mapping.v_astra
    storing = _Storing(outputs, spectrum_class, result_class, version, report)
    while batch := list(islice(stars, BATCH)):
        await storing.store(batch)
        progress(report)
    progress(report)
    return report


class _Storing:
    """Stores batches of rows, table after table; a row refused by one table does not reach the next."""

    def __init__(
        self,
        outputs: Outputs | None,
        spectrum_class: type[SpectrumMixin],
        result_class: type[PipelineOutputMixin],
        version: int | str | None,
        report: IngestReport,
    ) -> None:
        self._outputs, self._report = outputs, report
        self._spectrum_class, self._result_class = spectrum_class, result_class
        self._version = {} if version is None else {"v_astra": version}
        self._rows: dict[tuple[Any, ...], Star] = {}

    async def store(self, batch: list[Star]) -> None:
        """Store one batch."""
        stars = self._built(batch, lambda star: Source(**star.source))
        sources = await self._save(stars)
        spectra = self._built(
            sources, lambda star: self._spectrum_class(**star.spectrum, source_pk=sources[star].pk)
        )
        spectra = self._first_of_each_spectrum(spectra)
        stored = await self._save(spectra)
        results = self._built(stored, lambda star: self._result(star, stored[star]))
        for result in (await self._save(results, whole=True)).values():
            self._report.outcomes[result.outcome or Outcome.INSERTED] += 1

    def _result(self, star: Star, spectrum: SpectrumMixin) -> PipelineOutputMixin:
        keys: Any = spectrum
        if self._outputs is None:  # a dry run has no keys: any will do for checking the rest
            keys = SimpleNamespace(spectrum_pk=1, source_pk=None)
        return self._result_class.from_spectrum(keys, **self._version, **star.result)

    def _built(self, stars: Iterable[Star], build: Callable[[Star], R]) -> _ByStar[R]:
        built = _ByStar[R]()
        for star in stars:
            try:
                built[star] = build(star)
                built[star].key()  # a row without any identifier is refused here, with that reason
            except InvalidRecord as error:
                built.pop(star, None)
                for problem in error.problems:
                    self._refuse(star, problem.reason, problem.column, problem.value)
        return built

    def _first_of_each_spectrum(self, spectra: _ByStar[SpectrumMixin]) -> _ByStar[SpectrumMixin]:
        """Refuse a row whose spectrum another row had: one of the two results would be lost."""
        kept = _ByStar[SpectrumMixin]()
        for star, spectrum in spectra.items():
            first = self._rows.setdefault(tuple(spectrum.key().values()), star)
            if first is star:
                kept[star] = spectrum
            else:
                self._refuse(star, f"the same spectrum as row {first.row} of {first.file}")
        return kept

    async def _save(self, records: _ByStar[R], *, whole: bool = False) -> _ByStar[R]:
        """Save records and return those that are stored; unless `whole`, on top of what is known."""
        if self._outputs is None or not records:
            return records
        if not whole:
            for star, record in records.items():
                known = await self._outputs.get_by_key(record)
                if known is not None:
                    records[star] = _on_top(known, record)
        report = await self._outputs.save_many(
            records.values(), on_error="collect", duplicates="last", skip_unchanged=not whole
        )
        stars, saved = list(records), _ByStar[R]()
        for rejected in report.rejected:
            self._refuse(stars[rejected.position], rejected.reason)
        by_key = {tuple(record.key().values()): record for record in records.values()}
        for (star, record), outcome in zip(records.items(), report, strict=True):
            if outcome is not Outcome.REJECTED:
                saved[star] = by_key[tuple(record.key().values())]  # of two with one key, the last
        return saved

    def _refuse(self, star: Star, reason: str, column: str = "", value: Any = None) -> None:
        self._report.refused.append(Refused(star.file, star.row, column, value, reason))


class _ByStar(dict[Star, R]):
    """Records by the rows that they were made from."""


def _on_top(known: R, record: R) -> R:
    """Return what is stored, changed where the new record says something."""
    said = record.model_fields_set
    for name in said:
        value = getattr(record, name)
        if value is not None and known.column(name).written:
            setattr(known, name, value)
    return known
