"""Visits in apStar files are joined with the spectra of the survey's reduction that they were made from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exported import read, verified

from astra_outputs import ApogeeNet, ApogeeVisitSpectrum, ApogeeVisitSpectrumInApStar, SnowWhite
from astra_outputs.errors import InvalidCondition, UnknownColumn

PLACE = {
    "release": "sdss5",
    "apred": "1.3",
    "telescope": "apo25m",
    "field": "1",
    "prefix": "ap",
    "plate": "1",
}


@pytest.fixture
async def results(outputs: Any, spectra: Any) -> list[ApogeeNet]:
    """Results on two visits in apStar files, of which one was made from a visit that the database has."""
    (first,) = await spectra(1)
    visit = ApogeeVisitSpectrum(
        source_pk=first.source_pk, **PLACE, fiber=1, mjd=60_000, snr=45.0, v_rad=-33.0, obj="2M"
    )
    await outputs.save(visit)
    resampled = [
        ApogeeVisitSpectrumInApStar(
            source_pk=first.source_pk, **PLACE, fiber=fiber, mjd=60_000, obj="2M", drp_spectrum_pk=key
        )
        for fiber, key in ((1, visit.spectrum_pk), (2, 10**12))
    ]
    await outputs.save_many(resampled)
    made = [ApogeeNet.from_spectrum(one, v_astra="0.8.0", teff=4000.0) for one in resampled]
    await outputs.save_many(made)
    return made


async def test_spectra_that_are_no_other_form_of_one_have_none(outputs: Any) -> None:
    with pytest.raises(InvalidCondition, match="there is no drp_spectrum here"):
        await outputs.find(SnowWhite, "drp_spectrum.snr > 1")
    with pytest.raises(UnknownColumn, match=r"did you mean drp_spectrum\.v_rad\?"):
        outputs.columns(ApogeeVisitSpectrumInApStar, columns=["v_rad"])


async def test_the_file_of_visits_has_what_the_reduction_says_of_them(
    outputs: Any, tmp_path: Path, results: list[ApogeeNet]
) -> None:
    report = await outputs.export("astraAllVisitApogeeNet", tmp_path / "a.fits", v_astra="0.8")
    assert report.rows == {"BOSS": 0, "APOGEE": 2}
    verified(report.file)
    table = read(report.file)
    assert table["task_pk"].tolist() == [result.task_pk for result in results]
    np.testing.assert_array_equal(np.ma.filled(table["v_rad"], np.nan), np.float32([-33, np.nan]))
    assert table["drp_spectrum_telescope"].tolist() == ["apo25m", ""]
    names = table.colnames
    assert names.index("ra") < names.index("v_rad") < names.index("drp_spectrum_pk") < names.index("teff")
    place = names.index("drp_spectrum_telescope") + 1
    assert table.meta[f"TCOMM{place}"].endswith("(telescope of the spectrum as it was reduced)")
    found = await outputs.verify(report.file)
    assert (found.same, found.rows) == (True, 2), str(found)


async def test_conditions_and_columns_name_the_spectrum_of_the_reduction(
    outputs: Any, results: list[ApogeeNet]
) -> None:
    asked = {"spectrum_class": ApogeeVisitSpectrumInApStar}
    (found,) = await outputs.find(ApogeeNet, "drp_spectrum.snr > 40 and spectrum.fiber = 1", **asked)
    assert found.task_pk == results[0].task_pk
    columns = outputs.columns(
        ApogeeNet, columns=["task_pk", "drp_spectrum.v_rad"], order_by="-drp_spectrum.v_rad", **asked
    )
    assert (await columns.to_numpy())["v_rad"].tolist() == [-33.0, None]
    of_spectra = await outputs.find(ApogeeVisitSpectrumInApStar, "drp_spectrum.v_rad < 0")
    assert [spectrum.spectrum_pk for spectrum in of_spectra] == [results[0].spectrum_pk]
