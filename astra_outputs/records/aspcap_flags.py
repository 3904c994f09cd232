"""The flags of ASPCAP: names and meanings of the bits of its integer columns."""

from __future__ import annotations

from typing import Any, Final

from astra_outputs.model.columns import column
from astra_outputs.model.flags import BitFlags


class AspcapFlags(BitFlags):
    """Quality of a result of ASPCAP (`result_flags`)."""

    FERRE_FAIL = 0, "FERRE crashed or failed"
    MISSING_MODEL_FLUX = 1, "No model spectrum was returned"
    POTENTIAL_FERRE_TIMEOUT = 2, "FERRE may have run out of time"
    NO_SUITABLE_INITIAL_GUESS = 3, "Not run: no starting point"
    SPECTRUM_IO_ERROR = 4, "Spectrum could not be read"
    TEFF_GRID_EDGE_WARN = 5, "teff is within one step of the grid's edge"
    TEFF_GRID_EDGE_BAD = 6, "teff is at the grid's edge"
    LOGG_GRID_EDGE_WARN = 7, "logg is within one step of the grid's edge"
    LOGG_GRID_EDGE_BAD = 8, "logg is at the grid's edge"
    V_MICRO_GRID_EDGE_WARN = 9, "v_micro is within one step of the grid's edge"
    V_MICRO_GRID_EDGE_BAD = 10, "v_micro is at the grid's edge"
    V_SINI_GRID_EDGE_WARN = 11, "v_sini is within one step of the grid's edge"
    V_SINI_GRID_EDGE_BAD = 12, "v_sini is at the grid's edge"
    M_H_ATM_GRID_EDGE_WARN = 13, "m_h_atm is within one step of the grid's edge"
    M_H_ATM_GRID_EDGE_BAD = 14, "m_h_atm is at the grid's edge"
    ALPHA_M_GRID_EDGE_WARN = 15, "alpha_m_atm is within one step of the grid's edge"
    ALPHA_M_GRID_EDGE_BAD = 16, "alpha_m_atm is at the grid's edge"
    C_M_ATM_GRID_EDGE_WARN = 17, "c_m_atm is within one step of the grid's edge"
    C_M_ATM_GRID_EDGE_BAD = 18, "c_m_atm is at the grid's edge"
    N_M_ATM_GRID_EDGE_WARN = 19, "n_m_atm is within one step of the grid's edge"
    N_M_ATM_GRID_EDGE_BAD = 20, "n_m_atm is at the grid's edge"
    SUSPICIOUS_PARAMETERS = 21, "Region of parameters with few real stars"
    HIGH_V_SINI = 22, "Fast rotator"
    HIGH_V_MICRO = 23, "v_micro is above 3 km/s"
    UNPHYSICAL_PARAMETERS = 24, "Parameters outside the physical range"
    HIGH_RCHI2 = 25, "Very poor fit: rchi2 is above 1000"
    LOW_SNR = 26, "S/N is below 20"
    HIGH_STD_V_RAD = 27, "Velocities scatter by more than 1 km/s"


ASPCAP_BAD: Final = (
    AspcapFlags.SUSPICIOUS_PARAMETERS
    | AspcapFlags.HIGH_V_SINI
    | AspcapFlags.HIGH_V_MICRO
    | AspcapFlags.UNPHYSICAL_PARAMETERS
    | AspcapFlags.HIGH_RCHI2
    | AspcapFlags.LOW_SNR
    | AspcapFlags.HIGH_STD_V_RAD
    | AspcapFlags.TEFF_GRID_EDGE_BAD
    | AspcapFlags.LOGG_GRID_EDGE_BAD
    | AspcapFlags.FERRE_FAIL
    | AspcapFlags.MISSING_MODEL_FLUX
    | AspcapFlags.POTENTIAL_FERRE_TIMEOUT
    | AspcapFlags.NO_SUITABLE_INITIAL_GUESS
    | AspcapFlags.SPECTRUM_IO_ERROR
)
"""The flags of which one is enough to call a result bad."""


class CoarseFerreFlags(BitFlags):
    """What happened on the coarse grid (`coarse_ferre_flags`); bits 0 to 20 are those of the result."""

    FERRE_FAIL = 0, "FERRE crashed or failed"
    MISSING_MODEL_FLUX = 1, "No model spectrum was returned"
    POTENTIAL_FERRE_TIMEOUT = 2, "FERRE may have run out of time"
    NO_SUITABLE_INITIAL_GUESS = 3, "Not run: no starting point"
    SPECTRUM_IO_ERROR = 4, "Spectrum could not be read"
    TEFF_GRID_EDGE_WARN = 5, "teff is within one step of the grid's edge"
    TEFF_GRID_EDGE_BAD = 6, "teff is at the grid's edge"
    LOGG_GRID_EDGE_WARN = 7, "logg is within one step of the grid's edge"
    LOGG_GRID_EDGE_BAD = 8, "logg is at the grid's edge"
    V_MICRO_GRID_EDGE_WARN = 9, "v_micro is within one step of the grid's edge"
    V_MICRO_GRID_EDGE_BAD = 10, "v_micro is at the grid's edge"
    V_SINI_GRID_EDGE_WARN = 11, "v_sini is within one step of the grid's edge"
    V_SINI_GRID_EDGE_BAD = 12, "v_sini is at the grid's edge"
    M_H_ATM_GRID_EDGE_WARN = 13, "m_h_atm is within one step of the grid's edge"
    M_H_ATM_GRID_EDGE_BAD = 14, "m_h_atm is at the grid's edge"
    ALPHA_M_GRID_EDGE_WARN = 15, "alpha_m_atm is within one step of the grid's edge"
    ALPHA_M_GRID_EDGE_BAD = 16, "alpha_m_atm is at the grid's edge"
    C_M_ATM_GRID_EDGE_WARN = 17, "c_m_atm is within one step of the grid's edge"
    C_M_ATM_GRID_EDGE_BAD = 18, "c_m_atm is at the grid's edge"
    N_M_ATM_GRID_EDGE_WARN = 19, "n_m_atm is within one step of the grid's edge"
    N_M_ATM_GRID_EDGE_BAD = 20, "n_m_atm is at the grid's edge"
    CAUSED_TIMEOUT = 21, "Later stages stalled on this spectrum"
    MULTIPLE_EQUALLY_GOOD_COARSE_RESULTS = 22, "Several points of the coarse grid tie"
    NO_GOOD_COARSE_RESULT = 23, "No point of the coarse grid is good"


class InitialFlags(BitFlags):
    """Where the fit started (`initial_flags`); bit 1 has two names, for two generations of Doppler."""

    INITIAL_GUESS_FROM_APOGEENET = 0, "Starting point by APOGEENet"
    INITIAL_GUESS_FROM_DOPPLER = 1, "Starting point by Doppler, SDSS-V"
    INITIAL_GUESS_FROM_DOPPLER_SDSS4 = 1, "Starting point by Doppler, SDSS-IV"
    INITIAL_GUESS_FROM_USER = 2, "Starting point given by the user"
    INITIAL_GUESS_FROM_GAIA_XP_ANDRAE23 = 3, "Starting point from Gaia XP, Andrae et al. 2023"


class CalibratedFlags(BitFlags):
    """Which calibration was applied (`calibrated_flags`)."""

    AS_DWARF_FOR_CALIBRATION = 0, "logg calibrated as of a dwarf"
    AS_GIANT_FOR_CALIBRATION = 1, "logg calibrated as of a red giant"
    AS_RED_CLUMP_FOR_CALIBRATION = 2, "logg calibrated as of a red clump star"
    AS_M_DWARF_FOR_CALIBRATION = 3, "teff and logg calibrated as of an M dwarf"
    CENSORED_LOGG_FOR_METAL_POOR_M_DWARF = 4, "logg withheld: metal-poor M dwarf"


class IrfmTeffFlags(BitFlags):
    """Quality of the infrared-flux-method temperature (`irfm_teff_flags`)."""

    OUT_OF_V_K_BOUNDS = 0, "V-Ks is outside the calibrated range"
    OUT_OF_FE_H_BOUNDS = 1, "[Fe/H] is outside the calibrated range"
    EXTRAPOLATED_V_MAG = 2, "V magnitude is extrapolated"
    POOR_QUALITY_K_MAG = 3, "Ks magnitude is unreliable"
    EBV_USED_IS_UPPER_LIMIT = 4, "Reddening is an upper limit"
    AS_DWARF_FOR_IRFM_TEFF = 5, "Relation for dwarfs was used"
    AS_GIANT_FOR_IRFM_TEFF = 6, "Relation for giants was used"


class AbundanceFlags(BitFlags):
    """Quality of one abundance (`al_h_flags` and its like)."""

    CENSORED_HIGH_TEFF = 5, "Withheld: too hot for this element"
    CENSORED_LOW_TEFF_VMICRO = 6, "Withheld: cool, with low microturbulence"
    CENSORED_UNPHYSICAL = 7, "Withheld: outside the physical range"
    BAD_GRID_EDGE = 8, "At the grid's edge: do not use"
    WARN_GRID_EDGE = 9, "Near the grid's edge: use with care"
    WARN_TEFF = 10, "Temperature range is unreliable: use with care"
    WARN_M_H = 11, "Metallicity range is unreliable: use with care"


class LimitedAbundanceFlags(BitFlags):
    """Quality of one abundance that may be an upper limit (`ce_h_flags` and its like).

    A limit is told at five thresholds of line depth; from bit 5 on these are the `AbundanceFlags`.
    """

    UPPER_LIMIT_T1 = 0, "Upper limit by lines, 1 percent threshold"
    UPPER_LIMIT_T2 = 1, "Upper limit by lines, 2 percent threshold"
    UPPER_LIMIT_T3 = 2, "Upper limit by lines, 3 percent threshold"
    UPPER_LIMIT_T4 = 3, "Upper limit by lines, 4 percent threshold"
    UPPER_LIMIT_T5 = 4, "Upper limit by lines, 5 percent threshold"
    CENSORED_HIGH_TEFF = 5, "Withheld: too hot for this element"
    CENSORED_LOW_TEFF_VMICRO = 6, "Withheld: cool, with low microturbulence"
    CENSORED_UNPHYSICAL = 7, "Withheld: outside the physical range"
    BAD_GRID_EDGE = 8, "At the grid's edge: do not use"
    WARN_GRID_EDGE = 9, "Near the grid's edge: use with care"
    WARN_TEFF = 10, "Temperature range is unreliable: use with care"
    WARN_M_H = 11, "Metallicity range is unreliable: use with care"


def abundance_flags(label: str, *, upper_limits: bool) -> Any:
    """Describe the flags of one abundance; `upper_limits` says whether bits 0 to 4 are in use.

    The names of the bits start with the label: `flag_al_h_warn_teff`.
    """
    bits = LimitedAbundanceFlags if upper_limits else AbundanceFlags
    return column(description=f"Quality of {label}", bits=bits, bit_prefix=f"{label}_")
