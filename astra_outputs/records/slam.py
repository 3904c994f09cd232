"""`Slam`: stellar labels of M dwarfs from BOSS spectra."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar, Final, Self

from astra_outputs.errors import NotRead
from astra_outputs.model.column_types import (
    Flags,
    Real,
    RequiredBoolean,
    RequiredInteger,
    RequiredReal,
)
from astra_outputs.model.columns import category, column
from astra_outputs.model.flag_summary import Summary
from astra_outputs.model.flags import BitFlags
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.records.boss import BossVisitSpectrum
from astra_outputs.records.flag_rules import FlagRules, outside
from astra_outputs.records.labels import abundance, correlation_of, error_of, initial


class SlamFlags(BitFlags):
    """Quality of a result of Slam."""

    BAD_OPTIMIZER_STATUS = 0, "Optimiser did not end well"
    TEFF_OUTSIDE_BOUNDS = 1, "teff is outside 2,800 to 4,500 K"
    FE_H_OUTSIDE_BOUNDS = 2, "fe_h is outside the range of the training set"
    OUTSIDE_PHOTOMETRY_RANGE = 3, "Colour or magnitude is not that of an M dwarf"


SLAM_BAD: Final = (
    SlamFlags.BAD_OPTIMIZER_STATUS
    | SlamFlags.TEFF_OUTSIDE_BOUNDS
    | SlamFlags.FE_H_OUTSIDE_BOUNDS
    | SlamFlags.OUTSIDE_PHOTOMETRY_RANGE
)
"""The flags of which one is enough to call a result bad."""


class Slam(FlagRules):
    """Results of Slam: stellar labels of M dwarfs from BOSS spectra."""

    may_be_left_out: ClassVar[bool] = True
    spectrum_class: ClassVar[type[SpectrumMixin] | None] = BossVisitSpectrum

    category("Stellar Labels")
    teff: Real = column(unit="K", description="Effective temperature")
    e_teff: Real = error_of("teff", "K")
    logg: Real = column(unit="dex", description="Surface gravity")
    e_logg: Real = error_of("logg")
    fe_h: Real = abundance("Fe")
    e_fe_h: Real = error_of("fe_h")
    fe_h_niu: Real = column(unit="dex", description="Abundance [Fe/H] on the scale of Niu et al.")
    e_fe_h_niu: Real = error_of("fe_h_niu")
    alpha_fe: Real = abundance("alpha", relative_to="Fe")
    e_alpha_fe: Real = error_of("alpha_fe")

    category("Correlation Coefficients")
    rho_teff_logg: Real = correlation_of("teff", "logg")
    rho_teff_fe_h: Real = correlation_of("teff", "fe_h")
    rho_teff_fe_h_niu: Real = correlation_of("teff", "fe_h_niu")
    rho_teff_alpha_fe: Real = correlation_of("teff", "alpha_fe")
    rho_logg_fe_h_niu: Real = correlation_of("logg", "fe_h_niu")
    rho_logg_alpha_fe: Real = correlation_of("logg", "alpha_fe")
    rho_logg_fe_h: Real = correlation_of("logg", "fe_h")
    rho_fe_h_fe_h_niu: Real = correlation_of("fe_h", "fe_h_niu")
    rho_fe_h_alpha_fe: Real = correlation_of("fe_h", "alpha_fe")

    category("Initial Labels")
    initial_teff: Real = initial("teff", "K")
    initial_logg: Real = initial("logg")
    initial_fe_h: Real = initial("fe_h")
    initial_alpha_fe: Real = initial("alpha_fe")
    initial_fe_h_niu: Real = initial("fe_h_niu")

    category("Metadata")
    success: RequiredBoolean = column(description="Whether the optimiser ended well")
    status: RequiredInteger = column(description="Status of the optimiser")
    optimality: RequiredBoolean = column(description="Whether the optimum was reached")
    result_flags: Flags = column(description="Quality of the result", bits=SlamFlags)

    category("Summary Statistics")
    chi2: RequiredReal = column(description="Chi-squared of the fit")
    rchi2: RequiredReal = column(description="Reduced chi-squared of the fit")

    @classmethod
    def from_spectrum(cls, spectrum: Any, columns: Mapping[str, Any] | None = None, /, **values: Any) -> Self:
        """Return the result for one spectrum, flagged by its labels and by the photometry of its source.

        Parameters
        ----------
        spectrum : object
            Anything with the attributes `spectrum_pk` and `source_pk`. If it has its `source` with it, as after
            `find(..., source=True)`, the magnitudes are looked at as well; else call `apply_flag_rules` with it.
        columns : mapping, optional
        **values
            The columns by name, and flags by name.
        """
        result = super().from_spectrum(spectrum, columns, **values)
        with suppress(AttributeError, NotRead):
            result.apply_flag_rules(spectrum.source)
        return result

    flag_warn = Summary(
        "result_flags",
        "Whether the fit failed, or it is no M dwarf",
        any_of=SlamFlags.BAD_OPTIMIZER_STATUS | SlamFlags.OUTSIDE_PHOTOMETRY_RANGE,
    )

    flag_bad = Summary("result_flags", "Whether a flag is set that makes the result bad", any_of=SLAM_BAD)

    def apply_flag_rules(self, source: Any = None) -> None:
        """Set the flags that follow from the labels, and from the photometry of a source if it is given.

        Parameters
        ----------
        source : Source, optional
            Or any object with the attributes `g_mag`, `bp_mag`, `rp_mag` (mag) and `plx` (mas). What it does
            not have, or was not measured, sets no flag.
        """
        flags = 0
        if outside(self.teff, 2800.0, 4500.0):
            flags |= SlamFlags.TEFF_OUTSIDE_BOUNDS
        if source is not None and _is_no_m_dwarf(source):
            flags |= SlamFlags.OUTSIDE_PHOTOMETRY_RANGE
        self.result_flags |= flags


def _is_no_m_dwarf(source: Any) -> bool:
    """Tell whether colour or absolute magnitude of a source are outside the range that was trained for."""
    g, bp, rp, plx = (getattr(source, name, None) for name in ("g_mag", "bp_mag", "rp_mag", "plx"))
    if bp is not None and rp is not None and not 1.5 < bp - rp < 3.5:
        return True
    if g is None or plx is None or not plx > 0:
        return False
    # As the survey has it: the parallax goes in as it is.
    return not 6 < g - 5 + 5 * math.log10(plx) < 12
