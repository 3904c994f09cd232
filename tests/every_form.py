"""Results with a column of every type."""

from __future__ import annotations

from astra_outputs import (
    ApogeeCoaddedSpectrumInApStar,
    BigInt,
    BitFlags,
    Boolean,
    Bytes,
    Double,
    Flags,
    Integer,
    Json,
    NullableFlags,
    PipelineOutputMixin,
    Real,
    RealArray,
    RequiredInteger,
    Text,
    Timestamp,
    column,
)


class Bits(BitFlags):
    """Flags of a result."""

    LOW_SNR = 0, "S/N is 8 or below"


class EveryForm(PipelineOutputMixin):
    """Results with a column of every type."""

    spectrum_class = ApogeeCoaddedSpectrumInApStar

    a_real: Real = column(unit="K", description="A real")
    a_double: Double = column(unit="km/s", description="A double")
    an_integer: Integer = column(description="An integer")
    a_bigint: BigInt = column(description="A bigint")
    a_small: Integer = column(description="A number above zero")
    a_text: Text = column(description="A text")
    a_boolean: Boolean = column(description="A boolean")
    a_time: Timestamp = column(description="A time")
    some_bytes: Bytes = column(description="Some bytes")
    some_reals: RealArray = column(unit="arcsec", description="Some reals")
    a_status: RequiredInteger = column(description="A status", default=-1)
    result_flags: Flags = column(description="Flags of the result", bits=Bits)
    other_flags: NullableFlags = column(description="Other flags")
    notes: Json = column(description="Notes")
