"""`SpectrumMixin`: a spectrum of one kind, and the number that identifies it across all spectra tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astra_outputs.model.column_types import BigInt, Timestamp
from astra_outputs.model.columns import category, column
from astra_outputs.model.record import Record

if TYPE_CHECKING:
    from astra_outputs.records.source import Source


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

    @property
    def source(self) -> Source | None:
        """The source, where `find(..., source=True)` brought it along.

        Raises
        ------
        NotRead
            If it did not.
        """
        found: Source | None = self._brought("source")
        return found
