"""What happens in the simulated year: pipelines, releases, arrivals, re-runs and values, all from a seed.

Nothing here asks the library or the database what is stored: the model that the end is held against
is built on this alone.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import create_model

from astra_outputs import ASPCAP, PipelineOutputMixin, Real, SnowWhite, TheCannon, column
from astra_outputs.model.column_types import REAL

MONTHS = range(1, 13)
RELEASES = {1: 6000, 2: 6001, 4: 7000, 6: 7001, 8: 8000, 10: 8001, 12: 1_000_000}
"""The month in which a version comes out: patches, minor ones and, at the end, a major one."""

BUILT_IN: tuple[type[PipelineOutputMixin], ...] = (ASPCAP, SnowWhite, TheCannon)
WIDTHS = (20, 35, 60, 90)
"""Numbers of labels of the other pipelines, in turn."""

SHARED = ("t_elapsed", "t_overhead")
STARTING = 40_503
"""A prime, so that neighbours differ."""


@dataclass(frozen=True)
class Plan:
    """One year.

    Attributes
    ----------
    seed : int
    spectra : int
        How many there are at the end of it.
    pipelines : int
    rerun : float
        Share of its results that a pipeline makes again in a month with a re-run.
    """

    seed: int
    spectra: int
    pipelines: int
    rerun: float = 0.1

    @property
    def record_classes(self) -> list[type[PipelineOutputMixin]]:
        """The pipelines' record classes, the built-in ones first."""
        made = [_record_class(number) for number in range(self.pipelines - len(BUILT_IN))]
        return [*BUILT_IN, *made][: self.pipelines]

    def arrived(self, month: int) -> int:
        """Return the number of spectra by the end of a month; their keys count from 1."""
        return self.spectra * month // len(MONTHS)

    def version(self, month: int) -> int:
        """Return the version in use in a month."""
        return RELEASES[max(released for released in RELEASES if released <= month)]

    def fails(self, pipeline: int, spectrum_pk: int) -> bool:
        """Tell whether a pipeline breaks on a spectrum, now and always."""
        return _mixed(self.seed, pipeline, spectrum_pk) % 97 == 0

    def rerun_of(self, month: int, pipeline: int) -> list[int]:
        """Return the spectra on which a pipeline runs again at the end of a month, by key."""
        draw = random.Random(_mixed(self.seed, month, pipeline))
        if draw.random() < 0.5:
            return []
        there = range(1, self.arrived(month) + 1)
        chosen = draw.sample(there, round(self.rerun * len(there)))
        return sorted(key for key in chosen if not self.fails(pipeline, key))


def values_of(names: tuple[str, ...], pipeline: int, spectrum_pk: int, month: int) -> dict[str, float]:
    """Return what a pipeline finds in a spectrum in a month; every number survives single precision."""
    start = _mixed(pipeline, spectrum_pk, month) % 8192
    return {name: (start + 7 * place) % 8192 / 8 for place, name in enumerate(names)}


def labels(record_class: type[PipelineOutputMixin]) -> tuple[str, ...]:
    """Return the real columns of a pipeline's own."""
    own = (found for found in record_class.columns() if found.type is REAL and found.nullable)
    return tuple(found.name for found in own if found.name not in SHARED)


def create_table(record_class: type[PipelineOutputMixin]) -> str:
    """Return the SQL of a pipeline that is not built in."""
    name = record_class.table
    lines = "".join(f"    {label} real,\n" for label in labels(record_class))
    return f"""
create table if not exists {name} (
    task_pk bigint generated always as identity,
    source_pk bigint,
    spectrum_pk bigint not null,
    v_astra integer not null,
    v_astra_major_minor integer not null generated always as (v_astra / 1000) stored,
    created timestamptz not null default statement_timestamp(),
    modified timestamptz not null default statement_timestamp(),
    t_elapsed real,
    t_overhead real,
    tag text not null default '',
{lines}
    constraint {name}_pkey primary key (task_pk),
    constraint {name}_spectrum_version_key unique (spectrum_pk, v_astra_major_minor),
    constraint {name}_source_fkey foreign key (source_pk) references source (pk),
    constraint {name}_spectrum_fkey foreign key (spectrum_pk) references spectrum (pk),
    constraint {name}_version_check check (v_astra >= 0)
) with (fillfactor = 50);
create index if not exists {name}_source_idx on {name} (source_pk);
"""


@lru_cache
def _record_class(number: int) -> type[PipelineOutputMixin]:
    found: dict[str, Any] = {
        f"label_{place:03d}": (Real, column(unit="dex", description="One label"))
        for place in range(WIDTHS[number % len(WIDTHS)])
    }
    return create_model(f"Pipeline{number}", __base__=PipelineOutputMixin, __module__=__name__, **found)


def _mixed(*numbers: int) -> int:
    mixed = 0
    for number in numbers:
        mixed = (mixed * STARTING + number + 1) * 2_654_435_761 & 0xFFFF_FFFF
        mixed ^= mixed >> 15
    return mixed
