"""Store catalogue rows: first their sources, then their spectra, then the results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

from astra_outputs.errors import InvalidRecord, Problem, UnreadableFile
from astra_outputs.ingest.build import Filling, Values, columns_read, fillings
from astra_outputs.ingest.files import Row, open_table
from astra_outputs.ingest.known import Key, key_of, put_on_top, stored_under
from astra_outputs.ingest.mapping import Mapping
from astra_outputs.ingest.report import IngestReport, Refused
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.record import Record
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.records.source import Source

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
        parts = ((self.source, other.source), (self.spectrum, other.spectrum), (self.result, other.result))
        for mine, others in parts:
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
            before = self.report.read
            with open_table(file, self.mapping.choices) as table:
                filled = fillings(self.mapping, self._classes, file, table.columns)
                for row in table.rows(columns_read(filled)):
                    self.report.read += 1
                    star = self._star(file, row, filled)
                    if star is not None:
                        yield star
            if self.report.read == before:
                raise UnreadableFile(f"{file} has no rows")

    def _star(self, file: Path, row: Row, filled: list[Filling]) -> Star | None:
        if row.problem:
            self.report.refused.append(Refused(file.name, row.number, "", None, row.problem))
            return None
        values: list[Values] = []
        problems: list[Problem] = []
        for filling in filled:
            try:
                values.append(filling.values_of(row))
            except InvalidRecord as error:
                problems += error.problems
        if problems:
            self.report.refused += [
                Refused(file.name, row.number, problem.column, problem.value, problem.reason)
                for problem in problems
            ]
            return None
        star = Star(file.name, row.number, *values)
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
    report: IngestReport | None = None,
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
    report : IngestReport, optional
        Filled in as it goes on; after an error it tells what was done before.
    progress : Callable
        Called with the report after each batch.

    Raises
    ------
    UnreadableFile
        If a file cannot be read, has no rows, or lacks a column that the mapping names.
    InvalidMapping
        If the tables lack a column that the mapping names.
    MissingVersion
        If neither the call nor the mapping gives a version and none is configured.
    """
    report = IngestReport() if report is None else report
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
        self._rows: dict[bytes, tuple[str, int]] = {}

    async def store(self, batch: list[Star]) -> None:
        """Store one batch."""
        stars = self._built(batch, lambda star: Source(**star.source))
        sources = await self._save_on_top(stars)
        spectra = self._built(
            sources, lambda star: self._spectrum_class(**star.spectrum, source_pk=sources[star].pk)
        )
        spectra = self._first_of_each_spectrum(spectra)
        stored = await self._save_on_top(spectra)
        results = self._built(stored, lambda star: self._result(star, stored[star]))
        for result in (await self._save(results)).values():
            if result.outcome is None:
                self._report.checked += 1
            else:
                self._report.outcomes[result.outcome] += 1

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
                key_of(built[star])  # a row without any identifier is refused here, with that reason
            except InvalidRecord as error:
                built.pop(star, None)
                self._refuse(star, error)
        return built

    def _first_of_each_spectrum(self, spectra: _ByStar[SpectrumMixin]) -> _ByStar[SpectrumMixin]:
        """Refuse a row whose spectrum another row had: one of the two results would be lost."""
        kept = _ByStar[SpectrumMixin]()
        for star, spectrum in spectra.items():
            here = (star.file, star.row)
            # A digest takes less memory than the key: this grows with every row.
            digest = blake2b(repr(key_of(spectrum)).encode(), digest_size=16).digest()
            file, row = self._rows.setdefault(digest, here)
            if (file, row) == here:
                kept[star] = spectrum
            else:
                self._refuse(star, f"the same spectrum as row {row} of {file}")
        return kept

    async def _save_on_top(self, records: _ByStar[R]) -> _ByStar[R]:
        """Save sources or spectra on top of what is known; rows of one source are one record."""
        if self._outputs is None or not records:
            return records
        known = await stored_under(self._outputs, records.values())
        wanted: dict[Key, R] = {}
        shared = _ByStar[R]()
        for star, record in records.items():
            try:
                stored = known.get(key_of(record))
                if stored is not None:
                    put_on_top(stored, record)
                one = wanted.setdefault(key_of(stored or record), stored or record)
                if one is not (stored or record):
                    put_on_top(one, record)
            except InvalidRecord as error:
                self._refuse(star, error)
            else:
                shared[star] = one
        return await self._save(shared, skip_unchanged=True)

    async def _save(self, records: _ByStar[R], *, skip_unchanged: bool = False) -> _ByStar[R]:
        """Save records, of which several rows may share one, and return those that are stored."""
        if self._outputs is None or not records:
            return records
        distinct = list({id(record): record for record in records.values()}.values())
        report = await self._outputs.save_many(
            distinct, on_error="collect", duplicates="last", skip_unchanged=skip_unchanged
        )
        refused = {id(distinct[rejected.position]): rejected.reason for rejected in report.rejected}
        saved = _ByStar[R]()
        for star, record in records.items():
            if id(record) in refused:
                self._refuse(star, refused[id(record)])
            else:
                saved[star] = record
        return saved

    def _refuse(self, star: Star, reason: InvalidRecord | str) -> None:
        problems = (
            [("", None, reason)]
            if isinstance(reason, str)
            else [(problem.column, problem.value, problem.reason) for problem in reason.problems]
        )
        self._report.refused += [Refused(star.file, star.row, *problem) for problem in problems]


class _ByStar(dict[Star, R]):
    """Records by the rows that they were made from."""
