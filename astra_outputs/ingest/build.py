"""Turn one row of a file into the values of a source, a spectrum and a result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from astra_outputs.errors import InvalidRecord, Problem, UnreadableFile
from astra_outputs.ingest.files import Row
from astra_outputs.ingest.mapping import Mapping
from astra_outputs.ingest.origin import Origin
from astra_outputs.ingest.star import Values
from astra_outputs.ingest.values import value_of
from astra_outputs.model.columns import Column
from astra_outputs.model.record import Record
from astra_outputs.printable import printable


@dataclass(frozen=True)
class Filling:
    """How the columns that a file has fill one table.

    Attributes
    ----------
    record_class : type[Record]
    origins : dict[str, tuple[str or None, Origin]]
        For each column or flag of the table the column of the file, None for a constant or the row's number.
    missing : list
        Values of the file that stand for "not measured".
    """

    record_class: type[Record]
    origins: dict[str, tuple[str | None, Origin]]
    missing: list[Any]

    @cached_property
    def _columns(self) -> dict[str, Column]:
        return {column.name: column for column in self.record_class.columns()}

    def values_of(self, row: Row) -> Values:
        """Return the values that a row gives to the table, without those that are missing.

        Raises
        ------
        InvalidRecord
            Naming every column whose value cannot be read, with what the file says.
        """
        values: Values = {}
        problems = []
        for name, (source, origin) in self.origins.items():
            if source is None and not origin.row:
                values[name] = origin.value
                continue
            given = row.number if source is None else row.values[source]
            try:
                value = value_of(given, origin, self._columns.get(name), self.missing)
            except ValueError as error:
                problems.append(Problem(name, given, str(error)))
                continue
            if value is not None:
                values[name] = value
        if problems:
            raise InvalidRecord(self.record_class.table, tuple(problems))
        return values


def fillings(
    mapping: Mapping, classes: Sequence[type[Record]], file: Path, columns: Sequence[str]
) -> list[Filling]:
    """Return how one file fills the tables of its sources, spectra and results.

    Raises
    ------
    UnreadableFile
        Naming every column of the mapping that the file lacks, with the nearest that it has; or one that
        it has twice.
    """
    filled, lacking = [], []
    for record_class, origins in zip(
        classes, (mapping.source, mapping.spectrum, mapping.result), strict=True
    ):
        found: dict[str, tuple[str | None, Origin]] = {}
        for name, origin in origins.items():
            source = next((wanted for wanted in origin.names if wanted in columns), None)
            if source is not None or not origin.names:
                found[name] = (source, origin)
            elif not origin.optional:
                lacking.append(origin.names[0])
        filled.append(Filling(record_class, found, mapping.missing))
    if lacking:
        told = "; ".join(f"no column {name}{_nearest(name, columns)}" for name in dict.fromkeys(lacking))
        raise UnreadableFile(f"{file} has {told}")
    twice = [name for name in columns_read(filled) if columns.count(name) > 1]
    if twice:
        told = ", ".join(map(printable, twice))
        raise UnreadableFile(
            f"{file}: several of its columns are named {told}; rename them, or leave them out"
        )
    return filled


def columns_read(filled: Sequence[Filling]) -> list[str]:
    """Return the columns of the file that are needed."""
    names = [source for filling in filled for source, _ in filling.origins.values() if source is not None]
    return list(dict.fromkeys(names))


def _nearest(name: str, columns: Sequence[str]) -> str:
    same = [column for column in columns if column.lower() == name.lower()]
    found = same or get_close_matches(name, columns, n=1)
    if found:
        return f" (did you mean {printable(found[0])}?)"
    return f"; it has: {printable(', '.join(columns))}" if len(columns) <= 12 else ""
