"""What leaves the database at the end: a FITS file, a Kiel diagram, what the next version changes, a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from irfm import IRFM, Star, infer
from stars import CatalogueStar, Published

from astra_outputs import ApogeeCoaddedSpectrumInApStar, Comparison, Outputs
from astra_outputs.errors import InvalidPicture

RELEASED, NEXT = "0.9", "0.10"


async def write_products(
    outputs: Outputs, catalogue: Sequence[CatalogueStar], folder: Path
) -> tuple[list[tuple[str, str]], Comparison]:
    """Write files of the released version, make the next one, and compare the two.

    Returns
    -------
    list of (str, str), Comparison
        What was written, each with a word for it; and how the versions differ.
    """
    exported = await outputs.export(IRFM, folder / "irfm-0.9.fits", v_astra=RELEASED, overwrite=True)
    told = [("export", str(exported))]
    try:
        picture = await outputs.plot(IRFM, "kiel", v_astra=RELEASED, title=f"irfm {RELEASED}, SDSS DR12")
        told.append(("picture", str(picture.save(folder / "kiel.png", overwrite=True))))
    except InvalidPicture as error:  # of a few stars none may have a temperature
        told.append(("picture", f"none: {error}"))
    report = await outputs.run(infer, by_the_fit(catalogue), v_astra=f"{NEXT}.0")
    told.append(("next", f"{NEXT}.0 takes log g and metallicity of the fit, uncalibrated: {report}"))
    comparison = await outputs.compare(IRFM, RELEASED, NEXT, "flag_giant_relation")
    if comparison.differing:
        told.append(("picture", str(comparison.plot().save(folder / "changes.png", overwrite=True))))
    page = folder / "report.html"
    await outputs.report(page, IRFM, ApogeeCoaddedSpectrumInApStar, overwrite=True)
    told.append(("report", f"{page}, for any browser"))
    return told, comparison


def by_the_fit(catalogue: Sequence[CatalogueStar]) -> Iterator[Star]:
    """Yield the stars with the parameters of the fit, before its calibration."""
    for star in catalogue:
        fit: Published = star.fit
        yield Star(star.spectrum, star.source, fit.logg, fit.m_h, fit.e_m_h, star.a_k)
