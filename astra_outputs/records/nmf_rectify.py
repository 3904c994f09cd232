"""`NMFRectify`: continua by non-negative matrix factorisation."""

from __future__ import annotations

from typing import ClassVar

from astra_outputs.model.column_types import Flags, Real, RealArray, RequiredInteger, RequiredReal
from astra_outputs.model.columns import category, column
from astra_outputs.model.flags import BitFlags
from astra_outputs.model.pipeline import PipelineOutputMixin


class NMFRectifyFlags(BitFlags):
    """What happened in fitting a continuum (`nmf_flags`)."""

    INITIALISED_FROM_SMALL_W = 0, "Fit started from small weights"
    COULD_NOT_READ_SPECTRUM = 3, "Spectrum could not be read"
    RUNTIME_EXCEPTION = 4, "Pipeline failed on this spectrum"


class NMFRectify(PipelineOutputMixin):
    """Results of NMFRectify: continua by non-negative matrix factorisation."""

    may_be_left_out: ClassVar[bool] = True

    category("Continuum Fitting")
    log10_W: RealArray = column(description="Weights of the components, as log10")  # noqa: N815
    continuum_theta: RealArray = column(description="Coefficients of the continuum")
    L: RequiredReal = column(description="Length scale of the continuum")
    deg: RequiredInteger = column(description="Degree of the continuum")
    rchi2: Real = column(description="Reduced chi-squared of the fit")
    joint_rchi2: Real = column(description="Reduced chi-squared over all spectra of a star")
    nmf_flags: Flags = column(description="What happened in the fit", bits=NMFRectifyFlags)
