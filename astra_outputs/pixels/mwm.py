"""Files that Astra makes: mwmStar, with a star's co-added spectra, and mwmVisit, with its visits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from astra_outputs.errors import UnreadableFile
from astra_outputs.pixels.archive import part, reduced, refused
from astra_outputs.pixels.layout import Layout

BOSS = {"apo25m": 1, "lco25m": 2}
APOGEE = {"apo25m": 3, "apo1m": 3, "lco25m": 4}
"""The extension of a telescope."""

_PARTS = ("mjd", "fieldid", "catalogid", "plate", "field", "fiber")
"""What tells visits of a star apart; those are compared that the file and the record both have."""


def _place(kind: str) -> Callable[[Any], str]:
    def place(spectrum: Any) -> str:
        number, version = part(spectrum, "sdss_id"), part(spectrum, "v_astra")
        last = f"{number:0>4}"[-4:]
        folder = f"{reduced(spectrum, 'astra')}/{version}/spectra/{kind.lower()}/{last[:2]}/{last[2:]}"
        return f"{folder}/mwm{kind}-{version}-{number}.fits"

    return place


def _co_added(extensions: dict[str, int]) -> Callable[[Any, Any], dict[str, Any]]:
    def loading(spectrum: Any, file: Any) -> dict[str, Any]:
        (number,) = _of_telescope(spectrum, extensions)
        if not _rows(file, number):
            raise UnreadableFile(f"extension {number} of it is empty")
        return {"format": "SDSS-V mwm", "hdu": number}

    return loading


def _visit(extensions: dict[str, int]) -> Callable[[Any, Any], dict[str, Any]]:
    def loading(spectrum: Any, file: Any) -> dict[str, Any]:
        for number in _of_telescope(spectrum, extensions):
            places = _matching(spectrum, file, number)
            if len(places) == 1:
                file[number].data = file[number].data[places]  # the loader takes all rows that it finds
                return {"format": "SDSS-V mwm", "hdu": number}
            if places:
                raise UnreadableFile(f"extension {number} of it has {len(places)} rows of this visit")
        raise UnreadableFile("it has no such visit")

    return loading


def _of_telescope(spectrum: Any, extensions: dict[str, int]) -> set[int]:
    """Return where a spectrum may stand: visits of BOSS need no telescope in their record."""
    if spectrum.telescope is None:
        return set(extensions.values())
    if spectrum.telescope not in extensions:
        raise refused(spectrum, "telescope", f"is none of {', '.join(extensions)}")
    return {extensions[spectrum.telescope]}


def _matching(spectrum: Any, file: Any, number: int) -> list[int]:
    """Return the rows of an extension that are of this visit."""
    if not _rows(file, number):
        return []
    table = file[number].data
    names = [name for name in _PARTS if hasattr(spectrum, name) and name in table.names]
    wanted = [str(getattr(spectrum, name)) for name in names]
    rows = zip(*(table[name] for name in names), strict=True)
    return [place for place, row in enumerate(rows) if [str(value).strip() for value in row] == wanted]


def _rows(file: Any, number: int) -> int:
    return 0 if number >= len(file) or file[number].data is None else len(file[number].data)


BOSS_IN_STAR = Layout(_place("Star"), _co_added(BOSS))
APOGEE_IN_STAR = Layout(_place("Star"), _co_added(APOGEE))
BOSS_IN_VISIT = Layout(_place("Visit"), _visit(BOSS))
APOGEE_IN_VISIT = Layout(_place("Visit"), _visit(APOGEE))
