"""`SpectrumMixin`: a spectrum of one kind, and the number that identifies it across all spectra tables."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from astra_outputs.errors import WrongRecordClass
from astra_outputs.model.column_types import BigInt, Timestamp
from astra_outputs.model.columns import category, column
from astra_outputs.model.record import Record
from astra_outputs.pixels.layout import Layout

if TYPE_CHECKING:
    import specutils

    from astra_outputs.records.source import Source


class SpectrumMixin(Record):
    """One spectrum of one kind; results refer to it by `spectrum_pk`.

    `spectrum_pk` is unique over all spectra tables. The database gives it when the spectrum is first
    saved, unless the record brings one along, as rows copied from another database do.
    """

    file_layout: ClassVar[Layout | None] = None
    """Where the survey keeps the pixels, and how they are read; None for a class without files."""

    drp_spectrum_class: ClassVar[type[SpectrumMixin] | None] = None
    """The class of the spectra that the column `drp_spectrum_pk` names: as the survey's reduction made them."""

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

    def path(self, root: str | os.PathLike[str] | None = None) -> Path:
        """Return where the file with the pixels is, by the survey's layout, whether or not it exists.

        Parameters
        ----------
        root : str or path, optional
            The folder that holds the survey's archive, in which `dr17` and `sdsswork` are folders; without it
            that of the environment variable `SAS_BASE_DIR`.

        Raises
        ------
        InvalidRecord
            If a column that the path needs is empty or no name of a file, or the release's layout is not known.
        WrongRecordClass
            If spectra of this class have no files.
        """
        return self._layout().path(self, root)

    def read(self, root: str | os.PathLike[str] | None = None) -> specutils.Spectrum:
        """Return the pixels: wavelengths in Angstrom (vacuum), flux, its uncertainty, and a mask.

        They are what specutils' loader for the kind of file gives, in the order of the file; `mask` is true
        where a flag of the pixel is set. Needs the extra `spectra`.

        Parameters
        ----------
        root : str or path, optional
            As for `path`.

        Raises
        ------
        MissingFile
            If there is no such file; the error names it.
        UnreadableFile
            If it is no such file, is damaged, or does not hold this spectrum.
        MissingExtra
            If specutils is not installed.
        InvalidRecord, WrongRecordClass
            As for `path`.
        """
        return self._layout().read(self, root)

    def _layout(self) -> Layout:
        if self.file_layout is None:
            raise WrongRecordClass(
                f"{self.table}: spectra of {type(self).__name__} have no files: it has no file_layout"
            )
        return self.file_layout
