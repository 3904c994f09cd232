"""`ApogeeNet`: stellar parameters from APOGEE spectra by a neural network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Self

from astra_outputs.model.column_types import Flags, Real
from astra_outputs.model.columns import category, column
from astra_outputs.model.flag_summary import Summary
from astra_outputs.model.flags import BitFlags
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.records.apogee import ApogeeCoaddedSpectrumInApStar
from astra_outputs.records.flag_rules import FlagRules, outside
from astra_outputs.records.labels import abundance, error_of, formal_error_of

TEFF_RANGE, LOGG_RANGE, FE_H_RANGE = (1700.0, 100_000.0), (-1.0, 10.0), (-4.0, 2.0)
"""Where the networks for APOGEE and BOSS spectra are reliable, in K and dex."""


class ApogeeNetFlags(BitFlags):
    """Quality of a result of ApogeeNet."""

    RUNTIME_EXCEPTION = 0, "Pipeline failed on this spectrum"
    UNRELIABLE_TEFF = 1, "teff is outside 1,700 to 100,000 K"
    UNRELIABLE_LOGG = 2, "logg is outside -1 to 10"
    UNRELIABLE_FE_H = 3, "fe_h is outside -4 to 2, or star too cool or dense"


APOGEE_NET_BAD: Final = (
    ApogeeNetFlags.RUNTIME_EXCEPTION
    | ApogeeNetFlags.UNRELIABLE_TEFF
    | ApogeeNetFlags.UNRELIABLE_LOGG
    | ApogeeNetFlags.UNRELIABLE_FE_H
)
"""The flags of which one is enough to call a result bad."""


class ApogeeNet(FlagRules):
    """Results of ApogeeNet: stellar parameters from APOGEE spectra."""

    may_be_left_out: ClassVar[bool] = True
    spectrum_class: ClassVar[type[SpectrumMixin] | None] = ApogeeCoaddedSpectrumInApStar

    category("Stellar Parameters")
    teff: Real = column(unit="K", description="Effective temperature")
    e_teff: Real = error_of("teff", "K")
    logg: Real = column(unit="dex", description="Surface gravity")
    e_logg: Real = error_of("logg")
    fe_h: Real = abundance("Fe")
    e_fe_h: Real = error_of("fe_h")
    result_flags: Flags = column(description="Quality of the result", bits=ApogeeNetFlags)

    category("Formal (raw) uncertainties")
    raw_e_teff: Real = formal_error_of("teff", "K")
    raw_e_logg: Real = formal_error_of("logg")
    raw_e_fe_h: Real = formal_error_of("fe_h")

    @classmethod
    def from_spectrum(cls, spectrum: Any, columns: Mapping[str, Any] | None = None, /, **values: Any) -> Self:
        """Return the result for one spectrum; formal errors that are not given are the errors."""
        result = super().from_spectrum(spectrum, columns, **values)
        for label in ("teff", "logg", "fe_h"):
            if getattr(result, f"raw_e_{label}") is None and getattr(result, f"e_{label}") is not None:
                setattr(result, f"raw_e_{label}", getattr(result, f"e_{label}"))
        return result

    flag_warn = Summary(
        "result_flags", "Whether the metallicity is unreliable", any_of=ApogeeNetFlags.UNRELIABLE_FE_H
    )

    flag_bad = Summary(
        "result_flags", "Whether a flag is set that makes the result bad", any_of=APOGEE_NET_BAD
    )

    def apply_flag_rules(self) -> None:
        """Set the flags of labels outside the range of the network; no flag is taken away."""
        self.result_flags |= unreliable(self.teff, self.logg, self.fe_h)

    def apply_noise_model(self) -> None:
        """Set the errors from the formal errors, by the survey's linear noise model.

        `e_teff = 1.25 raw_e_teff + 10 K`, `e_logg = 1.25 raw_e_logg + 0.01 dex` and
        `e_fe_h = raw_e_fe_h + 0.01 dex`. Nothing calls this for you. A label without formal error keeps
        the error that it has; a second call changes nothing.

        Raises
        ------
        InvalidRecord
            If an error does not fit its column.
        """
        if self.raw_e_teff is not None:
            self.e_teff = 1.25 * self.raw_e_teff + 10.0
        if self.raw_e_logg is not None:
            self.e_logg = 1.25 * self.raw_e_logg + 0.01
        if self.raw_e_fe_h is not None:
            self.e_fe_h = self.raw_e_fe_h + 0.01


def unreliable(teff: float | None, logg: float | None, fe_h: float | None) -> int:
    """Return the flags of labels outside the range of the networks (the bits of both are the same)."""
    flags = 0
    if outside(teff, *TEFF_RANGE):
        flags |= ApogeeNetFlags.UNRELIABLE_TEFF
    if outside(logg, *LOGG_RANGE):
        flags |= ApogeeNetFlags.UNRELIABLE_LOGG
    too_cool, too_dense = teff is not None and teff < 3200, logg is not None and logg > 5
    if outside(fe_h, *FE_H_RANGE) or too_cool or too_dense:
        flags |= ApogeeNetFlags.UNRELIABLE_FE_H
    return int(flags)
