"""The folders of the survey's archive: where each release keeps what was reduced, and the parts of a path."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from astra_outputs.errors import InvalidRecord, Misused, Problem, shorten

SDSS_4 = ("dr16", "dr17")
"""Releases in the layout of SDSS-IV. Earlier ones name folders by the number of a field, which no column holds."""

SDSS_5 = ("dr18", "dr19", "dr20", "ipl-1", "ipl-2", "ipl-3", "ipl-4")
"""Releases in the layout of SDSS-V."""

WORK = ("sdss5", "sdsswork")
"""What records call data of SDSS-V that no release has frozen."""

_IN_WORK = {
    "apogee": "sdsswork/mwm/apogee/spectro/redux",
    "boss": "sdsswork/bhm/boss/spectro/redux",
    "astra": "sdsswork/mwm/spectro/astra",
}


def root_of(root: str | os.PathLike[str] | None) -> Path:
    """Return the folder of the archive: the one given, else that of `SAS_BASE_DIR`, the survey's own variable.

    Raises
    ------
    Misused
        If there is neither.
    """
    found = root if root is not None else os.environ.get("SAS_BASE_DIR")
    if not found:
        raise Misused("where is the archive? give its folder, spectrum.path(root), or set SAS_BASE_DIR")
    return Path(found)


def in_sdss_5(spectrum: Any) -> bool:
    """Whether the release of a spectrum has the layout of SDSS-V.

    Raises
    ------
    InvalidRecord
        If its layout is not known.
    """
    release = _release(spectrum)
    if release in SDSS_4:
        return False
    if release in SDSS_5 or release in WORK:
        return True
    known = ", ".join((*SDSS_4, *SDSS_5, *WORK))
    raise refused(spectrum, "release", f"its layout is not known here; known are {known}")


def reduced(spectrum: Any, by: str) -> str:
    """Return the folder, below the root, of what `by` ("apogee", "boss" or "astra") made for the release."""
    release = _release(spectrum)
    if not in_sdss_5(spectrum):
        return f"{release}/apogee/spectro/redux"
    if release in WORK:
        return _IN_WORK[by]
    return f"{release}/spectro/{by}" if by == "astra" else f"{release}/spectro/{by}/redux"


def part(spectrum: Any, column: str) -> str:
    """Return the value of a column as a part of a path.

    Raises
    ------
    InvalidRecord
        If there is none, or it would lead to another folder: what a database says is not trusted with paths.
    """
    value = getattr(spectrum, column)
    text = "" if value is None else str(value)
    if not text:
        raise refused(spectrum, column, "the path of the file needs it")
    if text in (".", "..") or not text.isprintable() or any(sign in text for sign in '/\\:*?"<>|'):
        raise refused(spectrum, column, "is no name of a folder or file")
    return text


def refused(spectrum: Any, column: str, reason: str) -> InvalidRecord:
    """Return the error for a column of a spectrum whose file cannot be named."""
    return InvalidRecord(spectrum.table, (Problem(column, getattr(spectrum, column), reason),))


def _release(spectrum: Any) -> str:
    release = part(spectrum, "release").lower()
    return f"ipl-{release[3:]}" if release.startswith("ipl") and release[3:].isdigit() else release


def said(spectrum: Any) -> str:
    """Return what a spectrum is called in an error."""
    key = "" if spectrum.spectrum_pk is None else f" of spectrum_pk {shorten(spectrum.spectrum_pk)}"
    return f"{spectrum.table}{key}"
