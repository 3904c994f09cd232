"""A spectrum has at most one result in each major.minor version, and the database itself sees to it."""

from __future__ import annotations

import asyncpg
import pytest

from astra_outputs import Outcome, TheCannon
from astra_outputs.model.version import MAXIMUM, major_minor


async def test_the_generated_version_cannot_be_written_by_hand(connection, spectrum) -> None:
    with pytest.raises(asyncpg.PostgresError) as caught:
        await connection.execute(
            "insert into astra.the_cannon (spectrum_pk, v_astra, v_astra_major_minor) values ($1, 6002, 6)",
            spectrum.spectrum_pk,
        )
    assert caught.value.sqlstate == "428C9"


async def test_a_negative_version_is_refused_by_the_database(connection, spectrum) -> None:
    with pytest.raises(asyncpg.CheckViolationError) as caught:
        await connection.execute(
            "insert into astra.the_cannon (spectrum_pk, v_astra) values ($1, -1)", spectrum.spectrum_pk
        )
    assert caught.value.constraint_name == "the_cannon_version_check"


async def test_a_second_row_of_one_version_is_refused_by_the_database(outputs, connection, spectrum) -> None:
    await outputs.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.2"))
    with pytest.raises(asyncpg.UniqueViolationError) as caught:
        await connection.execute(
            "insert into astra.the_cannon (spectrum_pk, v_astra) values ($1, 6009)", spectrum.spectrum_pk
        )
    # A partition names its own.
    assert caught.value.constraint_name.startswith("the_cannon_")
    assert "(spectrum_pk, v_astra_major_minor)" in caught.value.detail


async def test_a_rerun_of_the_same_version_replaces_the_row(outputs, connection, spectrum) -> None:
    first = await outputs.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.2", teff=5000.0))
    again = await outputs.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.2", teff=5100.0))
    assert (first.outcome, again.outcome) == (Outcome.INSERTED, Outcome.REPLACED)
    assert again.task_pk == first.task_pk
    assert again.created == first.created == first.modified
    assert again.modified > first.modified
    assert await connection.fetchval("select count(*) from astra.the_cannon") == 1


async def test_a_rerun_replaces_every_column_and_a_value_that_became_null(
    outputs, connection, spectrum, filled
) -> None:
    kept = {"task_pk", "created", "spectrum_pk", "v_astra_major_minor", "source_pk"}

    async def row() -> dict[str, object]:
        return dict(await connection.fetchrow("select * from astra.the_cannon"))

    await outputs.save(filled(TheCannon, spectrum, 1))
    before = await row()
    await outputs.save(filled(TheCannon, spectrum, 2))
    after = await row()
    assert {name for name in before if before[name] == after[name]} == kept
    await outputs.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.2"))
    emptied = await row()
    nullable = {column.name for column in TheCannon.columns() if column.nullable and column.written}
    assert {name for name in emptied if emptied[name] is None} == nullable - {"source_pk"}


async def test_a_patch_release_replaces_the_row(outputs, spectrum) -> None:
    old = await outputs.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.2"))
    new = await outputs.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.3", teff=5000.0))
    assert (new.outcome, new.task_pk) == (Outcome.REPLACED, old.task_pk)
    stored = await outputs.get_by_id(TheCannon, old.task_pk)
    assert (stored.v_astra, stored.teff) == (6003, 5000.0)


@pytest.mark.parametrize("version", ["0.7.0", "1.6.2"])
async def test_a_minor_or_major_release_adds_a_row(outputs, spectrum, version: str) -> None:
    old = await outputs.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.2", teff=5000.0))
    new = await outputs.save(TheCannon.from_spectrum(spectrum, v_astra=version, teff=5100.0))
    assert new.outcome is Outcome.INSERTED
    assert new.task_pk != old.task_pk
    assert (await outputs.get_result(TheCannon, spectrum, v_astra="0.6.2")).teff == 5000.0
    assert (await outputs.get_result(TheCannon, spectrum)).teff == 5100.0


async def test_results_of_two_pipelines_on_one_spectrum_do_not_interfere(
    outputs, spectrum, other_pipeline
) -> None:
    cannon = await outputs.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.2", teff=5000.0))
    other = await outputs.save(other_pipeline.from_spectrum(spectrum, v_astra="0.6.2", teff=4000.0))
    assert (cannon.outcome, other.outcome) == (Outcome.INSERTED, Outcome.INSERTED)
    assert (await outputs.get_result(TheCannon, spectrum)).teff == 5000.0
    assert (await outputs.get_result(other_pipeline, spectrum)).teff == 4000.0


async def test_python_and_sql_divide_every_version_alike(connection) -> None:
    edges = {0, 1, 999, 1000, 1001, 6002, 999_999, 1_000_000, MAXIMUM - 1, MAXIMUM}
    versions = sorted(edges | set(range(0, MAXIMUM, 1_999_993)))
    rows = await connection.fetch(
        "select v, v / 1000 as major_minor from unnest($1::integer[]) as v", versions
    )
    assert {row["v"]: row["major_minor"] for row in rows} == {v: major_minor(v) for v in versions}
    wrong = "select count(*) from generate_series(0, 4000000) as v where v / 1000 <> floor(v / 1000.0)"
    assert await connection.fetchval(wrong) == 0
