"""`Source`: one astronomical object, with what was known of it before its spectra were analysed."""

from __future__ import annotations

from typing import ClassVar

from astra_outputs.model.column_types import (
    BigInt,
    Bytes,
    Double,
    Flags,
    Integer,
    NullableFlags,
    Real,
    RequiredInteger,
    Text,
    Timestamp,
)
from astra_outputs.model.columns import category, column
from astra_outputs.model.identifiers import NameOfSource, NumberOfSource
from astra_outputs.model.record import Record
from astra_outputs.records.member_flags import ApogeeMemberFlags
from astra_outputs.records.photometry_flags import (
    GlimpseCloseSourceFlags,
    GlimpseQualityFlags,
    ReddeningFlags,
    UnwiseCoaddFlags,
    UnwiseDetectionFlags,
)
from astra_outputs.records.targeting_flags import (
    Apogee2Target1Flags,
    Apogee2Target2Flags,
    Apogee2Target3Flags,
    ApogeeExtraTargetFlags,
    ApogeeTarget1Flags,
    ApogeeTarget2Flags,
)


class Source(Record):
    """Astronomical sources: identifiers, targeting, astrometry and photometry.

    Each of the four survey identifiers is unique where it is given; a save finds the stored source by
    the first of them that has a value. A star that is stored under another of them is the same star: its
    row gets the new identifier, and keeps those that a record does not say; where two stored sources
    claim a record, an error names both. An empty text, -1, 0 and -9999 identify nothing, and are None.
    """

    natural_keys: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("sdss_id",),
        ("gaia_dr3_source_id",),
        ("gaia_dr2_source_id",),
        ("sdss4_apogee_id",),
    )

    category("Identifiers")
    pk: BigInt = column(description="Key of the source", server_default="identity")
    sdss_id: NumberOfSource = column(description="SDSS unique identifier")
    sdss4_apogee_id: NameOfSource = column(description="APOGEE identifier of SDSS-IV, as 2M...")
    gaia_dr2_source_id: NumberOfSource = column(description="Gaia DR2 source identifier")
    gaia_dr3_source_id: NumberOfSource = column(description="Gaia DR3 source identifier")
    tic_v8_id: NumberOfSource = column(description="TESS Input Catalog identifier, version 8")
    healpix: Integer = column(description="HEALPix cell, nside 128")

    category("Targeting Provenance")
    lead: Text = column(description="Catalogue that led the cross-match")
    version_id: Integer = column(description="Version of the SDSS cross-match")
    catalogid: BigInt = column(description="Catalogue identifier, newest cross-match")
    catalogid21: BigInt = column(description="Catalogue identifier, cross-match v21")
    catalogid25: BigInt = column(description="Catalogue identifier, cross-match v25")
    catalogid31: BigInt = column(description="Catalogue identifier, cross-match v31")
    n_associated: Integer = column(description="Number of SDSS identifiers of this catalogid")
    n_neighborhood: RequiredInteger = column(
        description="Bright neighbours within 3 arcsec; -1: unknown", default=-1
    )
    sdss5_target_flags: Bytes = column(description="SDSS-V targeting cartons, one bit each")
    sdss4_apogee_target1_flags: Flags = column(
        description="APOGEE-1 targeting, first word", bits=ApogeeTarget1Flags
    )
    sdss4_apogee_target2_flags: Flags = column(
        description="APOGEE-1 targeting, second word", bits=ApogeeTarget2Flags
    )
    sdss4_apogee2_target1_flags: Flags = column(
        description="APOGEE-2 targeting, first word", bits=Apogee2Target1Flags
    )
    sdss4_apogee2_target2_flags: Flags = column(
        description="APOGEE-2 targeting, second word", bits=Apogee2Target2Flags
    )
    sdss4_apogee2_target3_flags: Flags = column(
        description="APOGEE-2 targeting, third word", bits=Apogee2Target3Flags
    )
    sdss4_apogee_member_flags: Flags = column(
        description="Member of a cluster or dwarf galaxy", bits=ApogeeMemberFlags
    )
    sdss4_apogee_extra_target_flags: Flags = column(
        description="APOGEE-1 targeting, survey status", bits=ApogeeExtraTargetFlags
    )

    category("Astrometry")
    ra: Double = column(unit="deg", description="Right ascension")
    dec: Double = column(unit="deg", description="Declination")
    l: Double = column(unit="deg", description="Galactic longitude")  # noqa: E741
    b: Double = column(unit="deg", description="Galactic latitude")
    plx: Real = column(unit="mas", description="Parallax")
    e_plx: Real = column(unit="mas", description="Error of plx")
    pmra: Real = column(unit="mas/yr", description="Proper motion in right ascension")
    e_pmra: Real = column(unit="mas/yr", description="Error of pmra")
    pmde: Real = column(unit="mas/yr", description="Proper motion in declination")
    e_pmde: Real = column(unit="mas/yr", description="Error of pmde")
    gaia_v_rad: Real = column(unit="km/s", description="Radial velocity by Gaia")
    gaia_e_v_rad: Real = column(unit="km/s", description="Error of gaia_v_rad")

    category("Gaia Photometry")
    g_mag: Real = column(unit="mag", description="Gaia G mean magnitude")
    bp_mag: Real = column(unit="mag", description="Gaia BP mean magnitude")
    rp_mag: Real = column(unit="mag", description="Gaia RP mean magnitude")

    category("2MASS Photometry")
    j_mag: Real = column(unit="mag", description="2MASS J magnitude")
    e_j_mag: Real = column(unit="mag", description="Error of j_mag")
    h_mag: Real = column(unit="mag", description="2MASS H magnitude")
    e_h_mag: Real = column(unit="mag", description="Error of h_mag")
    k_mag: Real = column(unit="mag", description="2MASS Ks magnitude")
    e_k_mag: Real = column(unit="mag", description="Error of k_mag")
    ph_qual: Text = column(description="2MASS photometric quality, J H Ks")
    bl_flg: Text = column(description="2MASS blend flag, J H Ks")
    cc_flg: Text = column(description="2MASS contamination flag, J H Ks")

    category("unWISE Photometry")
    w1_mag: Real = column(unit="mag", description="unWISE W1 magnitude")
    e_w1_mag: Real = column(unit="mag", description="Error of w1_mag")
    w1_flux: Real = column(unit="nMgy (Vega)", description="unWISE W1 flux")
    w1_dflux: Real = column(unit="nMgy (Vega)", description="Error of w1_flux")
    w1_frac: Real = column(description="Share of W1 flux that is this object's")
    w2_mag: Real = column(unit="mag", description="unWISE W2 magnitude")
    e_w2_mag: Real = column(unit="mag", description="Error of w2_mag")
    w2_flux: Real = column(unit="nMgy (Vega)", description="unWISE W2 flux")
    w2_dflux: Real = column(unit="nMgy (Vega)", description="Error of w2_flux")
    w2_frac: Real = column(description="Share of W2 flux that is this object's")
    w1uflags: NullableFlags = column(
        description="unWISE flags of the W1 coadd", bits=UnwiseCoaddFlags, bit_prefix="unwise_w1_"
    )
    w2uflags: NullableFlags = column(
        description="unWISE flags of the W2 coadd", bits=UnwiseCoaddFlags, bit_prefix="unwise_w2_"
    )
    w1aflags: NullableFlags = column(
        description="unWISE additional flags, W1", bits=UnwiseDetectionFlags, bit_prefix="unwise_w1_"
    )
    w2aflags: NullableFlags = column(
        description="unWISE additional flags, W2", bits=UnwiseDetectionFlags, bit_prefix="unwise_w2_"
    )

    category("GLIMPSE Photometry")
    mag4_5: Real = column(unit="mag", description="IRAC 4.5 micron magnitude")
    d4_5m: Real = column(unit="mag", description="Error of mag4_5")
    rms_f4_5: Real = column(unit="mJy", description="Scatter of the 4.5 micron flux")
    sqf_4_5: Flags = column(description="Source quality at 4.5 micron", bits=GlimpseQualityFlags)
    mf4_5: Flags = column(description="Flux calculation method at 4.5 micron")
    csf: Flags = column(description="Close sources in GLIMPSE", bits=GlimpseCloseSourceFlags)

    category("Gaia XP Stellar Parameters (Zhang, Green & Rix 2023)")
    zgr_teff: Real = column(unit="K", description="Effective temperature from XP")
    zgr_e_teff: Real = column(unit="K", description="Error of zgr_teff")
    zgr_logg: Real = column(unit="dex", description="Surface gravity from XP")
    zgr_e_logg: Real = column(unit="dex", description="Error of zgr_logg")
    zgr_fe_h: Real = column(unit="dex", description="[Fe/H] from XP")
    zgr_e_fe_h: Real = column(unit="dex", description="Error of zgr_fe_h")
    zgr_e: Real = column(unit="mag", description="Extinction from XP")
    zgr_e_e: Real = column(unit="mag", description="Error of zgr_e")
    zgr_plx: Real = column(unit="mas", description="Parallax from XP")
    zgr_e_plx: Real = column(unit="mas", description="Error of zgr_plx")
    zgr_teff_confidence: Real = column(description="Confidence in zgr_teff")
    zgr_logg_confidence: Real = column(description="Confidence in zgr_logg")
    zgr_fe_h_confidence: Real = column(description="Confidence in zgr_fe_h")
    zgr_ln_prior: Real = column(description="Log prior probability of the XP fit")
    zgr_chi2: Real = column(description="Chi-squared of the XP fit")
    zgr_quality_flags: Flags = column(description="Quality of the XP fit")

    category("Bailer-Jones Distance Estimates (EDR3; 2021)")
    r_med_geo: Real = column(unit="pc", description="Geometric distance, median")
    r_lo_geo: Real = column(unit="pc", description="Geometric distance, 16th percentile")
    r_hi_geo: Real = column(unit="pc", description="Geometric distance, 84th percentile")
    r_med_photogeo: Real = column(unit="pc", description="Photogeometric distance, median")
    r_lo_photogeo: Real = column(unit="pc", description="Photogeometric distance, 16th percentile")
    r_hi_photogeo: Real = column(unit="pc", description="Photogeometric distance, 84th percentile")
    bailer_jones_flags: Text = column(description="Flags of the distance estimates")

    category("Reddening")
    ebv: Real = column(unit="mag", description="E(B-V) adopted")
    e_ebv: Real = column(unit="mag", description="Error of ebv")
    ebv_flags: Flags = column(description="Where ebv comes from", bits=ReddeningFlags)
    ebv_zhang_2023: Real = column(unit="mag", description="E(B-V) by Zhang et al. 2023")
    e_ebv_zhang_2023: Real = column(unit="mag", description="Error of ebv_zhang_2023")
    ebv_sfd: Real = column(unit="mag", description="E(B-V) by the SFD map")
    e_ebv_sfd: Real = column(unit="mag", description="Error of ebv_sfd")
    ebv_rjce_glimpse: Real = column(unit="mag", description="E(B-V) by RJCE with GLIMPSE")
    e_ebv_rjce_glimpse: Real = column(unit="mag", description="Error of ebv_rjce_glimpse")
    ebv_rjce_allwise: Real = column(unit="mag", description="E(B-V) by RJCE with AllWISE")
    e_ebv_rjce_allwise: Real = column(unit="mag", description="Error of ebv_rjce_allwise")
    ebv_bayestar_2019: Real = column(unit="mag", description="E(B-V) by the Bayestar 2019 map")
    e_ebv_bayestar_2019: Real = column(unit="mag", description="Error of ebv_bayestar_2019")
    ebv_edenhofer_2023: Real = column(unit="mag", description="E(B-V) by the Edenhofer 2023 map")
    e_ebv_edenhofer_2023: Real = column(unit="mag", description="Error of ebv_edenhofer_2023")

    category("Synthetic Photometry from Gaia XP Spectra")
    c_star: Real = column(description="Corrected BP and RP flux excess")
    u_jkc_mag: Real = column(unit="mag", description="Johnson-Kron-Cousins U magnitude")
    u_jkc_mag_flag: Integer = column(description="1: u_jkc_mag is reliable")
    b_jkc_mag: Real = column(unit="mag", description="Johnson-Kron-Cousins B magnitude")
    b_jkc_mag_flag: Integer = column(description="1: b_jkc_mag is reliable")
    v_jkc_mag: Real = column(unit="mag", description="Johnson-Kron-Cousins V magnitude")
    v_jkc_mag_flag: Integer = column(description="1: v_jkc_mag is reliable")
    r_jkc_mag: Real = column(unit="mag", description="Johnson-Kron-Cousins R magnitude")
    r_jkc_mag_flag: Integer = column(description="1: r_jkc_mag is reliable")
    i_jkc_mag: Real = column(unit="mag", description="Johnson-Kron-Cousins I magnitude")
    i_jkc_mag_flag: Integer = column(description="1: i_jkc_mag is reliable")
    u_sdss_mag: Real = column(unit="mag", description="SDSS u magnitude")
    u_sdss_mag_flag: Integer = column(description="1: u_sdss_mag is reliable")
    g_sdss_mag: Real = column(unit="mag", description="SDSS g magnitude")
    g_sdss_mag_flag: Integer = column(description="1: g_sdss_mag is reliable")
    r_sdss_mag: Real = column(unit="mag", description="SDSS r magnitude")
    r_sdss_mag_flag: Integer = column(description="1: r_sdss_mag is reliable")
    i_sdss_mag: Real = column(unit="mag", description="SDSS i magnitude")
    i_sdss_mag_flag: Integer = column(description="1: i_sdss_mag is reliable")
    z_sdss_mag: Real = column(unit="mag", description="SDSS z magnitude")
    z_sdss_mag_flag: Integer = column(description="1: z_sdss_mag is reliable")
    y_ps1_mag: Real = column(unit="mag", description="Pan-STARRS y magnitude")
    y_ps1_mag_flag: Integer = column(description="1: y_ps1_mag is reliable")

    category("Observations Summary")
    n_boss_visits: Integer = column(description="Number of BOSS visits")
    boss_min_mjd: Integer = column(unit="d", description="MJD of the first BOSS visit")
    boss_max_mjd: Integer = column(unit="d", description="MJD of the last BOSS visit")
    n_apogee_visits: Integer = column(description="Number of APOGEE visits")
    apogee_min_mjd: Integer = column(unit="d", description="MJD of the first APOGEE visit")
    apogee_max_mjd: Integer = column(unit="d", description="MJD of the last APOGEE visit")
    created: Timestamp = column(
        description="Time when the row was first stored", server_default="statement_timestamp()"
    )
    modified: Timestamp = column(
        description="Time when the row was last stored", server_default="statement_timestamp()"
    )
