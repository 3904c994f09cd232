"""What type checkers are to know of records; checked by mypy and pyright, never run."""

from __future__ import annotations

from datetime import datetime
from typing import Any, assert_type

from astra_outputs import (
    BitFlags,
    Flags,
    Json,
    Outcome,
    PipelineOutputMixin,
    Real,
    RealArray,
    RequiredText,
    Text,
    TheCannon,
    Timestamp,
    column,
)


class MyFlags(BitFlags):
    """Bits of `result_flags`."""

    LOW_SNR = 0, "S/N is low"


class MyPipeline(PipelineOutputMixin):
    """Results of my pipeline."""

    teff: Real = column(unit="K", description="Effective temperature")
    name: Text = column(description="A name")
    kind: RequiredText = column(description="A kind")
    flux: RealArray = column(description="Flux")
    observed: Timestamp = column(description="When")
    notes: Json = column(description="Notes")
    result_flags: Flags = column(description="Quality", bits=MyFlags)


def made(spectrum: Any) -> MyPipeline:
    """Make a result in every way."""
    result = MyPipeline.from_spectrum(spectrum, v_astra="0.8.1", teff=5000.0, flag_low_snr=True)
    assert_type(result, MyPipeline)
    assert_type(result.teff, float | None)
    assert_type(result.name, str | None)
    assert_type(result.kind, str)
    assert_type(result.flux, list[float | None] | None)
    assert_type(result.observed, datetime | None)
    assert_type(result.result_flags, int)
    assert_type(result.outcome, Outcome | None)
    assert_type(result.v_astra_major_minor, int)
    result.teff = 5000.0
    result.result_flags |= MyFlags.LOW_SNR
    return result


def versions(result: MyPipeline) -> None:
    """A version is an integer that may be given as a text."""
    assert_type(result.v_astra, int)
    result.v_astra = "0.8.1"
    result.v_astra = 8001
    MyPipeline(spectrum_pk=1, v_astra="0.8.1", kind="x")
    MyPipeline(spectrum_pk=1, v_astra=8001, kind="x", teff=5000.0)


def flags(result: MyPipeline, other: TheCannon) -> None:
    """Bits have names."""
    assert_type(result.flag_low_snr, bool)
    result.flag_low_snr = True
    if other.flag_fitting_failure:
        other.flag_fitting_failure = False
