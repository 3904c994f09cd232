"""Saving one record, reading it back, and what each bad call gets."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import asyncpg
import numpy as np
import pytest

import astra_outputs
from astra_outputs import (
    ApogeeCoaddedSpectrumInApStar,
    BossVisitSpectrum,
    Outcome,
    Source,
    Spectrum,
    TheCannon,
)
from astra_outputs.errors import (
    CannotConnect,
    Closed,
    DatabaseError,
    InvalidRecord,
    KeyMismatch,
    SchemaMismatch,
    UnknownReference,
    WrongRecordClass,
)

NOBODY = SimpleNamespace(spectrum_pk=999_999, source_pk=None)

VISIT = {
    "release": "dr19",
    "run2d": "v6_1_3",
    "mjd": 59_000,
    "fieldid": 1,
    "catalogid": 2,
    "healpix": 3,
    "spec_file": "spec.fits",
}


def coadded(source: Source, **values: object) -> ApogeeCoaddedSpectrumInApStar:
    keys = {
        "release": "dr17",
        "apred": "dr17",
        "obj": "2M00000000+0000000",
        "telescope": "apo25m",
        "field": "f",
    }
    return ApogeeCoaddedSpectrumInApStar(source_pk=source.pk, **{**keys, **values})


# Bad input first.


async def test_no_server_is_one_clear_error() -> None:
    with pytest.raises(CannotConnect, match=r"127\.0\.0\.1:1/nowhere.*start the server"):
        async with astra_outputs.connect("postgresql://someone:hush@127.0.0.1:1/nowhere"):
            pass


async def test_a_password_never_appears_in_an_error() -> None:
    with pytest.raises(CannotConnect) as caught:
        async with astra_outputs.connect("postgresql://someone:hush@127.0.0.1:1/nowhere"):
            pass
    assert "hush" not in str(caught.value)
    assert "hush" not in repr(astra_outputs.connect("postgresql://someone:hush@127.0.0.1:1/nowhere"))


async def test_a_dsn_that_is_none_is_one_clear_error() -> None:
    with pytest.raises(CannotConnect):
        async with astra_outputs.connect("nonsense://host"):
            pass


async def test_a_missing_schema_is_refused_on_connecting_and_says_how_to_make_it(empty_database) -> None:
    with pytest.raises(SchemaMismatch, match=r"no schema astra.*install\.sql"):
        async with astra_outputs.connect(empty_database):
            pass


async def test_a_missing_column_is_refused_before_anything_is_written(outputs, connection, spectrum) -> None:
    await connection.execute("alter table astra.the_cannon drop column teff cascade")
    with pytest.raises(SchemaMismatch, match="teff"):
        await outputs.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.2"))


async def test_a_missing_table_is_refused_before_anything_is_written(outputs, connection, spectrum) -> None:
    await connection.execute("drop table astra.the_cannon cascade")
    with pytest.raises(SchemaMismatch, match="the_cannon"):
        await outputs.save_many([TheCannon.from_spectrum(spectrum, v_astra="0.6.2")])


async def test_an_unknown_spectrum_is_refused_and_nothing_is_stored(outputs, connection) -> None:
    with pytest.raises(UnknownReference, match="999999"):
        await outputs.save(TheCannon.from_spectrum(NOBODY, v_astra="0.6.2"))
    assert await connection.fetchval("select count(*) from astra.the_cannon") == 0


async def test_something_that_is_not_a_record_is_refused(outputs) -> None:
    with pytest.raises(WrongRecordClass, match="dict"):
        await outputs.save({"teff": 5000.0})


async def test_a_bare_row_of_spectrum_is_refused(outputs) -> None:
    with pytest.raises(WrongRecordClass, match="no natural key"):
        await outputs.save(Spectrum())


async def test_a_source_without_any_identifier_is_refused(outputs) -> None:
    with pytest.raises(InvalidRecord, match="sdss_id"):
        await outputs.save(Source(ra=1.0))


async def test_a_closed_repository_is_refused(database) -> None:
    outputs = astra_outputs.connect(database)
    with pytest.raises(Closed, match="async with"):
        await outputs.get_by_id(Source, 1)
    async with outputs:
        pass
    with pytest.raises(Closed):
        await outputs.get_by_id(Source, 1)


async def test_a_result_of_something_that_is_no_spectrum_is_refused(outputs) -> None:
    with pytest.raises(WrongRecordClass, match="no spectrum_pk"):
        await outputs.get_result(TheCannon, object())


# One record.


async def test_a_saved_record_carries_what_the_database_gave_it(outputs, connection, spectrum) -> None:
    result = await outputs.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.2", teff=5000.0))
    row = await connection.fetchrow("select task_pk, created, modified from astra.the_cannon")
    assert (result.task_pk, result.created, result.modified) == tuple(row)
    assert result.pk == result.task_pk


async def test_what_is_read_back_is_what_was_saved(outputs, spectrum, filled) -> None:
    result = await outputs.save(filled(TheCannon, spectrum, 1))
    assert await outputs.get_by_id(TheCannon, result.task_pk) == result
    assert await outputs.get_result(TheCannon, spectrum) == result


async def test_the_number_of_a_spectrum_may_be_numpys(outputs, spectrum) -> None:
    await outputs.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.2", teff=1.0))
    found = await outputs.get_result(TheCannon, np.int64(spectrum.spectrum_pk))
    assert found.teff == 1.0


async def test_there_is_none_where_nothing_is_stored(outputs, spectrum) -> None:
    assert await outputs.get_by_id(TheCannon, 1) is None
    assert await outputs.get_result(TheCannon, spectrum) is None
    await outputs.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.2"))
    assert await outputs.get_result(TheCannon, spectrum, v_astra="0.7.0") is None


async def test_any_object_with_both_keys_is_a_spectrum(outputs, spectrum) -> None:
    row = SimpleNamespace(spectrum_pk=spectrum.spectrum_pk, source_pk=spectrum.source_pk)
    result = await outputs.save(TheCannon.from_spectrum(row, v_astra="0.6.2"))
    assert (await outputs.get_result(TheCannon, row)).task_pk == result.task_pk


# Sources and spectra.


async def test_a_source_is_found_again_by_its_best_identifier(outputs) -> None:
    first = await outputs.save(Source(sdss_id=5, ra=1.0))
    again = await outputs.save(Source(sdss_id=5, ra=2.0))
    other = await outputs.save(Source(gaia_dr3_source_id=5))
    assert (first.outcome, again.outcome, other.outcome) == (
        Outcome.INSERTED,
        Outcome.REPLACED,
        Outcome.INSERTED,
    )
    assert again.pk == first.pk != other.pk
    assert (await outputs.get_by_id(Source, first.pk)).ra == 2.0


async def test_a_new_spectrum_gets_a_number_that_no_other_kind_has(outputs, connection) -> None:
    source = await outputs.save(Source(sdss_id=5))
    apogee = await outputs.save(coadded(source))
    boss = await outputs.save(BossVisitSpectrum(source_pk=source.pk, **VISIT))
    numbers = {apogee.spectrum_pk, boss.spectrum_pk}
    assert len(numbers) == 2
    assert {row["pk"] for row in await connection.fetch("select pk from astra.spectrum")} == numbers


async def test_a_spectrum_saved_again_keeps_its_number_and_leaves_no_orphan(outputs, connection) -> None:
    source = await outputs.save(Source(sdss_id=5))
    first = await outputs.save(coadded(source, snr=10.0))
    again = await outputs.save(coadded(source, snr=20.0))
    assert (again.outcome, again.spectrum_pk, again.pk) == (Outcome.REPLACED, first.spectrum_pk, first.pk)
    assert await connection.fetchval("select count(*) from astra.spectrum") == 1
    assert (await outputs.get_by_id(ApogeeCoaddedSpectrumInApStar, first.pk)).snr == 20.0


async def test_a_spectrum_may_bring_its_number_but_not_change_it(outputs, connection) -> None:
    source = await outputs.save(Source(sdss_id=5))
    spectrum = await outputs.save(coadded(source, spectrum_pk=4_000))
    assert spectrum.spectrum_pk == 4_000
    with pytest.raises(KeyMismatch, match=r"4001.*4000"):
        await outputs.save(coadded(source, spectrum_pk=4_001, snr=1.0))
    assert await connection.fetchval("select snr from astra.apogee_coadded_spectrum_in_ap_star") is None
    assert [row["pk"] for row in await connection.fetch("select pk from astra.spectrum")] == [4_000]


async def test_a_number_that_another_spectrum_has_is_refused(outputs, connection) -> None:
    source = await outputs.save(Source(sdss_id=5))
    await outputs.save(coadded(source, spectrum_pk=4_000))
    with pytest.raises(DatabaseError, match=r"spectrum_pk.*4000.*leave spectrum_pk out"):
        await outputs.save(coadded(source, obj="2M00000001+0000000", spectrum_pk=4_000))
    with pytest.raises(DatabaseError, match=r"spectrum_pkey.*leave spectrum_pk out"):
        await outputs.save_many([BossVisitSpectrum(source_pk=source.pk, **VISIT, spectrum_pk=4_000)])
    assert await connection.fetchval("select count(*) from astra.apogee_coadded_spectrum_in_ap_star") == 1
    assert await connection.fetchval("select count(*) from astra.boss_visit_spectrum") == 0


async def test_a_number_that_the_sequence_reaches_is_no_second_spectrum(outputs, connection) -> None:
    source = await outputs.save(Source(sdss_id=5))
    await outputs.save(coadded(source, spectrum_pk=2))
    first = await outputs.save(coadded(source, obj="2M00000001+0000000"))
    with pytest.raises(DatabaseError, match="setval"):
        await outputs.save(coadded(source, obj="2M00000002+0000000"))
    later = await outputs.save(coadded(source, obj="2M00000002+0000000"))
    assert (first.spectrum_pk, later.spectrum_pk) == (1, 3)
    numbers = await connection.fetch("select spectrum_pk from astra.apogee_coadded_spectrum_in_ap_star")
    assert sorted(row[0] for row in numbers) == [1, 2, 3]


# Guards.


async def test_a_newer_patch_stays_where_it_is_asked_to(outputs, spectrum) -> None:
    newer = await outputs.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.3", teff=1.0))
    older = await outputs.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.2", teff=2.0), keep_newer=True)
    assert (older.outcome, older.task_pk, older.modified) == (Outcome.KEPT, newer.task_pk, newer.modified)
    assert (await outputs.get_result(TheCannon, spectrum)).teff == 1.0


async def test_a_row_that_is_the_same_is_left_alone_where_it_is_asked_to(outputs, spectrum) -> None:
    first = await outputs.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.2", teff=1.5, t_elapsed=1.0))
    same = TheCannon.from_spectrum(spectrum, v_astra="0.6.2", teff=1.5, t_elapsed=9.0)
    await outputs.save(same, skip_unchanged=True)
    assert (same.outcome, same.modified) == (Outcome.UNCHANGED, first.modified)
    other = TheCannon.from_spectrum(spectrum, v_astra="0.6.2", teff=None)
    await outputs.save(other, skip_unchanged=True)
    assert other.outcome is Outcome.REPLACED


# A caller's own connection.


async def test_a_callers_transaction_is_joined_and_stays_the_callers_to_end(
    connection, outputs, spectrum
) -> None:
    async with astra_outputs.connect(connection=connection) as mine:
        transaction = connection.transaction()
        await transaction.start()
        await mine.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.2"))
        await mine.save_many([TheCannon.from_spectrum(spectrum, v_astra="0.7.0")])
        assert await outputs.get_result(TheCannon, spectrum) is None
        await transaction.rollback()
    assert await outputs.get_result(TheCannon, spectrum) is None
    assert not connection.is_closed()


async def test_a_failure_inside_a_callers_transaction_is_raised_at_once(connection, spectrum) -> None:
    async with astra_outputs.connect(connection=connection) as mine:
        with pytest.raises(UnknownReference):
            async with connection.transaction():
                await mine.save(TheCannon.from_spectrum(NOBODY, v_astra="0.6.2"))
        with pytest.raises(asyncpg.PostgresError):
            async with connection.transaction():
                await connection.execute("select 1 / 0")


async def test_a_refused_record_leaves_a_callers_transaction_as_it_was(connection, spectrum) -> None:
    async with astra_outputs.connect(connection=connection) as mine, connection.transaction():
        await mine.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.2"))
        with pytest.raises(UnknownReference):
            await mine.save(TheCannon.from_spectrum(NOBODY, v_astra="0.6.2"))
    assert await connection.fetchval("select count(*) from astra.the_cannon") == 1


async def test_calls_at_the_same_time_take_turns_on_a_callers_connection(connection, spectra) -> None:
    stored = await spectra(20)
    async with astra_outputs.connect(connection=connection) as mine:
        saves = [mine.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.2")) for spectrum in stored[:10]]
        many = [TheCannon.from_spectrum(spectrum, v_astra="0.6.2") for spectrum in stored[10:]]
        await asyncio.gather(*saves, mine.save_many(many, batch_size=2, atomic=True))
    assert await connection.fetchval("select count(*) from astra.the_cannon") == 20


async def test_records_of_an_atomic_call_may_be_read_on_the_same_callers_connection(
    connection, spectra
) -> None:
    stored = await spectra(5)
    async with astra_outputs.connect(connection=connection) as mine:

        async def made():
            for spectrum in stored:
                read = await mine.get_by_id(ApogeeCoaddedSpectrumInApStar, spectrum.pk)
                yield TheCannon.from_spectrum(read, v_astra="0.6.2")

        report = await mine.save_many(made(), batch_size=2, atomic=True)
    assert report.counts == {Outcome.INSERTED: 5}


async def test_two_schemas_on_one_server_are_kept_apart(database, connection, spectrum) -> None:
    from astra_outputs.postgres import sql_files

    await sql_files.apply(connection, "astra_081")
    async with astra_outputs.connect(database, schema="astra_081") as other:
        assert await other.get_by_id(ApogeeCoaddedSpectrumInApStar, spectrum.pk) is None
        await other.save(Source(sdss_id=1))
    assert await connection.fetchval("select count(*) from astra_081.source") == 1
