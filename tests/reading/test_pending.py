"""What is left to do: which spectra wait for a pipeline, in which order, and who takes which."""

from __future__ import annotations

import asyncio
import itertools
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astra_outputs import (
    ApogeeCoaddedSpectrumInApStar,
    BossVisitSpectrum,
    Source,
    Spectrum,
    TheCannon,
    using_version,
)
from astra_outputs.errors import MissingVersion, WrongRecordClass
from astra_outputs.reading.pending import FIRST, Pending, pending_count, pending_page, share_of

UNIQUE_KEY = re.compile(r"the_cannon\w*_spectrum_(version|pk_v_astra_major_minor)_key")
"""Name of the index of the key: of the table, or of one of its partitions."""


def results(spectra, version: str = "0.8.1"):
    return [TheCannon.from_spectrum(spectrum, v_astra=version) for spectrum in spectra]


async def keys(outputs, version: str = "0.8.1", **options) -> list[int]:
    found = outputs.pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra=version, **options)
    return [spectrum.spectrum_pk async for spectrum in found]


def keys_of(spectra) -> list[int]:
    return [spectrum.spectrum_pk for spectrum in spectra]


# Bad input first.


@pytest.mark.parametrize("shard", [(3, 3), (-1, 2), (0, 0), (1,), "1/2", (0.5, 2), (1, 2, 3)])
def test_a_shard_that_makes_no_sense_is_refused_before_anything_is_read(shard) -> None:
    with pytest.raises(ValueError, match="shard must be"):
        Pending.of(TheCannon, ApogeeCoaddedSpectrumInApStar, "0.8.1", shard)


def test_a_limit_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="limit must not be negative: -1"):
        Pending.of(TheCannon, ApogeeCoaddedSpectrumInApStar, "0.8.1", limit=-1)


@pytest.mark.parametrize(
    "classes", [(Source, ApogeeCoaddedSpectrumInApStar), (TheCannon, Spectrum), (TheCannon, 3)]
)
def test_classes_of_another_kind_are_refused(classes) -> None:
    with pytest.raises(WrongRecordClass, match="is not a"):
        Pending.of(*classes, "0.8.1")


def test_nothing_is_pending_for_a_version_that_nobody_chose(monkeypatch) -> None:
    monkeypatch.delenv("ASTRA_OUTPUTS_V_ASTRA", raising=False)
    with pytest.raises(MissingVersion):
        Pending.of(TheCannon, ApogeeCoaddedSpectrumInApStar)


# Which spectra.


async def test_a_spectrum_without_a_result_is_pending(outputs, spectra) -> None:
    stored = await spectra(4)
    await outputs.save_many(results(stored[:2]))
    assert await keys(outputs) == keys_of(stored[2:])


async def test_what_comes_is_the_spectrum_as_it_is_stored(outputs, spectrum) -> None:
    (found,) = [s async for s in outputs.pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra="0.8.1")]
    assert found == await outputs.get_by_id(ApogeeCoaddedSpectrumInApStar, spectrum.pk)


async def test_a_patch_release_leaves_nothing_pending_and_a_minor_release_everything(
    outputs, spectra
) -> None:
    stored = await spectra(3)
    await outputs.save_many(results(stored, "0.8.1"))
    assert await keys(outputs, "0.8.2") == []
    assert await keys(outputs, "0.9.0") == keys_of(stored)


async def test_a_spectrum_stored_again_after_its_result_is_pending_again(outputs, spectra) -> None:
    stored = await spectra(3)
    await outputs.save_many(results(stored))
    await outputs.save(stored[1])
    assert await keys(outputs) == keys_of(stored[1:2])
    await outputs.save_many(results(stored[1:2]))
    assert await keys(outputs) == []


async def test_spectra_of_another_kind_are_not_pending(outputs, spectra) -> None:
    await spectra(2)
    found = outputs.pending(TheCannon, BossVisitSpectrum, v_astra="0.8.1")
    assert [spectrum async for spectrum in found] == []


async def test_the_configured_version_counts_where_none_is_given(outputs, spectra) -> None:
    stored = await spectra(2)
    await outputs.save_many(results(stored, "0.8.1"))
    with using_version("0.8.1"):
        assert await outputs.count_pending(TheCannon, ApogeeCoaddedSpectrumInApStar) == 0
    with using_version("0.9.0"):
        assert await outputs.count_pending(TheCannon, ApogeeCoaddedSpectrumInApStar) == 2


# Order, pages, limits.


@pytest.mark.parametrize("page", [1, 2, 3, 7, 100])
async def test_each_spectrum_comes_once_in_the_order_of_its_key_whatever_the_page(
    outputs, spectra, page
) -> None:
    stored = await spectra(7)
    asked = Pending.of(TheCannon, ApogeeCoaddedSpectrumInApStar, "0.8.1")
    found = [spectrum.spectrum_pk async for spectrum in asked.stream(outputs.store.database, page)]
    assert found == sorted(keys_of(stored))


@pytest.mark.parametrize(("limit", "page"), [(0, 2), (3, 2), (4, 2), (99, 2), (3, 100)])
async def test_a_limit_holds_across_pages(outputs, spectra, limit, page) -> None:
    stored = await spectra(5)
    asked = Pending.of(TheCannon, ApogeeCoaddedSpectrumInApStar, "0.8.1", limit=limit)
    found = [spectrum.spectrum_pk async for spectrum in asked.stream(outputs.store.database, page)]
    assert found == keys_of(stored)[:limit]
    assert await asked.count(outputs.store.database) == len(found)


async def test_what_others_store_meanwhile_is_left_out_and_nothing_comes_twice(outputs, spectra) -> None:
    stored = await spectra(6)
    asked = Pending.of(TheCannon, ApogeeCoaddedSpectrumInApStar, "0.8.1")
    found = []
    async for spectrum in asked.stream(outputs.store.database, 2):
        found.append(spectrum.spectrum_pk)
        if len(found) == 1:
            await outputs.save_many(results([stored[0], stored[3]]))
            stored += await spectra(1)
            await outputs.save(stored[0])
    assert found == keys_of(stored[:3] + stored[4:])


async def test_no_page_holds_a_connection_while_its_spectra_are_worked_on(database, spectra) -> None:
    import astra_outputs

    stored = await spectra(3)
    async with astra_outputs.connect(database, connections=1) as outputs:
        async for _ in outputs.pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra="0.8.1"):
            async with asyncio.timeout(60):
                assert await outputs.get_by_id(ApogeeCoaddedSpectrumInApStar, stored[0].pk) is not None


# Shares.


@pytest.mark.parametrize("shares", [1, 2, 3, 16])
async def test_the_shares_have_no_spectrum_in_common_and_leave_none_out(outputs, spectra, shares) -> None:
    stored = await spectra(40)
    found = [await keys(outputs, shard=(share, shares)) for share in range(shares)]
    assert sorted(itertools.chain(*found)) == keys_of(stored)
    counted = [
        await outputs.count_pending(
            TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra="0.8.1", shard=(share, shares)
        )
        for share in range(shares)
    ]
    assert counted == [len(share) for share in found]


async def test_the_database_and_python_agree_on_the_share_of_every_key(connection, outputs, spectra) -> None:
    text = pending_count(TheCannon, ApogeeCoaddedSpectrumInApStar, "astra", shared=True)
    where = text[text.index("where") + len("where") : text.index(" = $2")]
    expression = where.replace("spectra.spectrum_pk", "$1::bigint")
    generator = random.Random(1)
    for pk in [
        0,
        1,
        2**31 - 1,
        2**31,
        2**63 - 1,
        -1,
        -(2**63) + 1,
        *(generator.getrandbits(62) for _ in range(200)),
    ]:
        shares = generator.choice([1, 2, 7, 1000, 2**31])
        share = await connection.fetchval(f"select {expression.replace('$3', '$2::bigint')}", pk, shares)
        assert share == share_of(pk, shares)


@given(start=st.integers(0, 2**40), stride=st.integers(1, 64), shares=st.integers(2, 64))
def test_the_shares_of_keys_in_a_row_or_in_steps_are_even(start, stride, shares) -> None:
    n = 200 * shares
    sizes = [0] * shares
    for k in range(n):
        sizes[share_of(start + k * stride, shares)] += 1
    assert min(sizes) > 0.5 * 200
    assert max(sizes) < 1.5 * 200


# The statement.


@pytest.mark.usefixtures("plain_tables")
async def test_a_page_is_read_along_the_index_of_the_key_without_offset(connection, outputs, spectra) -> None:
    stored = await spectra(300)
    await outputs.save_many(results(stored[:200]))
    await connection.execute("analyze astra.the_cannon; analyze astra.apogee_coadded_spectrum_in_ap_star")
    # A table this small is read whole at less cost; the test asks whether the indexes can serve.
    await connection.execute("set enable_seqscan = off; set enable_sort = off; set enable_bitmapscan = off")
    text = pending_page(TheCannon, ApogeeCoaddedSpectrumInApStar, "astra", shared=False)
    rows = await connection.fetch("explain (costs off) " + text, 8, 100, 10)
    plan = "\n".join(row[0] for row in rows)
    assert "apogee_coadded_spectrum_in_ap_star_spectrum_key" in plan
    assert UNIQUE_KEY.search(plan)
    searched = [line for line in plan.splitlines() if "Index Cond" in line]
    assert len(searched) >= 2
    assert all("spectrum_pk > '100'" in line for line in searched), "both scans start where the page does"
    assert "->  Sort" not in plan
    assert "OFFSET" not in text.upper()


async def pages_of(connection, text, *more, size) -> list[int]:
    """Return the keys of all pages of so many rows, read by one form of the statement."""
    found, last = [], FIRST
    while rows := await connection.fetch(text, 8, last, size, *more):
        last = rows[-1]["spectrum_pk"]
        found += [row["spectrum_pk"] for row in rows]
    return found


@pytest.mark.parametrize("size", [1, 7, 100])
async def test_the_statement_for_partitions_finds_what_the_other_one_does(
    connection, outputs, spectra, size
) -> None:
    stored = await spectra(40)
    for version, made in (("0.7.0", stored), ("0.8.0", stored[5:20]), ("0.8.1", stored[20:35])):
        await outputs.save_many(results(made, version))
    await outputs.save_many(stored[::4])  # changed since
    stars = [row[0] for row in await connection.fetch("select sdss_id from astra.source")]
    whole = (False, False, False)
    asked = {whole: (), (True, False, False): (1, 3), (True, True, True): (0, 2, 8_001, stars[:9])}
    for (shared, redo, of_stars), more in asked.items():
        each, merged = (
            pending_page(
                TheCannon, ApogeeCoaddedSpectrumInApStar, "astra", shared, redo, of_stars, partitioned=form
            )
            for form in (False, True)
        )
        expected = await pages_of(connection, each, *more, size=size)
        assert expected
        assert await pages_of(connection, merged, *more, size=size) == expected


# What is made again.


@pytest.mark.parametrize("redo", ["newer", "", True])
async def test_a_wish_to_make_again_that_is_none_is_refused(outputs, redo) -> None:
    with pytest.raises(ValueError, match='"older" or "all"'):
        outputs.pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra="0.8.1", redo=redo)


async def test_results_of_older_patches_are_made_again_where_that_is_asked(outputs, spectra) -> None:
    stored = await spectra(4)
    for spectrum, version in zip(stored, ("0.8.0", "0.8.1", "0.8.2"), strict=False):
        await outputs.save(TheCannon.from_spectrum(spectrum, v_astra=version))
    given = keys_of(stored)
    asked = (TheCannon, ApogeeCoaddedSpectrumInApStar)
    for redo, expected in ((None, given[3:]), ("older", [given[0], given[3]]), ("all", given)):
        options = {"redo": redo}
        assert await keys(outputs, **options) == expected
        assert await outputs.count_pending(*asked, v_astra="0.8.1", **options) == len(expected)
        shares = [await keys(outputs, **options, shard=(i, 2)) for i in range(2)]
        assert sorted(shares[0] + shares[1]) == expected


async def test_only_the_spectra_of_given_stars_are_pending(outputs, spectra, connection) -> None:
    stored = await spectra(5)
    rows = await connection.fetch(
        "select pk, sdss_id from astra.source where sdss_id is not null order by pk"
    )
    stars = {row["pk"]: row["sdss_id"] for row in rows}
    wanted = [spectrum for spectrum in stored if spectrum.source_pk in stars][1:3]
    assert wanted
    ids = [stars[spectrum.source_pk] for spectrum in wanted]
    asked = (TheCannon, ApogeeCoaddedSpectrumInApStar)
    for shard in (None, (0, 1)):
        for redo in (None, "all"):
            options = {"sdss_ids": ids, "shard": shard, "redo": redo}
            assert await keys(outputs, **options) == keys_of(wanted)
    assert await outputs.count_pending(*asked, v_astra="0.8.1", sdss_ids=[]) == 0
