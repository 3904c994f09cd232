"""Make `dr12_aspcap.fits.gz` from the public catalogue of APOGEE stars that are in the Hipparcos catalogue.

    python examples/catalogues/make_dr12_aspcap.py APOGEE-allStar-v603-Hipparcos.fits.gz

`README.md` says where the catalogue comes from. Rows and values are copied as they are, of the columns that
`dr12_aspcap.toml` reads; a second run writes the same bytes. Needs the extra `fits`.
"""

from __future__ import annotations

import gzip
import sys
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

from astra_outputs.ingest import read_mapping

FOLDER = Path(__file__).parent
NAME = "dr12_aspcap"

EVERY_CALIBRATED, EVERY_OTHER = 5, 30
"""One row in so many is taken of those with calibrated parameters, and of the others."""

NO_ERROR = 8
"""Errors of magnitudes above this, and below 0, are marks: a few rows with them are taken, too."""


def chosen(table: Any) -> list[int]:
    """Return the places of the rows that are taken, in order."""
    calibrated = [place for place in range(len(table)) if table["TEFF"][place] > 0]
    others = [place for place in range(len(table)) if table["TEFF"][place] < 0]
    errors = [table[name] for name in ("J_ERR", "H_ERR", "K_ERR")]
    marked = [
        place for place in range(len(table)) if any(not 0 < error[place] < NO_ERROR for error in errors)
    ]
    commissioning = [place for place in others if table["COMMISS"][place]][:4]
    names = {table["APOGEE_ID"][place] for place in commissioning}
    twins = [place for place in range(len(table)) if table["APOGEE_ID"][place] in names]
    return sorted({*calibrated[::EVERY_CALIBRATED], *others[::EVERY_OTHER], *marked, *twins})


def main(catalogue: Path, output: Path = FOLDER / f"{NAME}.fits.gz") -> None:
    """Write the file."""
    from astropy.io import fits

    mapping = read_mapping(FOLDER / f"{NAME}.toml")
    origins = [*mapping.source.values(), *mapping.spectrum.values(), *mapping.result.values()]
    wanted = {name for origin in origins for name in origin.names}
    with warnings.catch_warnings(), fits.open(catalogue) as units:
        warnings.simplefilter("ignore")  # a unit that FITS does not know, in a column that is not read
        data = units[1].data[chosen(units[1].data)]
        columns = [
            fits.Column(column.name, column.format, unit=column.unit, array=data[column.name])
            for column in units[1].columns
            if column.name in wanted
        ]
        written = BytesIO()
        fits.BinTableHDU.from_columns(columns).writeto(written)
    output.write_bytes(gzip.compress(written.getvalue(), mtime=0))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(
            "usage: python examples/catalogues/make_dr12_aspcap.py APOGEE-allStar-v603-Hipparcos.fits.gz"
        )
    main(Path(sys.argv[1]))
