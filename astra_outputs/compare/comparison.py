"""`Comparison`: how the results of the same spectra differ, as a table, a text, JSON or a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astra_outputs.compare.histogram import Histogram
from astra_outputs.printable import printable

if TYPE_CHECKING:
    from astra_outputs.plots.picture import Picture


@dataclass(frozen=True)
class ColumnChange:
    """How one column differs.

    Attributes
    ----------
    name : str
    unit : str or None
    compared : int
        Spectra with a value on both sides.
    changed : int
        Those of which the two differ.
    gained, lost : int
        Spectra with a value on the new side alone, and on the old side alone.
    median : float or None
        Of the differences new - old over all that were compared; None where values are no numbers.
    scatter : float or None
        Robust scatter of the differences: 1.4826 times the median distance from their median.
    largest : float or None
        The difference that is greatest in size.
    spectrum_pk : int or None
        The spectrum that has it; the first of them where there are several.
    histogram : Histogram or None
        How the differences are distributed, of those columns of numbers that differ in most spectra.
    """

    name: str
    unit: str | None
    compared: int
    changed: int
    gained: int
    lost: int
    median: float | None = None
    scatter: float | None = None
    largest: float | None = None
    spectrum_pk: int | None = None
    histogram: Histogram | None = None

    @property
    def differs(self) -> bool:
        """Whether any spectrum has another value, or one on one side alone."""
        return bool(self.changed or self.gained or self.lost)


@dataclass(frozen=True)
class FlagChange:
    """How many spectra gained a flag, and how many lost it.

    Attributes
    ----------
    column, name, meaning : str
    gained, lost : int
    """

    column: str
    name: str
    meaning: str
    gained: int
    lost: int


@dataclass(frozen=True)
class Comparison:
    """What `outputs.compare` returns.

    Attributes
    ----------
    old, new : str
        The two sides: a table and its version.
    spectra : int
        Spectra with a result on both sides.
    only_old, only_new : int
        Spectra with a result on one side alone; `only_old` is None under a condition, which is about the new one.
    columns : tuple of ColumnChange
        In the order of the table.
    flags : tuple of FlagChange
        Flags that a spectrum gained or lost.
    condition : str or None
        Which of the new results were compared.
    """

    old: str
    new: str
    spectra: int
    only_old: int | None
    only_new: int
    columns: tuple[ColumnChange, ...]
    flags: tuple[FlagChange, ...]
    condition: str | None = None

    def __getitem__(self, name: str) -> ColumnChange:
        """Return how the column of this name differs."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def differing(self) -> tuple[ColumnChange, ...]:
        """The columns in which any spectrum differs."""
        return tuple(column for column in self.columns if column.differs)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values, for JSON."""
        return asdict(self)

    def to_table(self) -> dict[str, list[Any]]:
        """Return the columns as a table: `pandas.DataFrame(comparison.to_table())`, and alike."""
        return {name: [getattr(column, name) for column in self.columns] for name in HEADS}

    def plot(self, style: str | Path | None = None, title: str | None = None) -> Picture:
        """Return a picture: of each column that differs, in how many spectra and by how much; and flags.

        Parameters
        ----------
        style : str or Path, optional
            A style of matplotlib by its name, or a file.
        title : str, optional
            What stands above; else what is compared.

        Raises
        ------
        InvalidPicture
            If nothing differs, or there is no such style.
        MissingExtra
            If matplotlib is not installed.
        """
        from astra_outputs.errors import InvalidPicture
        from astra_outputs.plots.changes import changes
        from astra_outputs.plots.picture import Picture

        if not self.differing:
            raise InvalidPicture(f"{self.old} and {self.new} are the same: there is nothing to draw")
        title = f"{title or self.title}: {_counted(self.spectra, 'spectrum', 'spectra')}"
        return Picture(
            title, lambda figure: changes(figure, self.differing, self.flags, self.spectra, title), style
        )

    def tables(self) -> Iterator[tuple[tuple[int, ...], Sequence[str], Sequence[Sequence[str]]]]:
        """Yield what is printed, of columns that differ and of flags: places of texts, headings, rows."""
        if self.differing:
            yield (0, 1), HEADS, [_row(column) for column in self.differing]
        if self.flags:
            rows = [(flag.name, f"{flag.gained:,}", f"{flag.lost:,}", flag.meaning) for flag in self.flags]
            yield (0, 3), ("flag", "gained", "lost", "meaning"), rows

    def __str__(self) -> str:
        blocks = [_aligned([heads, *rows], texts) for texts, heads, rows in self.tables()]
        return "\n\n".join([self.head, *blocks])

    def _repr_html_(self) -> str:
        lines = [f"<p>{escape(printable(line))}</p>" for line in self.head.splitlines()]
        return "".join(lines + [_html(heads, rows) for _, heads, rows in self.tables()])

    @property
    def title(self) -> str:
        """What is compared, in words."""
        where = "" if self.condition is None else f", {' '.join(self.condition.split())}"
        return f"{self.old} to {self.new}{where}"

    @property
    def head(self) -> str:
        """How many spectra and columns there are, in words."""
        same = sum(1 for column in self.columns if column.compared and not column.differs)
        empty = sum(1 for column in self.columns if not (column.compared or column.differs))
        counted = f"{self.title}: {_counted(self.spectra, 'spectrum has', 'spectra have')} both"
        old = "" if self.only_old is None else f"{self.only_old:,} the old one alone, "
        alone = f"{old}{self.only_new:,} the new one alone"
        rest = [f"{_counted(same, 'column is', 'columns are')} the same"] if same else []
        rest += [f"{_counted(empty, 'has', 'have')} no values"] if empty else []
        return f"{counted}, {alone}" + (f"\n{', '.join(rest)}" if rest else "")


HEADS = (
    "name",
    "unit",
    "compared",
    "changed",
    "gained",
    "lost",
    "median",
    "scatter",
    "largest",
    "spectrum_pk",
)


def _row(column: ColumnChange) -> tuple[str, ...]:
    counts = (f"{getattr(column, name):,}" for name in HEADS[2:6])
    numbers = (_number(getattr(column, name)) for name in HEADS[6:9])
    key = "" if column.spectrum_pk is None else str(column.spectrum_pk)
    return (column.name, column.unit or "", *counts, *numbers, key)


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _aligned(rows: Sequence[Sequence[str]], texts: Sequence[int]) -> str:
    """Return rows as lines, texts to the left and numbers to the right."""
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.ljust(width) if place in texts else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
    return "\n".join(lines)


def _html(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(printable(cell))}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
