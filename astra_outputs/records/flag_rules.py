"""`FlagRules`: pipelines whose results get flags by rule when they are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from astra_outputs.model.pipeline import PipelineOutputMixin


class FlagRules(PipelineOutputMixin):
    """A result that `from_spectrum` flags by the survey's rules.

    What is built otherwise (`model_validate`, `save_table`, a replay) keeps the flags that it brings along:
    it was made before. `apply_flag_rules` does the same for a result in hand.
    """

    @classmethod
    def from_spectrum(cls, spectrum: Any, columns: Mapping[str, Any] | None = None, /, **values: Any) -> Self:
        """Return the result of this pipeline for one spectrum, flagged by the rules of the pipeline."""
        result = super().from_spectrum(spectrum, columns, **values)
        result.apply_flag_rules()
        return result

    def apply_flag_rules(self) -> None:
        """Set the flags that follow from the values; no flag is taken away."""
        raise NotImplementedError


def outside(value: float | None, lowest: float, highest: float) -> bool:
    """Tell whether a value was measured and lies outside a range, its ends not included."""
    return value is not None and not lowest <= value <= highest


def relative_error_above(error: float | None, value: float | None, limit: float) -> bool:
    """Tell whether both were measured and the error is more than `limit` times the value."""
    return error is not None and value is not None and abs(error) > limit * abs(value)
