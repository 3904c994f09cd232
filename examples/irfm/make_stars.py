"""Make `stars.csv` from the public catalogue of APOGEE stars that are in the Hipparcos catalogue.

    python examples/irfm/make_stars.py APOGEE-allStar-v603-Hipparcos.fits.gz

`stars.md` says where the catalogue comes from and what each column is. The script needs astropy; its
output depends on nothing but the catalogue, so a second run writes the same bytes.
"""

from __future__ import annotations

import csv
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

OUTPUT = Path(__file__).with_name("stars.csv")

TEFF, LOGG, M_H = 0, 1, 3
"""Places of the labels in FPARAM and, on the diagonal, in FPARAM_COV."""

NO_VALUE = -90.0
"""The catalogue marks what it lacks with -9999 or -9999.99; no value of the columns read here is lower."""

NO_VELOCITY = -9000.0
"""The same for radial velocities, which reach -705 km/s."""

NO_EXTINCTION = -10.0
"""Extinctions near -86 mag come from subtracting a magnitude of 99.999, which marks a missing one."""

NO_ERROR = 8.0
"""2MASS writes 8.888 or 9.99x mag where a magnitude has no error; real errors stay below 0.4 mag."""

Row = Any
Value = Callable[[Row], Any]


def text(name: str) -> Value:
    """Read a text column, without the blanks that pad it."""
    return lambda row: row[name].decode().strip() if isinstance(row[name], bytes) else str(row[name]).strip()


def number(name: str, *place: int, lowest: float = NO_VALUE) -> Value:
    """Read a number; None where it is below `lowest`, which marks a missing one."""

    def read(row: Row) -> Any:
        value = row[name][place] if place else row[name]
        return value if value > lowest else None

    return read


def photometric_error(name: str) -> Value:
    """Read the error of a magnitude; None where it is a mark."""
    return lambda row: row[name] if 0 < row[name] < NO_ERROR else None


def raw_error(label: int) -> Value:
    """Read the error of an uncalibrated label from the covariance of its fit."""

    def read(row: Row) -> Any:
        variance = row["FPARAM_COV"].reshape(7, 7)[label, label]
        return variance**0.5 if row["FPARAM"][label] > NO_VALUE and variance > 0 else None

    return read


COLUMNS: dict[str, Value] = {
    "apstar_id": text("APSTAR_ID"),
    "apogee_id": text("APOGEE_ID"),
    "hip": number("HIP"),
    "telescope": text("TELESCOPE"),
    "location_id": number("LOCATION_ID"),
    "field": text("FIELD"),
    "ra": number("RA"),
    "dec": number("DEC"),
    "l": number("GLON"),
    "b": number("GLAT"),
    "snr": number("SNR"),
    "n_visits": number("NVISITS"),
    "v_rad": number("VHELIO_AVG", lowest=NO_VELOCITY),
    "e_v_rad": number("VERR"),
    "std_v_rad": number("VSCATTER"),
    "j_mag": number("J"),
    "e_j_mag": photometric_error("J_ERR"),
    "h_mag": number("H"),
    "e_h_mag": photometric_error("H_ERR"),
    "k_mag": number("K"),
    "e_k_mag": photometric_error("K_ERR"),
    "a_k": number("AK_TARG", lowest=NO_EXTINCTION),
    "a_k_method": text("AK_TARG_METHOD"),
    "teff": number("TEFF"),
    "e_teff": number("TEFF_ERR", lowest=0),
    "logg": number("LOGG"),
    "e_logg": number("LOGG_ERR", lowest=0),
    "m_h": number("PARAM_M_H"),
    "e_m_h": number("PARAM_M_H_ERR", lowest=0),
    "raw_teff": number("FPARAM", TEFF),
    "raw_e_teff": raw_error(TEFF),
    "raw_logg": number("FPARAM", LOGG),
    "raw_e_logg": raw_error(LOGG),
    "raw_m_h": number("FPARAM", M_H),
    "raw_e_m_h": raw_error(M_H),
}


def rows(catalogue: Path) -> Iterator[list[str]]:
    """Yield the catalogue's rows as texts, ordered by `apstar_id`; a missing value is empty.

    Numbers are written with the fewest digits that read back as the same number.
    """
    from astropy.io import fits

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a unit that FITS does not know, in a column that is not read
        table = fits.getdata(catalogue, 1)
    for row in sorted(table, key=COLUMNS["apstar_id"]):
        values = (read(row) for read in COLUMNS.values())
        yield ["" if value is None or value == "none" else str(value) for value in values]


def main(catalogue: Path, output: Path = OUTPUT) -> None:
    """Write the file."""
    with output.open("w", newline="", encoding="ascii") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows(catalogue))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/irfm/make_stars.py APOGEE-allStar-v603-Hipparcos.fits.gz")
    main(Path(sys.argv[1]))
