"""Records under a condition: which ones come, in which order, with what, and as they are stored."""

from __future__ import annotations

import asyncio
import math
import re
from typing import Any

import asyncpg
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import astra_outputs
from astra_outputs import (
    ApogeeCoaddedSpectrumInApStar,
    BossVisitSpectrum,
    SnowWhite,
    Source,
    Spectrum,
    TheCannon,
)
from astra_outputs.discover import record_classes
from astra_outputs.errors import DatabaseError, InvalidCondition, NotRead, WrongRecordClass
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.reading.find import Finding
from astra_outputs.reading.near import within
from astra_outputs.reading.question import Question
from astra_outputs.reading.readable import check_readable

UNIQUE_KEY = re.compile(r"the_cannon\w*_spectrum_(version|pk_v_astra_major_minor)_key")
"""Name of the index of the key: of the table, or of one of its partitions."""


@pytest.fixture
async def results(outputs: Any, spectra: Any) -> list[TheCannon]:
    """Five spectra of five sources with results in versions 0.7.0 and 0.8.1, the last without the second one."""
    stored = await spectra(5)
    made = [
        TheCannon.from_spectrum(spectrum, v_astra=version, teff=1000.0 * number + offset)
        for version, offset, most in (("0.7.0", 0, 5), ("0.8.1", 500, 4))
        for number, spectrum in enumerate(stored[:most], start=1)
    ]
    await outputs.save_many(made)
    return made


def temperatures(found: list[TheCannon]) -> list[float | None]:
    return [result.teff for result in found]


# Bad input.


@pytest.mark.parametrize("record_class", [int, None, "TheCannon", PipelineOutputMixin.__mro__[-1]])
async def test_what_is_no_record_class_is_refused(outputs: Any, record_class: Any) -> None:
    with pytest.raises(WrongRecordClass, match="is not a record class"):
        await outputs.find(record_class)


@pytest.mark.parametrize(
    ("record_class", "asked", "said"),
    [
        (TheCannon, {"limit": -1}, "limit is a number of rows"),
        (TheCannon, {"limit": True}, "limit is a number of rows"),
        (TheCannon, {"limit": "1; drop table x"}, "limit is a number of rows"),
        (TheCannon, {"v_astra": "0.8.1.2"}, "is not of the form"),
        (TheCannon, {"v_astra": "x"}, "major.minor"),
        (TheCannon, {"v_astra": -1}, "outside"),
        (TheCannon, {"v_astra": "9999.0"}, "outside"),
        (TheCannon, {"v_astra": 0.8}, "must be an integer"),
        (TheCannon, {"near": (1, 2)}, "near is"),
        (TheCannon, {"near": (1, 91, 1)}, "near is"),
        (TheCannon, {"near": (1, 2, -1)}, "near is"),
        (TheCannon, {"near": (1, 2, math.nan)}, "near is"),
        (TheCannon, {"near": "x"}, "near is"),
        (TheCannon, {"on": [Source(sdss_id=1)]}, "was not stored"),
        (Source, {"newest": True}, "newest is about results"),
        (ApogeeCoaddedSpectrumInApStar, {"v_astra": "0.8"}, "v_astra is about results"),
        (Spectrum, {"on": [1]}, "on is about spectra and sources"),
        (Spectrum, {"near": (1, 2, 3)}, "there is no source here"),
        (Source, {"source": True}, "not for sources themselves"),
        (BossVisitSpectrum, {"spectrum": True}, "not for spectrums themselves"),
        (Source, {"spectrum": True}, "there is no spectrum here"),
    ],
)
async def test_options_that_make_no_sense_are_refused(
    outputs: Any, record_class: Any, asked: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidCondition, match=said):
        await outputs.find(record_class, **asked)


async def test_an_option_that_is_not_there_is_refused(outputs: Any) -> None:
    with pytest.raises(TypeError, match="no option newst"):
        await outputs.find(TheCannon, newst=True)


@pytest.mark.parametrize("on", [["x"], [1.5], [None], [True]])
async def test_what_is_no_spectrum_and_no_source_is_refused(outputs: Any, on: Any) -> None:
    with pytest.raises(WrongRecordClass, match="on takes spectra, sources or their keys"):
        await outputs.find(TheCannon, on=on)


async def test_what_was_not_read_says_how_to_read_it(outputs: Any, results: Any) -> None:
    (found,) = await outputs.find(TheCannon, limit=1)
    with pytest.raises(NotRead, match=r"source=True"):
        _ = found.source
    with pytest.raises(NotRead, match=r"spectrum=True"):
        _ = found.spectrum


# Which rows.


async def test_without_a_condition_all_rows_come(outputs: Any, results: Any) -> None:
    assert len(await outputs.find(TheCannon)) == 9
    assert await outputs.find(SnowWhite) == []


async def test_a_condition_takes_parameters_by_number_and_by_name(outputs: Any, results: Any) -> None:
    numbered = await outputs.find(
        TheCannon, "teff > $1 and teff < $2", 2000, np.float32(4000), order_by="teff"
    )
    assert temperatures(numbered) == [2500.0, 3000.0, 3500.0]
    named = await outputs.find(
        TheCannon, "teff > :low and teff < :high", {"high": 4000, "low": 2000}, order_by="-teff"
    )
    assert temperatures(named) == [3500.0, 3000.0, 2500.0]
    listed = await outputs.find(TheCannon, "teff = any($1)", np.array([1000.0, 3500.0]), order_by="teff")
    assert temperatures(listed) == [1000.0, 3500.0]


async def test_a_value_is_never_part_of_the_statement(outputs: Any, results: Any) -> None:
    assert await outputs.find(TheCannon, "tag = $1", "' or true --") == []


async def test_only_rows_for_which_the_condition_is_true_come_not_those_without_a_value(
    outputs: Any, spectra: Any
) -> None:
    first, second = await spectra(2)
    await outputs.save_many(
        [
            TheCannon.from_spectrum(first, v_astra="0.8.1"),
            TheCannon.from_spectrum(second, v_astra="0.8.1", teff=1.0),
        ]
    )
    assert temperatures(await outputs.find(TheCannon, "teff > 0")) == [1.0]
    assert temperatures(await outputs.find(TheCannon, "not teff > 0")) == []
    assert temperatures(await outputs.find(TheCannon, order_by="-teff")) == [1.0, None]
    assert temperatures(await outputs.find(TheCannon, order_by="teff")) == [1.0, None]


async def test_a_version_is_a_minor_one_or_an_exact_one(outputs: Any, results: Any) -> None:
    for v_astra, rows in (
        ("0.7", 5),
        ("0.8", 4),
        ("0.8.1", 4),
        (8001, 4),
        (np.int64(8001), 4),
        ("0.8.0", 0),
        ("0.9", 0),
    ):
        assert len(await outputs.find(TheCannon, v_astra=v_astra)) == rows, v_astra


async def test_the_newest_is_that_of_the_highest_version_and_the_condition_is_about_it(
    outputs: Any, results: Any
) -> None:
    newest = await outputs.find(TheCannon, newest=True, order_by="teff")
    assert temperatures(newest) == [1500.0, 2500.0, 3500.0, 4500.0, 5000.0]
    assert temperatures(await outputs.find(TheCannon, "teff < 1200", newest=True)) == []


async def test_rows_of_given_spectra_and_sources_come(outputs: Any, results: Any) -> None:
    spectra = await outputs.find(ApogeeCoaddedSpectrumInApStar, order_by="spectrum_pk")
    sources = await outputs.find(Source, order_by="pk")
    key = spectra[1].spectrum_pk
    for on in (spectra[1], [spectra[1]], key, [key], np.array([key]), (spectra[1],), iter([key])):
        found = await outputs.find(TheCannon, on=on, order_by="teff")
        assert temperatures(found) == [2000.0, 2500.0]
    assert temperatures(await outputs.find(TheCannon, on=sources[2:3], order_by="teff")) == [3000.0, 3500.0]
    assert await outputs.find(TheCannon, on=[]) == []
    assert await outputs.find(Source, on=spectra[3]) == sources[3:4]
    assert await outputs.find(Source, on=[sources[3].pk]) == sources[3:4]
    assert await outputs.find(ApogeeCoaddedSpectrumInApStar, on=sources[3]) == spectra[3:4]
    with pytest.raises(InvalidCondition, match="not both"):
        await outputs.find(TheCannon, on=[spectra[0], sources[0]])


async def test_a_limit_is_kept(outputs: Any, results: Any) -> None:
    assert temperatures(await outputs.find(TheCannon, order_by="-teff", limit=2)) == [5000.0, 4500.0]
    assert await outputs.find(TheCannon, limit=0) == []


async def test_a_result_whose_spectrum_is_of_another_kind_or_has_no_source_comes_once(
    outputs: Any, connection: asyncpg.Connection, results: Any
) -> None:
    await connection.execute("insert into astra.spectrum (pk) values (1000)")
    lone = TheCannon(spectrum_pk=1000, v_astra="0.8.1", teff=9000.0)
    await outputs.save(lone)
    (found,) = await outputs.find(TheCannon, "teff = 9000", spectrum=True, source=True)
    assert (found.spectrum, found.source) == (None, None)
    assert await outputs.find(TheCannon, "source.pk is null and spectrum.pk is null") == [found]
    assert len(await outputs.find(TheCannon, spectrum=True, source=True)) == 10


# What comes.


async def test_the_spectrum_and_the_source_come_along_where_they_are_wanted(
    outputs: Any, results: Any
) -> None:
    (result,) = await outputs.find(
        TheCannon, "teff = 2500 and source.sdss_id > 0", spectrum=True, source=True
    )
    assert result.spectrum == await outputs.get_by_id(ApogeeCoaddedSpectrumInApStar, result.spectrum.pk)
    assert result.source == await outputs.get_by_id(Source, result.source_pk)
    assert result.spectrum.spectrum_pk == result.spectrum_pk
    assert result.spectrum.source is result.source, "the source of a result is that of its spectrum"
    (spectrum,) = await outputs.find(ApogeeCoaddedSpectrumInApStar, "source.sdss_id = 2", source=True)
    assert spectrum.source.sdss_id == 2


@pytest.mark.parametrize(
    "record_class",
    [entry for entry in record_classes(()) if issubclass(entry, PipelineOutputMixin)],
    ids=lambda entry: entry.table,
)
async def test_what_is_found_is_what_was_stored_in_every_column(
    outputs: Any, spectrum: Any, filled: Any, record_class: type[PipelineOutputMixin]
) -> None:
    stored = filled(record_class, spectrum, 1)
    await outputs.save(stored)
    (found,) = await outputs.find(record_class)
    by_key = await outputs.get_by_id(record_class, stored.task_pk)
    assert found == by_key
    assert found.__pydantic_fields_set__ == by_key.__pydantic_fields_set__
    assert {name: type(value) for name, value in found} == {name: type(value) for name, value in by_key}
    found.tag = "changed"
    await outputs.save(found)
    assert (await outputs.get_by_id(record_class, stored.task_pk)).tag == "changed"


async def test_nan_that_another_program_stored_is_not_measured(
    outputs: Any, connection: asyncpg.Connection, spectrum: Any
) -> None:
    boss = BossVisitSpectrum(
        release="dr19", run2d="v6", fieldid=1, mjd=1, catalogid=1, healpix=1, spec_file="x", source_pk=spectrum.source_pk,
        snr=1.0, delta_ra=[1.0, None, 2.0], delta_dec=[1.0],
    )  # fmt: skip
    await outputs.save(boss)
    await connection.execute(
        "alter table astra.boss_visit_spectrum drop constraint boss_visit_spectrum_no_nan_check"
    )
    await connection.execute("update astra.boss_visit_spectrum set snr = 'NaN', delta_ra = '{1,NaN,null}'")
    (found,) = await outputs.find(BossVisitSpectrum)
    assert (found.snr, found.delta_ra, found.delta_dec) == (None, [1.0, None, None], [1.0])


async def test_a_class_with_state_of_its_own_is_built_by_its_own_rules(
    outputs: Any, connection: asyncpg.Connection, results: Any
) -> None:
    from pydantic import PrivateAttr

    class WithState(TheCannon):
        """Results with something that is not stored."""

        table = "the_cannon"
        _seen: list[int] = PrivateAttr(default_factory=list)

    (found,) = await outputs.find(WithState, limit=1)
    assert found._seen == []


# Streams.


async def test_a_stream_yields_what_find_returns(outputs: Any, results: Any) -> None:
    found = await outputs.find(TheCannon, "teff > 0", order_by="teff", source=True)
    question = Question.of(TheCannon, "teff > 0", (), {"order_by": "teff"})
    for page in (1, 2, 9, 10, 1000):
        finding = Finding.of(TheCannon, question, spectrum=False, source=True)
        streamed = [record async for record in finding.stream(outputs.store.database, page)]
        assert streamed == found
        assert [record.source for record in streamed] == [record.source for record in found]


async def test_a_stream_shows_rows_as_they_were_when_it_began(outputs: Any, results: Any) -> None:
    question = Question.of(TheCannon, None, (), {"order_by": "teff"})
    stream = Finding.of(TheCannon, question, spectrum=False, source=False).stream(outputs.store.database, 1)
    first = await anext(stream)
    for result in results:
        result.teff = 1.0
    await outputs.save_many(results)
    assert temperatures([first] + [record async for record in stream]) == sorted(
        [1000.0, 1500.0, 2000.0, 2500.0, 3000.0, 3500.0, 4000.0, 4500.0, 5000.0]
    )


async def test_a_stream_that_is_left_gives_its_connection_back(database: str, results: Any) -> None:
    async with astra_outputs.connect(database, connections=1) as outputs:
        stream = outputs.stream(TheCannon)
        await anext(stream)
        await stream.aclose()
        async with asyncio.timeout(60):
            assert len(await outputs.find(TheCannon)) == 9


async def test_a_stream_is_refused_before_it_begins(outputs: Any) -> None:
    with pytest.raises(InvalidCondition):
        outputs.stream(TheCannon, "drop table x")


async def test_on_a_connection_of_the_callers_a_stream_is_part_of_its_transaction(
    connection: asyncpg.Connection, outputs: Any, results: Any
) -> None:
    async with astra_outputs.connect(connection=connection) as mine:
        with pytest.raises(InvalidCondition, match="needs a transaction"):
            _ = [record async for record in mine.stream(TheCannon)]
        async with connection.transaction():
            count = 0
            async for record in mine.stream(TheCannon):
                record.tag = "seen"
                await mine.save(record)
                count += 1
        assert count == 9
    assert len(await outputs.find(TheCannon, "tag = 'seen'")) == 9


async def test_a_table_that_is_not_there_is_no_fault_of_the_condition(
    connection: asyncpg.Connection, outputs: Any
) -> None:
    await connection.execute("drop table astra.snow_white cascade")
    with pytest.raises(DatabaseError) as caught:
        await outputs.find(SnowWhite, "teff > 1")
    assert not isinstance(caught.value, InvalidCondition)


# Positions.


def separation(ra: float, dec: float, other_ra: float, other_dec: float) -> float:
    """Return the angle between two positions [deg], by the formula of Vincenty."""
    a, b, c, d = map(math.radians, (ra, dec, other_ra, other_dec))
    east = math.cos(d) * math.sin(c - a)
    north = math.cos(b) * math.sin(d) - math.sin(b) * math.cos(d) * math.cos(c - a)
    along = math.sin(b) * math.sin(d) + math.cos(b) * math.cos(d) * math.cos(c - a)
    return math.degrees(math.atan2(math.hypot(east, north), along))


async def test_what_lies_within_a_radius_is_found_at_poles_and_over_ra_0(
    outputs: Any, connection: asyncpg.Connection
) -> None:
    grid = [(ra, dec) for ra in (0.0, 1e-5, 0.2, 90.0, 179.9, 180.0, 270.0, 359.8, 359.99999, 360.0)
            for dec in (-90.0, -89.9, -45.0, -0.1, 0.0, 1e-5, 60.0, 89.5, 90.0)]  # fmt: skip
    await outputs.save_many(Source(sdss_id=n, ra=ra, dec=dec) for n, (ra, dec) in enumerate(grid, start=1))
    await outputs.save(Source(sdss_id=1000))
    for ra, dec in grid:
        for radius in (0.0, 1e-4, 0.3, 40.0, 95.0, 180.0):
            found = {entry.sdss_id for entry in await outputs.find(Source, near=(ra, dec, radius))}
            certain = {
                n for n, place in enumerate(grid, start=1) if separation(ra, dec, *place) <= radius - 1e-7
            }
            possible = {
                n for n, place in enumerate(grid, start=1) if separation(ra, dec, *place) <= radius + 1e-7
            }
            assert certain <= found <= possible, (ra, dec, radius)
    assert len(await outputs.find(Source, near=(-0.1, 0.0, 0.4))) == len(
        await outputs.find(Source, near=(359.9, 0.0, 0.4))
    )


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.floats(0, 360, exclude_max=True), st.floats(-90, 90), st.floats(0, 180),
    st.floats(0, 360, exclude_max=True), st.floats(0, 1),
)  # fmt: skip
def test_the_rectangle_holds_the_circle(
    ra: float, dec: float, radius: float, angle: float, part: float
) -> None:
    """A point at any angle and at any part of the radius is in the ranges that the index is asked for."""
    r, a, d = math.radians(radius * part), math.radians(angle), math.radians(dec)
    point_dec = math.asin(
        max(-1.0, min(1.0, math.sin(d) * math.cos(r) + math.cos(d) * math.sin(r) * math.cos(a)))
    )
    east = math.atan2(
        math.sin(a) * math.sin(r) * math.cos(d), math.cos(r) - math.sin(d) * math.sin(point_dec)
    )
    point_ra = (ra + math.degrees(east)) % 360
    low, high, *ranges = within((ra, dec, radius), "source").values[:-4]
    assert low - 1e-5 <= math.degrees(point_dec) <= high + 1e-5
    if abs(math.degrees(point_dec)) < 89.99:
        assert any(ranges[n] - 1e-4 <= point_ra <= ranges[n + 1] + 1e-4 for n in range(0, len(ranges), 2)), (
            point_ra,
            ranges,
        )


async def test_results_are_found_by_the_position_of_their_source(outputs: Any, results: Any) -> None:
    sources = await outputs.find(Source, order_by="pk")
    for number, source in enumerate(sources):
        source.ra, source.dec = 10.0 + number, 0.0
    await outputs.save_many(sources)
    found = await outputs.find(TheCannon, near=(10.0, 0.0, 1.5), v_astra="0.7", order_by="teff")
    assert temperatures(found) == [1000.0, 2000.0]


async def test_a_position_is_looked_up_by_an_index(connection: asyncpg.Connection) -> None:
    await connection.execute("set enable_seqscan = off")
    text = Question.of(Source, None, (), {"near": (10.0, 20.0, 0.5)}).statement("astra", "source.pk").text
    await connection.execute(f"prepare near as {text}")
    values = within((10.0, 20.0, 0.5), "source").values
    plan = "\n".join(
        row[0] for row in await connection.fetch(f"explain execute near({', '.join(map(str, values))})")
    )
    assert "source_position_idx" in plan


@pytest.mark.usefixtures("plain_tables")
async def test_the_newest_versions_are_an_anti_join_on_the_unique_key(connection: asyncpg.Connection) -> None:
    await connection.execute(
        "set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off"
    )
    text = Question.of(TheCannon, None, (), {"newest": True}).statement("astra", "result.task_pk").text
    plan = "\n".join(row[0] for row in await connection.fetch(f"explain {text}"))
    assert "Anti Join" in plan
    assert UNIQUE_KEY.search(plan)


async def test_the_server_looks_for_nan_only_in_numbers_that_no_check_keeps_free_of_it(
    outputs: Any, connection: asyncpg.Connection
) -> None:
    found: list[str] = []
    question = Question.of(TheCannon, None, (), {})
    finding = Finding.of(TheCannon, question, spectrum=False, source=False)
    for drop in ("select 1", "alter table astra.the_cannon drop constraint the_cannon_no_nan_check"):
        await connection.execute(drop)
        async with astra_outputs.connect(connection=connection, schema="astra") as fresh:
            may_be_nan = await check_readable(fresh.store.reading, TheCannon)
            found.append(finding.text("astra", {TheCannon: may_be_nan}))
    kept, open_to_nan = found
    assert "NaN" not in kept
    assert 'result."teff"' in open_to_nan.partition("greatest(")[2]
