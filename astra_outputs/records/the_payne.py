"""`ThePayne`: stellar labels by a neural network that emulates model spectra.

All labels have the same columns, and each pair of them a correlation, so that the labels are listed and the
columns described once.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar, Final

from astra_outputs.model.column_types import Flags, Real
from astra_outputs.model.columns import category, column
from astra_outputs.model.flags import BitFlags
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.records.apogee import ApogeeCoaddedSpectrumInApStar
from astra_outputs.records.labels import correlation_of, declare, error_of, formal_error_of

ELEMENTS: Final = (
    *("C", "N", "O", "Na", "Mg", "Al", "Si", "P", "S", "K", "Ca", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni"),
    *("Cu", "Ge"),
)
LABELS: Final[tuple[tuple[str, str | None, str], ...]] = (
    ("teff", "K", "Effective temperature"),
    ("logg", "dex", "Surface gravity"),
    ("v_turb", None, "Turbulent velocity"),
    *((f"{element.lower()}_h", "dex", f"Abundance [{element}/H]") for element in ELEMENTS),
    ("c12_c13", None, "Ratio of carbon isotopes 12 and 13"),
    ("v_macro", "km/s", "Macroscopic broadening"),
)
"""The labels: name, unit, description."""


class ThePayneFlags(BitFlags):
    """Quality of a result of The Payne."""

    FITTING_FAILURE = 0, "Optimiser failed"
    WARN_TEFF = 1, "Temperature range is unreliable: use with care"
    WARN_LOGG = 2, "Gravity range is unreliable: use with care"
    WARN_FE_H = 3, "Metallicity range is unreliable: use with care"
    LOW_SNR = 4, "S/N is low"


def columns_of_labels() -> Iterator[tuple[str, Any, Any]]:
    """Yield a column for each label and its error."""
    for label, unit, description in LABELS:
        yield label, Real, column(unit=unit, description=description)
        yield f"e_{label}", Real, error_of(label, unit)


def columns_of_errors() -> Iterator[tuple[str, Any, Any]]:
    """Yield a column for each formal error, and for each correlation."""
    category("Formal uncertainties")
    for label, unit, _ in LABELS:
        yield f"raw_e_{label}", Real, formal_error_of(label, unit)
    category("Correlation Coefficients")
    for (label, *_), (other, *_) in combinations(LABELS, 2):
        yield f"rho_{label}_{other}", Real, correlation_of(label, other)


class ThePayne(PipelineOutputMixin):
    """Results of The Payne: stellar labels from APOGEE spectra."""

    may_be_left_out: ClassVar[bool] = True
    spectrum_class: ClassVar[type[SpectrumMixin] | None] = ApogeeCoaddedSpectrumInApStar

    category("Stellar Labels")
    v_rel: Real = column(unit="km/s", description="Velocity relative to the spectrum's frame")
    declare(vars(), columns_of_labels())

    category("Summary Statistics")
    chi2: Real = column(description="Chi-squared of the fit")
    reduced_chi2: Real = column(description="Reduced chi-squared of the fit")
    result_flags: Flags = column(description="Quality of the result", bits=ThePayneFlags)

    declare(vars(), columns_of_errors())

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
