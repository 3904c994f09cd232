"""`Spectrum` and `SpectrumMixin`: the number that identifies a spectrum across all spectra tables."""

from __future__ import annotations

from typing import ClassVar

from astra_outputs.column_types import BigInt, Flags, Timestamp
from astra_outputs.columns import category, column
from astra_outputs.records.base import Record


class Spectrum(Record):
    """Spectra of every kind: one row for each row of a spectra table.

    Its rows are made by saving a spectrum (`ApogeeCoaddedSpectrumInApStar`, `BossVisitSpectrum`), so
    it has no natural key of its own.
    """

    natural_keys: ClassVar[tuple[tuple[str, ...], ...]] = ()

    category("Identifiers")
    pk: BigInt = column(description="Key of the spectrum", server_default="identity")
    spectrum_flags: Flags = column(description="Flags of the spectrum, without named bits")


class SpectrumMixin(Record):
    """One spectrum of one kind; results refer to it by `spectrum_pk`.

    `spectrum_pk` is unique over all spectra tables. The database gives it when the spectrum is first
    saved, unless the record brings one along, as rows copied from another database do.
    """

    category("Identifiers")
    pk: BigInt = column(description="Key within this table", server_default="identity")
    spectrum_pk: BigInt = column(
        description="Key of the spectrum, over all tables", default=None, references="spectrum.pk"
    )
    source_pk: BigInt = column(description="Key of the source", references="source.pk")
    created: Timestamp = column(
        description="Time when the row was first stored", server_default="statement_timestamp()"
    )
    modified: Timestamp = column(
        description="Time when the row was last stored", server_default="statement_timestamp()"
    )
