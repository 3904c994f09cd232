"""Store catalogue rows: first their sources, then their spectra, then the results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astra_outputs.errors import InvalidRecord, Problem, UnreadableFile
from astra_outputs.ingest.build import Filling, columns_read, fillings
from astra_outputs.ingest.files import Row, open_table
from astra_outputs.ingest.mapping import Mapping
from astra_outputs.ingest.report import IngestReport
from astra_outputs.ingest.star import Star, Values
from astra_outputs.ingest.storing import Storing
from astra_outputs.ingest.units import refuse_other_units
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.record import Record
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.records.source import Source

if TYPE_CHECKING:
    from astra_outputs.repository import Outputs

BATCH = 500
"""Rows that are stored at a time."""


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
                refuse_other_units(file, filled, table.units)
                for row in table.rows(columns_read(filled)):
                    self.report.read += 1
                    star = self._star(file, row, filled)
                    if star is not None:
                        yield star
            if self.report.read == before:
                raise UnreadableFile(f"{file} has no rows")

    def _star(self, file: Path, row: Row, filled: list[Filling]) -> Star | None:
        here = Star(file.name, row.number, {}, {}, {})
        if row.problem:
            self.report.refuse(here, "", None, row.problem)
            return None
        values: list[Values] = []
        problems: list[Problem] = []
        for filling in filled:
            try:
                values.append(filling.values_of(row))
            except InvalidRecord as error:
                problems += error.problems
        if problems:
            for problem in problems:
                self.report.refuse(here, problem.column, problem.value, problem.reason)
            return None
        star = Star(file.name, row.number, *values)
        if self.mapping.require and not any(name in star.result for name in self.mapping.require):
            self.report.passed_over += 1
            return None
        return star

    def _merged(self, stars: Iterable[Star]) -> Iterator[Star]:
        """Put rows of one star together; all are read before the first is given on."""
        by_name: dict[Any, Star] = {}
        merge = self.mapping.merge or ""
        for star in stars:
            given = star.source.get(merge)
            try:
                name = Source.column(merge).type.convert(given)
            except ValueError as error:
                self.report.refuse(star, merge, given, str(error))
                continue
            if name is None:
                self.report.refuse(star, merge, given, f"there is no {merge}, by which rows are merged")
            elif name in by_name:
                self.report.merged += 1
                for difference in by_name[name].join(star):
                    self.report.refuse(star, *difference)
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
        CSV, FITS, Parquet, Arrow, ECSV, VOTable, or what else the mapping says.
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
        If a file cannot be read, has no rows, lacks a column that the mapping names, or states another unit.
    InvalidMapping
        If the tables lack a column that the mapping names.
    MissingVersion
        If neither the call nor the mapping gives a version and none is configured.
    """
    report = IngestReport() if report is None else report
    stars = Reader(mapping, spectrum_class, result_class, report).stars(files, limit)
    version = v_astra if v_astra is not None else mapping.v_astra
    storing = Storing(
        outputs, spectrum_class, result_class, version, report, only_given=mapping.update == "given"
    )
    while batch := list(islice(stars, BATCH)):
        await storing.store(batch)
        progress(report)
    progress(report)
    return report
