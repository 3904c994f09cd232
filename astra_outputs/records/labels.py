"""Columns that come in families: an abundance, the error of a label, its formal error.

A record class writes one line for each column, so that editors, type checkers and `help` see it; what
the members of a family have in common, their unit and the form of their description, is said here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from astra_outputs.model.columns import column


def abundance(element: str, *, relative_to: str = "H") -> Any:
    """Describe a logarithmic abundance ratio, in dex relative to the Sun: `abundance("Al")` is [Al/H]."""
    return column(unit="dex", description=f"Abundance [{element}/{relative_to}]")


def error_of(label: str, unit: str | None = "dex") -> Any:
    """Describe the adopted error of a label, in the label's unit."""
    return column(unit=unit, description=f"Error of {label}")


def formal_error_of(label: str, unit: str | None = "dex") -> Any:
    """Describe the error of a label as the fit gave it, before any noise model."""
    return column(unit=unit, description=f"Formal error of {label}")


def abundance_rchi2(label: str) -> Any:
    """Describe the reduced chi-squared of the fit of one abundance."""
    return column(description=f"Reduced chi-squared of the fit of {label}")


def initial(label: str, unit: str = "dex") -> Any:
    """Describe where the fit of a label started."""
    return column(unit=unit, description=f"Starting point of {label}")


def coarse(label: str, unit: str = "dex") -> Any:
    """Describe the best point of the coarse grid for a label."""
    return column(unit=unit, description=f"Best point of the coarse grid: {label}")


def raw(label: str, unit: str | None = "dex") -> Any:
    """Describe a label as the fit gave it, before any calibration."""
    return column(unit=unit, description=f"Uncalibrated {label}")


def correlation_of(label: str, other: str) -> Any:
    """Describe the correlation coefficient, -1 to 1, of the errors of two labels."""
    return column(description=f"Correlation of {label} and {other}")


def declare(body: dict[str, Any], columns: Iterable[tuple[str, Any, Any]]) -> None:
    """Add columns (name, type, description) to the body of a record class: `declare(vars(), of_lines())`.

    For tables of hundreds of columns that follow one rule. Editors do not complete what stands in no line.
    """
    annotations = body.setdefault("__annotations__", {})
    for name, kind, described in columns:
        annotations[name], body[name] = kind, described
