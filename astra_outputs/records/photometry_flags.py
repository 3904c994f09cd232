"""The flags of a source's photometry and reddening."""

from __future__ import annotations

from astra_outputs.model.flags import BitFlags


class UnwiseCoaddFlags(BitFlags):
    """What bright stars did to the unWISE coadd (`w1uflags`, `w2uflags`)."""

    IN_CORE_OR_WINGS = 0, "Inside bright star core or wings"
    IN_DIFFRACTION_SPIKE = 1, "On diffraction spike"
    IN_GHOST = 2, "Optical ghost"
    IN_FIRST_LATENT = 3, "First latent image"
    IN_SECOND_LATENT = 4, "Second latent image"
    IN_CIRCULAR_HALO = 5, "Bright star halo"
    SATURATED = 6, "Saturated pixels"
    IN_GEOMETRIC_DIFFRACTION_SPIKE = 7, "Geometric diffraction spike"


class UnwiseDetectionFlags(BitFlags):
    """How unWISE detected sources there (`w1aflags`, `w2aflags`)."""

    IN_BRIGHT_STAR_PSF = 0, "Bright star PSF region"
    IN_HYPERLEDA_GALAXY = 1, "Large catalogued galaxy region"
    IN_BIG_OBJECT = 2, "Extended object region"
    PIXEL_IN_VERY_BRIGHT_STAR_CENTROID = 3, "Very bright star centre"
    CROWDSOURCE_SATURATION = 4, "Photometry code: saturation"
    POSSIBLE_NEBULOSITY = 5, "Nebulosity suspected"
    NO_AGGRESSIVE_DEBLEND = 6, "Deblending restrained"
    CANDIDATE_SOURCES_MUST_BE_SHARP = 7, "Only point-like detections"


class GlimpseQualityFlags(BitFlags):
    """Source quality of GLIMPSE (`sqf_4_5`)."""

    GLIMPSE_POOR_DARK_PIXEL_CURRENT = 0, "Poor dark current pixel"
    GLIMPSE_FLAT_FIELD_QUESTIONABLE = 1, "Doubtful flat field"
    GLIMPSE_LATENT_IMAGE = 2, "Latent image residue"
    GLIMPSE_SATURATED_STAR_CORRECTION = 3, "Saturated star corrected"
    GLIMPSE_MUXBLEED_CORRECTION_APPLIED = 6, "Muxbleed corrected"
    GLIMPSE_HOT_OR_DEAD_PIXELS = 7, "Hot or dead pixel"
    GLIMPSE_MUXBLEED_SIGNIFICANT = 8, "Strong muxbleed residual"
    GLIMPSE_ALLSTAR_TWEAK_POSITIVE = 9, "Photometry tweak: positive"
    GLIMPSE_ALLSTAR_TWEAK_NEGATIVE = 10, "Photometry tweak: negative"
    GLIMPSE_CONFUSION_IN_BAND_MERGE = 12, "Confused merge: same band"
    GLIMPSE_CONFUSION_IN_CROSS_BAND_MERGE = 13, "Confused merge: across bands"
    GLIMPSE_COLUMN_PULLDOWN_CORRECTION = 14, "Column pulldown corrected"
    GLIMPSE_BANDING_CORRECTION = 15, "Banding corrected"
    GLIMPSE_STRAY_LIGHT = 16, "Stray light area"
    GLIMPSE_NO_NONLINEAR_CORRECTION = 18, "Nonlinearity uncorrected"
    GLIMPSE_SATURATED_STAR_WING_REGION = 19, "Wing of saturated star"
    GLIMPSE_PRE_LUMPING_IN_BAND_MERGE = 20, "Merged before band matching"
    GLIMPSE_POST_LUMPING_IN_CROSS_BAND_MERGE = 21, "Merged after band matching"
    GLIMPSE_EDGE_OF_FRAME = 29, "Near frame border"
    GLIMPSE_TRUTH_LIST = 30, "From truth list"


class GlimpseCloseSourceFlags(BitFlags):
    """Close sources in GLIMPSE (`csf`)."""

    GLIMPSE_NO_SOURCE_WITHIN_3_ARCSECOND = 0, "Isolated: none inside 3 arcsec"
    GLIMPSE_1_SOURCE_WITHIN_2P5_AND_3_ARCSECOND = 1, "Neighbours: 2.5 to 3 arcsec"
    GLIMPSE_2_SOURCES_WITHIN_2_AND_2P5_ARCSECOND = 2, "Neighbours: 2 to 2.5 arcsec"
    GLIMPSE_3_SOURCES_WITHIN_1P5_AND_2_ARCSECOND = 3, "Neighbours: 1.5 to 2 arcsec"
    GLIMPSE_4_SOURCES_WITHIN_1_AND_1P5_ARCSECOND = 4, "Neighbours: 1 to 1.5 arcsec"
    GLIMPSE_5_SOURCES_WITHIN_0P5_AND_1_ARCSECOND = 5, "Neighbours: 0.5 to 1 arcsec"
    GLIMPSE_6_SOURCES_WITHIN_0P5_ARCSECOND = 6, "Neighbours: inside 0.5 arcsec"


class ReddeningFlags(BitFlags):
    """Where the adopted reddening comes from (`ebv_flags`)."""

    EBV_UPPER_LIMIT = 0, "Reddening only upper bound"
    EBV_FROM_ZHANG_2023 = 1, "Reddening source: Zhang 2023"
    EBV_FROM_EDENHOFER_2023 = 2, "Reddening source: Edenhofer 2023"
    EBV_FROM_SFD = 3, "Reddening source: SFD map"
    EBV_FROM_RJCE_GLIMPSE = 4, "Reddening source: RJCE GLIMPSE"
    EBV_FROM_RJCE_ALLWISE = 5, "Reddening source: RJCE AllWISE"
    EBV_FROM_BAYESTAR_2019 = 6, "Reddening source: Bayestar 2019"
