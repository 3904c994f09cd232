"""The worker: runs a pipeline over spectra and stores what it makes, whatever happens meanwhile."""

from __future__ import annotations

from astra_outputs.work.options import RunOptions
from astra_outputs.work.report import Failure, RunReport
from astra_outputs.work.run import Run

__all__ = ["Failure", "Run", "RunOptions", "RunReport"]
