"""The files of a data release by their names: mwmTargets, mwmAllStar, mwmAllVisit, astraAllStarASPCAP and their like."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches

from astra_outputs.discover import record_classes
from astra_outputs.errors import WrongRecordClass, shorten
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.record import Record
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.model.version import format_version, parse_major_minor
from astra_outputs.records import (
    ApogeeCoaddedSpectrumInApStar,
    ApogeeVisitSpectrum,
    ApogeeVisitSpectrumInApStar,
    BossCombinedSpectrum,
    BossVisitSpectrum,
    Source,
)

Kinds = tuple[type[SpectrumMixin], ...]

STARS: Kinds = (BossCombinedSpectrum, ApogeeCoaddedSpectrumInApStar)
VISITS: Kinds = (BossVisitSpectrum, ApogeeVisitSpectrum)
VISITS_OF_RESULTS: Kinds = (BossVisitSpectrum, ApogeeVisitSpectrumInApStar)

OF_PIPELINES = {"astraAllStar": STARS, "astraAllVisit": VISITS_OF_RESULTS}
"""What the names of files of results begin with, and the spectra, of BOSS and of APOGEE, that these were made from."""


@dataclass(frozen=True)
class Product:
    """A file of a data release.

    Attributes
    ----------
    name : str
        As the survey spells it.
    tables : tuple
        The class of the rows of each table, and that of their spectra where these are results.
    is_part : bool
        Whether some of its tables were asked for alone.
    """

    name: str
    tables: tuple[tuple[type[Record], type[SpectrumMixin] | None], ...]
    is_part: bool = False

    def file_name(self, v_astra: int | str) -> str:
        """Return how the file is called: name and major.minor version."""
        return f"{self.name}-{minor_of(v_astra)}.fits.gz"

    @property
    def spectra(self) -> list[type[Record]]:
        """The kind of spectra of each table; that of its rows where these are no results."""
        return [kind or rows for rows, kind in self.tables]

    def of_spectra(self, kinds: Iterable[type[Record]]) -> Product:
        """Return the product with the tables of these kinds of spectra alone.

        Raises
        ------
        WrongRecordClass
            If it has none of them.
        """
        wanted = set(kinds)
        tables = tuple(of for of in self.tables if wanted.intersection(of))
        if not tables:
            not_there = ", ".join(sorted(getattr(kind, "table", shorten(kind)) for kind in wanted))
            has = ", ".join(kind.table for kind in self.spectra)
            raise WrongRecordClass(f"{self.name} has no table of {not_there}; it has those of {has}")
        return replace(self, tables=tables, is_part=True)

    def as_one_table(self) -> Product:
        """Return the product with the table of the spectra that the pipeline works on, where its class says which."""
        own = [
            kind
            for rows, kind in self.tables
            if kind is not None and issubclass(rows, PipelineOutputMixin) and rows.spectrum_class is kind
        ]
        return self.of_spectra(own) if own and len(self.tables) > 1 else self


def product_names() -> list[str]:
    """Return the names of all files of a release, with those of the built-in pipelines."""
    pipelines = [kind.__name__ for kind in record_classes() if issubclass(kind, PipelineOutputMixin)]
    return [
        *("mwmTargets", "mwmAllStar", "mwmAllVisit"),
        *(f"{begin}{name}" for begin in OF_PIPELINES for name in pipelines),
    ]


def minor_of(v_astra: int | str) -> str:
    """Return the major.minor of a version: "0.8" of 8001, "0.8" and "0.8.1"."""
    return format_version(parse_major_minor(v_astra) * 1000).rpartition(".")[0]


def product_named(name: str, classes: Iterable[type[Record]] = ()) -> Product | None:
    """Return the product of this name, in upper or lower case; None if no product begins like it.

    Parameters
    ----------
    name : str
    classes : iterable of type[Record]
        Classes besides the built-in ones.

    Raises
    ------
    WrongRecordClass
        If it is a file of results, and there is no pipeline of that name.
    """
    word = name.lower()
    fixed = {
        "mwmtargets": Product("mwmTargets", ((Source, None),)),
        "mwmallstar": Product("mwmAllStar", tuple((kind, None) for kind in STARS)),
        "mwmallvisit": Product("mwmAllVisit", tuple((kind, None) for kind in VISITS)),
    }
    if word in fixed:
        return fixed[word]
    for begin, kinds in OF_PIPELINES.items():
        if word.startswith(begin.lower()):
            pipeline = _pipeline(name[len(begin) :], [*record_classes(), *classes])
            return Product(f"{begin}{pipeline.__name__}", tuple((pipeline, kind) for kind in kinds))
    return None


def _pipeline(name: str, classes: Iterable[type[Record]]) -> type[PipelineOutputMixin]:
    known = {entry.__name__: entry for entry in classes if issubclass(entry, PipelineOutputMixin)}
    for entry in known.values():
        if name.lower().replace("_", "") in (entry.__name__.lower(), entry.table.replace("_", "")):
            return entry
    nearest = get_close_matches(name, known, n=1)
    hint = f"did you mean {nearest[0]}?" if nearest else f"there are {', '.join(sorted(known))}"
    raise WrongRecordClass(f"no pipeline is named {name or 'nothing'}: {hint}")
