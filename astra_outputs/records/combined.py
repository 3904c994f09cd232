"""Spectra of one star in its rest frame, all visits added up: what an mwmStar file holds."""

from __future__ import annotations

from typing import ClassVar

from astra_outputs.model.column_types import (
    Flags,
    Integer,
    Real,
    RequiredInteger,
    RequiredText,
)
from astra_outputs.model.columns import category, column
from astra_outputs.model.flag_summary import Summary
from astra_outputs.model.identifiers import NumberOfSource, RequiredNameOfSource, RequiredNumberOfSource
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.pixels.layout import Layout
from astra_outputs.pixels.mwm import APOGEE_IN_STAR, BOSS_IN_STAR
from astra_outputs.records.spectrum_flags import (
    APOGEE_BAD,
    ApogeeSpectrumFlags,
    GriGaiaTransformFlags,
    ZWarningFlags,
)


class BossCombinedSpectrum(SpectrumMixin):
    """BOSS spectra of one star, its visits added up in the rest frame."""

    may_be_left_out: ClassVar[bool] = True
    file_layout: ClassVar[Layout | None] = BOSS_IN_STAR
    natural_keys: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("release", "filetype", "v_astra", "run2d", "sdss_id", "telescope"),
    )

    category("Data Product Keywords")
    release: RequiredText = column(description="SDSS release that the file belongs to")
    filetype: RequiredText = column(description="Kind of file", default="mwmStar")
    v_astra: RequiredText = column(description='Version of Astra that made the file: "0.8.0"')
    healpix: Integer = column(description="HEALPix cell, nside 128")
    sdss_id: RequiredNumberOfSource = column(description="SDSS-V identifier of the source")

    category("Related Data Product Keywords")
    run2d: RequiredText = column(description="Version of the BOSS reduction")
    telescope: RequiredText = column(description="Telescope: apo25m, lco25m")

    category("Observing Span")
    min_mjd: Integer = column(unit="d", description="MJD of the first visit")
    max_mjd: Integer = column(unit="d", description="MJD of the last visit")
    n_visits: Integer = column(description="Number of visits")
    n_good_visits: Integer = column(description="Number of visits that were good")
    n_good_rvs: Integer = column(description="Number of visits with good velocity")

    category("Radial Velocity (XCSAO)")
    v_rad: Real = column(unit="km/s", description="Barycentric radial velocity")
    e_v_rad: Real = column(unit="km/s", description="Error of v_rad")
    std_v_rad: Real = column(unit="km/s", description="Scatter of v_rad over the visits")
    median_e_v_rad: Real = column(unit="km/s", description="Median error of the visits' v_rad")
    xcsao_teff: Real = column(unit="K", description="Effective temperature by XCSAO")
    xcsao_e_teff: Real = column(unit="K", description="Error of xcsao_teff")
    xcsao_logg: Real = column(unit="dex", description="Surface gravity by XCSAO")
    xcsao_e_logg: Real = column(unit="dex", description="Error of xcsao_logg")
    xcsao_fe_h: Real = column(unit="dex", description="[Fe/H] by XCSAO")
    xcsao_e_fe_h: Real = column(unit="dex", description="Error of xcsao_fe_h")
    xcsao_meanrxc: Real = column(description="Mean cross-correlation R value of XCSAO")

    category("Metadata")
    snr: Real = column(description="Signal-to-noise ratio")
    gri_gaia_transform_flags: Flags = column(
        description="Where the targeting magnitudes come from", bits=GriGaiaTransformFlags
    )
    zwarning_flags: Flags = column(description="Warnings of the redshift fit", bits=ZWarningFlags)

    category("NMF Continuum Model")
    nmf_rchi2: Real = column(description="Reduced chi-squared of the NMF continuum")
    nmf_flags: Flags = column(description="Flags of the NMF continuum, no named bits")


class ApogeeCombinedSpectrum(SpectrumMixin):
    """APOGEE spectra of one star, its visits added up in the rest frame."""

    may_be_left_out: ClassVar[bool] = True
    file_layout: ClassVar[Layout | None] = APOGEE_IN_STAR
    natural_keys: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("release", "filetype", "v_astra", "apred", "sdss_id", "telescope"),
    )

    category("Data Product Keywords")
    release: RequiredText = column(description="SDSS release that the file belongs to")
    filetype: RequiredText = column(description="Kind of file", default="mwmStar")
    v_astra: RequiredText = column(description='Version of Astra that made the file: "0.8.0"')
    healpix: RequiredInteger = column(description="HEALPix cell, nside 128")
    sdss_id: NumberOfSource = column(description="SDSS-V identifier of the source")

    category("Related Data Product Keywords")
    apred: RequiredText = column(description="Version of the APOGEE reduction")
    obj: RequiredNameOfSource = column(description="Name of the object in the reduction")
    telescope: RequiredText = column(description="Telescope: apo25m, lco25m, apo1m")

    category("Observing Span")
    min_mjd: Integer = column(unit="d", description="MJD of the first visit")
    max_mjd: Integer = column(unit="d", description="MJD of the last visit")

    category("Number and Quality of Visits")
    n_entries: Integer = column(description="Entries of the star in the reduction")
    n_visits: Integer = column(description="Number of visits")
    n_good_visits: Integer = column(description="Number of visits that were good")
    n_good_rvs: Integer = column(description="Number of visits with good velocity")

    category("Summary Statistics")
    snr: Real = column(description="Signal-to-noise ratio")
    mean_fiber: Real = column(description="Mean fibre number, weighted by S/N")
    std_fiber: Real = column(description="Scatter of the fibre number")
    spectrum_flags: Flags = column(description="Quality of the spectrum", bits=ApogeeSpectrumFlags)

    category("Radial Velocity (Doppler)")
    v_rad: Real = column(unit="km/s", description="Barycentric radial velocity")
    e_v_rad: Real = column(unit="km/s", description="Error of v_rad")
    std_v_rad: Real = column(unit="km/s", description="Scatter of v_rad over the visits")
    median_e_v_rad: Real = column(unit="km/s", description="Median error of the visits' v_rad")
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
