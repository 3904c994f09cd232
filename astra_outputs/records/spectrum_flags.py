"""The flags of the spectra."""

from __future__ import annotations

from typing import Final

from astra_outputs.model.flags import BitFlags


class ApogeeSpectrumFlags(BitFlags):
    """Quality of an APOGEE spectrum (`spectrum_flags`); the bits are those of a visit."""

    BAD_PIXELS = 0, "Over 20 percent bad pixels"
    COMMISSIONING = 1, "Early commissioning data"
    BRIGHT_NEIGHBOR = 2, "Bright neighbouring fibre"
    VERY_BRIGHT_NEIGHBOR = 3, "Extremely bright neighbouring fibre"
    LOW_SNR = 4, "S/N below 5"
    PERSIST_HIGH = 9, "Strong detector persistence"
    PERSIST_MED = 10, "Moderate detector persistence"
    PERSIST_LOW = 11, "Weak detector persistence"
    PERSIST_JUMP_POS = 12, "Persistence: upward flux jump"
    PERSIST_JUMP_NEG = 13, "Persistence: downward flux jump"
    SUSPECT_RV_COMBINATION = 16, "Two velocity methods disagree"
    SUSPECT_BROAD_LINES = 17, "Cross-correlation peak too broad"
    BAD_RV_COMBINATION = 18, "Two velocity methods strongly disagree"
    RV_REJECT = 19, "Visit velocity rejected"
    RV_SUSPECT = 20, "Visit velocity doubtful but kept"
    MULTIPLE_SUSPECT = 21, "Possible multiple components"
    RV_FAILURE = 22, "No velocity obtained"
    SUSPECT_ROTATION = 23, "Broadened lines: possible rotation"
    MTPFLUX_LT_75 = 24, "Fibre bundle throughput below 75 percent"
    MTPFLUX_LT_50 = 25, "Fibre bundle throughput below 50 percent"
    MISSING_OR_CORRUPTED_FILE = 26, "File absent or unreadable"


APOGEE_BAD: Final = (
    ApogeeSpectrumFlags.BAD_PIXELS
    | ApogeeSpectrumFlags.VERY_BRIGHT_NEIGHBOR
    | ApogeeSpectrumFlags.BAD_RV_COMBINATION
    | ApogeeSpectrumFlags.RV_FAILURE
)
"""The flags of which one is enough to call a spectrum bad."""


class GriGaiaTransformFlags(BitFlags):
    """Where the targeting magnitudes come from (`gri_gaia_transform_flags`)."""

    U_GAIA_TRANSFORMED = 0, "u magnitude converted from Gaia"
    U_GAIA_OUTSIDE = 1, "u magnitude: Gaia colour out of range"
    U_GAIA_NONE = 2, "u magnitude unavailable"
    G_GAIA_TRANSFORMED = 3, "g magnitude converted from Gaia"
    G_GAIA_OUTSIDE = 4, "g magnitude: Gaia colour out of range"
    G_GAIA_NONE = 5, "g magnitude unavailable"
    R_GAIA_TRANSFORMED = 6, "r magnitude converted from Gaia"
    R_GAIA_OUTSIDE = 7, "r magnitude: Gaia colour out of range"
    R_GAIA_NONE = 8, "r magnitude unavailable"
    I_GAIA_TRANSFORMED = 9, "i magnitude converted from Gaia"
    I_GAIA_OUTSIDE = 10, "i magnitude: Gaia colour out of range"
    I_GAIA_NONE = 11, "i magnitude unavailable"
    Z_GAIA_TRANSFORMED = 12, "z magnitude converted from Gaia"
    Z_GAIA_OUTSIDE = 13, "z magnitude: Gaia colour out of range"
    Z_GAIA_NONE = 14, "z magnitude unavailable"
    GAIA_NEIGHBOR = 15, "Bright Gaia star nearby"
    G_PANSTARRS = 16, "g magnitude from Pan-STARRS"
    R_PANSTARRS = 17, "r magnitude from Pan-STARRS"
    I_PANSTARRS = 18, "i magnitude from Pan-STARRS"
    Z_PANSTARRS = 19, "z magnitude from Pan-STARRS"
    POSITION_OFFSET = 20, "Fibre position deliberately shifted"


class ZWarningFlags(BitFlags):
    """Warnings of the redshift fit (`zwarning_flags`)."""

    SKY_FIBER = 0, "Fibre on blank sky"
    LITTLE_WAVELENGTH_COVERAGE = 1, "Wavelength range too short"
    SMALL_DELTA_CHI2 = 2, "Best fit not unique"
    NEGATIVE_MODEL = 3, "Model flux negative"
    MANY_OUTLIERS = 4, "Too many deviant pixels"
    Z_FIT_LIMIT = 5, "Redshift at search limit"
    NEGATIVE_EMISSION = 6, "Quasar line negative"
    UNPLUGGED = 7, "Fibre broken or unplugged"
    BAD_TARGET = 8, "Target coordinates wrong"
    NO_DATA = 9, "All pixels masked"
