"""Identifiers identify: what is none, and a star that is known by another one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from astra_outputs import (
    ApogeeCoaddedSpectrumInApStar,
    ApogeeVisitSpectrumInApStar,
    BossCombinedSpectrum,
    BossVisitSpectrum,
    SnowWhite,
    Source,
)
from astra_outputs.errors import DatabaseError, InvalidRecord
from astra_outputs.ingest import IngestReport, Mapping, ingest
from astra_outputs.reading.known_sources import KnownSources, recognise

IDENTIFIERS = ("sdss_id", "gaia_dr3_source_id", "gaia_dr2_source_id", "sdss4_apogee_id")


@pytest.mark.parametrize("nobody", [-1, 0, -9999, -1.0, np.int64(-9999), float("nan"), None])
def test_a_number_that_stands_for_none_identifies_nothing_at_any_door(nobody) -> None:
    saved = Source(sdss_id=5)
    saved.sdss_id = nobody
    for source in (Source(sdss_id=nobody), Source.model_validate({"sdss_id": nobody}), saved):
        assert source.sdss_id is None
        with pytest.raises(InvalidRecord, match="the row has no key"):
            source.key()


def test_a_spectrum_that_is_named_by_its_source_needs_an_identifier() -> None:
    with pytest.raises(InvalidRecord, match="sdss_id = -1: must have a value"):
        BossCombinedSpectrum(sdss_id=-1, release="x", filetype="x", v_astra="0.8.1", run2d="x", telescope="x")


@pytest.mark.parametrize(
    "nobody",
    ["", "   ", "-1", "0", "-9999", " -9999 ", "-9999.0", "None", "nan", "NaN ", "NULL", "N/A", "<NA>", "--",
     "-", "---", "?", "\u2014", "0000", "-0", "unknown"],
)  # fmt: skip
def test_a_text_that_stands_for_none_identifies_nothing(nobody) -> None:
    assert Source(sdss4_apogee_id=nobody).sdss4_apogee_id is None


@pytest.mark.parametrize("nobody", ["", "  ", "-9999", "---", None, float("nan")])
def test_a_spectrum_that_is_named_by_its_object_needs_a_name(nobody) -> None:
    given = {"release": "dr17", "apred": "dr17", "telescope": "apo25m", "obj": nobody}
    visit = {"plate": "1", "mjd": 1, "fiber": 1}
    for spectrum_class, more in (
        (ApogeeCoaddedSpectrumInApStar, {}),
        (ApogeeVisitSpectrumInApStar, visit),
    ):
        with pytest.raises(InvalidRecord, match=r"obj = .*: must have a value"):
            spectrum_class(**given, **more)


def test_other_negative_numbers_are_refused() -> None:
    with pytest.raises(InvalidRecord, match="is no identifier: those are positive"):
        Source(gaia_dr3_source_id=-5)
    for text in ("-12", "-999", "-999.0", "inf"):
        with pytest.raises(InvalidRecord, match="is no identifier: those are positive"):
            Source(sdss4_apogee_id=text)


@pytest.mark.parametrize(
    "name", ["2M00000002+7417074", "9ab", "0x", "AP00425080+4117074", "VESTA", "Nanette", "Vega", "nan1"]
)
def test_any_other_text_is_an_identifier(name) -> None:
    assert Source(sdss4_apogee_id=name).sdss4_apogee_id == name


Ingest = Callable[..., Awaitable[IngestReport]]


@pytest.fixture
def store(outputs, tmp_path: Path) -> Ingest:
    """Ingest rows of identifiers in the order of `IDENTIFIERS`, a spectrum each, and a magnitude."""

    async def run(*rows: tuple[Any, ...], start: int = 1) -> IngestReport:
        path = tmp_path / "stars.csv"
        lines = [",".join("" if value is None else str(value) for value in row) for row in rows]
        numbered = [f"{number},{line}" for number, line in enumerate(lines, start)]
        path.write_text("\n".join(["number,sdss,dr3,dr2,apogee,g", *numbered]) + "\n")
        columns = dict(zip(IDENTIFIERS, ("sdss", "dr3", "dr2", "apogee"), strict=True))
        constants = {name: {"value": 0} for name in ("mjd", "fieldid", "healpix")}
        mapping = Mapping.model_validate(
            {
                "spectra": "boss_visit_spectrum",
                "v_astra": "0.8.1",
                "source": {**columns, "g_mag": "g"},
                "spectrum": {
                    "release": {"value": "x"},
                    "run2d": {"value": "x"},
                    "spec_file": {"value": ""},
                    "catalogid": "number",
                    **constants,
                },
                "result": {"teff": "number"},
            }
        )
        return await ingest(outputs, [path], mapping, BossVisitSpectrum, SnowWhite)

    return run


async def sources(connection: Any) -> list[tuple[Any, ...]]:
    names = ", ".join(IDENTIFIERS)
    rows = await connection.fetch(f"select {names}, g_mag from astra.source order by pk")
    return [tuple(row) for row in rows]


async def test_a_stored_star_gets_the_identifier_that_a_file_knows_it_by(store, connection) -> None:
    await store((None, 777, None, None, 12), (None, None, None, "2M1", 13))
    report = await store((900, 777, None, None, None), (901, None, 55, "2M1", 14), start=11)
    assert report.refused == []
    assert await sources(connection) == [(900, 777, None, None, 12), (901, None, 55, "2M1", 14)]


async def test_rows_of_one_star_under_different_identifiers_are_one_source(store, connection) -> None:
    report = await store(
        (None, 777, None, None, 12), (900, 777, None, None, None), (900, None, None, "2M1", 13)
    )
    assert report.refused == []
    assert await sources(connection) == [(900, 777, None, "2M1", 13)]
    assert await connection.fetchval("select count(distinct source_pk) from astra.snow_white") == 1


async def test_identifiers_of_two_stored_sources_are_refused_naming_both_and_what_to_do(
    store, connection
) -> None:
    await store((900, None, None, None, 1), (None, 777, None, None, 2))
    before = await sources(connection)
    report = await store((900, 777, None, None, 3), (902, None, None, None, 4), start=11)
    (refused,) = report.refused
    assert (refused.row, refused.column, refused.value) == (1, "gaia_dr3_source_id", 777)
    first, second = await connection.fetch("select pk from astra.source order by pk limit 2")
    assert f"belongs to source {second['pk']} (gaia_dr3_source_id 777)" in refused.reason
    assert f"sdss_id to source {first['pk']} (sdss_id 900)" in refused.reason
    assert "leave out the identifier that is wrong" in refused.reason
    assert await sources(connection) == [*before, (902, None, None, None, 4)]


async def test_an_identifier_of_a_star_with_another_better_one_is_refused(store, connection) -> None:
    await store((900, 777, None, None, 1))
    report = await store((901, 777, None, None, 2), start=11)
    (refused,) = report.refused
    assert refused.column == "gaia_dr3_source_id"
    assert "whose sdss_id is not 901" in refused.reason
    assert await sources(connection) == [(900, 777, None, None, 1)]


async def test_a_worse_identifier_may_change(store, connection) -> None:
    await store((900, 777, None, None, 1))
    assert (await store((900, 778, None, None, None), start=11)).refused == []
    assert await sources(connection) == [(900, 778, None, None, 1)]


async def test_two_sources_of_one_file_that_turn_out_to_be_one_are_refused(store, connection) -> None:
    report = await store((900, None, None, None, 1), (None, 777, None, None, 2), (900, 777, None, None, 3))
    assert [refused.row for refused in report.refused] == [3]
    assert "another source of this call (gaia_dr3_source_id 777)" in report.refused[0].reason


async def test_rows_without_an_identifier_are_refused_and_merge_no_stars(store, connection) -> None:
    report = await store((-9999, 0, -1, "", 1), (0, None, None, "  ", 2), (0, 777, None, "", 3))
    assert [refused.row for refused in report.refused] == [1, 2]
    assert await sources(connection) == [(None, 777, None, None, 3)]


async def test_nothing_of_a_refused_row_is_stored(store, connection) -> None:
    await store((900, None, None, None, 1))
    # The same spectrum, of another star.
    report = await store((901, None, None, None, 2))
    assert "belongs to source_pk" in report.refused[0].reason
    assert await sources(connection) == [(900, None, None, None, 1)]


async def test_records_that_are_stored_stars_are_found_by_every_identifier(outputs, connection) -> None:
    await outputs.save_many(
        [Source(gaia_dr3_source_id=777, ra=1.0), Source(sdss_id=5, sdss4_apogee_id="2M5")]
    )
    same = [
        Source(sdss_id=900, gaia_dr3_source_id=777),
        Source(sdss_id=5),
        Source(sdss_id=6),
        Source(sdss_id=7, sdss4_apogee_id="2M5"),
    ]
    refused = await recognise(connection, "astra", same)
    assert list(refused) == [3]
    await outputs.save_many(same[:3])
    rows = await connection.fetch("select sdss_id, gaia_dr3_source_id from astra.source order by sdss_id")
    assert [tuple(row) for row in rows] == [(5, None), (6, None), (900, 777)]


async def test_what_the_database_says_of_a_claimed_identifier_names_what_to_do(outputs) -> None:
    twice = "insert into astra.source (sdss_id) values (1), (1)"
    with pytest.raises(DatabaseError, match="leave the identifier out that is wrong"):
        await outputs.store.database.run(lambda connection: connection.execute(twice), where="source")


def test_a_source_is_no_other_than_the_first_with_its_identifier() -> None:
    first, second = Source(sdss_id=1), Source(sdss_id=1, sdss4_apogee_id="2M1")
    known = KnownSources([first])
    assert known.same_as(second) is first
    assert known.same_as(Source(sdss4_apogee_id="2M1")) is None
    known.add(first, second)
    assert known.same_as(Source(sdss4_apogee_id="2M1")) is first
