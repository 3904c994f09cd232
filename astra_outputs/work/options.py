"""How to run a pipeline."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from astra_outputs.spool.folder import DEFAULT_LIMIT
from astra_outputs.work.driving import OnError


@dataclass(frozen=True)
class RunOptions:
    """How to run a pipeline; what `Outputs.run` takes by name.

    Attributes
    ----------
    v_astra : int or str, optional
        Version of the results that `from_spectrum` makes; the configured one where none is given.
    batch_size : int
        Records that are stored together.
    max_age : float
        Seconds after which a record is stored, however few there are.
    processes : int
        Processes in which the pipeline runs, for one that keeps a CPU busy; 0 for this one. The
        pipeline must be a function at the top of a module.
    on_error : {"collect", "raise"}
        What to do when the pipeline raises on a spectrum: note it in `report.failures` and go on with
        the others, or raise once everything that is finished is stored.
    most_failures : int
        Failures after which the run ends.
    spool : Path or str, optional
        Folder for results while the database is away; `ASTRA_OUTPUTS_SPOOL`, or `astra-outputs-spool`
        in the current folder, where none is given. What earlier runs left in it is stored first.
    spool_limit : int
        Most bytes in that folder.
    trust_spool : bool
        Accept a folder that belongs to another user, or that others can write to.
    grace : float
        Seconds to end in once `stop` is called, or the loop over the records is left.
    progress : bool
        Show on stderr how far the run is.
    total : int, optional
        Spectra to be expected, for the progress.

    Raises
    ------
    ValueError
        If an option makes no sense.
    """

    v_astra: int | str | None = None
    batch_size: int = 1_000
    max_age: float = 300.0
    processes: int = 0
    on_error: OnError = "collect"
    most_failures: int = 1_000
    spool: Path | str | None = None
    spool_limit: int = DEFAULT_LIMIT
    trust_spool: bool = False
    grace: float = 30.0
    progress: bool = False
    total: int | None = None

    def __post_init__(self) -> None:
        for name in ("batch_size", "most_failures"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("max_age", "processes", "spool_limit", "grace"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative: {getattr(self, name)}")
        if self.on_error not in ("collect", "raise"):
            raise ValueError(f'on_error must be "collect" or "raise", not {self.on_error!r}')

    @property
    def folder(self) -> Path:
        """Where results wait while the database is away."""
        return Path(self.spool or os.environ.get("ASTRA_OUTPUTS_SPOOL") or "astra-outputs-spool")


@dataclass(frozen=True)
class Bounds:
    """When to store.

    Attributes
    ----------
    batch_size : int
        Records that are stored together.
    max_age : float
        Seconds after which a record is stored, however few there are.
    """

    batch_size: int
    max_age: float


class RunWith(TypedDict, total=False):
    """The options of a run by name, for type checkers."""

    v_astra: int | str | None
    batch_size: int
    max_age: float
    processes: int
    on_error: OnError
    most_failures: int
    spool: Path | str | None
    spool_limit: int
    trust_spool: bool
    grace: float
    progress: bool
    total: int | None
