"""Files of APOGEE: apStar, with a star's co-added spectrum and its visits, and apVisit, with one visit."""

from __future__ import annotations

from typing import Any

from astra_outputs.errors import UnreadableFile
from astra_outputs.pixels.archive import in_sdss_5, part, reduced
from astra_outputs.pixels.layout import Layout


def _healpix(spectrum: Any) -> str:
    cell = part(spectrum, "healpix")
    return f"{int(cell) // 1000}/{cell}"


_FOLDERS = ("apred", "apstar", "telescope")


def _ap_star(spectrum: Any) -> str:
    folder = "/".join([reduced(spectrum, "apogee"), *(part(spectrum, name) for name in _FOLDERS)])
    obj = part(spectrum, "obj")
    if in_sdss_5(spectrum):
        name = f"apStar-{part(spectrum, 'apred')}-{part(spectrum, 'telescope')}-{obj}.fits"
        return f"{folder}/{_healpix(spectrum)}/{name}"
    name = f"{part(spectrum, 'prefix')}Star-{part(spectrum, 'apred')}-{obj}.fits"
    return f"{folder}/{part(spectrum, 'field')}/{name}"


def _ap_visit(spectrum: Any) -> str:
    folder = f"{reduced(spectrum, 'apogee')}/{part(spectrum, 'apred')}/visit/{part(spectrum, 'telescope')}"
    folder = f"{folder}/{part(spectrum, 'field')}"
    if spectrum.telescope != "apo1m":  # whose visits have no plate
        folder = f"{folder}/{part(spectrum, 'plate')}"
    return f"{folder}/{part(spectrum, 'mjd')}/{_visit_name(spectrum)}"


def _visit_name(spectrum: Any) -> str:
    apred, mjd = part(spectrum, "apred"), part(spectrum, "mjd")
    if spectrum.telescope == "apo1m":
        return f"apVisit-{apred}-{mjd}-{part(spectrum, 'reduction')}.fits"
    fibre = f"{spectrum.fiber:0>3}.fits"
    if in_sdss_5(spectrum):
        return f"apVisit-{apred}-{part(spectrum, 'telescope')}-{part(spectrum, 'plate')}-{mjd}-{fibre}"
    return f"{part(spectrum, 'prefix')}Visit-{apred}-{part(spectrum, 'plate')}-{mjd}-{fibre}"


# The loaders of SDSS-V read the files of SDSS-III and IV as well, and unlike the older ones with their masks.


def _co_added(_spectrum: Any, file: Any) -> dict[str, Any]:
    """Take the first row."""
    _as_rows(file)
    return {"format": "SDSS-V apStar", "idx": 0}


def _among_visits(spectrum: Any, file: Any) -> dict[str, Any]:
    """Take the row of a visit: the header lists their files; before several stand two rows that add them up."""
    _as_rows(file)
    name, header = _visit_name(spectrum), file[0].header
    rows = file[1].data.shape[0]
    for number in range(1, rows + 1):
        if str(header.get(f"SFILE{number}", "")).strip() == name:
            return {"format": "SDSS-V apStar", "idx": number - 1 + (2 if rows > 2 else 0)}
    raise UnreadableFile(f"it has no visit {name}: no SFILE card of its header says so")


def _one_visit(_spectrum: Any, _file: Any) -> dict[str, Any]:
    return {"format": "SDSS-V apVisit"}


def _as_rows(file: Any) -> None:
    """Give the images of a star with one visit a first axis, as all others have."""
    for hdu in file[1:4]:
        if hdu.data.ndim == 1:
            hdu.data = hdu.data[None, :]


AP_STAR = Layout(_ap_star, _co_added)
VISIT_IN_AP_STAR = Layout(_ap_star, _among_visits)
AP_VISIT = Layout(_ap_visit, _one_visit)
