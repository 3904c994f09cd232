"""One column of a new pipeline, as its author describes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from astra_outputs.model import column_types
from astra_outputs.model.column_type import ColumnType, type_of
from astra_outputs.model.column_types import TYPES
from astra_outputs.model.columns import Column
from astra_outputs.model.flags import HIGHEST_BIT
from astra_outputs.scaffold.names import check_column_name, check_flag_name, check_text

LONGEST_DESCRIPTION = 47
"""Characters that a FITS comment has room for."""

LONGEST_UNIT = 40

_KNOWN = {
    "teff": "Effective temperature",
    "logg": "Surface gravity",
    "fe_h": "[Fe/H]",
    "m_h": "[M/H]",
    "alpha_m": "[alpha/M]",
    "v_rad": "Barycentric radial velocity",
    "v_sini": "Projected rotational velocity",
    "v_micro": "Microturbulence",
    "v_macro": "Macroscopic broadening",
    "snr": "Signal-to-noise ratio",
    "chi2": "Chi-squared of the fit",
    "rchi2": "Reduced chi-squared of the fit",
    "result_flags": "Quality of the result",
}


@dataclass(frozen=True)
class NewColumn:
    """One column of a new pipeline; `kind` is a name of `column_types.TYPES`, `bits` are the named ones of flags."""

    name: str
    kind: str
    unit: str
    description: str
    bits: tuple[tuple[str, str], ...] = ()

    @property
    def is_flags(self) -> bool:
        """Whether its bits have names."""
        return self.kind == "flags"

    @property
    def annotation(self) -> str:
        """How the record class writes its type."""
        return next(name for name in column_types.__all__ if getattr(column_types, name) is TYPES[self.kind])

    @property
    def type(self) -> ColumnType:
        """The type of its values."""
        return type_of(TYPES[self.kind])

    @property
    def column(self) -> Column:
        """What the record class will say of it."""
        nullable = not self.is_flags
        return Column(
            self.name,
            self.type,
            nullable,
            default=None if nullable else 0,
            unit=self.unit or None,
            description=self.description,
        )


def parse_column(text: str) -> NewColumn:
    """Return the column that `NAME:TYPE[:UNIT[:DESCRIPTION]]` describes.

    Raises
    ------
    ValueError
        If a part is missing, not allowed or unknown.

    Examples
    --------
    >>> parse_column("teff:real:K").description
    'Effective temperature'
    """
    name, *rest = text.split(":", 3)
    if not rest:
        raise ValueError(
            f"{text!r} has no type: write it as teff:real:K or teff:real:K:Effective temperature"
        )
    kind, unit, description = (*(part.strip() for part in rest), "", "")[:3]
    check_column_name(name)
    if kind not in TYPES:
        raise ValueError(f"{name} has the unknown type {kind!r}; there are {', '.join(TYPES)}")
    check_text(f"the unit of {name}", unit, LONGEST_UNIT)
    description = description or _description(name)
    check_text(f"the description of {name}", description, LONGEST_DESCRIPTION)
    return NewColumn(name, kind, unit, description)


def with_flags(columns: Sequence[NewColumn], flags: Sequence[str]) -> list[NewColumn]:
    """Return columns of which those of flags have bits, in the order in which `[COLUMN.]NAME:MEANING` name them.

    A column `result_flags` is added where there is none for them.

    Raises
    ------
    ValueError
        If a name is not allowed or is given twice, a meaning is missing, or it is not clear whose bit it is.
    """
    named = {column.name: list(column.bits) for column in columns if column.is_flags}
    if flags and not named:
        columns = [*columns, parse_column("result_flags:flags")]
        named["result_flags"] = []
    for text in flags:
        left, _, meaning = text.partition(":")
        column, _, name = left.rpartition(".")
        if not column and len(named) > 1:
            raise ValueError(
                f"{name} may be a bit of {' or '.join(named)}: write it as {next(iter(named))}.{name}"
            )
        column = column or next(iter(named))
        if column not in named:
            raise ValueError(f"{column} is no column of flags; there are {', '.join(named)}")
        check_flag_name(name)
        meaning = meaning.strip()
        if not meaning:
            raise ValueError(f"{name} has no meaning: write it as {name}:S/N is below 20")
        check_text(f"the meaning of {name}", meaning, LONGEST_DESCRIPTION)
        if name in dict(named[column]):
            raise ValueError(f"{name} is given twice")
        if len(named[column]) > HIGHEST_BIT:
            raise ValueError(f"{column} has {HIGHEST_BIT + 1} bits, and no room for {name}")
        named[column].append((name, meaning))
    return [replace(one, bits=tuple(named[one.name])) if one.is_flags else one for one in columns]


def _description(name: str) -> str:
    """Return something to begin with, where the author gave no description."""
    for prefix, words in (("raw_e_", "Formal error of "), ("e_", "Error of "), ("raw_", "Uncalibrated ")):
        if name.startswith(prefix):
            return (words + name.removeprefix(prefix))[:LONGEST_DESCRIPTION]
    return _KNOWN.get(name, name.replace("_", " ").capitalize()[:LONGEST_DESCRIPTION])
