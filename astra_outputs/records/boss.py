"""BOSS spectra: optical, 360 to 1040 nm."""

from __future__ import annotations

from typing import ClassVar

from astra_outputs.model.column_types import (
    BigInt,
    Boolean,
    Flags,
    Integer,
    Real,
    RealArray,
    RequiredBigInt,
    RequiredInteger,
    RequiredText,
    Text,
)
from astra_outputs.model.columns import category, column
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.pixels.boss import SPEC
from astra_outputs.pixels.layout import Layout
from astra_outputs.records.spectrum_flags import GriGaiaTransformFlags, ZWarningFlags


class BossVisitSpectrum(SpectrumMixin):
    """BOSS spectra of one visit."""

    file_layout: ClassVar[Layout | None] = SPEC
    natural_keys: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("release", "run2d", "fieldid", "mjd", "catalogid"),
    )

    category("Data Product Keywords")
    release: RequiredText = column(description="SDSS release that the file belongs to")
    filetype: RequiredText = column(description="Kind of file", default="specFull")
    run2d: RequiredText = column(description="Version of the BOSS reduction")
    mjd: RequiredInteger = column(unit="d", description="MJD of the visit")
    fieldid: RequiredInteger = column(description="Field identifier")
    catalogid: RequiredBigInt = column(description="Catalogue identifier of the target")
    healpix: RequiredInteger = column(description="HEALPix cell, nside 128")
    spec_file: RequiredText = column(description="Name of the spectrum file")

    category("Exposure Information")
    n_exp: Integer = column(description="Number of exposures added up")
    exptime: Real = column(unit="s", description="Exposure time in total")

    category("Field/Plate Information")
    plateid: Integer = column(description="Plate identifier")
    cartid: Integer = column(description="Cartridge identifier")
    mapid: Integer = column(description="Plug map identifier")
    slitid: Integer = column(description="Slit identifier")

    category("BOSS Data Reduction Pipeline")
    psfsky: Integer = column(description="Order of the PSF in sky subtraction")
    preject: Real = column(description="Rejection threshold of the profile area")
    n_std: Integer = column(description="Number of good standard stars")
    n_gal: Integer = column(description="Number of good galaxies in the field")
    lowrej: Integer = column(description="Extraction: lower rejection threshold")
    highrej: Integer = column(description="Extraction: upper rejection threshold")
    scatpoly: Integer = column(description="Extraction: order of scattered light")
    proftype: Integer = column(description="Extraction: kind of profile")
    nfitpoly: Integer = column(description="Extraction: number of profile terms")
    skychi2: Real = column(description="Mean chi-squared of the sky subtraction")
    schi2min: Real = column(description="Lowest chi-squared of the sky subtraction")
    schi2max: Real = column(description="Highest chi-squared of the sky subtraction")

    category("Observing Conditions")
    alt: Real = column(unit="deg", description="Telescope altitude")
    az: Real = column(unit="deg", description="Telescope azimuth")
    telescope: Text = column(description="Telescope: apo25m, lco25m")
    seeing: Real = column(unit="arcsec", description="Median seeing")
    airmass: Real = column(description="Mean airmass")
    airtemp: Real = column(unit="degC", description="Air temperature")
    dewpoint: Real = column(unit="degC", description="Dew point temperature")
    humidity: Real = column(unit="%", description="Relative humidity")
    pressure: Real = column(unit="millibar", description="Air pressure")
    dust_a: Real = column(unit="particles m^-3 s^-1", description="Dust particles of 0.3 micron")
    dust_b: Real = column(unit="particles m^-3 s^-1", description="Dust particles of 1 micron")
    gust_direction: Real = column(unit="deg", description="Direction of wind gusts")
    gust_speed: Real = column(unit="km/s", description="Speed of wind gusts")
    wind_direction: Real = column(unit="deg", description="Direction of the wind")
    wind_speed: Real = column(unit="km/s", description="Speed of the wind")
    moon_dist_mean: Real = column(unit="deg", description="Mean distance of the Moon on the sky")
    moon_phase_mean: Real = column(description="Mean phase of the Moon")
    n_guide: Integer = column(description="Number of guider frames")
    tai_beg: BigInt = column(unit="s", description="Start of the exposures (TAI)")
    tai_end: BigInt = column(unit="s", description="End of the exposures (TAI)")
    fiber_offset: Boolean = column(description="Whether the fibre was set off the target")
    f_night_time: Real = column(description="Mid-visit time as a share of the night")
    delta_ra: RealArray = column(unit="arcsec", description="Fibre offsets in right ascension")
    delta_dec: RealArray = column(unit="arcsec", description="Fibre offsets in declination")

    category("Metadata Flags")
    snr: Real = column(description="Signal-to-noise ratio")
    gri_gaia_transform_flags: Flags = column(
        description="Where the targeting magnitudes come from", bits=GriGaiaTransformFlags
    )
    zwarning_flags: Flags = column(description="Warnings of the redshift fit", bits=ZWarningFlags)

    category("XCSAO")
    xcsao_v_rad: Real = column(unit="km/s", description="Barycentric radial velocity by XCSAO")
    xcsao_e_v_rad: Real = column(unit="km/s", description="Error of xcsao_v_rad")
    xcsao_teff: Real = column(unit="K", description="Effective temperature by XCSAO")
    xcsao_e_teff: Real = column(unit="K", description="Error of xcsao_teff")
    xcsao_logg: Real = column(unit="dex", description="Surface gravity by XCSAO")
    xcsao_e_logg: Real = column(unit="dex", description="Error of xcsao_logg")
    xcsao_fe_h: Real = column(unit="dex", description="[Fe/H] by XCSAO")
    xcsao_e_fe_h: Real = column(unit="dex", description="Error of xcsao_fe_h")
    xcsao_rxc: Real = column(description="Cross-correlation R value of XCSAO")
