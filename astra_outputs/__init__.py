"""The record layer of the Milky Way Mapper's analysis pipelines.

Write one record class and one SQL file, call `from_spectrum`, and save. Importing this package
touches nothing: no file, no server, no configuration.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from astra_outputs.column_types import (
    BigInt,
    Boolean,
    Bytes,
    Double,
    Flags,
    Integer,
    NullableFlags,
    Real,
    RealArray,
    RequiredBigInt,
    RequiredBoolean,
    RequiredInteger,
    RequiredReal,
    RequiredText,
    Text,
    Timestamp,
)
from astra_outputs.columns import category, column
from astra_outputs.flags import BitFlags
from astra_outputs.records import (
    ASPCAP,
    ApogeeCoaddedSpectrumInApStar,
    AspcapFlags,
    BossVisitSpectrum,
    Outcome,
    PipelineOutputMixin,
    Record,
    SnowWhite,
    SnowWhiteFlags,
    Source,
    Spectrum,
    TheCannon,
    TheCannonFlags,
)
from astra_outputs.version import format_version, major_minor, parse_version, using_version

if TYPE_CHECKING:
    from astra_outputs.repository import Outputs, connect

__all__ = [
    "ASPCAP",
    "ApogeeCoaddedSpectrumInApStar",
    "AspcapFlags",
    "BigInt",
    "BitFlags",
    "Boolean",
    "BossVisitSpectrum",
    "Bytes",
    "Double",
    "Flags",
    "Integer",
    "NullableFlags",
    "Outcome",
    "Outputs",
    "PipelineOutputMixin",
    "Real",
    "RealArray",
    "Record",
    "RequiredBigInt",
    "RequiredBoolean",
    "RequiredInteger",
    "RequiredReal",
    "RequiredText",
    "SnowWhite",
    "SnowWhiteFlags",
    "Source",
    "Spectrum",
    "Text",
    "TheCannon",
    "TheCannonFlags",
    "Timestamp",
    "category",
    "column",
    "connect",
    "format_version",
    "major_minor",
    "parse_version",
    "using_version",
]

_WITH_A_DRIVER = {"Outputs", "connect"}


def __getattr__(name: str) -> Any:
    # Records alone need no database driver: a pipeline's child processes start without it.
    if name in _WITH_A_DRIVER:
        return getattr(import_module("astra_outputs.repository"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
