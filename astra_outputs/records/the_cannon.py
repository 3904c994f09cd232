"""`TheCannon`: stellar labels by a model of the spectrum that was learned from other stars."""

from __future__ import annotations

from typing import ClassVar

from astra_outputs.model.column_types import Flags, Real, RequiredInteger
from astra_outputs.model.columns import category, column
from astra_outputs.model.flag_summary import Summary
from astra_outputs.model.flags import BitFlags
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.records.apogee import ApogeeCoaddedSpectrumInApStar
from astra_outputs.records.labels import abundance, error_of, formal_error_of


class TheCannonFlags(BitFlags):
    """Quality of a result of The Cannon."""

    FITTING_FAILURE = 0, "Optimiser failed"


class TheCannon(PipelineOutputMixin):
    """Results of The Cannon: stellar labels from APOGEE spectra."""

    spectrum_class: ClassVar[type[SpectrumMixin] | None] = ApogeeCoaddedSpectrumInApStar

    category("Stellar Labels")
    teff: Real = column(unit="K", description="Effective temperature")
    e_teff: Real = error_of("teff", "K")
    logg: Real = column(unit="dex", description="Surface gravity")
    e_logg: Real = error_of("logg")
    fe_h: Real = abundance("Fe")
    e_fe_h: Real = error_of("fe_h")
    v_micro: Real = column(unit="km/s", description="Microturbulence")
    e_v_micro: Real = error_of("v_micro", "km/s")
    v_macro: Real = column(unit="km/s", description="Macroscopic broadening")
    e_v_macro: Real = error_of("v_macro", "km/s")

    category("Chemical Abundances")
    c_fe: Real = abundance("C", relative_to="Fe")
    e_c_fe: Real = error_of("c_fe")
    n_fe: Real = abundance("N", relative_to="Fe")
    e_n_fe: Real = error_of("n_fe")
    o_fe: Real = abundance("O", relative_to="Fe")
    e_o_fe: Real = error_of("o_fe")
    na_fe: Real = abundance("Na", relative_to="Fe")
    e_na_fe: Real = error_of("na_fe")
    mg_fe: Real = abundance("Mg", relative_to="Fe")
    e_mg_fe: Real = error_of("mg_fe")
    al_fe: Real = abundance("Al", relative_to="Fe")
    e_al_fe: Real = error_of("al_fe")
    si_fe: Real = abundance("Si", relative_to="Fe")
    e_si_fe: Real = error_of("si_fe")
    s_fe: Real = abundance("S", relative_to="Fe")
    e_s_fe: Real = error_of("s_fe")
    k_fe: Real = abundance("K", relative_to="Fe")
    e_k_fe: Real = error_of("k_fe")
    ca_fe: Real = abundance("Ca", relative_to="Fe")
    e_ca_fe: Real = error_of("ca_fe")
    ti_fe: Real = abundance("Ti", relative_to="Fe")
    e_ti_fe: Real = error_of("ti_fe")
    v_fe: Real = abundance("V", relative_to="Fe")
    e_v_fe: Real = error_of("v_fe")
    cr_fe: Real = abundance("Cr", relative_to="Fe")
    e_cr_fe: Real = error_of("cr_fe")
    mn_fe: Real = abundance("Mn", relative_to="Fe")
    e_mn_fe: Real = error_of("mn_fe")
    ni_fe: Real = abundance("Ni", relative_to="Fe")
    e_ni_fe: Real = error_of("ni_fe")

    category("Summary Statistics")
    chi2: Real = column(description="Chi-squared of the fit")
    rchi2: Real = column(description="Reduced chi-squared of the fit")

    category("Formal uncertainties")
    raw_e_teff: Real = formal_error_of("teff", "K")
    raw_e_logg: Real = formal_error_of("logg")
    raw_e_fe_h: Real = formal_error_of("fe_h")
    raw_e_v_micro: Real = formal_error_of("v_micro", "km/s")
    raw_e_v_macro: Real = formal_error_of("v_macro", "km/s")
    raw_e_c_fe: Real = formal_error_of("c_fe")
    raw_e_n_fe: Real = formal_error_of("n_fe")
    raw_e_o_fe: Real = formal_error_of("o_fe")
    raw_e_na_fe: Real = formal_error_of("na_fe")
    raw_e_mg_fe: Real = formal_error_of("mg_fe")
    raw_e_al_fe: Real = formal_error_of("al_fe")
    raw_e_si_fe: Real = formal_error_of("si_fe")
    raw_e_s_fe: Real = formal_error_of("s_fe")
    raw_e_k_fe: Real = formal_error_of("k_fe")
    raw_e_ca_fe: Real = formal_error_of("ca_fe")
    raw_e_ti_fe: Real = formal_error_of("ti_fe")
    raw_e_v_fe: Real = formal_error_of("v_fe")
    raw_e_cr_fe: Real = formal_error_of("cr_fe")
    raw_e_mn_fe: Real = formal_error_of("mn_fe")
    raw_e_ni_fe: Real = formal_error_of("ni_fe")

    category("Metadata")
    ier: RequiredInteger = column(description="Status of the optimiser; -1: not run", default=-1)
    nfev: RequiredInteger = column(description="Number of model evaluations; -1: not run", default=-1)
    x0_index: RequiredInteger = column(description="Which starting point was used; -1: none", default=-1)
    result_flags: Flags = column(description="Quality of the result", bits=TheCannonFlags)

    flag_warn = Summary("result_flags", "Whether any quality flag is set")
