"""The record classes: one for each table, known to Pydantic and ignorant of databases."""

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
from astra_outputs.records.base import Outcome, Record
from astra_outputs.records.boss import BossVisitSpectrum
from astra_outputs.records.pipeline import PipelineOutputMixin
from astra_outputs.records.snow_white import SnowWhite, SnowWhiteFlags
from astra_outputs.records.source import Source
from astra_outputs.records.spectrum import Spectrum, SpectrumMixin
from astra_outputs.records.the_cannon import TheCannon, TheCannonFlags

__all__ = [
    "ASPCAP",
    "ASPCAP_BAD",
    "AbundanceFlags",
    "ApogeeCoaddedSpectrumInApStar",
    "AspcapFlags",
    "BossVisitSpectrum",
    "CalibratedFlags",
    "CoarseFerreFlags",
    "InitialFlags",
    "IrfmTeffFlags",
    "LimitedAbundanceFlags",
    "Outcome",
    "PipelineOutputMixin",
    "Record",
    "SnowWhite",
    "SnowWhiteFlags",
    "Source",
    "Spectrum",
    "SpectrumMixin",
    "TheCannon",
    "TheCannonFlags",
]
