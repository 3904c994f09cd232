"""The five real spectra of `archive/` as records: their sources, and what their headers say of them."""

from __future__ import annotations

from pathlib import Path

from astra_outputs import ApogeeVisitSpectrum, BossVisitSpectrum, Source

ARCHIVE = Path(__file__).with_name("archive")
"""What `SAS_BASE_DIR` would be: the spectra stand in it as in the survey's archive."""

APOGEE = (
    ("2M01183798+8403419", 19.658251, 84.061646, "5095", 55844, 128, "N188", 44.9672, -44.4206),
    ("2M00242666+5341178", 6.111105, 53.688282, "9518", 57729, 104, "120-08-RV", 89.5949, -67.472),
)
"""Star, right ascension and declination [deg], plate, MJD, fibre, field, S/N, velocity seen [km/s]."""

PLATES = (
    ("v5_10_0", 3586, 55181, 500, 55.0),
    ("v5_7_0", 4455, 55539, 692, 39.8),
    ("26", 266, 51602, 31, 7.3),
)
"""Reduction, plate, MJD, fibre, S/N; the last is of the first survey. Their files name no star: they have no source."""


def read_spectra() -> list[tuple[Source | None, ApogeeVisitSpectrum | BossVisitSpectrum]]:
    """Return each spectrum with its source, if it has one; neither has keys before it is saved."""
    return [*map(_visit, APOGEE), *map(_plate, PLATES)]


def _visit(
    row: tuple[str, float, float, str, int, int, str, float, float],
) -> tuple[Source, ApogeeVisitSpectrum]:
    name, ra, dec, plate, mjd, fiber, field, snr, v_rel = row
    spectrum = ApogeeVisitSpectrum(
        release="dr17",
        apred="r13",
        telescope="apo25m",
        prefix="ap",
        plate=plate,
        mjd=mjd,
        fiber=fiber,
        field=field,
        obj=name,
        snr=snr,
        v_rel=v_rel,
    )
    return Source(sdss4_apogee_id=name, ra=ra, dec=dec), spectrum


def _plate(row: tuple[str, int, int, int, float]) -> tuple[None, BossVisitSpectrum]:
    run2d, plate, mjd, fiber, snr = row
    spectrum = BossVisitSpectrum(
        release="dr17",
        run2d=run2d,
        fieldid=plate,
        plateid=plate,
        mjd=mjd,
        # Surveys before SDSS-V have no such numbers; those of plate, MJD and fibre are in the file's name.
        catalogid=0,
        healpix=0,
        spec_file=f"spec-{plate:0>4}-{mjd}-{fiber:0>4}.fits",
        snr=snr,
    )
    return None, spectrum
