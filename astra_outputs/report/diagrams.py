"""Kiel diagrams of the newest versions, as pictures inside the page."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from astra_outputs.errors import InvalidPicture, MissingExtra
from astra_outputs.reading.plot import plot
from astra_outputs.report.asking import Asking
from astra_outputs.report.markup import Html, element
from astra_outputs.report.page import Section
from astra_outputs.report.results import Made

AXES = {"teff", "logg"}
"""Columns that such a diagram needs."""

RESOLUTION = 90
"""Dots per inch: about 30 kB a picture."""


async def kiel(asking: Asking, made: Sequence[Made]) -> Section:
    """Return a diagram of each pipeline that has temperatures and gravities."""
    figures: list[Html] = []
    for one in made:
        if not {column.name for column in one.record_class.columns()} >= AXES:
            continue
        version = one.versions[0].version
        try:
            with asking.unless_refused(f"Kiel diagram of {one.table}"):
                figures.append(await _drawn(asking, one, version))
        except InvalidPicture:
            continue  # no result has both
        except MissingExtra:
            return Section("kiel", "Kiel diagrams", element("p", _WITHOUT, class_="nothing"))
    if not figures:
        figures.append(element("p", "No result has a temperature and a gravity.", class_="nothing"))
    return Section("kiel", "Kiel diagrams", element("div", *figures, class_="figures"))


_WITHOUT = "Left out: pictures need matplotlib, pip install 'astra-outputs[plot]'."


async def _drawn(asking: Asking, one: Made, version: str) -> Html:
    picture = await plot(
        asking.database,
        one.record_class,
        "kiel",
        None,
        (),
        {"v_astra": version},
        columns=(),
        colour=None,
        style=None,
        title=None,
        connections=1,
    )
    data = b64encode(picture.png(RESOLUTION)).decode()
    words = f"{one.table} {version}: log g against effective temperature"
    image = element("img", src=f"data:image/png;base64,{data}", alt=words, width=576, height=432)
    return element("figure", image, element("figcaption", words))
