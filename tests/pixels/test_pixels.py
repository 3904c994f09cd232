"""Pixels of real files by way of specutils, of files made in the same layouts, and of files that are not there."""

from __future__ import annotations

import builtins
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from astra_outputs import (
    ApogeeCoaddedSpectrumInApStar,
    ApogeeCombinedSpectrum,
    ApogeeRestFrameVisitSpectrum,
    ApogeeVisitSpectrum,
    ApogeeVisitSpectrumInApStar,
    BossCombinedSpectrum,
    BossRestFrameVisitSpectrum,
    BossVisitSpectrum,
    InvalidRecord,
    MissingExtra,
    MissingFile,
    UnreadableFile,
)
from astra_outputs.model.spectrum import SpectrumMixin

fits = pytest.importorskip("astropy.io.fits")
specutils = pytest.importorskip("specutils")

ARCHIVE = Path(__file__).parents[2] / "examples" / "lines" / "archive"
FLUX = "1e-17 erg / (Angstrom cm2 s)"
VISIT = ApogeeVisitSpectrum(
    release="dr17",
    apred="r13",
    telescope="apo25m",
    prefix="ap",
    plate="9518",
    mjd=57729,
    fiber=104,
    field="120-08-RV",
)


def plate(run2d: str, number: int, name: str, **values: Any) -> BossVisitSpectrum:
    given = {"release": "dr17", "mjd": 1, "catalogid": 0, "healpix": 0, **values}
    return BossVisitSpectrum(run2d=run2d, fieldid=number, spec_file=name, **given)


# --- real files ---------------------------------------------------------------------------------------


def test_a_real_visit_of_apogee_has_three_detectors_and_a_mask():
    pixels = VISIT.read(ARCHIVE)
    assert (pixels.shape, str(pixels.spectral_axis.unit)) == ((12288,), "Angstrom")
    assert pixels.flux.unit == FLUX
    assert 15100 < pixels.spectral_axis.value.min() < pixels.spectral_axis.value.max() < 17000
    assert 0 < pixels.mask.sum() < 4096
    with fits.open(VISIT.path(ARCHIVE)) as file:
        np.testing.assert_array_equal(pixels.flux.value, file[1].data.ravel())
        np.testing.assert_array_equal(pixels.uncertainty.array, file[2].data.ravel())
        np.testing.assert_array_equal(pixels.spectral_axis.value, file[4].data.ravel())


@pytest.mark.parametrize(
    ("spectrum", "count"),
    [
        (plate("v5_10_0", 3586, "spec-3586-55181-0500.fits"), 4625),
        (plate("v5_7_0", 4455, "spec-4455-55539-0692.fits"), 4619),
        (plate("26", 266, "spec-0266-51602-0031.fits"), 3842),
    ],
)
def test_real_optical_spectra_have_their_wavelengths_and_weights(spectrum: BossVisitSpectrum, count: int):
    pixels = spectrum.read(ARCHIVE)
    assert (pixels.shape, pixels.flux.unit) == ((count,), FLUX)
    with fits.open(spectrum.path(ARCHIVE)) as file:
        table = file[1].data
        np.testing.assert_array_equal(pixels.flux.value, table["flux"])
        np.testing.assert_array_equal(pixels.uncertainty.array, table["ivar"])
        np.testing.assert_allclose(pixels.spectral_axis.value, 10 ** table["loglam"].astype(float), rtol=1e-6)
        np.testing.assert_array_equal(pixels.mask, table["and_mask"] != 0)


def test_a_loader_warns_of_nothing_that_a_user_can_do_nothing_about(recwarn: pytest.WarningsRecorder):
    plate("v5_10_0", 3586, "spec-3586-55181-0500.fits").read(ARCHIVE)
    assert list(recwarn) == []


# --- files made in the layouts of those that are not small enough, or not public ----------------------


def save(spectrum: SpectrumMixin, root: Path, *hdus: Any) -> None:
    path = spectrum.path(root)
    path.parent.mkdir(parents=True)
    fits.HDUList(list(hdus)).writeto(path, checksum=True)


def ap_star(visits: list[str], rows: int) -> list[Any]:
    header = fits.Header({"NVISITS": len(visits), "APRED": "dr17"})
    header.update({f"SFILE{number}": name for number, name in enumerate(visits, start=1)})
    flux = np.arange(rows * 5.0, dtype="f4").reshape(rows, 5) if rows else np.arange(5.0, dtype="f4")
    images = [fits.ImageHDU(data) for data in (flux, flux + 1, (flux > 3).astype("i2"))]
    images[0].header.update({"CRVAL1": 4.179, "CDELT1": 6e-6, "BUNIT": "Flux (10^-17 erg/s/cm^2/Ang)"})
    return [fits.PrimaryHDU(header=header), *images]


STAR = {
    "release": "dr17",
    "apred": "dr17",
    "obj": "2M0",
    "telescope": "apo25m",
    "field": "M13",
    "prefix": "ap",
}


@pytest.mark.parametrize("rows", [0, 1, 4])
def test_the_co_added_spectrum_is_the_first_row_even_where_there_is_no_other(tmp_path: Path, rows: int):
    star = ApogeeCoaddedSpectrumInApStar(**STAR)
    save(star, tmp_path, *ap_star(["apVisit-dr17-1-2-003.fits"] * max(rows - 2, 1), rows))
    pixels = star.read(tmp_path)
    np.testing.assert_array_equal(pixels.flux.value, [0, 1, 2, 3, 4])
    np.testing.assert_array_equal(pixels.mask, [False] * 4 + [True])
    np.testing.assert_allclose(pixels.spectral_axis.value, 10 ** (4.179 + 6e-6 * np.arange(5)))


def in_ap_star(mjd: int) -> ApogeeVisitSpectrumInApStar:
    return ApogeeVisitSpectrumInApStar(**STAR, plate="11", mjd=mjd, fiber=7, drp_spectrum_pk=1)


def test_a_visit_in_a_co_added_file_is_the_one_whose_file_the_header_names(tmp_path: Path):
    names = [f"apVisit-dr17-11-{mjd}-007.fits" for mjd in (57001, 57002)]
    save(in_ap_star(57002), tmp_path, *ap_star(names, 4))
    assert in_ap_star(57001).read(tmp_path).flux.value[0] == 10  # after two rows that add up
    assert in_ap_star(57002).read(tmp_path).flux.value[0] == 15
    with pytest.raises(UnreadableFile, match=r"it has no visit apVisit-dr17-11-57003-007\.fits"):
        in_ap_star(57003).read(tmp_path)


def mwm_table(rows: list[dict[str, Any]], *, star: bool) -> Any:
    if not rows:
        hdu = fits.BinTableHDU()
        hdu.header["DATASUM"] = "0"
        return hdu
    grid = {"wavelength": "3D"} if star else {}
    ends = {"min_mjd": "J", "max_mjd": "J"} if star else {"mjd": "J"}
    forms = {"flux": "3E", "ivar": "3E", "pixel_flags": "3K", "snr": "E", "telescope": "6A", "sdss_id": "K"}
    columns = (
        forms | grid | ends | {name: "K" for name in ("fieldid", "catalogid", "fiber") if name in rows[0]}
    )
    columns |= {name: "10A" for name in ("plate", "field") if name in rows[0]}
    filled = [{"sdss_id": 7, "snr": 1.0, "telescope": "apo25m", **row} for row in rows]
    hdu = fits.BinTableHDU.from_columns(
        [
            fits.Column(name, form, array=[row.get(name, 0) for row in filled])
            for name, form in columns.items()
        ]
    )
    hdu.header.update({"NPIXELS": 3, "CRVAL": 3.5523, "CDELT": 1e-4})
    return hdu


def mwm(extensions: dict[int, list[dict[str, Any]]], *, star: bool) -> list[Any]:
    header = fits.Header({"V_ASTRA": "0.8.0", "SDSS_ID": 7})
    tables = [mwm_table(extensions.get(number, []), star=star) for number in (1, 2, 3, 4)]
    return [fits.PrimaryHDU(header=header), *tables]


FILE = {"release": "dr19", "v_astra": "0.8.0", "sdss_id": 7}
ONE = {"ivar": [1, 1, 1], "pixel_flags": [0, 0, 1], "wavelength": [15000.0, 15001.0, 15002.0]}


def test_a_star_s_spectra_stand_in_the_extension_of_instrument_and_telescope(tmp_path: Path):
    apogee = {"apred": "1.3", "obj": "x", "healpix": 1, **FILE}
    south = ApogeeCombinedSpectrum(telescope="lco25m", **apogee)
    rows = {number: [{"flux": [number] * 3, **ONE}] for number in (1, 4)}
    save(south, tmp_path, *mwm(rows, star=True))
    assert south.read(tmp_path).flux.value.tolist() == [4, 4, 4]
    assert (
        BossCombinedSpectrum(run2d="v6", telescope="apo25m", **FILE).read(tmp_path).flux.value.tolist()
        == [1] * 3
    )
    with pytest.raises(UnreadableFile, match="extension 3 of it is empty"):
        ApogeeCombinedSpectrum(telescope="apo1m", **apogee).read(tmp_path)
    with pytest.raises(InvalidRecord, match="telescope = 'moon': is none of apo25m, apo1m, lco25m"):
        ApogeeCombinedSpectrum(telescope="moon", **apogee).read(tmp_path)


def boss_visit(mjd: int, **values: Any) -> BossRestFrameVisitSpectrum:
    given = {"run2d": "v6", "fieldid": 5, "catalogid": 6, "drp_spectrum_pk": 1, "in_stack": True, **FILE}
    return BossRestFrameVisitSpectrum(mjd=mjd, **{**given, **values})


@pytest.mark.parametrize("telescope", [None, "apo25m"])
def test_a_visit_of_a_star_is_the_row_with_its_date_and_field(tmp_path: Path, telescope: str | None):
    rows = [{"flux": [mjd] * 3, "mjd": mjd, "fieldid": 5, "catalogid": 6, **ONE} for mjd in (59001, 59002)]
    save(boss_visit(59001), tmp_path, *mwm({1: rows}, star=False))
    pixels = boss_visit(59002, telescope=telescope).read(tmp_path)
    assert pixels.flux.value.tolist() == [59002] * 3
    assert pixels.mask.tolist() == [False, False, True]
    np.testing.assert_allclose(pixels.spectral_axis.value, 10 ** (3.5523 + 1e-4 * np.arange(3)))
    with pytest.raises(UnreadableFile):
        boss_visit(59003, telescope=telescope).read(tmp_path)
    with pytest.raises(UnreadableFile):
        boss_visit(59001, fieldid=9, telescope=telescope).read(tmp_path)


def test_a_single_visit_of_a_star_is_compared_as_well(tmp_path: Path):
    fields = {"plate": "11", "field": "M13", "fiber": 7}
    given = {
        "apred": "1.3",
        "healpix": 1,
        "telescope": "apo25m",
        "prefix": "ap",
        "in_stack": True,
        **FILE,
        **fields,
    }
    visit = ApogeeRestFrameVisitSpectrum(mjd=57001, **given)
    row = {"flux": [3, 3, 3], "mjd": 57001, **fields, **ONE}
    save(visit, tmp_path, *mwm({3: [row]}, star=False))
    assert visit.read(tmp_path).flux.value.tolist() == [3, 3, 3]
    with pytest.raises(UnreadableFile, match="it has no such visit"):
        ApogeeRestFrameVisitSpectrum(mjd=57002, **given).read(tmp_path)


def test_a_spectrum_of_sdss_5_needs_no_advice_on_its_extension(tmp_path: Path, recwarn: Any):
    boss = plate("v6_1_3", 15143, "", release="dr19", mjd=59205)
    names = ("FLUX", "LOGLAM", "IVAR", "AND_MASK", "OR_MASK")
    columns = [fits.Column(name, "E", array=[3.6, 3.7, 3.8]) for name in names[:3]]
    columns += [fits.Column(name, "J", array=[0, 0, 4]) for name in names[3:]]
    save(boss, tmp_path, fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns))
    pixels = boss.read(tmp_path)
    np.testing.assert_allclose(pixels.flux.value, [3.6, 3.7, 3.8], rtol=1e-6)
    assert pixels.mask.tolist() == [False, False, True]
    assert list(recwarn) == []


def test_a_class_of_one_s_own_says_where_its_files_are(tmp_path: Path):
    page = (Path(__file__).parents[2] / "docs" / "pixels.md").read_text(encoding="utf-8")
    (block,) = [block for block in re.findall("```python\n(.*?)```", page, re.DOTALL) if "Layout" in block]
    defined: dict[str, Any] = {"__name__": "simulated"}
    exec(compile(block, "pixels.md", "exec", dont_inherit=True), defined)
    one = defined["Simulated"](name="hot")
    columns = [fits.Column(name, "E", array=[3.6, 3.7]) for name in ("FLUX", "LOGLAM", "IVAR")]
    columns.append(fits.Column("OR_MASK", "J", array=[0, 1]))
    save(one, tmp_path, fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns))
    assert one.path(tmp_path) == tmp_path / "simulated" / "hot.fits"
    assert one.read(tmp_path).mask.tolist() == [False, True]


# --- what goes wrong ----------------------------------------------------------------------------------


def test_a_missing_file_is_named_with_the_root_that_was_taken(tmp_path: Path):
    visit = VISIT.model_copy(update={"spectrum_pk": 4711})
    with pytest.raises(MissingFile) as caught:
        visit.read(tmp_path)
    said = str(caught.value)
    assert str(visit.path(tmp_path)) in said
    assert f"the archive's folder is taken to be {tmp_path}" in said
    assert "apogee_visit_spectrum of spectrum_pk 4711" in said


@pytest.mark.parametrize("content", [b"", b"not FITS\n" * 300, None])
def test_a_file_that_is_no_spectrum_is_one_error_that_names_it(tmp_path: Path, content: bytes | None):
    path = VISIT.path(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(VISIT.path(ARCHIVE).read_bytes()[:100_000] if content is None else content)
    with pytest.raises(UnreadableFile) as caught:
        VISIT.read(tmp_path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_specutils_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    imported = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "specutils":
            raise ImportError(name)
        return imported(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r"pip install 'astra-outputs\[spectra\]'"):
        VISIT.read(ARCHIVE)
