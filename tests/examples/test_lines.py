"""The pipeline that reads pixels: its widths, its flags, and the whole of it on real spectra."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from astra_outputs import using_version
from astra_outputs.catalog import check_files

pytest.importorskip("specutils")
from astropy import units
from astropy.nddata import InverseVariance, StdDevUncertainty
from specutils import Spectrum

EXAMPLE = Path(__file__).parents[2] / "examples" / "lines"
sys.path.insert(0, str(EXAMPLE))

from lines import H_ALPHA, SPEED_OF_LIGHT, HydrogenLine, fill_in, measure  # noqa: E402
from spectra import ARCHIVE, read_spectra  # noqa: E402

KEYS = {"spectrum_pk": 1, "source_pk": 2}


def pixels(
    *, depth: float = 0.5, velocity: float = 0.0, bad: slice = slice(0), noise: float = 0.01
) -> Spectrum:
    """A Gaussian line, 5 Angstrom wide, in a sloping continuum; what it has for pixels that are bad is absurd."""
    wavelength = np.arange(6350.0, 6800.0, 0.5)[::-1]
    centre = H_ALPHA.wavelength * (1 + velocity / SPEED_OF_LIGHT)
    flux = (10 + (wavelength - centre) / 100) * (1 - depth * np.exp(-(((wavelength - centre) / 5) ** 2) / 2))
    flux[bad] = -1e6
    return Spectrum(
        spectral_axis=wavelength * units.Angstrom,
        flux=flux * units.Unit("1e-17 erg / (Angstrom cm2 s)"),
        uncertainty=StdDevUncertainty(np.full(wavelength.shape, noise)),
        mask=flux < 0,
    )


def result_of(spectrum: Spectrum, velocity: float = 0.0) -> HydrogenLine:
    result = HydrogenLine(v_astra="0.8.0", **KEYS)
    fill_in(result, spectrum, H_ALPHA, velocity)
    return result


@pytest.mark.parametrize("velocity", [0.0, -300.0])
def test_the_width_of_a_line_whose_width_is_known_is_found_where_the_star_moves_it(velocity: float):
    result = result_of(pixels(velocity=velocity), velocity)
    assert result.eqw == pytest.approx(0.5 * 5 * np.sqrt(2 * np.pi), abs=1e-3)
    assert result.continuum == pytest.approx(10, rel=1e-6)
    assert result.result_flags == 0


def test_the_error_is_the_scatter_that_noise_makes():
    random = np.random.default_rng(7)
    found = []
    for _ in range(300):
        noisy = pixels(noise=0.2)
        found.append(result_of(noisy + random.normal(0, 0.2, noisy.shape) * noisy.unit))
    assert np.std([result.eqw for result in found]) == pytest.approx(found[0].e_eqw, rel=0.15)


def test_a_line_that_is_not_there_is_flagged():
    assert result_of(pixels(depth=0.0)).flag_not_detected
    assert not result_of(pixels(depth=-0.5)).flag_not_detected  # emission is


def test_bad_pixels_do_not_count_and_too_many_of_them_leave_no_width():
    some = result_of(pixels(bad=slice(420, 425)))
    assert some.eqw == pytest.approx(6.27, abs=0.05)
    many = result_of(pixels(bad=slice(300, 450)))
    assert (many.eqw, many.flag_too_few_pixels) == (None, True)
    assert result_of(pixels(bad=slice(None))).flag_too_few_pixels


def test_pixels_without_weight_are_bad():
    spectrum = pixels()
    weights = np.full(spectrum.shape, 1e4)
    weights[300:450] = 0
    spectrum.uncertainty = InverseVariance(weights)
    assert result_of(spectrum).flag_too_few_pixels


def test_a_spectrum_without_file_has_a_result_that_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("SAS_BASE_DIR", str(tmp_path))
    _, spectrum = read_spectra()[0]
    with using_version("0.8.0"):
        (result,) = measure([spectrum.model_copy(update=KEYS)])
    assert (result.flag_no_file, result.eqw) == (True, None)


def test_the_record_class_and_the_sql_file_say_the_same():
    assert [str(difference) for difference in check_files([HydrogenLine]).differences] == []


def test_the_spectra_are_small_enough_to_ship_and_where_the_survey_has_them():
    files = {path for path in ARCHIVE.rglob("*") if path.is_file()} - {ARCHIVE / "README.md"}
    assert files == {spectrum.path(ARCHIVE) for _, spectrum in read_spectra()}
    assert sum(path.stat().st_size for path in files) < 2**20
    told = (ARCHIVE / "README.md").read_text(encoding="utf-8")
    assert all(path.name in told and f"{path.stat().st_size:,}" in told for path in files)


@pytest.mark.slow  # each of its processes imports astropy and specutils
@pytest.mark.skipif(sys.platform == "win32", reason="the embedded server is for Linux and macOS")
def test_the_script_measures_real_spectra_in_two_processes_and_stores_the_widths(tmp_path: Path):
    environment = {name: value for name, value in os.environ.items() if name != "SAS_BASE_DIR"}
    done = subprocess.run(
        [sys.executable, EXAMPLE / "run.py"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    widths = dict(re.findall(r"^(\S+\.fits) .* (-?[\d.]+) \+- [\d.]+$", done.stdout, re.MULTILINE))
    assert len(widths) == 5
    # A white dwarf of hydrogen has a line ten times as wide as that of a star of the halo.
    assert 30 < float(widths["spec-4455-55539-0692.fits"]) < 36
    assert 2 < float(widths["spec-3586-55181-0500.fits"]) < 5
