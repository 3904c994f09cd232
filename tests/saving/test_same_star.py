"""A star that is stored under another identifier is the same star: for one record, for many, in any transaction."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

import astra_outputs
from astra_outputs import Outcome, Source
from astra_outputs.errors import DatabaseError, InvalidRecord


async def rows(connection: asyncpg.Connection) -> list[tuple[Any, ...]]:
    query = "select sdss_id, gaia_dr3_source_id, sdss4_apogee_id, ra from astra.source order by pk"
    return [tuple(row) for row in await connection.fetch(query)]


async def test_a_stored_star_gets_the_new_identifier(outputs, connection) -> None:
    first = await outputs.save(Source(gaia_dr3_source_id=777, ra=1.0))
    same = await outputs.save(Source(sdss_id=900, gaia_dr3_source_id=777, ra=2.0))
    assert (same.pk, same.outcome) == (first.pk, Outcome.REPLACED)
    assert await rows(connection) == [(900, 777, None, 2.0)]


async def test_an_identifier_stays_where_a_record_does_not_say_it(outputs, connection) -> None:
    await outputs.save(Source(sdss_id=900, gaia_dr3_source_id=777, sdss4_apogee_id="2M9", ra=1.0))
    await outputs.save(Source(gaia_dr3_source_id=777, ra=2.0))
    await outputs.save_many([Source(sdss4_apogee_id="2M9", ra=3.0)])
    assert await rows(connection) == [(900, 777, "2M9", 3.0)]
    again = await outputs.save(Source(gaia_dr3_source_id=777, ra=3.0), skip_unchanged=True)
    assert again.outcome is Outcome.UNCHANGED


async def test_two_stored_sources_that_claim_a_record_are_named(outputs, connection) -> None:
    first = await outputs.save(Source(sdss_id=900))
    second = await outputs.save(Source(gaia_dr3_source_id=777))
    both = Source(sdss_id=900, gaia_dr3_source_id=777)
    for save in (outputs.save, lambda record: outputs.save_many([record])):
        with pytest.raises(InvalidRecord) as caught:
            await save(both)
        assert f"belongs to source {second.pk} (gaia_dr3_source_id 777)" in str(caught.value)
        assert f"source {first.pk} (sdss_id 900)" in str(caught.value)
        assert "leave out the identifier that is wrong" in str(caught.value)
    assert await rows(connection) == [(900, None, None, None), (None, 777, None, None)]


async def test_a_better_identifier_that_differs_is_named(outputs, connection) -> None:
    await outputs.save(Source(sdss_id=900, gaia_dr3_source_id=777))
    with pytest.raises(InvalidRecord, match="whose sdss_id is not 901: correct the one that is wrong"):
        await outputs.save(Source(sdss_id=901, gaia_dr3_source_id=777))
    assert await rows(connection) == [(900, 777, None, None)]


@pytest.mark.parametrize("count", [3, 2_500])
@pytest.mark.parametrize("options", [{}, {"atomic": True}, {"on_error": "collect"}, {"skip_unchanged": True}])
async def test_many_stars_get_new_identifiers_at_once(outputs, connection, count, options) -> None:
    await outputs.save_many(Source(gaia_dr3_source_id=number) for number in range(1, count + 1))
    cross_match = [Source(sdss_id=10_000 + n, gaia_dr3_source_id=n) for n in range(1, count + 3)]
    report = await outputs.save_many(cross_match, **options)
    assert report.count(Outcome.INSERTED) == 2
    assert report.rejected == []
    query = "select count(*), count(*) filter (where sdss_id = gaia_dr3_source_id + 10000) from astra.source"
    assert tuple(await connection.fetchrow(query)) == (count + 2, count + 2)


async def test_among_many_the_one_in_dispute_is_rejected_and_named(outputs, connection) -> None:
    await outputs.save_many([Source(sdss_id=1, gaia_dr3_source_id=11), Source(gaia_dr3_source_id=12)])
    report = await outputs.save_many(
        [
            Source(sdss_id=2, gaia_dr3_source_id=12),
            Source(sdss_id=3, gaia_dr3_source_id=11),
            Source(sdss_id=4),
        ],
        on_error="collect",
    )
    (rejected,) = report.rejected
    assert rejected.position == 1
    assert "whose sdss_id is not 3" in rejected.reason
    assert sorted(row[:2] for row in await rows(connection)) == [(1, 11), (2, 12), (4, None)]


async def test_two_records_of_one_call_that_claim_one_identifier_are_named(outputs, connection) -> None:
    with pytest.raises(
        InvalidRecord, match=r"another source of this call \(sdss_id 1, gaia_dr3_source_id 11\)"
    ):
        await outputs.save_many(
            [Source(sdss_id=1, gaia_dr3_source_id=11), Source(sdss_id=2, gaia_dr3_source_id=11)]
        )
    assert await rows(connection) == []


async def test_a_star_is_recognised_inside_a_transaction_of_the_caller(outputs, connection) -> None:
    await outputs.save(Source(gaia_dr3_source_id=777))
    async with (
        connection.transaction(),
        astra_outputs.connect(connection=connection, schema="astra") as inside,
    ):
        await inside.save(Source(sdss_id=900, gaia_dr3_source_id=777))
        await inside.save_many([Source(sdss4_apogee_id="2M7", sdss_id=900)])
    assert await rows(connection) == [(900, 777, "2M7", None)]


async def test_another_key_that_is_taken_stays_an_error_of_the_database(outputs, connection) -> None:
    await connection.execute("create unique index on astra.source (catalogid)")
    await outputs.save(Source(sdss_id=1, catalogid=5))
    with pytest.raises(DatabaseError, match="catalogid"):
        await outputs.save(Source(sdss_id=2, catalogid=5))


async def test_a_star_that_is_recognised_keeps_what_only_given_columns_leave(outputs, connection) -> None:
    await outputs.save(Source(gaia_dr3_source_id=777, ra=1.0))
    same = await outputs.save(Source(sdss_id=900, gaia_dr3_source_id=777), only_given=True)
    await outputs.save_many(
        [Source(sdss_id=900, sdss4_apogee_id="2M9"), Source(sdss_id=901)], only_given=True
    )
    assert same.outcome is Outcome.REPLACED
    assert await rows(connection) == [(900, 777, "2M9", 1.0), (901, None, None, None)]


@pytest.mark.parametrize("others", [0, 200])
@pytest.mark.parametrize("on_error", ["raise", "collect"])
async def test_of_rows_that_are_one_star_by_different_identifiers_the_last_is_kept(
    outputs, connection, others, on_error
) -> None:
    stars = [
        Source(gaia_dr3_source_id=7, ra=1.0),
        Source(sdss_id=1, gaia_dr3_source_id=7, ra=2.0),
        Source(sdss4_apogee_id="2M8", ra=3.0),
        Source(sdss_id=2, sdss4_apogee_id="2M8", ra=4.0),
        Source(gaia_dr3_source_id=7, ra=5.0),
        Source(sdss_id=1, gaia_dr3_source_id=7, ra=6.0),
    ]
    more = [Source(sdss_id=1000 + number) for number in range(others)]
    report = await outputs.save_many([*more, *stars], duplicates="last", on_error=on_error)
    kept, inserted = Outcome.KEPT, Outcome.INSERTED
    assert report[-len(stars) :] == [kept, kept, kept, inserted, kept, inserted]
    assert [row for row in await rows(connection) if row[3]] == [(1, 7, None, 6.0), (2, None, "2M8", 4.0)]
    found = [(await outputs.get_by_id(Source, star.pk)).ra for star in stars]
    assert found == [6.0, 6.0, 4.0, 4.0, 6.0, 6.0]
