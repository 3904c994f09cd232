"""The record classes: one for each table, known to Pydantic and ignorant of databases.

Each is imported when it is first asked for: a pipeline's process waits for the tables that it uses alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from astra_outputs.model.outcome import Outcome
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.record import Record
from astra_outputs.model.spectrum import SpectrumMixin

if TYPE_CHECKING:
    from astra_outputs.records.apogee import ApogeeCoaddedSpectrumInApStar
    from astra_outputs.records.apogee_net import APOGEE_NET_BAD, ApogeeNet, ApogeeNetFlags
    from astra_outputs.records.apogee_visits import ApogeeVisitSpectrum, ApogeeVisitSpectrumInApStar
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
    from astra_outputs.records.astro_nn import AstroNN, AstroNNFlags
    from astra_outputs.records.astro_nn_dist import ASTRO_NN_DIST_BAD, AstroNNdist, AstroNNdistFlags
    from astra_outputs.records.boss import BossVisitSpectrum
    from astra_outputs.records.boss_net import BOSS_NET_BAD, BossNet, BossNetFlags
    from astra_outputs.records.clam import Clam, ClamFlags
    from astra_outputs.records.combined import ApogeeCombinedSpectrum, BossCombinedSpectrum
    from astra_outputs.records.corv import Corv
    from astra_outputs.records.line_forest import LineForest
    from astra_outputs.records.m_dwarf_type import MDwarfType
    from astra_outputs.records.member_flags import ApogeeMemberFlags
    from astra_outputs.records.nmf_rectify import NMFRectify, NMFRectifyFlags
    from astra_outputs.records.photometry_flags import (
        GlimpseCloseSourceFlags,
        GlimpseQualityFlags,
        ReddeningFlags,
        UnwiseCoaddFlags,
        UnwiseDetectionFlags,
    )
    from astra_outputs.records.rest_frame import ApogeeRestFrameVisitSpectrum, BossRestFrameVisitSpectrum
    from astra_outputs.records.slam import SLAM_BAD, Slam, SlamFlags
    from astra_outputs.records.snow_white import SnowWhite, SnowWhiteFlags
    from astra_outputs.records.source import Source
    from astra_outputs.records.spectrum import Spectrum
    from astra_outputs.records.spectrum_flags import (
        APOGEE_BAD,
        ApogeeSpectrumFlags,
        GriGaiaTransformFlags,
        ZWarningFlags,
    )
    from astra_outputs.records.targeting_cartons import Carton, carton_flags, cartons, cartons_of, in_carton
    from astra_outputs.records.targeting_flags import (
        Apogee2Target1Flags,
        Apogee2Target2Flags,
        Apogee2Target3Flags,
        ApogeeExtraTargetFlags,
        ApogeeTarget1Flags,
        ApogeeTarget2Flags,
    )
    from astra_outputs.records.the_cannon import TheCannon, TheCannonFlags
    from astra_outputs.records.the_payne import ThePayne, ThePayneFlags

__all__ = [
    "APOGEE_BAD",
    "APOGEE_NET_BAD",
    "ASPCAP",
    "ASPCAP_BAD",
    "ASTRO_NN_DIST_BAD",
    "BOSS_NET_BAD",
    "SLAM_BAD",
    "AbundanceFlags",
    "Apogee2Target1Flags",
    "Apogee2Target2Flags",
    "Apogee2Target3Flags",
    "ApogeeCoaddedSpectrumInApStar",
    "ApogeeCombinedSpectrum",
    "ApogeeExtraTargetFlags",
    "ApogeeMemberFlags",
    "ApogeeNet",
    "ApogeeNetFlags",
    "ApogeeRestFrameVisitSpectrum",
    "ApogeeSpectrumFlags",
    "ApogeeTarget1Flags",
    "ApogeeTarget2Flags",
    "ApogeeVisitSpectrum",
    "ApogeeVisitSpectrumInApStar",
    "AspcapFlags",
    "AstroNN",
    "AstroNNFlags",
    "AstroNNdist",
    "AstroNNdistFlags",
    "BossCombinedSpectrum",
    "BossNet",
    "BossNetFlags",
    "BossRestFrameVisitSpectrum",
    "BossVisitSpectrum",
    "CalibratedFlags",
    "Carton",
    "Clam",
    "ClamFlags",
    "CoarseFerreFlags",
    "Corv",
    "GlimpseCloseSourceFlags",
    "GlimpseQualityFlags",
    "GriGaiaTransformFlags",
    "InitialFlags",
    "IrfmTeffFlags",
    "LimitedAbundanceFlags",
    "LineForest",
    "MDwarfType",
    "NMFRectify",
    "NMFRectifyFlags",
    "Outcome",
    "PipelineOutputMixin",
    "Record",
    "ReddeningFlags",
    "Slam",
    "SlamFlags",
    "SnowWhite",
    "SnowWhiteFlags",
    "Source",
    "Spectrum",
    "SpectrumMixin",
    "TheCannon",
    "TheCannonFlags",
    "ThePayne",
    "ThePayneFlags",
    "UnwiseCoaddFlags",
    "UnwiseDetectionFlags",
    "ZWarningFlags",
    "carton_flags",
    "cartons",
    "cartons_of",
    "in_carton",
]

_MODULES = {
    "apogee": ("ApogeeCoaddedSpectrumInApStar",),
    "apogee_net": (
        "APOGEE_NET_BAD",
        "ApogeeNet",
        "ApogeeNetFlags",
    ),
    "apogee_visits": (
        "ApogeeVisitSpectrum",
        "ApogeeVisitSpectrumInApStar",
    ),
    "aspcap": ("ASPCAP",),
    "aspcap_flags": (
        "ASPCAP_BAD",
        "AbundanceFlags",
        "AspcapFlags",
        "CalibratedFlags",
        "CoarseFerreFlags",
        "InitialFlags",
        "IrfmTeffFlags",
        "LimitedAbundanceFlags",
    ),
    "astro_nn": (
        "AstroNN",
        "AstroNNFlags",
    ),
    "astro_nn_dist": (
        "ASTRO_NN_DIST_BAD",
        "AstroNNdist",
        "AstroNNdistFlags",
    ),
    "boss": ("BossVisitSpectrum",),
    "boss_net": (
        "BOSS_NET_BAD",
        "BossNet",
        "BossNetFlags",
    ),
    "targeting_cartons": ("Carton", "carton_flags", "cartons", "cartons_of", "in_carton"),
    "clam": (
        "Clam",
        "ClamFlags",
    ),
    "combined": (
        "ApogeeCombinedSpectrum",
        "BossCombinedSpectrum",
    ),
    "corv": ("Corv",),
    "line_forest": ("LineForest",),
    "m_dwarf_type": ("MDwarfType",),
    "member_flags": ("ApogeeMemberFlags",),
    "nmf_rectify": (
        "NMFRectify",
        "NMFRectifyFlags",
    ),
    "photometry_flags": (
        "GlimpseCloseSourceFlags",
        "GlimpseQualityFlags",
        "ReddeningFlags",
        "UnwiseCoaddFlags",
        "UnwiseDetectionFlags",
    ),
    "rest_frame": (
        "ApogeeRestFrameVisitSpectrum",
        "BossRestFrameVisitSpectrum",
    ),
    "slam": (
        "SLAM_BAD",
        "Slam",
        "SlamFlags",
    ),
    "snow_white": (
        "SnowWhite",
        "SnowWhiteFlags",
    ),
    "source": ("Source",),
    "spectrum": ("Spectrum",),
    "spectrum_flags": (
        "APOGEE_BAD",
        "ApogeeSpectrumFlags",
        "GriGaiaTransformFlags",
        "ZWarningFlags",
    ),
    "targeting_flags": (
        "Apogee2Target1Flags",
        "Apogee2Target2Flags",
        "Apogee2Target3Flags",
        "ApogeeExtraTargetFlags",
        "ApogeeTarget1Flags",
        "ApogeeTarget2Flags",
    ),
    "the_cannon": (
        "TheCannon",
        "TheCannonFlags",
    ),
    "the_payne": (
        "ThePayne",
        "ThePayneFlags",
    ),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
        globals()[name] = value  # asked once
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
