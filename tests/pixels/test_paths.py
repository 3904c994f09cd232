"""Where the survey keeps the file of a spectrum, and what is said where nobody can know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
    Misused,
    WrongRecordClass,
)
from astra_outputs.discover import record_classes
from astra_outputs.model.spectrum import SpectrumMixin

STAR = {"apred": "dr17", "obj": "2M00000002+7417074", "telescope": "apo25m", "prefix": "ap"}
VISIT = {"apred": "dr17", "telescope": "apo25m", "prefix": "ap", "plate": "9518", "mjd": 57729, "fiber": 4}
BOSS = {"fieldid": 15143, "mjd": 59205, "catalogid": 4544940698, "healpix": 1, "spec_file": ""}
MWM = {"v_astra": "0.6.0", "sdss_id": 114904, "healpix": 1, "apred": "1.3", "obj": "x", "telescope": "apo25m"}


def star(**values: Any) -> ApogeeCoaddedSpectrumInApStar:
    return ApogeeCoaddedSpectrumInApStar(**{"release": "dr17", "field": "120+12", **STAR, **values})


def visit(**values: Any) -> ApogeeVisitSpectrum:
    return ApogeeVisitSpectrum(**{"release": "dr17", "field": "120-08-RV", **VISIT, **values})


def boss(**values: Any) -> BossVisitSpectrum:
    return BossVisitSpectrum(**{"release": "sdss5", "run2d": "v6_1_3", **BOSS, **values})


def test_every_class_of_spectra_has_a_layout():
    kinds = [kind for kind in record_classes() if issubclass(kind, SpectrumMixin)]
    assert len(kinds) == 8
    assert [kind.__name__ for kind in kinds if kind.file_layout is None] == []


@pytest.mark.parametrize(
    ("spectrum", "path"),
    [
        (star(), "dr17/apogee/spectro/redux/dr17/stars/apo25m/120+12/apStar-dr17-2M00000002+7417074.fits"),
        (
            star(release="sdss5", apred="1.3", healpix=103075, field="", prefix=""),
            (
                "sdsswork/mwm/apogee/spectro/redux/1.3/stars/apo25m/103/103075/"
                "apStar-1.3-apo25m-2M00000002+7417074.fits"
            ),
        ),
        (
            star(release="dr19", apred="1.3", healpix=75, field="", prefix=""),
            "dr19/spectro/apogee/redux/1.3/stars/apo25m/0/75/apStar-1.3-apo25m-2M00000002+7417074.fits",
        ),
        (
            ApogeeVisitSpectrumInApStar(
                release="dr17", field="120+12", drp_spectrum_pk=1, **{**STAR, **VISIT}
            ),
            "dr17/apogee/spectro/redux/dr17/stars/apo25m/120+12/apStar-dr17-2M00000002+7417074.fits",
        ),
        (
            visit(),
            "dr17/apogee/spectro/redux/dr17/visit/apo25m/120-08-RV/9518/57729/apVisit-dr17-9518-57729-004.fits",
        ),
        (
            visit(telescope="lco25m", prefix="as"),
            "dr17/apogee/spectro/redux/dr17/visit/lco25m/120-08-RV/9518/57729/asVisit-dr17-9518-57729-004.fits",
        ),
        (
            visit(telescope="apo1m", reduction="VESTA"),
            "dr17/apogee/spectro/redux/dr17/visit/apo1m/120-08-RV/57729/apVisit-dr17-57729-VESTA.fits",
        ),
        (
            visit(release="dr19", apred="1.3"),
            (
                "dr19/spectro/apogee/redux/1.3/visit/apo25m/120-08-RV/9518/57729/"
                "apVisit-1.3-apo25m-9518-57729-004.fits"
            ),
        ),
        (
            boss(),
            "sdsswork/bhm/boss/spectro/redux/v6_1_3/spectra/full/015143/59205/spec-015143-59205-4544940698.fits",
        ),
        (
            boss(release="dr18", run2d="v6_0_4"),
            "dr18/spectro/boss/redux/v6_0_4/spectra/full/15143p/59205/spec-15143-59205-04544940698.fits",
        ),
        (
            boss(release="ipl4", run2d="v6_2_1", spec_file="spec-015143-59205-27021597775058535.fits"),
            (
                "ipl-4/spectro/boss/redux/v6_2_1/spectra/daily/full/015XXX/015143/59205/"
                "spec-015143-59205-27021597775058535.fits"
            ),
        ),
        (
            boss(run2d="master"),
            (
                "sdsswork/bhm/boss/spectro/redux/master/spectra/daily/full/015XXX/015143/59205/"
                "spec-015143-59205-4544940698.fits"
            ),
        ),
        (
            boss(release="dr17", run2d="v5_10_0", fieldid=3586, spec_file="spec-3586-55181-0500.fits"),
            "dr17/eboss/spectro/redux/v5_10_0/spectra/full/3586/spec-3586-55181-0500.fits",
        ),
        (
            boss(release="dr17", run2d="26", fieldid=266, spec_file="spec-0266-51602-0031.fits"),
            "dr17/sdss/spectro/redux/26/spectra/0266/spec-0266-51602-0031.fits",
        ),
        (
            ApogeeCombinedSpectrum(release="dr19", **MWM),
            "dr19/spectro/astra/0.6.0/spectra/star/49/04/mwmStar-0.6.0-114904.fits",
        ),
        (
            BossCombinedSpectrum(
                release="sdss5", v_astra="0.8.0", sdss_id=7, run2d="v6_2_1", telescope="apo25m"
            ),
            "sdsswork/mwm/spectro/astra/0.8.0/spectra/star/00/07/mwmStar-0.8.0-7.fits",
        ),
        (
            BossRestFrameVisitSpectrum(
                release="dr19",
                v_astra="0.6.0",
                sdss_id=114904,
                run2d="v6_1_3",
                fieldid=1,
                mjd=2,
                catalogid=3,
                drp_spectrum_pk=1,
                in_stack=True,
            ),
            "dr19/spectro/astra/0.6.0/spectra/visit/49/04/mwmVisit-0.6.0-114904.fits",
        ),
        (
            ApogeeRestFrameVisitSpectrum(release="dr19", field="x", in_stack=True, **{**MWM, **VISIT}),
            "dr19/spectro/astra/0.6.0/spectra/visit/49/04/mwmVisit-0.6.0-114904.fits",
        ),
    ],
)
def test_the_path_is_that_of_the_survey(spectrum: SpectrumMixin, path: str):
    assert spectrum.path("/sas") == Path("/sas") / path


@pytest.mark.parametrize(
    ("spectrum", "said"),
    [
        (star(release="dr12"), r"\.release = 'dr12': its layout is not known here; known are dr16, dr17"),
        (star(release="sdss5", healpix=None), r"\.healpix = None: the path of the file needs it"),
        (star(field=""), r"\.field = '': the path of the file needs it"),
        (star(field="../../../etc"), r"\.field = .*: is no name of a folder or file"),
        (star(obj="a/.."), r"\.obj = 'a/\.\.': is no name of a folder or file"),
        (star(prefix=".."), r"\.prefix = '\.\.': is no name of a folder or file"),
        (boss(spec_file="/etc/passwd"), r"\.spec_file = '/etc/passwd': is no name of a folder or file"),
        (boss(release="dr17", run2d="v5_10_0"), r"\.spec_file = '': the path of the file needs it"),
        (boss(release="dr17/../.."), r"\.release = .*: is no name of a folder or file"),
    ],
)
def test_a_column_that_leads_nowhere_or_elsewhere_is_refused(spectrum: SpectrumMixin, said: str):
    with pytest.raises(InvalidRecord, match=said):
        spectrum.path("/sas")


def test_without_a_root_it_is_the_survey_s_own_variable(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SAS_BASE_DIR", "/elsewhere")
    assert star().path().is_relative_to("/elsewhere")
    monkeypatch.delenv("SAS_BASE_DIR")
    with pytest.raises(Misused, match="SAS_BASE_DIR"):
        star().path()


def test_spectra_of_a_class_without_files_say_so():
    class Simulated(SpectrumMixin):
        """Spectra that were simulated."""

        natural_keys = ()

    with pytest.raises(WrongRecordClass, match="spectra of Simulated have no files"):
        Simulated().path("/sas")
