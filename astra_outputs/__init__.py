"""The record layer of the Milky Way Mapper's analysis pipelines.

Write one record class and one SQL file, call `from_spectrum`, and save. Importing this package
touches nothing: no file, no server, no configuration.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from astra_outputs.errors import (
    AmbiguousFlag,
    AstraOutputsError,
    CannotConnect,
    CannotImport,
    CannotStart,
    CannotWrite,
    Closed,
    ConnectionLost,
    CorruptSpoolFile,
    DatabaseError,
    DuplicateKey,
    FileExists,
    InvalidColumn,
    InvalidCondition,
    InvalidFile,
    InvalidMapping,
    InvalidName,
    InvalidPicture,
    InvalidPlan,
    InvalidRecord,
    InvalidSQL,
    KeyMismatch,
    MaybeStored,
    MissingExtra,
    MissingFile,
    MissingVersion,
    Misused,
    NoConnectionLeft,
    NoRows,
    NotHere,
    NotRead,
    OtherEventLoop,
    OtherRecordClass,
    PermissionDenied,
    PipelineFailed,
    Problem,
    ReadOnlyColumn,
    SchemaMismatch,
    SpoolFull,
    UnknownCarton,
    UnknownColumn,
    UnknownReference,
    UnreadableFile,
    UntrustedSpool,
    VersionFrozen,
    WrongRecordClass,
)
from astra_outputs.model import column_types
from astra_outputs.model.column_types import *  # noqa: F403 (each type of columns, as its module lists them)
from astra_outputs.model.columns import category, column
from astra_outputs.model.flag_summary import Summary
from astra_outputs.model.flags import BitFlags
from astra_outputs.model.outcome import Outcome
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.record import Record
from astra_outputs.model.version import format_version, major_minor, parse_version, using_version

if TYPE_CHECKING:
    from astra_outputs.blocking import (
        BlockingColumns,
        BlockingIterator,
        BlockingOutputs,
        BlockingRun,
    )
    from astra_outputs.blocking import (
        open as open,  # noqa: A004 (not in `__all__`: an import of all names must not hide Python's own)
    )
    from astra_outputs.compare.comparison import ColumnChange, Comparison, FlagChange
    from astra_outputs.compare.histogram import Histogram
    from astra_outputs.export.export import ExportReport
    from astra_outputs.export.verify import Verified
    from astra_outputs.plots.picture import Picture
    from astra_outputs.postgres import sql_files as ddl  # noqa: F401 (`__getattr__` gives it)
    from astra_outputs.reading.columns import Columns
    from astra_outputs.reading.question import Asked
    from astra_outputs.records import (
        ASPCAP,
        ApogeeCoaddedSpectrumInApStar,
        ApogeeCombinedSpectrum,
        ApogeeNet,
        ApogeeNetFlags,
        ApogeeRestFrameVisitSpectrum,
        ApogeeVisitSpectrum,
        ApogeeVisitSpectrumInApStar,
        AspcapFlags,
        AstroNN,
        AstroNNdist,
        AstroNNdistFlags,
        AstroNNFlags,
        BossCombinedSpectrum,
        BossNet,
        BossNetFlags,
        BossRestFrameVisitSpectrum,
        BossVisitSpectrum,
        Clam,
        ClamFlags,
        Corv,
        LineForest,
        MDwarfType,
        NMFRectify,
        NMFRectifyFlags,
        Slam,
        SlamFlags,
        SnowWhite,
        SnowWhiteFlags,
        Source,
        Spectrum,
        TheCannon,
        TheCannonFlags,
        ThePayne,
        ThePayneFlags,
    )
    from astra_outputs.report.report import ReportPage
    from astra_outputs.repository import Outputs, connect
    from astra_outputs.saving.options import SaveOptions
    from astra_outputs.saving.report import Rejected, SaveReport
    from astra_outputs.spool.replay import ReplayReport
    from astra_outputs.tables.report import TableReport
    from astra_outputs.work import Failure, Run, RunOptions, RunReport
    from astra_outputs.work.driving import AsyncResults, Results

__all__ = [
    "ASPCAP",
    "AmbiguousFlag",
    "ApogeeCoaddedSpectrumInApStar",
    "ApogeeCombinedSpectrum",
    "ApogeeNet",
    "ApogeeNetFlags",
    "ApogeeRestFrameVisitSpectrum",
    "ApogeeVisitSpectrum",
    "ApogeeVisitSpectrumInApStar",
    "Asked",
    "AspcapFlags",
    "AstraOutputsError",
    "AstroNN",
    "AstroNNFlags",
    "AstroNNdist",
    "AstroNNdistFlags",
    "AsyncResults",
    "BitFlags",
    "BlockingColumns",
    "BlockingIterator",
    "BlockingOutputs",
    "BlockingRun",
    "BossCombinedSpectrum",
    "BossNet",
    "BossNetFlags",
    "BossRestFrameVisitSpectrum",
    "BossVisitSpectrum",
    "CannotConnect",
    "CannotImport",
    "CannotStart",
    "CannotWrite",
    "Clam",
    "ClamFlags",
    "Closed",
    "ColumnChange",
    "Columns",
    "Comparison",
    "ConnectionLost",
    "CorruptSpoolFile",
    "Corv",
    "DatabaseError",
    "DuplicateKey",
    "ExportReport",
    "Failure",
    "FileExists",
    "FlagChange",
    "Histogram",
    "InvalidColumn",
    "InvalidCondition",
    "InvalidFile",
    "InvalidMapping",
    "InvalidName",
    "InvalidPicture",
    "InvalidPlan",
    "InvalidRecord",
    "InvalidSQL",
    "KeyMismatch",
    "LineForest",
    "MDwarfType",
    "MaybeStored",
    "MissingExtra",
    "MissingFile",
    "MissingVersion",
    "Misused",
    "NMFRectify",
    "NMFRectifyFlags",
    "NoConnectionLeft",
    "NoRows",
    "NotHere",
    "NotRead",
    "OtherEventLoop",
    "OtherRecordClass",
    "Outcome",
    "Outputs",
    "PermissionDenied",
    "Picture",
    "PipelineFailed",
    "PipelineOutputMixin",
    "Problem",
    "ReadOnlyColumn",
    "Record",
    "Rejected",
    "ReplayReport",
    "ReportPage",
    "Results",
    "Run",
    "RunOptions",
    "RunReport",
    "SaveOptions",
    "SaveReport",
    "SchemaMismatch",
    "Slam",
    "SlamFlags",
    "SnowWhite",
    "SnowWhiteFlags",
    "Source",
    "Spectrum",
    "SpoolFull",
    "Summary",
    "TableReport",
    "TheCannon",
    "TheCannonFlags",
    "ThePayne",
    "ThePayneFlags",
    "UnknownCarton",
    "UnknownColumn",
    "UnknownReference",
    "UnreadableFile",
    "UntrustedSpool",
    "Verified",
    "VersionFrozen",
    "WrongRecordClass",
    "category",
    "column",
    "connect",
    "format_version",
    "major_minor",
    "parse_version",
    "using_version",
]
__all__ += column_types.__all__

# A pipeline's processes wait for no table but their own, and its child processes for no database driver.
_WHEN_ASKED_FOR = {
    "Asked": "astra_outputs.reading.question",
    "BlockingColumns": "astra_outputs.blocking",
    "BlockingIterator": "astra_outputs.blocking",
    "BlockingOutputs": "astra_outputs.blocking",
    "BlockingRun": "astra_outputs.blocking",
    "ColumnChange": "astra_outputs.compare.comparison",
    "Columns": "astra_outputs.reading.columns",
    "Comparison": "astra_outputs.compare.comparison",
    "FlagChange": "astra_outputs.compare.comparison",
    "Histogram": "astra_outputs.compare.histogram",
    "Failure": "astra_outputs.work.report",
    "Outputs": "astra_outputs.repository",
    "AsyncResults": "astra_outputs.work.driving",
    "Rejected": "astra_outputs.saving.report",
    "Results": "astra_outputs.work.driving",
    "ExportReport": "astra_outputs.export.export",
    "Picture": "astra_outputs.plots.picture",
    "Verified": "astra_outputs.export.verify",
    "ReplayReport": "astra_outputs.spool.replay",
    "ReportPage": "astra_outputs.report.report",
    "Run": "astra_outputs.work.run",
    "RunOptions": "astra_outputs.work.options",
    "RunReport": "astra_outputs.work.report",
    "SaveOptions": "astra_outputs.saving.options",
    "SaveReport": "astra_outputs.saving.report",
    "TableReport": "astra_outputs.tables.report",
    "connect": "astra_outputs.repository",
    "open": "astra_outputs.blocking",
}


def __getattr__(name: str) -> Any:
    if name == "ddl":
        return import_module("astra_outputs.postgres.sql_files")
    if name in __all__ or name in _WHEN_ASKED_FOR:
        return getattr(import_module(_WHEN_ASKED_FOR.get(name, "astra_outputs.records")), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
