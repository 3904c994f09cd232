"""`Layout`: one kind of file, and the reading of it by specutils."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astra_outputs.errors import AstraOutputsError, MissingExtra, MissingFile, UnreadableFile
from astra_outputs.pixels.archive import root_of, said
from astra_outputs.printable import printable

if TYPE_CHECKING:
    from specutils import Spectrum


@dataclass(frozen=True)
class Layout:
    """One kind of file.

    Attributes
    ----------
    place : callable
        Takes a spectrum and returns the path of its file below the archive's root.
    loading : callable
        Takes the spectrum and the open file, brings the file into the form that the loader expects, and returns
        what `specutils.Spectrum.read` is told: the `format`, which names the loader, and which row or extension.
    """

    place: Callable[[Any], str]
    loading: Callable[[Any, Any], dict[str, Any]]

    def path(self, spectrum: Any, root: str | os.PathLike[str] | None) -> Path:
        """Return where the file of a spectrum is, whether or not it exists."""
        return root_of(root) / self.place(spectrum)

    def read(self, spectrum: Any, root: str | os.PathLike[str] | None) -> Spectrum:
        """Return the pixels of a spectrum; what `SpectrumMixin.read` says holds here."""
        path = self.path(spectrum, root)
        if not path.is_file():
            raise MissingFile(
                f"{said(spectrum)}: there is no {path}; the archive's folder is taken to be {root_of(root)}: "
                "give another one to read(root), or copy the file there"
            )
        specutils, fits = _libraries()
        try:
            with fits.open(path, memmap=False) as file:
                pixels: Spectrum = specutils.Spectrum.read(file, **self.loading(spectrum, file))
                return pixels
        except (MemoryError, AstraOutputsError) as error:
            if not isinstance(error, UnreadableFile):
                raise
            raise UnreadableFile(f"{said(spectrum)}: {path}: {error}") from error
        except Exception as error:  # the libraries raise errors of many families about a file
            reason = printable(" ".join(str(error).split()) or type(error).__name__)
            raise UnreadableFile(f"{said(spectrum)}: {path} cannot be read: {reason}") from error


def _libraries() -> tuple[Any, Any]:
    try:
        import specutils
        from astropy.io import fits
    except ImportError as error:
        raise MissingExtra("pixels are read by specutils: pip install 'astra-outputs[spectra]'") from error
    return specutils, fits
