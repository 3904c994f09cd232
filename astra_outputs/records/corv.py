"""`Corv`: radial velocities of white dwarfs from BOSS spectra."""

from __future__ import annotations

from typing import ClassVar

from astra_outputs.model.column_types import Integer, Real
from astra_outputs.model.columns import category, column
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.records.boss import BossVisitSpectrum
from astra_outputs.records.labels import error_of, initial


class Corv(PipelineOutputMixin):
    """Results of Corv: radial velocities of white dwarfs from BOSS spectra."""

    may_be_left_out: ClassVar[bool] = True
    spectrum_class: ClassVar[type[SpectrumMixin] | None] = BossVisitSpectrum

    category("Radial Velocity (corv)")
    v_rad: Real = column(unit="km/s", description="Barycentric radial velocity")
    e_v_rad: Real = error_of("v_rad", "km/s")

    category("Stellar Parameters")
    teff: Real = column(unit="K", description="Effective temperature")
    e_teff: Real = error_of("teff", "K")
    logg: Real = column(unit="dex", description="Surface gravity")
    e_logg: Real = error_of("logg")

    category("Initial values")
    initial_teff: Real = initial("teff", "K")
    initial_logg: Real = initial("logg")
    initial_v_rad: Real = initial("v_rad", "km/s")

    category("Summary Statistics")
    rchi2: Real = column(description="Reduced chi-squared of the fit")
    result_flags: Integer = column(description="Flags of the fit, without named bits")
