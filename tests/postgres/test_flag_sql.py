"""Flags by name, in SQL: the definitions, the functions on them, and the views on results."""

from __future__ import annotations

from itertools import combinations
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from astra_outputs import (
    ASPCAP,
    SnowWhite,
    TheCannon,
)
from astra_outputs.discover import record_classes
from astra_outputs.postgres import sql_files
from astra_outputs.records import APOGEE_BAD, ASPCAP_BAD, ApogeeSpectrumFlags, AspcapFlags

FLAG_CLASSES = [cls for cls in record_classes() if cls.flag_names.bits]


@pytest.fixture
async def sql(connection: asyncpg.Connection) -> asyncpg.Connection:
    """A connection that finds the tables without naming their schema."""
    await connection.execute("set search_path to astra")
    return connection


# Definitions


async def test_the_definitions_equal_those_of_the_record_classes(sql: asyncpg.Connection) -> None:
    stored = await sql.fetch("select table_name, column_name, bit, name, meaning from flag_definition")
    expected = [
        (record_class.table, column, bit.bit, bit.name, bit.meaning)
        for record_class in FLAG_CLASSES
        for column, bits in record_class.flag_names.bits.items()
        for bit in bits
    ]
    assert sorted(map(tuple, stored)) == sorted(expected)


async def test_a_published_flag_cannot_move_to_another_bit(sql: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="is bit 25 for good"):
        await sql.execute("update flag_definition set bit = 30 where name = 'high_rchi2'")


async def test_a_published_flag_cannot_be_removed(sql: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="is bit 25 for good"):
        await sql.execute("delete from flag_definition where name = 'high_rchi2'")


async def test_a_bit_outside_0_to_62_cannot_be_defined(sql: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.CheckViolationError) as caught:
        await sql.execute("insert into flag_definition values ('mine', 'result_flags', 63, 'far', 'Too far')")
    assert caught.value.constraint_name == "flag_definition_bit_check"


async def test_installing_again_restores_a_meaning(sql: asyncpg.Connection) -> None:
    await sql.execute("update flag_definition set meaning = 'Something else' where name = 'high_rchi2'")
    await sql_files.apply(sql, "astra")
    meaning = await sql.fetchval("select meaning from astra.flag_definition where name = 'high_rchi2'")
    assert meaning == "Very poor fit: rchi2 is above 1000"


@pytest.mark.usefixtures("plain_tables")
async def test_installing_again_keeps_the_flags_of_other_pipelines(sql: asyncpg.Connection) -> None:
    await sql.execute("insert into flag_definition values ('mine', 'result_flags', 3, 'odd', 'Looks odd')")
    await sql_files.apply(sql, "astra")
    assert await sql.fetchval("select astra.has_flag('mine', 'result_flags', 8, 'odd')")


# has_flag


@pytest.mark.parametrize(("value", "expected"), [(1 << 25, True), (1 << 24, False), (0, False), (None, None)])
async def test_a_flag_is_tested_by_name(
    sql: asyncpg.Connection, value: int | None, expected: bool | None
) -> None:
    query = "select has_flag('aspcap', 'result_flags', $1, 'high_rchi2')"
    assert await sql.fetchval(query, value) is expected


async def test_either_name_of_a_bit_will_do(sql: asyncpg.Connection) -> None:
    row = await sql.fetchrow(
        "select has_flag('aspcap', 'initial_flags', 2, 'initial_guess_from_doppler'), "
        "has_flag('aspcap', 'initial_flags', 2, 'initial_guess_from_doppler_sdss4')"
    )
    assert tuple(row) == (True, True)


async def test_a_name_of_two_columns_means_the_column_given(sql: asyncpg.Connection) -> None:
    row = await sql.fetchrow(
        "select flag_mask('source', 'sdss4_apogee_target2_flags', 'sdss4_apogee_telluric'), "
        "flag_mask('source', 'sdss4_apogee_extra_target_flags', 'sdss4_apogee_telluric')"
    )
    assert tuple(row) == (1 << 9, 1 << 2)


async def test_an_unknown_flag_is_refused_and_the_known_ones_are_listed(sql: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.InvalidParameterValueError) as caught:
        await sql.fetchval("select has_flag('snow_white', 'result_flags', 1, 'high_rchi2')")
    assert caught.value.args[0] == 'snow_white.result_flags has no flag "high_rchi2"'
    assert (
        caught.value.hint == "It has low_snr, unconverged, teff_grid_edge_bad, logg_grid_edge_bad, no_flux."
    )


async def test_an_unknown_flag_is_refused_even_if_the_table_is_empty(sql: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.InvalidParameterValueError, match="has no flag"):
        await sql.fetch(
            "select from snow_white where has_flag('snow_white', 'result_flags', result_flags, 'lowsnr')"
        )


async def test_an_unknown_column_is_refused(sql: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.InvalidParameterValueError, match=r'snow_white\.teff has no flag "low_snr"'):
        await sql.fetchval("select has_flag('snow_white', 'teff', 1, 'low_snr')")


async def test_flags_are_found_whatever_the_search_path_is(connection: asyncpg.Connection) -> None:
    await connection.execute("set search_path to pg_catalog")
    row = await connection.fetchrow(
        "select astra.has_flag('aspcap', 'result_flags', 1, 'ferre_fail'), "
        "astra.flag_names('aspcap', 'result_flags', 1)"
    )
    assert tuple(row) == (True, ["ferre_fail"])


async def test_testing_a_flag_costs_a_comparison_with_a_number(sql: asyncpg.Connection) -> None:
    plan = await sql.fetch(
        "explain select from aspcap where has_flag('aspcap', 'result_flags', result_flags, 'high_rchi2')"
    )
    assert any("Filter: ((result_flags & '33554432'::bigint) <> 0)" in line[0] for line in plan)


@pytest.mark.usefixtures("plain_tables")
async def test_an_index_can_be_made_of_a_flag(sql: asyncpg.Connection) -> None:
    condition = "has_flag('aspcap', 'result_flags', result_flags, 'high_rchi2')"
    await sql.execute(f"create index mine on aspcap (teff) where {condition}")
    await sql.execute("set enable_seqscan to off")
    plan = await sql.fetch(f"explain select teff from aspcap where {condition}")
    assert any(" mine " in line[0] + " " for line in plan)


# flag_names


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("result_flags", 0, []),
        ("result_flags", None, None),
        ("result_flags", 1 | 1 << 25, ["ferre_fail", "high_rchi2"]),
        ("result_flags", 1 << 26 | 1 << 40 | 1 << 62, ["low_snr", "bit_40", "bit_62"]),
        ("initial_flags", 2, ["initial_guess_from_doppler/initial_guess_from_doppler_sdss4"]),
        ("unheard_of", 5, ["bit_0", "bit_2"]),
    ],
)
async def test_a_value_is_told_by_the_names_of_its_bits(
    sql: asyncpg.Connection, column: str, value: int | None, expected: list[str] | None
) -> None:
    assert await sql.fetchval("select flag_names('aspcap', $1, $2)", column, value) == expected


@pytest.mark.parametrize("value", [0, 1, 2**28 - 1, 2**62 + 2**30 + 5])
async def test_sql_and_python_give_the_same_names(sql: asyncpg.Connection, value: int) -> None:
    stored = await sql.fetchval("select flag_names('aspcap', 'result_flags', $1)", value)
    assert stored == AspcapFlags.names(value)


# Views


async def test_results_of_aspcap_are_bad_by_the_same_flags_in_sql(
    sql: asyncpg.Connection, outputs: Any, spectra: Any
) -> None:
    bits = AspcapFlags.bits()
    results = [
        ASPCAP.from_spectrum(spectrum, v_astra="0.8.1", result_flags=bit.mask)
        for spectrum, bit in zip(await spectra(len(bits)), bits, strict=True)
    ]
    await outputs.save_many(results)
    rows = await sql.fetch("select result_flags, flag_warn, flag_bad from aspcap_quality")
    assert {row["result_flags"]: row["flag_bad"] for row in rows} == {
        bit.mask: bool(bit.mask & ASPCAP_BAD) for bit in bits
    }
    assert all(row["flag_warn"] for row in rows)


async def test_a_result_without_flags_is_neither_bad_nor_a_warning(
    sql: asyncpg.Connection, outputs: Any, spectrum: Any
) -> None:
    await outputs.save(ASPCAP.from_spectrum(spectrum, v_astra="0.8.1", result_flags=0, teff=5000.0))
    row = await sql.fetchrow("select flag_warn, flag_bad, teff from aspcap_quality")
    assert tuple(row) == (False, False, 5000.0)


@pytest.mark.parametrize("record_class", [SnowWhite, TheCannon])
async def test_any_quality_flag_is_a_warning_in_sql(
    sql: asyncpg.Connection, outputs: Any, spectrum: Any, record_class: Any
) -> None:
    for version, flags in (("0.6.0", 0), ("0.7.0", 1)):
        await outputs.save(record_class.from_spectrum(spectrum, v_astra=version, result_flags=flags))
    rows = await sql.fetch(f"select v_astra, flag_warn from {record_class.table}_quality order by v_astra")
    assert list(map(tuple, rows)) == [(6000, False), (7000, True)]


async def test_apogee_spectra_are_bad_by_the_same_flags_in_sql(
    sql: asyncpg.Connection, outputs: Any, spectra: Any
) -> None:
    bits = ApogeeSpectrumFlags.bits()
    stored = await spectra(len(bits))
    for spectrum, bit in zip(stored, bits, strict=True):
        spectrum.spectrum_flags = bit.mask
    await outputs.save_many(stored)
    rows = await sql.fetch("select spectrum_flags, flag_bad from apogee_coadded_spectrum_in_ap_star_quality")
    assert {row["spectrum_flags"]: row["flag_bad"] for row in rows} == {
        bit.mask: bool(bit.mask & APOGEE_BAD) for bit in bits
    }


WITH_VIEW = [cls for cls in record_classes() if hasattr(cls, "flag_warn") or hasattr(cls, "flag_bad")]


@pytest.mark.parametrize("record_class", WITH_VIEW, ids=lambda cls: cls.table)
async def test_a_view_summarises_flags_as_the_record_does(sql: asyncpg.Connection, record_class: Any) -> None:
    column = "spectrum_flags" if "spectrum_flags" in record_class.model_fields else "result_flags"
    masks = [1 << bit for bit in range(33)]  # with bits that have no name
    values = [0, *masks, *map(sum, combinations(masks[:5], 2)), *map(sum, combinations(masks[:5], 3)), 31]
    names = [name for name in ("flag_warn", "flag_bad") if hasattr(record_class, name)]
    view = await sql.fetchval("select pg_get_viewdef($1::text::regclass)", f"{record_class.table}_quality")
    select, _, _ = view.partition(" FROM ")
    summaries = [part for part in select.split(",\n") if part.rstrip().endswith(tuple(names))]
    rows = await sql.fetch(
        f"{','.join(summaries)} from unnest($1::bigint[]) as {alias_of(view)} ({column})", values
    )
    expected = [
        tuple(getattr(record_class, name).fget(SimpleNamespace(**{column: value})) for name in names)
        for value in values
    ]
    assert list(map(tuple, rows)) == expected


def alias_of(view: str) -> str:
    """The name by which a view calls the table that it is made of."""
    return view.rstrip(";").split()[-1]


async def test_every_table_with_a_summary_has_a_view_and_no_other(sql: asyncpg.Connection) -> None:
    views = await sql.fetch("select viewname from pg_views where schemaname = 'astra'")
    assert {name for (name,) in views} == {f"{cls.table}_quality" for cls in WITH_VIEW}


async def test_a_view_shows_no_more_than_its_reader_may_see_in_the_table(sql: asyncpg.Connection) -> None:
    async with sql.transaction():
        await sql.execute("create role nosy_reader_of_views")
        await sql.execute("grant usage on schema astra to nosy_reader_of_views")
        await sql.execute("grant select on aspcap_quality, flag_definition to nosy_reader_of_views")
        await sql.execute("set local role nosy_reader_of_views")
        try:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="for table aspcap"):
                async with sql.transaction():
                    await sql.fetch("select flag_bad from aspcap_quality")
        finally:
            await sql.execute("reset role")
            await sql.execute("drop owned by nosy_reader_of_views")
            await sql.execute("drop role nosy_reader_of_views")
