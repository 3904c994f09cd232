"""`MDwarfType`: spectral types of cool stars from BOSS spectra."""

from __future__ import annotations

from typing import ClassVar

from astra_outputs.model.column_types import Flags, Real, RequiredReal, RequiredText
from astra_outputs.model.columns import category, column
from astra_outputs.model.flag_summary import Summary
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.records.boss import BossVisitSpectrum


class MDwarfType(PipelineOutputMixin):
    """Results of MDwarfType: spectral types of cool stars from BOSS spectra."""

    may_be_left_out: ClassVar[bool] = True
    spectrum_class: ClassVar[type[SpectrumMixin] | None] = BossVisitSpectrum

    category("M Dwarf Type")
    spectral_type: RequiredText = column(description="Spectral type of the best template")
    sub_type: RequiredReal = column(description="Subtype of the best template")
    rchi2: RequiredReal = column(description="Reduced chi-squared of the best template")
    continuum: Real = column(description="Scale of the continuum")
    result_flags: Flags = column(description="Quality of the result, without named bits")

    flag_bad = Summary("result_flags", "Whether any quality flag is set")
