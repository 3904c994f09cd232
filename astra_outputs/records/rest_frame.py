"""Spectra of one visit in the rest frame of the star: what an mwmVisit file holds."""

from __future__ import annotations

from typing import ClassVar

from astra_outputs.model.column_types import (
    BigInt,
    Boolean,
    Double,
    Flags,
    Integer,
    Real,
    RequiredBigInt,
    RequiredBoolean,
    RequiredInteger,
    RequiredText,
    Text,
    Timestamp,
)
from astra_outputs.model.columns import category, column
from astra_outputs.model.flag_summary import Summary
from astra_outputs.model.identifiers import RequiredNumberOfSource
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.pixels.layout import Layout
from astra_outputs.pixels.mwm import APOGEE_IN_VISIT, BOSS_IN_VISIT
from astra_outputs.records.spectrum_flags import (
    APOGEE_BAD,
    ApogeeSpectrumFlags,
    GriGaiaTransformFlags,
    ZWarningFlags,
)


class BossRestFrameVisitSpectrum(SpectrumMixin):
    """BOSS spectra of one visit in the rest frame of the star."""

    may_be_left_out: ClassVar[bool] = True
    file_layout: ClassVar[Layout | None] = BOSS_IN_VISIT
    natural_keys: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("release", "filetype", "v_astra", "run2d", "fieldid", "mjd", "catalogid"),
    )

    category("Identifiers")
    drp_spectrum_pk: RequiredBigInt = column(description="Key of the visit's spectrum it was made from")

    category("Data Product Keywords")
    release: RequiredText = column(description="SDSS release that the file belongs to")
    filetype: RequiredText = column(description="Kind of file", default="mwmVisit")
    v_astra: RequiredText = column(description='Version of Astra that made the file: "0.8.0"')
    healpix: Integer = column(description="HEALPix cell, nside 128")
    sdss_id: RequiredNumberOfSource = column(description="SDSS-V identifier of the source")

    category("Related Data Product Keywords")
    run2d: RequiredText = column(description="Version of the BOSS reduction")
    mjd: RequiredInteger = column(unit="d", description="MJD of the visit")
    fieldid: RequiredInteger = column(description="Field identifier")
    catalogid: RequiredBigInt = column(description="Catalogue identifier of the target")

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

    category("Metadata Flags")
    snr: Real = column(description="Signal-to-noise ratio")
    in_stack: RequiredBoolean = column(description="Whether the visit is part of the co-add")
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

    category("NMF Continuum Model")
    nmf_rchi2: Real = column(description="Reduced chi-squared of the NMF continuum")
    nmf_flags: Flags = column(description="Flags of the NMF continuum, no named bits")


class ApogeeRestFrameVisitSpectrum(SpectrumMixin):
    """APOGEE spectra of one visit in the rest frame of the star."""

    may_be_left_out: ClassVar[bool] = True
    file_layout: ClassVar[Layout | None] = APOGEE_IN_VISIT
    natural_keys: ClassVar[tuple[tuple[str, ...], ...]] = (
        (
            "release",
            "v_astra",
            "sdss_id",
            "apred",
            "mjd",
            "plate",
            "telescope",
            "field",
            "fiber",
            "prefix",
            "reduction",
        ),
    )

    category("Identifiers")
    catalogid: BigInt = column(description="Catalogue identifier of the target")
    star_pk: BigInt = column(description="Key in the APOGEE reduction database")
    visit_pk: BigInt = column(description="Key of the visit in the reduction database")
    rv_visit_pk: BigInt = column(description="Key of the visit's velocity in that database")

    category("Data Product Keywords")
    release: RequiredText = column(description="SDSS release that the file belongs to")
    filetype: RequiredText = column(description="Kind of file", default="mwmVisit")
    v_astra: RequiredText = column(description='Version of Astra that made the file: "0.8.0"')
    healpix: RequiredInteger = column(description="HEALPix cell, nside 128")
    sdss_id: RequiredNumberOfSource = column(description="SDSS-V identifier of the source")

    category("Upstream Data Product Keywords")
    apred: RequiredText = column(description="Version of the APOGEE reduction")
    plate: RequiredText = column(description="Plate, or field and configuration")
    telescope: RequiredText = column(description="Telescope: apo25m, lco25m, apo1m")
    fiber: RequiredInteger = column(description="Fibre number")
    mjd: RequiredInteger = column(unit="d", description="MJD of the visit")
    field: RequiredText = column(description="Field of the plate or of the sky")
    prefix: RequiredText = column(description="Start of the file name: ap or as")
    reduction: RequiredText = column(description="Object of the reduction; DR17 of apo1m only", default="")
    obj: Text = column(description="Name of the object in the reduction")

    category("Observing Conditions")
    date_obs: Timestamp = column(description="Time of the observation (UTC)")
    jd: Double = column(description="Julian date of the middle of the visit")
    exptime: Real = column(unit="s", description="Exposure time in total")
    dithered: Boolean = column(description="Whether the exposures were dithered")
    f_night_time: Real = column(description="Mid-visit time as a share of the night")

    category("Telescope Pointing")
    input_ra: Double = column(description="Right ascension that was asked for")
    input_dec: Double = column(description="Declination that was asked for")
    n_frames: Integer = column(description="Number of frames added up")
    assigned: Integer = column(description="Whether the fibre was assigned to a target")
    on_target: Integer = column(description="Whether the fibre was on its target")
    valid: Integer = column(description="Whether the fibre's placement was valid")
    fps: Boolean = column(description="Whether a robot placed the fibre")

    category("Statistics and Spectrum Quality")
    snr: Real = column(description="Signal-to-noise ratio")
    in_stack: RequiredBoolean = column(description="Whether the visit is part of the co-add")
    spectrum_flags: Flags = column(description="Quality of the spectrum", bits=ApogeeSpectrumFlags)

    category("Radial Velocity (Doppler)")
    v_rad: Real = column(unit="km/s", description="Barycentric radial velocity")
    v_rel: Real = column(unit="km/s", description="Velocity relative to the telescope")
    e_v_rel: Real = column(unit="km/s", description="Error of v_rel")
    bc: Real = column(description="Barycentric correction that was applied")
    doppler_teff: Real = column(unit="K", description="Effective temperature by Doppler")
    doppler_e_teff: Real = column(unit="K", description="Error of doppler_teff")
    doppler_logg: Real = column(unit="dex", description="Surface gravity by Doppler")
    doppler_e_logg: Real = column(unit="dex", description="Error of doppler_logg")
    doppler_fe_h: Real = column(unit="dex", description="[Fe/H] by Doppler")
    doppler_e_fe_h: Real = column(unit="dex", description="Error of doppler_fe_h")
    doppler_rchi2: Real = column(description="Reduced chi-squared of the Doppler fit")
    doppler_flags: Flags = column(description="Flags of the Doppler fit, without named bits")

    category("Radial Velocity (X-Correlation)")
    xcorr_v_rad: Real = column(unit="km/s", description="Barycentric radial velocity")
    xcorr_v_rel: Real = column(unit="km/s", description="Velocity relative to the telescope")
    xcorr_e_v_rel: Real = column(unit="km/s", description="Error of xcorr_v_rel")
    ccfwhm: Real = column(unit="km/s", description="Width (FWHM) of the cross-correlation peak")
    autofwhm: Real = column(unit="km/s", description="Width (FWHM) of the auto-correlation peak")
    n_components: Integer = column(description="Number of components in the correlation")

    category("NMF Continuum Model")
    nmf_rchi2: Real = column(description="Reduced chi-squared of the NMF continuum")
    nmf_flags: Flags = column(description="Flags of the NMF continuum, no named bits")

    flag_bad = Summary(
        "spectrum_flags", "Whether a flag is set that makes the spectrum bad", any_of=APOGEE_BAD
    )
