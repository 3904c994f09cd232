"""APOGEE spectra of one visit: as they were reduced, and as an apStar file holds them."""

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
    RequiredInteger,
    RequiredText,
    Text,
    Timestamp,
)
from astra_outputs.model.columns import category, column
from astra_outputs.model.flag_summary import Summary
from astra_outputs.model.identifiers import RequiredNameOfSource
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.pixels.apogee import AP_VISIT, VISIT_IN_AP_STAR
from astra_outputs.pixels.layout import Layout
from astra_outputs.records.spectrum_flags import APOGEE_BAD, ApogeeSpectrumFlags


class ApogeeVisitSpectrum(SpectrumMixin):
    """APOGEE spectra of one visit."""

    may_be_left_out: ClassVar[bool] = True
    file_layout: ClassVar[Layout | None] = AP_VISIT
    natural_keys: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("release", "apred", "mjd", "plate", "telescope", "field", "fiber", "prefix", "reduction"),
    )

    category("Identifiers")
    catalogid: BigInt = column(description="Catalogue identifier of the target")
    star_pk: BigInt = column(description="Key in the APOGEE reduction database")
    visit_pk: BigInt = column(description="Key of the visit in the reduction database")
    rv_visit_pk: BigInt = column(description="Key of the visit's velocity in that database")

    category("Data Product Keywords")
    release: RequiredText = column(description="SDSS release that the file belongs to")
    filetype: RequiredText = column(description="Kind of file", default="apVisit")
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

    flag_bad = Summary(
        "spectrum_flags", "Whether a flag is set that makes the spectrum bad", any_of=APOGEE_BAD
    )


class ApogeeVisitSpectrumInApStar(SpectrumMixin):
    """APOGEE spectra of one visit, resampled, in the file of the co-added one."""

    may_be_left_out: ClassVar[bool] = True
    file_layout: ClassVar[Layout | None] = VISIT_IN_AP_STAR
    drp_spectrum_class: ClassVar[type[SpectrumMixin] | None] = ApogeeVisitSpectrum
    natural_keys: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("release", "apred", "apstar", "obj", "telescope", "field", "prefix", "plate", "mjd", "fiber"),
    )

    category("Identifiers")
    drp_spectrum_pk: RequiredBigInt = column(description="Key of the visit's spectrum it was made from")

    category("Data Product Keywords")
    release: RequiredText = column(description="SDSS release that the file belongs to")
    filetype: RequiredText = column(description="Kind of file", default="apStar")
    apred: RequiredText = column(description="Version of the APOGEE reduction")
    apstar: RequiredText = column(description="Version of the APOGEE co-addition", default="stars")
    obj: RequiredNameOfSource = column(description="Name of the object in the reduction")
    telescope: RequiredText = column(description="Telescope: apo25m, lco25m, apo1m")
    healpix: Integer = column(description="HEALPix cell, nside 128")
    field: RequiredText = column(description="Field of the plate or of the sky", default="")
    prefix: RequiredText = column(description="Start of the file name: ap or as", default="")
    plate: RequiredText = column(description="Plate, or field and configuration")
    mjd: RequiredInteger = column(unit="d", description="MJD of the visit")
    fiber: RequiredInteger = column(description="Fibre number")
    reduction: Text = column(description="Object of the reduction; DR17 of apo1m only", default="")
