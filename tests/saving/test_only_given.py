"""Writing only the columns that were given: what is stored of the others stays as it is, by every door."""

from __future__ import annotations

import pytest

from astra_outputs import Outcome, Source, TheCannon


async def test_a_source_that_comes_from_several_catalogues_keeps_what_each_of_them_said(outputs) -> None:
    await outputs.save(Source(sdss_id=1, ra=10.0, dec=-5.0))
    again = await outputs.save(Source(sdss_id=1, g_mag=12.0), only_given=True)
    assert again.outcome is Outcome.REPLACED
    stored = await outputs.get_by_id(Source, again.pk)
    assert (stored.ra, stored.dec, stored.g_mag) == (10.0, -5.0, 12.0)


async def test_a_value_that_is_given_as_none_is_taken_away(outputs) -> None:
    await outputs.save(Source(sdss_id=1, ra=10.0, dec=-5.0))
    again = await outputs.save(Source(sdss_id=1, ra=None), only_given=True)
    stored = await outputs.get_by_id(Source, again.pk)
    assert (stored.ra, stored.dec) == (None, -5.0)


async def test_a_new_row_is_stored_whole(outputs) -> None:
    new = await outputs.save(Source(sdss_id=1, ra=10.0), only_given=True)
    assert new.outcome is Outcome.INSERTED
    assert (await outputs.get_by_id(Source, new.pk)).dec is None


@pytest.mark.parametrize("size", [3, 10, 500])
async def test_records_that_were_given_different_columns_are_stored_in_one_call(
    outputs, spectra, size
) -> None:
    stored = await spectra(size)
    first = [TheCannon.from_spectrum(one, v_astra="0.8.1", teff=1.0, logg=2.0, fe_h=3.0) for one in stored]
    await outputs.save_many(first)
    second = [
        TheCannon.from_spectrum(one, {"teff": 5.0} if number % 2 else {"logg": 6.0}, v_astra="0.8.2")
        for number, one in enumerate(stored)
    ]
    report = await outputs.save_many(reversed(second), only_given=True)
    assert report.counts == {Outcome.REPLACED: size}
    for number, one in enumerate(stored):
        found = await outputs.get_result(TheCannon, one, v_astra="0.8.2")
        expected = (5.0, 2.0, 3.0) if number % 2 else (1.0, 6.0, 3.0)
        assert (found.teff, found.logg, found.fe_h, found.v_astra) == (*expected, 8002)


async def test_the_columns_of_a_table_are_the_ones_given(outputs, spectra) -> None:
    stored = await spectra(3)
    keys = [one.spectrum_pk for one in stored]
    await outputs.save_table(TheCannon, {"spectrum_pk": keys, "teff": [1.0, 2.0, 3.0]}, v_astra="0.8.1")
    table = {"spectrum_pk": keys, "logg": [4.0, None, 6.0], "flag_fitting_failure": [True, False, True]}
    await outputs.save_table(TheCannon, table, v_astra="0.8.1", only_given=True)
    found = [await outputs.get_result(TheCannon, one) for one in stored]
    assert [(one.teff, one.logg, one.result_flags) for one in found] == [
        (1.0, 4.0, 1),
        (2.0, None, 0),
        (3.0, 6.0, 1),
    ]


async def test_a_row_that_has_all_that_is_given_is_unchanged(outputs) -> None:
    await outputs.save(Source(sdss_id=1, ra=10.0, dec=-5.0))
    again = await outputs.save(Source(sdss_id=1, ra=10.0), only_given=True, skip_unchanged=True)
    assert again.outcome is Outcome.UNCHANGED


@pytest.mark.parametrize("count", [1, 3, 500])
async def test_a_stored_row_of_which_only_the_key_is_given_is_unchanged(outputs, count) -> None:
    await outputs.save_many(Source(sdss_id=number, ra=10.0) for number in range(1, count + 1))
    again = [Source(sdss_id=number) for number in range(1, count + 1)]
    report = await outputs.save_many(again, only_given=True, skip_unchanged=True)
    assert report.counts == {Outcome.UNCHANGED: count}
    one = await outputs.save(Source(sdss_id=1), only_given=True, skip_unchanged=True)
    assert one.outcome is Outcome.UNCHANGED
    assert (await outputs.get_by_id(Source, one.pk)).ra == 10.0
