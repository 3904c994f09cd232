"""The project itself: records one after the other, records on several connections, and columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import astra_outputs
from astra_outputs import PipelineOutputMixin
from benchmarks.peers.base import Peer
from benchmarks.tables import SCHEMA, V_ASTRA, Row, SpectrumKeys, arrays_of

PARALLEL = 3
"""Connections at once; two or four differ little on two cores."""


class Ours(Peer):
    """What all ways have in common."""

    cuts_batches: ClassVar[bool] = True
    options: ClassVar[dict[str, Any]] = {}

    async def open(self) -> None:
        self.outputs = astra_outputs.connect(self.setting.dsn, schema=SCHEMA)
        await self.outputs.__aenter__()

    async def close(self) -> None:
        await self.outputs.__aexit__(None, None, None)

    async def save_batch(self, batch: Any) -> list[Any]:
        raise NotImplementedError  # the repository makes its own batches


class SaveMany(Ours):
    label: ClassVar[str] = "save_many"

    def prepare(self, rows: list[Row]) -> list[PipelineOutputMixin]:
        return [self.table.record_class.model_validate(row) for row in rows]

    async def save(self, batches: list[PipelineOutputMixin]) -> list[Any]:
        await self.outputs.save_many(batches, batch_size=self.batch, **self.options)
        return []

    def keys(self, batches: list[PipelineOutputMixin], saved: list[Any]) -> dict[int, int]:  # noqa: ARG002
        return {record.spectrum_pk: record.task_pk or 0 for record in batches if record.outcome}


class SaveManyParallel(SaveMany):
    label: ClassVar[str] = f"save_many, {PARALLEL} connections"
    options: ClassVar[dict[str, Any]] = {"connections": PARALLEL}


class FromSpectrum(SaveMany):
    """Records are built from plain values while they are saved; the clock counts both."""

    label: ClassVar[str] = "from_spectrum and save_many"

    def prepare(self, rows: list[Row]) -> Any:
        spectra = [SpectrumKeys(row["spectrum_pk"], row["source_pk"]) for row in rows]
        keys = ("spectrum_pk", "source_pk")
        values = [{name: value for name, value in row.items() if name not in keys} for row in rows]
        return list(zip(spectra, values, strict=True))

    async def save(self, batches: Any) -> list[Any]:
        build, kept = self.table.record_class.from_spectrum, []

        def results() -> Iterator[PipelineOutputMixin]:
            for spectrum, values in batches:
                kept.append(build(spectrum, values))
                yield kept[-1]

        await self.outputs.save_many(results(), batch_size=self.batch, **self.options)
        return kept

    def keys(self, batches: Any, saved: list[Any]) -> dict[int, int]:  # noqa: ARG002
        return {record.spectrum_pk: record.task_pk for record in saved}


class FromSpectrumParallel(FromSpectrum):
    label: ClassVar[str] = f"from_spectrum and save_many, {PARALLEL} connections"
    options: ClassVar[dict[str, Any]] = {"connections": PARALLEL}


class SaveTable(Ours):
    label: ClassVar[str] = "save_table"

    def prepare(self, rows: list[Row]) -> Any:
        return arrays_of(self.table, rows)

    async def save(self, batches: Any) -> list[Any]:
        report = await self.outputs.save_table(
            self.table.record_class,
            batches,
            v_astra=V_ASTRA,
            batch_size=self.batch,
            **self.options,
        )
        return [report]

    def keys(self, batches: Any, saved: list[Any]) -> dict[int, int]:
        keys = getattr(saved[0], "task_pk", None)
        if keys is None:
            return {}
        return dict(zip(map(int, batches["spectrum_pk"]), map(int, keys), strict=True))


class SaveTableParallel(SaveTable):
    label: ClassVar[str] = f"save_table, {PARALLEL} connections"
    options: ClassVar[dict[str, Any]] = {"connections": PARALLEL}


class SaveManyOn1(SaveMany):
    label: ClassVar[str] = "save_many, 1 connection"


class SaveManyOn2(SaveMany):
    label: ClassVar[str] = "save_many, 2 connections"
    options: ClassVar[dict[str, Any]] = {"connections": 2}


class SaveManyOn4(SaveMany):
    label: ClassVar[str] = "save_many, 4 connections"
    options: ClassVar[dict[str, Any]] = {"connections": 4}


class SaveTableOn1(SaveTable):
    label: ClassVar[str] = "save_table, 1 connection"


class SaveTableOn2(SaveTable):
    label: ClassVar[str] = "save_table, 2 connections"
    options: ClassVar[dict[str, Any]] = {"connections": 2}


class SaveTableOn4(SaveTable):
    label: ClassVar[str] = "save_table, 4 connections"
    options: ClassVar[dict[str, Any]] = {"connections": 4}
