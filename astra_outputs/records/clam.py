"""`Clam`: stellar labels of hot stars from BOSS spectra."""

from __future__ import annotations

from typing import ClassVar

from astra_outputs.model.column_types import Flags, Real
from astra_outputs.model.columns import category, column
from astra_outputs.model.flags import BitFlags
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.records.apogee import ApogeeCoaddedSpectrumInApStar
from astra_outputs.records.labels import abundance, error_of, initial


class ClamFlags(BitFlags):
    """Quality of a result of Clam."""

    SPECTRUM_IO_ERROR = 0, "Spectrum could not be read"
    RUNTIME_ERROR = 1, "Pipeline failed on this spectrum"


class Clam(PipelineOutputMixin):
    """Results of Clam: stellar labels by a model that was learned from synthetic spectra."""

    may_be_left_out: ClassVar[bool] = True
    spectrum_class: ClassVar[type[SpectrumMixin] | None] = ApogeeCoaddedSpectrumInApStar

    category("Stellar Labels")
    teff: Real = column(unit="K", description="Effective temperature")
    e_teff: Real = error_of("teff", "K")
    logg: Real = column(unit="dex", description="Surface gravity")
    e_logg: Real = error_of("logg")
    m_h: Real = abundance("M")
    e_m_h: Real = error_of("m_h")
    n_m: Real = abundance("N", relative_to="M")
    e_n_m: Real = error_of("n_m")
    c_m: Real = abundance("C", relative_to="M")
    e_c_m: Real = error_of("c_m")
    v_micro: Real = column(unit="km/s", description="Microturbulence")
    e_v_micro: Real = error_of("v_micro", "km/s")
    v_sini: Real = column(unit="km/s", description="Projected rotational velocity")
    e_v_sini: Real = error_of("v_sini", "km/s")

    category("Initial position")
    initial_teff: Real = initial("teff", "K")
    initial_logg: Real = initial("logg")
    initial_m_h: Real = initial("m_h")
    initial_n_m: Real = initial("n_m")
    initial_c_m: Real = initial("c_m")
    initial_v_micro: Real = initial("v_micro", "km/s")
    initial_v_sini: Real = initial("v_sini", "km/s")

    category("Summary Statistics")
    rchi2: Real = column(description="Reduced chi-squared of the fit")
    result_flags: Flags = column(description="Quality of the result", bits=ClamFlags)
