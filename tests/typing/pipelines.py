"""Pipelines as users annotate them: checked by mypy and pyright, never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import assert_type

from astra_outputs import (
    ApogeeCoaddedSpectrumInApStar,
    AsyncResults,
    Outputs,
    Results,
    Run,
    RunReport,
    TheCannon,
)

Spectra = Iterable[ApogeeCoaddedSpectrumInApStar]


def with_overheads(spectra: Spectra) -> Results[TheCannon]:
    yield ...
    for spectrum in spectra:
        yield TheCannon.from_spectrum(spectrum, teff=5000.0)


def without(spectra: Spectra) -> Iterator[TheCannon]:
    for spectrum in spectra:
        yield TheCannon.from_spectrum(spectrum)


async def asynchronous(spectra: AsyncIterator[ApogeeCoaddedSpectrumInApStar]) -> AsyncResults[TheCannon]:
    yield ...
    async for spectrum in spectra:
        yield TheCannon.from_spectrum(spectrum)


async def runs(outputs: Outputs, spectra: list[ApogeeCoaddedSpectrumInApStar]) -> None:
    assert_type(outputs.run(with_overheads, spectra), Run[TheCannon])
    assert_type(outputs.run(without, spectra), Run[TheCannon])
    assert_type(outputs.run(asynchronous, spectra), Run[TheCannon])
    assert_type(await outputs.run(without, spectra), RunReport)
    async for record in outputs.run(with_overheads, spectra, v_astra="0.8.1", processes=2):
        assert_type(record, TheCannon)
        assert_type(record.teff, float | None)
