"""`AstroNNdist`: distances from APOGEE spectra by a neural network."""

from __future__ import annotations

from typing import ClassVar, Final

from astra_outputs.model.column_types import Flags, Real
from astra_outputs.model.columns import category, column
from astra_outputs.model.flag_summary import Summary
from astra_outputs.model.flags import BitFlags
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.records.apogee import ApogeeCoaddedSpectrumInApStar
from astra_outputs.records.labels import error_of


class AstroNNdistFlags(BitFlags):
    """Quality of a result of AstroNNdist."""

    FAKEMAG_UNRELIABLE = 0, "Luminosity is unreliable"
    MISSING_PHOTOMETRY = 1, "No Ks magnitude"
    MISSING_EXTINCTION = 2, "No extinction"
    NO_RESULT = 11, "No result for this spectrum"


ASTRO_NN_DIST_BAD: Final = (
    AstroNNdistFlags.FAKEMAG_UNRELIABLE | AstroNNdistFlags.MISSING_PHOTOMETRY | AstroNNdistFlags.NO_RESULT
)
"""The flags of which one is enough to call a result bad; a missing extinction only warns."""


class AstroNNdist(PipelineOutputMixin):
    """Results of AstroNNdist: distances from APOGEE spectra."""

    table: ClassVar[str] = "astro_nn_dist"
    may_be_left_out: ClassVar[bool] = True
    spectrum_class: ClassVar[type[SpectrumMixin] | None] = ApogeeCoaddedSpectrumInApStar

    category("Stellar Labels")
    k_mag: Real = column(unit="mag", description="Ks magnitude, 2MASS")
    ebv: Real = column(unit="mag", description="Reddening E(B-V)")
    A_k_mag: Real = column(unit="mag", description="Extinction in Ks")
    L_fakemag: Real = column(description="Luminosity in Ks as a pseudo-magnitude")
    e_L_fakemag: Real = error_of("L_fakemag", None)  # noqa: N815
    dist: Real = column(unit="pc", description="Distance")
    e_dist: Real = error_of("dist", "pc")

    category("Summary Statistics")
    result_flags: Flags = column(description="Quality of the result", bits=AstroNNdistFlags)

    flag_warn = Summary("result_flags", "Whether any quality flag is set")

    flag_bad = Summary(
        "result_flags", "Whether a flag is set that makes the result bad", any_of=ASTRO_NN_DIST_BAD
    )
