"""What a question can name: the columns of a row, of its spectrum and of its source, and their flags."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from astra_outputs.errors import InvalidCondition, Problem, UnknownColumn, WrongRecordClass, shorten
from astra_outputs.model.columns import Column
from astra_outputs.model.flag_summary import Summary, summaries_of
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.record import Record
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.postgres.sql import qualified, quote

RESULT, SPECTRUM, SOURCE, DRP_SPECTRUM = "result", "spectrum", "source", "drp_spectrum"
"""The names by which a question calls a result, the spectrum that it was made from, its source, and the spectrum of the
survey's reduction that this spectrum is another form of."""


@dataclass(frozen=True)
class Named:
    """A column that a question names: the alias of its table, and what is known of it.

    A summary of flags, such as flag_bad, is one as well.
    """

    alias: str
    column: Column
    record_class: type[Record]
    expression: str = ""

    @property
    def sql(self) -> str:
        """The column as it is sent."""
        return self.expression or f"{self.alias}.{quote(self.column.name)}"


@dataclass(frozen=True)
class Scope:
    """The tables that a question can name.

    Attributes
    ----------
    tables : dict[str, type[Record]]
        Record classes by alias; the first is that of the rows which are asked for.
    """

    tables: dict[str, type[Record]] = field(hash=False)

    @classmethod
    def of(cls, record_class: type[Record], spectrum_class: type[SpectrumMixin] | None = None) -> Scope:
        """Return what a question for rows of a class can name.

        Raises
        ------
        WrongRecordClass
            If it is no record class, or what should be a class of spectra is another.
        """
        from astra_outputs.records.source import Source  # a large class, which not every process asks about

        classes: list[tuple[object, type[Record], str]] = [(record_class, Record, "a record class")]
        if spectrum_class is not None:
            classes.append((spectrum_class, SpectrumMixin, "a class of spectra"))
        for given, wanted, what in classes:
            if not (isinstance(given, type) and issubclass(given, wanted)):
                raise WrongRecordClass(f"{shorten(given)} is not {what}")
        if issubclass(record_class, PipelineOutputMixin):
            spectra = spectrum_class or record_class.spectrum_class
            known = {} if spectra is None else {SPECTRUM: spectra}
            return cls({RESULT: record_class, **known, SOURCE: Source, **_reduced(spectra)})
        if issubclass(record_class, SpectrumMixin):
            return cls({SPECTRUM: record_class, SOURCE: Source, **_reduced(record_class)})
        return cls({SOURCE if issubclass(record_class, Source) else "row": record_class})

    @property
    def main(self) -> str:
        """The alias of the rows that are asked for."""
        return next(iter(self.tables))

    @property
    def record_class(self) -> type[Record]:
        """Their class."""
        return self.tables[self.main]

    def table(self, alias: str) -> type[Record]:
        """Return the class of a table that a question names.

        Raises
        ------
        InvalidCondition
            If there is none of this name.
        """
        if alias in self.tables:
            return self.tables[alias]
        if alias == self.record_class.table:
            return self.record_class
        if alias == SPECTRUM and self.main == RESULT:
            raise InvalidCondition(
                f"{self.record_class.__name__} does not say of which kind its spectra are: pass "
                "spectrum_class=..., as BossVisitSpectrum, or set spectrum_class in the record class"
            )
        raise InvalidCondition(f"there is no {alias} here, only {' and '.join(self.tables)}")

    def column(self, alias: str | None, name: str) -> Named:
        """Return a column by its name.

        Raises
        ------
        UnknownColumn
            If the table has none of this name; the nearest of all tables is suggested.
        """
        wanted = alias or self.main
        record_class = self.table(wanted)
        wanted = self.main if record_class is self.record_class else wanted
        summary = summaries_of(record_class).get(name)
        if summary is not None:
            return Named(
                wanted, summary.as_column(name, record_class), record_class, _as_sql(wanted, summary)
            )
        found = {column.name: column for column in record_class.columns()}.get(name)
        if found is None:
            raise self.unknown(wanted, name)
        return Named(wanted, found, record_class)

    def flag(self, alias: str | None, name: str) -> tuple[Named, int] | None:
        """Return what `flag_low_snr` means, a column and the bit as a number; None if it is no flag.

        Raises
        ------
        AmbiguousFlag
            If several columns have it; the qualified names are offered.
        """
        record_class = self.table(alias or self.main)
        if name not in record_class.flag_names.names:
            return None
        flag = record_class.flag_names.find(name, True)
        return self.column(alias, flag.column), flag.mask

    def join(self, alias: str, schema: str) -> str:
        """Return the join that brings a table to each row."""
        key, of, of_row = {
            SPECTRUM: ("spectrum_pk", self.main, "spectrum_pk"),
            SOURCE: ("pk", self.main, "source_pk"),
            DRP_SPECTRUM: ("spectrum_pk", SPECTRUM, "drp_spectrum_pk"),
        }[alias]
        table = qualified(schema, self.table(alias).table)
        return f"left join {table} as {alias} on {alias}.{quote(key)} = {of}.{quote(of_row)}"

    def joined(self, aliases: Iterable[str]) -> list[str]:
        """Return the tables that are joined to the rows where these are named, each behind those that it needs."""
        wanted = set(aliases)
        if DRP_SPECTRUM in wanted:
            wanted.add(SPECTRUM)
        return sorted(wanted - {self.main}, key=lambda alias: (alias == DRP_SPECTRUM, alias))

    def unknown(self, alias: str, name: str) -> UnknownColumn:
        """Return the error that a table has no such column, with the nearest name."""
        names = {
            other: [*names_in(record_class), *record_class.flag_names.names]
            for other, record_class in self.tables.items()
        }
        # The same name in another table, else a similar one in this table, else in another.
        wanted = name.lower()
        exact = [(other, wanted) for other, known in names.items() if wanted in known]
        similar = [
            (other, found)
            for other in sorted(names, key=lambda other: other != alias)
            for found in get_close_matches(wanted, names[other], n=1)
        ]
        nearest = [found if other == self.main else f"{other}.{found}" for other, found in exact + similar]
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        table = self.tables[alias].table
        return UnknownColumn(table, (Problem(name, ..., f"is not a column of {table}{hint}"),))


def _reduced(spectra: type[SpectrumMixin] | None) -> dict[str, type[Record]]:
    reduced = None if spectra is None else spectra.drp_spectrum_class
    return {} if reduced is None else {DRP_SPECTRUM: reduced}


def _as_sql(alias: str, summary: Summary) -> str:
    flags, mask = f"{alias}.{quote(summary.column)}", summary.mask
    return f"({flags} & {mask} = {mask})" if summary.every else f"({flags} & {mask} <> 0)"


def names_in(record_class: type[Record]) -> list[str]:
    """Return the names of all columns, and of summaries of flags."""
    return [*(column.name for column in record_class.columns()), *summaries_of(record_class)]
