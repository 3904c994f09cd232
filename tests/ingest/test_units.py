"""The unit that a file states is that of the column, or the map converts it; else nothing is stored."""

from __future__ import annotations

from pathlib import Path

import pytest
from astropy.io import fits
from astropy.table import Table

from astra_outputs import BossVisitSpectrum, SnowWhite
from astra_outputs.errors import UnreadableFile
from astra_outputs.ingest import ingest, read_mapping

MAP = """
spectra = "boss_visit_spectrum"
v_astra = "0.8.1"

[source]
sdss_id = "id"

[spectrum]
release = { value = "synthetic" }
run2d = { value = "unknown" }
mjd = { value = 0 }
fieldid = { value = 0 }
catalogid = "id"
healpix = { value = 0 }
spec_file = { value = "" }

[result]
teff = TEFF
logg = "g"
"""


def written(path: Path, unit: str | None, *, gravity: str | None = None) -> Path:
    if path.suffix == ".fits":
        columns = [
            fits.Column("id", "J", array=[1]),
            fits.Column("t", "E", unit=unit, array=[12.5]),
            fits.Column("g", "E", unit=gravity, array=[8.0]),
        ]
        fits.BinTableHDU.from_columns(columns).writeto(path)
        return path
    table = Table({"id": [1], "t": [12.5], "g": [8.0]})
    table["t"].unit, table["g"].unit = unit, gravity
    table.write(path, format="ascii.ecsv" if path.suffix == ".ecsv" else "votable")
    return path


async def stored(outputs, connection, path: Path, teff: str = '"t"') -> float:
    map_file = path.with_name("map.toml")
    map_file.write_text(MAP.replace("TEFF", teff))
    await ingest(outputs, [path], read_mapping(map_file), BossVisitSpectrum, SnowWhite)
    found: float = await connection.fetchval("select teff from astra.snow_white")
    return found


@pytest.mark.parametrize("name", ["a.fits", "a.ecsv", "a.vot"])
async def test_another_unit_is_refused_with_the_factor_to_write(outputs, connection, tmp_path, name) -> None:
    path = written(tmp_path / name, "kK")
    remedy = r't is in kK, snow_white.teff in K: write teff = \{ from = "t", times = 1000 \}'
    with pytest.raises(UnreadableFile, match=remedy):
        await stored(outputs, connection, path)
    assert await connection.fetchval("select count(*) from astra.source") == 0
    assert await stored(outputs, connection, path, '{ from = "t", times = 1000 }') == 12_500


async def test_a_unit_of_something_else_is_refused_and_taken_where_the_map_insists(
    outputs, connection, tmp_path
) -> None:
    path = written(tmp_path / "a.fits", "km/s")
    with pytest.raises(UnreadableFile, match=r"t is in km / s, snow_white.teff in K: map another column"):
        await stored(outputs, connection, path)
    assert await stored(outputs, connection, path, '{ from = "t", times = 1 }') == 12.5


@pytest.mark.parametrize(
    ("name", "unit", "gravity"),
    [
        ("a.fits", "K", None),
        ("a.fits", None, "dex"),
        ("a.fits", "no unit of anybody", "log(cm/s2)"),
        ("a.ecsv", "K", "dex(cm/s2)"),
        ("a.vot", "K", None),
    ],
)
async def test_the_same_unit_and_one_that_nobody_knows_are_taken(
    outputs, connection, tmp_path, name, unit, gravity
) -> None:
    assert await stored(outputs, connection, written(tmp_path / name, unit, gravity=gravity)) == 12.5


async def test_percent_in_a_fits_file_is_a_unit(outputs, connection, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"t is in %, snow_white\.teff in K: map another"):
        await stored(outputs, connection, written(tmp_path / "a.fits", "%"))
