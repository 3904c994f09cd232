"""A small pipeline that reads pixels: the equivalent width of one hydrogen line.

It is the whole pipeline of an outside author: this record class, the table in `hydrogen_line.sql`, and `measure`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from astra_outputs import (
    ApogeeVisitSpectrum,
    BitFlags,
    BossVisitSpectrum,
    Flags,
    Integer,
    MissingFile,
    PipelineOutputMixin,
    Real,
    Results,
    UnreadableFile,
    category,
    column,
)

if TYPE_CHECKING:
    from specutils import Spectrum

SPEED_OF_LIGHT = 299_792.458
"""In km/s."""

DETECTED = 3.0
"""Errors by which a width must differ from nothing."""

ENOUGH = 0.8
"""Share of a window's width that good pixels must cover."""


class HydrogenLineFlags(BitFlags):
    """Why there is no width, or one to be careful with."""

    NO_FILE = 0, "There is no file, or it cannot be read"
    TOO_FEW_PIXELS = 1, "Bad pixels, or the end of the spectrum, leave too little of the line or its sides"
    NOT_DETECTED = 2, "The width is within 3 errors of nothing"


class HydrogenLine(PipelineOutputMixin):
    """Equivalent widths of a hydrogen line: H alpha with BOSS, Brackett 11 with APOGEE."""

    category("Measurement")
    wavelength: Real = column(unit="Angstrom", description="Rest wavelength of the line, in vacuum")
    eqw: Real = column(unit="Angstrom", description="Equivalent width, positive in absorption")
    e_eqw: Real = column(unit="Angstrom", description="Error of eqw, from pixels and continuum")
    continuum: Real = column(
        unit="1e-17 erg/s/cm^2/Angstrom", description="Flux of the continuum at the line"
    )
    n_pixels: Integer = column(description="Number of good pixels in the line")

    category("Quality")
    result_flags: Flags = column(description="Flags of the result", bits=HydrogenLineFlags)


@dataclass(frozen=True)
class Line:
    """A line, and where it is looked for: within `half` of it; its continuum from there to `outer`; in Angstrom."""

    wavelength: float
    half: float
    outer: float


H_ALPHA = Line(6564.61, half=100.0, outer=150.0)
"""As wide as white dwarfs need; the narrow line of a cool star is measured less precisely than it could be."""

BRACKETT_11 = Line(16811.11, half=25.0, outer=45.0)


def measure(spectra: Iterable[ApogeeVisitSpectrum | BossVisitSpectrum]) -> Results[HydrogenLine]:
    """Yield one result for each spectrum; the archive is where `SAS_BASE_DIR` says."""
    for spectrum in spectra:
        if isinstance(spectrum, ApogeeVisitSpectrum):
            line, velocity = BRACKETT_11, spectrum.v_rel
        else:
            line, velocity = H_ALPHA, spectrum.xcsao_v_rad
        result = HydrogenLine.from_spectrum(spectrum, wavelength=line.wavelength)
        try:
            pixels = spectrum.read()
        except (MissingFile, UnreadableFile):
            result.flag_no_file = True
        else:
            fill_in(result, pixels, line, velocity or 0.0)
        yield result


def fill_in(result: HydrogenLine, pixels: Spectrum, line: Line, velocity: float) -> None:
    """Measure a line in a spectrum that moves with `velocity` [km/s], and say what is wrong with it.

    The continuum is a straight line through the bands beside it, weighted by the errors of their pixels.
    """
    offset, flux, error = good_pixels(pixels, line.wavelength * (1 + velocity / SPEED_OF_LIGHT))
    inside = np.abs(offset) <= line.half
    left = (-line.outer <= offset) & (offset < -line.half)
    right = (line.half < offset) & (offset <= line.outer)
    result.n_pixels = int(inside.sum())
    side = line.outer - line.half
    windows = ((inside, 2 * line.half), (left, side), (right, side))
    if any(covered(offset[window]) < ENOUGH * width for window, width in windows):
        result.flag_too_few_pixels = True
        return
    beside = left | right
    fit, covariance = np.polyfit(offset[beside], flux[beside], 1, w=1 / error[beside], cov="unscaled")
    x, width = offset[inside], np.gradient(offset[inside])
    continuum = np.polyval(fit, x)
    depth = 1 - flux[inside] / continuum
    # How the width answers to slope and height of the continuum, which have errors, too.
    answer = np.array([np.sum(width * (1 - depth) / continuum * power) for power in (x, 1)])
    result.continuum = float(fit[1])
    result.eqw = float(np.sum(width * depth))
    of_pixels = np.sum((width * error[inside] / continuum) ** 2)
    result.e_eqw = float(np.sqrt(of_pixels + answer @ covariance @ answer))
    result.flag_not_detected = abs(result.eqw) < DETECTED * result.e_eqw


def covered(offset: Any) -> float:
    """Return how much of a window pixels cover: the space between neighbours, without gaps."""
    space = np.diff(offset)
    return float(space[space < 4 * np.median(space)].sum()) if space.size else 0.0


def good_pixels(pixels: Spectrum, wavelength: float) -> tuple[Any, Any, Any]:
    """Return the pixels that may be used, by their distance from a wavelength [Angstrom]: that, flux and error."""
    from astropy.nddata import StdDevUncertainty

    with np.errstate(
        divide="ignore"
    ):  # pixels without information have no weight, which is an infinite error
        error = pixels.uncertainty.represent_as(StdDevUncertainty).array
    flux = pixels.flux.value
    good = ~pixels.mask & np.isfinite(flux) & np.isfinite(error) & (error > 0)
    offset = (pixels.spectral_axis.to_value("Angstrom") - wavelength)[good]
    order = np.argsort(offset)  # APOGEE's detectors come red first
    return offset[order], flux[good][order].astype(float), error[good][order].astype(float)
