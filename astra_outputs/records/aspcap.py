"""`ASPCAP`: stellar parameters and abundances of 22 species from APOGEE spectra."""

from __future__ import annotations

from typing import ClassVar

from astra_outputs.model.column_types import (
    Flags,
    Integer,
    NullableFlags,
    Real,
    RequiredInteger,
    RequiredText,
    Text,
)
from astra_outputs.model.columns import category, column
from astra_outputs.model.flag_summary import Summary
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.records.apogee import ApogeeCoaddedSpectrumInApStar
from astra_outputs.records.aspcap_flags import (
    ASPCAP_BAD,
    AspcapFlags,
    CalibratedFlags,
    CoarseFerreFlags,
    InitialFlags,
    IrfmTeffFlags,
    abundance_flags,
)
from astra_outputs.records.labels import (
    abundance,
    abundance_rchi2,
    coarse,
    error_of,
    formal_error_of,
    initial,
    raw,
)


class ASPCAP(PipelineOutputMixin):
    """Results of ASPCAP: parameters and abundances from APOGEE spectra."""

    spectrum_class: ClassVar[type[SpectrumMixin] | None] = ApogeeCoaddedSpectrumInApStar

    category("IRFM Effective Temperatures from V-Ks (Gonzalez Hernandez and Bonifacio 2009)")
    irfm_teff: Real = column(unit="K", description="Effective temperature from V-Ks")
    irfm_teff_flags: Flags = column(description="Quality of irfm_teff", bits=IrfmTeffFlags)

    category("Stellar Parameters")
    teff: Real = column(unit="K", description="Effective temperature")
    e_teff: Real = error_of("teff", "K")
    logg: Real = column(unit="dex", description="Surface gravity")
    e_logg: Real = error_of("logg")
    v_micro: Real = column(unit="km/s", description="Microturbulence")
    e_v_micro: Real = error_of("v_micro", "km/s")
    v_sini: Real = column(unit="km/s", description="Projected rotational velocity")
    e_v_sini: Real = error_of("v_sini", "km/s")
    m_h_atm: Real = column(unit="dex", description="[M/H] of the model atmosphere")
    e_m_h_atm: Real = error_of("m_h_atm")
    alpha_m_atm: Real = column(unit="dex", description="[alpha/M] of the model atmosphere")
    e_alpha_m_atm: Real = error_of("alpha_m_atm")
    c_m_atm: Real = column(unit="dex", description="[C/M] of the model atmosphere")
    e_c_m_atm: Real = error_of("c_m_atm")
    n_m_atm: Real = column(unit="dex", description="[N/M] of the model atmosphere")
    e_n_m_atm: Real = error_of("n_m_atm")

    category("Chemical Abundances")
    al_h: Real = abundance("Al")
    e_al_h: Real = error_of("al_h")
    al_h_flags: Flags = abundance_flags("al_h", upper_limits=False)
    al_h_rchi2: Real = abundance_rchi2("al_h")
    c_12_13: Real = column(description="Ratio of the isotopes 12C/13C")
    e_c_12_13: Real = error_of("c_12_13", None)
    c_12_13_flags: Flags = abundance_flags("c_12_13", upper_limits=False)
    c_12_13_rchi2: Real = abundance_rchi2("c_12_13")
    ca_h: Real = abundance("Ca")
    e_ca_h: Real = error_of("ca_h")
    ca_h_flags: Flags = abundance_flags("ca_h", upper_limits=False)
    ca_h_rchi2: Real = abundance_rchi2("ca_h")
    ce_h: Real = abundance("Ce")
    e_ce_h: Real = error_of("ce_h")
    ce_h_flags: Flags = abundance_flags("ce_h", upper_limits=True)
    ce_h_rchi2: Real = abundance_rchi2("ce_h")
    c_h: Real = abundance("C")
    e_c_h: Real = error_of("c_h")
    c_h_flags: Flags = abundance_flags("c_h", upper_limits=True)
    c_h_rchi2: Real = abundance_rchi2("c_h")
    co_h: Real = abundance("Co")
    e_co_h: Real = error_of("co_h")
    co_h_flags: Flags = abundance_flags("co_h", upper_limits=False)
    co_h_rchi2: Real = abundance_rchi2("co_h")
    cr_h: Real = abundance("Cr")
    e_cr_h: Real = error_of("cr_h")
    cr_h_flags: Flags = abundance_flags("cr_h", upper_limits=False)
    cr_h_rchi2: Real = abundance_rchi2("cr_h")
    cu_h: Real = abundance("Cu")
    e_cu_h: Real = error_of("cu_h")
    cu_h_flags: Flags = abundance_flags("cu_h", upper_limits=True)
    cu_h_rchi2: Real = abundance_rchi2("cu_h")
    fe_h: Real = abundance("Fe")
    e_fe_h: Real = error_of("fe_h")
    fe_h_flags: Flags = abundance_flags("fe_h", upper_limits=False)
    fe_h_rchi2: Real = abundance_rchi2("fe_h")
    k_h: Real = abundance("K")
    e_k_h: Real = error_of("k_h")
    k_h_flags: Flags = abundance_flags("k_h", upper_limits=False)
    k_h_rchi2: Real = abundance_rchi2("k_h")
    mg_h: Real = abundance("Mg")
    e_mg_h: Real = error_of("mg_h")
    mg_h_flags: Flags = abundance_flags("mg_h", upper_limits=False)
    mg_h_rchi2: Real = abundance_rchi2("mg_h")
    mn_h: Real = abundance("Mn")
    e_mn_h: Real = error_of("mn_h")
    mn_h_flags: Flags = abundance_flags("mn_h", upper_limits=False)
    mn_h_rchi2: Real = abundance_rchi2("mn_h")
    na_h: Real = abundance("Na")
    e_na_h: Real = error_of("na_h")
    na_h_flags: Flags = abundance_flags("na_h", upper_limits=True)
    na_h_rchi2: Real = abundance_rchi2("na_h")
    nd_h: Real = abundance("Nd")
    e_nd_h: Real = error_of("nd_h")
    nd_h_flags: Flags = abundance_flags("nd_h", upper_limits=True)
    nd_h_rchi2: Real = abundance_rchi2("nd_h")
    ni_h: Real = abundance("Ni")
    e_ni_h: Real = error_of("ni_h")
    ni_h_flags: Flags = abundance_flags("ni_h", upper_limits=False)
    ni_h_rchi2: Real = abundance_rchi2("ni_h")
    n_h: Real = abundance("N")
    e_n_h: Real = error_of("n_h")
    n_h_flags: Flags = abundance_flags("n_h", upper_limits=True)
    n_h_rchi2: Real = abundance_rchi2("n_h")
    o_h: Real = abundance("O")
    e_o_h: Real = error_of("o_h")
    o_h_flags: Flags = abundance_flags("o_h", upper_limits=True)
    o_h_rchi2: Real = abundance_rchi2("o_h")
    p_h: Real = abundance("P")
    e_p_h: Real = error_of("p_h")
    p_h_flags: Flags = abundance_flags("p_h", upper_limits=True)
    p_h_rchi2: Real = abundance_rchi2("p_h")
    si_h: Real = abundance("Si")
    e_si_h: Real = error_of("si_h")
    si_h_flags: Flags = abundance_flags("si_h", upper_limits=False)
    si_h_rchi2: Real = abundance_rchi2("si_h")
    s_h: Real = abundance("S")
    e_s_h: Real = error_of("s_h")
    s_h_flags: Flags = abundance_flags("s_h", upper_limits=True)
    s_h_rchi2: Real = abundance_rchi2("s_h")
    ti_h: Real = abundance("Ti")
    e_ti_h: Real = error_of("ti_h")
    ti_h_flags: Flags = abundance_flags("ti_h", upper_limits=False)
    ti_h_rchi2: Real = abundance_rchi2("ti_h")
    v_h: Real = abundance("V")
    e_v_h: Real = error_of("v_h")
    v_h_flags: Flags = abundance_flags("v_h", upper_limits=True)
    v_h_rchi2: Real = abundance_rchi2("v_h")

    category("FERRE Settings")
    short_grid_name: RequiredText = column(description="Name of the grid of model spectra", default="")
    continuum_order: RequiredInteger = column(description="Order of the continuum; -1: none", default=-1)
    continuum_reject: Real = column(description="Rejection limit of the continuum")
    interpolation_order: RequiredInteger = column(description="Order of interpolation; -1: none", default=-1)
    initial_flags: Flags = column(description="Where the fit started", bits=InitialFlags)

    category("Summary Statistics")
    rchi2: Real = column(description="Reduced chi-squared of the fit")
    ferre_log_snr_sq: Real = column(description="Log of the squared S/N, by FERRE")
    ferre_time_coarse: Real = column(unit="s", description="Time spent by FERRE on the coarse grid")
    ferre_time_params: Real = column(unit="s", description="Time spent by FERRE on the parameters")
    ferre_time_abundances: Real = column(unit="s", description="Time spent by FERRE on the abundances")
    result_flags: Flags = column(description="Quality of the result", bits=AspcapFlags)

    category("Initial parameters")
    initial_teff: Real = initial("teff", "K")
    initial_logg: Real = initial("logg")
    initial_v_micro: Real = initial("v_micro", "km/s")
    initial_v_sini: Real = initial("v_sini", "km/s")
    initial_m_h_atm: Real = initial("m_h_atm")
    initial_alpha_m_atm: Real = initial("alpha_m_atm")
    initial_c_m_atm: Real = initial("c_m_atm")
    initial_n_m_atm: Real = initial("n_m_atm")

    category("Coarse parameters")
    coarse_teff: Real = coarse("teff", "K")
    coarse_logg: Real = coarse("logg")
    coarse_v_micro: Real = coarse("v_micro", "km/s")
    coarse_v_sini: Real = coarse("v_sini", "km/s")
    coarse_m_h_atm: Real = coarse("m_h_atm")
    coarse_alpha_m_atm: Real = coarse("alpha_m_atm")
    coarse_c_m_atm: Real = coarse("c_m_atm")
    coarse_n_m_atm: Real = coarse("n_m_atm")
    coarse_ferre_flags: Flags = column(description="Quality of the coarse fit", bits=CoarseFerreFlags)
    coarse_rchi2: Real = column(description="Reduced chi-squared of the coarse fit")
    coarse_penalized_rchi2: Real = column(description="coarse_rchi2 with a penalty at grid edges")
    pwd: Text = column(description="Directory where FERRE ran")
    ferre_index: Integer = column(description="Index of the spectrum in the FERRE run")

    category("Calibration flags")
    calibrated_flags: NullableFlags = column(
        description="Which calibration was applied", bits=CalibratedFlags
    )
    mass: Real = column(unit="Msun", description="Stellar mass from isochrones")
    radius: Real = column(unit="Rsun", description="Stellar radius from isochrones")

    category("Raw (Uncalibrated) Quantities")
    raw_teff: Real = raw("teff", "K")
    raw_e_teff: Real = formal_error_of("teff", "K")
    raw_logg: Real = raw("logg")
    raw_e_logg: Real = formal_error_of("logg")
    raw_v_micro: Real = raw("v_micro", "km/s")
    raw_e_v_micro: Real = formal_error_of("v_micro", "km/s")
    raw_v_sini: Real = raw("v_sini", "km/s")
    raw_e_v_sini: Real = formal_error_of("v_sini", "km/s")
    raw_m_h_atm: Real = raw("m_h_atm")
    raw_e_m_h_atm: Real = formal_error_of("m_h_atm")
    raw_alpha_m_atm: Real = raw("alpha_m_atm")
    raw_e_alpha_m_atm: Real = formal_error_of("alpha_m_atm")
    raw_c_m_atm: Real = raw("c_m_atm")
    raw_e_c_m_atm: Real = formal_error_of("c_m_atm")
    raw_n_m_atm: Real = raw("n_m_atm")
    raw_e_n_m_atm: Real = formal_error_of("n_m_atm")
    raw_al_h: Real = raw("al_h")
    raw_e_al_h: Real = formal_error_of("al_h")
    raw_c_12_13: Real = raw("c_12_13", None)
    raw_e_c_12_13: Real = formal_error_of("c_12_13", None)
    raw_ca_h: Real = raw("ca_h")
    raw_e_ca_h: Real = formal_error_of("ca_h")
    raw_ce_h: Real = raw("ce_h")
    raw_e_ce_h: Real = formal_error_of("ce_h")
    raw_c_h: Real = raw("c_h")
    raw_e_c_h: Real = formal_error_of("c_h")
    raw_co_h: Real = raw("co_h")
    raw_e_co_h: Real = formal_error_of("co_h")
    raw_cr_h: Real = raw("cr_h")
    raw_e_cr_h: Real = formal_error_of("cr_h")
    raw_cu_h: Real = raw("cu_h")
    raw_e_cu_h: Real = formal_error_of("cu_h")
    raw_fe_h: Real = raw("fe_h")
    raw_e_fe_h: Real = formal_error_of("fe_h")
    raw_k_h: Real = raw("k_h")
    raw_e_k_h: Real = formal_error_of("k_h")
    raw_mg_h: Real = raw("mg_h")
    raw_e_mg_h: Real = formal_error_of("mg_h")
    raw_mn_h: Real = raw("mn_h")
    raw_e_mn_h: Real = formal_error_of("mn_h")
    raw_na_h: Real = raw("na_h")
    raw_e_na_h: Real = formal_error_of("na_h")
    raw_nd_h: Real = raw("nd_h")
    raw_e_nd_h: Real = formal_error_of("nd_h")
    raw_ni_h: Real = raw("ni_h")
    raw_e_ni_h: Real = formal_error_of("ni_h")
    raw_n_h: Real = raw("n_h")
    raw_e_n_h: Real = formal_error_of("n_h")
    raw_o_h: Real = raw("o_h")
    raw_e_o_h: Real = formal_error_of("o_h")
    raw_p_h: Real = raw("p_h")
    raw_e_p_h: Real = formal_error_of("p_h")
    raw_si_h: Real = raw("si_h")
    raw_e_si_h: Real = formal_error_of("si_h")
    raw_s_h: Real = raw("s_h")
    raw_e_s_h: Real = formal_error_of("s_h")
    raw_ti_h: Real = raw("ti_h")
    raw_e_ti_h: Real = formal_error_of("ti_h")
    raw_v_h: Real = raw("v_h")
    raw_e_v_h: Real = formal_error_of("v_h")

    flag_warn = Summary("result_flags", "Whether any quality flag is set")

    flag_bad = Summary("result_flags", "Whether a flag is set that makes the result bad", any_of=ASPCAP_BAD)
