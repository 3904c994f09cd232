"""Store the rows of catalogue files as sources, spectra and results, by a mapping of their columns."""

from __future__ import annotations

from astra_outputs.ingest.mapping import Mapping, read_mapping
from astra_outputs.ingest.report import IngestReport, Refused
from astra_outputs.ingest.run import ingest

__all__ = ["IngestReport", "Mapping", "Refused", "ingest", "read_mapping"]
