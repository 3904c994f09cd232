"""A result belongs to its spectrum and to that spectrum's source: another is refused, a missing one filled in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pytest

import astra_outputs
from astra_outputs import (
    ApogeeCoaddedSpectrumInApStar,
    BossVisitSpectrum,
    Outcome,
    Outputs,
    Source,
    TheCannon,
)
from astra_outputs.errors import InvalidRecord, KeyMismatch
from astra_outputs.postgres import sql_files
from astra_outputs.spool.folder import Spool

SIZES = [1, 5, 600]
"""One row, an array of rows, COPY and merge."""


def results(spectra: Sequence[Any], *, v_astra: int = 8001, **values: Any) -> list[TheCannon]:
    """Results that say nothing of their source unless told to."""
    return [TheCannon(spectrum_pk=one.spectrum_pk, v_astra=v_astra, **values) for one in spectra]


async def stored_sources(connection: asyncpg.Connection) -> list[int | None]:
    return [
        row[0]
        for row in await connection.fetch("select source_pk from astra.the_cannon order by spectrum_pk")
    ]


async def stored(connection: asyncpg.Connection, where: str = "true") -> int:
    return await connection.fetchval(f"select count(*) from astra.the_cannon where {where}")


# Refused.


async def test_a_result_of_another_source_is_refused_in_words(
    outputs: Outputs, spectra: Callable, connection: asyncpg.Connection
) -> None:
    one, other = await spectra(2)
    wrong = TheCannon(spectrum_pk=one.spectrum_pk, source_pk=other.source_pk, v_astra=8001)
    with pytest.raises(KeyMismatch) as caught:
        await outputs.save(wrong)
    assert str(caught.value) == (
        f"the_cannon.source_pk = {other.source_pk}: "
        f"spectrum {one.spectrum_pk} is of source {one.source_pk}; leave source_pk out"
    )
    assert await stored(connection) == 0


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("stored_already", [False, True])
@pytest.mark.parametrize("options", [{}, {"atomic": True}, {"only_given": True}, {"skip_unchanged": True}])
async def test_a_batch_with_a_result_of_another_source_is_refused_as_a_whole(
    outputs: Outputs,
    spectra: Callable,
    connection: asyncpg.Connection,
    size: int,
    stored_already: bool,
    options: dict[str, Any],
) -> None:
    kept = await spectra(size)
    if stored_already:
        await outputs.save_many(results(kept, teff=1.0))
    batch = results(kept, teff=2.0)
    batch[-1] = TheCannon(spectrum_pk=kept[-1].spectrum_pk, source_pk=999, v_astra=8001, teff=2.0)
    with pytest.raises(KeyMismatch, match=f"source_pk = 999: spectrum {kept[-1].spectrum_pk} is of source"):
        await outputs.save_many(batch, **options)
    assert await stored(connection, "teff = 2") == 0


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("stored_already", [False, True])
async def test_the_others_are_stored_where_bad_rows_are_listed(
    outputs: Outputs, spectra: Callable, connection: asyncpg.Connection, size: int, stored_already: bool
) -> None:
    kept = await spectra(size + 2)
    if stored_already:
        await outputs.save_many(results(kept))
    batch = results(kept, teff=2.0)
    for index, source in ((0, kept[1].source_pk), (size, 10**12)):
        batch[index] = TheCannon(
            spectrum_pk=kept[index].spectrum_pk, source_pk=source, v_astra=8001, teff=2.0
        )
    report = await outputs.save_many(batch, on_error="collect")
    assert [(one.position, one.key["spectrum_pk"]) for one in report.rejected] == [
        (0, kept[0].spectrum_pk),
        (size, kept[size].spectrum_pk),
    ]
    assert all("is of source" in one.reason for one in report.rejected)
    assert await stored(connection, "teff = 2") == size


@pytest.mark.parametrize("on_error", ["raise", "collect"])
async def test_a_table_with_another_source_is_refused(
    outputs: Outputs, spectra: Callable, connection: asyncpg.Connection, on_error: str
) -> None:
    kept = await spectra(4)
    table = {
        "spectrum_pk": [one.spectrum_pk for one in kept],
        "source_pk": [kept[0].source_pk, None, kept[0].source_pk, kept[3].source_pk],
        "teff": np.full(4, 2.0),
    }
    if on_error == "raise":
        with pytest.raises(KeyMismatch, match=r"source_pk = .*leave source_pk out"):
            await outputs.save_table(TheCannon, table, v_astra="0.8.1")
        assert await stored(connection) == 0
    else:
        report = await outputs.save_table(TheCannon, table, v_astra="0.8.1", on_error="collect")
        assert [one.position for one in report.rejected] == [2]
        assert await stored(connection) == 3


async def test_inside_a_transaction_the_refused_result_ends_nothing_else(
    connection: asyncpg.Connection, spectra: Callable
) -> None:
    one, other = await spectra(2)
    async with astra_outputs.connect(connection=connection, schema="astra") as mine, connection.transaction():
        await mine.save(*results([one]))
        wrong = [TheCannon(spectrum_pk=one.spectrum_pk, source_pk=other.source_pk, v_astra=8001, teff=2.0)]
        for refused in (
            mine.save(wrong[0]),
            mine.save_many(wrong),
            mine.save_many(wrong + results([other])),
        ):
            with pytest.raises(KeyMismatch):
                await refused
    assert await stored_sources(connection) == [one.source_pk]


async def test_a_run_and_a_replay_refuse_the_result_and_store_the_others(
    outputs: Outputs, spectra: Callable, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    one, other = await spectra(2)

    def pipeline(some: Any) -> Any:
        for spectrum in some:
            yield TheCannon(spectrum_pk=spectrum.spectrum_pk, source_pk=other.source_pk, v_astra=8001)

    report = await outputs.run(pipeline, [one, other], v_astra="0.8.1", spool=tmp_path / "run")
    assert "leave source_pk out" in str(report)
    assert await stored_sources(connection) == [other.source_pk]
    spool = Spool(tmp_path / "spool")
    wrong = TheCannon(spectrum_pk=one.spectrum_pk, source_pk=other.source_pk, v_astra=8001)
    spool.write([wrong, *results([one], v_astra=9001)], datetime.now(UTC))
    replayed = await outputs.replay(spool.folder)
    assert "leave source_pk out" in str(replayed)
    assert await stored_sources(connection) == [one.source_pk, other.source_pk]


async def test_sources_that_are_not_stored_are_named_by_what_is_wrong_with_them(
    outputs: Outputs, spectra: Callable
) -> None:
    (one,) = await spectra(1)
    both = [
        TheCannon(spectrum_pk=one.spectrum_pk, source_pk=777, v_astra=8001),
        TheCannon(spectrum_pk=555, source_pk=one.source_pk, v_astra=8001),
    ]
    report = await outputs.save_many(both, on_error="collect")
    reasons = [rejected.reason for rejected in report.rejected]
    assert "is of source" in reasons[0]
    assert "spectrum_pk = 555 is not in spectrum" in reasons[1]


# Filled in.


@pytest.mark.parametrize("size", SIZES)
async def test_a_missing_source_is_that_of_the_spectrum(
    outputs: Outputs, spectra: Callable, connection: asyncpg.Connection, size: int
) -> None:
    kept = await spectra(size)
    sources = [one.source_pk for one in kept]
    for outcome in (Outcome.INSERTED, Outcome.REPLACED):
        batch = results(kept)
        if size == 1:
            await outputs.save(batch[0])
        else:
            await outputs.save_many(reversed(batch))
        assert [(one.source_pk, one.outcome) for one in batch] == [(source, outcome) for source in sources]
        assert await stored_sources(connection) == sources
    for options in ({"skip_unchanged": True}, {"keep_newer": True}):  # what is kept says its source as well
        batch = results(kept, v_astra=8000 if "keep_newer" in options else 8001)
        await outputs.save_many(batch, **options)
        assert [one.source_pk for one in batch] == sources


@pytest.mark.parametrize("only_given", [False, True])
async def test_a_table_without_sources_gets_them(
    outputs: Outputs, spectra: Callable, connection: asyncpg.Connection, only_given: bool
) -> None:
    kept = await spectra(4)
    # As they were stored before the database knew.
    await connection.executemany(
        "insert into astra.the_cannon (spectrum_pk, v_astra) values ($1, 8001)",
        [(one.spectrum_pk,) for one in kept[:2]],
    )
    sources = [one.source_pk for one in kept]
    table = {"spectrum_pk": [one.spectrum_pk for one in kept], "teff": np.arange(4.0)}
    report = await outputs.save_table(TheCannon, table, v_astra="0.8.1", only_given=only_given)
    assert await stored_sources(connection) == report.source_pk.tolist() == sources
    # Of rows that are kept, or that give way, it is told as well; of one that is refused it is not.
    keys = np.array([*table["spectrum_pk"], 2**40, table["spectrum_pk"][0]])
    twice = {"spectrum_pk": keys, "teff": np.arange(6.0)}
    options = {"on_error": "collect", "duplicates": "last", "keep_newer": True}
    report = await outputs.save_table(TheCannon, twice, v_astra="0.8.0", **options)
    assert report.source_pk.tolist() == [*sources, 0, sources[0]]


async def test_where_nobody_knows_whose_spectra_are_the_tables_own_sources_are_told(
    outputs: Outputs, spectra: Callable, connection: asyncpg.Connection, plain_tables: None
) -> None:
    kept = await spectra(2)
    await connection.execute("alter table astra.spectrum rename source_pk to of_others")
    table = {"spectrum_pk": [one.spectrum_pk for one in kept], "source_pk": [kept[1].source_pk, None]}
    report = await outputs.save_table(TheCannon, table, v_astra="0.8.1")
    assert report.source_pk.tolist() == [kept[1].source_pk, 0]


async def test_a_spectrum_that_moves_to_another_source_takes_its_next_results_along(
    outputs: Outputs, spectra: Callable, connection: asyncpg.Connection
) -> None:
    one, other = await spectra(2)
    await outputs.save_many(results([one]))
    moved = {
        name: value
        for name, value in one.model_dump().items()
        if name in {"release", "apred", "obj", "telescope", "field"}
    }
    for save in (outputs.save, lambda record: outputs.save_many([record])):
        for source in (other.source_pk, one.source_pk):
            await save(ApogeeCoaddedSpectrumInApStar(source_pk=source, **moved))
            stale = TheCannon(
                spectrum_pk=one.spectrum_pk,
                source_pk=one.source_pk + other.source_pk - source,
                v_astra=8001,
            )
            with pytest.raises(KeyMismatch, match=f"is of source {source}"):
                await outputs.save_many([stale])
            await outputs.save_many(results([one]))
            assert await stored_sources(connection) == [source]


# Not known.


async def test_of_a_spectrum_that_another_program_stored_with_a_key_alone_nothing_is_known(
    outputs: Outputs, spectra: Callable, connection: asyncpg.Connection
) -> None:
    (known,) = await spectra(1)
    number = await connection.fetchval("insert into astra.spectrum default values returning pk")
    one = await outputs.save(TheCannon(spectrum_pk=number, v_astra=8001))
    assert one.source_pk is None
    await outputs.save(TheCannon(spectrum_pk=number, source_pk=known.source_pk, v_astra=8001))
    again = TheCannon(spectrum_pk=number, v_astra=8001)
    for save in (outputs.save, lambda record: outputs.save_many([record])):
        await save(again)
        assert again.source_pk == known.source_pk  # what is known of a result stays


async def test_an_add_on_learns_the_sources_of_spectra_that_other_programs_stored(
    outputs: Outputs, connection: asyncpg.Connection
) -> None:
    source = await outputs.save(Source(sdss_id=1))
    number = await connection.fetchval("insert into astra.spectrum default values returning pk")
    await connection.execute(
        "insert into astra.boss_visit_spectrum (spectrum_pk, source_pk, release, run2d, fieldid, mjd, catalogid, healpix, spec_file) "
        f"values ({number}, {source.pk}, 'sdss5', 'v6', 1, 2, 3, 4, 'f')"
    )
    for _ in range(2):
        await sql_files.apply(
            connection, "astra", files=[sql_files.schema_dir() / "upgrades/parts/sources_of_spectra.sql"]
        )
    with pytest.raises(KeyMismatch):
        await outputs.save(TheCannon(spectrum_pk=number, source_pk=source.pk + 1, v_astra=8001))
    assert (await outputs.save(TheCannon(spectrum_pk=number, v_astra=8001))).source_pk == source.pk
    assert BossVisitSpectrum.table == "boss_visit_spectrum"


async def test_a_trigger_that_reads_a_number_in_words_is_not_taken_for_a_source(
    outputs: Outputs, spectra: Callable, connection: asyncpg.Connection
) -> None:
    await connection.execute(
        "create function astra.odd() returns trigger language plpgsql as $$ begin "
        "if new.teff = 3 then perform 'three'::integer; end if; return new; end $$; "
        "create trigger odd before insert on astra.the_cannon for each row execute function astra.odd()"
    )
    kept = await spectra(4)
    batch = [one for number, spectrum in enumerate(kept) for one in results([spectrum], teff=float(number))]
    report = await outputs.save_many(batch, on_error="collect")
    assert [(one.position, "three" in one.reason) for one in report.rejected] == [(3, True)]
    with pytest.raises(Exception, match="three") as caught:
        await outputs.save(batch[3])
    assert not isinstance(caught.value, InvalidRecord)
