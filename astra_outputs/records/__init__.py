"""The record classes: one for each table, known to Pydantic and ignorant of databases."""

from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.record import Outcome, Record
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.records.apogee import ApogeeCoaddedSpectrumInApStar
from astra_outputs.records.aspcap import ASPCAP
from astra_outputs.records.aspcap_flags import (
    ASPCAP_BAD,
    AbundanceFlags,
    AspcapFlags,
    CalibratedFlags,
    CoarseFerreFlags,
    InitialFlags,
    IrfmTeffFlags,
    LimitedAbundanceFlags,
)
from astra_outputs.records.boss import BossVisitSpectrum
from astra_outputs.records.member_flags import ApogeeMemberFlags
from astra_outputs.records.photometry_flags import (
    GlimpseCloseSourceFlags,
    GlimpseQualityFlags,
    ReddeningFlags,
    UnwiseCoaddFlags,
    UnwiseDetectionFlags,
)
from astra_outputs.records.snow_white import SnowWhite, SnowWhiteFlags
from astra_outputs.records.source import Source
from astra_outputs.records.spectrum import Spectrum
from astra_outputs.records.spectrum_flags import (
    APOGEE_BAD,
    ApogeeSpectrumFlags,
    GriGaiaTransformFlags,
    ZWarningFlags,
)
from astra_outputs.records.targeting_flags import (
    Apogee2Target1Flags,
    Apogee2Target2Flags,
    Apogee2Target3Flags,
    ApogeeExtraTargetFlags,
    ApogeeTarget1Flags,
    ApogeeTarget2Flags,
)
from astra_outputs.records.the_cannon import TheCannon, TheCannonFlags

__all__ = [
    "APOGEE_BAD",
    "ASPCAP",
    "ASPCAP_BAD",
    "AbundanceFlags",
    "Apogee2Target1Flags",
    "Apogee2Target2Flags",
    "Apogee2Target3Flags",
    "ApogeeCoaddedSpectrumInApStar",
    "ApogeeExtraTargetFlags",
    "ApogeeMemberFlags",
    "ApogeeSpectrumFlags",
    "ApogeeTarget1Flags",
    "ApogeeTarget2Flags",
    "AspcapFlags",
    "BossVisitSpectrum",
    "CalibratedFlags",
    "CoarseFerreFlags",
    "GlimpseCloseSourceFlags",
    "GlimpseQualityFlags",
    "GriGaiaTransformFlags",
    "InitialFlags",
    "IrfmTeffFlags",
    "LimitedAbundanceFlags",
    "Outcome",
    "PipelineOutputMixin",
    "Record",
    "ReddeningFlags",
    "SnowWhite",
    "SnowWhiteFlags",
    "Source",
    "Spectrum",
    "SpectrumMixin",
    "TheCannon",
    "TheCannonFlags",
    "UnwiseCoaddFlags",
    "UnwiseDetectionFlags",
    "ZWarningFlags",
]
