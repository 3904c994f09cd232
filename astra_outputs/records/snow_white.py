"""`SnowWhite`: classes and parameters of white dwarfs."""

from __future__ import annotations

from typing import Any, ClassVar

from astra_outputs.model.column_types import Flags, Real, Text
from astra_outputs.model.columns import category, column
from astra_outputs.model.flag_summary import Summary
from astra_outputs.model.flags import BitFlags
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.records.boss import BossVisitSpectrum
from astra_outputs.records.labels import error_of, formal_error_of


class SnowWhiteFlags(BitFlags):
    """Quality of a result of Snow White."""

    LOW_SNR = 0, "S/N is 8 or below"
    UNCONVERGED = 1, "Optimiser did not converge"
    TEFF_GRID_EDGE_BAD = 2, "Temperature is at the edge of the grid"
    LOGG_GRID_EDGE_BAD = 3, "Surface gravity is at the edge of the grid"
    NO_FLUX = 4, "Spectrum is empty"


def probability(spectral_class: str) -> Any:
    """Describe the probability, 0 to 1, that a white dwarf is of a spectral class."""
    return column(description=f"Probability of class {spectral_class}")


class SnowWhite(PipelineOutputMixin):
    """Results of Snow White: white dwarfs from BOSS spectra."""

    spectrum_class: ClassVar[type[SpectrumMixin] | None] = BossVisitSpectrum

    category("Classification Probabilities")
    classification: Text = column(description="Most probable class")
    p_cv: Real = probability("CV")
    p_da: Real = probability("DA")
    p_dab: Real = probability("DAB")
    p_dabz: Real = probability("DABZ")
    p_dah: Real = probability("DAH")
    p_dahe: Real = probability("DAHe")
    p_dao: Real = probability("DAO")
    p_daz: Real = probability("DAZ")
    p_da_ms: Real = probability("DA-MS")
    p_db: Real = probability("DB")
    p_dba: Real = probability("DBA")
    p_dbaz: Real = probability("DBAZ")
    p_dbh: Real = probability("DBH")
    p_dbz: Real = probability("DBZ")
    p_db_ms: Real = probability("DB-MS")
    p_dc: Real = probability("DC")
    p_dc_ms: Real = probability("DC-MS")
    p_do: Real = probability("DO")
    p_dq: Real = probability("DQ")
    p_dqz: Real = probability("DQZ")
    p_dqpec: Real = probability("DQpec")
    p_dz: Real = probability("DZ")
    p_dza: Real = probability("DZA")
    p_dzb: Real = probability("DZB")
    p_dzba: Real = probability("DZBA")
    p_mwd: Real = probability("MWD")
    p_hotdq: Real = probability("hotDQ")

    category("Stellar Parameters")
    teff: Real = column(unit="K", description="Effective temperature")
    e_teff: Real = error_of("teff", "K")
    logg: Real = column(unit="dex", description="Surface gravity")
    e_logg: Real = error_of("logg")
    v_rel: Real = column(unit="km/s", description="Velocity relative to the spectrum's frame")

    category("Formal uncertainties")
    raw_e_teff: Real = formal_error_of("teff", "K")
    raw_e_logg: Real = formal_error_of("logg")

    category("Metadata")
    result_flags: Flags = column(description="Quality of the result", bits=SnowWhiteFlags)

    flag_warn = Summary("result_flags", "Whether any quality flag is set")

    def apply_noise_model(self) -> None:
        """Set `e_teff` and `e_logg` from the formal errors, by the survey's linear noise model.

        `e_teff = 1.5 raw_e_teff + 100 K` and `e_logg = 2 raw_e_logg + 0.05 dex`. Nothing calls this
        for you: a record has the errors that it was given until you ask. A label without formal error
        keeps the error that it has; a second call changes nothing.

        Raises
        ------
        InvalidRecord
            If an error does not fit its column.
        """
        if self.raw_e_teff is not None:
            self.e_teff = 1.5 * self.raw_e_teff + 100.0
        if self.raw_e_logg is not None:
            self.e_logg = 2.0 * self.raw_e_logg + 0.05
