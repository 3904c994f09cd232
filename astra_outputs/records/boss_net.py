"""`BossNet`: stellar parameters and velocities from BOSS spectra by a neural network."""

from __future__ import annotations

from typing import ClassVar, Final

from astra_outputs.model.column_types import Flags, Real
from astra_outputs.model.columns import category, column
from astra_outputs.model.flag_summary import Summary
from astra_outputs.model.flags import BitFlags
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.records.apogee_net import unreliable
from astra_outputs.records.boss import BossVisitSpectrum
from astra_outputs.records.flag_rules import FlagRules
from astra_outputs.records.labels import abundance, error_of


class BossNetFlags(BitFlags):
    """Quality of a result of BossNet; bits 0 to 3 are those of ApogeeNet."""

    RUNTIME_EXCEPTION = 0, "Pipeline failed on this spectrum"
    UNRELIABLE_TEFF = 1, "teff is outside 1,700 to 100,000 K"
    UNRELIABLE_LOGG = 2, "logg is outside -1 to 10"
    UNRELIABLE_FE_H = 3, "fe_h is outside -4 to 2, or star too cool or dense"
    SUSPICIOUS_FE_H = 4, "fe_h of a cool dwarf: teff < 3,900 K, logg 3 to 6"


BOSS_NET_BAD: Final = (
    BossNetFlags.RUNTIME_EXCEPTION
    | BossNetFlags.UNRELIABLE_TEFF
    | BossNetFlags.UNRELIABLE_LOGG
    | BossNetFlags.UNRELIABLE_FE_H
)
"""The flags of which one is enough to call a result bad."""


class BossNet(FlagRules):
    """Results of BossNet: stellar parameters and velocities from BOSS spectra."""

    may_be_left_out: ClassVar[bool] = True
    spectrum_class: ClassVar[type[SpectrumMixin] | None] = BossVisitSpectrum

    category("Stellar Parameters")
    teff: Real = column(unit="K", description="Effective temperature")
    e_teff: Real = error_of("teff", "K")
    logg: Real = column(unit="dex", description="Surface gravity")
    e_logg: Real = error_of("logg")
    fe_h: Real = abundance("Fe")
    e_fe_h: Real = error_of("fe_h")
    result_flags: Flags = column(description="Quality of the result", bits=BossNetFlags)
    bn_v_r: Real = column(unit="km/s", description="Radial velocity by the network")
    e_bn_v_r: Real = error_of("bn_v_r", "km/s")

    flag_warn = Summary(
        "result_flags",
        "Whether fe_h is unreliable or suspicious",
        any_of=BossNetFlags.UNRELIABLE_FE_H | BossNetFlags.SUSPICIOUS_FE_H,
    )

    flag_bad = Summary("result_flags", "Whether a flag is set that makes the result bad", any_of=BOSS_NET_BAD)

    def apply_flag_rules(self) -> None:
        """Set the flags of labels that are missing, unreliable or suspicious; no flag is taken away."""
        flags = unreliable(self.teff, self.logg, self.fe_h)
        if self.teff is None:
            flags |= BossNetFlags.RUNTIME_EXCEPTION
        elif self.teff < 3900 and self.logg is not None and 3 < self.logg < 6:
            flags |= BossNetFlags.SUSPICIOUS_FE_H
        self.result_flags |= flags
