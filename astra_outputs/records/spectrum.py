"""`Spectrum`: the table of the numbers that identify spectra of every kind."""

from __future__ import annotations

from typing import ClassVar

from astra_outputs.model.column_types import BigInt, Flags
from astra_outputs.model.columns import category, column
from astra_outputs.model.record import Record


class Spectrum(Record):
    """Spectra of every kind: one row for each row of a spectra table.

    Its rows are made by saving a spectrum (`ApogeeCoaddedSpectrumInApStar`, `BossVisitSpectrum`), so
    it has no natural key of its own.
    """

    natural_keys: ClassVar[tuple[tuple[str, ...], ...]] = ()

    category("Identifiers")
    pk: BigInt = column(description="Key of the spectrum", server_default="identity")
    source_pk: BigInt = column(description="Key of the source; null where nobody said it")
    spectrum_flags: Flags = column(description="Flags of the spectrum, without named bits")
