"""The stars of `stars.csv` as records: sources, co-added spectra, and the parameters published for them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from astra_outputs import ApogeeCoaddedSpectrumInApStar, Source

STARS = Path(__file__).with_name("stars.csv")


@dataclass(frozen=True)
class Published:
    """The parameters that SDSS published for one spectrum, all of one kind.

    Attributes
    ----------
    calibrated : bool
        Whether these are ASPCAP's calibrated parameters, which DR12 has for giants only; where it has
        none they are those of the fit, uncalibrated.
    teff, logg, m_h, e_m_h : float or None
        In K and dex; None where DR12 has neither kind.
    """

    calibrated: bool
    teff: float | None
    logg: float | None
    m_h: float | None
    e_m_h: float | None


@dataclass(frozen=True)
class CatalogueStar:
    """One row of the catalogue. Spectra of one star share their source."""

    source: Source
    spectrum: ApogeeCoaddedSpectrumInApStar
    published: Published
    fit: Published
    a_k: float | None


class Row(dict[str, str]):
    """One row of the file by column name; empty is None."""

    def number(self, name: str) -> float | None:
        """Return a number, or None where the field is empty."""
        return float(self[name]) if self[name] else None


def read_stars(path: Path = STARS, limit: int | None = None) -> list[CatalogueStar]:
    """Return the stars of the file, or `limit` of them spread evenly over it."""
    with path.open(newline="", encoding="ascii") as file:
        rows = [Row(row) for row in csv.DictReader(file)]
    if limit is not None and limit < len(rows):
        rows = [rows[place * len(rows) // limit] for place in range(limit)]
    sources = {row["apogee_id"]: source(row) for row in rows}
    return [
        CatalogueStar(sources[row["apogee_id"]], spectrum(row), published(row), fit(row), row.number("a_k"))
        for row in rows
    ]


def source(row: Row) -> Source:
    """Return the row's source: identifier, position, and 2MASS photometry."""
    columns = ("ra", "dec", "l", "b", "j_mag", "e_j_mag", "h_mag", "e_h_mag", "k_mag", "e_k_mag")
    values = {name: row.number(name) for name in columns}
    return Source.model_validate({"sdss4_apogee_id": row["apogee_id"], **values})


def spectrum(row: Row) -> ApogeeCoaddedSpectrumInApStar:
    """Return the row's spectrum; it has no keys before it and its source are saved."""
    commissioning = row["apstar_id"].split(".")[2] == "c"
    n_visits = int(row["n_visits"])
    return ApogeeCoaddedSpectrumInApStar(
        release="dr12",
        apred="r5",
        # The survey made two sets of co-added spectra, which may have a star and a field in common.
        apstar="commissioning" if commissioning else "stars",
        obj=row["apogee_id"],
        telescope=row["telescope"],
        field=row["field"],
        prefix="ap",
        n_visits=n_visits,
        snr=row.number("snr"),
        v_rad=row.number("v_rad"),
        e_v_rad=row.number("e_v_rad"),
        # The catalogue says 0 for one visit, which has no scatter.
        std_v_rad=row.number("std_v_rad") if n_visits > 1 else None,
    )


def published(row: Row) -> Published:
    """Return the row's calibrated parameters, else those of the fit."""
    return _parameters(row, "") if row["teff"] else fit(row)


def fit(row: Row) -> Published:
    """Return the row's parameters of the fit, before its calibration."""
    return _parameters(row, "raw_")


def _parameters(row: Row, prefix: str) -> Published:
    teff, logg, m_h, e_m_h = (row.number(prefix + name) for name in ("teff", "logg", "m_h", "e_m_h"))
    return Published(not prefix, teff, logg, m_h, e_m_h)
