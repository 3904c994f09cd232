"""`AstroNN`: stellar labels from APOGEE spectra by a Bayesian neural network."""

from __future__ import annotations

from typing import ClassVar, Final

from astra_outputs.model.column_types import Flags, Real
from astra_outputs.model.columns import category, column
from astra_outputs.model.flag_summary import Summary
from astra_outputs.model.flags import BitFlags
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.records.apogee import ApogeeCoaddedSpectrumInApStar
from astra_outputs.records.flag_rules import FlagRules, relative_error_above
from astra_outputs.records.labels import abundance, error_of, formal_error_of, raw


class AstroNNFlags(BitFlags):
    """Quality of a result of AstroNN."""

    UNCERTAIN_LOGG = 0, "Formal error of logg above 0.2 dex and 7.5 percent"
    UNCERTAIN_TEFF = 1, "Formal error of teff above 300 K"
    UNCERTAIN_FE_H = 2, "Formal error of fe_h above 12 percent"
    NO_RESULT = 11, "No result for this spectrum"


ALL_UNCERTAIN: Final = AstroNNFlags.UNCERTAIN_LOGG | AstroNNFlags.UNCERTAIN_TEFF | AstroNNFlags.UNCERTAIN_FE_H
"""The flags that make a result bad where all of them are set."""


class AstroNN(FlagRules):
    """Results of AstroNN: stellar labels from APOGEE spectra."""

    may_be_left_out: ClassVar[bool] = True
    spectrum_class: ClassVar[type[SpectrumMixin] | None] = ApogeeCoaddedSpectrumInApStar

    category("Stellar Labels")
    teff: Real = column(unit="K", description="Effective temperature")
    e_teff: Real = error_of("teff", "K")
    logg: Real = column(unit="dex", description="Surface gravity")
    e_logg: Real = error_of("logg")
    c_h: Real = abundance("C")
    e_c_h: Real = error_of("c_h")
    c_1_h: Real = abundance("C I")
    e_c_1_h: Real = error_of("c_1_h")
    n_h: Real = abundance("N")
    e_n_h: Real = error_of("n_h")
    o_h: Real = abundance("O")
    e_o_h: Real = error_of("o_h")
    na_h: Real = abundance("Na")
    e_na_h: Real = error_of("na_h")
    mg_h: Real = abundance("Mg")
    e_mg_h: Real = error_of("mg_h")
    al_h: Real = abundance("Al")
    e_al_h: Real = error_of("al_h")
    si_h: Real = abundance("Si")
    e_si_h: Real = error_of("si_h")
    p_h: Real = abundance("P")
    e_p_h: Real = error_of("p_h")
    s_h: Real = abundance("S")
    e_s_h: Real = error_of("s_h")
    k_h: Real = abundance("K")
    e_k_h: Real = error_of("k_h")
    ca_h: Real = abundance("Ca")
    e_ca_h: Real = error_of("ca_h")
    ti_h: Real = abundance("Ti")
    e_ti_h: Real = error_of("ti_h")
    ti_2_h: Real = abundance("Ti II")
    e_ti_2_h: Real = error_of("ti_2_h")
    v_h: Real = abundance("V")
    e_v_h: Real = error_of("v_h")
    cr_h: Real = abundance("Cr")
    e_cr_h: Real = error_of("cr_h")
    mn_h: Real = abundance("Mn")
    e_mn_h: Real = error_of("mn_h")
    fe_h: Real = abundance("Fe")
    e_fe_h: Real = error_of("fe_h")
    co_h: Real = abundance("Co")
    e_co_h: Real = error_of("co_h")
    ni_h: Real = abundance("Ni")
    e_ni_h: Real = error_of("ni_h")

    category("Raw Stellar Labels")
    raw_teff: Real = raw("teff", "K")
    raw_e_teff: Real = formal_error_of("teff", "K")
    raw_logg: Real = raw("logg")
    raw_e_logg: Real = formal_error_of("logg")
    raw_c_h: Real = raw("c_h")
    raw_e_c_h: Real = formal_error_of("c_h")
    raw_c_1_h: Real = raw("c_1_h")
    raw_e_c_1_h: Real = formal_error_of("c_1_h")
    raw_n_h: Real = raw("n_h")
    raw_e_n_h: Real = formal_error_of("n_h")
    raw_o_h: Real = raw("o_h")
    raw_e_o_h: Real = formal_error_of("o_h")
    raw_na_h: Real = raw("na_h")
    raw_e_na_h: Real = formal_error_of("na_h")
    raw_mg_h: Real = raw("mg_h")
    raw_e_mg_h: Real = formal_error_of("mg_h")
    raw_al_h: Real = raw("al_h")
    raw_e_al_h: Real = formal_error_of("al_h")
    raw_si_h: Real = raw("si_h")
    raw_e_si_h: Real = formal_error_of("si_h")
    raw_p_h: Real = raw("p_h")
    raw_e_p_h: Real = formal_error_of("p_h")
    raw_s_h: Real = raw("s_h")
    raw_e_s_h: Real = formal_error_of("s_h")
    raw_k_h: Real = raw("k_h")
    raw_e_k_h: Real = formal_error_of("k_h")
    raw_ca_h: Real = raw("ca_h")
    raw_e_ca_h: Real = formal_error_of("ca_h")
    raw_ti_h: Real = raw("ti_h")
    raw_e_ti_h: Real = formal_error_of("ti_h")
    raw_ti_2_h: Real = raw("ti_2_h")
    raw_e_ti_2_h: Real = formal_error_of("ti_2_h")
    raw_v_h: Real = raw("v_h")
    raw_e_v_h: Real = formal_error_of("v_h")
    raw_cr_h: Real = raw("cr_h")
    raw_e_cr_h: Real = formal_error_of("cr_h")
    raw_mn_h: Real = raw("mn_h")
    raw_e_mn_h: Real = formal_error_of("mn_h")
    raw_fe_h: Real = raw("fe_h")
    raw_e_fe_h: Real = formal_error_of("fe_h")
    raw_co_h: Real = raw("co_h")
    raw_e_co_h: Real = formal_error_of("co_h")
    raw_ni_h: Real = raw("ni_h")
    raw_e_ni_h: Real = formal_error_of("ni_h")

    category("Summary Statistics")
    result_flags: Flags = column(description="Quality of the result", bits=AstroNNFlags)

    flag_warn = Summary("result_flags", "Whether any quality flag is set")

    flag_bad = Summary(
        "result_flags", "Whether teff, logg and fe_h are uncertain, all three", all_of=ALL_UNCERTAIN
    )

    def apply_flag_rules(self) -> None:
        """Set the flags of labels with great formal errors; no flag is taken away."""
        flags = 0
        far_off = relative_error_above(self.raw_e_logg, self.raw_logg, 0.075)
        if far_off and self.raw_e_logg is not None and self.raw_e_logg > 0.2:
            flags |= AstroNNFlags.UNCERTAIN_LOGG
        if self.raw_e_teff is not None and self.raw_e_teff > 300:
            flags |= AstroNNFlags.UNCERTAIN_TEFF
        if relative_error_above(self.raw_e_fe_h, self.raw_fe_h, 0.12):
            flags |= AstroNNFlags.UNCERTAIN_FE_H
        self.result_flags |= flags
