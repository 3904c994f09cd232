"""Files of BOSS: spec, with one visit, the parts of which are in the name of the file."""

from __future__ import annotations

import re
from typing import Any

from astra_outputs.pixels.archive import in_sdss_5, part, reduced
from astra_outputs.pixels.layout import Layout

_FIRST_LAYOUT = ((6, 0, 1), (6, 0, 4))
"""Reductions that name folders by the plate, with a "p", and pad the target's number instead of the field's."""

_DAILY = (6, 2, 0)
"""The first reduction that sorts folders by what was added up, and by thousands of fields."""


def _spec(spectrum: Any) -> str:
    run2d, mjd = part(spectrum, "run2d"), part(spectrum, "mjd")
    if not in_sdss_5(spectrum):
        return _spec_of_plates(spectrum, run2d)
    field, folder = f"{int(part(spectrum, 'fieldid')):0>6}", "full"
    catalogid = part(spectrum, "catalogid")
    version = _version(run2d)
    if _FIRST_LAYOUT[0] <= version <= _FIRST_LAYOUT[1]:
        field = str(int(field))
        name = f"spec-{field}-{mjd}-{catalogid:0>11}.fits"
        field = f"{field}p"
    else:
        name = f"spec-{field}-{mjd}-{catalogid}.fits"
        if version >= _DAILY:
            folder = f"daily/full/{int(field) // 1000:0>3}XXX"
    name = part(spectrum, "spec_file") if spectrum.spec_file else name
    return f"{reduced(spectrum, 'boss')}/{run2d}/spectra/{folder}/{field}/{mjd}/{name}"


def _spec_of_plates(spectrum: Any, run2d: str) -> str:
    """Return the path of a spectrum of SDSS-I to IV: the field is the plate, and `spec_file` tells the fibre."""
    survey, full = ("sdss", "") if run2d.isdigit() else ("eboss", "full/")
    folder = f"{part(spectrum, 'release').lower()}/{survey}/spectro/redux/{run2d}/spectra/{full}"
    return f"{folder}{int(part(spectrum, 'fieldid')):0>4}/{part(spectrum, 'spec_file')}"


def _version(run2d: str) -> tuple[int, ...]:
    """Return the numbers of a reduction; one that has none (`master`) is newer than all."""
    match = re.fullmatch(r"v(\d+)_(\d+)_(\d+)", run2d)
    return tuple(map(int, match.groups())) if match else (99,)


def _loading(spectrum: Any, file: Any) -> dict[str, Any]:
    if in_sdss_5(spectrum):
        return {"format": "SDSS-V spec", "hdu": 1}
    if "BUNIT" in file[0].header:  # spelt as the standard discourages, of which readers warn
        file[0].header["BUNIT"] = "1e-17 erg / (Angstrom cm2 s)"
    return {"format": "SDSS-III/IV spec"}


SPEC = Layout(_spec, _loading)
