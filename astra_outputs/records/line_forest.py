"""`LineForest`: strengths of lines in BOSS spectra by a neural network.

Each of the 52 lines has the same six columns, so that the lines are listed and the columns described once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Final

from astra_outputs.model.column_types import Real, RealArray
from astra_outputs.model.columns import category, column
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.records.boss import BossVisitSpectrum
from astra_outputs.records.labels import declare

LINES: Final = (
    ("h_alpha", "H-alpha (6562.8 +/- 200A)"),
    ("h_beta", "H-beta (4861.3 +/- 200 A)"),
    ("h_gamma", "H-gamma (4340.5 +/- 200 A)"),
    ("h_delta", "H-delta (4101.7 +/- 200 A)"),
    ("h_epsilon", "H-epsilon (3970.1 +/- 200 A)"),
    ("h_8", "H-8 (3889.064 +/- 200 A)"),
    ("h_9", "H-9 (3835.391 +/- 200 A)"),
    ("h_10", "H-10 (3797.904 +/- 200 A)"),
    ("h_11", "H-11 (3770.637 +/- 200 A)"),
    ("h_12", "H-12 (3750.158 +/- 50 A)"),
    ("h_13", "H-13 (3734.369 +/- 50 A)"),
    ("h_14", "H-14 (3721.945 +/- 50 A)"),
    ("h_15", "H-15 (3711.977 +/- 50 A)"),
    ("h_16", "H-16 (3703.859 +/- 50 A)"),
    ("h_17", "H-17 (3697.157 +/- 50 A)"),
    ("pa_7", "Pa-7 (10049.4889 +/- 200 A)"),
    ("pa_8", "Pa-8 (9546.0808 +/- 200 A)"),
    ("pa_9", "Pa-9 (9229.12 +/- 200 A)"),
    ("pa_10", "Pa-10 (9014.909 +/- 200 A)"),
    ("pa_11", "Pa-11 (8862.782 +/- 200 A)"),
    ("pa_12", "Pa-12 (8750.472 +/- 200 A)"),
    ("pa_13", "Pa-13 (8665.019 +/- 200 A)"),
    ("pa_14", "Pa-14 (8598.392 +/- 200 A)"),
    ("pa_15", "Pa-15 (8545.383 +/- 200 A)"),
    ("pa_16", "Pa-16 (8502.483 +/- 200 A)"),
    ("pa_17", "Pa-17 (8467.254 +/- 200 A)"),
    ("ca_ii_8662", "Ca II (8662.14 +/- 50 A)"),
    ("ca_ii_8542", "Ca II (8542.089 +/- 50 A)"),
    ("ca_ii_8498", "Ca II (8498.018 +/- 50 A)"),
    ("ca_k_3933", "Ca K (3933.6614 +/- 200 A)"),
    ("ca_h_3968", "Ca H (3968.4673 +/- 200 A)"),
    ("he_i_6678", "He I (6678.151 +/- 50 A)"),
    ("he_i_5875", "He I (5875.621 +/- 50 A)"),
    ("he_i_5015", "He I (5015.678 +/- 50 A)"),
    ("he_i_4471", "He I (4471.479 +/- 50 A)"),
    ("he_ii_4685", "He II (4685.7 +/- 50 A)"),
    ("n_ii_6583", "N II (6583.45 +/- 50 A)"),
    ("n_ii_6548", "N II (6548.05 +/- 50 A)"),
    ("s_ii_6716", "S II (6716.44 +/- 50 A)"),
    ("s_ii_6730", "S II (6730.816 +/- 50 A)"),
    ("fe_ii_5018", "Fe II (5018.434 +/- 50 A)"),
    ("fe_ii_5169", "Fe II (5169.03 +/- 50 A)"),
    ("fe_ii_5197", "Fe II (5197.577 +/- 50 A)"),
    ("fe_ii_6432", "Fe II (6432.68 +/- 50 A)"),
    ("o_i_5577", "O I (5577.339 +/- 50 A)"),
    ("o_i_6300", "O I (6300.304 +/- 50 A)"),
    ("o_i_6363", "O I (6363.777 +/- 50 A)"),
    ("o_ii_3727", "O II (3727.42 +/- 50 A)"),
    ("o_iii_4959", "O III (4958.911 +/- 50 A)"),
    ("o_iii_5006", "O III (5006.843 +/- 50 A)"),
    ("o_iii_4363", "O III (4363.85 +/- 50 A)"),
    ("li_i", "Li I (6707.76 +/- 50 A)"),
)
"""The lines: how their columns end, and their category, which gives rest wavelength and window."""


def columns_of_lines() -> Iterator[tuple[str, Any, Any]]:
    """Yield the columns of each line."""
    for name, title in LINES:
        line = title.partition(" (")[0]
        if wavelength := re.search(r"\d{4}$", name):  # several lines of one ion
            line += f" {wavelength[0]}"
        category(title)
        yield f"eqw_{name}", Real, column(unit="Angstrom", description=f"Equivalent width of {line}")
        yield f"abs_{name}", Real, column(description=f"Strength of {line} over the continuum")
        yield f"detection_stat_{name}", Real, column(description=f"Significance of {line}")
        yield f"detection_raw_{name}", Real, column(description=f"Significance of {line}, uncalibrated")
        yield f"eqw_percentiles_{name}", RealArray, column(description=f"Percentiles of eqw_{name}")
        yield f"abs_percentiles_{name}", RealArray, column(description=f"Percentiles of abs_{name}")


class LineForest(PipelineOutputMixin):
    """Results of LineForest: strengths of lines in BOSS spectra."""

    may_be_left_out: ClassVar[bool] = True
    spectrum_class: ClassVar[type[SpectrumMixin] | None] = BossVisitSpectrum

    declare(vars(), columns_of_lines())

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
