"""A small pipeline: effective temperatures by the infrared flux method, from J - Ks and metallicity.

The relation is that of Gonzalez Hernandez & Bonifacio (2009, A&A 497, 497), table 5 and equation 10. It
is the whole pipeline of an outside author: this record class, the table in `irfm.sql`, and `infer`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import hypot
from typing import ClassVar

from astra_outputs import (
    ApogeeCoaddedSpectrumInApStar,
    BitFlags,
    Flags,
    PipelineOutputMixin,
    Real,
    Source,
    category,
    column,
)
from astra_outputs.model.spectrum import SpectrumMixin

REDDENING = 1.5
"""E(J - Ks) / A_K."""

LOWEST_LOGG_OF_DWARFS = 3.5
"""Stars of this log g and above take the relation for dwarfs, which the paper made with subgiants."""

SATURATED_J, SATURATED_K = 4.5, 3.5
"""Magnitudes below which 2MASS saturates even in its shortest exposure, 51 ms.

The limits are those of the 2MASS explanatory supplement (Cutri et al. 2003, section IV.4); they move with
the seeing, so stars somewhat fainter may be saturated too, and show it by their errors.
"""

UNCERTAIN = 0.1
"""Error in mag above which photometry is flagged; 2MASS gives 0.2 mag and more to saturated stars."""


class IRFMFlags(BitFlags):
    """What was missing, doubtful or chosen on the way to a temperature."""

    MISSING_PHOTOMETRY = 0, "J or Ks or the error of one is missing"
    MISSING_PARAMETERS = 1, "log g or metallicity is missing"
    COLOUR_OUT_OF_RANGE = 2, "J - Ks is outside the relation's range"
    METALLICITY_OUT_OF_RANGE = 3, "[Fe/H] is outside the relation's range"
    SATURATED_PHOTOMETRY = 4, "J or Ks is brighter than 2MASS can measure"
    UNCERTAIN_PHOTOMETRY = 5, "J or Ks has an error above 0.1 mag"
    EXTINCTION_TAKEN_AS_ZERO = 6, "A_K is missing or negative"
    DWARF_RELATION = 7, "The relation for dwarfs was used"
    GIANT_RELATION = 8, "The relation for giants was used"


class IRFM(PipelineOutputMixin):
    """Effective temperatures by the infrared flux method.

    There is no temperature where photometry or parameters are missing, or the colour is outside the
    range of the relation; one for a metallicity outside its range is given, and flagged.
    """

    spectrum_class: ClassVar[type[SpectrumMixin] | None] = ApogeeCoaddedSpectrumInApStar

    category("Stellar Labels")
    teff: Real = column(unit="K", description="Effective temperature")
    e_teff: Real = column(unit="K", description="Error of teff, from photometry and [Fe/H]")

    category("Inputs")
    j_k_0: Real = column(unit="mag", description="J - Ks without reddening")
    e_j_k_0: Real = column(unit="mag", description="Error of j_k_0")
    a_k: Real = column(unit="mag", description="Extinction in Ks that was used")
    logg: Real = column(unit="dex", description="Surface gravity that was used")
    fe_h: Real = column(unit="dex", description="[Fe/H] that was used")
    e_fe_h: Real = column(unit="dex", description="Error of fe_h")

    category("Quality")
    result_flags: Flags = column(description="Flags of the result", bits=IRFMFlags)


@dataclass(frozen=True)
class Star:
    """What the pipeline needs to know of one star.

    Attributes
    ----------
    spectrum : SpectrumMixin
        The spectrum that `logg` and `fe_h` were measured in.
    source : Source
        Its source, with J and Ks of 2MASS.
    logg, fe_h, e_fe_h : float or None
        Surface gravity, metallicity and its error, in dex.
    a_k : float or None
        Extinction in Ks, in mag.
    """

    spectrum: SpectrumMixin
    source: Source
    logg: float | None = None
    fe_h: float | None = None
    e_fe_h: float | None = None
    a_k: float | None = None


@dataclass(frozen=True)
class Relation:
    """5040 K / Teff = b0 + b1 X + b2 X² + b3 X Z + b4 Z + b5 Z², with X = (J - Ks)0 and Z = [Fe/H].

    Attributes
    ----------
    b : tuple[float, ...]
        The six coefficients.
    colours, metallicities : tuple[float, float]
        Range in mag and in dex within which the relation holds, both ends included.
    flag : IRFMFlags
        Says that this relation was used.
    """

    b: tuple[float, float, float, float, float, float]
    colours: tuple[float, float]
    metallicities: tuple[float, float]
    flag: IRFMFlags

    def teff(self, x: float, z: float) -> float:
        """Return the effective temperature in K."""
        b0, b1, b2, b3, b4, b5 = self.b
        return 5040 / (b0 + b1 * x + b2 * x**2 + b3 * x * z + b4 * z + b5 * z**2)

    def e_teff(self, x: float, z: float, e_x: float, e_z: float) -> float:
        """Return the error in K that follows from the errors of colour and metallicity, to first order."""
        _, b1, b2, b3, b4, b5 = self.b
        slope = self.teff(x, z) ** 2 / 5040
        return slope * hypot((b1 + 2 * b2 * x + b3 * z) * e_x, (b3 * x + b4 + 2 * b5 * z) * e_z)


DWARFS = Relation(
    b=(0.6524, 0.5813, 0.1225, -0.0646, 0.0370, 0.0016),
    colours=(0.1, 0.8),
    metallicities=(-3.5, 0.5),
    flag=IRFMFlags.DWARF_RELATION,
)
GIANTS = Relation(
    b=(0.6517, 0.6312, 0.0168, -0.0381, 0.0256, 0.0013),
    colours=(0.1, 0.9),
    metallicities=(-4.0, 0.2),
    flag=IRFMFlags.GIANT_RELATION,
)


def infer(stars: Iterable[Star]) -> Iterator[IRFM]:
    """Yield one result for each star; no star is left out, its flags say what it lacks."""
    for star in stars:
        result = IRFM.from_spectrum(star.spectrum, logg=star.logg, fe_h=star.fe_h, e_fe_h=star.e_fe_h)
        set_colour(result, star)
        set_teff(result)
        yield result


def set_colour(result: IRFM, star: Star) -> None:
    """Fill in the colour and its error, and say what is wrong with the photometry."""
    source = star.source
    result.a_k = max(star.a_k or 0.0, 0.0)
    result.flag_extinction_taken_as_zero = star.a_k is None or star.a_k < 0
    j, e_j, k, e_k = source.j_mag, source.e_j_mag, source.k_mag, source.e_k_mag
    if j is None or e_j is None or k is None or e_k is None:
        result.flag_missing_photometry = True
        return
    result.flag_saturated_photometry = j < SATURATED_J or k < SATURATED_K
    result.flag_uncertain_photometry = max(e_j, e_k) > UNCERTAIN
    result.j_k_0 = j - k - REDDENING * result.a_k
    result.e_j_k_0 = hypot(e_j, e_k)


def set_teff(result: IRFM) -> None:
    """Fill in the temperature and its error, and say which relation was used and whether it holds."""
    x, z, e_x = result.j_k_0, result.fe_h, result.e_j_k_0
    if result.logg is None or z is None:
        result.flag_missing_parameters = True
        return
    relation = DWARFS if result.logg >= LOWEST_LOGG_OF_DWARFS else GIANTS
    result.flag_metallicity_out_of_range = not within(relation.metallicities, z)
    if x is None or e_x is None:
        return
    if not within(relation.colours, x):
        result.flag_colour_out_of_range = True
        return
    result.result_flags |= relation.flag
    result.teff = relation.teff(x, z)
    result.e_teff = relation.e_teff(x, z, e_x, result.e_fe_h or 0.0)


def within(limits: tuple[float, float], value: float) -> bool:
    """Whether a value is inside a range, both ends included."""
    lowest, highest = limits
    return lowest <= value <= highest
